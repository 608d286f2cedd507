//! Whole relays with real QUIC clients in one process, over an in-memory chain.
#![allow(clippy::unwrap_used, clippy::panic)]

mod batches;
mod comings;
mod delivered;
mod linked;
mod refused;
mod web;

use std::sync::atomic::Ordering;

use bytes::Bytes;
use phantasma_sdk::relay::{ChainId as Served, Messages, Received, RelayClient, RelayClientError};
use phantasma_wire::message::{Class, Message, Unsigned};
use phantasma_wire::relay::{ClientFrame, RelayError, RelayFrame, Since};
use tempfile::TempDir;

use super::*;
use crate::testing::MemoryChain;

const SERVED: Served = Served {
    network: 0x5048_4D31,
    contract: [7; 20],
};

/// A relay, its chain with boxes 1 and 2, and its folder.
struct Fixture {
    relay: Option<Relay>,
    chain: Arc<MemoryChain>,
    identity: Identity,
    folder: TempDir,
    limits: Limits,
    peers: Option<PeerSettings>,
    web: Option<WebSettings>,
}

impl Fixture {
    async fn start() -> Self {
        Self::with(Limits::default()).await
    }

    async fn with(limits: Limits) -> Self {
        let chain = Arc::new(MemoryChain::with_boxes([1, 2]));
        let identity = Identity::random().unwrap();
        let mut fixture = Self {
            relay: None,
            chain,
            identity,
            folder: tempfile::tempdir().unwrap(),
            limits,
            peers: None,
            web: None,
        };
        fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
        fixture
    }

    fn setup(&self) -> Setup {
        Setup {
            listen: "127.0.0.1:0".parse().unwrap(),
            ops: "127.0.0.1:0".parse().unwrap(),
            identity: self.identity.clone(),
            chain: self.chain.clone(),
            chain_id: ChainId {
                network: SERVED.network,
                contract: SERVED.contract,
            },
            limits: self.limits.clone(),
            log: LogConfig {
                folder: self.folder.path().to_path_buf(),
                max_bytes: 64 << 20,
                segment_bytes: 1 << 20,
                keep_ms: 3_600_000,
            },
            clock: system_clock(),
            peers: self.peers.clone(),
            web: self.web.clone(),
        }
    }

    async fn restart(&mut self) {
        self.relay.take().unwrap().shutdown().await;
        self.relay = Some(Relay::start(self.setup()).await.unwrap());
    }

    async fn client(&self) -> RelayClient {
        self.connect(SERVED).await.unwrap()
    }

    async fn connect(&self, served: Served) -> Result<RelayClient, RelayClientError> {
        let relay = self.relay.as_ref().unwrap();
        let key = Some(relay.public_key());
        RelayClient::connect(
            relay.local_addr(),
            &Identity::random().unwrap(),
            key,
            served,
        )
        .await
    }

    async fn metrics(&self) -> String {
        get(self.relay.as_ref().unwrap().ops_addr(), "/metrics").await
    }
}

/// HTTP by hand: the tests need one line of it.
async fn get(address: SocketAddr, path: &str) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).await.unwrap();
    text
}

fn unsigned(author: &Identity, box_id: u64, class: Class, sequence: u64) -> Unsigned {
    Unsigned {
        network: SERVED.network,
        contract: SERVED.contract,
        author: author.public_key(),
        box_id,
        sequence,
        time_ms: system_clock()(),
        class,
        payload: Bytes::from_static(b"\x0c\x05hello"),
    }
}

fn sign(author: &Identity, unsigned: Unsigned) -> Message {
    unsigned.sign(|bytes| author.sign(bytes).unwrap()).unwrap()
}

fn message(author: &Identity, box_id: u64, class: Class, sequence: u64) -> Message {
    sign(author, unsigned(author, box_id, class, sequence))
}

/// The next message; a test that waits for one that never comes fails instead of hanging.
async fn next(messages: &mut Messages) -> Received {
    let next = tokio::time::timeout(Duration::from_secs(10), messages.next()).await;
    next.unwrap().unwrap().unwrap()
}

async fn nothing_more(messages: &mut Messages) {
    let more = tokio::time::timeout(Duration::from_millis(200), messages.next()).await;
    assert!(more.is_err(), "{more:?}");
}

fn refusal(result: Result<Outcome, RelayClientError>) -> (RelayError, String) {
    match result {
        Err(RelayClientError::Refused { error, text }) => (error, text),
        other => panic!("should be refused: {other:?}"),
    }
}

/// Polls all in order, as a client with many requests in flight does.
async fn futures<T>(all: impl IntoIterator<Item = impl Future<Output = T>>) -> Vec<T> {
    let mut all: Vec<_> = all.into_iter().map(|one| (Box::pin(one), None)).collect();
    std::future::poll_fn(|context| {
        for (future, result) in all.iter_mut().filter(|(_, result)| result.is_none()) {
            if let std::task::Poll::Ready(value) = future.as_mut().poll(context) {
                *result = Some(value);
            }
        }
        match all.iter().all(|(_, result)| result.is_some()) {
            true => std::task::Poll::Ready(()),
            false => std::task::Poll::Pending,
        }
    })
    .await;
    all.into_iter().map(|(_, result)| result.unwrap()).collect()
}
