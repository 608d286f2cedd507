//! One client: a task that reads its requests and datagrams, and one that writes to it ([`outgoing`]). What carries it is
//! [`transport`]'s.

mod outgoing;
pub(crate) mod transport;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use phantasma_net::{Connection, NetError};
use phantasma_wire::batch::{Batch, VerifiedRoots};
use phantasma_wire::codec::Frame;
use phantasma_wire::relay::{ClientFrame, Outcome, RelayError, RelayFrame, Since};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::dedup::{self, Pending, Refusal, Verdict};
use crate::hub::{Cursor, Mailbox};
use crate::intake::Intake;
use outgoing::{Outgoing, error_frame, whole};
use transport::{Sink, Source};

/// A client that has not said hello after so long is sent away.
const HELLO: Duration = Duration::from_secs(10);

/// Messages and other requests of one client that are not answered yet: two of the largest batches, so that one is on
/// its way to the disk while the next is checked. More are not read until then: the client's stream fills, and only its
/// own.
const IN_FLIGHT: usize = 2 * phantasma_wire::batch::MAX_BATCH;

/// Batches of one client that are remembered as checked, for messages that come in datagrams: 300 bytes each.
const ROOTS: usize = 16;

/// Messages in datagrams with a wrong signature after which a client is sent away: each costs the relay fifty
/// microseconds, a new handshake costs the client more.
const FORGED: usize = 16;

/// After so long without taking a byte a client is sent away when the relay stops.
const FAREWELL: Duration = Duration::from_secs(2);

/// Runs a session to its end. `stopping` asks for an orderly one: what is in flight is still answered.
pub(crate) async fn run(intake: Arc<Intake>, connection: Connection, stopping: CancellationToken) {
    let peer = hex::encode(connection.peer());
    let address = connection.remote_address();
    let Some((session, mailbox)) = intake.hub.join(Some(connection.clone())) else {
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
    let stream = tokio::time::timeout(HELLO, connection.accept()).await;
    let (sender, receiver) = stream.map_err(|_| no_hello())??;
    let datagrams = read_datagrams(intake, connection);
    converse(
        intake,
        (session, mailbox),
        sender,
        receiver,
        datagrams,
        stopping,
    )
    .await
}

/// Runs a session over something else than QUIC, from its hello on.
pub(crate) async fn run_over(
    intake: &Arc<Intake>,
    sender: impl Sink,
    receiver: impl Source,
    stopping: CancellationToken,
) -> Result<(), NetError> {
    let Some((session, mailbox)) = intake.hub.join(None) else {
        let text = "this relay has as many sessions as it may";
        return Err(NetError::ConnectionLost(text.into()));
    };
    let no_datagrams = std::future::pending();
    let ended = converse(
        intake,
        (session, mailbox),
        sender,
        receiver,
        no_datagrams,
        stopping,
    )
    .await;
    intake.hub.leave(session);
    ended
}

/// Sends what comes to one box, from a position on, until `gone` or `stopping`: a session without requests.
pub(crate) async fn listen(
    intake: &Arc<Intake>,
    sender: impl Sink,
    (box_id, from): (u64, Since),
    gone: impl Future<Output = ()>,
    stopping: CancellationToken,
) -> Result<(), Refusal> {
    let Some((session, mailbox)) = intake.hub.join(None) else {
        let text = "this relay has as many sessions as it may";
        return Err(Refusal::new(RelayError::Limit, text));
    };
    let (answers, to_write) = mpsc::channel(IN_FLIGHT);
    let incoming = Incoming {
        intake: intake.clone(),
        session,
        mailbox: mailbox.clone(),
        answers,
        slots: Arc::new(Semaphore::new(IN_FLIGHT)),
    };
    let subscribed = incoming.subscribe(1, box_id, from).await;
    if subscribed.is_ok() {
        let ended = CancellationToken::new();
        let writer = Outgoing {
            intake: intake.clone(),
            mailbox,
            sender,
        };
        let mut writer = tokio::spawn(writer.run(to_write, ended.clone()));
        tokio::select! {
            () = gone => {}
            () = stopping.cancelled() => {}
            _ = &mut writer => {}
        }
        ended.cancel();
        finish(writer).await;
    }
    intake.hub.leave(session);
    subscribed
}

/// Greets, then answers until the end. `also` is what else comes from the client.
async fn converse<S: Sink, R: Source>(
    intake: &Arc<Intake>,
    (session, mailbox): (u64, Arc<Mailbox>),
    mut sender: S,
    mut receiver: R,
    also: impl Future<Output = Result<(), NetError>>,
    stopping: CancellationToken,
) -> Result<(), NetError> {
    let greeted = greet(intake, &mut sender, &mut receiver);
    let greeted = tokio::time::timeout(HELLO, greeted).await;
    if !greeted.map_err(|_| no_hello())?? {
        return Ok(());
    }
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
        result = also => result,
        _ = &mut writer => Ok(()),
    };
    // Only now may the writer end, after it has sent what is left.
    ended.cancel();
    finish(writer).await;
    result
}

