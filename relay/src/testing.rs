//! An in-memory chain with faults on demand, for tests of what stands on [`Chain`].

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use phantasma_sdk::emulator::admission::box_key;
use phantasma_wire::Hash;
use phantasma_wire::message::Message;
use tokio::sync::mpsc;

use crate::chain::{Answer, Chain, ChainError, Change, Events, Fate, Ready, Sent};

/// What one message costs, in datoshi.
pub(crate) const FEE: i64 = 100;

/// Who owns all boxes, and the gate that lets everybody in (`PUSHT`).
pub(crate) const OWNER: [u8; 20] = [9; 20];
const FREE: [u8; 1] = [0x08];

/// Boxes, and messages in them, by the contract's rule that sequences rise for each author and box.
#[derive(Debug, Default)]
pub(crate) struct MemoryChain {
    boxes: Mutex<BTreeSet<u64>>,
    /// Gates of boxes that not everybody may write to.
    gates: Mutex<HashMap<u64, Vec<u8>>>,
    /// Other entries of storage.
    entries: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Change>>>,
    state: Mutex<State>,
    failing: AtomicBool,
    /// Milliseconds until a block takes a transaction.
    pub(crate) write_ms: AtomicU64,
    /// How often somebody asked for a box.
    pub(crate) questions: AtomicU64,
    /// How often somebody asked for an entry of storage.
    pub(crate) reads: AtomicU64,
    /// Transactions that were on their way at the same time, at most.
    pub(crate) most_at_once: AtomicU64,
    /// So many next sendings arrive, but their answers do not.
    pub(crate) lose_answers: AtomicU32,
    /// So many next transactions come into no block.
    pub(crate) expire: AtomicU32,
    /// So many next transactions fail in their block.
    pub(crate) fault: AtomicU32,
    /// Payloads that the contract refuses, by their last byte.
    pub(crate) refused: Mutex<BTreeSet<u8>>,
}

#[derive(Debug, Default)]
struct State {
    messages: Vec<Message>,
    /// Messages of each transaction that came into a block.
    blocks: Vec<usize>,
    sequences: HashMap<(u64, [u8; 33]), u64>,
    prepared: HashMap<Hash, Vec<Message>>,
    prepared_contents: HashMap<Hash, (u64, Vec<u8>)>,
    /// Written by the relay itself: box and content.
    contents: Vec<(u64, Vec<u8>)>,
    pending: HashMap<Hash, Instant>,
    fates: HashMap<Hash, Fate>,
    number: u64,
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

    /// Gives a box a gate without telling anybody.
    pub(crate) fn set_gate(&self, box_id: u64, gate: &[u8]) {
        lock(&self.gates).insert(box_id, gate.to_vec());
    }

    /// Puts an account on a box's include list without telling anybody.
    pub(crate) fn set_entry(&self, key: Vec<u8>, value: &[u8]) {
        lock(&self.entries).insert(key, value.to_vec());
    }

    /// Tells all who watch.
    pub(crate) fn tell(&self, change: Change) {
        lock(&self.watchers).retain(|watcher| watcher.send(change).is_ok());
    }

    /// Nobody is told any more.
    pub(crate) fn stop_telling(&self) {
        lock(&self.watchers).clear();
    }

    /// From now on nothing is reachable, or everything is again.
    pub(crate) fn fail(&self, failing: bool) {
        self.failing.store(failing, Ordering::Relaxed);
    }

    /// What was written, in order.
    pub(crate) fn messages(&self) -> Vec<Message> {
        lock(&self.state).messages.clone()
    }

    /// How many messages each successful transaction had.
    pub(crate) fn blocks(&self) -> Vec<usize> {
        lock(&self.state).blocks.clone()
    }

    /// What the relay itself wrote into a box, in order.
    pub(crate) fn contents(&self, box_id: u64) -> Vec<Vec<u8>> {
        let state = lock(&self.state);
        let of_box = state.contents.iter().filter(|(id, _)| *id == box_id);
        of_box.map(|(_, content)| content.clone()).collect()
    }

    fn reach(&self) -> Result<(), ChainError> {
        match self.failing.load(Ordering::Relaxed) {
            true => Err(ChainError::Unreachable("the node is down".into())),
            false => Ok(()),
        }
    }

    /// The sequences after these messages, or the contract's words.
    fn run(
        &self,
        state: &State,
        messages: &[Message],
    ) -> Result<HashMap<(u64, [u8; 33]), u64>, String> {
        let mut sequences = state.sequences.clone();
        for message in messages {
            let body = &message.body;
            if let Some(last) = body.payload.last()
                && lock(&self.refused).contains(last)
            {
                return Err(format!("payload {last} is refused"));
            }
            let last = sequences.entry((body.box_id, body.author)).or_default();
            if body.sequence <= *last {
                return Err(format!("sequence {} is not above {last}", body.sequence));
            }
            *last = body.sequence;
        }
        Ok(sequences)
    }

