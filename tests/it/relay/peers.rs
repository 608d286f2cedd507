//! Relay processes that are linked with each other.

use std::collections::BTreeSet;
use std::net::UdpSocket;

use phantasma_net::{Endpoint, Protocol};
use phantasma_sdk::relay::Messages;
use phantasma_wire::relay::LinkFrame;

use super::*;

/// A relay's own folder, key and address for links, which stay over its deaths.
struct Site {
    folder: PathBuf,
    key: PrivateKey,
    links: SocketAddr,
}

/// A running one.
struct Running {
    process: RelayProcess,
    ops: SocketAddr,
}

impl Site {
    fn new(world: &World, name: &str) -> Self {
        let folder = world.folder.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        let key = PrivateKey::random().unwrap();
        let mut wallet = Wallet::create(wallet_of(&folder)).unwrap();
        wallet.add_account(&key, PASSWORD, "relay").unwrap();
        // Free just now: the others have to know it before it is taken.
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let links = socket.local_addr().unwrap();
        Self { folder, key, links }
    }

    fn peer(&self) -> String {
        format!("{}@{}", hex::encode(self.key.public_key().0), self.links)
    }

    /// Starts it; `others` go in by flags, or by the file of `config`.
    fn start(&self, world: &World, others: &[&Site], config: Option<&str>) -> Running {
        let mut command = Command::new(binary("phantasma-relay"));
        let nobody = "127.0.0.1:0";
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .args(["--listen", nobody, "--ops", nobody])
            .args(["--rpc", world.net.rpc_url()])
            .args(["--contract", &world.deployed.hash.to_string()])
            .args(["--peers-listen", &self.links.to_string()])
            .arg("--wallet")
            .arg(wallet_of(&self.folder))
            .arg("--data")
            .arg(self.folder.join("data"));
        match config {
            Some(text) => {
                let path = self.folder.join("relay.toml");
                std::fs::write(&path, text).unwrap();
                command.arg("--config").arg(path);
            }
            None => {
                for other in others {
                    command.args(["--peer", &other.peer()]);
                }
            }
        }
        let process = world.start(command);
        let line = std::fs::read_to_string(world.folder.path().join("relay.out")).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let at = words.iter().position(|word| *word == "ops").unwrap();
        assert!(line.contains(&format!(" links {}", self.links)), "{line}");
        Running {
            process,
            ops: words[at + 1].parse().unwrap(),
        }
    }
}

impl Running {
    async fn health(&self) -> String {
        let url = format!("http://{}/healthz", self.ops);
        reqwest::get(url).await.unwrap().text().await.unwrap()
    }

