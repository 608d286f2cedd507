//! `torture abuse`: what people do to a relay, while honest ones use it. Its memory must stay below its bound, and what
//! honest people wait may at most double.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use phantasma_net::{Connection, Endpoint, FrameReceiver, FrameSender, Identity, Protocol};
use phantasma_sdk::relay::{RelayClient, Since};
use phantasma_wire::message::{Class, Message, Unsigned};
use phantasma_wire::relay::{ClientFrame, RelayFrame};

use super::{RelayPlace, World};
use crate::torture::random::Random;

/// How much of everything.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub garbage: usize,
    pub spoofed: usize,
    pub slow_readers: usize,
    pub idle: usize,
    pub forged: usize,
    /// Honest messages that are timed in each phase.
    pub honest: usize,
}

impl Size {
    /// What the issue asks for.
    pub const FULL: Size = Size {
        garbage: 1_000_000,
        spoofed: 2_000,
        slow_readers: 50,
        idle: 10_000,
        forged: 20_000,
        honest: 1_000,
    };

    /// What a test has time for.
    pub const SMALL: Size = Size {
        garbage: 50_000,
        spoofed: 300,
        slow_readers: 10,
        idle: 300,
        forged: 500,
        honest: 100,
    };
}

/// One phase.
#[derive(Clone, Debug)]
pub struct Phase {
    pub name: &'static str,
    /// What honest messages took, milliseconds: half of them less than the first, 99 of 100 less than the second.
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// The relay's memory at the end, MiB.
    pub rss_mib: f64,
    /// Memory that it may have then.
    pub bound_mib: f64,
    /// What is worth knowing besides.
    pub note: String,
}

/// Memory of a relay that does nothing, with its program, and what a session may take for handshake, tables and tasks.
const BASE_MIB: f64 = 128.0;
const IDLE_KIB: f64 = 64.0;

/// What waits for a reader who does not read: stream, queue, datagrams.
const SLOW_KIB: f64 = 1024.0 + 256.0 + 256.0;

/// Runs all phases on one relay.
pub async fn run(size: Size) -> Vec<Phase> {
    let world = World::new().await;
    let config = format!(
        "[log]\nmax_mib = 64\n[limits]\nsessions = {}\n",
        size.idle + 200
    );
    let mut place = world.place(&config);
    world.start(&mut place, None);
    let relay = place.address();
    let mut honest = Honest::new(&world, &place).await;
    let mut phases = Vec::new();
    let mut phase = Phases {
        world: &world,
        place: &place,
        honest: &mut honest,
        size,
        phases: &mut phases,
    };

    phase.measure("calm", 0.0, |_| String::new()).await;
    let garbage = size.garbage;
    phase
        .measure("garbage datagrams", 0.0, move |stop| {
            send_garbage(relay, garbage, stop)
        })
        .await;
    let initials = initials(size.spoofed).await;
    phase
        .measure("spoofed sources", 0.0, move |stop| {
            spoof(relay, &initials, stop)
        })
        .await;
    let slow = slow_readers(&world, &place, size.slow_readers).await;
    let flood = flood(&world, &place).await;
    phase
        .measure("slow readers", size.slow_readers as f64 * SLOW_KIB, |_| {
            String::new()
        })
        .await;
    flood.store(true, Ordering::Relaxed);
    drop(slow);
    let idle = sessions(&world, &place, size.idle).await;
    let kib = size.idle as f64 * IDLE_KIB;
    let open = idle.len();
    phase
        .measure("idle sessions", kib, move |_| format!("{open} open"))
        .await;
    drop(idle);
    let forging = tokio::spawn(forge(
        world.connect(&place).await.unwrap(),
        message(&world, &Identity::random().unwrap(), 1),
        size.forged,
    ));
    phase
        .measure("forged and replayed", kib, |_| String::new())
        .await;
    let note = forging.await.unwrap();
    if let Some(last) = phases.last_mut() {
        last.note = note;
    }
    phases
}

struct Phases<'a> {
    world: &'a World,
    place: &'a RelayPlace,
    honest: &'a mut Honest,
    size: Size,
    phases: &'a mut Vec<Phase>,
}

