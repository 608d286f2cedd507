//! Taking back the space of what is no longer needed.
//!
//! Three steps, each safe to be broken off anywhere:
//!
//! 1. a content whose time is over is forgotten with its places ([`Store::drop_content`]);
//! 2. a block that no content has is forgotten ([`Store::reclaim`] looks at all places, in several passes over the
//!    index, so that memory is bounded; what is put meanwhile is noted by the writer and kept);
//! 3. a segment of which more than half is no longer needed is emptied: what is needed is appended again, like a put, and
//!    when all of it is durable and the index has been synced, the file is removed.
//!
//! Until a file is removed, it and the appended copies both can rebuild the index.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    Store, StoreError,
    index::Location,
    record::SEGMENT_HEADER_LEN,
    segment::{self, NoRecord, Segment},
    types::{BlockId, ContentRoot, Put},
    writer::{Job, Record},
};

/// Blocks of which one pass knows whether somebody needs them: 64 MiB.
const PASS: usize = 1 << 20;

/// Blocks looked up in the index at once.
const PAGE: usize = 4096;

/// A segment is emptied when less than this part of it is needed: each byte is then moved at most once for each byte
/// that is won.
const NEEDED_PERCENT: u64 = 50;

/// What was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reclaimed {
    /// Blocks that no content had any more.
    pub blocks: u64,
    /// Segments that were emptied and removed.
    pub segments: u64,
    /// Bytes of those segments.
    pub freed_bytes: u64,
    /// Bytes that had to be written again.
    pub moved_bytes: u64,
}

impl Store {
    /// Forgets a content. Its blocks go with the next [`Store::reclaim`], unless another content has them.
    pub async fn drop_content(&self, root: ContentRoot) -> Result<(), StoreError> {
        self.ask(|done| Job::Drop { root, done }).await?
    }

    /// Forgets that block `index` of a content is here, and the content with its last one. The block itself goes with the
    /// next [`Store::reclaim`], unless another content has it. What was forgotten comes back when the index is rebuilt
    /// from the segments: then it is held once more than it need be.
    pub async fn drop_place(&self, root: ContentRoot, index: u64) -> Result<(), StoreError> {
        self.ask(|done| Job::DropPlace { root, index, done })
            .await?
    }

    /// Forgets blocks that no content has, and empties segments that are worth it, moving at most `bytes_per_s` (0: as
    /// fast as it goes).
    ///
    /// # Errors
    /// The index or the disk fails. What was done until then stays done.
    pub async fn reclaim(&self, bytes_per_s: u64) -> Result<Reclaimed, StoreError> {
        self.reclaim_worth(bytes_per_s, NEEDED_PERCENT).await
    }

    /// As [`Store::reclaim`], emptying segments of which less than so many percent are needed: the higher, the more is
    /// moved for what is won.
    pub async fn reclaim_worth(
        &self,
        bytes_per_s: u64,
        needed_percent: u64,
    ) -> Result<Reclaimed, StoreError> {
        // Two sweeps at once would take each other's notes of what was put meanwhile.
        let _turn = self.reclaiming.lock().await;
        let mut reclaimed = Reclaimed {
            blocks: self.sweep().await?,
            ..Reclaimed::default()
        };
        let end = segment::list(&self.shared.segments)?.last().copied();
        for (number, needed) in self.needed_bytes()? {
            let path = segment::path(&self.shared.segments, number);
            let len = fs::metadata(&path)
                .map_err(StoreError::io("inspect", &path))?
                .len();
            // The last one is being appended to.
            if Some(number) == end || needed * 100 >= len * needed_percent {
                continue;
            }
            if let Some(moved) = self.empty(number, bytes_per_s).await? {
                reclaimed.segments += 1;
                reclaimed.freed_bytes += len;
                reclaimed.moved_bytes += moved;
            }
        }
        Ok(reclaimed)
    }

    /// Bytes of all segments, and how many they may be.
    pub fn room(&self) -> (u64, u64) {
        (self.shared.used.load(Relaxed), self.shared.quota)
    }

    /// Bytes that the blocks held take: what [`Store::room`] says more is won by [`Store::reclaim`], sooner or later.
    pub fn needed(&self) -> Result<u64, StoreError> {
        Ok(self.needed_bytes()?.values().sum())
    }

