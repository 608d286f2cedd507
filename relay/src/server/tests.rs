//! Whole relays with real QUIC clients in one process, over an in-memory chain.
#![allow(clippy::unwrap_used, clippy::panic)]

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

#[tokio::test]
async fn a_published_message_reaches_the_subscribers_of_its_box_only() {
    let fixture = Fixture::start().await;
    let (author, one, two) = (
        Identity::random().unwrap(),
        fixture.client().await,
        fixture.client().await,
    );
    let mut first = one.subscribe(1, Since::Now).await.unwrap();
    let mut second = two.subscribe(1, Since::Now).await.unwrap();
    let mut other = two.subscribe(2, Since::Now).await.unwrap();
    let sent = message(&author, 1, Class::Ephemeral, 1);
    assert_eq!(
        one.publish(sent.clone()).await.unwrap(),
        Outcome::Delivered { subscribers: 2 }
    );
    for messages in [&mut first, &mut second] {
        assert_eq!(
            next(messages).await,
            Received {
                position: 0,
                message: sent.clone()
            }
        );
    }
    nothing_more(&mut other).await;
    assert!(fixture.chain.messages().is_empty());
}

#[tokio::test]
async fn a_forged_signature_is_refused_and_nobody_gets_the_message() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    let mut forged = message(&author, 1, Class::Durable, 1);
    forged.body.payload = Bytes::from_static(b"\x0c\x05jello");
    assert_eq!(
        refusal(client.publish(forged).await).0,
        RelayError::BadSignature
    );
    let mut stolen = message(&author, 1, Class::Ephemeral, 1);
    stolen.body.author = Identity::random().unwrap().public_key();
    assert_eq!(
        refusal(client.publish(stolen).await).0,
        RelayError::BadSignature
    );
    nothing_more(&mut messages).await;
    assert!(
        fixture
            .metrics()
            .await
            .contains("phantasma_relay_refused_total{error=\"bad_signature\"} 2")
    );
}

#[tokio::test]
async fn a_box_that_does_not_exist_is_refused() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    for class in [Class::Ephemeral, Class::Durable, Class::OnChain] {
        let (error, text) = refusal(client.publish(message(&author, 9, class, 1)).await);
        assert_eq!(
            (error, text.as_str()),
            (RelayError::UnknownBox, "there is no box 9 on the chain")
        );
    }
    let error = client.subscribe(9, Since::Now).await.unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::UnknownBox,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn another_network_or_contract_is_refused_in_hello_and_in_messages() {
    let fixture = Fixture::start().await;
    let error = fixture
        .connect(Served {
            network: 1,
            ..SERVED
        })
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::WrongChain,
                ..
            }
        ),
        "{error}"
    );
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let network = Unsigned {
        network: 1,
        ..unsigned(&author, 1, Class::Ephemeral, 1)
    };
    let contract = Unsigned {
        contract: [8; 20],
        ..unsigned(&author, 1, Class::Ephemeral, 1)
    };
    for wrong in [network, contract] {
        assert_eq!(
            refusal(client.publish(sign(&author, wrong)).await).0,
            RelayError::WrongChain
        );
    }
}

#[tokio::test]
async fn an_old_message_is_refused_by_its_time() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let now = system_clock()();
    for time_ms in [now - 301_000, now + 310_000, 0, u64::MAX] {
        let old = Unsigned {
            time_ms,
            ..unsigned(&author, 1, Class::Ephemeral, 1)
        };
        assert_eq!(
            refusal(client.publish(sign(&author, old)).await).0,
            RelayError::WrongTime
        );
    }
}

#[tokio::test]
async fn a_relay_with_another_key_than_expected_gets_nothing() {
    let fixture = Fixture::start().await;
    let (me, address) = (
        Identity::random().unwrap(),
        fixture.relay.as_ref().unwrap().local_addr(),
    );
    let error = RelayClient::connect(address, &me, Some(me.public_key()), SERVED)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expected"), "{error}");
}

#[tokio::test]
async fn a_message_that_comes_twice_is_delivered_once_and_acknowledged_alike() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    for (class, sequence) in [
        (Class::Ephemeral, 1),
        (Class::Durable, 2),
        (Class::OnChain, 3),
    ] {
        let sent = message(&author, 1, class, sequence);
        let (one, two) = tokio::join!(client.publish(sent.clone()), client.publish(sent.clone()));
        let outcome = one.unwrap();
        assert_eq!(two.unwrap(), outcome);
        assert_eq!(client.publish(sent.clone()).await.unwrap(), outcome);
        assert_eq!(next(&mut messages).await.message, sent);
    }
    nothing_more(&mut messages).await;
    assert_eq!(fixture.chain.messages().len(), 1);
}

