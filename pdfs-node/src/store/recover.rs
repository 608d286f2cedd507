//! What opening does with segments that the index does not know to the end.
//!
//! A record is acknowledged only after it was synced, and the index's tail moves only after that.
//! So behind the tail lie acknowledged records whose index entries were lost, and perhaps, at the
//! very end, an unfinished one. Whole records are indexed; an unfinished end is cut. Damage
//! *between* whole records is stepped over, never taken for the end: what lies behind it may have
//! been acknowledged.

use std::{fs, path::Path};

use super::{
    error::StoreError,
    index::{Changes, Index, Location, Tail},
    record::{Header, Kind, RECORD_MAGIC, SEGMENT_HEADER_LEN},
    segment::{self, NoRecord, Segment},
    types::Recovery,
};

/// Records indexed per batch: bounds memory, and the work repeated when interrupted.
const BATCH: u64 = 1_000;
/// Bytes searched at once for the next record.
const WINDOW: usize = 64 * 1024;

/// The segment to append to, and where.
pub(super) struct End {
    pub(super) segment: Segment,
    pub(super) offset: u64,
}

/// Brings index and segments together. The end is `None` in a store without segments.
pub(super) fn recover(dir: &Path, index: &Index) -> Result<(Recovery, Option<End>), StoreError> {
    let mut numbers = segment::list(dir)?;
    drop_unborn(dir, &mut numbers)?;
    let tail = index.tail()?;
    if let Some(tail) = tail
        && !numbers.contains(&tail.segment)
    {
        return Err(StoreError::SegmentTruncated {
            path: segment::path(dir, tail.segment),
            actual: 0,
            indexed: tail.offset,
        });
    }
    let mut recovery = Recovery::default();
    let mut end = None;
    let first = tail.map_or(0, |t| t.segment);
    for &number in numbers.iter().filter(|n| **n >= first) {
        let last = numbers.last() == Some(&number);
        let segment = Segment::open(dir, number, last)?;
        let from = match tail {
            Some(tail) if tail.segment == number => tail.offset,
            _ => SEGMENT_HEADER_LEN as u64,
        };
        let offset = scan(&segment, from, last, index, &mut recovery)?;
        end = Some(End { segment, offset });
    }
    index.sync()?;
    Ok((recovery, end))
}

/// Removes a last segment whose creation was interrupted: it never held a record.
fn drop_unborn(dir: &Path, numbers: &mut Vec<u32>) -> Result<(), StoreError> {
    let Some(&last) = numbers.last() else {
        return Ok(());
    };
    let path = segment::path(dir, last);
    let len = fs::metadata(&path)
        .map_err(StoreError::io("inspect", &path))?
        .len();
    if len <= SEGMENT_HEADER_LEN as u64 && Segment::open(dir, last, false).is_err() {
        fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
        numbers.pop();
    }
    Ok(())
}

/// Indexes the whole records from `from` on; returns where the last one ends.
fn scan(
    segment: &Segment,
    from: u64,
    last: bool,
    index: &Index,
    recovery: &mut Recovery,
) -> Result<u64, StoreError> {
    let len = segment.len()?;
    if len < from {
        return Err(StoreError::SegmentTruncated {
            path: segment.path.clone(),
            actual: len,
            indexed: from,
        });
    }
    let mut batch = Batch::new(index, segment.number);
    let mut payload = Vec::new();
    let mut at = from;
    while at < len {
        match segment.read_record(at, len, &mut payload) {
            Ok(header) => {
                batch.add(&header, &payload, at)?;
                recovery.reindexed += 1;
                at += header.record_len();
            }
            Err(NoRecord::Io(error)) => return Err(error),
            Err(NoRecord::Short | NoRecord::Damaged(_)) => {
                match next_record(segment, at + 1, len, &mut payload)? {
                    Some(next) => {
                        recovery.damaged_bytes += next - at;
                        at = next;
                    }
                    None => break,
                }
            }
        }
    }
    batch.finish(at)?;
    if at < len && segment.is_padding(at, len)? {
        if last {
            segment.cut(at)?;
        }
    } else if at < len && last {
        recovery.torn_bytes += len - at;
        segment.cut(at)?;
    } else {
        recovery.damaged_bytes += len - at;
    }
    Ok(at)
}

/// Where the next whole record begins, at `from` or later.
fn next_record(
    segment: &Segment,
    from: u64,
    len: u64,
    payload: &mut Vec<u8>,
) -> Result<Option<u64>, StoreError> {
    let mut window = vec![0; WINDOW];
    let mut at = from;
    while at < len {
        let take = usize::try_from(len - at).unwrap_or(WINDOW).min(WINDOW);
        let Some(bytes) = window.get_mut(..take) else {
            break;
        };
        match segment.read_at(bytes, at) {
            Ok(()) => {}
            Err(NoRecord::Io(error)) => return Err(error),
            Err(_) => break,
        }
        for (skip, magic) in bytes.windows(RECORD_MAGIC.len()).enumerate() {
            if magic != RECORD_MAGIC {
                continue;
            }
            let candidate = at + skip as u64;
            match segment.read_record(candidate, len, payload) {
                Ok(_) => return Ok(Some(candidate)),
                Err(NoRecord::Io(error)) => return Err(error),
                Err(NoRecord::Short | NoRecord::Damaged(_)) => {}
            }
        }
        // Windows overlap, so that a magic across their border is seen.
        at += (take.saturating_sub(RECORD_MAGIC.len() - 1)).max(1) as u64;
    }
    Ok(None)
}

/// Index entries of records that were found again.
struct Batch<'a> {
    index: &'a Index,
    segment: u32,
    changes: Changes,
    held: u64,
}

impl<'a> Batch<'a> {
    fn new(index: &'a Index, segment: u32) -> Self {
        Self {
            index,
            segment,
            changes: Changes::default(),
            held: 0,
        }
    }

    fn add(&mut self, header: &Header, payload: &[u8], offset: u64) -> Result<(), StoreError> {
        if self.held == BATCH {
            self.finish(offset)?;
        }
        if header.kind == Kind::Block {
            let at = Location::new(self.segment, offset, header);
            self.changes.block(&header.id, at);
        }
        let path = header.path(payload);
        self.changes
            .member(&header.content.root, header.index, &header.id, &path);
        self.changes.content(&header.content);
        self.held += 1;
        Ok(())
    }

    /// Applies what was added; everything before `offset` is now indexed.
    fn finish(&mut self, offset: u64) -> Result<(), StoreError> {
        let mut changes = std::mem::take(&mut self.changes);
        changes.tail(Tail {
            segment: self.segment,
            offset,
        });
        self.held = 0;
        self.index.apply(changes)
    }
}
