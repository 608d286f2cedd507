//! Attacks by those who have a session.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use phantasma_net::{Connection, Endpoint, FrameReceiver, FrameSender, Identity, NetError};
use phantasma_sdk::relay::{RelayClient, RelayClientError, RelayError, Since};
use phantasma_wire::message::{Message, Unsigned};
use phantasma_wire::relay::{ClientFrame, RelayFrame};
use tokio::sync::Mutex;

use super::attacks::{Attack, endpoint};
use super::honest::{Target, now_ms};

/// A session of the protocol that does only what it is told.
struct Session {
    connection: Connection,
    sender: FrameSender,
    _receiver: FrameReceiver,
}

async fn session(endpoint: &Endpoint, relay: Target) -> Result<Session, String> {
    let told = |error: NetError| error.to_string();
    let connection = endpoint.connect(relay.address, Some(relay.key)).await;
    let connection = connection.map_err(told)?;
    let (mut sender, mut receiver) = connection.open().await.map_err(told)?;
    let hello = ClientFrame::Hello {
        network: relay.served.network,
        contract: relay.served.contract,
    };
    sender.send(&hello).await.map_err(told)?;
    match receiver.receive().await.map_err(told)? {
        Some(RelayFrame::Welcome { .. }) => Ok(Session {
            connection,
            sender,
            _receiver: receiver,
        }),
        other => Err(format!("{other:?} instead of a welcome")),
    }
}

/// Sessions that listen and never read, and somebody who writes long messages to them.
pub(super) struct Slow {
    readers: Vec<Session>,
    client: RelayClient,
    author: Identity,
    template: Unsigned,
    sequence: u64,
}

/// Long messages of a window, and the pause after each.
const LONG_MESSAGES: u64 = 200;
const LONG_PAUSE: Duration = Duration::from_millis(10);

impl Slow {
    pub(super) async fn new(relay: Target, count: usize) -> Self {
        let endpoint = endpoint(count);
        let mut readers = Vec::new();
        for _ in 0..count {
            readers.push(session(&endpoint, relay).await.unwrap());
        }
        let author = Identity::random().unwrap();
        Self {
            readers,
            client: relay.connect().await,
            template: Unsigned {
                box_id: relay.second_box,
                ..relay.message(&author, 1).body
            },
            author,
            sequence: 1,
        }
    }
}

impl Slow {
    /// Long messages to all who listen.
    async fn flood(&mut self) {
        for _ in 0..LONG_MESSAGES {
            self.sequence += 1;
            let body = Unsigned {
                sequence: self.sequence,
                time_ms: now_ms(),
                payload: vec![1; 20_000].into(),
                ..self.template.clone()
            };
            let message = body.sign(|bytes| self.author.sign(bytes).unwrap()).unwrap();
            self.client.publish(message).await.unwrap();
            tokio::time::sleep(LONG_PAUSE).await;
        }
    }

    async fn send_all(&mut self, frame: ClientFrame) {
        for reader in &mut self.readers {
            reader.sender.send(&frame).await.unwrap();
        }
    }
}

impl Attack for Slow {
    async fn window(mut self) -> Self {
        let box_id = self.template.box_id;
        let (request, from) = (1, Since::Now);
        self.send_all(ClientFrame::Subscribe {
            request,
            box_id,
            from,
        })
        .await;
        self.flood().await;
        self.send_all(ClientFrame::Unsubscribe { request, box_id })
            .await;
        self
    }

    /// The same messages without those readers.
    async fn calm(mut self) -> Self {
        self.flood().await;
        self
    }

    fn note(&self) -> String {
        let (sent, readers) = (self.sequence - 1, self.readers.len());
        format!("{sent} messages of 20 kB to {readers} readers")
    }
}

/// Sessions that are opened and then do nothing.
#[derive(Clone)]
pub(super) struct Idle {
    relay: Target,
    share: usize,
    /// Some share a socket: 10,000 sockets are more than a process may have on most systems.
    endpoints: Arc<Vec<Endpoint>>,
    sessions: Arc<Mutex<Vec<Session>>>,
    failed: Arc<Mutex<Vec<String>>>,
    took_ms: Arc<AtomicUsize>,
}

/// Sockets of all sessions, and handshakes at once on each.
const SOCKETS: usize = 8;
const AT_ONCE: usize = 2;

/// Handshakes that may fail before an attack is given up: a packet may be lost.
const FAILURES: usize = 100;

