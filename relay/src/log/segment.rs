//! One file of the log: a magic number, then records whose positions count up from the number in the file's name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;

use super::LogError;
use super::record::Record;

/// First bytes of a segment; the digit is the format's version.
const MAGIC: &[u8; 8] = b"PHMLOG1\n";

/// A segment on the disk.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) path: PathBuf,
    pub(super) file: Arc<File>,
    /// Bytes that count; more may be in the file after a write that failed.
    pub(super) len: u64,
    /// When the newest record was accepted; 0 when there is none.
    pub(super) newest_ms: u64,
}

/// What a scan finds for each record.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) position: u64,
    pub(super) received_ms: u64,
    pub(super) offset: u32,
    pub(super) len: u32,
    pub(super) message: Message,
}

impl Segment {
    /// Creates an empty segment and makes its name durable.
    pub(super) fn create(folder: &Path, first: u64) -> Result<Self, LogError> {
        let path = folder.join(file_name(first));
        let error = |source| LogError::io("creating", &path, source);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        let mut file = options.open(&path).map_err(error)?;
        file.write_all(MAGIC).map_err(error)?;
        file.sync_all().map_err(error)?;
        sync_folder(folder)?;
        Ok(Self {
            path,
            file: Arc::new(file),
            len: MAGIC.len() as u64,
            newest_ms: 0,
        })
    }

    /// Opens a segment and hands every record to `found`, in order.
    ///
    /// What follows the last good record of the `newest` segment was never acknowledged (a crash cut it), so it is
    /// cut off; the number of bytes comes back. In an older segment it means a damaged disk and is an error.
    pub(super) fn open(
        path: PathBuf,
        first: u64,
        newest: bool,
        mut found: impl FnMut(Found),
    ) -> Result<(Self, u64), LogError> {
        let error = |source| LogError::io("reading", &path, source);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(error)?;
        let bytes = Bytes::from(fs::read(&path).map_err(error)?);
        let mut segment = Self {
            file: Arc::new(file),
            len: MAGIC.len() as u64,
            newest_ms: 0,
            path: path.clone(),
        };
        if !bytes.starts_with(MAGIC) {
            // A crash between creating the file and its first sync leaves less than the magic number.
            if !newest || bytes.len() > MAGIC.len() {
                return Err(LogError::Damaged { path, offset: 0 });
            }
            (&*segment.file).write_all(MAGIC).map_err(error)?;
            segment.cut()?;
            return Ok((segment, bytes.len() as u64));
        }
        let mut offset = MAGIC.len();
        let mut next = first;
        while let Some(one) = record_at(&bytes, offset, next) {
            offset += one.len as usize;
            next += 1;
            segment.newest_ms = one.received_ms;
            found(one);
        }
        segment.len = offset as u64;
        let torn = (bytes.len() - offset) as u64;
        if torn > 0 {
            if !newest {
                return Err(LogError::Damaged {
                    path,
                    offset: offset as u64,
                });
            }
            segment.cut()?;
        }
        Ok((segment, torn))
    }

    /// Makes the file as long as what counts.
    fn cut(&self) -> Result<(), LogError> {
        let cut = self.file.set_len(self.len);
        cut.and_then(|()| self.file.sync_all())
            .map_err(|source| LogError::io("cutting", &self.path, source))
    }
}

/// Where an append failed.
#[derive(Debug)]
pub(super) enum AppendError {
    Write(io::Error),
    Sync(io::Error),
}

/// Writes records at the end of a segment and waits until the disk has them.
pub(super) fn append(file: &File, end: u64, bytes: &[u8]) -> Result<(), AppendError> {
    file.write_all_at(bytes, end).map_err(AppendError::Write)?;
    file.sync_data().map_err(AppendError::Sync)
}

/// Reads one record that the index knows. A checksum that no longer matches is an error.
pub(super) fn read_record(
    file: &File,
    path: &Path,
    offset: u32,
    len: u32,
) -> Result<Record, LogError> {
    let mut bytes = vec![0; len as usize];
    file.read_exact_at(&mut bytes, u64::from(offset))
        .map_err(|source| LogError::io("reading", path, source))?;
    Record::parse(bytes.into()).ok_or_else(|| LogError::Damaged {
        path: path.to_path_buf(),
        offset: u64::from(offset),
    })
}

/// The segments of a folder in order: position of the first record and path.
pub(super) fn list(folder: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let error = |source| LogError::io("listing", folder, source);
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.extension().is_some_and(|e| e == "log")
            && let Some(first) = path.file_stem().and_then(|s| s.to_str()?.parse().ok())
        {
            found.push((first, path));
        }
    }
    found.sort();
    Ok(found)
}

/// Makes created and deleted names of a folder durable.
pub(super) fn sync_folder(folder: &Path) -> Result<(), LogError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|source| LogError::io("syncing", folder, source))
}

fn file_name(first: u64) -> String {
    format!("{first:020}.log")
}

/// The record at `offset`, if it is whole, has the position that is due and holds a message.
fn record_at(bytes: &Bytes, offset: usize, position: u64) -> Option<Found> {
    let record = Record::parse(bytes.slice(offset..))?;
    if record.position != position {
        return None;
    }
    Some(Found {
        position,
        received_ms: record.received_ms,
        offset: u32::try_from(offset).ok()?,
        len: u32::try_from(record.len()).ok()?,
        message: Message::decode(record.message).ok()?,
    })
}
