//! Storage nodes that prove what they hold without anyone's help: three processes, the three contracts, a real content.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use neo_client::{Account, Hash160, PrivateKey, VmState, Wallet};
use phantasma::contract::Params;
use phantasma_net::Identity;
use phantasma_sdk::{
    content::{self, ContentKey, PutOptions},
    contract::{ContentMode, ContentOrder, Phantasma, Priority},
    pdfs::Client,
    proofs::{ContentProofs, Proofs},
};
use phantasma_tests::{DeployedPhantasma, TestNet};

use crate::pdfs::{Fleet, PASSWORD, Process};

const NODES: usize = 3;
const SOUL: u64 = 1_0000_0000;
/// The chain and three agents on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);

/// A net whose contract has short times, and accounts that are registered as nodes.
struct World {
    net: TestNet,
    deployed: DeployedPhantasma,
    phantasma: Phantasma,
    proofs: Proofs,
    accounts: Vec<Account>,
}

impl World {
    async fn start(dir: &Path, deadline: &str) -> Self {
        let net = TestNet::start().await;
        let mut params = Params::load(None).unwrap();
        let times = &mut params.proofs;
        times.node_fee = "10".into();
        times.minimum = 1;
        times.deadline = deadline.into();
        for time in [
            &mut times.wait,
            &mut times.wait_cap,
            &mut times.min_age,
            &mut times.quiet,
        ] {
            *time = "1 s".into();
        }
        let deployed = net.deploy_phantasma_with(params).await;
        let phantasma = Phantasma::new(net.rpc(), deployed.hash);
        let proofs = Proofs::new(net.rpc(), deployed.proofs);
        let mut accounts = Vec::new();
        for n in 0..NODES {
            let account = wallet(&dir.join(format!("node{n}")));
            net.fund_gas(&account.address, 400 * SOUL).await.unwrap();
            let gift = phantasma.transfer(&deployed.owner, &account.script_hash, 500 * SOUL);
            gift.await.unwrap();
            let endpoint = format!("127.0.0.1:{}", 4200 + n);
            proofs.register_node(&account, &endpoint).await.unwrap();
            accounts.push(account);
        }
        Self {
            net,
            deployed,
            phantasma,
            proofs,
            accounts,
        }
    }

    fn arguments(&self) -> Vec<String> {
        let contract = self.deployed.proofs.to_string();
        [
            "--proofs-contract",
            &contract,
            "--proofs-every-s",
            "1",
            "--proofs-ask-every-s",
            "3",
            "--proofs-gas-a-day",
            "390",
        ]
        .map(str::to_owned)
        .into()
    }

    /// Pays for a file of so many bytes and puts it on all nodes; gives its root.
    async fn put(&self, dir: &Path, bytes: usize, nodes: &[Process]) -> [u8; 32] {
        let nodes: Vec<_> = nodes.iter().map(|process| process.node.clone()).collect();
        let client =
            Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
        let path = dir.join("plain");
        let plain: Vec<u8> = (0..bytes as u64).map(|n| ((n * n) >> 7) as u8).collect();
        fs::write(&path, plain).unwrap();
        let key = ContentKey::random();
        let prepared = content::prepare(&path, &key).await.unwrap();
        let order = ContentOrder {
            root: prepared.root(),
            size: prepared.size(),
            mode: ContentMode::ReadOnly,
            priority: Priority::Normal,
            periods: 1,
            max_payment: u64::from(u32::MAX) * 1_0000,
        };
        let (owner, options) = (&self.deployed.owner, PutOptions::default());
        self.phantasma.create_content(owner, &order).await.unwrap();
        content::upload(&client, &nodes, &path, &key, &prepared, &options, &|_| ())
            .await
            .unwrap();
        prepared.root()
    }

    async fn tally(&self, root: &[u8; 32]) -> ContentProofs {
        self.proofs.content_proofs(root).await.unwrap()
    }

