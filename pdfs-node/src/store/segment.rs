//! Segment files: names, creation, reading, and a bounded set of open ones.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::{FileExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use rustix::{buffer::spare_capacity, fs::OFlags, io::Errno};

use super::{
    aligned::{self, ALIGN, Buffer},
    error::StoreError,
    record::{self, HEADER_LEN, Header, SEGMENT_HEADER_LEN, Salt},
};

/// Segments kept open for reading, with two descriptors each. They are cheap, a process has 1,024 by default and
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
    /// The same file past the system's cache, which saves a copy and lets the disk begin at once. `None` where the file
    /// system knows no such thing.
    direct: Option<File>,
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
            direct: direct(&path, true),
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
                direct: direct(&path, write),
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

    /// Writes whole blocks of [`ALIGN`] bytes from an offset that is a multiple of it. Not durable before a sync.
    pub(super) fn write_blocks(&self, blocks: &[u8], offset: u64) -> std::io::Result<()> {
        match &self.direct {
            Some(direct) => match direct.write_all_at(blocks, offset) {
                // A disk with larger sectors, or memory that is not aligned.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                    self.file.write_all_at(blocks, offset)
                }
                outcome => outcome,
            },
            None => self.file.write_all_at(blocks, offset),
        }
    }

    /// Whether what lies between the last record's end and the end of the file is what a write of whole blocks adds:
    /// zeros, up to the end of the block.
    pub(super) fn is_padding(&self, at: u64, len: u64) -> Result<bool, StoreError> {
        if len != aligned::ceil(at) {
            return Ok(false);
        }
        let mut rest = [0; ALIGN];
        let rest = rest.get_mut(..usize::try_from(len - at).unwrap_or(ALIGN));
        let rest = rest.unwrap_or_default();
        self.file
            .read_exact_at(rest, at)
            .map_err(StoreError::io("read", &self.path))?;
        Ok(rest.iter().all(|byte| *byte == 0))
    }

    /// The bytes of the block that `end` lies in, up to it: what a write of whole blocks from there has to repeat.
    pub(super) fn begun_block(&self, end: u64) -> Result<Vec<u8>, StoreError> {
        let start = aligned::floor(end);
        let mut begun = vec![0; usize::try_from(end - start).unwrap_or_default()];
        self.file
            .read_exact_at(&mut begun, start)
            .map_err(StoreError::io("read", &self.path))?;
        Ok(begun)
    }

    /// Cuts off the padding behind the last record. Need not be durable: padding is known for what it is.
    pub(super) fn trim(&self, end: u64) -> Result<(), StoreError> {
        self.file
            .set_len(end)
            .map_err(StoreError::io("cut back", &self.path))
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

    /// The record of `record_len` bytes at `offset`, with one read, through the system's cache or past it: its header,
    /// and all of its bytes.
    pub(super) fn read_known(
        &self,
        offset: u64,
        record_len: usize,
        through_cache: bool,
    ) -> Result<(Header, Bytes), NoRecord> {
        let record = match &self.direct {
            Some(direct) if !through_cache => self.read_past_cache(direct, offset, record_len)?,
            _ => self.read_through_cache(offset, record_len)?,
        };
        let (head, payload) = (record.split_first_chunk()).ok_or(NoRecord::Short)?;
        let header =
            Header::decode(head, &self.salt).ok_or(NoRecord::Damaged("header checksum"))?;
        if !header.payload_is_whole(&self.salt, payload) {
            return Err(NoRecord::Damaged("body checksum"));
        }
        Ok((header, record))
    }

    fn read_through_cache(&self, offset: u64, len: usize) -> Result<Bytes, NoRecord> {
        // Not zeroed first.
        let mut bytes = Vec::with_capacity(len);
        while bytes.len() < len {
            let at = offset + bytes.len() as u64;
            match rustix::io::pread(&self.file, spare_capacity(&mut bytes), at) {
                Ok(0) => return Err(NoRecord::Short),
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(self.no_read(error.into())),
            }
        }
        bytes.truncate(len);
        Ok(bytes.into())
    }

    fn read_past_cache(&self, direct: &File, offset: u64, len: usize) -> Result<Bytes, NoRecord> {
        let first = aligned::floor(offset);
        let span = |from: u64, to: u64| usize::try_from(to - from).map_err(|_| NoRecord::Short);
        let skip = span(first, offset)?;
        let whole = span(first, aligned::ceil(offset + len as u64))?;
        let mut buffer = Buffer::new(whole);
        let mut read = 0;
        while read < skip + len {
            let place = buffer.place(read, whole).ok_or(NoRecord::Short)?;
            match direct.read_at(place, first + read as u64) {
                Ok(0) => return Err(NoRecord::Short),
                Ok(count) => read += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                // A disk with larger sectors, memory that is not aligned, or a file that ends inside a block.
                Err(error) if error.kind() == std::io::ErrorKind::InvalidInput => {
                    return self.read_through_cache(offset, len);
                }
                Err(error) => return Err(self.no_read(error)),
            }
        }
        Ok(buffer.into_bytes(skip, len))
    }

    fn no_read(&self, error: std::io::Error) -> NoRecord {
        NoRecord::Io(StoreError::io("read", &self.path)(error))
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

/// The file past the system's cache; `None` where there is no such thing.
fn direct(path: &Path, write: bool) -> Option<File> {
    let flag = i32::try_from(OFlags::DIRECT.bits()).ok()?;
    let mut options = OpenOptions::new();
    let options = options.read(true).write(write).custom_flags(flag);
    options.open(path).ok()
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
