//! A private net with a relay, three storage nodes that prove, and the daemon: all as processes.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use neo_client::{Account, PrivateKey, Wallet};
use phantasma::contract::Params;
use phantasma::service::Service;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::proofs::Proofs;
use phantasma_tests::{DeployedPhantasma, TestNet, binary};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde_json::Value;

pub(crate) const PASSWORD: &str = "correct horse";
const SOUL: u64 = 1_0000_0000;
const NODES: usize = 3;

/// For what takes seconds on a machine that has nothing else to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(180);

pub(crate) struct World {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) net: TestNet,
    pub(crate) deployed: DeployedPhantasma,
    pub(crate) contract: Phantasma,
    /// Who runs the daemon.
    pub(crate) account: Account,
    pub(crate) relay: Service,
    pub(crate) nodes: Vec<Service>,
    pub(crate) daemon: Service,
    /// The secret of the token that may do everything.
    pub(crate) token: String,
}

impl World {
    /// Proofs run with short times, so that a content is proven within seconds.
    pub(crate) async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let net = TestNet::start().await;
        let mut params = Params::load(None).unwrap();
        let times = &mut params.proofs;
        times.node_fee = "10".into();
        times.minimum = 1;
        for time in [
            &mut times.wait,
            &mut times.wait_cap,
            &mut times.min_age,
            &mut times.quiet,
        ] {
            *time = "1 s".into();
        }
        let deployed = net.deploy_phantasma_with(params).await;
        let contract = Phantasma::new(net.rpc(), deployed.hash);
        let account = wallet(&dir.path().join("user"));
        let person = fund(&net, &deployed, &contract, &account, 1000 * SOUL);
        person.await;
        let relay = start_relay(dir.path(), &net, &deployed).await;
        let proofs = Proofs::new(net.rpc(), deployed.proofs);
        let mut nodes: Vec<Service> = Vec::new();
        for n in 0..NODES {
            let folder = dir.path().join(format!("node{n}"));
            let account = wallet(&folder);
            fund(&net, &deployed, &contract, &account, 500 * SOUL).await;
            let first = nodes.first().map(|node| field(node, "data"));
            let node = start_node(&folder, &net, &deployed, first.as_deref()).await;
            let data = field(&node, "data");
            let endpoint = data.split_once('@').unwrap().1;
            proofs.register_node(&account, endpoint).await.unwrap();
            nodes.push(node);
        }
        let daemon = start_daemon(dir.path(), &net, &deployed, &relay, &nodes).await;
        let text = fs::read_to_string(dir.path().join("user/serve/tokens.toml")).unwrap();
        let token = text.split("secret = \"").nth(1).unwrap();
        let token = token.split('"').next().unwrap().to_owned();
        Self {
            dir,
            net,
            deployed,
            contract,
            account,
            relay,
            nodes,
            daemon,
            token,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", field(&self.daemon, "http"))
    }

    /// A request with the token.
    pub(crate) fn ask(&self, method: Method, path: &str) -> RequestBuilder {
        let client = reqwest::Client::new();
        client
            .request(method, self.url(path))
            .bearer_auth(&self.token)
    }

    /// The JSON of a request that has to work.
    pub(crate) async fn json(&self, request: RequestBuilder) -> Value {
        let (status, body) = answer(request).await;
        assert!(status.is_success(), "{status} {body}\n{}", self.log());
        body
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        self.json(self.ask(Method::GET, path)).await
    }