    fn execute(&self, state: &mut State, txid: &Hash) -> Fate {
        if take(&self.expire) {
            return Fate::Expired;
        }
        if take(&self.fault) {
            return Fate::Fault("it was otherwise in the block".to_owned());
        }
        if let Some((box_id, content)) = state.prepared_contents.get(txid).cloned() {
            let before = state.contents.iter().filter(|(id, _)| *id == box_id);
            let index = before.count() as u64;
            state.contents.push((box_id, content));
            return Fate::Written(vec![index]);
        }
        let messages = state.prepared.get(txid).cloned().unwrap_or_default();
        match self.run(state, &messages) {
            Err(text) => Fate::Fault(text),
            Ok(sequences) => {
                state.sequences = sequences;
                state.blocks.push(messages.len());
                let write = |message| {
                    let before = state.messages.iter();
                    let index = before.filter(|m: &&Message| same_box(m, &message)).count();
                    state.messages.push(message);
                    index as u64
                };
                Fate::Written(messages.into_iter().map(write).collect())
            }
        }
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

    fn stored<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            self.reads.fetch_add(1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            self.reach()?;
            let boxes = lock(&self.boxes).clone();
            let Some(id) = boxes.into_iter().find(|id| box_key(*id) == key) else {
                return Ok(lock(&self.entries).get(key).cloned());
            };
            let gate = lock(&self.gates).get(&id).cloned();
            Ok(Some(
                [OWNER.to_vec(), gate.unwrap_or(FREE.to_vec())].concat(),
            ))
        })
    }

    fn watch(&self) -> Answer<'_, Box<dyn Events>> {
        Box::pin(async move {
            self.reach()?;
            let (sender, receiver) = mpsc::unbounded_channel();
            lock(&self.watchers).push(sender);
            let events: Box<dyn Events> = Box::new(receiver);
            Ok(events)
        })
    }

    fn prepare<'a>(&'a self, messages: &'a [Message]) -> Answer<'a, Ready> {
        Box::pin(async move {
            self.reach()?;
            let mut state = lock(&self.state);
            self.run(&state, messages).map_err(ChainError::Fault)?;
            let ready = state.ready(messages.len());
            state.prepared.insert(ready.sent.txid, messages.to_vec());
            Ok(ready)
        })
    }

    fn prepare_content<'a>(&'a self, box_id: u64, content: &'a [u8]) -> Answer<'a, Ready> {
        Box::pin(async move {
            self.reach()?;
            let mut state = lock(&self.state);
            let ready = state.ready(1);
            let content = (box_id, content.to_vec());
            state.prepared_contents.insert(ready.sent.txid, content);
            Ok(ready)
        })
    }

    fn send<'a>(&'a self, ready: &'a Ready) -> Answer<'a, ()> {
        Box::pin(async move {
            self.reach()?;
            let wait = Duration::from_millis(self.write_ms.load(Ordering::Relaxed));
            let mut state = lock(&self.state);
            if state.pending.contains_key(&ready.sent.txid)
                || state.fates.contains_key(&ready.sent.txid)
            {
                return Err(ChainError::Rejected("already exists".into()));
            }
            state.pending.insert(ready.sent.txid, Instant::now() + wait);
            let running = state.pending.len() as u64;
            self.most_at_once.fetch_max(running, Ordering::Relaxed);
            match take(&self.lose_answers) {
                true => Err(ChainError::Unreachable("the answer was lost".into())),
                false => Ok(()),
            }
        })
    }

    fn look(&self, sent: Sent) -> Answer<'_, Option<Fate>> {
        Box::pin(async move {
            self.reach()?;
            let mut state = lock(&self.state);
            let due = state.pending.get(&sent.txid).copied();
            if due.is_some_and(|due| due <= Instant::now()) {
                state.pending.remove(&sent.txid);
                let fate = self.execute(&mut state, &sent.txid);
                state.fates.insert(sent.txid, fate);
            }
            match (due, state.fates.get(&sent.txid)) {
                (_, Some(fate)) => Ok(Some(fate.clone())),
                (Some(_), None) => Ok(None),
                (None, None) => Ok(Some(Fate::Expired)),
            }
        })
    }
}

impl Events for mpsc::UnboundedReceiver<Change> {
    fn next(&mut self) -> Answer<'_, Change> {
        let gone = || ChainError::Unreachable("no more events".into());
        Box::pin(async move { self.recv().await.ok_or_else(gone) })
    }
}

impl State {
    /// A transaction of its own for so many messages.
    fn ready(&mut self, messages: usize) -> Ready {
        self.number += 1;
        let mut txid = [0; 32];
        txid[..8].copy_from_slice(&self.number.to_le_bytes());
        Ready {
            sent: Sent {
                txid,
                valid_until: 100,
            },
            fees: FEE * messages as i64,
            bytes: vec![1],
        }
    }
}

fn same_box(one: &Message, other: &Message) -> bool {
    one.body.box_id == other.body.box_id
}

/// Uses one of what is left.
fn take(left: &AtomicU32) -> bool {
    let one_less = |n: u32| n.checked_sub(1);
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
        .is_ok()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
