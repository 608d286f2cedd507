//! Relays that are linked with each other.

use std::collections::BTreeSet;
use std::net::UdpSocket;

use phantasma_net::{Connection, FrameReceiver, FrameSender, control};
use phantasma_wire::relay::LinkFrame;

use super::*;
use crate::chain::Change;
use crate::peer::FindSettings;

const PATIENCE: Duration = Duration::from_secs(30);
const SETTLED: Duration = Duration::from_secs(2);

/// Relays that know each other as `edges` say, by the one with the smaller number.
pub(super) async fn linked(count: usize, edges: &[(usize, usize)]) -> Vec<Fixture> {
    let identities: Vec<_> = (0..count).map(|_| Identity::random().unwrap()).collect();
    let addresses: Vec<_> = (0..count).map(|_| free_port()).collect();
    let mut all = Vec::new();
    for number in 0..count {
        let known = edges.iter().filter_map(|(from, to)| match number {
            number if number == *from => Some(*to),
            number if number == *to => Some(*from),
            _ => None,
        });
        let known =
            known.map(|other| (identities[other].public_key(), addresses[other].to_string()));
        let peers = settings(addresses[number], known.collect());
        let mut fixture = Fixture {
            relay: None,
            chain: Arc::new(MemoryChain::with_boxes([1, 2])),
            identity: identities[number].clone(),
            folder: tempfile::tempdir().unwrap(),
            limits: Limits::default(),
            web: None,
            peers: Some(peers),
        };
        fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
        all.push(fixture);
    }
    // Both of an edge dial, and the later of two connections goes away a moment after; live messages on it are lost.
    for settled in [false, true] {
        for (number, fixture) in all.iter().enumerate() {
            let of_it = edges.iter().filter(|(a, b)| *a == number || *b == number);
            fixture.wait_for_links(of_it.count()).await;
        }
        if !settled {
            tokio::time::sleep(SETTLED).await;
        }
    }
    all
}

fn settings(listen: SocketAddr, known: Vec<(PublicKey, String)>) -> PeerSettings {
    PeerSettings {
        listen,
        known,
        boxes: BTreeSet::new(),
        open: false,
        max_links: 16,
        find: None,
    }
}

