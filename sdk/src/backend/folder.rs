//! Objects as files of a folder.

use std::{
    fs::{self, File},
    io::{self, Write},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;

use super::{BackendError, ObjectBytes, ObjectStore, Pending};
use crate::content::blocking;

/// A folder, on whatever disk. A place is a file's absolute path.
#[derive(Debug, Clone)]
pub struct Folder {
    dir: PathBuf,
}

impl Folder {
    /// New objects go into `dir`, which is made when it is missing.
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackendError {
    let path = path.to_owned();
    move |error| BackendError::File {
        action,
        path,
        error,
    }
}

impl ObjectStore for Folder {
    /// The file appears complete and synced, or not at all.
    fn put<'a>(&'a self, name: &'a str, object: ObjectBytes) -> Pending<'a, String> {
        let (dir, name) = (self.dir.clone(), name.to_owned());
        Box::pin(async move {
            let writing = blocking(move || Ok(write_file(&dir, &name, object)));
            writing.await?
        })
    }

    fn read<'a>(&'a self, place: &'a str, range: Range<u64>) -> Pending<'a, Bytes> {
        let path = PathBuf::from(place);
        Box::pin(async move {
            let reading = blocking(move || Ok(read_file(&path, &range)));
            reading.await?
        })
    }
}

fn write_file(dir: &Path, name: &str, object: ObjectBytes) -> Result<String, BackendError> {
    fs::create_dir_all(dir).map_err(failed("make", dir))?;
    let dir = &fs::canonicalize(dir).map_err(failed("find", dir))?;
    let path = dir.join(name);
    let Some(place) = path.to_str().map(str::to_owned) else {
        return Err(BackendError::Place {
            place: path.to_string_lossy().into_owned(),
            reason: "its name is not UTF-8",
        });
    };
    let part = dir.join(format!(".{name}.{:08x}.part", rand::random::<u32>()));
    let written = write_part(&part, object).and_then(|()| {
        fs::rename(&part, &path).map_err(failed("rename to", &path))?;
        File::open(dir)
            .and_then(|dir| dir.sync_all())
            .map_err(failed("sync", dir))
    });
    if written.is_err() {
        // Best effort: what is left has a name that says so.
        let _ = fs::remove_file(&part);
    }
    written.map(|()| place)
}

fn write_part(part: &Path, mut object: ObjectBytes) -> Result<(), BackendError> {
    let mut file = File::create_new(part).map_err(failed("create", part))?;
    while let Some(piece) = object.pieces.blocking_recv() {
        file.write_all(&piece?).map_err(failed("write", part))?;
    }
    file.sync_all().map_err(failed("sync", part))
}

fn read_file(path: &Path, range: &Range<u64>) -> Result<Bytes, BackendError> {
    let wrong = |reason| BackendError::Place {
        place: path.to_string_lossy().into_owned(),
        reason,
    };
    if !path.is_absolute() {
        return Err(wrong("the path is not absolute"));
    }
    let about = fs::metadata(path).map_err(failed("inspect", path))?;
    // Not a device or a pipe, from which nothing could be read by place.
    if !about.is_file() {
        return Err(wrong("it is not a file"));
    }
    let end = range.end.min(about.len());
    let len = end.saturating_sub(range.start);
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
    File::open(path)
        .and_then(|file| file.read_exact_at(&mut bytes, range.start))
        .map_err(failed("read", path))?;
    Ok(bytes.into())
}
