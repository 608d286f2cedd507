//! The durable messages: a bounded append-only log on the disk.
//!
//! A message is acknowledged once it is on the disk. All messages that arrive while the disk is busy are written
//! together with one sync (*group commit*). Records are checksummed; at start they are replayed, and what a crash left
//! half written at the very end (never acknowledged) is cut off.
//!
//! Positions count up over all boxes from 1, without gaps and for ever; a box's messages have some of them, in order.
//! So the number of a restarted log goes on even when everything of a box has expired.
//!
//! An accepted message is kept for at least [`LogConfig::keep_ms`]. A log that is full before that refuses new
//! messages; it never drops one that it promised to keep.

mod index;
mod record;
mod segment;
mod writer;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use phantasma_wire::Hash;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use tokio::sync::mpsc;

use index::{Index, Place, Source};
use segment::Segment;
pub use writer::OnCommit;
use writer::{Append, Writer};

/// Messages that wait for the disk; the next publisher waits in front. Worst case 1,024 × 60 KiB = 60 MiB. At 1 KiB it is
/// what one group takes.
const QUEUE: usize = 1024;

/// Where the log is and how large it grows.
#[derive(Debug, Clone)]
pub struct LogConfig {
    /// Created if missing.
    pub folder: PathBuf,
    /// Bytes of all segments together.
    pub max_bytes: u64,
    /// Bytes after which a new segment starts. Expiry goes by whole segments.
    pub segment_bytes: u64,
    /// How long a message is kept at least, in milliseconds.
    pub keep_ms: u64,
}

/// Why the log could not do something.
#[derive(Debug, Clone, thiserror::Error)]
pub enum LogError {
    #[error("{action} {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: Arc<std::io::Error>,
    },
    #[error("{} is used by another relay; give each its own data folder", path.display())]
    Locked { path: PathBuf },
    #[error(
        "{} is damaged at byte {offset}; restore it from a backup, or move it and all older segments away to go on \
         without them", path.display()
    )]
    Damaged { path: PathBuf, offset: u64 },
    #[error("the relay's log is full: {max_bytes} bytes of messages that it has promised to keep")]
    Full { max_bytes: u64 },
    #[error("the relay's disk failed; it keeps no more messages until it is started again")]
    Broken,
    #[error("the relay's log is closed")]
    Closed,
}

impl LogError {
    fn io(action: &'static str, path: &Path, source: std::io::Error) -> Self {
        LogError::Io {
            action,
            path: path.to_path_buf(),
            source: Arc::new(source),
        }
    }
}

/// What a start found.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// Messages in the log.
    pub records: usize,
    /// Bytes of an unacknowledged, half written end that were cut off.
    pub torn_bytes: u64,
    /// Ids and positions of the messages accepted at or after the time given to [`Log::open`], oldest first.
    pub newer: Vec<(Hash, u64)>,
}

/// Numbers for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogStats {
    pub bytes: u64,
    pub records: usize,
    /// False once the disk has failed.
    pub healthy: bool,
}

/// The open log.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    queue: Mutex<Option<mpsc::Sender<Append>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// Held for as long as the log is open.
    lock: File,
}

#[derive(Debug, Default)]
struct Shared {
    index: Mutex<Index>,
    broken: std::sync::atomic::AtomicBool,
}

impl Log {
    /// Opens or creates a log and replays it. `on_commit` is called (on the log's own thread) after each commit with
    /// the boxes that have new messages.
    pub fn open(
        config: LogConfig,
        newer_than_ms: u64,
        on_commit: OnCommit,
    ) -> Result<(Log, Recovered), LogError> {
        std::fs::create_dir_all(&config.folder)
            .map_err(|source| LogError::io("creating", &config.folder, source))?;
        let lock = lock(&config.folder)?;
        let (index, recovered) = replay(&config.folder, newer_than_ms)?;
        let shared = Arc::new(Shared {
            index: Mutex::new(index),
            broken: Default::default(),
        });
        let (queue, receiver) = mpsc::channel(QUEUE);
        let folder = config.folder.clone();
        let writer = Writer {
            config,
            shared: shared.clone(),
            on_commit,
            broken: false,
        };
        let thread = std::thread::Builder::new().name("relay-log".into());
        let thread = thread
            .spawn(move || writer.run(receiver))
            .map_err(|source| LogError::io("starting the writer of", &folder, source))?;
        let log = Log {
            shared,
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
            lock,
        };
        Ok((log, recovered))
    }

    /// Queues a message, in the order of the calls, and waits only for a place in the queue. `done` is called on the
    /// log's own thread once the message is on the disk, with its position, or with why it is not; it must be quick.
    /// It is not called when this fails.
    pub async fn append(
        &self,
        message: &Message,
        now_ms: u64,
        done: impl FnOnce(Result<u64, LogError>) + Send + 'static,
    ) -> Result<(), LogError> {
        let queue = unpoisoned(self.queue.lock())
            .clone()
            .ok_or(LogError::Closed)?;
        let append = Append {
            box_id: message.body.box_id,
            message: message.encode(),
            now_ms,
            done: Box::new(done),
        };
        queue.send(append).await.map_err(|_| LogError::Closed)
    }