/// A port that was free just now, so that relays can be told of each other before they start.
fn free_port() -> SocketAddr {
    UdpSocket::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

impl Fixture {
    async fn health(&self) -> String {
        get(self.relay.as_ref().unwrap().ops_addr(), "/healthz").await
    }

    async fn wait_for_links(&self, count: usize) {
        let began = Instant::now();
        loop {
            let health = self.health().await;
            if health.matches(" linked for ").count() == count {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{health}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn metric(&self, name: &str) -> u64 {
        let text = self.metrics().await;
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(&format!("phantasma_relay_{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .parse()
            .unwrap()
    }
}

async fn listen(relays: &[Fixture], since: Since) -> Vec<(RelayClient, Messages)> {
    let mut listening = Vec::new();
    for relay in relays {
        let client = relay.client().await;
        let messages = client.subscribe(1, since).await.unwrap();
        listening.push((client, messages));
    }
    listening
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_of_any_class_reaches_the_listeners_of_all_relays_once() {
    // All know all: there are more ways than one.
    let relays = linked(3, &[(0, 1), (1, 2), (0, 2)]).await;
    let mut listening = listen(&relays, Since::Now).await;
    let author = Identity::random().unwrap();
    let mut sent = Vec::new();
    for sequence in 1..=30u64 {
        let class = match sequence % 3 {
            0 => Class::Ephemeral,
            1 => Class::Durable,
            _ => Class::OnChain,
        };
        let message = message(&author, 1, class, sequence);
        let (client, _) = &listening[sequence as usize % 3];
        client.publish(message.clone()).await.unwrap();
        sent.push(message);
    }
    for (number, (_, messages)) in listening.iter_mut().enumerate() {
        let mut got = Vec::new();
        while got.len() < sent.len() {
            let more = tokio::time::timeout(PATIENCE, messages.next()).await;
            let Ok(more) = more else {
                let lost = sent.iter().filter(|one| !got.contains(*one));
                let lost: Vec<_> = lost.map(|one| one.body.sequence).collect();
                panic!(
                    "relay {number} lost {lost:?}; {}",
                    relays[number].metrics().await
                );
            };
            got.push(more.unwrap().unwrap().message);
        }
        nothing_more(messages).await;
        got.sort_by_key(|message| message.body.sequence);
        assert_eq!(got, sent, "relay {number}");
    }
    // Each wrote to the chain what was published there, and nothing else.
    let written = relays.iter().map(|relay| relay.chain.messages().len());
    assert_eq!(written.sum::<usize>(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn kept_messages_go_through_relays_in_their_authors_order_and_into_every_log() {
    // A line: the last knows the first only by the one between.
    let mut relays = linked(3, &[(0, 1), (1, 2)]).await;
    let author = Identity::random().unwrap();
    let client = relays[0].client().await;
    let bodies = (1..=200u64).map(|n| unsigned(&author, 1, Class::Durable, n));
    let messages: Vec<_> = bodies.map(|body| sign(&author, body)).collect();
    let published = messages.iter().map(|one| client.publish(one.clone()));
    for outcome in futures(published).await {
        assert!(matches!(outcome.unwrap(), Outcome::Stored { .. }));
    }
    for relay in &relays {
        let client = relay.client().await;
        let mut got = client.subscribe(1, Since::Position(1)).await.unwrap();
        for expected in &messages {
            assert_eq!(next(&mut got).await.message, *expected);
        }
        nothing_more(&mut got).await;
    }
    // In the last relay's own log, so also after it was away with the others.
    relays.remove(0);
    relays.remove(0);
    relays[0].restart().await;
    let client = relays[0].client().await;
    let mut got = client.subscribe(1, Since::Position(1)).await.unwrap();
    for expected in &messages {
        assert_eq!(next(&mut got).await.message, *expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_was_away_catches_up_with_what_it_missed_once() {
    let mut relays = linked(3, &[(0, 1), (1, 2), (0, 2)]).await;
    let author = Identity::random().unwrap();
    let client = relays[0].client().await;
    let keep = |n| message(&author, 1, Class::Durable, n);
    for n in 1..=20 {
        client.publish(keep(n)).await.unwrap();
    }
    let (away, _) = listen(&relays[2..], Since::Position(1)).await.remove(0);
    let mut seen = away.subscribe(1, Since::Position(1)).await.unwrap();
    for _ in 1..=20 {
        next(&mut seen).await;
    }
    relays[2].relay.take().unwrap().shutdown().await;
    for n in 21..=60 {
        client.publish(keep(n)).await.unwrap();
    }
    let setup = relays[2].setup();
    relays[2].relay = Some(Relay::start(setup).await.unwrap());
    let back = relays[2].client().await;
    let mut all = back.subscribe(1, Since::Position(1)).await.unwrap();
    for n in 1..=60 {
        let got = next(&mut all).await;
        assert_eq!((got.position, got.message.body.sequence), (n, n));
    }
    nothing_more(&mut all).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_passes_on_only_the_boxes_that_both_serve() {
    let (one, other) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (at_one, at_other) = (free_port(), free_port());
    let mut relays = Vec::new();
    for (identity, at, to, to_at) in [
        (&one, at_one, &other, at_other),
        (&other, at_other, &one, at_one),
    ] {
        let mut fixture = Fixture {
            peers: Some(settings(at, vec![(to.public_key(), to_at.to_string())])),
            relay: None,
            chain: Arc::new(MemoryChain::with_boxes([1, 2])),
            identity: identity.clone(),
            folder: tempfile::tempdir().unwrap(),
            limits: Limits::default(),
            web: None,
        };
        if relays.is_empty() {
            fixture.peers.as_mut().unwrap().boxes = BTreeSet::from([1]);
        }
        fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
        relays.push(fixture);
    }
    relays[0].wait_for_links(1).await;
    let author = Identity::random().unwrap();
    let client = relays[1].client().await;
    let listener = relays[0].client().await;
    let mut private = listener.subscribe(2, Since::Now).await.unwrap();
    let mut shared = listener.subscribe(1, Since::Now).await.unwrap();
    for (box_id, class) in [
        (2, Class::Durable),
        (2, Class::Ephemeral),
        (1, Class::Durable),
        (1, Class::Ephemeral),
    ] {
        client
            .publish(message(&author, box_id, class, 5))
            .await
            .unwrap();
    }
    next(&mut shared).await;
    next(&mut shared).await;
    nothing_more(&mut private).await;
}

/// One end of a link that says what it likes.
struct Liar {
    connection: Connection,
    sender: FrameSender,
    receiver: FrameReceiver,
    _endpoint: Endpoint,
}

impl Liar {
    async fn link(identity: &Identity, to: &Fixture) -> Self {
        let any = "127.0.0.1:0".parse().unwrap();
        let endpoint = Endpoint::bind(any, identity, Protocol::relay_link()).unwrap();
        let address = to.relay.as_ref().unwrap().links_addr().unwrap();
        let connection = endpoint.connect(address, None).await.unwrap();
        let (mut sender, receiver) = connection.open().await.unwrap();
        let hello = LinkFrame::Hello {
            network: SERVED.network,
            contract: SERVED.contract,
            run: 1,
            boxes: Vec::new(),
        };
        sender.send(&hello).await.unwrap();
        Self {
            connection,
            sender,
            receiver,
            _endpoint: endpoint,
        }
    }

    /// The number of the relay's wish to read this one's log.
    async fn asked(&mut self) -> u32 {
        loop {
            let frame = tokio::time::timeout(PATIENCE, self.receiver.receive()).await;
            if let Some(LinkFrame::Follow { number, .. }) = frame.unwrap().unwrap() {
                return number;
            }
        }
    }

    async fn ended(&self) -> String {
        let ended = tokio::time::timeout(PATIENCE, self.connection.closed());
        ended.await.unwrap()
    }
}

/// Why a relay does not want a link.
async fn refused(identity: &Identity, by: &Fixture) -> String {
    let any = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind(any, identity, Protocol::relay_link()).unwrap();
    let address = by.relay.as_ref().unwrap().links_addr().unwrap();
    let connection = endpoint.connect(address, None).await.unwrap();
    let closed = tokio::time::timeout(PATIENCE, connection.closed());
    closed.await.unwrap()
}

fn forged(author: &Identity, class: Class, sequence: u64) -> Message {
    let mut message = message(author, 1, class, sequence);
    message.signature[7] ^= 1;
    message
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_that_lies_is_cut_and_kept_away_and_nobody_hears_its_lies() {
    let liar = Identity::random().unwrap();
    let mut fixture = Fixture::start().await;
    for class in [Class::Ephemeral, Class::Durable] {
        fixture.relay.take().unwrap().shutdown().await;
        let known = vec![(liar.public_key(), "127.0.0.1:9".to_owned())];
        fixture.peers = Some(settings("127.0.0.1:0".parse().unwrap(), known));
        fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
        let client = fixture.client().await;
        let mut heard = client.subscribe(1, Since::Now).await.unwrap();
        let author = Identity::random().unwrap();

        let mut link = Liar::link(&liar, &fixture).await;
        let number = link.asked().await;
        let restart = LinkFrame::Restart { number, whole: 0 };
        link.sender.send(&restart).await.unwrap();
        let say = |message: Message, position| match class {
            Class::Ephemeral | Class::OnChain => LinkFrame::Push { message },
            Class::Durable => LinkFrame::Kept { position, message },
        };
        // A true message is taken from anybody.
        let good = message(&author, 1, class, 1);
        link.sender.send(&say(good.clone(), 1)).await.unwrap();
        assert_eq!(next(&mut heard).await.message, good);
        for n in 2..=9 {
            // The link may be cut before all are sent.
            let _ = link.sender.send(&say(forged(&author, class, n), n)).await;
        }
        let reason = link.ended().await;
        assert!(reason.contains("forged"), "{reason}");
        nothing_more(&mut heard).await;
        assert_eq!(fixture.metric("link_cut_total").await, 1);
        let health = fixture.health().await;
        assert!(
            health.contains("kept away, score 0, cut 1 times"),
            "{health}"
        );

        let reason = refused(&liar, &fixture).await;
        assert!(reason.contains("links with others only"), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_and_senseless_frames_are_sent_away() {
    let mut fixture = Fixture::start().await;
    fixture.relay.take().unwrap().shutdown().await;
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    fixture.peers = Some(settings(any, Vec::new()));
    fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
    let reason = refused(&Identity::random().unwrap(), &fixture).await;
    assert!(reason.contains("links with others only"), "{reason}");

    fixture.relay.take().unwrap().shutdown().await;
    fixture.peers.as_mut().unwrap().open = true;
    fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
    let someone = Identity::random().unwrap();
    // A log that runs backwards, a message of the wrong kind, and a second hello.
    let author = Identity::random().unwrap();
    let mut link = Liar::link(&someone, &fixture).await;
    let number = link.asked().await;
    let id = [5; 32];
    let box_id = 1;
    let frames = [
        LinkFrame::Restart { number, whole: 0 },
        LinkFrame::KeptId {
            position: 5,
            box_id,
            id,
        },
        LinkFrame::KeptId {
            position: 4,
            box_id,
            id,
        },
        LinkFrame::Push {
            message: message(&author, 1, Class::Durable, 1),
        },
    ];
    for frame in frames {
        link.sender.send(&frame).await.unwrap();
    }
    let began = Instant::now();
    while fixture.metric("link_bad_total").await < 2 {
        assert!(began.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    fixture.wait_for_links(1).await;
    let hello = LinkFrame::Hello {
        network: SERVED.network,
        contract: SERVED.contract,
        run: 1,
        boxes: Vec::new(),
    };
    link.sender.send(&hello).await.unwrap();
    link.ended().await;
    assert_eq!(fixture.metric("link_cut_total").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_of_a_box_find_each_other_in_the_hash_table() {
    let mut relays: Vec<Fixture> = Vec::new();
    for _ in 0..3 {
        let bootstrap = relays.first().map(|first| control::Bootstrap {
            address: first.relay.as_ref().unwrap().control_addr().unwrap(),
            public_key: Some(first.identity.public_key()),
        });
        let listen = free_port();
        let peers = PeerSettings {
            open: true,
            find: Some(FindSettings {
                listen: "127.0.0.1:0".parse().unwrap(),
                public: listen.to_string(),
                bootstrap: bootstrap.into_iter().collect(),
            }),
            ..settings(listen, Vec::new())
        };
        let mut fixture = Fixture {
            relay: None,
            chain: Arc::new(MemoryChain::with_boxes([1, 2])),
            identity: Identity::random().unwrap(),
            folder: tempfile::tempdir().unwrap(),
            limits: Limits::default(),
            web: None,
            peers: Some(peers),
        };
        fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
        relays.push(fixture);
    }
    for relay in &relays {
        relay.wait_for_links(2).await;
    }
    let mut listening = listen(&relays, Since::Now).await;
    let author = Identity::random().unwrap();
    let sent = message(&author, 1, Class::Ephemeral, 1);
    listening[2].0.publish(sent.clone()).await.unwrap();
    for (_, messages) in &mut listening {
        assert_eq!(next(messages).await.message, sent);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gate_refuses_what_comes_over_a_link_too() {
    // `STATE own`: nobody here owns a box. Only the second relay has heard of the gate.
    const OWNER: [u8; 2] = [0xEA, 3];
    let relays = linked(2, &[(0, 1)]).await;
    relays[1].chain.set_gate(1, &OWNER);
    relays[1].chain.tell(Change::Box(1));
    let mut listening = listen(&relays, Since::Now).await;
    let mut open = relays[1].client().await;
    let mut open_box = open.subscribe(2, Since::Now).await.unwrap();
    let author = Identity::random().unwrap();
    let sender = relays[0].client().await;
    for (sequence, class) in [
        (1, Class::Ephemeral),
        (2, Class::OnChain),
        (3, Class::Durable),
    ] {
        let sent = message(&author, 1, class, sequence);
        sender.publish(sent.clone()).await.unwrap();
        assert_eq!(next(&mut listening[0].1).await.message, sent);
    }
    // Messages of another box, published later, show that the link is alive.
    for (sequence, class) in [(1, Class::Ephemeral), (2, Class::Durable)] {
        let sent = message(&author, 2, class, sequence);
        sender.publish(sent.clone()).await.unwrap();
        assert_eq!(next(&mut open_box).await.message, sent);
    }
    nothing_more(&mut listening[1].1).await;
    open = relays[1].client().await;
    let mut kept = open.subscribe(1, Since::Position(1)).await.unwrap();
    nothing_more(&mut kept).await;
}