    /// Asks again until the answer fits.
    pub(crate) async fn until(&self, path: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let started = Instant::now();
        loop {
            let body = self.get(path).await;
            if fits(&body) {
                return body;
            }
            assert!(
                started.elapsed() < PATIENCE,
                "{path}: {body}\n{}",
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    fn log(&self) -> String {
        phantasma::net::process::tail(self.daemon.log())
    }

    /// Runs `phantasma` as the user and gives what it printed.
    pub(crate) fn phantasma(&self, args: &[&str]) -> String {
        let output = command("phantasma", &self.dir.path().join("user"))
            .args(["--rpc", self.net.rpc_url()])
            .args(["--contract", &self.deployed.hash.to_string()])
            .args(args)
            .output()
            .unwrap();
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{args:?}: {out}\n{err}");
        out.into_owned()
    }

    /// `KEY@HOST:PORT` of the relay.
    pub(crate) fn relay_peer(&self) -> String {
        relay_words(&self.relay).0
    }
}

/// Status and JSON of an answer.
pub(crate) async fn answer(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status();
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    (status, body)
}

/// A value of the ready line.
pub(crate) fn field(service: &Service, name: &str) -> String {
    let words = service.ready_line().split_whitespace();
    let mut fields = words.filter_map(|word| word.split_once('='));
    let found = fields.find(|(known, _)| *known == name);
    found
        .unwrap_or_else(|| panic!("no {name} in {}", service.ready_line()))
        .1
        .to_owned()
}

/// `KEY@HOST:PORT` and the address of its numbers.
pub(crate) fn relay_words(relay: &Service) -> (String, String) {
    let words: Vec<&str> = relay.ready_line().split(' ').collect();
    let after = |word: &str| words[words.iter().position(|w| *w == word).unwrap() + 1];
    (
        format!("{}@{}", after("key"), after("on")),
        format!("http://{}", after("ops")),
    )
}

/// A program whose settings come from its arguments alone.
fn command(name: &str, dir: &Path) -> Command {
    let mut command = Command::new(binary(name));
    for name in ["RPC", "CONTRACT", "WALLET", "ACCOUNT", "PROFILE"] {
        command.env_remove(format!("PHANTASMA_{name}"));
    }
    command
        .env("PHANTASMA_PASSWORD", PASSWORD)
        .env("PHANTASMA_DIR", dir)
        .arg("--wallet")
        .arg(dir.join("wallet.json"));
    command
}

fn wallet(dir: &Path) -> Account {
    fs::create_dir_all(dir).unwrap();
    let key = PrivateKey::random().unwrap();
    let mut wallet = Wallet::create(dir.join("wallet.json")).unwrap();
    wallet.add_account(&key, PASSWORD, "one").unwrap();
    Account::new(key)
}

async fn fund(
    net: &TestNet,
    deployed: &DeployedPhantasma,
    contract: &Phantasma,
    account: &Account,
    soul: u64,
) {
    net.fund_gas(&account.address, 400 * SOUL).await.unwrap();
    let gift = contract.transfer(&deployed.owner, &account.script_hash, soul);
    gift.await.unwrap();
}

async fn start_relay(dir: &Path, net: &TestNet, deployed: &DeployedPhantasma) -> Service {
    let folder = dir.join("relay");
    let payer = wallet(&folder);
    net.fund_gas(&payer.address, 20 * SOUL).await.unwrap();
    let mut command = command("phantasma-relay", &folder);
    command.args(["--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0"]);
    command.args(["--rpc", net.rpc_url()]);
    command.args(["--contract", &deployed.hash.to_string()]);
    command.arg("--data").arg(folder.join("data"));
    let ready = "phantasma-relay listening on ";
    let logs = dir.join("logs");
    let started = Service::start("relay", &mut command, &logs, ready);
    started.await.unwrap()
}

async fn start_node(
    folder: &Path,
    net: &TestNet,
    deployed: &DeployedPhantasma,
    first: Option<&str>,
) -> Service {
    let name = folder.file_name().unwrap().to_string_lossy();
    let mut command = command("phantasma-pdfs", folder);
    command.arg("--data").arg(folder.join("data"));
    for place in ["--listen", "--control", "--http"] {
        command.args([place, "127.0.0.1:0"]);
    }
    command.args(["--rpc", net.rpc_url()]);
    command.args(["--contract", &deployed.hash.to_string()]);
    command.args(["--proofs-contract", &deployed.proofs.to_string()]);
    command.args(["--proofs-every-s", "1", "--proofs-ask-every-s", "3"]);
    command.args(["--proofs-gas-a-day", "390", "--replicas-wanted", "3"]);
    if let Some(first) = first {
        command.args(["--join", first]);
    }
    let logs = folder.parent().unwrap().join("logs");
    let started = Service::start(&name, &mut command, &logs, "ready ");
    started.await.unwrap()
}

async fn start_daemon(
    dir: &Path,
    net: &TestNet,
    deployed: &DeployedPhantasma,
    relay: &Service,
    nodes: &[Service],
) -> Service {
    let (peer, ops) = relay_words(relay);
    let mut command = command("phantasma", &dir.join("user"));
    command.args(["--rpc", net.rpc_url()]);
    command.args(["--contract", &deployed.hash.to_string()]);
    command.args(["serve", "--listen", "127.0.0.1:0", "--look-every-s", "1"]);
    command.args(["--max-upload-mib", "32"]);
    command.args(["--relay", &peer, "--relay-ops", &ops]);
    for node in nodes {
        command.args(["--node", &field(node, "data")]);
    }
    let logs = dir.join("logs");
    let started = Service::start("serve", &mut command, &logs, "ready ");
    started.await.unwrap()
}