    /// Waits until so many challenges were shown.
    async fn shown(&self, root: &[u8; 32], count: u64, nodes: &[Process]) -> ContentProofs {
        let started = Instant::now();
        loop {
            let tally = self.tally(root).await;
            if tally.shown >= count {
                return tally;
            }
            if started.elapsed() > PATIENCE {
                let logs: String = nodes.iter().map(|node| tail(&node.log)).collect();
                panic!("{tally:?} instead of {count} shown\n{logs}");
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Waits until this node is asked for a proof that it has not shown.
    async fn asked(&self, prover: &Hash160) {
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            for (v, p) in self.proofs.open_pairs(prover).await.unwrap() {
                let open = self.proofs.open_proof(&v, &p).await.unwrap();
                if p == *prover && open.is_some_and(|open| !open.shown) {
                    return;
                }
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nobody asks {}", prover.to_address());
    }

    /// Why transactions of the nodes failed in blocks.
    async fn faults(&self) -> Vec<String> {
        let (rpc, mut faults) = (self.net.rpc(), Vec::new());
        for index in 0..rpc.get_block_count().await.unwrap() {
            for txid in rpc.get_block_transactions(index).await.unwrap() {
                let log = rpc.get_application_log(&txid).await.unwrap().unwrap();
                let failed = log.executions.iter().filter(|e| e.state == VmState::Fault);
                faults.extend(failed.map(|e| e.exception.clone().unwrap_or_default()));
            }
        }
        faults
    }
}

/// A wallet with a new key for a node's folder.
fn wallet(dir: &Path) -> Account {
    fs::create_dir_all(dir).unwrap();
    let key = PrivateKey::random().unwrap();
    let mut wallet = Wallet::create(dir.join("wallet.json")).unwrap();
    wallet.add_account(&key, PASSWORD, "node").unwrap();
    Account::new(key)
}

pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap();
    let start = text.len().saturating_sub(4000);
    let cut = text
        .char_indices()
        .map(|(at, _)| at)
        .find(|at| *at >= start);
    format!("--- {}\n{}", log.display(), &text[cut.unwrap_or(0)..])
}

fn start_all(fleet: &Fleet<'_>, arguments: &[String]) -> Vec<Process> {
    let mut nodes: Vec<Process> = Vec::new();
    for n in 0..NODES {
        let others: Vec<&Process> = nodes.first().into_iter().collect();
        nodes.push(fleet.start_with(n, &others, arguments));
    }
    nodes
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_prove_by_themselves_also_when_one_is_killed_in_between() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::start(dir.path(), "60 s").await;
    let fleet = Fleet {
        dir: dir.path(),
        rpc: world.net.rpc_url().to_owned(),
        contract: world.deployed.hash,
    };
    let arguments = world.arguments();
    let mut nodes = start_all(&fleet, &arguments);
    // Two blocks, the second one short.
    let root = world.put(dir.path(), 300_000, &nodes).await;
    let first = world.shown(&root, 3, &nodes).await;
    assert_eq!(first.failures, 0, "{first:?}");

    // The one that is asked dies at once, three times, and comes back.
    let victim = world.accounts[1].script_hash;
    let mut log = 0;
    for pause_ms in [0, 400, 1300] {
        world.asked(&victim).await;
        tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        nodes.remove(1).guard.kill();
        let others = [&nodes[0]];
        let again = fleet.start_with(1, &others, &arguments);
        nodes.insert(1, again);
        log += 1;
        let shown = world.tally(&root).await.shown;
        world.shown(&root, shown + 2, &nodes).await;
    }
    assert_eq!(log, 3);
    let tally = world.tally(&root).await;
    println!("{tally:?}");
    assert_eq!(tally.failures, 0, "{tally:?}");
    for account in &world.accounts {
        let info = world.proofs.node_info(&account.script_hash).await.unwrap();
        let reputation = info.unwrap().reputation;
        println!("{} {reputation}", account.address);
        assert!(reputation > 500_000_000, "every node has proved something");
    }
    // Rewards came without anyone's asking.
    let started = Instant::now();
    while world.proofs.reward_info().await.unwrap().rounds == 0 {
        assert!(started.elapsed() < PATIENCE, "no round was paid");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    // A second show or accept of the same challenge would be a fault on the chain, paid for nothing.
    let faults = world.faults().await;
    println!("faults: {faults:?}");
    let twice = |fault: &&String| {
        ["showProof", "acceptProof", "open proof"]
            .iter()
            .any(|text| fault.contains(text))
    };
    assert_eq!(faults.iter().find(twice), None);
    for node in &mut nodes {
        assert!(node.guard.exit_status().is_none());
        assert!(!fs::read_to_string(&node.log).unwrap().contains("panicked"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_a_flipped_block_fails_its_proof_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let world = World::start(dir.path(), "20 s").await;
    let fleet = Fleet {
        dir: dir.path(),
        rpc: world.net.rpc_url().to_owned(),
        contract: world.deployed.hash,
    };
    let mut nodes = start_all(&fleet, &world.arguments());
    let root = world.put(dir.path(), 200_000, &nodes).await;
    world.shown(&root, 1, &nodes).await;
    let (victim, offers) = (world.accounts[2].script_hash, &world.proofs);
    let started = Instant::now();
    while !offers.offers_of(&root).await.unwrap().contains(&victim) {
        assert!(started.elapsed() < PATIENCE, "{}", tail(&nodes[2].log));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }

    let segment = dir.path().join("node2/data/segments/00000001.seg");
    let mut bytes = fs::read(&segment).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    fs::write(&segment, bytes).unwrap();
    let started = Instant::now();
    while world.tally(&root).await.failures == 0 {
        assert!(started.elapsed() < PATIENCE, "{}", tail(&nodes[2].log));
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    let info = world.proofs.node_info(&victim).await.unwrap().unwrap();
    println!("reputation of the one that failed: {}", info.reputation);
    // It takes its promise back, and the others go on.
    let started = Instant::now();
    while offers.offers_of(&root).await.unwrap().contains(&victim) {
        assert!(started.elapsed() < PATIENCE, "{}", tail(&nodes[2].log));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let shown = world.tally(&root).await.shown;
    world.shown(&root, shown + 2, &nodes).await;
    let failed = &mut nodes[2];
    assert!(failed.guard.exit_status().is_none(), "it runs");
    let log = fs::read_to_string(&failed.log).unwrap();
    assert!(
        !log.contains("panicked") && log.contains("cannot be done"),
        "{log}"
    );
}
