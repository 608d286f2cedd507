//! Who may write to which box: its gate, run by the contract's own code over what the chain has now.
//!
//! What the chain has is remembered until an event of the contract says that it changed. Answers are remembered too, where
//! a gate looks at nothing but box and author; other gates are run for each message.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use phantasma_sdk::boxes::MAX_LOOKED_AT;
use phantasma_sdk::emulator::admission::{Admission, Asked, Facts, Holds, Write, admission};
use phantasma_sdk::neo;
use phantasma_wire::PublicKey;
use phantasma_wire::message::Unsigned;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::cache::CacheTimes;
use crate::chain::{Chain, ChainError, Change};
use crate::config::ChainId;

/// What is remembered of all boxes, about: gates are some bytes each, an author's answer [`ANSWER_BYTES`].
const MAX_BYTES: usize = 32 << 20;
const ANSWER_BYTES: usize = 128;

/// Questions to the node at once, whatever clients send: one node answers a few thousand a second.
const MAX_QUESTIONS: usize = 8;

/// Gates that run at once. The dearest takes some ten milliseconds: it must not have the threads that serve others.
const MAX_RUNS: usize = 1;

/// After so long a lost connection to the node's events is opened again.
const RECONNECT: Duration = Duration::from_secs(2);

/// Gates, and what they look at.
pub struct Gates {
    chain: Arc<dyn Chain>,
    chain_id: ChainId,
    times: CacheTimes,
    questions: Semaphore,
    runs: Semaphore,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    boxes: HashMap<u64, Known>,
    /// By when they were asked for first.
    order: BTreeMap<u64, u64>,
    next: u64,
    /// Boxes whose gates look further than box and author.
    further: BTreeSet<u64>,
    bytes: usize,
    /// Counts what the chain told: an answer that was under way meanwhile is not remembered.
    told: u64,
    /// Events come since then.
    followed: Option<Instant>,
}

struct Known {
    /// In the order of all.
    number: u64,
    facts: Arc<Facts>,
    holds: Holds,
    since: Instant,
    for_all: Option<Admission>,
    by_author: HashMap<PublicKey, Admission>,
}

/// An answer, and whether it holds for other messages of this author in this box at this time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    pub admission: Admission,
    pub holds: bool,
}

/// What is known at the beginning of a question.
struct Start {
    facts: Arc<Facts>,
    /// Too old, but better than nothing when the node is silent.
    old: Option<Arc<Facts>>,
    told: u64,
}

impl Gates {
    pub fn new(chain: Arc<dyn Chain>, chain_id: ChainId, times: CacheTimes) -> Self {
        Self {
            chain,
            chain_id,
            times,
            questions: Semaphore::new(MAX_QUESTIONS),
            runs: Semaphore::new(MAX_RUNS),
            state: Mutex::default(),
        }
    }

    /// What a box says to the author of this message. `now_ms` is the time that the gate sees.
    pub async fn ask(
        &self,
        body: &Unsigned,
        now_ms: u64,
        now: Instant,
    ) -> Result<Told, ChainError> {
        let start = match self.look_up(body, now) {
            Ok(told) => return Ok(told),
            Err(start) => start,
        };
        let (told, old) = (start.told, start.old);
        let mut facts = start.facts;
        loop {
            let missing = match self.run(&facts, body, now_ms).await? {
                Asked::Answer(admission) => {
                    return Ok(self.remember(body, facts, admission, told, now));
                }
                Asked::Missing(missing) => missing,
            };
            if facts.len() + missing.len() > MAX_LOOKED_AT {
                let reason = format!("it looks at more than {MAX_LOOKED_AT} entries of storage");
                let admission = Admission::Refused { reason };
                return Ok(Told {
                    admission,
                    holds: false,
                });
            }
            for key in missing {
                match self.stored(&key).await {
                    Ok(value) => Arc::make_mut(&mut facts).know(key, value),
                    Err(error) => return self.silent(old, body, now_ms, error).await,
                }
            }
        }
    }

    /// The node says nothing: what it said last counts, if that is enough.
    async fn silent(
        &self,
        old: Option<Arc<Facts>>,
        body: &Unsigned,
        now_ms: u64,
        error: ChainError,
    ) -> Result<Told, ChainError> {
        let Some(old) = old else { return Err(error) };
        match self.run(&old, body, now_ms).await? {
            Asked::Answer(admission) => Ok(Told {
                admission,
                holds: false,
            }),
            Asked::Missing(_) => Err(error),
        }
    }

