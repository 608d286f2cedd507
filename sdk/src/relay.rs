//! Publish and subscribe at a relay.
//!
//! A relay can hold messages back; it can neither forge nor change them: every received message's signature, chain and
//! box are checked again here, and the relay itself is known by its Neo key.
//!
//! ```no_run
//! use phantasma_net::Identity;
//! use phantasma_sdk::relay::{ChainId, RelayClient};
//! use phantasma_wire::relay::Since;
//! # async fn example(key: [u8; 33], chain: ChainId) -> Result<(), phantasma_sdk::relay::RelayClientError> {
//! let address = "127.0.0.1:20420".parse().unwrap();
//! let client = RelayClient::connect(address, &Identity::random()?, Some(key), chain).await?;
//! let mut letters = client.subscribe(7, Since::Position(1)).await?;
//! while let Some(letter) = letters.next().await? {
//!     println!("{}: {} bytes", letter.position, letter.message.body.payload.len());
//! }
//! # Ok(()) }
//! ```

mod anchored;
mod lasting;
mod subscription;

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phantasma_net::{
    Connection, Endpoint, FrameReceiver, FrameSender, Identity, NetError, Offered, Protocol,
    verify_signature,
};
use phantasma_wire::PublicKey;
use phantasma_wire::batch::{Batch, Group, VerifiedRoots};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{ClientFrame, RelayFrame};
use tokio::sync::{mpsc, oneshot};

pub use anchored::{AnchorCheckError, check_anchor};
pub use lasting::{Lasting, RelayAddress};
pub use phantasma_wire::relay::{AnchorProof, Outcome, RelayError, Since};
use subscription::Subscriber;
pub use subscription::{Messages, Received};

/// A write to the chain takes a block and the relay's own patience of two minutes; everything else is quick.
const ANSWER: Duration = Duration::from_secs(150);

/// A relay that was killed says no goodbye. A client asks for a sign of life so often, and takes a relay for gone that
/// has given none for the longer time: three lost packets are none.
const KEEP_ALIVE: Duration = Duration::from_millis(1200);
const SILENCE: Duration = Duration::from_secs(5);

/// Requests that wait to be sent, and kept messages that wait for the reader of one subscription. When those are full
/// nothing more is read from the stream. Worst case 256 × 60 KiB = 15 MiB a subscription.
const WAITING: usize = 256;

/// Batches that are remembered as checked: 300 bytes each, of as many authors as may write at the same time.
const ROOTS: usize = 1024;

/// Unanswered requests from which on abandoned ones are looked for.
const SWEEP: usize = 1024;

/// What a relay does that passes on a message without checking it.
const UNSIGNED: RelayClientError =
    RelayClientError::Misbehaved("a message that its author did not sign");

/// A proof where an outcome is due, or the other way round.
const OTHER_ANSWER: RelayClientError =
    RelayClientError::Misbehaved("an answer to something else than was asked");

/// Where the answer to a request comes.
type Answer = oneshot::Receiver<Result<Reply, RelayClientError>>;

/// What a request is answered with.
#[derive(Debug)]
enum Reply {
    Outcome(Outcome),
    Proof(Box<AnchorProof>),
}

/// How long the relay may take to hear of the end.
const GOODBYE: Duration = Duration::from_secs(2);

/// Which contract on which chain; a relay of another one refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainId {
    /// Network magic.
    pub network: u32,
    /// Script order.
    pub contract: [u8; 20],
}

/// Why something did not work at the relay.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RelayClientError {
    /// The relay said no; `error` is its kind, for programs.
    #[error("the relay refuses ({}): {text}", error.name())]
    Refused { error: RelayError, text: String },
    #[error(
        "the connection to the relay is gone: {0}; connect again, and subscribe from the last position"
    )]
    Disconnected(String),
    #[error("the relay did not answer within {} s", ANSWER.as_secs())]
    NoAnswer,
    /// The relay is broken or lies: leave it.
    #[error("the relay sent {0}")]
    Misbehaved(&'static str),
    #[error(transparent)]
    Net(Arc<NetError>),
    #[error("box {0} already has a subscription on this connection")]
    AlreadySubscribed(u64),
}

