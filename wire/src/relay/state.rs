//! The relay's memory between two frames, each part with a bound that nobody outside can move.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};

use crate::Hash;

/// What waits for one reader. Items that may be dropped give way to new ones; items that may not end the session when
/// even they do not fit, so that a slow reader costs at most `max_items` and `max_bytes` and never blocks a writer.
#[derive(Debug)]
pub struct Outbox<T> {
    items: VecDeque<Entry<T>>,
    bytes: usize,
    /// Number and bytes of the items that may not be dropped.
    kept: (usize, usize),
    max_items: usize,
    max_bytes: usize,
}

#[derive(Debug)]
struct Entry<T> {
    item: T,
    bytes: usize,
    droppable: bool,
}

/// What became of an item pushed into an [`Outbox`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Pushed {
    /// It waits; this many older droppable ones were dropped for it.
    Queued { dropped: usize },
    /// It may be dropped, and it was: everything older must stay.
    Dropped,
    /// It may not be dropped and does not fit. The reader has to be told and sent away.
    Overflow,
}

impl<T> Outbox<T> {
    /// An empty queue of at most `max_items` items of together at most `max_bytes` bytes.
    pub fn new(max_items: usize, max_bytes: usize) -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            kept: (0, 0),
            max_items,
            max_bytes,
        }
    }

    /// Adds an item of `bytes` bytes, dropping the oldest droppable ones if needed.
    pub fn push(&mut self, item: T, bytes: usize, droppable: bool) -> Pushed {
        if self.kept.0 + 1 > self.max_items || self.kept.1 + bytes > self.max_bytes {
            return if droppable {
                Pushed::Dropped
            } else {
                Pushed::Overflow
            };
        }
        let mut dropped = 0;
        while self.items.len() + 1 > self.max_items || self.bytes + bytes > self.max_bytes {
            let Some(oldest) = self.items.iter().position(|entry| entry.droppable) else {
                break;
            };
            if let Some(entry) = self.items.remove(oldest) {
                self.bytes -= entry.bytes;
                dropped += 1;
            }
        }
        self.bytes += bytes;
        if !droppable {
            self.kept = (self.kept.0 + 1, self.kept.1 + bytes);
        }
        self.items.push_back(Entry {
            item,
            bytes,
            droppable,
        });
        Pushed::Queued { dropped }
    }

    /// Takes the oldest item.
    pub fn pop(&mut self) -> Option<T> {
        let entry = self.items.pop_front()?;
        self.bytes -= entry.bytes;
        if !entry.droppable {
            self.kept = (self.kept.0 - 1, self.kept.1 - entry.bytes);
        }
        Some(entry.item)
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes of what waits.
    pub fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Which session listens to which box.
#[derive(Debug)]
pub struct Subscriptions {
    by_box: HashMap<u64, BTreeSet<u64>>,
    by_session: HashMap<u64, BTreeSet<u64>>,
    max_per_session: usize,
}

impl Subscriptions {
    /// At most `max_per_session` boxes a session; the number of sessions is bounded by who accepts them.
    pub fn new(max_per_session: usize) -> Self {
        Self {
            by_box: HashMap::new(),
            by_session: HashMap::new(),
            max_per_session,
        }
    }

    /// From now on another bound; who listens to more already goes on.
    pub fn set_max_per_session(&mut self, max_per_session: usize) {
        self.max_per_session = max_per_session;
    }

    /// False when the session already listens to as many boxes as it may. Twice the same is once.
    pub fn add(&mut self, session: u64, box_id: u64) -> bool {
        let boxes = self.by_session.entry(session).or_default();
        if !boxes.contains(&box_id) && boxes.len() >= self.max_per_session {
            return false;
        }
        boxes.insert(box_id);
        self.by_box.entry(box_id).or_default().insert(session);
        true
    }

    /// Whether it was there.
    pub fn remove(&mut self, session: u64, box_id: u64) -> bool {
        let was = self
            .by_session
            .get_mut(&session)
            .is_some_and(|boxes| boxes.remove(&box_id));
        if was {
            self.forget(session, box_id);
        }
        was
    }

    /// Ends all subscriptions of a session.
    pub fn remove_session(&mut self, session: u64) {
        for box_id in self.by_session.remove(&session).unwrap_or_default() {
            self.forget(session, box_id);
        }
    }

    /// Sessions that listen to a box, in order.
    pub fn of_box(&self, box_id: u64) -> impl Iterator<Item = u64> + '_ {
        self.by_box.get(&box_id).into_iter().flatten().copied()
    }

    /// How many subscriptions there are.
    pub fn len(&self) -> usize {
        self.by_session.values().map(BTreeSet::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.by_box.is_empty()
    }

    /// Leaves no empty set behind, or ids from outside would make the map grow.
    fn forget(&mut self, session: u64, box_id: u64) {
        if let Some(sessions) = self.by_box.get_mut(&box_id) {
            sessions.remove(&session);
            if sessions.is_empty() {
                self.by_box.remove(&box_id);
            }
        }
    }
}

/// The last so many message ids; the oldest is forgotten first.
#[derive(Debug)]
pub struct Seen {
    order: VecDeque<Hash>,
    ids: HashSet<Hash>,
    max: usize,
}

impl Seen {
    /// Remembers at most `max` ids of 32 bytes, each kept twice.
    pub fn new(max: usize) -> Self {
        Self {
            order: VecDeque::new(),
            ids: HashSet::new(),
            max,
        }
    }

    /// Whether the id is new; it is remembered then.
    pub fn insert(&mut self, id: Hash) -> bool {
        if !self.ids.insert(id) {
            return false;
        }
        self.order.push_back(id);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.ids.remove(&oldest);
        }
        true
    }

    pub fn contains(&self, id: &Hash) -> bool {
        self.ids.contains(id)
    }

    /// Forgets an id, so that a message that was not accepted in the end can be sent again.
    pub fn remove(&mut self, id: &Hash) {
        if self.ids.remove(id) {
            self.order.retain(|other| other != id);
        }
    }
}
