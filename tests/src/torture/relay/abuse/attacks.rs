//! Attacks without a session. Each does its share in every window and says at the end what it did.

use std::future::Future;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use phantasma_net::{Endpoint, Identity, Protocol};

use crate::torture::random::Random;

pub(super) trait Attack: Send + Sized + 'static {
    /// One window's share of it.
    fn window(self) -> impl Future<Output = Self> + Send;

    /// What goes on in calm windows.
    fn calm(self) -> impl Future<Output = Self> + Send {
        std::future::ready(self)
    }

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
    /// What a client sends before it hears from a server, packet by packet.
    initials: Vec<Vec<Vec<u8>>>,
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
        for flights in self.initials.chunks(SPOOFED) {
            let mut sockets = Vec::new();
            for packets in flights {
                self.number += 1;
                let [_, _, high, low] = self.number.to_be_bytes();
                let source = Ipv4Addr::new(127, 77, high, low.max(1));
                let socket = UdpSocket::bind((source, 0)).unwrap();
                socket.set_nonblocking(true).unwrap();
                for packet in packets {
                    self.sent += socket.send_to(packet, self.relay).unwrap_or(0);
                }
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

async fn initials(count: usize) -> Vec<Vec<Vec<u8>>> {
    let endpoint = endpoint(1);
    let mut found = Vec::new();
    for _ in 0..count {
        let trap = tokio::net::UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let trap = trap.unwrap();
        let connecting = endpoint.connect(trap.local_addr().unwrap(), None);
        let (mut flight, mut buffer) = (Vec::new(), vec![0; 2048]);
        let receiving = async {
            let wait = |flight: &Vec<_>| match flight.is_empty() {
                true => Duration::from_secs(5),
                false => Duration::from_millis(2),
            };
            while let Ok(got) =
                tokio::time::timeout(wait(&flight), trap.recv_from(&mut buffer)).await
            {
                flight.push(buffer[..got.unwrap().0].to_vec());
            }
        };
        tokio::select! {
            () = receiving => {}
            _ = connecting => {}
        }
        found.push(flight);
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

pub(super) fn endpoint(connections: usize) -> Endpoint {
    let mut protocol = Protocol::relay();
    protocol.limits.max_connections = connections;
    let from = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    Endpoint::bind(from, &Identity::random().unwrap(), protocol).unwrap()
}
