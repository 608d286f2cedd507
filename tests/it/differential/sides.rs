//! The two sides, and how they are compared.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use neo_client::rpc::Execution;
use neo_client::{
    Account, ContractParam, Hash160, Hash256, PrivateKey, ScriptBuilder, Signer, StackItem,
    Transaction, VmState, account, flags,
};
use neo_framework::chain::{self, Chain, Item, Outcome};
use neo_framework::{Bytes, Int};
use phantasma::contract::Artifacts;
use phantasma_contract::methods;
use phantasma_tests::{NETWORK_MAGIC, TestNet};
use sha2::{Digest, Sha256};

use super::calls::Call;
use super::items::{Arg, as_node_shows, without_session};

/// The accounts of the test by name; a name is the key on both sides. The first deploys and owns the supply.
pub(super) const ACCOUNTS: [&str; 4] = ["owner", "alice", "bob", "poor"];
/// What a call may cost, in datoshi: 6 of them fit the 20 GAS of a block.
const SYSTEM_FEE: i64 = 3_0000_0000;
/// Enough for any of our transactions' size and signature.
const NETWORK_FEE: i64 = 1000_0000;
/// Every call pays the fees above: 600 calls by four accounts.
const GAS_EACH: u64 = 2000;
/// How long the transactions of one sequence may take to come into blocks.
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Sides {
    net: TestNet,
    keys: Vec<Account>,
    chain: Chain,
    pub(super) hash: Hash160,
    nonce: u32,
    /// Method → calls, calls that went through.
    pub(super) tally: BTreeMap<&'static str, (usize, usize)>,
}

/// What `_deploy` receives.
fn deploy_data(owner: &Account) -> Arg {
    let supply = 10_000_000_000_000_000;
    let numbers = [supply, 10_0000_0000, 100_0000, 20, supply].map(Arg::Int);
    let nobody = Arg::Bytes(vec![0; 20]);
    Arg::List(
        [
            vec![Arg::Bytes(owner.script_hash.0.to_vec())],
            numbers.to_vec(),
            vec![nobody.clone(), nobody],
        ]
        .concat(),
    )
}

impl Sides {
    /// A node with the compiled contract, and a native chain with the same contract under the same hash.
    pub(super) async fn start() -> Sides {
        let net = TestNet::start().await;
        let keys: Vec<Account> = ACCOUNTS.iter().map(|name| account_named(name)).collect();
        for key in &keys {
            net.fund_gas(&key.address, GAS_EACH * 1_0000_0000)
                .await
                .unwrap();
        }
        let contract = Artifacts::compile(None).unwrap();
        let data = deploy_data(&keys[0]);
        let (hash, receipt) = net
            .deploy_contract(&keys[0], &contract.nef, &contract.manifest, data.for_node())
            .await;
        eprintln!(
            "deployed: nef {} + manifest {} bytes, {} datoshi",
            contract.nef.len(),
            contract.manifest.len(),
            receipt.system_fee
        );
        let chain = Chain::new();
        chain.set_network(NETWORK_MAGIC);
        let native = native_hash(&hash);
        chain.register(&native, methods::CONTRACT);
        let outcome = chain.run_as(&[native_signer(&keys[0])], &native, || {
            methods::dispatch("_deploy", vec![data.for_native(), Item::Boolean(false)])
        });
        assert_eq!(
            events_of(&outcome, &hash),
            node_events(&receipt.notifications, &hash)
        );
        let sides = Sides {
            net,
            keys,
            chain,
            hash,
            nonce: 1,
            tally: BTreeMap::new(),
        };
        sides.compare_storage().await;
        sides
    }

