//! Which content a file was to become: what an upload that broke off needs to go on.
//!
//! A small file beside the keystore, one line a content. Nothing in it is secret: keys stay in the keystore. What has
//! arrived is not written down here; the nodes know it, and are asked.

use std::{
    collections::HashMap,
    fs::{self, File},
    io::{self, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use phantasma_wire::Hash;
use serde::{Deserialize, Serialize};

use super::ContentError;

/// Contents remembered; the oldest are forgotten, and put anew when asked for.
const MAX_ENTRIES: usize = 10_000;

/// Remembers, for each file that was put, its content's root.
#[derive(Debug)]
pub struct UploadLog {
    path: PathBuf,
    entries: HashMap<PathBuf, Entry>,
    next: u64,
}

/// One file as it was when it was prepared. Changed in place with the same size in the same nanosecond it is taken for
/// the same file; its blocks then still have to match the root, or nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    file: PathBuf,
    size: u64,
    modified_s: i64,
    modified_ns: i64,
    inode: u64,
    root: String,
    number: u64,
}

impl UploadLog {
    /// Opens the log, or begins one at the first [`UploadLog::begin`].
    ///
    /// # Errors
    /// The file cannot be read, or is something else.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, ContentError> {
        let path = path.into();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read", &path)(error)),
        };
        let parse = |line: &str| {
            serde_json::from_str::<Entry>(line).map_err(|error| ContentError::Log {
                path: path.clone(),
                reason: error.to_string(),
            })
        };
        let entries = text.lines().map(parse).collect::<Result<Vec<_>, _>>()?;
        Ok(Self {
            next: entries.iter().map(|e| e.number + 1).max().unwrap_or(0),
            entries: entries.into_iter().map(|e| (e.file.clone(), e)).collect(),
            path,
        })
    }

    /// The root of the content that this very file was prepared for, if it has not changed since.
    pub fn find(&self, file: &Path) -> Result<Option<Hash>, ContentError> {
        let now = Entry::of(file)?;
        let Some(then) = self.entries.get(&now.file) else {
            return Ok(None);
        };
        let same = Entry {
            root: then.root.clone(),
            number: then.number,
            ..now
        } == *then;
        let mut root = Hash::default();
        let known = same && hex::decode_to_slice(&then.root, &mut root).is_ok();
        Ok(known.then_some(root))
    }

    /// Remembers that the file becomes the content `root`; durable when this returns. To be called once the content's
    /// key is in the keystore, before anything is sent.
    pub fn begin(&mut self, file: &Path, root: &Hash) -> Result<(), ContentError> {
        let entry = Entry {
            root: hex::encode(root),
            number: self.next,
            ..Entry::of(file)?
        };
        self.next += 1;
        self.entries.insert(entry.file.clone(), entry);
        if self.entries.len() > MAX_ENTRIES
            && let Some(oldest) = self.entries.values().min_by_key(|e| e.number)
        {
            let oldest = oldest.file.clone();
            self.entries.remove(&oldest);
        }
        self.save()
    }

    /// Written beside and renamed: a crash leaves the old log or the new one.
    fn save(&self) -> Result<(), ContentError> {
        let mut text = String::new();
        for entry in self.entries.values() {
            let line = serde_json::to_string(entry).map_err(|error| ContentError::Log {
                path: self.path.clone(),
                reason: error.to_string(),
            })?;
            text += &line;
            text.push('\n');
        }
        let part = self.path.with_extension("part");
        let write = || {
            let mut file = File::create(&part)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&part, &self.path)?;
            match self.path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
                Some(dir) => File::open(dir)?.sync_all(),
                None => Ok(()),
            }
        };
        write().map_err(failed("write", &self.path))
    }
}

impl Entry {
    /// The file as it is now; root and number are still empty.
    fn of(file: &Path) -> Result<Self, ContentError> {
        let meta = fs::metadata(file).map_err(failed("inspect", file))?;
        Ok(Self {
            file: fs::canonicalize(file).map_err(failed("find", file))?,
            size: meta.size(),
            modified_s: meta.mtime(),
            modified_ns: meta.mtime_nsec(),
            inode: meta.ino(),
            root: String::new(),
            number: 0,
        })
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ContentError {
    let path = path.to_owned();
    move |error| ContentError::File {
        action,
        path,
        error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_known_until_it_changes() {
        let dir = tempfile::tempdir().unwrap();
        let (log, file) = (dir.path().join("uploads"), dir.path().join("film"));
        fs::write(&file, "one").unwrap();
        let mut uploads = UploadLog::open(&log).unwrap();
        assert_eq!(uploads.find(&file).unwrap(), None);
        uploads.begin(&file, &[7; 32]).unwrap();
        let again = UploadLog::open(&log).unwrap();
        assert_eq!(again.find(&file).unwrap(), Some([7; 32]));
        fs::write(&file, "four").unwrap();
        assert_eq!(again.find(&file).unwrap(), None);
        assert!(again.find(&dir.path().join("gone")).is_err());
    }

    #[test]
    fn a_file_that_is_no_log_is_said_to_be_none() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("uploads");
        fs::write(&log, "wallet").unwrap();
        let error = UploadLog::open(&log).unwrap_err().to_string();
        assert!(error.contains("is not an upload log"), "{error}");
    }

    #[test]
    fn the_oldest_is_forgotten_when_there_are_too_many() {
        let dir = tempfile::tempdir().unwrap();
        let (log, file) = (dir.path().join("uploads"), dir.path().join("film"));
        fs::write(&file, "one").unwrap();
        let mut uploads = UploadLog::open(&log).unwrap();
        let entry = Entry::of(&file).unwrap();
        for number in 0..MAX_ENTRIES as u64 {
            let file = PathBuf::from(format!("/{number}"));
            let entry = Entry {
                file: file.clone(),
                number,
                ..entry.clone()
            };
            uploads.entries.insert(file, entry);
        }
        uploads.next = MAX_ENTRIES as u64;
        uploads.begin(&file, &[7; 32]).unwrap();
        let again = UploadLog::open(&log).unwrap();
        assert_eq!(again.entries.len(), MAX_ENTRIES);
        assert!(!again.entries.contains_key(Path::new("/0")));
        assert_eq!(again.find(&file).unwrap(), Some([7; 32]));
    }
}
