//! What goes out on one link: live messages and requests in a bounded queue, and the own log from where the other wants it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use phantasma_net::{Connection, FrameSender, NetError};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{LinkFrame, Outbox, Pushed};
use tokio::sync::Notify;

use super::Links;
use crate::intake::Intake;

/// What waits for one link at most. Of live messages the oldest give way; a link that does not even take the requests is
/// closed.
const QUEUE_ITEMS: usize = 8192;
const QUEUE_BYTES: usize = 8 << 20;

/// Frames sent before the log is looked at again.
const ROUND: usize = 64;

/// Messages of the log read at once: 4 MiB of the longest.
const LOG_BATCH: usize = 64;

/// The sending side of a link.
#[derive(Debug)]
pub(super) struct Outgo {
    state: Mutex<State>,
    ready: Notify,
    connection: Connection,
}

#[derive(Debug)]
struct State {
    queue: Outbox<Bytes>,
    /// Where the other wants to read from now on.
    asked: Option<Asked>,
}

/// A Follow that has been checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) number: u32,
    pub(super) from: u64,
    pub(super) whole: bool,
}

impl Outgo {
    pub(super) fn new(connection: Connection) -> Self {
        let state = State {
            queue: Outbox::new(QUEUE_ITEMS, QUEUE_BYTES),
            asked: None,
        };
        Self {
            state: Mutex::new(state),
            ready: Notify::new(),
            connection,
        }
    }

    /// Queues a live message or its id; how many were lost for it.
    pub(super) fn live(&self, frame: Bytes) -> usize {
        let len = frame.len();
        let pushed = self.lock().queue.push(frame, len, true);
        self.ready.notify_one();
        match pushed {
            Pushed::Queued { dropped } => dropped,
            Pushed::Dropped | Pushed::Overflow => 1,
        }
    }

    /// Queues what must not be lost.
    pub(super) fn request(&self, frame: &LinkFrame) {
        let frame = frame.encode();
        let len = frame.len();
        let pushed = self.lock().queue.push(frame, len, false);
        self.ready.notify_one();
        match pushed {
            Pushed::Queued { .. } => {}
            Pushed::Dropped | Pushed::Overflow => self.close("too slow"),
        }
    }

    pub(super) fn ask(&self, asked: Asked) {
        self.lock().asked = Some(asked);
        self.ready.notify_one();
    }

    /// The log has something new.
    pub(super) fn wake(&self) {
        self.ready.notify_one();
    }

    pub(super) fn close(&self, reason: &str) {
        self.connection.close(reason);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that sends.
pub(super) struct Writer {
    pub(super) intake: Arc<Intake>,
    pub(super) link: u64,
    pub(super) outgo: Arc<Outgo>,
    pub(super) sender: FrameSender,
}

/// Where the other is in this relay's log.
#[derive(Debug, Clone, Copy)]
struct Serving {
    next: u64,
    /// Up to here it wants whole messages.
    whole: u64,
}

impl Writer {
    /// Until the connection ends.
    pub(super) async fn run(mut self) -> Result<(), NetError> {
        let mut serving = None;
        loop {
            let frames: Vec<[Bytes; 2]> = {
                let mut state = self.outgo.lock();
                let live = std::iter::from_fn(|| state.queue.pop()).take(ROUND);
                live.map(|frame| [Bytes::new(), frame]).collect()
            };
            if !frames.is_empty() {
                self.sender.send_encoded(&frames).await?;
            }
            let asked = self.outgo.lock().asked.take();
            if let Some(asked) = asked {
                serving = Some(self.restart(asked).await?);
            }
            let served = match &mut serving {
                Some(serving) => self.serve(serving).await?,
                None => false,
            };
            if frames.is_empty() && asked.is_none() && !served {
                self.outgo.ready.notified().await;
            }
        }
    }

    async fn restart(&mut self, asked: Asked) -> Result<Serving, NetError> {
        let whole = match asked.whole {
            true => self.intake.log.head(),
            false => 0,
        };
        let number = asked.number;
        self.sender
            .send(&LinkFrame::Restart { number, whole })
            .await?;
        Ok(Serving {
            next: asked.from,
            whole,
        })
    }

    /// Sends the next part of the log; false when there is none.
    async fn serve(&mut self, serving: &mut Serving) -> Result<bool, NetError> {
        if serving.next > self.intake.log.head() {
            return Ok(false);
        }
        let read = self.intake.log.read_all(serving.next, LOG_BATCH).await;
        let found = read.map_err(|error| {
            tracing::error!(%error, "the log could not be read for another relay");
            NetError::ConnectionLost(error.to_string())
        })?;
        let Some((last, _)) = found.last() else {
            return Ok(false);
        };
        let next = last + 1;
        let links = &self.intake.links;
        let frames = found
            .into_iter()
            .filter_map(|(position, bytes)| kept(links, self.link, *serving, position, bytes));
        let frames: Vec<[Bytes; 2]> = frames.collect();
        serving.next = next;
        links.numbers.sent.inc_by(frames.len() as u64);
        self.sender.send_encoded(&frames).await?;
        Ok(true)
    }
}

/// How a kept message goes to the other: whole, as an id, or not at all.
fn kept(
    links: &Links,
    link: u64,
    serving: Serving,
    position: u64,
    bytes: Bytes,
) -> Option<[Bytes; 2]> {
    // What the log holds was a message when it came.
    let message = Message::decode(bytes.clone()).ok()?;
    let (box_id, id) = (message.body.box_id, message.id());
    let whole = links.sends_whole(link, box_id, &id)?;
    if whole || position <= serving.whole {
        return Some([LinkFrame::kept_head(position), bytes]);
    }
    let frame = LinkFrame::KeptId {
        position,
        box_id,
        id,
    };
    Some([Bytes::new(), frame.encode()])
}
