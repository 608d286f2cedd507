//! Three storage node processes, a real contract on a real chain, one node killed: the file is still there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use neo_client::{Hash160, PrivateKey, Wallet};
use phantasma_net::Identity;
use phantasma_sdk::{
    content::{self, ContentError, ContentKey, PutOptions, Source},
    contract::{ContentMode, ContentOrder, Phantasma, Priority},
    pdfs::{Client, NodeAddress, PdfsError, parse_node},
};
use phantasma_tests::{ProcessGuard, TestNet, binary};
use phantasma_wire::pdfs::Refusal;

pub(crate) const PASSWORD: &str = "correct horse";

/// A node's start takes a second; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(60);

/// A storage node as a process.
pub(crate) struct Process {
    pub(crate) guard: ProcessGuard,
    pub(crate) log: PathBuf,
    pub(crate) node: NodeAddress,
    /// Of the gateway, `host:port`.
    pub(crate) http: String,
    control: String,
}

/// What each node is told.
pub(crate) struct Fleet<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) rpc: String,
    pub(crate) contract: Hash160,
}

impl Fleet<'_> {
    /// The command of node `n` on its data and wallet, joining `others`.
    fn command(&self, n: usize, others: &[&Process]) -> Command {
        let dir = self.dir.join(format!("node{n}"));
        let wallet = dir.join("wallet.json");
        if !wallet.exists() {
            fs::create_dir_all(&dir).unwrap();
            let key = PrivateKey::random().unwrap();
            Wallet::create(&wallet)
                .unwrap()
                .add_account(&key, PASSWORD, "node")
                .unwrap();
        }
        let mut command = Command::new(binary("phantasma-pdfs"));
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            // The gateway says which bytes it gave.
            .env("RUST_LOG", "info,libp2p=warn,phantasma_pdfs::gateway=debug")
            .arg("--wallet")
            .arg(wallet)
            .arg("--data")
            .arg(dir.join("data"));
        command.args([
            "--listen",
            "127.0.0.1:0",
            "--control",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ]);
        command.args(["--rpc", &self.rpc, "--contract", &self.contract.to_string()]);
        for other in others {
            let node = format!(
                "{}@{}",
                hex::encode(other.node.public_key),
                other.node.address
            );
            command.args(["--join", &node, "--bootstrap", &other.control]);
        }
        command
    }

    fn start(&self, n: usize, others: &[&Process]) -> Process {
        self.start_with(n, others, &[])
    }

    /// Starts node `n` with more arguments, and waits until it is ready.
    pub(crate) fn start_with(&self, n: usize, others: &[&Process], more: &[String]) -> Process {
        let (out, log) = (
            self.dir.join(format!("node{n}.out")),
            self.dir.join(format!("node{n}.log")),
        );
        let mut command = self.command(n, others);
        command.args(more);
        // A node that is started again goes on in its log.
        let log_file = File::options().create(true).append(true).open(&log);
        command
            .stdout(File::create(&out).unwrap())
            .stderr(log_file.unwrap());
        let mut guard = ProcessGuard::spawn(&mut command);
        let started = Instant::now();
        let ready = loop {
            let said = fs::read_to_string(&out).unwrap();
            if let Some(line) = said.strip_suffix('\n') {
                break line.to_owned();
            }
            let running = guard.exit_status().is_none() && started.elapsed() < PATIENCE;
            assert!(
                running,
                "node {n} is not ready: {}",
                fs::read_to_string(&log).unwrap()
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        let field = |name: &str| {
            let found = ready
                .split(' ')
                .find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
            found
                .unwrap_or_else(|| panic!("no {name} in {ready:?}"))
                .to_owned()
        };
        Process {
            guard,
            log,
            node: parse_node(&field("data")).unwrap(),
            http: field("http"),
            control: field("control"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_on_three_node_processes_outlives_the_death_of_one() {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let contract = Phantasma::new(net.rpc(), deployed.hash);
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet {
        dir: dir.path(),
        rpc: net.rpc_url().to_owned(),
        contract: deployed.hash,
    };
    let first = fleet.start(0, &[]);
    let second = fleet.start(1, &[&first]);
    let third = fleet.start(2, &[&first]);
    let nodes: Vec<_> = [&first, &second, &third]
        .map(|process| process.node.clone())
        .into();
    let client =
        Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();

    // 3 MiB and a bit: 13 blocks.
    let plain: Vec<u8> = (0..3_200_000_u64)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 53) as u8)
        .collect();
    let (path, copy) = (dir.path().join("plain"), dir.path().join("copy"));
    fs::write(&path, &plain).unwrap();
    let key = ContentKey::random();
    let prepared = content::prepare(&path, &key).await.unwrap();
    let options = PutOptions::default();
    let put = || content::upload(&client, &nodes, &path, &key, &prepared, &options, &|_| ());

    // Before it is paid for, every node refuses.
    match put().await.unwrap_err() {
        ContentError::TooFewReplicas {
            stored: 0, last, ..
        } => assert!(last.contains("NotOnChain"), "{last}"),
        other => panic!("{other}"),
    }
    let order = ContentOrder {
        root: prepared.root(),
        size: prepared.size(),
        mode: ContentMode::ReadOnly,
        priority: Priority::Normal,
        periods: 1,
        max_payment: u64::from(u32::MAX) * 1_0000,
    };
    contract
        .create_content(&deployed.owner, &order)
        .await
        .unwrap();
    let info = contract
        .content_info(&prepared.root())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (info.root, info.size),
        (prepared.root(), plain.len() as u64)
    );
    // "Not on the chain" is remembered for a second.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(put().await.unwrap().blocks, 13);

    // A crash, not a stop.
    second.guard.kill();
    let source = |nodes| Source {
        root: info.root,
        size: info.size,
        nodes,
    };
    content::download(&client, &source(nodes.clone()), &key, &copy, &|_| ())
        .await
        .unwrap();
    assert!(fs::read(&copy).unwrap() == plain, "byte for byte");

    // The killed node comes back with what it had, and serves alone.
    let second = fleet.start(1, &[&first]);
    let alone = Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
    let again = content::read_range(
        &alone,
        &source(vec![second.node.clone()]),
        &key,
        0..info.size,
    )
    .await
    .unwrap();
    assert!(again == plain, "byte for byte");

    // Flipped on the way: refused.
    let mut flipped = vec![0; 1024];
    flipped[3] = 1;
    let outcome = alone
        .upload(&second.node, &info.root, 12, vec![], flipped.into())
        .await;
    assert!(
        matches!(&outcome, Err(PdfsError::Refused { .. })),
        "{outcome:?}"
    );
    assert!(
        !fs::read_to_string(&second.log)
            .unwrap()
            .contains("panicked")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_port_password_or_chain_is_wrong_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet {
        dir: dir.path(),
        // Nobody listens there: port 1 needs root.
        rpc: "http://127.0.0.1:1".into(),
        contract: Hash160([1; 20]),
    };
    let running = fleet.start(0, &[]);
    // The chain is asked at an upload, and then named.
    let client =
        Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
    let error = client
        .upload(&running.node, &[1; 32], 0, vec![], vec![1].into())
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::Internal));
    assert!(error.to_string().contains("chain"), "{error}");

    let said = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let mut taken = fleet.command(1, &[]);
    // The last of two equal flags is not accepted by clap, so the address comes from a fresh command line.
    let args: Vec<_> = taken.get_args().map(|arg| arg.to_owned()).collect();
    let at = args.iter().position(|arg| arg == "--listen").unwrap();
    let mut args = args;
    args[at + 1] = running.node.address.clone().into();
    let text = said(
        Command::new(taken.get_program())
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .args(args),
    );
    assert!(
        text.contains("UDP port") && text.contains("is taken"),
        "{text}"
    );

    let text = said(taken.env("PHANTASMA_PASSWORD", "wrong"));
    assert!(text.to_lowercase().contains("password"), "{text}");
    fs::write(dir.path().join("node1/wallet.json"), "{").unwrap();
    let text = said(&mut fleet.command(1, &[]));
    assert!(text.contains("open the wallet"), "{text}");

    // SIGTERM is an orderly end.
    let mut running = running;
    let pid = running.guard.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .unwrap()
            .success()
    );
    let started = Instant::now();
    let status = loop {
        if let Some(status) = running.guard.exit_status() {
            break status;
        }
        assert!(started.elapsed() < PATIENCE, "the node does not stop");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "{status}");
}
