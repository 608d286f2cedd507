//! Copies of the segments, made while a node writes them.
//!
//! Segments only grow, and the index can be rebuilt from them: so a copy of the files, taken in their order, is a whole
//! store up to the moment of the copy. What is half-written at its end is cut off when the copy is opened, as after a
//! crash. A second backup to the same place copies only what has been added.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use super::{
    StoreError,
    aligned::ALIGN,
    record::{SEGMENT_HEADER_LEN, decode_segment_header},
    segment,
};

/// Bytes copied at once.
const PIECE: usize = 1 << 20;

/// What a backup did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Copied {
    /// Segments of the copy.
    pub segments: u64,
    /// Bytes copied now.
    pub bytes: u64,
    /// Segments of an earlier backup that the store has emptied since.
    pub removed: u64,
}

/// Copies the store in `from` to `to`, durably. Neither has to be open, and `from` may be.
///
/// # Errors
/// A file cannot be read or written; `to` holds something that is no earlier backup of this store.
pub fn backup(from: &Path, to: &Path) -> Result<Copied, StoreError> {
    let (from, to) = (from.join("segments"), to.join("segments"));
    fs::create_dir_all(&to).map_err(StoreError::io("create", &to))?;
    let mut copied = Copied::default();
    // A segment that is emptied meanwhile goes to a later one: so once more, until there is nothing new.
    let mut done = 0;
    loop {
        let numbers = segment::list(&from)?;
        let last = numbers.last().copied().unwrap_or(0);
        for number in numbers.into_iter().filter(|number| *number >= done) {
            copied.bytes += copy(
                &segment::path(&from, number),
                &segment::path(&to, number),
                number,
            )?;
        }
        if last == done {
            break;
        }
        done = last;
    }
    let kept = segment::list(&from)?;
    for number in segment::list(&to)? {
        if kept.contains(&number) {
            copied.segments += 1;
        } else {
            let path = segment::path(&to, number);
            fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
            copied.removed += 1;
        }
    }
    File::open(&to)
        .and_then(|dir| dir.sync_all())
        .map_err(StoreError::io("sync", &to))?;
    Ok(copied)
}

/// Appends to `to` what `from` has more. One that is gone meanwhile is not copied.
fn copy(from: &Path, to: &Path, number: u32) -> Result<u64, StoreError> {
    let mut source = match File::open(from) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        Err(error) => return Err(StoreError::io("open", from)(error)),
    };
    let mut target = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(to)
        .map_err(StoreError::io("open", to))?;
    let length = |file: &File, path: &Path| {
        let meta = file.metadata().map_err(StoreError::io("inspect", path))?;
        Ok(meta.len())
    };
    let (has, len) = (length(&target, to)?, length(&source, from)?);
    if has >= SEGMENT_HEADER_LEN as u64 {
        let same = header(&mut source, from)? == header(&mut target, to)?;
        if !same || decode_segment_header(number, &header(&mut target, to)?).is_none() {
            return Err(StoreError::NoBackup { path: to.into() });
        }
    }
    // The end of an earlier copy may be what a failed write left in the store and was cut off there since. And the last
    // block of the disk that it has may have been padding, in place of which there are records now.
    let start = match has.checked_sub(len) {
        None | Some(0) if same_end(&source, &target, has) => has,
        None => has.saturating_sub(ALIGN as u64),
        Some(over) if over < ALIGN as u64 => len.saturating_sub(ALIGN as u64),
        Some(_) => 0,
    };
    let start = start.max(has.min(SEGMENT_HEADER_LEN as u64));
    if has > len {
        target.set_len(start).map_err(StoreError::io("cut", to))?;
    }
    source
        .seek(SeekFrom::Start(start))
        .map_err(StoreError::io("read", from))?;
    target
        .seek(SeekFrom::Start(start))
        .map_err(StoreError::io("write", to))?;
    let mut piece = vec![0; PIECE];
    let mut copied = 0;
    while copied < len.saturating_sub(start) {
        let read = source
            .read(&mut piece)
            .map_err(StoreError::io("read", from))?;
        if read == 0 {
            break;
        }
        target
            .write_all(piece.get(..read).unwrap_or_default())
            .map_err(StoreError::io("write", to))?;
        copied += read as u64;
    }
    target.sync_all().map_err(StoreError::io("sync", to))?;
    Ok(copied)
}

/// Whether the last block of the first `len` bytes is the same in both; what cannot be read is not.
fn same_end(one: &File, other: &File, len: u64) -> bool {
    let start = len.saturating_sub(ALIGN as u64);
    let end = |file: &File| {
        let mut end = vec![0; usize::try_from(len - start).unwrap_or(ALIGN)];
        file.read_exact_at(&mut end, start).map(|()| end)
    };
    matches!((end(one), end(other)), (Ok(one), Ok(other)) if one == other)
}

fn header(file: &mut File, path: &Path) -> Result<[u8; SEGMENT_HEADER_LEN], StoreError> {
    let mut head = [0; SEGMENT_HEADER_LEN];
    file.seek(SeekFrom::Start(0))
        .and_then(|_| file.read_exact(&mut head))
        .map_err(StoreError::io("read", path))?;
    Ok(head)
}