    async fn stored(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ChainError> {
        let _permit = self.questions.acquire().await.map_err(stopping)?;
        self.chain.stored(key).await
    }

    async fn run(
        &self,
        facts: &Arc<Facts>,
        body: &Unsigned,
        now_ms: u64,
    ) -> Result<Asked, ChainError> {
        if facts.is_empty() {
            // Nothing can be run without the gate: its key comes without leaving this thread.
            return Ok(admission(facts, &self.write(body, now_ms)));
        }
        let _permit = self.runs.acquire().await.map_err(stopping)?;
        let (facts, body) = (facts.clone(), body.clone());
        let ChainId { network, contract } = self.chain_id;
        let running = tokio::task::spawn_blocking(move || {
            let chain_id = ChainId { network, contract };
            admission(&facts, &write(chain_id, &body, now_ms))
        });
        running.await.map_err(stopping)
    }

    fn write<'a>(&self, body: &'a Unsigned, now_ms: u64) -> Write<'a> {
        write(self.chain_id, body, now_ms)
    }

    /// An answer that is remembered, or what is known to find it.
    fn look_up(&self, body: &Unsigned, now: Instant) -> Result<Told, Start> {
        let state = self.lock();
        let (mut facts, mut old) = (Arc::default(), None);
        if let Some(known) = state.boxes.get(&body.box_id) {
            if !state.is_fresh(known, &self.times, now) {
                old = Some(known.facts.clone());
            } else if let Some(admission) = known.answer(&body.author) {
                return Ok(Told {
                    admission: admission.clone(),
                    holds: true,
                });
            } else {
                facts = known.facts.clone();
            }
        }
        Err(Start {
            facts,
            old,
            told: state.told,
        })
    }

    /// Keeps what was found out, unless the chain has changed meanwhile.
    fn remember(
        &self,
        body: &Unsigned,
        facts: Arc<Facts>,
        admission: Admission,
        told: u64,
        now: Instant,
    ) -> Told {
        let holds = facts.hold(body.box_id);
        let answer = Told {
            admission,
            holds: holds != Holds::Now,
        };
        let mut state = self.lock();
        if state.told != told {
            return answer;
        }
        state.put(body, facts, holds, &answer.admission, &self.times, now);
        answer
    }

    /// Takes note of an event.
    pub fn changed(&self, change: &Change) {
        let mut state = self.lock();
        state.told += 1;
        match change {
            Change::Box(box_id) => {
                state.forget(*box_id);
                // A gate that looks further may look at this box.
                state.forget_those_that_look_further();
            }
            Change::Other => state.forget_those_that_look_further(),
            Change::Missed => state.forget_all(),
        }
    }

    fn follows(&self, since: Option<Instant>) {
        let mut state = self.lock();
        state.told += 1;
        state.followed = since;
    }

    /// Follows the contract's events until it is to stop.
    pub async fn follow(self: Arc<Self>, stop: CancellationToken) {
        let watching = async {
            loop {
                match self.watch().await {
                    Ok(()) => {}
                    Err(error) => tracing::debug!(%error, "no events of the node"),
                }
                self.follows(None);
                tokio::time::sleep(RECONNECT).await;
            }
        };
        tokio::select! {
            () = watching => {}
            () = stop.cancelled() => {}
        }
    }

    async fn watch(&self) -> Result<(), ChainError> {
        let mut events = self.chain.watch().await?;
        // What was asked before may have changed before the first event.
        self.follows(Some(Instant::now()));
        loop {
            let change = events.next().await?;
            self.changed(&change);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(chain_id: ChainId, body: &Unsigned, now_ms: u64) -> Write<'_> {
    Write {
        contract: neo::Hash160(chain_id.contract),
        network: chain_id.network,
        box_id: body.box_id,
        author: neo::PublicKey(body.author).script_hash(),
        content: &body.payload,
        time_ms: now_ms,
    }
}

fn stopping<E>(_: E) -> ChainError {
    ChainError::Unreachable("the relay is stopping".into())
}

impl State {
    fn is_fresh(&self, known: &Known, times: &CacheTimes, now: Instant) -> bool {
        let lasts = match (self.followed, known.holds) {
            (Some(since), _) if known.since < since => return false,
            (Some(_), Holds::ForAll | Holds::ForAuthor) => times.gate,
            (Some(_), Holds::Now) | (None, _) => times.unknown,
        };
        known.since + lasts > now
    }

    fn put(
        &mut self,
        body: &Unsigned,
        facts: Arc<Facts>,
        holds: Holds,
        admission: &Admission,
        times: &CacheTimes,
        now: Instant,
    ) {
        let id = body.box_id;
        let fresh = self.boxes.get(&id);
        let fresh = fresh.is_some_and(|known| self.is_fresh(known, times, now));
        if !fresh {
            self.forget(id);
            self.order.insert(self.next, id);
            self.boxes.insert(id, Known::new(self.next, now));
            self.next += 1;
        }
        let Some(known) = self.boxes.get_mut(&id) else {
            return;
        };
        let before = if fresh { known.bytes() } else { 0 };
        known.holds = holds;
        // What one author's answer needed beyond the gate is not needed again, save by gates that are run each time.
        if known.facts.is_empty() || holds == Holds::Now {
            known.facts = facts;
        }
        match holds {
            Holds::ForAll => known.for_all = Some(admission.clone()),
            Holds::ForAuthor => {
                known.by_author.insert(body.author, admission.clone());
            }
            Holds::Now => {
                self.further.insert(id);
            }
        }
        self.bytes = self.bytes - before + known.bytes();
        while self.bytes > MAX_BYTES
            && let Some(oldest) = self.order.first_key_value().map(|(_, id)| *id)
        {
            self.forget(oldest);
        }
    }

    fn forget(&mut self, box_id: u64) {
        if let Some(known) = self.boxes.remove(&box_id) {
            self.bytes -= known.bytes();
            self.order.remove(&known.number);
            self.further.remove(&box_id);
        }
    }

    fn forget_those_that_look_further(&mut self) {
        for box_id in std::mem::take(&mut self.further) {
            self.forget(box_id);
        }
    }

    fn forget_all(&mut self) {
        self.boxes.clear();
        self.order.clear();
        self.further.clear();
        self.bytes = 0;
    }
}

impl Known {
    fn new(number: u64, now: Instant) -> Self {
        Self {
            number,
            facts: Arc::default(),
            holds: Holds::Now,
            since: now,
            for_all: None,
            by_author: HashMap::new(),
        }
    }

    fn answer(&self, author: &PublicKey) -> Option<&Admission> {
        let for_all = self.for_all.as_ref();
        for_all.or_else(|| self.by_author.get(author))
    }

    fn bytes(&self) -> usize {
        self.facts.bytes() + (1 + self.by_author.len()) * ANSWER_BYTES
    }
}

#[cfg(test)]
mod tests;
