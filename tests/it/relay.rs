//! The relay process between a client and a real chain: messages written for an author who owns no GAS at all.

mod anchored;
mod gates;
mod lasting;
mod merged;
mod peers;
mod web;

use std::{
    io::{BufRead, BufReader},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use neo_client::{Hash160, Hash256, PrivateKey, Wallet};
use phantasma_net::Identity;
use phantasma_sdk::{
    contract::{ContractEvent, Phantasma},
    relay::{ChainId, Outcome, RelayClient, RelayClientError, RelayError, Since},
};
use phantasma_tests::{DeployedPhantasma, NETWORK_MAGIC, ProcessGuard, TestNet, binary};
use phantasma_vm::{data_script, free_gate};
use phantasma_wire::message::{Class, Message, Unsigned};

const PASSWORD: &str = "open sesame";

/// A start or a message takes well under a second; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A chain with the contract and one box that anybody may write to, and a relay's folder with a funded wallet.
struct World {
    net: TestNet,
    deployed: DeployedPhantasma,
    contract: Phantasma,
    box_id: u64,
    folder: tempfile::TempDir,
}

/// A relay process.
struct RelayProcess {
    guard: ProcessGuard,
    address: SocketAddr,
    key: [u8; 33],
}

impl World {
    async fn new() -> Self {
        let net = TestNet::start().await;
        let deployed = net.deploy_phantasma().await;
        let contract = Phantasma::new(net.rpc(), deployed.hash);
        let (box_id, _) = contract
            .create_box(&deployed.owner, "letters", &free_gate())
            .await
            .unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::random().unwrap();
        let mut wallet = Wallet::create(wallet_of(folder.path())).unwrap();
        wallet.add_account(&key, PASSWORD, "relay").unwrap();
        let payer = key.public_key().script_hash().to_address();
        net.fund_gas(&payer, 20_0000_0000).await.unwrap();
        Self {
            net,
            deployed,
            contract,
            box_id,
            folder,
        }
    }

    fn command(&self, listen: &str) -> Command {
        let mut command = Command::new(binary("phantasma-relay"));
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command.args([
            "--listen",
            listen,
            "--ops",
            "127.0.0.1:0",
            "--rpc",
            self.net.rpc_url(),
        ]);
        command.args(["--contract", &self.deployed.hash.to_string()]);
        command.arg("--wallet").arg(wallet_of(self.folder.path()));
        command.arg("--data").arg(self.folder.path().join("data"));
        command
    }

    /// Starts a relay and waits for the line that says where it listens.
    fn relay(&self) -> RelayProcess {
        self.start(self.command("127.0.0.1:0"))
    }

    /// As [`World::relay`] with a file of further settings.
    fn relay_with(&self, config: &Path) -> RelayProcess {
        let mut command = self.command("127.0.0.1:0");
        command.arg("--config").arg(config);
        self.start(command)
    }

    fn start(&self, mut command: Command) -> RelayProcess {
        let output = self.folder.path().join("relay.out");
        command.stdout(std::fs::File::create(&output).unwrap());
        command.stderr(std::fs::File::create(self.folder.path().join("relay.err")).unwrap());
        let mut guard = ProcessGuard::spawn(&mut command);
        let started = Instant::now();
        let line = loop {
            let first = BufReader::new(std::fs::File::open(&output).unwrap())
                .lines()
                .next();
            match first {
                Some(line) => break line.unwrap(),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
            let errors = || std::fs::read_to_string(self.folder.path().join("relay.err")).unwrap();
            assert!(
                guard.exit_status().is_none() && started.elapsed() < PATIENCE,
                "{}",
                errors()
            );
        };
        let words: Vec<&str> = line.split(' ').collect();
        let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1];
        RelayProcess {
            guard,
            address: after("on").parse().unwrap(),
            key: hex::decode(after("key")).unwrap().try_into().unwrap(),
        }
    }

    async fn client(&self, relay: &RelayProcess) -> RelayClient {
        let served = ChainId {
            network: NETWORK_MAGIC,
            contract: self.deployed.hash.0,
        };
        let me = Identity::random().unwrap();
        RelayClient::connect(relay.address, &me, Some(relay.key), served)
            .await
            .unwrap()
    }

    fn message(&self, author: &PrivateKey, class: Class, sequence: u64, text: &[u8]) -> Message {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let unsigned = Unsigned {
            network: NETWORK_MAGIC,
            contract: self.deployed.hash.0,
            author: author.public_key().0,
            box_id: self.box_id,
            sequence,
            time_ms: now.as_millis() as u64,
            class,
            payload: data_script(text).unwrap().into(),
        };
        unsigned.sign(|bytes| author.sign(bytes)).unwrap()
    }
}

fn wallet_of(folder: &Path) -> PathBuf {
    folder.join("wallet.json")
}

#[tokio::test]
async fn an_on_chain_message_is_delivered_at_once_and_stands_on_the_chain_under_its_authors_address()
 {
    let world = World::new().await;
    let relay = world.relay();
    let (writer, reader) = (world.client(&relay).await, world.client(&relay).await);
    let author = PrivateKey::random().unwrap();
    let mut letters = reader.subscribe(world.box_id, Since::Now).await.unwrap();

    let sent = world.message(&author, Class::OnChain, 1, b"hello chain");
    let (outcome, received) = tokio::join!(
        writer.publish(sent.clone()),
        tokio::time::timeout(PATIENCE, letters.next())
    );
    assert_eq!(received.unwrap().unwrap().unwrap().message, sent);
    let Outcome::OnChain { txid, index } = outcome.unwrap() else {
        panic!("not on the chain")
    };
    assert_eq!(index, 0);

    assert_eq!(
        world.contract.content_at(world.box_id, 0).await.unwrap(),
        sent.body.payload
    );
    assert_eq!(
        world
            .contract
            .last_sequence(world.box_id, &author.public_key())
            .await
            .unwrap(),
        1
    );
    let log = world
        .net
        .rpc()
        .get_application_log(&Hash256(txid))
        .await
        .unwrap()
        .unwrap();
    let events = log
        .executions
        .iter()
        .flat_map(|execution| &execution.notifications);
    let written: Vec<_> = events
        .filter_map(|event| ContractEvent::parse(&world.deployed.hash, event))
        .collect();
    let author: Hash160 = author.public_key().script_hash();
    assert_eq!(
        written,
        [ContractEvent::ContentWritten {
            box_id: world.box_id,
            index: 0,
            author
        }]
    );
}

#[tokio::test]
async fn the_contracts_own_words_reach_the_publisher_of_a_used_sequence() {
    let world = World::new().await;
    let relay = world.relay();
    let client = world.client(&relay).await;
    let author = PrivateKey::random().unwrap();
    client
        .publish(world.message(&author, Class::OnChain, 5, b"first"))
        .await
        .unwrap();
    let error = client
        .publish(world.message(&author, Class::OnChain, 5, b"again"))
        .await
        .unwrap_err();
    let RelayClientError::Refused {
        error: RelayError::Fault,
        text,
    } = &error
    else {
        panic!("{error}")
    };
    assert!(text.contains("sequence"), "{text}");
    assert_eq!(world.contract.content_count(world.box_id).await.unwrap(), 1);
    let missing = Unsigned {
        box_id: 99,
        ..world.message(&author, Class::OnChain, 6, b"nowhere").body
    };
    let error = client
        .publish(missing.sign(|bytes| author.sign(bytes)).unwrap())
        .await
        .unwrap_err();
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
async fn a_killed_relay_has_every_message_that_it_acknowledged() {
    let world = World::new().await;
    let relay = world.relay();
    let author = PrivateKey::random().unwrap();
    let client = world.client(&relay).await;
    for n in 1..=20 {
        let stored = client
            .publish(world.message(&author, Class::Durable, n, b"keep me"))
            .await
            .unwrap();
        assert_eq!(stored, Outcome::Stored { position: n });
    }
    relay.guard.kill();
    let relay = world.relay();
    let client = world.client(&relay).await;
    let mut letters = client
        .subscribe(world.box_id, Since::Position(0))
        .await
        .unwrap();
    for n in 1..=20 {
        let received = tokio::time::timeout(PATIENCE, letters.next())
            .await
            .unwrap()
            .unwrap()
            .unwrap();
        assert_eq!((received.position, received.message.body.sequence), (n, n));
    }
}

#[tokio::test]
async fn sigterm_lets_a_running_write_finish_and_ends_with_success() {
    let world = World::new().await;
    let mut relay = world.relay();
    let client = world.client(&relay).await;
    let author = PrivateKey::random().unwrap();
    let pid = relay.guard.id().to_string();
    let terminate = async {
        // The write is on its way, its block is not there yet.
        tokio::time::sleep(Duration::from_millis(30)).await;
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
    };
    let publish = client.publish(world.message(&author, Class::OnChain, 1, b"last words"));
    let (outcome, ()) = tokio::join!(publish, terminate);
    assert!(matches!(
        outcome.unwrap(),
        Outcome::OnChain { index: 0, .. }
    ));
    let started = Instant::now();
    let status = loop {
        match relay.guard.exit_status() {
            Some(status) => break status,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
        assert!(started.elapsed() < PATIENCE, "it does not end");
    };
    assert!(status.success(), "{status}");
    assert_eq!(world.contract.content_count(world.box_id).await.unwrap(), 1);
}

#[tokio::test]
async fn a_start_that_cannot_work_says_why() {
    let world = World::new().await;
    let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    let nobody = "127.0.0.1:0";
    let fails = |command: &mut Command, expected: &str| {
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && text.contains(expected),
            "{expected}: {text}"
        );
    };
    fails(
        &mut world.command(&taken.to_string()),
        &format!("UDP port {} is taken", taken.port()),
    );
    fails(
        world.command(nobody).env("PHANTASMA_PASSWORD", "wrong"),
        "password",
    );
    fails(
        world.command(nobody).env_remove("PHANTASMA_PASSWORD"),
        "--password-file",
    );
    fails(world.command(nobody).args(["--network", "7"]), "not 7");
    let serving = |rpc: &str| {
        let mut command = Command::new(binary("phantasma-relay"));
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .arg("--wallet")
            .arg(wallet_of(world.folder.path()))
            .args(["--rpc", rpc, "--contract", &Hash160([1; 20]).to_string()])
            .args(["--listen", nobody, "--ops", nobody]);
        command
    };
    fails(
        &mut serving(world.net.rpc_url()),
        "knows no contract 0x0101",
    );
    let mut nowhere = serving("http://127.0.0.1:9");
    fails(&mut nowhere, "cannot reach http://127.0.0.1:9");
}
