//! The `phantasma` command: what it prints, how it fails, and that a failure changes nothing.

use std::path::PathBuf;
use std::process::{Command, Output};

use num_bigint::BigInt;
use phantasma_tests::{DeployedPhantasma, TestNet, binary, free_port};
use serde_json::Value;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "correct horse";

/// The command in a folder of its own, with nothing from this process's environment.
pub(crate) struct Cli {
    dir: TempDir,
    rpc: String,
}

/// A command that failed as it should: no panic, the exit code of an error, nothing on standard output.
pub(crate) struct Refusal {
    pub(crate) text: String,
}

impl Cli {
    pub(crate) fn new(rpc: &str) -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            rpc: rpc.to_owned(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn run_with(&self, password: Option<&str>, args: &[&str]) -> Output {
        let mut command = Command::new(binary("phantasma"));
        command
            .args(args)
            .args(["--rpc", &self.rpc, "--dir"])
            .arg(self.path("phantasma"));
        command.current_dir(self.dir.path());
        for name in ["DIR", "RPC", "CONTRACT", "WALLET", "ACCOUNT", "PASSWORD"] {
            command.env_remove(format!("PHANTASMA_{name}"));
        }
        if let Some(password) = password {
            command.env("PHANTASMA_PASSWORD", password);
        }
        command.output().unwrap()
    }

    /// Result of a command that works, as data.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let output = self.run_with(Some(PASSWORD), &[args, &["--json"]].concat());
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        serde_json::from_slice(&output.stdout).unwrap()
    }

    pub(crate) fn refusal(&self, args: &[&str]) -> Refusal {
        self.refusal_with(Some(PASSWORD), args)
    }

    pub(crate) fn refusal_with(&self, password: Option<&str>, args: &[&str]) -> Refusal {
        let output = self.run_with(password, args);
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {text}");
        assert!(
            text.starts_with("error: ") && !text.contains("panicked"),
            "{args:?}: {text}"
        );
        assert!(output.stdout.is_empty(), "{args:?}");
        Refusal { text }
    }

