//! `phantasma node`, `proof` and `rewards` against a real node.

use std::time::{Duration, Instant};

use neo_client::{Account, Wallet};
use phantasma::contract::DEFAULT_PARAMS;
use phantasma_sdk::content::show_chunk;
use phantasma_sdk::contract::{ContentMode, ContentOrder, Phantasma, Priority};
use phantasma_tests::TestNet;
use serde_json::Value;

use crate::cli::{Cli, PASSWORD};

/// Rules with which a round takes seconds.
fn quick_params() -> String {
    let mut text = DEFAULT_PARAMS.to_owned();
    for (from, to) in [
        ("node_fee = \"100\"", "node_fee = \"10\""),
        ("pot_share_percent = 1", "pot_share_percent = 50"),
        ("minimum = 4", "minimum = 1"),
        ("wait = \"1 d\"", "wait = \"1 s\""),
        ("min_age = \"30 d\"", "min_age = \"0 s\""),
        ("quiet = \"30 min\"", "quiet = \"0 s\""),
        ("deadline = \"5 min\"", "deadline = \"1 min\""),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    text
}

/// A command with an account that has GAS, in a folder that knows the contract.
async fn person(net: &TestNet, contract: &Value) -> (Cli, String) {
    let cli = Cli::new(net.rpc_url());
    let address = cli.new_wallet();
    net.fund_gas(&address, 30_0000_0000).await.unwrap();
    let profile = cli.path("phantasma/phantasma.toml");
    let text = std::fs::read_to_string(&profile).unwrap();
    std::fs::write(&profile, format!("contract = {contract}\n{text}")).unwrap();
    (cli, address)
}

fn account(cli: &Cli, address: &str) -> Account {
    let wallet = Wallet::open(cli.path("phantasma/wallet.json")).unwrap();
    wallet.decrypt(address, PASSWORD).unwrap()
}

/// Asks again until the answer is as wanted.
async fn until(ask: impl Fn() -> Value, wanted: impl Fn(&Value) -> bool) -> Value {
    let start = Instant::now();
    loop {
        let answer = ask();
        if wanted(&answer) {
            return answer;
        }
        assert!(start.elapsed() < Duration::from_secs(60), "{answer}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[tokio::test]
async fn nodes_register_prove_and_are_rewarded_by_commands() {
    let net = TestNet::start().await;
    let owner = Cli::new(net.rpc_url());
    let owners = owner.new_wallet();
    net.fund_gas(&owners, 100_0000_0000).await.unwrap();
    std::fs::write(owner.path("quick.toml"), quick_params()).unwrap();
    let deployed = owner.json(&["contract", "deploy", "--params", "quick.toml"]);
    let contract = &deployed["contract"];
    let (asker, validator) = person(&net, contract).await;
    let (node, prover) = person(&net, contract).await;
    for address in [&validator, &prover] {
        owner.json(&["wallet", "transfer", "soul", "100", address]);
    }

    node.refusal(&["node", "info"])
        .says(&[&prover, "is no storage node", "for 10 SOUL"]);
    let first = asker.json(&["node", "register", "10.0.0.1:4200"]);
    assert_eq!((&first["number"], &first["fee"]), (&1.into(), &"10".into()));
    let second = node.json(&["node", "register", "10.0.0.2:4200"]);
    assert_eq!(second["number"], 2);
    let again = node.json(&["node", "register", "10.0.0.3:4200"]);
    assert_eq!((&again["number"], &again["fee"]), (&2.into(), &"0".into()));
    let info = asker.json(&["node", "info", &prover]);
    assert_eq!(info["endpoints"], "10.0.0.3:4200");
    assert_eq!(
        (&info["reputation"], &info["role"]),
        (&"500".into(), &"prover".into())
    );
    let list = owner.json(&["node", "list"]);
    assert_eq!(list["nodes"].as_array().unwrap().len(), 2);

    // The content as it would lie on the node: what is in the file is what the chain knows.
    let bytes: Vec<u8> = (0..600_000_u32).map(|i| (i % 251) as u8).collect();
    std::fs::write(node.path("content.bin"), &bytes).unwrap();
    std::fs::write(node.path("other.bin"), &bytes[1..]).unwrap();
    let file = node.path("content.bin");
    let (root, _) = show_chunk(&file, None, 0).await.unwrap();
    let order = ContentOrder {
        root,
        size: bytes.len() as u64,
        mode: ContentMode::ReadOnly,
        priority: Priority::Low,
        periods: 1,
        max_payment: 1_0000_0000,
    };
    let hash = contract.as_str().unwrap().parse().unwrap();
    let payer = account(&owner, &owners);
    let phantasma = Phantasma::new(net.rpc(), hash);
    phantasma.create_content(&payer, &order).await.unwrap();
    let root = hex::encode(root);

    asker
        .refusal(&["proof", "start", &prover, &root])
        .says(&["does not offer this content"]);
    node.json(&["proof", "offer", &root]);
    assert_eq!(
        asker.json(&["proof", "offers", &root])["addresses"][0],
        prover.as_str()
    );
    node.refusal(&["proof", "show", &validator, "--file", "content.bin"])
        .says(&["no open challenge", "phantasma proof start"]);
    let asked = asker.json(&["proof", "start", &prover, &root]);
    assert_eq!(asked["fee"], "1");
    let open = || node.json(&["proof", "open", &validator]);
    until(open, |open| open["chunk"].is_u64()).await;
    let show = ["proof", "show", &validator, "--encrypted", "--file"];
    node.refusal(&[&show[..], &["other.bin"]].concat())
        .says(&["other.bin", "is not the content"]);
    node.refusal(&["proof", "show", &validator, "--file", "content.bin"])
        .says(&["--encrypted"]);
    owner
        .refusal(&["proof", "fail", &validator, &prover])
        .says(&["there is still time to show it"]);
    node.json(&[&show[..], &["content.bin"]].concat());
    owner.json(&["proof", "accept", &validator, &prover]);
    let tally = owner.json(&["proof", "content", &root]);
    assert_eq!(
        (&tally["challenges"], &tally["shown"]),
        (&1.into(), &1.into())
    );
    assert_eq!(tally["confidence_percent"], "0.9999");
    let raised = asker.json(&["node", "info"]);
    assert_eq!(raised["reputation"], "531.25");

    let waiting = owner.json(&["rewards", "info"]);
    assert_eq!(waiting["validators"], serde_json::json!([1]));
    assert_eq!(waiting["provers"], serde_json::json!([2]));
    let closed = owner.json(&["rewards", "obtain"]);
    assert_eq!(closed["paid"], false);
    let info = || owner.json(&["rewards", "info"]);
    assert_eq!(info()["draw"], closed["draw"]);
    let draw = closed["draw"].as_u64().unwrap();
    while u64::from(net.rpc().get_block_count().await.unwrap()) <= draw {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let paid = asker.json(&["rewards", "obtain"]);
    assert_eq!((&paid["paid"], &paid["round"]), (&true.into(), &1.into()));
    assert_eq!(paid["validator"], validator.as_str());
    assert_eq!(paid["prover"], prover.as_str());
    assert_eq!(paid["amount"], closed_half(&closed).as_str());

    node.json(&["proof", "retract", &root]);
    node.json(&["node", "leave"]);
    node.refusal(&["node", "info"])
        .says(&["is no storage node"]);
}

/// Half of a pot, as a text.
fn closed_half(closed: &Value) -> String {
    let pot = phantasma::amount::parse(closed["pot"].as_str().unwrap(), 8).unwrap();
    phantasma::amount::show(&(pot / 2), 8)
}
