//! What every system is loaded with: the same messages, the same flow, the same clock.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;

/// Readers of each message.
pub(super) const SUBSCRIBERS: usize = 16;

/// Time before the counting starts: connections find their speed.
const WARM_UP: Duration = Duration::from_millis(400);

/// When nothing arrives for so long, what is still missing is taken as lost.
const LOST_AFTER: Duration = Duration::from_millis(30);

/// Two bytes of a script that pushes what follows: `PUSHDATA2` and the length.
const SCRIPT_HEAD: usize = 3;

/// One measurement.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    /// Bytes of a message's payload.
    pub(super) size: usize,
    /// Messages that are published together.
    pub(super) batch: usize,
    /// Messages published and not yet with all readers, at most.
    pub(super) window: usize,
    /// Messages to publish in a second; as many as go when not given.
    pub(super) rate: Option<f64>,
    pub(super) time: Duration,
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Measured {
    /// Messages that readers got in a second, all readers together.
    pub(super) delivered: f64,
    /// Of those that should have arrived, how many did.
    pub(super) arrived: f64,
    /// Milliseconds from making a message to having it, sorted.
    pub(super) latencies: Vec<f64>,
}

impl Measured {
    /// The latency that so many of 1,000 messages are below.
    pub(super) fn permille(&self, permille: usize) -> f64 {
        let at = self.latencies.len() * permille / 1000;
        let last = self.latencies.last().copied().unwrap_or(f64::NAN);
        self.latencies.get(at).copied().unwrap_or(last)
    }
}

/// Holds the publisher back, and counts. All systems are held back alike: without that, a datagram sender would only
/// find out how fast it can lose messages.
#[derive(Debug)]
pub(super) struct Flow {
    load: Load,
    start: Instant,
    published: AtomicU64,
    delivered: AtomicU64,
    /// Copies that are not waited for any more.
    lost: AtomicU64,
    stalled: Mutex<(u64, Instant)>,
    counting: AtomicBool,
    stopped: AtomicBool,
    latencies: Mutex<Vec<f64>>,
}

/// One reader's notes, handed in when it ends.
#[derive(Debug)]
pub(super) struct Notes<'a> {
    flow: &'a Flow,
    latencies: Vec<f64>,
}

impl Flow {
    pub(super) fn new(load: Load) -> Self {
        let start = Instant::now();
        Self {
            load,
            start,
            published: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            lost: AtomicU64::new(0),
            stalled: Mutex::new((0, start)),
            counting: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            latencies: Mutex::default(),
        }
    }

    /// How many messages to publish now. 0: wait a little and ask again; `None`: it is over.
    pub(super) fn take(&self) -> Option<usize> {
        if self.stopped() {
            return None;
        }
        let published = self.published.load(Ordering::Relaxed);
        let count = match self.load.rate {
            Some(rate) => {
                let due = (self.start.elapsed().as_secs_f64() * rate) as u64;
                let due = usize::try_from(due.saturating_sub(published)).unwrap_or(usize::MAX);
                // An author who signs batches waits for some messages: half a full batch.
                if due < self.load.batch / 2 { 0 } else { due }
            }
            None => self.room(published),
        };
        let count = count.min(self.load.batch);
        self.published.fetch_add(count as u64, Ordering::Relaxed);
        Some(count)
    }

    /// A whole batch when the readers have nearly kept up, else nothing.
    fn room(&self, published: u64) -> usize {
        let delivered = self.delivered.load(Ordering::Relaxed);
        let arrived = delivered + self.lost.load(Ordering::Relaxed);
        let missing = (published * SUBSCRIBERS as u64).saturating_sub(arrived);
        let window = self.load.window.saturating_sub(self.load.batch) * SUBSCRIBERS;
        if missing <= window as u64 {
            return self.load.batch;
        }
        let mut stalled = unpoisoned(&self.stalled);
        if stalled.0 != delivered {
            *stalled = (delivered, Instant::now());
        } else if stalled.1.elapsed() > LOST_AFTER {
            self.lost.fetch_add(missing, Ordering::Relaxed);
        }
        0
    }

    pub(super) fn stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed)
    }

    /// A payload that carries the time it was made at.
    pub(super) fn payload(&self) -> Bytes {
        let mut payload = vec![0x5a; self.load.size];
        let data = (self.load.size - SCRIPT_HEAD) as u16;
        let [low, high] = data.to_le_bytes();
        payload[..SCRIPT_HEAD].copy_from_slice(&[0x0d, low, high]);
        let now = self.start.elapsed().as_nanos() as u64;
        payload[SCRIPT_HEAD..SCRIPT_HEAD + 8].copy_from_slice(&now.to_le_bytes());
        payload.into()
    }

    pub(super) fn notes(&self) -> Notes<'_> {
        Notes {
            flow: self,
            latencies: Vec::new(),
        }
    }

    /// Lets the load run, and counts what arrives after the warming up. Blocks.
    pub(super) fn watch(&self) -> (f64, f64) {
        std::thread::sleep(WARM_UP);
        self.counting.store(true, Ordering::Relaxed);
        let (start, before, sent) = (Instant::now(), self.delivered(), self.published());
        std::thread::sleep(self.load.time);
        let (seconds, after, sent_after) = (
            start.elapsed().as_secs_f64(),
            self.delivered(),
            self.published(),
        );
        self.counting.store(false, Ordering::Relaxed);
        self.stopped.store(true, Ordering::Relaxed);
        let expected = (sent_after - sent) * SUBSCRIBERS as u64;
        let delivered = after - before;
        (
            delivered as f64 / seconds,
            delivered as f64 / (expected as f64).max(1.0),
        )
    }

    /// The result, after every reader has handed in its notes.
    pub(super) fn measured(&self, (delivered, arrived): (f64, f64)) -> Measured {
        let mut latencies = std::mem::take(&mut *unpoisoned(&self.latencies));
        latencies.sort_by(f64::total_cmp);
        Measured {
            delivered,
            arrived: arrived.min(1.0),
            latencies,
        }
    }

    fn delivered(&self) -> u64 {
        self.delivered.load(Ordering::Relaxed)
    }

    fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }
}

impl Notes<'_> {
    /// A reader has a message with this payload.
    pub(super) fn got(&mut self, payload: &[u8]) {
        self.flow.delivered.fetch_add(1, Ordering::Relaxed);
        if !self.flow.counting.load(Ordering::Relaxed) {
            return;
        }
        let stamp = payload.get(SCRIPT_HEAD..SCRIPT_HEAD + 8);
        if let Some(Ok(stamp)) = stamp.map(<[u8; 8]>::try_from) {
            let now = self.flow.start.elapsed().as_nanos() as u64;
            let waited = now.saturating_sub(u64::from_le_bytes(stamp));
            self.latencies.push(waited as f64 / 1e6);
        }
    }
}

impl Drop for Notes<'_> {
    fn drop(&mut self) {
        unpoisoned(&self.flow.latencies).append(&mut self.latencies);
    }
}

fn unpoisoned<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
