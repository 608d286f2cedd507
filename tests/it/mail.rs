//! Mail between two people on two machines' worth of processes: a daemon, a folder and a wallet for each, one relay, real
//! storage nodes, a real chain; ordinary mail programs in front.

mod bridge;
mod crash;
mod exchange;
mod priced;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use neo_client::{Hash160, PrivateKey, Wallet};
use phantasma_tests::{DeployedPhantasma, ProcessGuard, TestNet, binary};
use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// A start takes a second; a busy machine more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A chain with the contract, a relay, and storage nodes.
struct World {
    net: TestNet,
    deployed: DeployedPhantasma,
    folder: TempDir,
    relay: String,
    nodes: Vec<String>,
    _guards: Vec<ProcessGuard>,
}

/// Somebody with a mailbox, a wallet and a folder.
struct User {
    name: &'static str,
    folder: TempDir,
    address: String,
    /// Of mail programs.
    password: String,
}

/// A running mail daemon.
struct Daemon {
    guard: ProcessGuard,
    smtp: String,
    imap: String,
    ops: String,
    /// Where a bridge takes mail from outside; empty for others.
    outside: String,
}

impl World {
    async fn new(nodes: usize) -> Self {
        let net = TestNet::start().await;
        let deployed = net.deploy_phantasma().await;
        let mut world = Self {
            net,
            deployed,
            folder: tempfile::tempdir().unwrap(),
            relay: String::new(),
            nodes: Vec::new(),
            _guards: Vec::new(),
        };
        let (line, guard) = world.server("phantasma-relay", "relay", &["--ops", "127.0.0.1:0"]);
        let words: Vec<&str> = line.split(' ').collect();
        let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1];
        world.relay = format!("{}@{}", after("key"), after("on"));
        world._guards.push(guard);
        for n in 0..nodes {
            let more = ["--control", "127.0.0.1:0", "--http", "127.0.0.1:0"];
            let (line, guard) = world.server("phantasma-pdfs", &format!("node{n}"), &more);
            let node = line
                .split(' ')
                .find_map(|field| field.strip_prefix("data="));
            world.nodes.push(node.unwrap().to_owned());
            world._guards.push(guard);
        }
        world
    }

    /// A server with a wallet of its own, and the line with which it is ready.
    fn server(&self, program: &str, name: &str, more: &[&str]) -> (String, ProcessGuard) {
        let dir = self.folder.path().join(name);
        fs::create_dir_all(&dir).unwrap();
        let wallet = dir.join("wallet.json");
        let key = PrivateKey::random().unwrap();
        let mut made = Wallet::create(&wallet).unwrap();
        made.add_account(&key, PASSWORD, name).unwrap();
        let mut command = Command::new(binary(program));
        command
            .env("PHANTASMA_PASSWORD", PASSWORD)
            .arg("--wallet")
            .arg(wallet)
            .arg("--data")
            .arg(dir.join("data"))
            .args(["--listen", "127.0.0.1:0", "--rpc", self.net.rpc_url()])
            .args(["--contract", &self.deployed.hash.to_string()])
            .args(more);
        started(&mut command, &dir)
    }

    /// Somebody with 100 GAS, 100 SOUL and a mailbox.
    async fn user(&self, name: &'static str) -> User {
        let folder = tempfile::tempdir().unwrap();
        let dir = folder.path().join("phantasma");
        fs::create_dir_all(&dir).unwrap();
        let nodes: Vec<String> = self.nodes.iter().map(|node| format!("{node:?}")).collect();
        let profile = format!(
            "rpc_url = {:?}\ncontract = \"{}\"\nrelay = {:?}\nnodes = [{}]\n",
            self.net.rpc_url(),
            self.deployed.hash,
            self.relay,
            nodes.join(", ")
        );
        fs::write(dir.join("phantasma.toml"), profile).unwrap();
        let mut user = User {
            name,
            folder,
            address: String::new(),
            password: String::new(),
        };
        user.json(&["wallet", "new"]);
        let key = user.json(&["wallet", "key"]);
        user.address = key["address"].as_str().unwrap().to_owned();
        self.net
            .fund_gas(&user.address, 100_0000_0000)
            .await
            .unwrap();
        let to = Hash160::from_address(&user.address).unwrap();
        let owner = self.net.actor(&self.deployed.owner);
        let sent = owner
            .transfer(&self.deployed.hash, &to, 100_0000_0000_i64)
            .await;
        sent.unwrap();
        user.json(&["mail", "create", name]);
        let password = user.json(&["mail", "password"]);
        user.password = password["password"].as_str().unwrap().to_owned();
        user
    }
}

