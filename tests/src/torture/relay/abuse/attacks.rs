//! The attacks. Each does its share in every window and says at the end what it did.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use phantasma_net::{Connection, Endpoint, FrameReceiver, FrameSender, Identity, Protocol};
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError, RelayError, Since};
use phantasma_wire::message::{Message, Unsigned};
use phantasma_wire::relay::{ClientFrame, RelayFrame};
use tokio::sync::Mutex;

use super::super::{RelayPlace, World};
use super::honest::{message, now_ms};
use crate::torture::random::Random;

pub(super) trait Attack: Send + Sized + 'static {
    /// One window's share of it.
    fn window(self) -> impl Future<Output = Self> + Send;

    /// What it did, for people.
    fn note(&self) -> String;

    /// What it could not do, or the relay should not have done.
    fn broken(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Runs what blocks on a thread of its own.
async fn blocking<A: Send + 'static>(mut attack: A, work: fn(&mut A)) -> A {
    let working = tokio::task::spawn_blocking(move || {
        work(&mut attack);
        attack
    });
    working.await.unwrap()
}

/// Datagrams that mean nothing, half of which look like the beginning of a connection.
pub(super) struct Garbage {
    relay: SocketAddr,
    share: usize,
    rate: usize,
    random: Random,
    noise: Vec<u8>,
    sent: usize,
    took: Duration,
}

/// Garbage that leaves without a pause.
const BURST: usize = 25;

impl Garbage {
    pub(super) fn new(relay: SocketAddr, share: usize, rate: usize) -> Self {
        let mut random = Random::new(1);
        Self {
            relay,
            share,
            rate,
            noise: random.bytes(2000),
            random,
            sent: 0,
            took: Duration::ZERO,
        }
    }

    fn send(&mut self) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let start = Instant::now();
        for number in 0..self.share {
            if number % BURST == 0 {
                let due = Duration::from_secs_f64(number as f64 / self.rate as f64);
                std::thread::sleep(due.saturating_sub(start.elapsed()));
            }
            let at = self.random.below(700);
            let len = 20 + self.random.below(1280);
            let mut bytes = self.noise[at..at + len].to_vec();
            if self.random.one_in(2) {
                let first = 0xc0 | bytes[0];
                bytes[..6].copy_from_slice(&[first, 0, 0, 0, 1, 8]);
            }
            let _ = socket.send_to(&bytes, self.relay);
        }
        self.sent += self.share;
        self.took += start.elapsed();
    }
}

impl Attack for Garbage {
    async fn window(self) -> Self {
        blocking(self, Self::send).await
    }

    fn note(&self) -> String {
        let rate = self.sent as f64 / self.took.as_secs_f64();
        format!("{} datagrams, {rate:.0} a second", self.sent)
    }
}

/// First packets of connections that nobody goes on with, each from another address of this machine.
pub(super) struct Spoofing {
    relay: SocketAddr,
    initials: Vec<Vec<u8>>,
    number: u32,
    sent: usize,
    back: usize,
}

/// Sockets that are open at a time, and how long they wait for answers, the first retransmissions included.
const SPOOFED: usize = 200;
const ANSWERS: Duration = Duration::from_millis(500);

impl Spoofing {
    pub(super) async fn new(relay: SocketAddr, share: usize) -> Self {
        Self {
            relay,
            initials: initials(share).await,
            number: 0,
            sent: 0,
            back: 0,
        }
    }

    fn send(&mut self) {
        for packets in self.initials.chunks(SPOOFED) {
            let mut sockets = Vec::new();
            for packet in packets {
                self.number += 1;
                let [_, _, high, low] = self.number.to_be_bytes();
                let source = Ipv4Addr::new(127, 77, high, low.max(1));
                let socket = UdpSocket::bind((source, 0)).unwrap();
                socket.set_nonblocking(true).unwrap();
                self.sent += socket.send_to(packet, self.relay).unwrap_or(0);
                sockets.push(socket);
            }
            std::thread::sleep(ANSWERS);
            self.back += sockets.iter().map(received).sum::<usize>();
        }
    }

    fn amplified(&self) -> f64 {
        self.back as f64 / self.sent as f64
    }
}

impl Attack for Spoofing {
    async fn window(self) -> Self {
        blocking(self, Self::send).await
    }

    fn note(&self) -> String {
        let (sent, back) = (self.sent, self.back);
        format!(
            "{sent} bytes sent, {back} came back ({:.2} times)",
            self.amplified()
        )
    }

    fn broken(&self) -> Vec<String> {
        match self.amplified() > 3.0 {
            true => vec![format!("{:.2} times the bytes sent", self.amplified())],
            false => Vec::new(),
        }
    }
}

async fn initials(count: usize) -> Vec<Vec<u8>> {
    let trap = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = trap.local_addr().unwrap();
    let endpoint = endpoint(1);
    let (mut found, mut buffer) = (Vec::new(), vec![0; 2048]);
    while found.len() < count {
        let connecting = endpoint.connect(address, None);
        let first = async {
            let (len, _) = trap.recv_from(&mut buffer).await.unwrap();
            buffer[..len].to_vec()
        };
        tokio::select! {
            packet = first => found.push(packet),
            _ = connecting => {}
        }
    }
    found
}

fn received(socket: &UdpSocket) -> usize {
    let (mut bytes, mut buffer) = (0, [0; 2048]);
    while let Ok((len, _)) = socket.recv_from(&mut buffer) {
        bytes += len;
    }
    bytes
}

/// A session of the protocol that does only what it is told.
struct Session {
    connection: Connection,
    sender: FrameSender,
    _receiver: FrameReceiver,
}

async fn session(endpoint: &Endpoint, relay: Relay) -> Result<Session, String> {
    let told = |error: phantasma_net::NetError| error.to_string();
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

/// What a session needs to know.
#[derive(Clone, Copy)]
struct Relay {
    address: SocketAddr,
    key: [u8; 33],
    served: ChainId,
}

impl Relay {
    fn of(world: &World, place: &RelayPlace) -> Self {
        Self {
            address: place.address(),
            key: place.key,
            served: world.served(),
        }
    }
}

fn endpoint(connections: usize) -> Endpoint {
    let mut protocol = Protocol::relay();
    protocol.limits.max_connections = connections;
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Endpoint::bind(from, &Identity::random().unwrap(), protocol).unwrap()
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
    pub(super) async fn new(world: &World, place: &RelayPlace, count: usize) -> Self {
        let (endpoint, relay) = (endpoint(count), Relay::of(world, place));
        let mut readers = Vec::new();
        for _ in 0..count {
            let mut session = session(&endpoint, relay).await.unwrap();
            let subscribe = ClientFrame::Subscribe {
                request: 1,
                box_id: world.box_id,
                from: Since::Now,
            };
            session.sender.send(&subscribe).await.unwrap();
            readers.push(session);
        }
        let author = Identity::random().unwrap();
        Self {
            readers,
            client: world.connect(place).await.unwrap(),
            template: message(world, &author, 1).body,
            author,
            sequence: 1,
        }
    }
}

impl Attack for Slow {
    async fn window(mut self) -> Self {
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
    relay: Relay,
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

/// Between two handshakes on a socket: all together some 500 a second, each of which costs both sides two signatures.
const HANDSHAKE_PAUSE: Duration = Duration::from_millis(30);

impl Idle {
    pub(super) fn new(world: &World, place: &RelayPlace, share: usize) -> Self {
        Self {
            relay: Relay::of(world, place),
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
    pub(super) fn new(client: RelayClient, good: Message, share: usize) -> Self {
        Self {
            client,
            good,
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