    /// Sends all calls at once, follows the blocks natively, compares each call.
    pub(super) async fn perform(&mut self, calls: &[Call]) {
        let mut sent = BTreeMap::new();
        let first_block = self.net.rpc().get_block_count().await.unwrap();
        for call in calls {
            sent.insert(self.send(call, first_block).await.0, call);
        }
        let mut next_block = first_block;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while !sent.is_empty() {
            assert!(
                tokio::time::Instant::now() < deadline,
                "{} transactions are in no block",
                sent.len()
            );
            if self.net.rpc().get_block_count().await.unwrap() <= next_block {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            let block = self.net.rpc().get_block_json(next_block).await.unwrap();
            self.chain
                .set_time(Int::from_u64(block["time"].as_u64().unwrap()));
            for tx in block["tx"].as_array().unwrap() {
                let id: Hash256 = tx["hash"].as_str().unwrap().parse().unwrap();
                let Some(call) = sent.remove(&id.0) else {
                    continue;
                };
                let halted = self.compare(call, &id).await;
                let (calls, halts) = self.tally.entry(call.method).or_default();
                *calls += 1;
                *halts += usize::from(halted);
            }
            next_block += 1;
        }
    }

    async fn send(&mut self, call: &Call, height: u32) -> Hash256 {
        let signer = &self.keys[call.signer];
        let params: Vec<ContractParam> = call.args.iter().map(Arg::for_node).collect();
        let mut script = ScriptBuilder::new();
        script.call(&self.hash, call.method, flags::ALL, &params);
        self.nonce += 1;
        let mut tx = Transaction {
            nonce: self.nonce,
            system_fee: SYSTEM_FEE,
            network_fee: NETWORK_FEE,
            valid_until_block: height + 1000,
            signers: vec![Signer::new(signer.script_hash)],
            script: script.build().unwrap(),
            ..Transaction::default()
        };
        account::sign(&mut tx, NETWORK_MAGIC, std::slice::from_ref(signer)).unwrap();
        self.net
            .rpc()
            .send_raw_transaction(&tx)
            .await
            .unwrap_or_else(|e| panic!("{call:?}: {e}"))
    }

    /// Runs one call natively and compares it with what the node did; whether it went through.
    async fn compare(&self, call: &Call, id: &Hash256) -> bool {
        let log = self
            .net
            .rpc()
            .get_application_log(id)
            .await
            .unwrap()
            .expect("a log");
        let node = &log.executions[0];
        let args = call.args.iter().map(Arg::for_native).collect();
        let signers = [native_signer(&self.keys[call.signer])];
        let native = self
            .chain
            .invoke(&signers, &native_hash(&self.hash), call.method, args);
        self.same(call, node, &native);
        native.is_halt()
    }

    fn same(&self, call: &Call, node: &Execution, native: &Outcome) {
        let context = || {
            format!(
                "{call:?}\n  node: {:?} {:?} {:?} ({} datoshi)\n  native: {:?} {:?} {:?}",
                node.state,
                node.exception,
                node.stack,
                node.gas_consumed,
                native.state,
                native.exception,
                native.stack
            )
        };
        assert_eq!(
            node.state == VmState::Halt,
            native.is_halt(),
            "{}",
            context()
        );
        if let Some(message) = &native.exception {
            let said = node.exception.clone().unwrap_or_default();
            assert!(
                !said.contains("GAS limit") && !said.contains("gas limit"),
                "{}",
                context()
            );
            assert!(
                !is_ours(message) || said.contains(message.as_str()),
                "{}",
                context()
            );
            return;
        }
        let shown = native.stack.iter().map(as_node_shows).collect::<Vec<_>>();
        let stack = node
            .stack
            .iter()
            .cloned()
            .map(without_session)
            .collect::<Vec<_>>();
        assert_eq!(stack, shown, "{}", context());
        assert_eq!(
            node_events(&node.notifications, &self.hash),
            events_of(native, &self.hash),
            "{}",
            context()
        );
    }

    /// What a call would fault with, natively.
    pub(super) fn fault_of(&self, call: &Call) -> Option<String> {
        let args = call.args.iter().map(Arg::for_native).collect();
        let signers = [native_signer(&self.keys[call.signer])];
        let hash = native_hash(&self.hash);
        self.chain
            .test_invoke(&signers, &hash, call.method, args)
            .exception
    }

    /// The contract's storage, natively.
    pub(super) fn storage(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.chain.storage(&native_hash(&self.hash))
    }

    /// The whole storage of the contract on both sides.
    pub(super) async fn compare_storage(&self) {
        let mut found = BTreeMap::new();
        let mut start = 0;
        loop {
            let page = self
                .net
                .rpc()
                .find_storage(&self.hash, &[], start)
                .await
                .unwrap();
            found.extend(
                page.entries
                    .into_iter()
                    .map(|entry| (entry.key, entry.value)),
            );
            if !page.truncated {
                break;
            }
            start = page.next;
        }
        assert!(!found.is_empty());
        assert_eq!(found, self.chain.storage(&native_hash(&self.hash)));
    }

    /// What `boxesOf` runs through, for every account.
    pub(super) async fn compare_iterators(&self) {
        let rpc = self.net.rpc();
        for key in &self.keys {
            let params = [key.script_hash.into()];
            let result = rpc
                .invoke_function(&self.hash, "boxesOf", &params, &[])
                .await
                .unwrap();
            let iterator = result.stack[0].as_iterator().unwrap();
            let node = rpc
                .read_iterator(result.session.as_deref(), iterator)
                .await
                .unwrap();
            let args = vec![Item::bytes(&key.script_hash.0)];
            let native = self
                .chain
                .invoke(&[], &native_hash(&self.hash), "boxesOf", args)
                .result();
            let Item::Iterator(iterator) = native else {
                panic!("boxesOf gave {native:?}")
            };
            let mut values = Vec::new();
            while iterator.next() {
                values.push(as_node_shows(iterator.value().raw()));
            }
            assert_eq!(node, values, "boxesOf {}", key.address);
        }
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("tests/ has a parent")
}

/// Whether a fault's message stands in the contract's sources: then the node must say the same.
fn is_ours(message: &str) -> bool {
    let folders = ["contract/src", "vm-compat/src/core"];
    let sources = folders
        .iter()
        .flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let mut texts = sources.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    message.contains(": expected ") && message.ends_with(" bytes")
        || texts.any(|text| text.contains(&format!("\"{message}\"")))
}

/// The account whose key is the hash of its name, as the native chain makes it.
fn account_named(name: &str) -> Account {
    let key = PrivateKey::from_bytes(&Sha256::digest(name.as_bytes()).into()).unwrap();
    let account = Account::new(key);
    assert_eq!(
        account.script_hash.0,
        chain::Account::named(name).hash.to_array()
    );
    account
}

fn native_hash(hash: &Hash160) -> neo_framework::Hash160 {
    neo_framework::Hash160::from_bytes(Bytes::from(hash.0)).unwrap()
}

fn native_signer(account: &Account) -> chain::Signer {
    chain::Signer::called_by_entry(&native_hash(&account.script_hash))
}

/// Name and arguments of our contract's events.
type Events = Vec<(String, StackItem)>;

fn node_events(all: &[neo_client::Notification], contract: &Hash160) -> Events {
    all.iter()
        .filter(|e| e.contract == *contract)
        .map(|e| (e.name.clone(), e.state.clone()))
        .collect()
}

fn events_of(outcome: &Outcome, contract: &Hash160) -> Events {
    let ours = outcome
        .events
        .iter()
        .filter(|e| e.contract == native_hash(contract));
    ours.map(|e| {
        (
            e.name.clone(),
            StackItem::Array(e.args.iter().map(as_node_shows).collect()),
        )
    })
    .collect()
}
