//! Which messages have been here and what became of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phantasma_wire::Hash;
use phantasma_wire::message::Class;
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

/// What is remembered of messages.
///
/// A message is only taken within the time window around its own time, so nothing has to be remembered for longer than
/// twice that window. Kept messages are, however many there are: the log bounds them. Of others so many are remembered as
/// fit, ephemeral ones apart, so that a flood of them makes no message for the chain forgotten.
#[derive(Debug)]
pub struct Dedup {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    ephemeral: Memory,
    others: Memory,
    stored: Stored,
}

/// A bounded memory; the oldest is forgotten first.
#[derive(Debug)]
struct Memory {
    messages: HashMap<Hash, (u64, State)>,
    /// By when they came.
    order: BTreeMap<u64, Hash>,
    next: u64,
    max: usize,
}

/// Positions of kept messages, in two generations. The younger becomes the older after twice the time window, and what
/// was the older is forgotten: by then no message of it would be taken again.
#[derive(Debug)]
struct Stored {
    young: HashMap<ShortId, u64>,
    old: HashMap<ShortId, u64>,
    since_ms: u64,
    lasts_ms: u64,
}

/// Half of an id: nobody finds another message with the same in the time that it is remembered.
type ShortId = [u8; 16];

#[derive(Debug)]
enum State {
    /// Somebody is at it.
    Running(watch::Sender<Option<Verdict>>),
    Done(Outcome),
    /// It was refused in the end, but live subscribers have had it.
    RefusedLate,
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
    /// Remembers at most `max` ephemeral messages and as many others, each about 200 bytes, beside kept ones, each about
    /// 50 bytes.
    pub fn new(max: usize, window: Duration) -> Self {
        let inner = Inner {
            ephemeral: Memory::new(max),
            others: Memory::new(max),
            stored: Stored {
                young: HashMap::new(),
                old: HashMap::new(),
                since_ms: 0,
                lasts_ms: twice_ms(window),
            },
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// Begins with a message unless it is known. An id is of one class, which is part of what is signed.
    pub fn enter(&self, id: Hash, class: Class) -> Entered {
        let mut inner = self.lock();
        if let Some(position) = inner.stored.position(&id) {
            let outcome = Outcome::Stored { position };
            return Entered::Known(Pending::Done(Ok(outcome)));
        }
        let memory = inner.of(class);
        let deliver = match memory.messages.get(&id) {
            Some((_, State::Running(sender))) => {
                return Entered::Known(Pending::Waiting(sender.subscribe()));
            }
            Some((_, State::Done(outcome))) => {
                return Entered::Known(Pending::Done(Ok(*outcome)));
            }
            Some((_, State::RefusedLate)) => false,
            None => true,
        };
        memory.put(id, State::Running(watch::channel(None).0));
        Entered::New { deliver }
    }

    /// Ends what [`Dedup::enter`] began, and tells everybody who sent the same meanwhile. A refused message may be
    /// sent again.
    pub fn finish(&self, id: Hash, class: Class, verdict: &Verdict, delivered: bool, now_ms: u64) {
        let mut inner = self.lock();
        let memory = inner.of(class);
        if let Some((_, State::Running(sender))) = memory.messages.get(&id) {
            sender.send_replace(Some(verdict.clone()));
        }
        match verdict {
            Ok(Outcome::Stored { position }) => {
                memory.remove(&id);
                inner.stored.put(&id, *position, now_ms);
            }
            Ok(outcome) => memory.put(id, State::Done(*outcome)),
            Err(_) if delivered => memory.put(id, State::RefusedLate),
            // Nothing came of it: that is not worth the place of one of which something did.
            Err(_) => memory.remove(&id),
        }
    }

    /// Remembers a message of an earlier run.
    pub fn restore(&self, id: Hash, outcome: Outcome, now_ms: u64) {
        let mut inner = self.lock();
        match outcome {
            Outcome::Stored { position } => inner.stored.put(&id, position, now_ms),
            other => inner.others.put(id, State::Done(other)),
        }
    }

    /// From now on as [`Dedup::new`] with these.
    pub fn set_limits(&self, max: usize, window: Duration) {
        let mut inner = self.lock();
        inner.ephemeral.set_max(max);
        inner.others.set_max(max);
        inner.stored.lasts_ms = twice_ms(window);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn of(&mut self, class: Class) -> &mut Memory {
        match class {
            Class::Ephemeral => &mut self.ephemeral,
            Class::Durable | Class::OnChain => &mut self.others,
        }
    }
}

impl Memory {
    fn new(max: usize) -> Self {
        Self {
            messages: HashMap::new(),
            order: BTreeMap::new(),
            next: 0,
            max,
        }
    }

    fn put(&mut self, id: Hash, state: State) {
        if let Some((_, before)) = self.messages.get_mut(&id) {
            *before = state;
            return;
        }
        self.messages.insert(id, (self.next, state));
        self.order.insert(self.next, id);
        self.next += 1;
        self.shrink();
    }

    fn remove(&mut self, id: &Hash) {
        if let Some((number, _)) = self.messages.remove(id) {
            self.order.remove(&number);
        }
    }

    fn set_max(&mut self, max: usize) {
        self.max = max;
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.order.len() > self.max
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.messages.remove(&oldest);
        }
    }
}

impl Stored {
    fn position(&self, id: &Hash) -> Option<u64> {
        let short = short(id);
        let found = self.young.get(&short).or_else(|| self.old.get(&short));
        found.copied()
    }

    fn put(&mut self, id: &Hash, position: u64, now_ms: u64) {
        if now_ms.saturating_sub(self.since_ms) >= self.lasts_ms {
            self.old = std::mem::take(&mut self.young);
            self.since_ms = now_ms;
        }
        self.young.insert(short(id), position);
    }
}

fn twice_ms(window: Duration) -> u64 {
    u64::try_from(window.as_millis().saturating_mul(2)).unwrap_or(u64::MAX)
}

fn short(id: &Hash) -> ShortId {
    let mut short = ShortId::default();
    short.copy_from_slice(&id[..16]);
    short
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

    const DONE: Outcome = Outcome::Delivered { subscribers: 4 };
    const STORED: Outcome = Outcome::Stored { position: 4 };
    const WINDOW: Duration = Duration::from_secs(300);
    const NOW: u64 = 1_700_000_000_000;

    fn id(number: u32) -> Hash {
        let mut id = [0; 32];
        id[..4].copy_from_slice(&number.to_be_bytes());
        id
    }

    fn known(entered: Entered) -> Pending {
        match entered {
            Entered::Known(pending) => pending,
            Entered::New { .. } => panic!("should be known"),
        }
    }

    fn is_new(entered: Entered) -> bool {
        matches!(entered, Entered::New { deliver: true })
    }

    #[tokio::test]
    async fn who_sends_the_same_meanwhile_or_later_gets_the_first_ones_outcome() {
        let classes = [
            (Class::Ephemeral, DONE),
            (Class::Durable, STORED),
            (Class::OnChain, DONE),
        ];
        for (class, outcome) in classes {
            let dedup = Dedup::new(10, WINDOW);
            assert!(is_new(dedup.enter(id(1), class)));
            let meanwhile = known(dedup.enter(id(1), class));
            dedup.finish(id(1), class, &Ok(outcome), true, NOW);
            assert_eq!(verdict(meanwhile).await, Ok(outcome));
            let later = known(dedup.enter(id(1), class));
            assert_eq!(verdict(later).await, Ok(outcome));
        }
    }

    #[tokio::test]
    async fn a_refused_message_may_come_again_but_is_not_delivered_again() {
        let dedup = Dedup::new(10, WINDOW);
        let (class, refused) = (
            Class::OnChain,
            Err(Refusal::new(RelayError::Fault, "sequence")),
        );
        for (id, delivered) in [(id(1), true), (id(2), false)] {
            assert!(is_new(dedup.enter(id, class)));
            let meanwhile = known(dedup.enter(id, class));
            dedup.finish(id, class, &refused, delivered, NOW);
            assert_eq!(verdict(meanwhile).await, refused);
            let again = dedup.enter(id, class);
            assert!(matches!(again, Entered::New { deliver } if deliver != delivered));
        }
    }

    #[tokio::test]
    async fn the_oldest_message_is_forgotten_and_whoever_waits_for_it_is_told() {
        let dedup = Dedup::new(3, WINDOW);
        dedup.enter(id(0), Class::OnChain);
        let waiting = known(dedup.enter(id(0), Class::OnChain));
        for number in 1..50 {
            dedup.restore(id(number), DONE, NOW);
        }
        let told = verdict(waiting).await.unwrap_err();
        assert_eq!(told.error, RelayError::Internal);
        let inner = dedup.lock();
        let others = &inner.others;
        assert_eq!((others.messages.len(), others.order.len()), (3, 3));
    }

    #[test]
    fn a_flood_of_ephemeral_or_refused_messages_makes_no_other_forgotten() {
        let dedup = Dedup::new(3, WINDOW);
        dedup.restore(id(1), DONE, NOW);
        let refused = Err(Refusal::new(RelayError::NotAllowed, "the gate"));
        for number in 10..1000 {
            dedup.enter(id(number), Class::Ephemeral);
            dedup.finish(id(number), Class::Ephemeral, &Ok(DONE), true, NOW);
            dedup.enter(id(2), Class::OnChain);
            dedup.finish(id(2), Class::OnChain, &refused, false, NOW);
        }
        known(dedup.enter(id(1), Class::OnChain));
        assert_eq!(dedup.lock().others.messages.len(), 1);
    }

    #[test]
    fn kept_messages_are_remembered_for_as_long_as_they_could_come_again() {
        let dedup = Dedup::new(3, WINDOW);
        let window_ms = WINDOW.as_millis() as u64;
        let put = |number: u32, now_ms| {
            let outcome = Outcome::Stored {
                position: u64::from(number),
            };
            dedup.enter(id(number), Class::Durable);
            dedup.finish(id(number), Class::Durable, &Ok(outcome), false, now_ms);
        };
        for number in 0..100_000 {
            put(number, NOW);
        }
        for number in (0..100_000).step_by(999) {
            known(dedup.enter(id(number), Class::Durable));
        }
        // One that came in just before the change of generations is there for twice the window still.
        put(200_000, NOW + 2 * window_ms - 1);
        put(200_001, NOW + 2 * window_ms);
        put(200_002, NOW + 4 * window_ms - 2);
        known(dedup.enter(id(200_000), Class::Durable));
        put(200_003, NOW + 4 * window_ms);
        assert!(is_new(dedup.enter(id(5), Class::Durable)));
        known(dedup.enter(id(200_002), Class::Durable));
        assert!(dedup.lock().stored.old.len() < 10);
    }

    #[test]
    fn a_smaller_memory_forgets_at_once() {
        let dedup = Dedup::new(10, WINDOW);
        (0..10).for_each(|number| dedup.restore(id(number), DONE, NOW));
        dedup.set_limits(2, WINDOW);
        assert_eq!(dedup.lock().others.messages.len(), 2);
        known(dedup.enter(id(9), Class::OnChain));
    }
}