/// Waits a little for what is left to be sent. A task whose end has been seen already must not be asked again.
async fn finish(mut writer: JoinHandle<()>) {
    if !writer.is_finished() && tokio::time::timeout(FAREWELL, &mut writer).await.is_err() {
        writer.abort();
    }
}

fn no_hello() -> NetError {
    NetError::AnswerTimeout {
        seconds: HELLO.as_secs(),
    }
}

/// The first frame decides whether the client belongs here. False when it was sent away.
async fn greet(
    intake: &Intake,
    sender: &mut impl Sink,
    receiver: &mut impl Source,
) -> Result<bool, NetError> {
    let refusal = match receiver.receive().await {
        Ok(Some(ClientFrame::Hello { network, contract })) => {
            intake.chain_id.check(network, &contract).err()
        }
        Ok(Some(_)) => Some(Refusal::new(
            RelayError::Protocol,
            "the first frame must be a hello",
        )),
        Ok(None) => return Ok(false),
        Err(error @ (NetError::Decode(_) | NetError::FrameTooLong { .. })) => {
            Some(Refusal::new(RelayError::Protocol, error.to_string()))
        }
        Err(error) => return Err(error),
    };
    if let Some(refusal) = refusal {
        let last = whole(error_frame(0, refusal).encode());
        sender.send(&[last]).await?;
        sender.end().await;
        return Ok(false);
    }
    let max_payload = u32::try_from(intake.limits.now().max_payload).unwrap_or(u32::MAX);
    let welcome = RelayFrame::Welcome { max_payload };
    sender.send(&[whole(welcome.encode())]).await?;
    Ok(true)
}

/// Takes ephemeral messages that come in datagrams, until the connection ends or the client is not to be borne. What is
/// not understood is dropped: a datagram has no answer.
async fn read_datagrams(intake: &Arc<Intake>, connection: &Connection) -> Result<(), NetError> {
    let mut roots = VerifiedRoots::new(ROOTS);
    let mut forged = 0;
    loop {
        let datagram = connection.receive_datagram().await?;
        let Ok(ClientFrame::Cast { message }) = ClientFrame::decode(datagram) else {
            intake.metrics.refuse(RelayError::Protocol);
            continue;
        };
        if !Box::pin(intake.accept_cast(message, &mut roots)).await {
            forged += 1;
        }
        if forged >= FORGED {
            return Err(NetError::ConnectionLost(format!(
                "{forged} messages with a wrong signature"
            )));
        }
    }
}

/// The reading half.
struct Incoming {
    intake: Arc<Intake>,
    session: u64,
    mailbox: Arc<Mailbox>,
    /// Encoded: so what may wait takes little room while nothing does.
    answers: mpsc::Sender<Bytes>,
    slots: Arc<Semaphore>,
}

