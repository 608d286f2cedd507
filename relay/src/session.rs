//! One client: a task that reads its requests and one that writes to it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use phantasma_net::{Connection, FrameReceiver, FrameSender, NetError};
use phantasma_wire::codec::{DecodeError, Frame, Reader, Writer};
use phantasma_wire::relay::{ClientFrame, Outcome, RelayError, RelayFrame, Since};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use crate::dedup::{self, Pending, Refusal};
use crate::hub::{Cursor, Mailbox};
use crate::intake::{Intake, deliver_frame};

/// A client that has not said hello after so long is sent away.
const HELLO: Duration = Duration::from_secs(10);

/// Requests of one client that are not answered yet. More are not read until then: the client's stream fills, and only
/// its own.
const IN_FLIGHT: usize = 64;

/// Live messages sent before answers and kept messages are looked at again, so that none of the three starves.
const LIVE_BATCH: usize = 32;

/// Bytes of kept messages read from the log at once.
const STORED_BATCH: usize = 256 << 10;

/// After so long without taking a byte a client is sent away when the relay stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a session to its end. `stopping` asks for an orderly one: what is in flight is still answered.
pub(crate) async fn run(intake: Arc<Intake>, connection: Connection, stopping: CancellationToken) {
    let peer = hex::encode(connection.peer());
    let address = connection.remote_address();
    let Some((session, mailbox)) = intake.hub.join() else {
        connection.close("this relay has as many sessions as it may");
        return;
    };
    tracing::debug!(session, %peer, %address, "session begins");
    let ended = serve(&intake, &connection, session, mailbox, stopping).await;
    intake.hub.leave(session);
    match ended {
        Ok(()) => tracing::debug!(session, "session ends"),
        Err(error) => tracing::debug!(session, %error, "session ends"),
    }
    connection.close("the session has ended");
}