impl From<NetError> for RelayClientError {
    fn from(error: NetError) -> Self {
        Self::Net(Arc::new(error))
    }
}

/// A connection to one relay. It and its subscriptions end when it is dropped.
#[derive(Debug)]
pub struct RelayClient {
    endpoint: Endpoint,
    connection: Connection,
    shared: Arc<Shared>,
    to_send: mpsc::Sender<ClientFrame>,
    max_payload: u32,
}

/// What the reading task and the callers share.
#[derive(Debug)]
struct Shared {
    chain: ChainId,
    state: Mutex<State>,
    /// Batches whose signature has been checked.
    roots: Mutex<VerifiedRoots>,
}

#[derive(Debug, Default)]
struct State {
    next_request: u32,
    requests: HashMap<u32, oneshot::Sender<Result<Reply, RelayClientError>>>,
    /// With so many requests those are swept out that nobody waits for any more.
    sweep_at: usize,
    boxes: HashMap<u64, Subscriber>,
    /// Set once; everything fails with it from then on.
    ended: Option<RelayClientError>,
}

impl RelayClient {
    /// Connects under `identity`. With `expected`, a relay that proves another key gets nothing.
    pub async fn connect(
        address: SocketAddr,
        identity: &Identity,
        expected: Option<PublicKey>,
        chain: ChainId,
    ) -> Result<Self, RelayClientError> {
        let any: SocketAddr = match address {
            SocketAddr::V4(_) => (Ipv4Addr::UNSPECIFIED, 0).into(),
            SocketAddr::V6(_) => (Ipv6Addr::UNSPECIFIED, 0).into(),
        };
        let endpoint = Endpoint::bind(any, identity, protocol())?;
        let connection = endpoint.connect(address, expected).await?;
        let (mut sender, mut receiver) = connection.open().await?;
        sender
            .send(&ClientFrame::Hello {
                network: chain.network,
                contract: chain.contract,
            })
            .await?;
        let max_payload = match tokio::time::timeout(ANSWER, receiver.receive()).await {
            Ok(Ok(Some(RelayFrame::Welcome { max_payload }))) => max_payload,
            Ok(Ok(Some(RelayFrame::Error { error, text, .. }))) => {
                return Err(RelayClientError::Refused { error, text });
            }
            Ok(Ok(Some(_))) => return Err(RelayClientError::Misbehaved("no welcome")),
            Ok(Ok(None)) => {
                return Err(RelayClientError::Disconnected(
                    "it ended before a welcome".into(),
                ));
            }
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => return Err(RelayClientError::NoAnswer),
        };
        let shared = Arc::new(Shared {
            chain,
            state: Mutex::default(),
            roots: Mutex::new(VerifiedRoots::new(ROOTS)),
        });
        let (to_send, frames) = mpsc::channel(WAITING);
        tokio::spawn(write(sender, frames));
        tokio::spawn(read(shared.clone(), receiver, to_send.downgrade()));
        tokio::spawn(read_datagrams(shared.clone(), connection.clone()));
        Ok(Self {
            endpoint,
            connection,
            shared,
            to_send,
            max_payload,
        })
    }

    /// The relay's Neo key.
    pub fn relay_key(&self) -> PublicKey {
        self.connection.peer()
    }

    /// The longest payload that this relay takes.
    pub fn max_payload(&self) -> u32 {
        self.max_payload
    }

    /// Publishes a signed message, and waits until it is where its class wants it: handed to subscribers, on the
    /// relay's disk, or in a block.
    pub async fn publish(&self, message: Message) -> Result<Outcome, RelayClientError> {
        self.request(|request| ClientFrame::Publish { request, message })
            .await
    }