#[tokio::test]
async fn a_restart_keeps_durable_messages_and_knows_them() {
    let mut fixture = Fixture::start().await;
    let author = Identity::random().unwrap();
    let sent: Vec<_> = (1..=3)
        .map(|n| message(&author, 1, Class::Durable, n))
        .collect();
    let client = fixture.client().await;
    for (position, one) in (1..).zip(&sent) {
        assert_eq!(
            client.publish(one.clone()).await.unwrap(),
            Outcome::Stored { position }
        );
    }
    fixture.restart().await;
    let client = fixture.client().await;
    let mut messages = client.subscribe(1, Since::Position(2)).await.unwrap();
    assert_eq!(
        client.publish(sent[0].clone()).await.unwrap(),
        Outcome::Stored { position: 1 }
    );
    let new = message(&author, 1, Class::Durable, 4);
    assert_eq!(
        client.publish(new.clone()).await.unwrap(),
        Outcome::Stored { position: 4 }
    );
    for (position, expected) in [(2, &sent[1]), (3, &sent[2]), (4, &new)] {
        assert_eq!(
            next(&mut messages).await,
            Received {
                position,
                message: expected.clone()
            }
        );
    }
    nothing_more(&mut messages).await;
}

#[tokio::test]
async fn history_and_live_messages_of_a_busy_box_come_without_gap_or_repetition() {
    let fixture = Fixture::start().await;
    let (author, writer, reader) = (
        Identity::random().unwrap(),
        fixture.client().await,
        fixture.client().await,
    );
    let publish = async {
        for n in 1..=300 {
            writer
                .publish(message(&author, 1, Class::Durable, n))
                .await
                .unwrap();
        }
    };
    let read = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut messages = reader.subscribe(1, Since::Position(1)).await.unwrap();
        for n in 1..=300 {
            let received = next(&mut messages).await;
            assert_eq!((received.position, received.message.body.sequence), (n, n));
        }
    };
    tokio::join!(publish, read);
}

