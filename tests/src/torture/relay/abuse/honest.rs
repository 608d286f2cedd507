//! Those whom attacks must not hurt: one who publishes and one who reads.

use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use phantasma_net::Identity;
use phantasma_sdk::relay::{ChainId, Messages, RelayClient, Since};
use phantasma_wire::message::{Class, Message, Unsigned};

use super::super::{RelayPlace, World};

/// A relay and one of its boxes, as everybody has to know them.
#[derive(Clone, Copy)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    pub(super) key: [u8; 33],
    pub(super) served: ChainId,
    pub(super) box_id: u64,
    /// Where those write and read who attack: what comes there is no honest person's to receive.
    pub(super) second_box: u64,
}

impl Target {
    pub(super) fn of(world: &World, place: &RelayPlace) -> Self {
        Self {
            address: place.address(),
            key: place.key,
            served: world.served(),
            box_id: world.box_id,
            second_box: world.second_box,
        }
    }

    pub(super) async fn connect(&self) -> RelayClient {
        let me = Identity::random().unwrap();
        let connecting = RelayClient::connect(self.address, &me, Some(self.key), self.served);
        connecting.await.unwrap()
    }

    /// An ephemeral message of 200 bytes.
    pub(super) fn message(&self, author: &Identity, sequence: u64) -> Message {
        let body = Unsigned {
            network: self.served.network,
            contract: self.served.contract,
            author: author.public_key(),
            box_id: self.box_id,
            sequence,
            time_ms: now_ms(),
            class: Class::Ephemeral,
            payload: vec![0; 200].into(),
        };
        body.sign(|bytes| author.sign(bytes).unwrap()).unwrap()
    }
}

/// Between two honest messages.
const PAUSE: Duration = Duration::from_millis(2);

/// After so long a message is lost, as datagrams may be; that is its time then.
const LOST: Duration = Duration::from_secs(5);

/// What messages took, milliseconds: half of them less than the first, 99 of 100 less than the second.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    pub p50_ms: f64,
    pub p99_ms: f64,
}

impl Times {
    pub(super) fn of(mut times: Vec<f64>) -> Self {
        times.sort_by(f64::total_cmp);
        Self {
            p50_ms: times[times.len() / 2],
            p99_ms: times[times.len() * 99 / 100],
        }
    }

    /// Each number's median over windows.
    pub(super) fn median(windows: &[Times]) -> Self {
        let median = |of: fn(&Times) -> f64| {
            let mut all: Vec<f64> = windows.iter().map(of).collect();
            all.sort_by(f64::total_cmp);
            all[all.len() / 2]
        };
        Self {
            p50_ms: median(|times| times.p50_ms),
            p99_ms: median(|times| times.p99_ms),
        }
    }
}

pub(super) struct Honest {
    relay: Target,
    publisher: RelayClient,
    _reader: RelayClient,
    messages: Messages,
    author: Identity,
    sequence: u64,
}

impl Honest {
    pub(super) async fn new(relay: Target) -> Self {
        let reader = relay.connect().await;
        Self {
            relay,
            messages: reader.subscribe(relay.box_id, Since::Now).await.unwrap(),
            _reader: reader,
            publisher: relay.connect().await,
            author: Identity::random().unwrap(),
            sequence: 0,
        }
    }

    /// Milliseconds from signing a message to having it.
    pub(super) async fn time(&mut self) -> f64 {
        tokio::time::sleep(PAUSE).await;
        self.sequence += 1;
        let start = Instant::now();
        let message = self.relay.message(&self.author, self.sequence);
        self.publisher.publish(message).await.unwrap();
        loop {
            let next = tokio::time::timeout(LOST, self.messages.next()).await;
            let Ok(next) = next else {
                return LOST.as_secs_f64() * 1000.0;
            };
            let body = next.unwrap().unwrap().message.body;
            if (body.author, body.sequence) == (self.author.public_key(), self.sequence) {
                return start.elapsed().as_secs_f64() * 1000.0;
            }
        }
    }
}

pub(super) fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as u64
}