    /// Publishes messages under one signature; each has its own outcome, in their order. This is how to publish much: a
    /// signature costs the relay and every subscriber as much as dozens of messages.
    pub async fn publish_batch(
        &self,
        batch: Batch,
    ) -> Result<Vec<Result<Outcome, RelayClientError>>, RelayClientError> {
        let count = batch.len();
        let answers = self
            .ask_many(count, |request| ClientFrame::PublishBatch {
                request,
                batch,
            })
            .await?;
        let mut outcomes = Vec::with_capacity(count);
        for answer in answers {
            outcomes.push(self.outcome(answer).await);
        }
        Ok(outcomes)
    }

    /// Sends an ephemeral message and does not wait for an answer: in a datagram, which may be lost, or on the stream
    /// when it is too long for one.
    pub async fn cast(&self, message: Message) -> Result<(), RelayClientError> {
        let frame = ClientFrame::Cast { message };
        match self.connection.offer_datagram(&frame.encode()) {
            Offered::Queued | Offered::QueuedForOlder => Ok(()),
            Offered::Lost => Err(self.shared.end()),
            Offered::DoesNotFit => {
                let sent = self.to_send.send(frame).await;
                sent.map_err(|_| self.shared.end())
            }
        }
    }

    /// Listens to a box: first kept messages if `since` asks for them, then what arrives. One subscription a box and
    /// connection.
    pub async fn subscribe(&self, box_id: u64, since: Since) -> Result<Messages, RelayClientError> {
        let (subscriber, messages) = subscription::new(WAITING);
        {
            let mut state = self.shared.lock();
            if state.boxes.get(&box_id).is_some_and(|old| !old.is_closed()) {
                return Err(RelayClientError::AlreadySubscribed(box_id));
            }
            state.boxes.insert(box_id, subscriber);
        }
        // Kept messages come before the answer, so the subscription is usable as soon as the request is on its way.
        let answer = self
            .ask(|request| ClientFrame::Subscribe {
                request,
                box_id,
                from: since,
            })
            .await?;
        messages.agreed(answer).await.inspect_err(|_| {
            self.shared.lock().boxes.remove(&box_id);
        })
    }

    /// How the message that the relay keeps at this position leads to an anchor on the chain, for [`check_anchor`].
    pub async fn prove(&self, position: u64) -> Result<AnchorProof, RelayClientError> {
        let answer = self
            .ask(|request| ClientFrame::Prove { request, position })
            .await?;
        match self.reply(answer).await? {
            Reply::Proof(proof) if proof.position == position => Ok(*proof),
            Reply::Proof(_) | Reply::Outcome(_) => Err(OTHER_ANSWER),
        }
    }

    /// Ends the connection; the relay learns of it at once.
    pub async fn close(self) {
        self.connection.close("the client has ended");
        self.endpoint.close("the client has ended", GOODBYE).await;
    }

    async fn request(
        &self,
        frame: impl FnOnce(u32) -> ClientFrame,
    ) -> Result<Outcome, RelayClientError> {
        let answer = self.ask(frame).await?;
        self.outcome(answer).await
    }

    async fn outcome(&self, answer: Answer) -> Result<Outcome, RelayClientError> {
        match self.reply(answer).await? {
            Reply::Outcome(outcome) => Ok(outcome),
            Reply::Proof(_) => Err(OTHER_ANSWER),
        }
    }

