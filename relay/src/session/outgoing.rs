//! The writing half of a session. What is ready goes out together, and nothing is copied on the way.

use std::sync::Arc;

use bytes::Bytes;
use phantasma_net::NetError;
use phantasma_wire::codec::Frame;
use phantasma_wire::relay::{Outcome, RelayError, RelayFrame};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::dedup::Refusal;
use crate::hub::{Cursor, Mailbox};
use crate::intake::Intake;
use crate::session::transport::Sink;

/// Answers, and live messages, sent before the other kinds of things are looked at again, so that none starves.
const ROUND: usize = 64;

/// Bytes of kept messages read from the log at once.
const STORED_BATCH: usize = 256 << 10;

/// A client that does not read stops this task and nothing else.
pub(super) struct Outgoing<S> {
    pub(super) intake: Arc<Intake>,
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) sender: S,
}

impl<S: Sink> Outgoing<S> {
    pub(super) async fn run(
        mut self,
        mut answers: mpsc::Receiver<Bytes>,
        ended: CancellationToken,
    ) {
        let result = self.write_all(&mut answers, &ended).await;
        if let Err(error) = result {
            tracing::debug!(%error, "writing to a client failed");
            return;
        }
        self.sender.end().await;
    }

    async fn write_all(
        &mut self,
        answers: &mut mpsc::Receiver<Bytes>,
        ended: &CancellationToken,
    ) -> Result<(), NetError> {
        let mut frames = Vec::new();
        loop {
            let over = ended.is_cancelled();
            let worked = self.write_some(answers, &mut frames).await?;
            if worked {
                continue;
            }
            if over {
                return Ok(());
            }
            // Most sessions are idle most of the time: they need no room then.
            frames = Vec::new();
            tokio::select! {
                biased;
                Some(frame) = answers.recv() => frames.push(whole(frame)),
                () = self.mailbox.ready() => {}
                () = ended.cancelled() => {}
                () = tokio::time::sleep(S::QUIET) => self.sender.keep_alive().await?,
            }
        }
    }

    /// One round over answers, live and kept messages; false when there was nothing. `frames` may hold what to send
    /// first, and is empty afterwards.
    async fn write_some(
        &mut self,
        answers: &mut mpsc::Receiver<Bytes>,
        frames: &mut Vec<[Bytes; 2]>,
    ) -> Result<bool, NetError> {
        while frames.len() < ROUND
            && let Ok(frame) = answers.try_recv()
        {
            frames.push(whole(frame));
        }
        let live = std::iter::from_fn(|| self.mailbox.pop()).take(ROUND);
        let before = frames.len();
        frames.extend(live.map(whole));
        let delivered = frames.len() - before;
        self.intake.metrics.delivered.inc_by(delivered as u64);
        let mut worked = !frames.is_empty();
        if worked {
            self.sender.send(frames).await?;
            frames.clear();
        }
        if let Some((box_id, cursor)) = self.mailbox.due() {
            self.write_stored(box_id, cursor).await?;
            worked = true;
        }
        Ok(worked)
    }

    /// Sends kept messages of a box from the cursor on, and the answer to the subscription when it is due.
    async fn write_stored(&mut self, box_id: u64, cursor: Cursor) -> Result<(), NetError> {
        let log = &self.intake.log;
        let found = match log.read(box_id, cursor.next, STORED_BATCH).await {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, box_id, "the log could not be read");
                let refusal = Refusal::new(RelayError::Internal, "the relay cannot read its log");
                let last = whole(error_frame(0, refusal).encode());
                self.sender.send(&[last]).await?;
                return Err(NetError::ConnectionLost("the log could not be read".into()));
            }
        };
        let (more, mut reached) = (!found.is_empty(), cursor);
        if let Some((last, _)) = found.last() {
            reached.next = last + 1;
        }
        self.intake.metrics.delivered.inc_by(found.len() as u64);
        let mut frames: Vec<[Bytes; 2]> = found
            .into_iter()
            .map(|(position, message)| [RelayFrame::delivery_head(position), message])
            .collect();
        if let Some((request, head)) = cursor.answer
            && (!more || reached.next > head)
        {
            let outcome = Outcome::Subscribed { position: head };
            frames.push(whole(RelayFrame::Ack { request, outcome }.encode()));
            reached.answer = None;
        }
        self.sender.send(&frames).await?;
        self.mailbox.advance(box_id, cursor, reached, more);
        Ok(())
    }
}

pub(super) fn error_frame(request: u32, refusal: Refusal) -> RelayFrame {
    RelayFrame::Error {
        request,
        error: refusal.error,
        text: refusal.text,
    }
}

/// A frame in one part.
pub(super) fn whole(frame: Bytes) -> [Bytes; 2] {
    [Bytes::new(), frame]
}