    /// A wallet file with one account; gives its address.
    pub(crate) fn new_wallet(&self) -> String {
        self.json(&["wallet", "new"])["address"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Refusal {
    pub(crate) fn says(&self, expected: &[&str]) {
        for part in expected {
            assert!(
                self.text.contains(part),
                "{part:?} is not in: {}",
                self.text
            );
        }
    }
}

/// A net with the contract, and a command whose account has GAS and SOUL.
async fn equipped() -> (TestNet, DeployedPhantasma, Cli, String) {
    let net = TestNet::start().await;
    let phantasma = net.deploy_phantasma().await;
    let cli = Cli::new(net.rpc_url());
    let address = cli.new_wallet();
    net.fund_gas(&address, 100_0000_0000).await.unwrap();
    let to = neo_client::Hash160::from_address(&address).unwrap();
    net.actor(&phantasma.owner)
        .transfer(&phantasma.hash, &to, 10_0000_0000)
        .await
        .unwrap();
    (net, phantasma, cli, address)
}

#[tokio::test]
async fn a_wallet_is_made_read_and_its_soul_sent() {
    let (net, phantasma, cli, address) = equipped().await;
    let hash = phantasma.hash.to_string();
    assert_eq!(
        cli.json(&["wallet", "address"])["default"],
        address.as_str()
    );
    let balance = cli.json(&["wallet", "balance", "--contract", &hash]);
    assert_eq!(
        (&balance["balance"]["SOUL"], &balance["balance"]["GAS"]),
        (&"10".into(), &"100".into())
    );
    let other = neo_client::Account::random().unwrap();
    cli.json(&[
        "wallet",
        "transfer",
        "soul",
        "2.5",
        &other.address,
        "--contract",
        &hash,
    ]);
    let received = net
        .rpc()
        .balance_of(&phantasma.hash, &other.script_hash)
        .await
        .unwrap();
    assert_eq!(received, BigInt::from(2_5000_0000));
}

#[tokio::test]
async fn boxes_are_made_written_read_and_listed() {
    let (_net, phantasma, cli, address) = equipped().await;
    let hash = phantasma.hash.to_string();
    let with = |args: &[&str]| cli.json(&[args, &["--contract", &hash]].concat());
    assert_eq!(
        with(&["box", "create", "news", "--gate", "owner-writes"])["box"],
        1
    );
    assert_eq!(
        with(&["box", "write", "news", "--text", "first"])["index"],
        0
    );
    assert_eq!(with(&["box", "write", "1", "--text", "second"])["index"], 1);
    assert_eq!(with(&["box", "read", "news"])["value"]["text"], "second");
    assert_eq!(
        with(&["box", "read", "news", "0"])["value"]["text"],
        "first"
    );
    std::fs::write(cli.path("sum.asm"), "PUSH2\nPUSH3\nADD\n").unwrap();
    with(&["box", "write", "news", "--script", "sum.asm"]);
    assert_eq!(with(&["box", "read", "news"])["value"], "5");
    let list = with(&["box", "list"]);
    assert_eq!(
        (&list["address"], &list["boxes"][0]["contents"]),
        (&address.as_str().into(), &3.into())
    );
}

#[tokio::test]
async fn an_endpoint_that_is_down_is_named() {
    let dead = format!("http://127.0.0.1:{}", free_port().unwrap());
    let cli = Cli::new(&dead);
    cli.new_wallet();
    let before = std::fs::read(cli.path("phantasma/wallet.json")).unwrap();
    let hash = format!("0x{}", "11".repeat(20));
    for args in [
        &["wallet", "balance"][..],
        &[
            "wallet",
            "transfer",
            "gas",
            "1",
            "NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx",
        ],
        &["contract", "info", "--contract", &hash],
        &["contract", "deploy"],
        &["box", "create", "news", "--contract", &hash],
        &["box", "read", "news", "--contract", &hash],
        &["content", "info", &"00".repeat(32), "--contract", &hash],
    ] {
        cli.refusal(args).says(&[&dead, "is the node running"]);
    }
    assert_eq!(
        std::fs::read(cli.path("phantasma/wallet.json")).unwrap(),
        before
    );
    let profile = std::fs::read_to_string(cli.path("phantasma/phantasma.toml")).unwrap();
    assert!(!profile.contains("contract"), "{profile}");
}

#[tokio::test]
async fn a_wrong_password_or_none_sends_nothing() {
    let (net, phantasma, cli, address) = equipped().await;
    let hash = phantasma.hash.to_string();
    let to = &phantasma.owner.address;
    let holder = neo_client::Hash160::from_address(&address).unwrap();
    let holds = async || {
        let rpc = net.rpc();
        let soul = rpc.balance_of(&phantasma.hash, &holder).await.unwrap();
        (
            soul,
            rpc.balance_of(&neo_client::GAS, &holder).await.unwrap(),
        )
    };
    let before = holds().await;
    for args in [
        &["wallet", "transfer", "soul", "1", to, "--contract", &hash][..],
        &["box", "create", "news", "--contract", &hash],
        &["wallet", "export"],
    ] {
        cli.refusal_with(Some("wrong"), args)
            .says(&[&address, "wrong password"]);
    }
    assert_eq!(holds().await, before);
    assert_eq!(
        cli.json(&["box", "list", "--contract", &hash])["boxes"],
        Value::Array(Vec::new())
    );
}

#[test]
fn a_damaged_wallet_file_is_named_and_left_as_it_is() {
    let cli = Cli::new("http://127.0.0.1:1");
    cli.new_wallet();
    let path = cli.path("phantasma/wallet.json");
    let good = std::fs::read_to_string(&path).unwrap();
    for bad in [
        &good[..good.len() / 2],
        "",
        "[]",
        &good.replace("\"address\": \"N", "\"address\": \"M"),
    ] {
        std::fs::write(&path, bad).unwrap();
        for verb in [&["wallet", "address"][..], &["wallet", "export"]] {
            cli.refusal(verb).says(&["wallet.json", "damaged"]);
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), bad);
    }
}

#[test]
fn a_wallet_that_exists_is_not_made_again() {
    let cli = Cli::new("http://127.0.0.1:1");
    cli.new_wallet();
    let before = std::fs::read(cli.path("phantasma/wallet.json")).unwrap();
    cli.refusal(&["wallet", "new"]).says(&["exists already"]);
    assert_eq!(
        std::fs::read(cli.path("phantasma/wallet.json")).unwrap(),
        before
    );
    cli.refusal(&["wallet", "address", "--wallet", "none.json"])
        .says(&["none.json", "phantasma wallet new"]);
}

#[test]
fn a_key_goes_from_one_wallet_to_another_by_wif_and_by_nep2() {
    let cli = Cli::new("http://127.0.0.1:1");
    let address = cli.new_wallet();
    let wif = cli.json(&["wallet", "export", "--wif"])["wif"]
        .as_str()
        .unwrap()
        .to_owned();
    let nep2 = cli.json(&["wallet", "export"])["nep2"]
        .as_str()
        .unwrap()
        .to_owned();
    for (file, key) in [("by-wif.json", &wif), ("by-nep2.json", &nep2)] {
        std::fs::write(cli.path("key"), key).unwrap();
        let imported = cli.json(&["wallet", "import", "--key-file", "key", "--wallet", file]);
        assert_eq!(imported["address"], address.as_str());
    }
    std::fs::write(cli.path("key"), &wif[..wif.len() - 1]).unwrap();
    cli.refusal(&[
        "wallet",
        "import",
        "--key-file",
        "key",
        "--wallet",
        "third.json",
    ])
    .says(&["WIF"]);
    assert!(!cli.path("third.json").exists());
}

#[tokio::test]
async fn bad_names_unknown_boxes_and_bad_amounts_change_nothing() {
    let (net, phantasma, cli, address) = equipped().await;
    let hash = phantasma.hash.to_string();
    let contract = ["--contract", &hash];
    let refusal = |args: &[&str]| cli.refusal(&[args, &contract].concat());
    for name in ["Ab", "é", "", &"a".repeat(33), "a b", "a-b"] {
        refusal(&["box", "create", name]).says(&["name", "1-32"]);
    }
    cli.json(&[&["box", "create", "news"][..], &contract].concat());
    refusal(&["box", "create", "news"]).says(&["taken"]);
    refusal(&["box", "write", "none", "--text", "x"]).says(&["no box \"none\"", "box create none"]);
    refusal(&["box", "read", "77"]).says(&["no box 77"]);
    refusal(&["box", "read", "news"]).says(&["no content"]);
    refusal(&["wallet", "transfer", "soul", "1e3", &address]).says(&["1e3"]);
    refusal(&[
        "wallet",
        "transfer",
        "soul",
        "1000",
        &phantasma.owner.address,
    ])
    .says(&["holds 9 SOUL", "nothing was sent"]);
    refusal(&["wallet", "transfer", "soul", "1", "NotAnAddress"]).says(&["NotAnAddress"]);
    refusal(&["content", "info", "abc"]).says(&["64 hex digits"]);
    refusal(&["content", "put", "none.bin"]).says(&["--node"]);
    assert_eq!(
        net.rpc()
            .balance_of(
                &phantasma.hash,
                &neo_client::Hash160::from_address(&address).unwrap()
            )
            .await
            .unwrap(),
        BigInt::from(9_0000_0000)
    );
    let boxes = cli.json(&[&["box", "list"][..], &contract].concat());
    assert_eq!(boxes["boxes"].as_array().unwrap().len(), 1);
}

#[test]
fn wrong_usage_has_exit_code_two_and_shows_the_way() {
    let cli = Cli::new("http://127.0.0.1:1");
    for args in [
        &["box"][..],
        &["wallet", "transfer", "btc", "1", "x"],
        &["content", "put"],
        &["fly"],
        &["message", "send", "x"],
    ] {
        let output = cli.run_with(None, args);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("--help"),
            "{args:?}"
        );
    }
    cli.refusal(&["box", "list", "--contract", "0x12"])
        .says(&["--contract 0x12"]);
    cli.refusal(&["box", "list"])
        .says(&["phantasma contract deploy"]);
}