impl Incoming {
    /// Reads until the client ends, breaks the protocol, or the relay stops.
    async fn run(
        self,
        mut receiver: impl Source,
        stopping: CancellationToken,
    ) -> Result<(), NetError> {
        loop {
            let frame = tokio::select! {
                frame = receiver.receive() => frame,
                () = stopping.cancelled() => {
                    self.wait_for_answers().await;
                    self.end(Refusal::new(RelayError::Closing, "the relay is stopping")).await;
                    return Ok(());
                }
            };
            match frame {
                // In a place of its own, which is there only while there is a request.
                Ok(Some(frame)) => Box::pin(self.handle(frame)).await,
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
            ClientFrame::Publish { request, message } => {
                let Some(slots) = self.slots(1).await else {
                    return;
                };
                let answer = self.intake.accept(message).await;
                self.answer(request, vec![answer], slots).await;
            }
            ClientFrame::PublishBatch { request, batch } => {
                self.publish_batch(request, batch).await;
            }
            ClientFrame::Cast { message } => {
                // A stream has no other place for them, and one signature each: nothing to remember.
                self.intake
                    .accept_cast(message, &mut VerifiedRoots::new(0))
                    .await;
            }
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
            ClientFrame::Prove { request, position } => {
                let frame = match self.intake.anchors.proof(position) {
                    Ok(proof) => RelayFrame::Proof { request, proof },
                    Err(refusal) => error_frame(request, refusal),
                };
                self.send(frame).await;
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
                self.intake.limits.now().hub.max_subscriptions
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

    async fn publish_batch(&self, request: u32, batch: Batch) {
        let Some(slots) = self.slots(batch.len()).await else {
            return;
        };
        let answers = self.intake.accept_batch(batch).await;
        self.answer(request, answers, slots).await;
    }

    /// Waits until so many requests more may be in flight. `None` when the session is over.
    async fn slots(&self, count: usize) -> Option<OwnedSemaphorePermit> {
        let count = u32::try_from(count).ok()?;
        self.slots.clone().acquire_many_owned(count).await.ok()
    }

    /// Answers requests that are numbered from `request` on. What has its verdict is answered here; for others a task
    /// waits. The slots are given back with the last answer.
    async fn answer(
        &self,
        request: u32,
        answers: Vec<Result<Pending, Refusal>>,
        slots: OwnedSemaphorePermit,
    ) {
        let mut waiting = Vec::new();
        let mut done = Answers::default();
        for (request, answer) in (request..).zip(answers) {
            match answer {
                Ok(Pending::Done(verdict)) => done.add(request, verdict),
                Err(refusal) => done.add(request, Err(refusal)),
                Ok(pending @ Pending::Waiting(_)) => waiting.push((request, pending)),
            }
        }
        for frame in done.into_frames() {
            self.send(frame).await;
        }
        if waiting.is_empty() {
            return;
        }
        let to_writer = self.answers.clone();
        tokio::spawn(async move {
            let mut done = Answers::default();
            for (request, pending) in waiting {
                done.add(request, dedup::verdict(pending).await);
            }
            for frame in done.into_frames() {
                // A client that is gone needs no answer.
                let _ = to_writer.send(frame.encode()).await;
            }
            drop(slots);
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
        let _ = self.answers.send(frame.encode()).await;
    }
}

/// Answers on their way to a client; those that follow each other with one outcome become one frame.
#[derive(Default)]
struct Answers {
    frames: Vec<RelayFrame>,
}

impl Answers {
    fn add(&mut self, request: u32, verdict: Verdict) {
        let outcome = match verdict {
            Ok(outcome) => outcome,
            Err(refusal) => return self.frames.push(error_frame(request, refusal)),
        };
        if let Some(RelayFrame::AckMany {
            request: first,
            count,
            outcome: of_first,
        }) = self.frames.last_mut()
            && first.checked_add(u32::from(*count)) == Some(request)
            && of_first.nth(*count) == outcome
            && *count < u16::MAX
        {
            *count += 1;
            return;
        }
        self.frames.push(RelayFrame::AckMany {
            request,
            count: 1,
            outcome,
        });
    }

    fn into_frames(self) -> impl Iterator<Item = RelayFrame> {
        self.frames.into_iter().map(|frame| match frame {
            RelayFrame::AckMany {
                request,
                count: 1,
                outcome,
            } => RelayFrame::Ack { request, outcome },
            other => other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes of what an async function keeps while it waits.
    fn room<A, B, C, F: Future>(_: impl FnOnce(A, B, C) -> F) -> usize {
        size_of::<F>()
    }

    #[test]
    fn an_idle_session_keeps_little() {
        let reading = room(run);
        let writing = room(
            |outgoing: Outgoing<phantasma_net::FrameSender>, answers, ended| {
                outgoing.run(answers, ended)
            },
        );
        println!("{reading} bytes to read, {writing} to write");
        assert!(reading < 4096 && writing < 4096, "{reading} {writing}");
    }
}