#[tokio::test]
async fn a_reader_that_does_not_read_stalls_nobody_and_still_gets_what_is_kept() {
    let fixture = Fixture::start().await;
    let relay = fixture.relay.as_ref().unwrap();
    let author = Identity::random().unwrap();
    // A client of the bare protocol, so that really nothing is read from its connection.
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &author, Protocol::relay()).unwrap();
    let connection = endpoint.connect(relay.local_addr(), None).await.unwrap();
    let (mut sender, mut receiver) = connection.open().await.unwrap();
    sender
        .send(&ClientFrame::Hello {
            network: SERVED.network,
            contract: SERVED.contract,
        })
        .await
        .unwrap();
    assert!(matches!(
        receiver.receive().await.unwrap(),
        Some(RelayFrame::Welcome { .. })
    ));
    sender
        .send(&ClientFrame::Subscribe {
            request: 1,
            box_id: 1,
            from: Since::Now,
        })
        .await
        .unwrap();
    assert!(matches!(
        receiver.receive().await.unwrap(),
        Some(RelayFrame::Ack { request: 1, .. })
    ));

    let client = fixture.client().await;
    let mut quick = client.subscribe(1, Since::Now).await.unwrap();
    let payload = Bytes::from(vec![0x21; 50 << 10]);
    for n in 1..=200u64 {
        let class = if n % 20 == 0 {
            Class::Durable
        } else {
            Class::Ephemeral
        };
        let large = Unsigned {
            payload: payload.clone(),
            ..unsigned(&author, 1, class, n)
        };
        client.publish(sign(&author, large)).await.unwrap();
        assert_eq!(next(&mut quick).await.message.body.sequence, n);
    }
    let metrics = fixture.metrics().await;
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("phantasma_relay_dropped_total "))
        .unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 50, "{dropped}");

    let mut kept = Vec::new();
    while kept.len() < 10 {
        let received = tokio::time::timeout(Duration::from_secs(10), receiver.receive())
            .await
            .unwrap()
            .unwrap();
        if let Some(RelayFrame::Deliver {
            position: 1..,
            message,
        }) = received
        {
            kept.push(message.body.sequence);
        }
    }
    assert_eq!(kept, (1..=10).map(|n| n * 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn writes_to_the_chain_go_one_by_one_and_carry_their_outcome() {
    let fixture = Fixture::start().await;
    fixture.chain.write_ms.store(20, Ordering::Relaxed);
    let client = fixture.client().await;
    let authors: Vec<_> = (0..6).map(|_| Identity::random().unwrap()).collect();
    let sent: Vec<_> = authors
        .iter()
        .map(|author| message(author, 1, Class::OnChain, 5))
        .collect();
    let published = futures(sent.iter().map(|one| client.publish(one.clone()))).await;
    for (index, (outcome, one)) in (0..).zip(published.into_iter().zip(&sent)) {
        assert_eq!(
            outcome.unwrap(),
            Outcome::OnChain {
                txid: one.id(),
                index
            }
        );
    }
    assert_eq!(fixture.chain.messages(), sent);
    assert_eq!(fixture.chain.most_at_once.load(Ordering::Relaxed), 1);
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

#[tokio::test]
async fn the_contracts_fault_reaches_the_publisher_and_a_retry_is_not_delivered_again() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    client
        .publish(message(&author, 1, Class::OnChain, 5))
        .await
        .unwrap();
    let bad = message(&author, 1, Class::OnChain, 4);
    for _ in 0..2 {
        let (error, text) = refusal(client.publish(bad.clone()).await);
        assert_eq!(
            (error, text.as_str()),
            (RelayError::Fault, "sequence 4 is not above 5")
        );
    }
    assert_eq!(next(&mut messages).await.message.body.sequence, 5);
    assert_eq!(next(&mut messages).await.message.body.sequence, 4);
    nothing_more(&mut messages).await;
}

#[tokio::test]
async fn without_its_node_a_relay_says_so_and_recovers() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    fixture.chain.fail(true);
    let sent = message(&author, 1, Class::OnChain, 1);
    let (error, text) = refusal(client.publish(sent.clone()).await);
    assert_eq!(
        (error, text.as_str()),
        (
            RelayError::Internal,
            "the relay cannot ask the chain: the node is down"
        )
    );
    fixture.chain.fail(false);
    client
        .publish(message(&author, 1, Class::Ephemeral, 1))
        .await
        .unwrap();
    fixture.chain.fail(true);
    assert_eq!(
        refusal(client.publish(sent.clone()).await).0,
        RelayError::Internal
    );
    fixture.chain.fail(false);
    assert!(matches!(
        client.publish(sent).await.unwrap(),
        Outcome::OnChain { index: 0, .. }
    ));
}

#[tokio::test]
async fn a_full_chain_queue_refuses_and_takes_the_same_message_later() {
    let fixture = Fixture::with(Limits {
        chain_queue: 1,
        ..Limits::default()
    })
    .await;
    fixture.chain.write_ms.store(300, Ordering::Relaxed);
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let sent: Vec<_> = (1..=4)
        .map(|n| message(&author, 1, Class::OnChain, n))
        .collect();
    let outcomes = futures(sent.iter().map(|one| client.publish(one.clone()))).await;
    let refused: Vec<_> = outcomes
        .into_iter()
        .zip(sent)
        .filter(|(outcome, _)| outcome.is_err())
        .collect();
    assert!((1..=3).contains(&refused.len()), "{}", refused.len());
    for (outcome, message) in refused {
        assert_eq!(refusal(outcome).0, RelayError::Limit);
        assert!(matches!(
            client.publish(message).await.unwrap(),
            Outcome::OnChain { .. }
        ));
    }
}

#[tokio::test]
async fn a_taken_udp_port_is_named() {
    let fixture = Fixture::start().await;
    let taken = fixture.relay.as_ref().unwrap().local_addr();
    let folder = tempfile::tempdir().unwrap();
    let mut setup = fixture.setup();
    setup.listen = taken;
    setup.log.folder = folder.path().to_path_buf();
    let error = Relay::start(setup).await.err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("UDP port {} is taken", taken.port())),
        "{error}"
    );
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_tells_subscribers() {
    let mut fixture = Fixture::start().await;
    fixture.chain.write_ms.store(300, Ordering::Relaxed);
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(2, Since::Now).await.unwrap();
    let relay = fixture.relay.take().unwrap();
    let ops = relay.ops_addr();
    assert!(get(ops, "/healthz").await.starts_with("HTTP/1.1 200"));
    let publish = client.publish(message(&author, 1, Class::OnChain, 1));
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        relay.shutdown().await;
    };
    let (outcome, ()) = tokio::join!(publish, stop);
    assert!(matches!(outcome.unwrap(), Outcome::OnChain { .. }));
    let ended = messages.next().await.unwrap_err();
    assert!(
        matches!(
            ended,
            RelayClientError::Refused {
                error: RelayError::Closing,
                ..
            }
        ),
        "{ended}"
    );
    let error = client
        .publish(message(&author, 1, Class::Ephemeral, 2))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::Closing,
                ..
            }
        ),
        "{error}"
    );
    assert!(tokio::net::TcpStream::connect(ops).await.is_err());
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_and_sent_away() {
    let fixture = Fixture::start().await;
    let identity = Identity::random().unwrap();
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &identity, Protocol::relay()).unwrap();
    let address = fixture.relay.as_ref().unwrap().local_addr();
    let connection = endpoint.connect(address, None).await.unwrap();
    let (mut sender, mut receiver) = connection.open().await.unwrap();
    sender.send(&ClientFrame::Ping { nonce: 1 }).await.unwrap();
    let answer = receiver.receive::<RelayFrame>().await.unwrap();
    assert!(
        matches!(
            answer,
            Some(RelayFrame::Error {
                request: 0,
                error: RelayError::Protocol,
                ..
            })
        ),
        "{answer:?}"
    );
    assert!(matches!(
        receiver.receive::<RelayFrame>().await,
        Ok(None) | Err(_)
    ));
}

#[tokio::test]
async fn more_sessions_than_allowed_are_sent_away() {
    let mut limits = Limits::default();
    limits.hub.max_sessions = 2;
    let fixture = Fixture::with(limits).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        if let Ok(Ok(client)) =
            tokio::time::timeout(Duration::from_secs(5), fixture.connect(SERVED)).await
        {
            clients.push(client);
        }
    }
    assert_eq!(clients.len(), 2);
    clients.pop().unwrap().close().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(fixture.connect(SERVED).await.is_ok());
}