    async fn wait_for(&self, count: usize, words: &str) {
        let started = Instant::now();
        loop {
            let health = self.health().await;
            if health.matches(words).count() == count {
                return;
            }
            assert!(started.elapsed() < PATIENCE, "{count} {words:?}: {health}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

async fn next(messages: &mut Messages) -> (u64, Message) {
    let received = tokio::time::timeout(PATIENCE, messages.next()).await;
    let received = received.unwrap().unwrap().unwrap();
    (received.position, received.message)
}

async fn nothing_more(messages: &mut Messages) {
    let more = tokio::time::timeout(Duration::from_millis(500), messages.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn three_relays_bring_each_message_to_all_listeners_once_also_after_one_was_killed() {
    let world = World::new().await;
    let sites = ["a", "b", "c"].map(|name| Site::new(&world, name));
    let [a, b, c] = &sites;
    // One of them is told by its file, and nothing of the last one.
    let file = format!("[peers]\nrelays = [{:?}]\nopen = true\n", a.peer());
    let relays = [
        a.start(&world, &[b, c], None),
        b.start(&world, &[], Some(&file)),
        c.start(&world, &[a, b], None),
    ];
    for settled in [false, true] {
        for relay in &relays {
            relay.wait_for(2, " linked for ").await;
        }
        // Two of them dial each other, and the later connection goes away a moment after, with the live messages on it.
        if !settled {
            tokio::time::sleep(Duration::from_secs(3)).await;
        }
    }
    let mut clients = Vec::new();
    for relay in &relays {
        clients.push(world.client(&relay.process).await);
    }
    let mut listening = Vec::new();
    for client in &clients {
        listening.push(client.subscribe(world.box_id, Since::Now).await.unwrap());
    }
    let author = PrivateKey::random().unwrap();
    let mut sent = BTreeSet::new();
    for n in 1..=30 {
        let class = match n % 2 {
            0 => Class::Ephemeral,
            _ => Class::Durable,
        };
        let message = world.message(&author, class, n, b"to all");
        clients[n as usize % 3].publish(message).await.unwrap();
        sent.insert(n);
    }
    for messages in &mut listening {
        let mut got = BTreeSet::new();
        while got != sent {
            let more = tokio::time::timeout(PATIENCE, messages.next()).await;
            let Ok(more) = more else {
                panic!("{:?} did not come", sent.difference(&got));
            };
            let sequence = more.unwrap().unwrap().message.body.sequence;
            assert!(got.insert(sequence), "{sequence} came twice");
        }
        nothing_more(messages).await;
    }

    // The third dies without a word; what it misses comes when it is back, and nothing comes again.
    let [first, second, third] = relays;
    let mut seen = Vec::new();
    let reader = world.client(&third.process).await;
    let mut history = reader
        .subscribe(world.box_id, Since::Position(1))
        .await
        .unwrap();
    for _ in 0..15 {
        seen.push(next(&mut history).await);
    }
    third.process.guard.kill();
    for n in 31..=50 {
        let message = world.message(&author, Class::Durable, n, b"meanwhile");
        clients[n as usize % 2].publish(message).await.unwrap();
    }
    let third = c.start(&world, &[a, b], None);
    third.wait_for(2, " linked for ").await;
    let client = world.client(&third.process).await;
    let from = Since::Position(seen.last().unwrap().0 + 1);
    let mut resumed = client.subscribe(world.box_id, from).await.unwrap();
    let mut missed = BTreeSet::new();
    for _ in 31..=50 {
        let (_, message) = next(&mut resumed).await;
        assert!(missed.insert(message.body.sequence), "twice");
    }
    nothing_more(&mut resumed).await;
    assert_eq!(missed, (31..=50).collect());
    for messages in &mut listening[..2] {
        let mut got = BTreeSet::new();
        for _ in 31..=50 {
            assert!(got.insert(next(messages).await.1.body.sequence), "twice");
        }
        nothing_more(messages).await;
    }
    drop((first, second));
}

#[tokio::test]
async fn a_relay_that_passes_on_forged_messages_is_kept_away() {
    let world = World::new().await;
    let site = Site::new(&world, "a");
    let liar = Identity::random().unwrap();
    let relay = site.start(&world, &[], Some("[peers]\nopen = true\n"));
    let client = world.client(&relay.process).await;
    let mut letters = client.subscribe(world.box_id, Since::Now).await.unwrap();

    let any = "127.0.0.1:0".parse().unwrap();
    let endpoint = Endpoint::bind(any, &liar, Protocol::relay_link()).unwrap();
    let connection = endpoint
        .connect(site.links, Some(relay.process.key))
        .await
        .unwrap();
    let (mut sender, _receiver) = connection.open().await.unwrap();
    let hello = LinkFrame::Hello {
        network: NETWORK_MAGIC,
        contract: world.deployed.hash.0,
        run: 1,
        boxes: Vec::new(),
    };
    sender.send(&hello).await.unwrap();
    let author = PrivateKey::random().unwrap();
    let message = world.message(&author, Class::Ephemeral, 1, b"true");
    let push = LinkFrame::Push {
        message: message.clone(),
    };
    sender.send(&push).await.unwrap();
    assert_eq!(next(&mut letters).await.1, message);
    for n in 2..=6 {
        let mut message = world.message(&author, Class::Ephemeral, n, b"false");
        message.signature[0] ^= 1;
        // Cut before the last ones.
        let _ = sender.send(&LinkFrame::Push { message }).await;
    }
    let closed = tokio::time::timeout(PATIENCE, connection.closed());
    let reason = closed.await.unwrap();
    assert!(reason.contains("forged"), "{reason}");
    relay.wait_for(1, "kept away, score 0, cut 1 times").await;
    nothing_more(&mut letters).await;
}
