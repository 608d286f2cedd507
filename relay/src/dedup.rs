//! Which messages have been here and what became of them.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use phantasma_wire::Hash;
use phantasma_wire::relay::{Outcome, RelayError};
use tokio::sync::watch;

/// Why a request was not done: the kind for programs, the text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub error: RelayError,
    pub text: String,
}

impl Refusal {
    pub fn new(error: RelayError, text: impl Into<String>) -> Self {
        Self {
            error,
            text: text.into(),
        }
    }
}

/// What a publisher is told.
pub type Verdict = Result<Outcome, Refusal>;

/// A verdict that may still be to come.
#[derive(Debug, Clone)]
pub enum Pending {
    Done(Verdict),
    Waiting(watch::Receiver<Option<Verdict>>),
}

/// A bounded memory of messages; the oldest is forgotten first.
///
/// It need not be longer than what arrives in the time window of [`crate::config::Limits::time_window`]: an older
/// message is refused by its time.
#[derive(Debug)]
pub struct Dedup {
    inner: Mutex<Inner>,
    max: usize,
}

#[derive(Debug, Default)]
struct Inner {
    messages: HashMap<Hash, State>,
    order: VecDeque<Hash>,
}

#[derive(Debug)]
enum State {
    /// Somebody is at it.
    Running(watch::Sender<Option<Verdict>>),
    Done(Outcome),
    /// It was refused in the end, but live subscribers have had it.
    Refused {
        delivered: bool,
    },
}

/// What [`Dedup::enter`] found.
#[derive(Debug)]
pub enum Entered {
    /// Nobody is at it: the caller now is, and must call [`Dedup::finish`].
    New { deliver: bool },
    /// It was done, or somebody is at it.
    Known(Pending),
}

impl Dedup {
    /// Remembers at most `max` messages, each about 200 bytes.
    pub fn new(max: usize) -> Self {
        Self {
            inner: Mutex::default(),
            max,
        }
    }

    /// Begins with a message unless it is known.
    pub fn enter(&self, id: Hash) -> Entered {
        let mut inner = self.lock();
        let deliver = match inner.messages.get(&id) {
            Some(State::Running(sender)) => {
                return Entered::Known(Pending::Waiting(sender.subscribe()));
            }
            Some(State::Done(outcome)) => return Entered::Known(Pending::Done(Ok(*outcome))),
            Some(State::Refused { delivered }) => !delivered,
            None => true,
        };
        let running = State::Running(watch::channel(None).0);
        inner.put(id, running, self.max);
        Entered::New { deliver }
    }

    /// Ends what [`Dedup::enter`] began, and tells everybody who sent the same meanwhile. A refused message may be
    /// sent again.
    pub fn finish(&self, id: Hash, verdict: &Verdict, delivered: bool) {
        let mut inner = self.lock();
        if let Some(State::Running(sender)) = inner.messages.get(&id) {
            sender.send_replace(Some(verdict.clone()));
        }
        let state = match verdict {
            Ok(outcome) => State::Done(*outcome),
            Err(_) => State::Refused { delivered },
        };
        inner.put(id, state, self.max);
    }

    /// Remembers a message of an earlier run.
    pub fn restore(&self, id: Hash, outcome: Outcome) {
        self.lock().put(id, State::Done(outcome), self.max);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn put(&mut self, id: Hash, state: State, max: usize) {
        if self.messages.insert(id, state).is_some() {
            return;
        }
        self.order.push_back(id);
        while self.order.len() > max
            && let Some(oldest) = self.order.pop_front()
        {
            self.messages.remove(&oldest);
        }
    }
}

/// Waits for a verdict. A verdict that will never come (the message was forgotten meanwhile) is an error.
pub async fn verdict(pending: Pending) -> Verdict {
    let mut waiting = match pending {
        Pending::Done(verdict) => return verdict,
        Pending::Waiting(waiting) => waiting,
    };
    match waiting.wait_for(Option::is_some).await {
        Ok(verdict) => verdict.clone().unwrap_or_else(|| Err(forgotten())),
        Err(_) => Err(forgotten()),
    }
}

fn forgotten() -> Refusal {
    Refusal::new(
        RelayError::Internal,
        "the relay no longer knows what became of this message; ask the chain, or send it again",
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    const DONE: Outcome = Outcome::Stored { position: 4 };

    fn known(entered: Entered) -> Pending {
        match entered {
            Entered::Known(pending) => pending,
            Entered::New { .. } => panic!("should be known"),
        }
    }

    #[tokio::test]
    async fn who_sends_the_same_meanwhile_or_later_gets_the_first_ones_outcome() {
        let dedup = Dedup::new(10);
        assert!(matches!(
            dedup.enter([1; 32]),
            Entered::New { deliver: true }
        ));
        let meanwhile = known(dedup.enter([1; 32]));
        dedup.finish([1; 32], &Ok(DONE), true);
        assert_eq!(verdict(meanwhile).await, Ok(DONE));
        assert_eq!(verdict(known(dedup.enter([1; 32]))).await, Ok(DONE));
    }

    #[tokio::test]
    async fn a_refused_message_may_come_again_but_is_not_delivered_again() {
        let dedup = Dedup::new(10);
        let refused = Err(Refusal::new(RelayError::Fault, "sequence"));
        for (id, delivered) in [([1; 32], true), ([2; 32], false)] {
            assert!(matches!(dedup.enter(id), Entered::New { deliver: true }));
            let meanwhile = known(dedup.enter(id));
            dedup.finish(id, &refused, delivered);
            assert_eq!(verdict(meanwhile).await, refused);
            assert!(matches!(dedup.enter(id), Entered::New { deliver } if deliver != delivered));
        }
    }

    #[tokio::test]
    async fn the_oldest_message_is_forgotten_and_whoever_waits_for_it_is_told() {
        let dedup = Dedup::new(3);
        dedup.enter([0; 32]);
        let waiting = known(dedup.enter([0; 32]));
        for id in 1..50 {
            dedup.restore([id; 32], DONE);
        }
        assert_eq!(
            verdict(waiting).await.unwrap_err().error,
            RelayError::Internal
        );
        let inner = dedup.lock();
        assert_eq!((inner.messages.len(), inner.order.len()), (3, 3));
    }
}
