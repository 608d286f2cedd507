//! The one thread that writes: it takes what waits, writes it in one go, syncs once, and then tells everybody.

use std::fs::File;
use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::mpsc;

use super::index::Place;
use super::record::{HEADER_LEN, Record};
use super::segment::{self, Segment};
use super::{LogConfig, LogError, Shared};

/// Bytes written before one sync. A sync takes about a millisecond; at this size the disk's bandwidth, not the number
/// of syncs, is the limit.
const GROUP_BYTES: usize = 1 << 20;

/// Takes what became of a message.
type Done = Box<dyn FnOnce(Result<u64, LogError>) + Send>;

/// A message on its way into the log.
pub(super) struct Append {
    pub(super) box_id: u64,
    pub(super) message: Bytes,
    pub(super) now_ms: u64,
    pub(super) done: Done,
}

/// Boxes that have new committed records.
pub type OnCommit = Box<dyn Fn(&[u64]) + Send>;

/// Owns the newest segment's end.
pub(super) struct Writer {
    pub(super) config: LogConfig,
    pub(super) shared: Arc<Shared>,
    pub(super) on_commit: OnCommit,
    /// Set when the disk is in a state that this process cannot know; nothing is accepted from then on.
    pub(super) broken: bool,
}

impl Writer {
    /// Runs until every sender is gone and the queue is empty.
    pub(super) fn run(mut self, mut queue: mpsc::Receiver<Append>) {
        while let Some(first) = queue.blocking_recv() {
            let mut bytes = first.message.len();
            let mut group = vec![first];
            while bytes < GROUP_BYTES
                && let Ok(more) = queue.try_recv()
            {
                bytes += more.message.len();
                group.push(more);
            }
            self.commit(group);
        }
    }

    fn commit(&mut self, group: Vec<Append>) {
        let now_ms = group.iter().map(|append| append.now_ms).max().unwrap_or(0);
        let room = match self.prepare(now_ms) {
            Ok(room) => room,
            Err(error) => return refuse(group, &error),
        };
        let (accepted, refused) = fitting(group, room);
        refuse(
            refused,
            &LogError::Full {
                max_bytes: self.config.max_bytes,
            },
        );
        if accepted.is_empty() {
            return;
        }
        match self.write(&accepted, now_ms) {
            Ok(first) => {
                let mut boxes: Vec<u64> = accepted.iter().map(|append| append.box_id).collect();
                boxes.sort_unstable();
                boxes.dedup();
                (self.on_commit)(&boxes);
                for (position, append) in (first..).zip(accepted) {
                    (append.done)(Ok(position));
                }
            }
            Err(error) => refuse(accepted, &error),
        }
    }

    /// Deletes what has expired, opens a new segment when the newest is full, and says how many bytes are left.
    fn prepare(&mut self, now_ms: u64) -> Result<u64, LogError> {
        if self.broken {
            return Err(LogError::Broken);
        }
        let mut index = self.shared.index();
        let before_ms = now_ms.saturating_sub(self.config.keep_ms);
        while let Some(expired) = index.take_expired(before_ms) {
            std::fs::remove_file(&expired.path)
                .map_err(|source| LogError::io("deleting", &expired.path, source))?;
            tracing::info!(segment = %expired.path.display(), "deleted expired messages");
        }
        let newest = index
            .segments
            .last_key_value()
            .map(|(_, segment)| segment.len);
        if newest.is_none_or(|len| len >= self.config.segment_bytes) {
            let first = index.head + 1;
            let segment = Segment::create(&self.config.folder, first)?;
            index.segments.insert(first, segment);
        }
        Ok(self.config.max_bytes.saturating_sub(index.bytes()))
    }

    /// Writes and syncs, then makes the records visible; the position of the first one.
    fn write(&mut self, group: &[Append], now_ms: u64) -> Result<u64, LogError> {
        // The disk is waited for without the lock: readers go on.
        let (first, end, file) = {
            let index = self.shared.index();
            let (_, segment) = index.segments.last_key_value().ok_or(LogError::Broken)?;
            (index.head + 1, segment.len, segment.file.clone())
        };
        let mut bytes = Vec::new();
        let mut places = Vec::with_capacity(group.len());
        for (position, append) in (first..).zip(group) {
            let offset = end + bytes.len() as u64;
            let record = Record {
                position,
                received_ms: now_ms,
                message: append.message.clone(),
            };
            record.write(&mut bytes);
            places.push(Place {
                position,
                offset: u32::try_from(offset).map_err(|_| LogError::Broken)?,
                len: u32::try_from(record.len()).map_err(|_| LogError::Broken)?,
            });
        }
        if let Err(source) = segment::append(&file, end, &bytes) {
            return Err(self.undo(source, end, &file));
        }
        let mut index = self.shared.index();
        if let Some(mut newest) = index.segments.last_entry() {
            let segment = newest.get_mut();
            segment.len = end + bytes.len() as u64;
            segment.newest_ms = segment.newest_ms.max(now_ms);
        }
        for (append, place) in group.iter().zip(places) {
            index.add(append.box_id, place, Some(append.message.clone()));
        }
        Ok(first)
    }

    /// After a failed write the file is cut back. When even that fails, or when the sync failed (after which the
    /// system may have forgotten the pages it could not write), nobody knows what is on the disk: stop accepting.
    fn undo(&mut self, failed: segment::AppendError, end: u64, file: &File) -> LogError {
        let sync_failed = matches!(failed, segment::AppendError::Sync(_));
        if sync_failed || file.set_len(end).and_then(|()| file.sync_all()).is_err() {
            self.broken = true;
            self.shared.set_broken();
        }
        let (segment::AppendError::Write(source) | segment::AppendError::Sync(source)) = failed;
        let error = LogError::io("writing", &self.config.folder, source);
        tracing::error!(%error, broken = self.broken, "the log was not written");
        error
    }
}

/// Tells the publishers why their messages are not in the log.
fn refuse(group: Vec<Append>, error: &LogError) {
    for append in group {
        (append.done)(Err(error.clone()));
    }
}

/// Splits a group into what fits into `room` bytes and what does not.
fn fitting(group: Vec<Append>, room: u64) -> (Vec<Append>, Vec<Append>) {
    let mut used = 0;
    group.into_iter().partition(|append| {
        used += (HEADER_LEN + append.message.len()) as u64;
        used <= room
    })
}