async fn serve(
    intake: &Arc<Intake>,
    connection: &Connection,
    session: u64,
    mailbox: Arc<Mailbox>,
    stopping: CancellationToken,
) -> Result<(), NetError> {
    let greeted = tokio::time::timeout(HELLO, greet(intake, connection)).await;
    let Some((sender, receiver)) = greeted.map_err(|_| NetError::AnswerTimeout {
        seconds: HELLO.as_secs(),
    })??
    else {
        return Ok(());
    };
    let (answers, to_write) = mpsc::channel(IN_FLIGHT);
    let ended = CancellationToken::new();
    let writer = Outgoing {
        intake: intake.clone(),
        mailbox: mailbox.clone(),
        sender,
    };
    let mut writer = tokio::spawn(writer.run(to_write, ended.clone()));
    let incoming = Incoming {
        intake: intake.clone(),
        session,
        mailbox,
        answers,
        slots: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    let result = tokio::select! {
        result = incoming.run(receiver, stopping) => result,
        _ = &mut writer => Ok(()),
    };
    // Only now may the writer end, after it has sent what is left.
    ended.cancel();
    if tokio::time::timeout(FAREWELL, &mut writer).await.is_err() {
        writer.abort();
    }
    result
}

/// The first frame decides whether the client belongs here. `None` when it was sent away.
async fn greet(
    intake: &Intake,
    connection: &Connection,
) -> Result<Option<(FrameSender, FrameReceiver)>, NetError> {
    let (mut sender, mut receiver) = connection.accept().await?;
    let refusal = match receiver.receive::<ClientFrame>().await {
        Ok(Some(ClientFrame::Hello { network, contract })) => {
            intake.chain_id.check(network, &contract).err()
        }
        Ok(Some(_)) => Some(Refusal::new(
            RelayError::Protocol,
            "the first frame must be a hello",
        )),
        Ok(None) => return Ok(None),
        Err(error @ (NetError::Decode(_) | NetError::FrameTooLong { .. })) => {
            Some(Refusal::new(RelayError::Protocol, error.to_string()))
        }
        Err(error) => return Err(error),
    };
    if let Some(refusal) = refusal {
        sender.send(&error_frame(0, refusal)).await?;
        sender.finish()?;
        sender.flushed().await;
        return Ok(None);
    }
    let max_payload = u32::try_from(intake.limits.max_payload).unwrap_or(u32::MAX);
    sender.send(&RelayFrame::Welcome { max_payload }).await?;
    Ok(Some((sender, receiver)))
}

/// The reading half.
struct Incoming {
    intake: Arc<Intake>,
    session: u64,
    mailbox: Arc<Mailbox>,
    answers: mpsc::Sender<RelayFrame>,
    slots: Arc<Semaphore>,
}

impl Incoming {
    /// Reads until the client ends, breaks the protocol, or the relay stops.
    async fn run(
        self,
        mut receiver: FrameReceiver,
        stopping: CancellationToken,
    ) -> Result<(), NetError> {
        loop {
            let frame = tokio::select! {
                frame = receiver.receive::<ClientFrame>() => frame,
                () = stopping.cancelled() => {
                    self.wait_for_answers().await;
                    self.end(Refusal::new(RelayError::Closing, "the relay is stopping")).await;
                    return Ok(());
                }
            };
            match frame {
                Ok(Some(frame)) => self.handle(frame).await,
                Ok(None) => {
                    self.wait_for_answers().await;
                    return Ok(());
                }
                Err(error) => {
                    if matches!(error, NetError::Decode(_) | NetError::FrameTooLong { .. }) {
                        self.end(Refusal::new(RelayError::Protocol, error.to_string()))
                            .await;
                    }
                    return Err(error);
                }
            }
        }
    }

    async fn handle(&self, frame: ClientFrame) {
        match frame {
            ClientFrame::Publish { request, message } => match self.intake.accept(message).await {
                Ok(pending) => self.answer_later(request, pending).await,
                Err(refusal) => self.send(error_frame(request, refusal)).await,
            },
            ClientFrame::Subscribe {
                request,
                box_id,
                from,
            } => {
                if let Err(refusal) = self.subscribe(request, box_id, from).await {
                    self.intake.metrics.refuse(refusal.error);
                    self.send(error_frame(request, refusal)).await;
                }
            }
            ClientFrame::Unsubscribe { request, box_id } => {
                self.intake.hub.unsubscribe(self.session, box_id);
                self.send(RelayFrame::Ack {
                    request,
                    outcome: Outcome::Unsubscribed,
                })
                .await;
            }
            ClientFrame::Ping { nonce } => self.send(RelayFrame::Pong { nonce }).await,
            ClientFrame::Hello { .. } => {
                self.end(Refusal::new(RelayError::Protocol, "a second hello"))
                    .await;
            }
        }
    }

    /// The writer answers once everything kept so far has been sent.
    async fn subscribe(&self, request: u32, box_id: u64, from: Since) -> Result<(), Refusal> {
        self.intake.check_box(box_id).await?;
        let hub = &self.intake.hub;
        if !hub.subscribe(self.session, box_id) {
            let text = format!(
                "a session may listen to {} boxes",
                self.intake.limits.hub.max_subscriptions
            );
            return Err(Refusal::new(RelayError::Limit, text));
        }
        // Asked after the subscription, so that nothing falls between history and live messages.
        let head = self.intake.log.head();
        let next = match from {
            Since::Now => head + 1,
            Since::Position(position) => position.max(1),
        };
        self.mailbox.start(
            box_id,
            Cursor {
                next,
                answer: Some((request, head)),
            },
        );
        Ok(())
    }

    /// Waits for the verdict in a task of its own; only the number of those is waited for here.
    async fn answer_later(&self, request: u32, pending: Pending) {
        let Ok(slot) = self.slots.clone().acquire_owned().await else {
            return;
        };
        let answers = self.answers.clone();
        tokio::spawn(async move {
            let frame = match dedup::verdict(pending).await {
                Ok(outcome) => RelayFrame::Ack { request, outcome },
                Err(refusal) => error_frame(request, refusal),
            };
            // A client that is gone needs no answer.
            let _ = answers.send(frame).await;
            drop(slot);
        });
    }

    async fn wait_for_answers(&self) {
        let all = u32::try_from(IN_FLIGHT).unwrap_or(u32::MAX);
        let _ = self.slots.acquire_many(all).await;
    }

    async fn end(&self, refusal: Refusal) {
        self.send(error_frame(0, refusal)).await;
    }

    async fn send(&self, frame: RelayFrame) {
        // The writer is gone only when the connection is.
        let _ = self.answers.send(frame).await;
    }
}

/// The writing half. A client that does not read stops this task and nothing else.
struct Outgoing {
    intake: Arc<Intake>,
    mailbox: Arc<Mailbox>,
    sender: FrameSender,
}

impl Outgoing {
    async fn run(mut self, mut answers: mpsc::Receiver<RelayFrame>, ended: CancellationToken) {
        let result = self.write_all(&mut answers, &ended).await;
        if let Err(error) = result {
            tracing::debug!(%error, "writing to a client failed");
            return;
        }
        if self.sender.finish().is_ok() {
            self.sender.flushed().await;
        }
    }

    async fn write_all(
        &mut self,
        answers: &mut mpsc::Receiver<RelayFrame>,
        ended: &CancellationToken,
    ) -> Result<(), NetError> {
        loop {
            let worked = self.write_some(answers).await?;
            if worked {
                continue;
            }
            if ended.is_cancelled() {
                // What was answered between the last look and the end.
                while let Ok(frame) = answers.try_recv() {
                    self.sender.send(&frame).await?;
                }
                return Ok(());
            }
            tokio::select! {
                biased;
                Some(frame) = answers.recv() => self.sender.send(&frame).await?,
                () = self.mailbox.ready() => {}
                () = ended.cancelled() => {}
            }
        }
    }

    /// One round over answers, live and kept messages; false when there was nothing.
    async fn write_some(
        &mut self,
        answers: &mut mpsc::Receiver<RelayFrame>,
    ) -> Result<bool, NetError> {
        let mut worked = false;
        while let Ok(frame) = answers.try_recv() {
            self.sender.send(&frame).await?;
            worked = true;
        }
        for _ in 0..LIVE_BATCH {
            let Some(frame) = self.mailbox.pop() else {
                break;
            };
            self.sender.send(&Encoded(frame)).await?;
            self.intake.metrics.delivered.inc();
            worked = true;
        }
        if let Some((box_id, cursor)) = self.mailbox.due() {
            self.write_stored(box_id, cursor).await?;
            worked = true;
        }
        Ok(worked)
    }

    /// Sends kept messages of a box from the cursor on, and the answer to the subscription when it is due.
    async fn write_stored(&mut self, box_id: u64, cursor: Cursor) -> Result<(), NetError> {
        let found = match self
            .intake
            .log
            .read(box_id, cursor.next, STORED_BATCH)
            .await
        {
            Ok(found) => found,
            Err(error) => {
                tracing::error!(%error, box_id, "the log could not be read");
                let refusal = Refusal::new(RelayError::Internal, "the relay cannot read its log");
                self.sender.send(&error_frame(0, refusal)).await?;
                return Err(NetError::ConnectionLost("the log could not be read".into()));
            }
        };
        let mut reached = cursor;
        for (position, message) in &found {
            self.sender
                .send(&Encoded(deliver_frame(*position, message)))
                .await?;
            self.intake.metrics.delivered.inc();
            reached.next = position + 1;
        }
        if let Some((request, head)) = cursor.answer
            && (found.is_empty() || reached.next > head)
        {
            let outcome = Outcome::Subscribed { position: head };
            self.sender
                .send(&RelayFrame::Ack { request, outcome })
                .await?;
            reached.answer = None;
        }
        self.mailbox
            .advance(box_id, cursor, reached, !found.is_empty());
        Ok(())
    }
}

fn error_frame(request: u32, refusal: Refusal) -> RelayFrame {
    RelayFrame::Error {
        request,
        error: refusal.error,
        text: refusal.text,
    }
}

/// A relay frame that was encoded before, for many readers at once.
struct Encoded(Bytes);

impl Frame for Encoded {
    const MAX_LEN: usize = RelayFrame::MAX_LEN;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.0);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Self(from.rest()))
    }

    fn encode(&self) -> Bytes {
        self.0.clone()
    }
}