impl Phases<'_> {
    /// Times honest messages while `attack` runs in a thread of its own; it ends when it is told to, or before.
    async fn measure(
        &mut self,
        name: &'static str,
        kib: f64,
        attack: impl FnOnce(&AtomicBool) -> String + Send + 'static,
    ) {
        let stop = Arc::new(AtomicBool::new(false));
        let attacking = {
            let stop = stop.clone();
            std::thread::spawn(move || attack(&stop))
        };
        let mut times = Vec::new();
        // At least so many, and as long as the attack lasts.
        while times.len() < self.size.honest || !attacking.is_finished() {
            times.push(self.honest.time(self.world).await);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        stop.store(true, Ordering::Relaxed);
        let note = attacking.join().unwrap();
        times.sort_by(f64::total_cmp);
        self.phases.push(Phase {
            name,
            p50_ms: times[times.len() / 2],
            p99_ms: times[times.len() * 99 / 100],
            rss_mib: rss_mib(self.place.pid()),
            bound_mib: BASE_MIB + kib / 1024.0,
            note,
        });
    }
}

/// One who publishes and one who reads.
struct Honest {
    publisher: RelayClient,
    _reader: RelayClient,
    messages: phantasma_sdk::relay::Messages,
    author: Identity,
    sequence: u64,
}

impl Honest {
    async fn new(world: &World, place: &RelayPlace) -> Self {
        let reader = world.connect(place).await.unwrap();
        Self {
            messages: reader.subscribe(world.box_id, Since::Now).await.unwrap(),
            _reader: reader,
            publisher: world.connect(place).await.unwrap(),
            author: Identity::random().unwrap(),
            sequence: 0,
        }
    }

    /// Milliseconds from signing a message to having it.
    async fn time(&mut self, world: &World) -> f64 {
        self.sequence += 1;
        let start = Instant::now();
        let message = message(world, &self.author, self.sequence);
        self.publisher.publish(message).await.unwrap();
        loop {
            let next = tokio::time::timeout(Duration::from_secs(5), self.messages.next()).await;
            let Ok(next) = next else {
                // Lost on the way, as datagrams may be: that is the worst latency.
                return 5_000.0;
            };
            let body = next.unwrap().unwrap().message.body;
            if (body.author, body.sequence) == (self.author.public_key(), self.sequence) {
                return start.elapsed().as_secs_f64() * 1000.0;
            }
        }
    }
}

fn message(world: &World, author: &Identity, sequence: u64) -> Message {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let body = Unsigned {
        network: world.served().network,
        contract: world.served().contract,
        author: author.public_key(),
        box_id: world.box_id,
        sequence,
        time_ms: now.as_millis() as u64,
        class: Class::Ephemeral,
        payload: vec![0; 200].into(),
    };
    body.sign(|bytes| author.sign(bytes).unwrap()).unwrap()
}

fn send_garbage(relay: SocketAddr, count: usize, stop: &AtomicBool) -> String {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut random = Random::new(1);
    let noise = random.bytes(2000);
    let mut sent = 0;
    while sent < count && !stop.load(Ordering::Relaxed) {
        let start = random.below(700);
        let len = 20 + random.below(1280);
        // Some look like the beginning of a connection.
        let mut bytes = noise[start..start + len].to_vec();
        if random.one_in(2) {
            let first = 0xc0 | bytes[0];
            bytes[..6].copy_from_slice(&[first, 0, 0, 0, 1, 8]);
        }
        let _ = socket.send_to(&bytes, relay);
        sent += 1;
    }
    format!("{sent} sent")
}

