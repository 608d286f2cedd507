//! An in-memory chain with faults on demand, for tests of what stands on [`Chain`].

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use phantasma_wire::message::Message;

use crate::chain::{Answer, Chain, ChainError, Written};

/// Boxes, and messages in them, by the contract's rule that sequences rise for each author and box.
#[derive(Debug, Default)]
pub(crate) struct MemoryChain {
    boxes: Mutex<BTreeSet<u64>>,
    messages: Mutex<Vec<Message>>,
    sequences: Mutex<HashMap<(u64, [u8; 33]), u64>>,
    failing: AtomicBool,
    /// Milliseconds that every write takes.
    pub(crate) write_ms: AtomicU64,
    /// How often somebody asked for a box.
    pub(crate) questions: AtomicU64,
    /// Writes that were running at the same time, at most.
    pub(crate) most_at_once: AtomicU64,
    running: AtomicU64,
}

impl MemoryChain {
    pub(crate) fn with_boxes(boxes: impl IntoIterator<Item = u64>) -> Self {
        Self {
            boxes: Mutex::new(boxes.into_iter().collect()),
            ..Self::default()
        }
    }

    pub(crate) fn add_box(&self, box_id: u64) {
        lock(&self.boxes).insert(box_id);
    }

    /// From now on nothing is reachable, or everything is again.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// What was written, in order.
    pub(crate) fn messages(&self) -> Vec<Message> {
        lock(&self.messages).clone()
    }

    fn reach(&self) -> Result<(), ChainError> {
        match self.failing.load(Ordering::Relaxed) {
            true => Err(ChainError::Unreachable("the node is down".into())),
            false => Ok(()),
        }
    }

    fn put(&self, message: &Message) -> Result<Written, ChainError> {
        self.reach()?;
        let body = &message.body;
        let mut sequences = lock(&self.sequences);
        let last = sequences.entry((body.box_id, body.author)).or_default();
        if body.sequence <= *last {
            return Err(ChainError::Fault(format!(
                "sequence {} is not above {last}",
                body.sequence
            )));
        }
        *last = body.sequence;
        let mut messages = lock(&self.messages);
        let index = messages
            .iter()
            .filter(|other| other.body.box_id == body.box_id)
            .count() as u64;
        messages.push(message.clone());
        Ok(Written {
            txid: message.id(),
            index,
        })
    }
}

impl Chain for MemoryChain {
    fn box_exists(&self, box_id: u64) -> Answer<'_, bool> {
        Box::pin(async move {
            self.questions.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.reach()?;
            Ok(lock(&self.boxes).contains(&box_id))
        })
    }

    fn write<'a>(&'a self, message: &'a Message) -> Answer<'a, Written> {
        Box::pin(async move {
            let running = self.running.fetch_add(1, Ordering::Relaxed) + 1;
            self.most_at_once.fetch_max(running, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(self.write_ms.load(Ordering::Relaxed))).await;
            self.running.fetch_sub(1, Ordering::Relaxed);
            self.put(message)
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
