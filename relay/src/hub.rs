//! Who listens to what, and what waits for each reader.
//!
//! Two kinds of things wait for a reader. Ephemeral messages go straight into the connection's datagrams; what does not
//! fit one lies in a bounded queue. In both, new messages push out the oldest, and all readers share one encoding.
//! Of kept messages nothing lies in memory at all: a reader has a *cursor* into the log for each box, so it can be as
//! slow as it likes, loses none, and costs 40 bytes a box.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use phantasma_net::{Connection, Offered};
use phantasma_wire::relay::{Outbox, Pushed, Subscriptions};
use tokio::sync::Notify;

use crate::parcel::Parcel;

/// How a live message reaches its readers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// In a QUIC datagram if it fits, else as below.
    Datagram,
    /// On the client's stream, behind what waits there.
    Stream,
}

/// Bounds of what waits. Memory in the worst case: sessions × (`queue_bytes` and the connection's datagrams).
#[derive(Debug, Clone, Copy)]
pub struct HubLimits {
    pub max_sessions: usize,
    pub max_subscriptions: usize,
    pub queue_items: usize,
    pub queue_bytes: usize,
}

/// All sessions of a relay.
#[derive(Debug)]
pub struct Hub {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    limits: HubLimits,
    subscriptions: Subscriptions,
    mailboxes: HashMap<u64, Arc<Mailbox>>,
    next_session: u64,
}

/// What came of handing a message to everybody who listens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Delivered {
    /// Listening sessions.
    pub subscribers: u32,
    /// Copies that have left in datagrams; the others wait in queues.
    pub datagrams: usize,
    /// Messages (these or older ones) that slow readers lost.
    pub dropped: usize,
}

impl Hub {
    pub fn new(limits: HubLimits) -> Self {
        let inner = Inner {
            limits,
            subscriptions: Subscriptions::new(limits.max_subscriptions),
            mailboxes: HashMap::new(),
            next_session: 1,
        };
        Self {
            inner: Mutex::new(inner),
        }
    }

    /// From now on other bounds: of queues for new sessions, of the rest for all. Nobody is sent away.
    pub fn set_limits(&self, limits: HubLimits) {
        let mut inner = self.lock();
        inner.limits = limits;
        inner
            .subscriptions
            .set_max_per_session(limits.max_subscriptions);
    }

    /// A new session, whose datagrams go over `connection`; `None` when there are as many as there may be.
    pub fn join(&self, connection: Option<Connection>) -> Option<(u64, Arc<Mailbox>)> {
        let mut inner = self.lock();
        if inner.mailboxes.len() >= inner.limits.max_sessions {
            return None;
        }
        let session = inner.next_session;
        inner.next_session += 1;
        let mailbox = Arc::new(Mailbox::new(
            inner.limits.queue_items,
            inner.limits.queue_bytes,
            connection,
        ));
        inner.mailboxes.insert(session, mailbox.clone());
        Some((session, mailbox))
    }

    pub fn leave(&self, session: u64) {
        let mut inner = self.lock();
        inner.subscriptions.remove_session(session);
        inner.mailboxes.remove(&session);
    }

    /// False when the session listens to as many boxes as it may.
    pub fn subscribe(&self, session: u64, box_id: u64) -> bool {
        self.lock().subscriptions.add(session, box_id)
    }

    pub fn unsubscribe(&self, session: u64, box_id: u64) {
        let mut inner = self.lock();
        inner.subscriptions.remove(session, box_id);
        if let Some(mailbox) = inner.mailboxes.get(&session) {
            mailbox.lock().cursors.remove(&box_id);
        }
    }

    /// Hands live messages to everybody who listens to the box, in order. Never waits.
    pub fn deliver(&self, box_id: u64, parcel: &Parcel, way: Way) -> Delivered {
        // Sending takes longer than looking them up: others may come and go meanwhile.
        let readers: Vec<_> = self.lock().of_box(box_id).cloned().collect();
        let mut delivered = Delivered {
            subscribers: u32::try_from(readers.len()).unwrap_or(u32::MAX),
            ..Delivered::default()
        };
        for mailbox in readers {
            let (sent, dropped) = mailbox.hand(parcel, way);
            delivered.datagrams += sent;
            delivered.dropped += dropped;
        }
        delivered
    }

    /// Wakes everybody who listens to one of these boxes: the log has new messages of them.
    pub fn committed(&self, boxes: &[u64]) {
        let inner = self.lock();
        for box_id in boxes {
            for mailbox in inner.of_box(*box_id) {
                mailbox.wake(*box_id);
            }
        }
    }