/// First packets of connections that nobody goes on with.
async fn initials(count: usize) -> Vec<Vec<u8>> {
    let trap = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .await
        .unwrap();
    let address = trap.local_addr().unwrap();
    let me = Identity::random().unwrap();
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let endpoint = Endpoint::bind(from, &me, Protocol::relay()).unwrap();
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

/// Sends each from another address of this machine, again and again, and counts what comes back.
fn spoof(relay: SocketAddr, initials: &[Vec<u8>], stop: &AtomicBool) -> String {
    let (mut sent, mut back, mut buffer) = (0, 0, [0; 2048]);
    let mut sockets = Vec::new();
    for (number, packet) in initials.iter().enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let [_, _, high, low] = (number as u32).to_be_bytes();
        let source = Ipv4Addr::new(127, 77, high, low.max(1));
        let socket = UdpSocket::bind((source, 0)).unwrap();
        socket.set_nonblocking(true).unwrap();
        sent += socket.send_to(packet, relay).unwrap_or(0);
        sockets.push(socket);
        if sockets.len() > 200 {
            // Time for answers, retransmissions included.
            std::thread::sleep(Duration::from_millis(300));
            back += received(&mut sockets, &mut buffer);
        }
    }
    std::thread::sleep(Duration::from_secs(1));
    back += received(&mut sockets, &mut buffer);
    format!(
        "{sent} bytes sent, {back} came back ({:.2} times)",
        back as f64 / sent as f64
    )
}

fn received(sockets: &mut Vec<UdpSocket>, buffer: &mut [u8]) -> usize {
    let mut bytes = 0;
    for socket in sockets.drain(..) {
        while let Ok((len, _)) = socket.recv_from(buffer) {
            bytes += len;
        }
    }
    bytes
}

/// A session of the protocol that does only what it is told.
struct Session {
    _connection: Connection,
    sender: FrameSender,
    _receiver: FrameReceiver,
}

async fn session(endpoint: &Endpoint, world: &World, place: &RelayPlace) -> Session {
    let connection = endpoint
        .connect(place.address(), Some(place.key))
        .await
        .unwrap();
    let (mut sender, mut receiver) = connection.open().await.unwrap();
    let served = world.served();
    let hello = ClientFrame::Hello {
        network: served.network,
        contract: served.contract,
    };
    sender.send(&hello).await.unwrap();
    receiver.receive::<RelayFrame>().await.unwrap();
    Session {
        _connection: connection,
        sender,
        _receiver: receiver,
    }
}

fn endpoint(connections: usize) -> Endpoint {
    let mut protocol = Protocol::relay();
    protocol.limits.max_connections = connections;
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Endpoint::bind(from, &Identity::random().unwrap(), protocol).unwrap()
}

async fn sessions(world: &World, place: &RelayPlace, count: usize) -> Vec<Session> {
    let endpoint = endpoint(count);
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(session(&endpoint, world, place).await);
    }
    open
}

/// Sessions that listen and never read.
async fn slow_readers(world: &World, place: &RelayPlace, count: usize) -> Vec<Session> {
    let mut open = sessions(world, place, count).await;
    for session in &mut open {
        let subscribe = ClientFrame::Subscribe {
            request: 1,
            box_id: world.box_id,
            from: Since::Now,
        };
        session.sender.send(&subscribe).await.unwrap();
    }
    open
}

/// Somebody who writes long messages to all readers until it is told to stop.
async fn flood(world: &World, place: &RelayPlace) -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    let client = world.connect(place).await.unwrap();
    let author = Identity::random().unwrap();
    let template = message(world, &author, 1).body;
    let over = stop.clone();
    tokio::spawn(async move {
        let mut sequence = 1;
        while !over.load(Ordering::Relaxed) {
            sequence += 1;
            let body = Unsigned {
                sequence,
                payload: vec![1; 20_000].into(),
                ..template.clone()
            };
            let message = body.sign(|bytes| author.sign(bytes).unwrap()).unwrap();
            if client.publish(message).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    stop
}

/// Sends a forged message and a good one again and again.
async fn forge(client: RelayClient, good: Message, count: usize) -> String {
    let forged = Message {
        signature: [7; 64],
        ..good.clone()
    };
    let (mut refused, mut known) = (0, 0);
    for number in 0..count {
        match number % 2 {
            0 => refused += usize::from(client.publish(forged.clone()).await.is_err()),
            _ => known += usize::from(client.publish(good.clone()).await.is_ok()),
        }
    }
    format!("{refused} forged refused, {known} replays answered")
}

fn rss_mib(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    let kib: f64 = line.split_whitespace().nth(1).unwrap().parse().unwrap();
    kib / 1024.0
}