    async fn reply(&self, answer: Answer) -> Result<Reply, RelayClientError> {
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(self.shared.end())),
            Err(_) => Err(RelayClientError::NoAnswer),
        }
    }

    /// Sends a request; its answer comes later.
    async fn ask(
        &self,
        frame: impl FnOnce(u32) -> ClientFrame,
    ) -> Result<Answer, RelayClientError> {
        let mut answers = self.ask_many(1, frame).await?;
        answers.pop().ok_or_else(|| self.shared.end())
    }

    /// Sends a frame that is answered `count` times, under numbers that count up from the frame's.
    async fn ask_many(
        &self,
        count: usize,
        frame: impl FnOnce(u32) -> ClientFrame,
    ) -> Result<Vec<Answer>, RelayClientError> {
        let (request, answers) = self.shared.number(count)?;
        self.to_send
            .send(frame(request))
            .await
            .map_err(|_| self.shared.end())?;
        Ok(answers)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        unpoisoned(self.state.lock())
    }

    fn end(&self) -> RelayClientError {
        let ended = self.lock().ended.clone();
        ended.unwrap_or_else(|| RelayClientError::Disconnected("it was closed".into()))
    }

    /// Numbers for so many requests, and where their answers will come.
    fn number(&self, count: usize) -> Result<(u32, Vec<Answer>), RelayClientError> {
        let mut state = self.lock();
        if let Some(error) = &state.ended {
            return Err(error.clone());
        }
        // Request 0 is the session's; after four billion numbers the first ones are long answered.
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        let first = state.next_request.checked_add(1).unwrap_or(1);
        let (first, last) = match first.checked_add(count - 1) {
            Some(last) => (first, last),
            None => (1, count),
        };
        state.next_request = last;
        if state.requests.len() >= state.sweep_at {
            state.requests.retain(|_, waiting| !waiting.is_closed());
            state.sweep_at = SWEEP.max(2 * state.requests.len());
        }
        let mut answers = Vec::with_capacity(count as usize);
        for request in first..=last {
            let (sender, answer) = oneshot::channel();
            state.requests.insert(request, sender);
            answers.push(answer);
        }
        Ok((first, answers))
    }

    /// Gives requests that follow each other their outcome; numbers that nobody waits for are passed over.
    fn answer_many(&self, request: u32, count: u16, outcome: Outcome) {
        let mut state = self.lock();
        for (request, number) in (request..=u32::MAX).zip(0..count) {
            if let Some(waiting) = state.requests.remove(&request) {
                let _ = waiting.send(Ok(Reply::Outcome(outcome.nth(number))));
            }
        }
    }

    fn answer(&self, request: u32, answer: Result<Reply, RelayClientError>) {
        // Whoever asked may have stopped waiting.
        if let Some(waiting) = self.lock().requests.remove(&request) {
            let _ = waiting.send(answer);
        }
    }

    /// Checks a message and hands it to its subscription; waits while that is full of kept messages.
    async fn deliver(&self, position: u64, message: Message) -> Result<(), RelayClientError> {
        if !unpoisoned(self.roots.lock()).is_signed(&message, verify_signature) {
            return Err(UNSIGNED);
        }
        let subscriber = self.subscriber(&message)?;
        subscriber.deliver(Received { position, message }).await;
        Ok(())
    }

    /// As [`Shared::deliver`] for live messages of one batch and box.
    fn deliver_group(&self, group: Group) -> Result<(), RelayClientError> {
        let opened = unpoisoned(self.roots.lock()).open(group, verify_signature);
        let messages = opened.ok_or(UNSIGNED)?;
        let first = messages.first().ok_or(UNSIGNED)?;
        let (box_id, subscriber) = (first.body.box_id, self.subscriber(first)?);
        for message in &messages {
            if message.body.box_id != box_id {
                return Err(RelayClientError::Misbehaved("a group of several boxes"));
            }
            self.check_chain(message)?;
        }
        subscriber.deliver_live(messages);
        Ok(())
    }

    fn subscriber(&self, message: &Message) -> Result<Subscriber, RelayClientError> {
        self.check_chain(message)?;
        let subscriber = self.lock().boxes.get(&message.body.box_id).cloned();
        subscriber.ok_or(RelayClientError::Misbehaved(
            "a message of a box that was not asked for",
        ))
    }

    fn check_chain(&self, message: &Message) -> Result<(), RelayClientError> {
        let body = &message.body;
        match (body.network, body.contract) == (self.chain.network, self.chain.contract) {
            true => Ok(()),
            false => Err(RelayClientError::Misbehaved(
                "a message of another chain or contract",
            )),
        }
    }

    /// Tells everybody who waits.
    fn fail(&self, error: &RelayClientError) {
        let (requests, boxes) = {
            let mut state = self.lock();
            state.ended.get_or_insert_with(|| error.clone());
            (
                std::mem::take(&mut state.requests),
                std::mem::take(&mut state.boxes),
            )
        };
        for waiting in requests.into_values() {
            let _ = waiting.send(Err(error.clone()));
        }
        for subscriber in boxes.into_values() {
            let error = error.clone();
            // After what already waits there; a reader that never reads must not hold up the others.
            tokio::spawn(async move { subscriber.fail(error).await });
        }
    }
}

