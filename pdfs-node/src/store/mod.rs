//! The block store: bodies in append-only segment files, index and metadata in RocksDB.
//!
//! What it promises: a block whose put returned is still there after a crash; a block that is
//! handed out is the one asked for; an error leaves nothing half-written; one process at a time.
//! What it does not do: it does not know whether a content is on the chain or who may read it.
//! No type of RocksDB or of the file format leaves this module.

mod ahead;
mod aligned;
mod backup;
mod check;
mod commit;
mod compact;
mod error;
mod index;
mod often;
mod record;
mod recover;
mod segment;
mod types;
mod writer;

use std::{
    fs::{self, File},
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    thread::JoinHandle,
};

use bytes::Bytes;
use phantasma_wire::merkle;
use tokio::sync::{Semaphore, mpsc, oneshot};

pub use backup::{Copied, backup};
pub use check::Health;
pub use compact::Reclaimed;
pub use error::StoreError;
pub use types::{BlockId, Content, ContentRoot, NewBlock, Place, Put, Recovery, Stats};

use index::{Changes, Index, Location};
use often::Often;
use record::{HEADER_LEN, MAX_RECORD, SEGMENT_HEADER_LEN};
use segment::{NoRecord, Readers};
use writer::{Job, Writer};

/// The longest body: one block.
pub const MAX_BODY: usize = merkle::BLOCK_SIZE;

/// Where the store is and how much it may use.
#[derive(Clone, Debug)]
pub struct Options {
    /// Made when missing. Holds `LOCK`, `segments/` and `index/`.
    pub dir: PathBuf,
    /// A segment is closed before it would grow past this. Default 1 GiB: 4,000 blocks, so that
    /// a terabyte is a thousand files.
    pub max_segment_bytes: u64,
    /// Most bytes of all segments; what would go beyond is refused. Default: no limit but the disk.
    pub quota_bytes: u64,
    /// Puts that may wait for the writer; more wait for a place. Default 256: at most 64 MiB of bodies.
    pub queue: usize,
    /// Reads at once. Default 16: more do not make a disk faster, and each holds a block in memory.
    pub readers: usize,
}

impl Options {
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        Self {
            dir: dir.into(),
            max_segment_bytes: 1 << 30,
            quota_bytes: u64::MAX,
            queue: 256,
            readers: 16,
        }
    }
}

/// An open store. Cheap to share: put it in an `Arc`.
#[derive(Debug)]
pub struct Store {
    shared: Arc<Shared>,
    /// `None` once closed.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    reads: Semaphore,
    /// Space is taken back by one at a time.
    reclaiming: tokio::sync::Mutex<()>,
}

/// What callers and the writer share.
#[derive(Debug)]
struct Shared {
    index: Index,
    readers: Readers,
    often: Often,
    counters: Counters,
    /// The folder of the segments.
    segments: PathBuf,
    /// Bytes of all segments.
    used: AtomicU64,
    quota: u64,
    /// Held for as long as anything of the store lives.
    _lock: File,
}

#[derive(Debug, Default)]
struct Counters {
    blocks_put: AtomicU64,
    bytes_put: AtomicU64,
    commits: AtomicU64,
    blocks_read: AtomicU64,
    bytes_read: AtomicU64,
    damaged: AtomicU64,
    bytes_scrubbed: AtomicU64,
    bytes_freed: AtomicU64,
}