    /// Sessions and subscriptions, for metrics.
    pub fn counts(&self) -> (usize, usize) {
        let inner = self.lock();
        (inner.mailboxes.len(), inner.subscriptions.len())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn of_box(&self, box_id: u64) -> impl Iterator<Item = &Arc<Mailbox>> {
        self.subscriptions
            .of_box(box_id)
            .filter_map(|session| self.mailboxes.get(&session))
    }
}

/// What waits for one reader.
#[derive(Debug)]
pub struct Mailbox {
    state: Mutex<State>,
    ready: Notify,
    connection: Option<Connection>,
}

#[derive(Debug)]
struct State {
    live: Outbox<Bytes>,
    cursors: BTreeMap<u64, Cursor>,
    /// Boxes whose cursor may have something in front of it.
    due: BTreeSet<u64>,
}

/// How far a reader is in the kept messages of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Position of the next message to send.
    pub next: u64,
    /// A subscription that is answered once everything up to this position has been sent: request and position.
    pub answer: Option<(u32, u64)>,
}

impl Mailbox {
    fn new(items: usize, bytes: usize, connection: Option<Connection>) -> Self {
        let state = State {
            live: Outbox::new(items, bytes),
            cursors: BTreeMap::new(),
            due: BTreeSet::new(),
        };
        Self {
            state: Mutex::new(state),
            ready: Notify::new(),
            connection,
        }
    }

    /// Starts to read a box's kept messages at `cursor.next`.
    pub fn start(&self, box_id: u64, cursor: Cursor) {
        let mut state = self.lock();
        state.cursors.insert(box_id, cursor);
        state.due.insert(box_id);
        self.ready.notify_one();
    }

    /// Waits until something may be there.
    pub async fn ready(&self) {
        self.ready.notified().await;
    }

    /// The oldest live message.
    pub fn pop(&self) -> Option<Bytes> {
        self.lock().live.pop()
    }

    /// A box whose kept messages have to be looked at, and how far the reader is there.
    pub fn due(&self) -> Option<(u64, Cursor)> {
        let mut state = self.lock();
        loop {
            let box_id = state.due.pop_first()?;
            if let Some(cursor) = state.cursors.get(&box_id) {
                return Some((box_id, *cursor));
            }
        }
    }

    /// Moves the reader from `from` to `to`, unless it has been set to somewhere else meanwhile. `more` looks again.
    pub fn advance(&self, box_id: u64, from: Cursor, to: Cursor, more: bool) {
        let mut state = self.lock();
        if let Some(cursor) = state.cursors.get_mut(&box_id)
            && *cursor == from
        {
            *cursor = to;
            if more {
                state.due.insert(box_id);
            }
        }
    }

    /// Sends or queues live messages: how many left in datagrams, and how many were lost for them.
    fn hand(&self, parcel: &Parcel, way: Way) -> (usize, usize) {
        let datagrams = match way {
            Way::Datagram => self.connection.as_ref(),
            Way::Stream => None,
        };
        let path = datagrams.and_then(|connection| Some((connection, connection.max_datagram()?)));
        let (mut sent, mut dropped) = (0, 0);
        let Some((connection, max)) = path else {
            for frame in parcel.alone() {
                dropped += self.push(frame.clone());
            }
            return (sent, dropped);
        };
        for packed in parcel.datagrams(max).iter() {
            match connection.offer_datagram(&packed.frame) {
                Offered::Queued => sent += packed.count,
                Offered::QueuedForOlder => {
                    sent += packed.count;
                    dropped += packed.count;
                }
                Offered::Lost => dropped += packed.count,
                Offered::DoesNotFit => {
                    let frames = parcel.alone().iter().skip(packed.first);
                    for frame in frames.take(packed.count) {
                        dropped += self.push(frame.clone());
                    }
                }
            }
        }
        (sent, dropped)
    }

    /// Adds a live message; how many were lost for it.
    fn push(&self, frame: Bytes) -> usize {
        let bytes = frame.len();
        let pushed = self.lock().live.push(frame, bytes, true);
        self.ready.notify_one();
        match pushed {
            Pushed::Queued { dropped } => dropped,
            Pushed::Dropped | Pushed::Overflow => 1,
        }
    }

