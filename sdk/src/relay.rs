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

use std::collections::HashMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phantasma_net::{
    Connection, Endpoint, FrameReceiver, FrameSender, Identity, NetError, Protocol,
    verify_signature,
};
use phantasma_wire::PublicKey;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{ClientFrame, RelayFrame};
use tokio::sync::{mpsc, oneshot};

pub use phantasma_wire::relay::{Outcome, RelayError, Since};

/// A write to the chain takes a block and the relay's own patience of two minutes; everything else is quick.
const ANSWER: Duration = Duration::from_secs(150);

/// Messages that wait for the reader of one subscription. When they are full nothing more is read from the relay, which
/// then drops live messages but no kept ones. Worst case 256 × 60 KiB = 15 MiB a subscription.
const WAITING: usize = 256;

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

/// A message whose author's signature has been checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// Where the relay keeps it; 0 when it does not. Subscribing from the next one on misses nothing.
    pub position: u64,
    pub message: Message,
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
}

#[derive(Debug, Default)]
struct State {
    next_request: u32,
    requests: HashMap<u32, oneshot::Sender<Result<Outcome, RelayClientError>>>,
    boxes: HashMap<u64, mpsc::Sender<Result<Received, RelayClientError>>>,
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
        let endpoint = Endpoint::bind(any, identity, Protocol::relay())?;
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
        });
        let (to_send, frames) = mpsc::channel(WAITING);
        tokio::spawn(write(sender, frames));
        tokio::spawn(read(shared.clone(), receiver, to_send.downgrade()));
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

    /// Listens to a box: first kept messages if `since` asks for them, then what arrives. One subscription a box and
    /// connection.
    pub async fn subscribe(&self, box_id: u64, since: Since) -> Result<Messages, RelayClientError> {
        let (sender, receiver) = mpsc::channel(WAITING);
        {
            let mut state = self.shared.lock();
            if state.boxes.get(&box_id).is_some_and(|old| !old.is_closed()) {
                return Err(RelayClientError::AlreadySubscribed(box_id));
            }
            state.boxes.insert(box_id, sender);
        }
        // Kept messages come before the answer, so the subscription is usable as soon as the request is on its way.
        let answer = self
            .ask(|request| ClientFrame::Subscribe {
                request,
                box_id,
                from: since,
            })
            .await?;
        let messages = Messages {
            receiver,
            early: None,
            answer: Some(answer),
        };
        messages.checked().await.inspect_err(|_| {
            self.shared.lock().boxes.remove(&box_id);
        })
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
        match tokio::time::timeout(ANSWER, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(self.shared.end())),
            Err(_) => Err(RelayClientError::NoAnswer),
        }
    }

    /// Sends a request; its answer comes later.
    async fn ask(
        &self,
        frame: impl FnOnce(u32) -> ClientFrame,
    ) -> Result<oneshot::Receiver<Result<Outcome, RelayClientError>>, RelayClientError> {
        let (sender, answer) = oneshot::channel();
        let request = {
            let mut state = self.shared.lock();
            if let Some(error) = &state.ended {
                return Err(error.clone());
            }
            // Request 0 is the session's; after four billion numbers the first ones are long answered.
            state.next_request = state.next_request.checked_add(1).unwrap_or(1);
            let request = state.next_request;
            state.requests.retain(|_, waiting| !waiting.is_closed());
            state.requests.insert(request, sender);
            request
        };
        self.to_send
            .send(frame(request))
            .await
            .map_err(|_| self.shared.end())?;
        Ok(answer)
    }
}

/// The messages of one subscription, in order, each with a checked signature.
#[derive(Debug)]
pub struct Messages {
    receiver: mpsc::Receiver<Result<Received, RelayClientError>>,
    early: Option<Result<Received, RelayClientError>>,
    /// Still to come while there is a history to send.
    answer: Option<oneshot::Receiver<Result<Outcome, RelayClientError>>>,
}

impl Messages {
    /// The next message. An error ends the subscription; `None` follows it.
    pub async fn next(&mut self) -> Result<Option<Received>, RelayClientError> {
        if let Some(early) = self.early.take() {
            return early.map(Some);
        }
        self.receiver.recv().await.transpose()
    }

    /// Waits for the relay's answer or the first kept message, whichever is first: both say that it has agreed.
    async fn checked(mut self) -> Result<Self, RelayClientError> {
        if let Some(answer) = self.answer.take() {
            tokio::select! {
                biased;
                answer = answer => match answer {
                    Ok(answer) => { answer?; }
                    Err(_) => return Err(RelayClientError::Disconnected("it ended before an answer".into())),
                },
                early = self.receiver.recv() => self.early = early,
                () = tokio::time::sleep(ANSWER) => return Err(RelayClientError::NoAnswer),
            }
        }
        Ok(self)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn end(&self) -> RelayClientError {
        let ended = self.lock().ended.clone();
        ended.unwrap_or_else(|| RelayClientError::Disconnected("it was closed".into()))
    }

    fn answer(&self, request: u32, answer: Result<Outcome, RelayClientError>) {
        // Whoever asked may have stopped waiting.
        if let Some(waiting) = self.lock().requests.remove(&request) {
            let _ = waiting.send(answer);
        }
    }

    /// Hands a message to its subscription; waits while that is full.
    async fn deliver(&self, position: u64, message: Message) -> Result<(), RelayClientError> {
        let body = &message.body;
        if (body.network, body.contract) != (self.chain.network, self.chain.contract) {
            return Err(RelayClientError::Misbehaved(
                "a message of another chain or contract",
            ));
        }
        if !message.is_signed(verify_signature) {
            return Err(RelayClientError::Misbehaved(
                "a message that its author did not sign",
            ));
        }
        let subscriber = self.lock().boxes.get(&body.box_id).cloned();
        let subscriber = subscriber.ok_or(RelayClientError::Misbehaved(
            "a message of a box that was not asked for",
        ))?;
        // A subscription that was dropped here may still get what was under way.
        let _ = subscriber.send(Ok(Received { position, message })).await;
        Ok(())
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
            tokio::spawn(async move { subscriber.send(Err(error)).await });
        }
    }
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
            Ok(Some(RelayFrame::Ack { request, outcome })) => shared.answer(request, Ok(outcome)),
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