    /// Forgets the blocks that no content has.
    async fn sweep(&self) -> Result<u64, StoreError> {
        let (mut after, mut swept) = (None, 0);
        self.ask(|done| Job::Watch { done }).await?;
        loop {
            let shared = self.shared.clone();
            let from: Option<BlockId> = after;
            let look = move || -> Result<(Vec<BlockId>, Option<BlockId>), StoreError> {
                let (mut unneeded, mut last) = (HashSet::new(), from);
                while unneeded.len() < PASS {
                    let page = shared.index.blocks(last.as_ref(), PAGE)?;
                    let Some((id, _)) = page.last() else {
                        break;
                    };
                    last = Some(*id);
                    unneeded.extend(page.iter().map(|(id, _)| *id));
                }
                let more = !unneeded.is_empty();
                shared.index.each_member(|id| {
                    unneeded.remove(&id);
                })?;
                Ok((unneeded.into_iter().collect(), last.filter(|_| more)))
            };
            let looked = tokio::task::spawn_blocking(look).await;
            let (ids, last) = looked.map_err(|_| StoreError::Closed)??;
            let ended = last.is_none();
            let sweep = |done| Job::Sweep {
                ids,
                last: ended,
                done,
            };
            swept += self.ask(sweep).await??;
            match last {
                Some(last) => after = Some(last),
                None => return Ok(swept),
            }
        }
    }

    /// Bytes of each segment that the index needs; segments of which it needs none are listed with 0.
    fn needed_bytes(&self) -> Result<BTreeMap<u32, u64>, StoreError> {
        let numbers = segment::list(&self.shared.segments)?;
        let mut needed: BTreeMap<u32, u64> = numbers.into_iter().map(|n| (n, 0)).collect();
        let mut after = None;
        loop {
            let page = self.shared.index.blocks(after.as_ref(), PAGE)?;
            let Some((last, _)) = page.last() else {
                return Ok(needed);
            };
            after = Some(*last);
            for (_, at) in &page {
                *needed.entry(at.segment).or_default() += u64::from(at.record_len);
            }
        }
    }

    /// Moves what is needed of a segment and removes it. `None` when something in it cannot be read and is still needed:
    /// it is left to the operator.
    async fn empty(&self, number: u32, bytes_per_s: u64) -> Result<Option<u64>, StoreError> {
        let shared = &self.shared;
        let segment = Segment::open(&shared.segments, number, false)?;
        let (len, mut moved) = (segment.len()?, 0);
        let (mut at, mut payload) = (SEGMENT_HEADER_LEN as u64, Vec::new());
        while at < len {
            let started = Instant::now();
            let header = match segment.read_record(at, len, &mut payload) {
                Ok(header) => header,
                Err(NoRecord::Io(error)) => return Err(error),
                Err(NoRecord::Short | NoRecord::Damaged(_)) if segment.is_padding(at, len)? => {
                    break;
                }
                Err(NoRecord::Short | NoRecord::Damaged(_)) => {
                    tracing::warn!(path = %segment.path.display(), at, "damaged, and so not emptied; run fsck");
                    return Ok(None);
                }
            };
            let record = Box::new(Record {
                header,
                payload: Bytes::from(std::mem::take(&mut payload)),
                at: Location::new(number, at, &header),
            });
            at += header.record_len();
            let put = self.ask(|done| Job::Move { record, done }).await??;
            if put == Put::Stored {
                moved += header.record_len();
                if bytes_per_s > 0 {
                    let due = header.record_len() as f64 / bytes_per_s as f64;
                    let due = Duration::from_secs_f64(due).saturating_sub(started.elapsed());
                    tokio::time::sleep(due).await;
                }
            }
        }
        // Whatever the index says from now on must not lie in this file, also after a power loss.
        shared.index.sync()?;
        if self.needed_bytes()?.get(&number).copied().unwrap_or(0) > 0 {
            return Ok(None);
        }
        fs::remove_file(&segment.path).map_err(StoreError::io("remove", &segment.path))?;
        File::open(&shared.segments)
            .and_then(|dir| dir.sync_all())
            .map_err(StoreError::io("sync", &shared.segments))?;
        shared.readers.forget(number);
        shared.used.fetch_sub(len, Relaxed);
        shared.counters.bytes_freed.fetch_add(len, Relaxed);
        Ok(Some(moved))
    }
}
