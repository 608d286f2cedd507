//! People who share contents through the `phantasma` command: a chain, a storage node, and a folder for each person.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use neo_client::{Hash160, PrivateKey, PublicKey, Wallet};
use phantasma_sdk::contract::Phantasma;
use phantasma_tests::{DeployedPhantasma, ProcessGuard, TestNet, binary};
use serde_json::Value;
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";
const PATIENCE: Duration = Duration::from_secs(60);

/// The world: a chain, a contract, one storage node.
struct World {
    net: TestNet,
    deployed: DeployedPhantasma,
    _node: ProcessGuard,
    node: String,
    _folder: TempDir,
}

/// Somebody with a wallet and a folder.
struct Person {
    folder: TempDir,
    rpc: String,
    contract: String,
    node: String,
    key: String,
    address: String,
}

impl World {
    async fn new() -> Self {
        let net = TestNet::start().await;
        let deployed = net.deploy_phantasma().await;
        let folder = tempfile::tempdir().unwrap();
        let (node, process) = storage_node(&folder, net.rpc_url(), &deployed.hash.to_string());
        Self {
            net,
            deployed,
            _node: process,
            node,
            _folder: folder,
        }
    }

    async fn person(&self) -> Person {
        let mut person = Person {
            folder: tempfile::tempdir().unwrap(),
            rpc: self.net.rpc_url().to_owned(),
            contract: self.deployed.hash.to_string(),
            node: self.node.clone(),
            key: String::new(),
            address: String::new(),
        };
        person.json(&["wallet", "new"]);
        let key = person.json(&["wallet", "key"]);
        person.key = key["public_key"].as_str().unwrap().to_owned();
        person.address = key["address"].as_str().unwrap().to_owned();
        person
    }

    async fn rich_person(&self) -> Person {
        let person = self.person().await;
        self.net
            .fund_gas(&person.address, 100_0000_0000)
            .await
            .unwrap();
        let to = Hash160::from_address(&person.address).unwrap();
        let owner = self.net.actor(&self.deployed.owner);
        owner
            .transfer(&self.deployed.hash, &to, 100_0000_0000_i64)
            .await
            .unwrap();
        person
    }
}