    /// Committed messages of a box with positions of at least `from`, oldest first, as [`Message`] encodes them: one if
    /// there is any, and more as long as they together stay under `max_bytes`.
    pub async fn read(
        &self,
        box_id: u64,
        from: u64,
        max_bytes: usize,
    ) -> Result<Vec<(u64, Bytes)>, LogError> {
        let found = self.shared.index().find(box_id, from, max_bytes);
        if found
            .iter()
            .all(|(_, source)| matches!(source, Source::Memory(_)))
        {
            return found
                .into_iter()
                .map(|(position, source)| Ok((position, load(source)?)))
                .collect();
        }
        let read = move || {
            found
                .into_iter()
                .map(|(position, source)| Ok((position, load(source)?)))
                .collect()
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or(Err(LogError::Closed))
    }

    /// The ids of the committed messages of all boxes from a position on, oldest first, at most `max`.
    pub async fn ids(&self, from: u64, max: usize) -> Result<Vec<(u64, Hash)>, LogError> {
        let found = self.shared.index().after(from, max);
        let id = |(position, source)| {
            let bytes = load(source)?;
            // What the log holds was a message when it came.
            let message = Message::decode(bytes).map_err(|_| LogError::Broken)?;
            Ok((position, message.id()))
        };
        let read = move || found.into_iter().map(id).collect();
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or(Err(LogError::Closed))
    }

    /// Committed messages of all boxes from a position on, oldest first, at most `max`, as [`Message`] encodes them.
    pub async fn read_all(&self, from: u64, max: usize) -> Result<Vec<(u64, Bytes)>, LogError> {
        let found = self.shared.index().after(from, max);
        let read = move || {
            let load = |(position, source)| Ok((position, load(source)?));
            found.into_iter().map(load).collect()
        };
        tokio::task::spawn_blocking(read)
            .await
            .unwrap_or(Err(LogError::Closed))
    }

    /// Position of the oldest message that is kept.
    pub fn oldest(&self) -> u64 {
        self.shared.index().oldest()
    }

    /// Position of the newest committed message of any box; 0 before the first one.
    pub fn head(&self) -> u64 {
        self.shared.index().head
    }

    pub fn stats(&self) -> LogStats {
        let index = self.shared.index();
        LogStats {
            bytes: index.bytes(),
            records: index.records(),
            healthy: !self
                .shared
                .broken
                .load(std::sync::atomic::Ordering::Relaxed),
        }
    }

    /// Refuses new messages, writes what waits, comes back when the disk has it, and leaves the folder to the next relay.
    /// What is there can still be read. Blocks.
    pub fn close(&self) {
        unpoisoned(self.queue.lock()).take();
        if let Some(thread) = unpoisoned(self.thread.lock()).take()
            && thread.join().is_err()
        {
            tracing::error!("the log's thread panicked");
        }
        if let Err(error) = self.lock.unlock() {
            tracing::warn!(%error, "the log's folder stays locked until this process ends");
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn index(&self) -> MutexGuard<'_, Index> {
        unpoisoned(self.index.lock())
    }

    fn set_broken(&self) {
        self.broken
            .store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// No code of the log panics while it holds a lock; should one do, the others go on with what is there.
fn unpoisoned<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

/// Keeps a second relay away from the folder; the system gives the lock back when the process ends in any way.
fn lock(folder: &Path) -> Result<File, LogError> {
    let path = folder.join("lock");
    let file = File::create(&path).map_err(|source| LogError::io("creating", &path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(LogError::Locked {
            path: folder.to_path_buf(),
        }),
        Err(std::fs::TryLockError::Error(source)) => Err(LogError::io("locking", &path, source)),
    }
}

fn replay(folder: &Path, newer_than_ms: u64) -> Result<(Index, Recovered), LogError> {
    let mut index = Index::default();
    let mut recovered = Recovered::default();
    let segments = segment::list(folder)?;
    let last = segments.len().saturating_sub(1);
    for (number, (first, path)) in segments.into_iter().enumerate() {
        if number > 0 && first != index.head + 1 {
            // The segment before ends too early or too late: a file is missing or was renamed.
            return Err(LogError::Damaged { path, offset: 0 });
        }
        index.head = first.saturating_sub(1);
        let (segment, torn) = Segment::open(path, first, number == last, |found| {
            let place = Place {
                position: found.position,
                offset: found.offset,
                len: found.len,
            };
            index.add(found.message.body.box_id, place, None);
            recovered.records += 1;
            if found.received_ms >= newer_than_ms {
                recovered.newer.push((found.message.id(), found.position));
            }
        })?;
        recovered.torn_bytes += torn;
        index.segments.insert(first, segment);
    }
    Ok((index, recovered))
}

fn load(source: Source) -> Result<Bytes, LogError> {
    match source {
        Source::Memory(bytes) => Ok(bytes),
        Source::Disk { file, path, place } => {
            Ok(segment::read_record(&file, &path, place.offset, place.len)?.message)
        }
    }
}

#[cfg(test)]
mod tests;
