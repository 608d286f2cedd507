//! A chain with a box, and relay processes on one folder and port that can be killed and started again.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use neo_client::{Hash160, PrivateKey, Wallet};
use phantasma::net::process::{self, NodeFiles, stop_child};
use phantasma_net::Identity;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError};
use phantasma_vm::free_gate;

use crate::{
    DeployedPhantasma, NETWORK_MAGIC, PrivateNetConfig, ProcessGuard, Store, TestNet, binary,
};

const PASSWORD: &str = "open sesame";

/// A start takes well under a second; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(60);

/// After so long a client takes its relay for gone and connects anew.
pub const GONE: Duration = Duration::from_secs(3);

/// A chain with the contract and one box that anybody may write to.
#[derive(Debug)]
pub struct World {
    pub net: TestNet,
    deployed: DeployedPhantasma,
    pub box_id: u64,
    /// Another one.
    pub second_box: u64,
    folder: tempfile::TempDir,
    /// The chain's node after a restart.
    node: Mutex<Option<Child>>,
}

/// A relay's place: its port and its data stay when its process ends.
#[derive(Debug)]
pub struct RelayPlace {
    port: u16,
    folder: tempfile::TempDir,
    config: String,
    process: Option<ProcessGuard>,
    pub key: [u8; 33],
}

impl World {
    pub async fn new() -> Self {
        let config = PrivateNetConfig {
            store: Store::Disk,
            ..PrivateNetConfig::default()
        };
        let net = TestNet::with(config).await;
        let deployed = net.deploy_phantasma().await;
        let contract = Phantasma::new(net.rpc(), deployed.hash);
        let gate = free_gate();
        let created = contract.create_box(&deployed.owner, "letters", &gate);
        let (box_id, _) = created.await.unwrap();
        let created = contract.create_box(&deployed.owner, "more_letters", &gate);
        let (second_box, _) = created.await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let key = PrivateKey::random().unwrap();
        let mut wallet = Wallet::create(wallet_of(folder.path())).unwrap();
        wallet.add_account(&key, PASSWORD, "relay").unwrap();
        Self {
            net,
            deployed,
            box_id,
            second_box,
            folder,
            node: Mutex::default(),
        }
    }

    pub fn served(&self) -> ChainId {
        ChainId {
            network: NETWORK_MAGIC,
            contract: self.deployed.hash.0,
        }
    }

    /// The contract's hash.
    pub fn contract(&self) -> Hash160 {
        self.deployed.hash
    }

    /// The private key of the box's owner, who has GAS.
    pub fn owner_wif(&self) -> String {
        self.deployed.owner.key.to_wif().to_string()
    }

    /// A place for a relay with lines for its configuration file; no process yet.
    pub fn place(&self, config: &str) -> RelayPlace {
        RelayPlace {
            port: lasting_udp_port(),
            folder: tempfile::tempdir().unwrap(),
            config: config.to_owned(),
            process: None,
            key: [0; 33],
        }
    }

    /// Starts the relay of a place. With `max_kib` no file of it may grow larger: a full disk.
    pub fn start(&self, place: &mut RelayPlace, max_kib: Option<usize>) {
        let config = place.folder.path().join("relay.toml");
        std::fs::write(&config, &place.config).unwrap();
        let relay = binary("phantasma-relay");
        // The signal of the limit is ignored, so that the write fails instead.
        let limit = max_kib.map_or(String::new(), |kib| {
            format!("trap '' XFSZ; ulimit -f {}; ", kib * 1024 / 512)
        });
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{limit}exec \"$0\" \"$@\"")]);
        command.arg(relay).arg("--config").arg(&config);
        command.args(["--listen", &format!("127.0.0.1:{}", place.port)]);
        command.args(["--ops", "127.0.0.1:0", "--rpc", self.net.rpc_url()]);
        command.args(["--contract", &self.deployed.hash.to_string()]);
        command.arg("--wallet").arg(wallet_of(self.folder.path()));
        command.arg("--data").arg(place.folder.path().join("data"));
        let output = place.folder.path().join("relay.out");
        let errors = place.folder.path().join("relay.err");
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(File::create(&errors).unwrap());
        let mut process = ProcessGuard::spawn(&mut command);
        let started = Instant::now();
        let line = loop {
            let text = std::fs::read_to_string(&output).unwrap();
            if let Some((line, _)) = text.split_once('\n') {
                break line.to_owned();
            }
            let running = process.exit_status().is_none() && started.elapsed() < PATIENCE;
            assert!(running, "{}", std::fs::read_to_string(&errors).unwrap());
            std::thread::sleep(Duration::from_millis(5));
        };
        let key = line.split(' ').skip_while(|word| *word != "key").nth(1);
        place.key = hex::decode(key.unwrap()).unwrap().try_into().unwrap();
        place.process = Some(process);
    }

    /// Connects to the relay of a place directly.
    pub async fn connect(&self, place: &RelayPlace) -> Result<RelayClient, RelayClientError> {
        self.connect_to(place.address(), place.key).await
    }

    /// Connects over `address`, which leads to a relay with this key. Gives up after [`GONE`].
    pub async fn connect_to(
        &self,
        address: SocketAddr,
        key: [u8; 33],
    ) -> Result<RelayClient, RelayClientError> {
        let me = Identity::random().unwrap();
        let connecting = RelayClient::connect(address, &me, Some(key), self.served());
        match tokio::time::timeout(GONE, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(RelayClientError::NoAnswer),
        }
    }

    /// Stops the chain's node.
    pub fn stop_chain(&self) {
        if let Some(mut node) = self.node.lock().unwrap().take() {
            return stop_child(&mut node);
        }
        // Its parent has not asked for its end yet, so an ended node is still listed, as a zombie.
        let stat = format!("/proc/{}/stat", self.net.pid());
        let gone = || std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(") Z "));
        assert!(process::stop(self.net.pid(), gone), "the node goes on");
    }

    /// Starts the node again, on the same chain.
    pub async fn start_chain(&self) {
        let files = NodeFiles {
            dir: self.net.dir().to_path_buf(),
        };
        let node = process::spawn(self.net.neogo(), &files, false).unwrap();
        *self.node.lock().unwrap() = Some(node);
        let started = Instant::now();
        while self.net.rpc().get_block_count().await.is_err() {
            assert!(started.elapsed() < PATIENCE, "the node does not come back");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(mut node) = self.node.lock().unwrap().take() {
            stop_child(&mut node);
        }
    }
}

impl RelayPlace {
    /// Where the relay itself listens.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Key and address, as clients write them.
    pub fn peer(&self) -> String {
        format!("{}@{}", hex::encode(self.key), self.address())
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Kills the process, as a crash would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// What the relay wrote to its log.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("relay.err")).unwrap_or_default()
    }
}

/// A port that stays free while its relay is being started again: below those that the system gives to other sockets.
fn lasting_udp_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = std::process::id() as u16;
    loop {
        let number = first
            .wrapping_mul(97)
            .wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = 12_000 + number % 20_000;
        if UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}

fn wallet_of(folder: &Path) -> PathBuf {
    folder.join("wallet.json")
}