/// A client's: it notices soon when its relay is gone.
fn protocol() -> Protocol {
    let mut protocol = Protocol::relay();
    protocol.limits.idle_timeout = SILENCE;
    protocol.limits.keep_alive = KEEP_ALIVE;
    protocol
}

/// No code here panics while it holds a lock; should one do, the others go on with what is there.
fn unpoisoned<T>(lock: Result<T, PoisonError<T>>) -> T {
    lock.unwrap_or_else(PoisonError::into_inner)
}

async fn write(mut sender: FrameSender, mut frames: mpsc::Receiver<ClientFrame>) {
    while let Some(frame) = frames.recv().await {
        if sender.send(&frame).await.is_err() {
            // The reading task says why.
            return;
        }
    }
    let _ = sender.finish();
}

async fn read(
    shared: Arc<Shared>,
    mut receiver: FrameReceiver,
    client: mpsc::WeakSender<ClientFrame>,
) {
    let error = loop {
        match receiver.receive().await {
            Ok(Some(RelayFrame::Ack { request, outcome })) => {
                shared.answer_many(request, 1, outcome);
            }
            Ok(Some(RelayFrame::AckMany {
                request,
                count,
                outcome,
            })) => shared.answer_many(request, count, outcome),
            Ok(Some(RelayFrame::Error {
                request: 0,
                error,
                text,
            })) => break RelayClientError::Refused { error, text },
            Ok(Some(RelayFrame::Error {
                request,
                error,
                text,
            })) => {
                shared.answer(request, Err(RelayClientError::Refused { error, text }));
            }
            Ok(Some(RelayFrame::Deliver { position, message })) => {
                if let Err(error) = shared.deliver(position, message).await {
                    break error;
                }
            }
            Ok(Some(RelayFrame::Proof { request, proof })) => {
                shared.answer(request, Ok(Reply::Proof(Box::new(proof))));
            }
            Ok(Some(RelayFrame::DeliverGroup { group })) => {
                if let Err(error) = shared.deliver_group(group) {
                    break error;
                }
            }
            Ok(Some(RelayFrame::Pong { .. })) => {}
            Ok(Some(RelayFrame::Welcome { .. })) => {
                break RelayClientError::Misbehaved("a second welcome");
            }
            Ok(None) => break RelayClientError::Disconnected("the relay ended it".into()),
            Err(error @ NetError::Decode(_)) => break RelayClientError::Net(Arc::new(error)),
            Err(error) => break RelayClientError::Disconnected(error.to_string()),
        }
    };
    if client.upgrade().is_some() {
        tracing::debug!(%error, "the relay's session ended");
    }
    shared.fail(&error);
}

/// Takes ephemeral messages that come in datagrams, until the connection ends or the relay lies.
async fn read_datagrams(shared: Arc<Shared>, connection: Connection) {
    loop {
        // The reading task says why.
        let Ok(datagram) = connection.receive_datagram().await else {
            return;
        };
        let delivered = match RelayFrame::decode(datagram) {
            Ok(RelayFrame::Deliver {
                position: 0,
                message,
            }) => shared.deliver(0, message).await,
            Ok(RelayFrame::DeliverGroup { group }) => shared.deliver_group(group),
            Ok(_) => Err(RelayClientError::Misbehaved(
                "a datagram that is no live message",
            )),
            Err(error) => Err(NetError::Decode(error).into()),
        };
        if let Err(error) = delivered {
            shared.fail(&error);
            connection.close("the relay misbehaved");
            return;
        }
    }
}