/// Between two handshakes of one of those who open: all together at most 100 a second, as each costs both sides a
/// millisecond when the programs are not optimised.
const HANDSHAKE_PAUSE: Duration = Duration::from_millis(160);

impl Idle {
    /// Must be called on the attackers' threads, which the sockets stay on.
    pub(super) fn new(relay: Target, share: usize) -> Self {
        Self {
            relay,
            share,
            endpoints: Arc::new((0..SOCKETS).map(|_| endpoint(share)).collect()),
            sessions: Arc::default(),
            failed: Arc::default(),
            took_ms: Arc::default(),
        }
    }

    /// Sessions that are still there.
    pub(super) async fn open(&self) -> usize {
        let sessions = self.sessions.lock().await;
        let open = sessions.iter().filter(|one| !one.connection.is_closed());
        open.count()
    }

    pub(super) async fn close(&self) {
        self.sessions.lock().await.clear();
    }

    async fn open_some(&self, endpoint: Endpoint, left: Arc<AtomicUsize>) {
        let one_less = |left: usize| left.checked_sub(1);
        let order = Ordering::Relaxed;
        while left.fetch_update(order, order, one_less).is_ok() {
            match session(&endpoint, self.relay).await {
                Ok(session) => self.sessions.lock().await.push(session),
                Err(error) => {
                    let mut failed = self.failed.lock().await;
                    failed.push(error);
                    if failed.len() > FAILURES {
                        return;
                    }
                    left.fetch_add(1, order);
                }
            }
            tokio::time::sleep(HANDSHAKE_PAUSE).await;
        }
    }
}

impl Attack for Idle {
    async fn window(self) -> Self {
        let (left, start) = (Arc::new(AtomicUsize::new(self.share)), Instant::now());
        let mut opening = Vec::new();
        for endpoint in self.endpoints.iter() {
            for _ in 0..AT_ONCE {
                let (this, endpoint, left) = (self.clone(), endpoint.clone(), left.clone());
                opening.push(tokio::spawn(async move {
                    this.open_some(endpoint, left).await;
                }));
            }
        }
        for task in opening {
            task.await.unwrap();
        }
        let took = start.elapsed().as_millis() as usize;
        self.took_ms.fetch_add(took, Ordering::Relaxed);
        self
    }

    fn note(&self) -> String {
        let opened = self.sessions.try_lock().map_or(0, |all| all.len());
        let seconds = self.took_ms.load(Ordering::Relaxed) as f64 / 1000.0;
        let failed = self.failed.try_lock().map_or(0, |all| all.len());
        let rate = opened as f64 / seconds;
        format!("{opened} opened, {rate:.0} a second, {failed} attempts more")
    }

    fn broken(&self) -> Vec<String> {
        let failed = self.failed.try_lock().unwrap();
        match failed.len() > FAILURES {
            true => vec![format!("sessions do not open: {:?}", failed.last())],
            false => Vec::new(),
        }
    }
}

/// A message that its author did not sign, and one that has been here, again and again.
pub(super) struct Forgery {
    client: RelayClient,
    good: Message,
    share: usize,
    forged: usize,
    known: usize,
    odd: Vec<String>,
}

impl Forgery {
    pub(super) async fn new(relay: Target, share: usize) -> Self {
        Self {
            client: relay.connect().await,
            good: relay.message(&Identity::random().unwrap(), 1),
            share,
            forged: 0,
            known: 0,
            odd: Vec::new(),
        }
    }
}

impl Attack for Forgery {
    async fn window(mut self) -> Self {
        let forged = Message {
            signature: [7; 64],
            ..self.good.clone()
        };
        for number in 0..self.share {
            let sent = match number % 2 {
                0 => self.client.publish(forged.clone()).await,
                _ => self.client.publish(self.good.clone()).await,
            };
            match sent {
                Err(RelayClientError::Refused {
                    error: RelayError::BadSignature,
                    ..
                }) if number % 2 == 0 => self.forged += 1,
                Ok(_) if number % 2 == 1 => self.known += 1,
                other => self.odd.push(format!("number {number}: {other:?}")),
            }
        }
        self
    }

    fn note(&self) -> String {
        format!(
            "{} forged refused, {} replays answered",
            self.forged, self.known
        )
    }

    fn broken(&self) -> Vec<String> {
        self.odd.iter().take(3).cloned().collect()
    }
}