/// A storage node as a process, and its `key@address`.
fn storage_node(folder: &TempDir, rpc: &str, contract: &str) -> (String, ProcessGuard) {
    let wallet = folder.path().join("node.json");
    Wallet::create(&wallet)
        .unwrap()
        .add_account(&PrivateKey::random().unwrap(), PASSWORD, "node")
        .unwrap();
    let (out, log) = (folder.path().join("out"), folder.path().join("log"));
    let mut command = Command::new(binary("phantasma-pdfs"));
    command
        .env("PHANTASMA_PASSWORD", PASSWORD)
        .arg("--wallet")
        .arg(wallet)
        .arg("--data")
        .arg(folder.path().join("data"))
        .args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"])
        .args(["--http", "127.0.0.1:0", "--rpc", rpc])
        .args(["--contract", contract])
        .stdout(File::create(&out).unwrap())
        .stderr(File::create(&log).unwrap());
    let mut guard = ProcessGuard::spawn(&mut command);
    let started = Instant::now();
    loop {
        let said = fs::read_to_string(&out).unwrap();
        if said.ends_with('\n') {
            let node = said.split(' ').find_map(|f| f.strip_prefix("data="));
            return (node.unwrap().to_owned(), guard);
        }
        let running = guard.exit_status().is_none() && started.elapsed() < PATIENCE;
        assert!(running, "{}", fs::read_to_string(&log).unwrap());
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Person {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Output {
        let mut command = Command::new(binary("phantasma"));
        command.args(args).args(["--rpc", &self.rpc]);
        command.args(["--contract", &self.contract, "--dir"]);
        command.arg(self.path("phantasma"));
        command.current_dir(self.folder.path());
        for name in ["DIR", "RPC", "CONTRACT", "WALLET", "ACCOUNT"] {
            command.env_remove(format!("PHANTASMA_{name}"));
        }
        command.env("PHANTASMA_PASSWORD", PASSWORD);
        command.output().unwrap()
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

    /// Stores a file of its own; gives the root.
    fn put(&self, name: &str, plain: &[u8]) -> String {
        fs::write(self.path(name), plain).unwrap();
        let args = ["content", "put", name, "--replicas", "1", "--node"];
        let put = self.json(&[&args[..], &[&self.node]].concat());
        put["root"].as_str().unwrap().to_owned()
    }

    fn get(&self, root: &str, out: &str) -> Vec<u8> {
        self.json(&["content", "get", root, "--out", out, "--node", &self.node]);
        fs::read(self.path(out)).unwrap()
    }

    /// The file goes from one folder to another.
    fn gives(&self, name: &str, to: &Person) {
        fs::copy(self.path(name), to.path(name)).unwrap();
    }
}

fn film(seed: u8) -> Vec<u8> {
    let bytes = (0..600_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8 ^ seed);
    bytes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_reader_gets_a_content_and_nobody_else() {
    let world = World::new().await;
    let (ada, bob, eve) = (
        world.rich_person().await,
        world.person().await,
        world.person().await,
    );
    let root = ada.put("film", &film(1));

    let out = ["content", "get", &root, "--out", "x", "--node", &bob.node];
    assert!(bob.refusal(&out).contains("no key for this content"));
    ada.json(&[
        "content", "share", &root, "--with", &bob.key, "--out", "film.key",
    ]);
    let again = ada.refusal(&[
        "content", "share", &root, "--with", &bob.key, "--out", "film.key",
    ]);
    assert!(again.contains("film.key"), "{again}");
    ada.gives("film.key", &bob);
    let accepted = bob.json(&["content", "accept", "film.key"]);
    assert_eq!(accepted["root"], root);
    assert_eq!(accepted["from"], ada.address);
    assert!(bob.get(&root, "copy") == film(1), "byte for byte");

    // Whoever finds the file on its way has nothing.
    ada.gives("film.key", &eve);
    let text = eve.refusal(&["content", "accept", "film.key"]);
    assert!(text.contains("sealed for"), "{text}");
    assert!(eve.refusal(&out).contains("no key for this content"));
    // Neither the secret nor a part of it is in the file.
    let mut changed = fs::read(ada.path("film.key")).unwrap();
    let at = changed.len() - 70;
    changed[at] ^= 1;
    fs::write(bob.path("changed.key"), changed).unwrap();
    let text = bob.refusal(&["content", "accept", "changed.key"]);
    assert!(text.contains("signature"), "{text}");
    // Nobody gives away what he does not have.
    let text = eve.refusal(&["content", "share", &root, "--with", &bob.key, "--out", "y"]);
    assert!(
        text.contains("none to give") && !eve.path("y").exists(),
        "{text}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_follows_its_boxs_include_list() {
    let world = World::new().await;
    let (owner, ada, eve) = (
        world.rich_person().await,
        world.person().await,
        world.person().await,
    );
    let contract = Phantasma::new(world.net.rpc(), world.deployed.hash);
    let of = |person: &Person| person.key.parse::<PublicKey>().unwrap().script_hash();
    owner.json(&["box", "create", "letters"]);
    let text = ada.refusal(&["group", "new", "letters"]);
    assert!(text.contains("only its owner"), "{text}");
    owner.json(&["group", "new", "letters"]);
    for (person, file) in [(&ada, "ada.member"), (&eve, "eve.member")] {
        owner.json(&["group", "admit", "letters", &person.key, "--out", file]);
        assert!(contract.is_member(1, &of(person)).await.unwrap());
        owner.gives(file, person);
        person.json(&["group", "join", "letters", file]);
    }
    // Another's member keys are of no use.
    owner.gives("ada.member", &eve);
    let text = eve.refusal(&["group", "join", "letters", "ada.member"]);
    assert!(text.contains("sealed for"), "{text}");

    let first = owner.put("first", &film(1));
    let shared = owner.json(&["group", "share", "letters", &first, "--out", "first.key"]);
    assert_eq!(
        (&shared["members"], &shared["entries"]),
        (&2.into(), &1.into())
    );
    for person in [&ada, &eve] {
        owner.gives("first.key", person);
        let accepted = person.json(&["content", "accept", "first.key"]);
        assert_eq!(accepted["from"], owner.address);
        assert!(person.get(&first, "first") == film(1), "byte for byte");
    }

    // The box excludes one, by a call that the group knows nothing of; the next header leaves her out.
    let key = Wallet::open(owner.path("phantasma/wallet.json")).unwrap();
    let account = key.decrypt(&owner.address, PASSWORD).unwrap();
    contract.exclude(&account, 1, &of(&eve)).await.unwrap();
    let second = owner.put("second", &film(2));
    let shared = owner.json(&["group", "share", "letters", &second, "--out", "second.key"]);
    assert_eq!(
        (&shared["members"], &shared["excluded"], &shared["entries"]),
        (&1.into(), &1.into(), &1.into())
    );
    for person in [&ada, &eve] {
        owner.gives("second.key", person);
    }
    let text = eve.refusal(&["content", "accept", "second.key"]);
    assert!(text.contains("left out"), "{text}");
    ada.json(&["content", "accept", "second.key"]);
    assert!(ada.get(&second, "second") == film(2), "byte for byte");
    // What she was given before stays hers, as the page on privacy says.
    assert!(eve.get(&first, "again") == film(1));

    // New keys: the old ones open nothing more, and who is left joins again.
    let renewed = owner.json(&["group", "renew", "letters", "--out", "members"]);
    assert_eq!(
        (&renewed["epoch"], &renewed["members"]),
        (&1.into(), &1.into())
    );
    let third = owner.put("third", &film(3));
    owner.json(&["group", "share", "letters", &third, "--out", "third.key"]);
    owner.gives("third.key", &ada);
    let text = ada.refusal(&["content", "accept", "third.key"]);
    assert!(text.contains("group join"), "{text}");
    let file = format!("members/{}.member", ada.address);
    fs::copy(owner.path(&file), ada.path("new.member")).unwrap();
    ada.json(&["group", "join", "letters", "new.member"]);
    ada.json(&["content", "accept", "third.key"]);
    assert!(ada.get(&third, "third") == film(3), "byte for byte");

    // Excluded by the command: off the chain's list as well.
    owner.json(&["group", "exclude", "letters", &ada.key]);
    assert!(!contract.is_member(1, &of(&ada)).await.unwrap());
    let info = owner.json(&["group", "info", "letters"]);
    assert_eq!(
        (&info["given"], &info["members"]),
        (&1.into(), &Value::Array(vec![]))
    );
}
