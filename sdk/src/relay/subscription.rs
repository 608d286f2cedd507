//! What waits for the reader of one subscription.
//!
//! Kept messages come through a channel that, when it is full, makes the relay wait. Live ones lie in a ring in which new
//! ones push out the oldest: a reader who pauses misses them and holds up nothing else.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use phantasma_wire::message::Message;
use phantasma_wire::relay::{Outbox, Pushed};
use tokio::sync::{Notify, mpsc};

use super::{ANSWER, Answer, RelayClientError};

/// Live messages that wait for one reader, and their bytes: at 20,000 messages of 1 KiB a second, 0.2 s of pause.
const LIVE_ITEMS: usize = 4096;
const LIVE_BYTES: usize = 4 << 20;

/// A message whose author's signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where the relay keeps it; 0 when it does not. Subscribing from the next one on misses nothing.
    pub position: u64,
    pub message: Message,
}

/// The messages of one subscription, each with a checked signature: kept ones in order, and the live ones between them as
/// they come.
#[derive(Debug)]
pub struct Messages {
    kept: mpsc::Receiver<Result<Received, RelayClientError>>,
    early: Option<Result<Received, RelayClientError>>,
    live: Arc<Live>,
}

/// The connection's end of a subscription.
#[derive(Debug, Clone)]
pub(super) struct Subscriber {
    kept: mpsc::Sender<Result<Received, RelayClientError>>,
    live: Arc<Live>,
}

#[derive(Debug)]
struct Live {
    ring: Mutex<Ring>,
    ready: Notify,
}

#[derive(Debug)]
struct Ring {
    waiting: Outbox<Received>,
    lost: u64,
}

/// Both ends of a subscription for which at most `kept` kept messages wait.
pub(super) fn new(kept: usize) -> (Subscriber, Messages) {
    let (sender, receiver) = mpsc::channel(kept);
    let ring = Ring {
        waiting: Outbox::new(LIVE_ITEMS, LIVE_BYTES),
        lost: 0,
    };
    let live = Arc::new(Live {
        ring: Mutex::new(ring),
        ready: Notify::new(),
    });
    let subscriber = Subscriber {
        kept: sender,
        live: live.clone(),
    };
    let messages = Messages {
        kept: receiver,
        early: None,
        live,
    };
    (subscriber, messages)
}

impl Messages {
    /// The next message. An error ends the subscription; `None` follows it.
    pub async fn next(&mut self) -> Result<Option<Received>, RelayClientError> {
        if let Some(early) = self.early.take() {
            return early.map(Some);
        }
        loop {
            if let Some(received) = self.live.lock().waiting.pop() {
                return Ok(Some(received));
            }
            tokio::select! {
                kept = self.kept.recv() => return kept.transpose(),
                () = self.live.ready.notified() => {}
            }
        }
    }

    /// Live messages that were lost because they were not taken out in time. What the network or the relay lost is not
    /// among them.
    pub fn lost(&self) -> u64 {
        self.live.lock().lost
    }

    /// Waits for the relay's answer or the first kept message, whichever is first: both say that it has agreed.
    pub(super) async fn agreed(mut self, answer: Answer) -> Result<Self, RelayClientError> {
        tokio::select! {
            biased;
            answer = answer => match answer {
                Ok(answer) => { answer?; }
                Err(_) => return Err(RelayClientError::Disconnected("it ended before an answer".into())),
            },
            early = self.kept.recv() => self.early = early,
            () = tokio::time::sleep(ANSWER) => return Err(RelayClientError::NoAnswer),
        }
        Ok(self)
    }
}

impl Subscriber {
    /// Whether nobody reads it any more.
    pub(super) fn is_closed(&self) -> bool {
        self.kept.is_closed()
    }

    /// Hands over a message; waits only when kept messages are not taken out. A subscription that was dropped may still
    /// get what was under way.
    pub(super) async fn deliver(&self, received: Received) {
        if received.position > 0 {
            let _ = self.kept.send(Ok(received)).await;
            return;
        }
        self.deliver_live(vec![received.message]);
    }

    /// Hands over messages that the relay does not keep.
    pub(super) fn deliver_live(&self, messages: Vec<Message>) {
        let mut ring = self.live.lock();
        for message in messages {
            let bytes = message.encoded_len();
            let received = Received {
                position: 0,
                message,
            };
            let lost = match ring.waiting.push(received, bytes, true) {
                Pushed::Queued { dropped } => dropped,
                Pushed::Dropped | Pushed::Overflow => 1,
            };
            ring.lost += lost as u64;
        }
        drop(ring);
        self.live.ready.notify_one();
    }

    /// Ends the subscription, after what waits there.
    pub(super) async fn fail(&self, error: RelayClientError) {
        let _ = self.kept.send(Err(error)).await;
    }
}

impl Live {
    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