/// Starts a program and waits for the line on its standard output.
fn started(command: &mut Command, dir: &Path) -> (String, ProcessGuard) {
    let (out, log) = (dir.join("out"), dir.join("log"));
    let log_file = File::options().create(true).append(true).open(&log);
    command
        .stdout(File::create(&out).unwrap())
        .stderr(log_file.unwrap());
    let mut guard = ProcessGuard::spawn(command);
    let begun = Instant::now();
    loop {
        let said = fs::read_to_string(&out).unwrap();
        if let Some(line) = said.strip_suffix('\n') {
            return (line.to_owned(), guard);
        }
        let running = guard.exit_status().is_none() && begun.elapsed() < PATIENCE;
        assert!(running, "{}", fs::read_to_string(&log).unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl User {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mail(&self) -> String {
        format!("{}@phantasma.alt", self.name)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(binary("phantasma"));
        command.args(args).arg("--dir").arg(self.path("phantasma"));
        command.current_dir(self.folder.path());
        for name in ["DIR", "RPC", "CONTRACT", "WALLET", "ACCOUNT", "MAILBOX"] {
            command.env_remove(format!("PHANTASMA_{name}"));
        }
        command.env("PHANTASMA_PASSWORD", PASSWORD);
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    fn json(&self, args: &[&str]) -> Value {
        let output = self.run(&[args, &["--json"]].concat());
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// What the command says when it refuses, as it must.
    fn refusal(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(!text.contains("panicked"), "{args:?}: {text}");
        text
    }

    fn serve(&self, more: &[&str]) -> Daemon {
        let ports = [
            "--smtp",
            "127.0.0.1:0",
            "--imap",
            "127.0.0.1:0",
            "--ops",
            "127.0.0.1:0",
        ];
        let mut command = self.command(&[&["mail", "serve"], &ports[..], more].concat());
        let (line, guard) = started(&mut command, self.folder.path());
        let words: Vec<&str> = line.split(' ').collect();
        let port = |word: &str| {
            let at = words.iter().position(|w| *w == word);
            let address = at.map_or(":", |at| words[at + 1]);
            address.rsplit_once(':').unwrap().1.to_owned()
        };
        Daemon {
            guard,
            smtp: port("smtp"),
            imap: port("imap"),
            ops: port("ops"),
            outside: port("bridge"),
        }
    }

    /// A command of `client.py`.
    fn python(&self, args: &[&str]) -> Value {
        let output = python("client.py", args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{args:?}: {errors}\n{}",
            self.log()
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn send(&self, daemon: &Daemon, to: &str, subject: &str, more: &[&str]) -> Value {
        let from = self.mail();
        let args = [
            "send",
            &daemon.smtp,
            self.name,
            &self.password,
            &from,
            to,
            subject,
        ];
        self.python(&[&args[..], more].concat())
    }

    /// What is in the inbox once there are so many mails.
    fn inbox(&self, daemon: &Daemon, count: usize) -> Vec<Value> {
        let count = count.to_string();
        let shown = self.python(&["inbox", &daemon.imap, self.name, &self.password, &count]);
        shown.as_array().unwrap().clone()
    }

    fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }
}

fn python(script: &str, args: &[&str]) -> Output {
    let script = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("it/mail")
        .join(script);
    let mut command = Command::new("python3");
    command.arg(script).args(args);
    command.output().unwrap()
}