    fn wake(&self, box_id: u64) {
        self.lock().due.insert(box_id);
        self.ready.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use phantasma_wire::message::{Class, Unsigned};

    use super::*;

    const LIMITS: HubLimits = HubLimits {
        max_sessions: 3,
        max_subscriptions: 2,
        queue_items: 4,
        queue_bytes: 1000,
    };

    fn parcel(sequence: u64) -> Parcel {
        let body = Unsigned {
            network: 1,
            contract: [2; 20],
            author: [3; 33],
            box_id: 7,
            sequence,
            time_ms: 5,
            class: Class::Ephemeral,
            payload: Bytes::from_static(b"x"),
        };
        Parcel::new(vec![body.sign(|_| [0; 64]).unwrap()])
    }

    fn frame(sequence: u64) -> Bytes {
        parcel(sequence).alone()[0].clone()
    }

    #[test]
    fn a_message_goes_to_those_who_listen_to_its_box_only() {
        let hub = Hub::new(LIMITS);
        let (one, first) = hub.join(None).unwrap();
        let (two, second) = hub.join(None).unwrap();
        assert!(hub.subscribe(one, 7) && hub.subscribe(two, 8));
        assert_eq!(
            hub.deliver(7, &parcel(1), Way::Datagram),
            Delivered {
                subscribers: 1,
                datagrams: 0,
                dropped: 0
            }
        );
        assert_eq!(
            (first.pop(), first.pop(), second.pop()),
            (Some(frame(1)), None, None)
        );
        hub.leave(one);
        assert_eq!(hub.deliver(7, &parcel(1), Way::Datagram).subscribers, 0);
    }

    #[test]
    fn a_reader_that_does_not_read_loses_its_oldest_and_costs_the_others_nothing() {
        let hub = Hub::new(LIMITS);
        let (slow, slow_box) = hub.join(None).unwrap();
        let (quick, quick_box) = hub.join(None).unwrap();
        assert!(hub.subscribe(slow, 7) && hub.subscribe(quick, 7));
        let mut dropped = 0;
        for byte in 0..10 {
            dropped += hub.deliver(7, &parcel(byte), Way::Stream).dropped;
            assert_eq!(quick_box.pop(), Some(frame(byte)));
        }
        let kept: Vec<_> = std::iter::from_fn(|| slow_box.pop()).collect();
        assert_eq!((dropped, kept), (6, (6..10).map(frame).collect()));
    }

    #[test]
    fn sessions_and_subscriptions_are_bounded() {
        let hub = Hub::new(LIMITS);
        let (session, _) = hub.join(None).unwrap();
        assert!(
            hub.subscribe(session, 1) && hub.subscribe(session, 2) && !hub.subscribe(session, 3)
        );
        hub.join(None).unwrap();
        hub.join(None).unwrap();
        assert!(hub.join(None).is_none());
        hub.leave(session);
        let (session, _) = hub.join(None).unwrap();
        hub.set_limits(HubLimits {
            max_sessions: 4,
            max_subscriptions: 3,
            ..LIMITS
        });
        assert!(hub.join(None).is_some() && hub.join(None).is_none());
        assert!((1..4).all(|box_id| hub.subscribe(session, box_id)));
        assert!(!hub.subscribe(session, 4));
    }

    #[test]
    fn a_commit_wakes_the_cursors_of_its_boxes_once() {
        let hub = Hub::new(LIMITS);
        let (session, mailbox) = hub.join(None).unwrap();
        assert!(hub.subscribe(session, 7));
        let cursor = Cursor {
            next: 5,
            answer: None,
        };
        mailbox.start(7, cursor);
        assert_eq!(mailbox.due(), Some((7, cursor)));
        hub.committed(&[7, 8]);
        hub.committed(&[7]);
        assert_eq!((mailbox.due(), mailbox.due()), (Some((7, cursor)), None));
        hub.committed(&[7]);
        hub.unsubscribe(session, 7);
        assert_eq!(mailbox.due(), None);
    }

    #[test]
    fn a_cursor_that_was_set_anew_is_not_moved_by_an_older_read() {
        let hub = Hub::new(LIMITS);
        let (session, mailbox) = hub.join(None).unwrap();
        assert!(hub.subscribe(session, 7));
        let (old, new) = (
            Cursor {
                next: 50,
                answer: None,
            },
            Cursor {
                next: 1,
                answer: Some((3, 60)),
            },
        );
        mailbox.start(7, old);
        mailbox.start(7, new);
        mailbox.advance(
            7,
            old,
            Cursor {
                next: 51,
                answer: None,
            },
            false,
        );
        assert_eq!(mailbox.due(), Some((7, new)));
    }
}