impl Store {
    /// Opens or creates the store, after putting right what a crash left. Blocks the thread.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; damage that recovery must not decide about.
    pub fn open(options: &Options) -> Result<(Self, Recovery), StoreError> {
        let min = (SEGMENT_HEADER_LEN + MAX_RECORD) as u64;
        if options.max_segment_bytes < min {
            return Err(StoreError::SegmentSize {
                given: options.max_segment_bytes,
                min,
            });
        }
        let segments = options.dir.join("segments");
        fs::create_dir_all(&segments).map_err(StoreError::io("create", &segments))?;
        let lock = lock(&options.dir)?;
        let index = Index::open(&options.dir.join("index"))?;
        let (recovery, end) = recover::recover(&segments, &index)?;
        let next_number = segment::list(&segments)?.last().map_or(1, |n| n + 1);
        let shared = Arc::new(Shared {
            index,
            readers: Readers::new(segments.clone()),
            often: Often::default(),
            counters: Counters::default(),
            used: AtomicU64::new(segment::total(&segments)?),
            quota: options.quota_bytes,
            segments: segments.clone(),
            _lock: lock,
        });
        let (jobs, waiting) = mpsc::channel(options.queue.max(1));
        let writer = Writer::new(
            shared.clone(),
            segments,
            options.max_segment_bytes,
            end,
            next_number,
            jobs.downgrade(),
        )?;
        let thread = std::thread::Builder::new()
            .name("store-writer".into())
            .spawn(move || writer.run(waiting))
            .map_err(StoreError::io("start the writer of", &options.dir))?;
        let store = Self {
            shared,
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(thread)),
            reads: Semaphore::new(options.readers.max(1)),
            reclaiming: tokio::sync::Mutex::default(),
        };
        Ok((store, recovery))
    }

    /// Stores a block; it is durable when this returns. Dropping the future does not undo it.
    pub async fn put(&self, block: NewBlock) -> Result<Put, StoreError> {
        self.ask(|done| Job::Put { block, done }).await?
    }

    /// Gives the writer something to do and waits for its answer.
    async fn ask<T>(&self, job: impl FnOnce(oneshot::Sender<T>) -> Job) -> Result<T, StoreError> {
        let jobs = guard(&self.jobs).clone().ok_or(StoreError::Closed)?;
        let (done, outcome) = oneshot::channel();
        jobs.send(job(done)).await.map_err(|_| StoreError::Closed)?;
        drop(jobs);
        outcome.await.map_err(|_| StoreError::Closed)
    }

    /// The body of a block, verified against its checksums and its id; `None` if it is not held.
    pub async fn get(&self, id: BlockId) -> Result<Option<Bytes>, StoreError> {
        let _turn = self.reads.acquire().await.map_err(|_| StoreError::Closed)?;
        let shared = self.shared.clone();
        tokio::task::spawn_blocking(move || shared.get(id))
            .await
            .map_err(|_| StoreError::Closed)?
    }

    pub fn has(&self, id: &BlockId) -> Result<bool, StoreError> {
        Ok(self.shared.index.location(id)?.is_some())
    }

    pub fn content(&self, root: &ContentRoot) -> Result<Option<Content>, StoreError> {
        self.shared.index.content(root)
    }

    /// Block `index` of a content, if it is held: its id, and its path to the root.
    pub fn find(&self, root: &ContentRoot, index: u64) -> Result<Option<Place>, StoreError> {
        match self.shared.index.member(root, index)? {
            Some(place) if self.has(&place.id)? => Ok(Some(place)),
            _ => Ok(None),
        }
    }

    /// Up to `limit` of the held blocks of a content from index `from` on, in order.
    pub fn held(
        &self,
        root: &ContentRoot,
        from: u64,
        limit: usize,
    ) -> Result<Vec<u64>, StoreError> {
        let mut held = Vec::new();
        for (index, id) in self.shared.index.members(root, from, limit)? {
            if self.has(&id)? {
                held.push(index);
            }
        }
        Ok(held)
    }

    /// Up to `limit` contents with blocks here, after the root `after`, in the order of roots.
    pub fn contents(
        &self,
        after: Option<&ContentRoot>,
        limit: usize,
    ) -> Result<Vec<Content>, StoreError> {
        self.shared.index.contents(after, limit)
    }

    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        Stats {
            blocks_put: counters.blocks_put.load(Relaxed),
            bytes_put: counters.bytes_put.load(Relaxed),
            commits: counters.commits.load(Relaxed),
            blocks_read: counters.blocks_read.load(Relaxed),
            bytes_read: counters.bytes_read.load(Relaxed),
            damaged: counters.damaged.load(Relaxed),
            bytes_scrubbed: counters.bytes_scrubbed.load(Relaxed),
            bytes_freed: counters.bytes_freed.load(Relaxed),
        }
    }

    /// Takes no more puts, finishes the waiting ones, and waits for the writer.
    pub async fn close(&self) {
        guard(&self.jobs).take();
        let writer = guard(&self.writer).take();
        if let Some(writer) = writer {
            // A writer that panicked has nothing left to finish.
            let _ = tokio::task::spawn_blocking(move || writer.join()).await;
        }
    }
}

impl Drop for Store {
    /// As [`Store::close`], but blocks the thread for the commit that is running: RocksDB must be closed by someone
    /// who waits for it, or a process that ends meanwhile aborts in its destructors.
    fn drop(&mut self) {
        guard(&self.jobs).take();
        if let Some(writer) = guard(&self.writer).take() {
            let _ = writer.join();
        }
    }
}

impl Shared {
    fn get(&self, id: BlockId) -> Result<Option<Bytes>, StoreError> {
        let Some(mut at) = self.index.location(&id)? else {
            return Ok(None);
        };
        let through_cache = self.often.through_cache(&id);
        let mut read = self.read(&id, at, through_cache);
        // Between the look and the read its segment may have been emptied and removed: it then lies elsewhere.
        if read.is_err()
            && let Some(now) = self.index.location(&id)?
            && now != at
        {
            at = now;
            read = self.read(&id, at, through_cache);
        }
        match read {
            Ok(body) => {
                self.counters.blocks_read.fetch_add(1, Relaxed);
                self.counters
                    .bytes_read
                    .fetch_add(body.len() as u64, Relaxed);
                Ok(Some(body))
            }
            Err(error) => {
                if matches!(error, StoreError::Damaged { .. }) {
                    self.forget(&id)?;
                }
                Err(error)
            }
        }
    }

    /// A damaged block is no longer offered, and a new upload of it is stored again.
    fn forget(&self, id: &BlockId) -> Result<(), StoreError> {
        self.counters.damaged.fetch_add(1, Relaxed);
        let mut changes = Changes::default();
        changes.forget_block(id);
        self.index.apply(changes)
    }

    fn read(&self, id: &BlockId, at: Location, through_cache: bool) -> Result<Bytes, StoreError> {
        let segment = self.readers.get(at.segment)?;
        let damaged = |what| StoreError::Damaged {
            id: *id,
            path: segment.path.clone(),
            offset: at.offset,
            what,
        };
        match segment.read_known(at.offset, at.record_len as usize, through_cache) {
            Ok((header, _)) if header.id != *id => Err(damaged("another block lies there")),
            // The checksum covers header, path and body; that the body hashes to the id is the scrub's and the
            // reader's work: hashing once more here would halve what a node can give.
            Ok((header, record)) => Ok(record.slice(HEADER_LEN + header.path_len()..)),
            Err(NoRecord::Short) => Err(damaged("the segment ends early")),
            Err(NoRecord::Damaged(what)) => Err(damaged(what)),
            Err(NoRecord::Io(error)) => Err(error),
        }
    }
}

/// One process at a time: a second one would append over the first one's records.
fn lock(dir: &std::path::Path) -> Result<File, StoreError> {
    let path = dir.join("LOCK");
    let file = File::create(&path).map_err(StoreError::io("create", &path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(StoreError::Locked { path: dir.into() }),
        Err(fs::TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
    }
}

fn guard<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
