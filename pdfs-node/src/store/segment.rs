//! Segment files: names, creation, reading, and a bounded set of open ones.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use super::{
    error::StoreError,
    record::{self, HEADER_LEN, Header, SEGMENT_HEADER_LEN, Salt},
};

/// Segments kept open for reading. A descriptor is cheap, a process has 1,024 by default and
/// connections need most of them.
const MAX_OPEN: usize = 64;

pub(super) fn path(dir: &Path, number: u32) -> PathBuf {
    dir.join(format!("{number:08}.seg"))
}

/// Numbers of the segments in `dir`, ascending. Other files are left alone.
pub(super) fn list(dir: &Path) -> Result<Vec<u32>, StoreError> {
    let fail = || StoreError::io("list", dir);
    let mut numbers = Vec::new();
    for entry in fs::read_dir(dir).map_err(fail())? {
        let name = entry.map_err(fail())?.file_name();
        let number = name.to_str().and_then(|n| n.strip_suffix(".seg"));
        if let Some(number) = number.and_then(|n| n.parse().ok()) {
            numbers.push(number);
        }
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Bytes of all segments in `dir`.
pub(super) fn total(dir: &Path) -> Result<u64, StoreError> {
    let mut total = 0;
    for number in list(dir)? {
        let path = path(dir, number);
        let meta = fs::metadata(&path).map_err(StoreError::io("inspect", &path))?;
        total += meta.len();
    }
    Ok(total)
}

/// One open segment.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) number: u32,
    pub(super) path: PathBuf,
    pub(super) file: File,
    pub(super) salt: Salt,
}

/// Why a stretch of a segment is not a record.
#[derive(Debug)]
pub(super) enum NoRecord {
    /// The file ends before the record does.
    Short,
    Damaged(&'static str),
    Io(StoreError),
}

impl Segment {
    /// Makes a new segment; its header and its name are durable on return.
    pub(super) fn create(dir: &Path, number: u32, salt: Salt) -> Result<Self, StoreError> {
        let path = path(dir, number);
        let make = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path)?;
            file.write_all_at(&record::encode_segment_header(number, &salt), 0)?;
            file.sync_all()?;
            File::open(dir)?.sync_all()?;
            Ok(file)
        };
        let made = make();
        if made.is_err() {
            // Nothing was acknowledged in it; a leftover is also removed by recovery.
            let _ = fs::remove_file(&path);
        }
        Ok(Self {
            number,
            file: made.map_err(StoreError::io("create", &path))?,
            path,
            salt,
        })
    }

    pub(super) fn open(dir: &Path, number: u32, write: bool) -> Result<Self, StoreError> {
        let path = path(dir, number);
        let file = OpenOptions::new()
            .read(true)
            .write(write)
            .open(&path)
            .map_err(StoreError::io("open", &path))?;
        let mut head = [0; SEGMENT_HEADER_LEN];
        let salt = match file.read_exact_at(&mut head, 0) {
            Ok(()) => record::decode_segment_header(number, &head),
            Err(_) => None,
        };
        match salt {
            Some(salt) => Ok(Self {
                number,
                path,
                file,
                salt,
            }),
            None => Err(StoreError::SegmentHeader { path }),
        }
    }

    pub(super) fn len(&self) -> Result<u64, StoreError> {
        let meta = self
            .file
            .metadata()
            .map_err(StoreError::io("inspect", &self.path))?;
        Ok(meta.len())
    }

    /// Cuts the file to `len` and makes that durable.
    pub(super) fn cut(&self, len: u64) -> Result<(), StoreError> {
        self.file
            .set_len(len)
            .and_then(|()| self.file.sync_all())
            .map_err(StoreError::io("cut back", &self.path))
    }

    /// The record at `offset` of a file of `len` bytes with both checksums verified; path and body
    /// are left in `payload`.
    pub(super) fn read_record(
        &self,
        offset: u64,
        len: u64,
        payload: &mut Vec<u8>,
    ) -> Result<Header, NoRecord> {
        let mut head = [0; HEADER_LEN];
        if offset.saturating_add(HEADER_LEN as u64) > len {
            return Err(NoRecord::Short);
        }
        self.read_at(&mut head, offset)?;
        let header =
            Header::decode(&head, &self.salt).ok_or(NoRecord::Damaged("header checksum"))?;
        if offset.saturating_add(header.record_len()) > len {
            return Err(NoRecord::Short);
        }
        payload.clear();
        payload.resize(header.payload_len(), 0);
        self.read_at(payload, offset + HEADER_LEN as u64)?;
        if !header.payload_is_whole(&self.salt, payload) {
            return Err(NoRecord::Damaged("body checksum"));
        }
        Ok(header)
    }

    pub(super) fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<(), NoRecord> {
        self.file
            .read_exact_at(buffer, offset)
            .map_err(|source| match source.kind() {
                std::io::ErrorKind::UnexpectedEof => NoRecord::Short,
                _ => NoRecord::Io(StoreError::io("read", &self.path)(source)),
            })
    }
}

/// Segments open for reading, the least recently used closed first.
#[derive(Debug)]
pub(super) struct Readers {
    dir: PathBuf,
    /// Most recently used last.
    open: Mutex<Vec<Arc<Segment>>>,
}

impl Readers {
    pub(super) fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            open: Mutex::new(Vec::new()),
        }
    }

    /// No longer keeps a segment open.
    pub(super) fn forget(&self, number: u32) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|segment| segment.number != number);
    }

    pub(super) fn get(&self, number: u32) -> Result<Arc<Segment>, StoreError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let segment = match open.iter().position(|s| s.number == number) {
            Some(at) => open.remove(at),
            None => Arc::new(Segment::open(&self.dir, number, false)?),
        };
        if open.len() >= MAX_OPEN {
            open.remove(0);
        }
        open.push(segment.clone());
        Ok(segment)
    }
}
