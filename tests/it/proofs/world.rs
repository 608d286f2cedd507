//! Both contracts on a node, with nodes that are registered, and what they do.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use neo_client::{Account, ContractParam, Hash160, Receipt, Signer, StackItem, VmState};
use phantasma_tests::TestNet;
use phantasma_tests::scenario::Pattern;
use phantasma_tests::torture::economy::trees::Hash;

use super::soul::Soul;

const SOUL: i64 = 1_0000_0000;
pub(super) const NODE_FEE: i64 = 10 * SOUL;
pub(super) const VALIDATION_FEE: i64 = SOUL;
pub(super) const POT_SHARE: i64 = 10;
pub(super) const WAIT_MS: i64 = 1000;
pub(super) const MIN_AGE_MS: i64 = 1000;
pub(super) const QUIET_MS: i64 = 1000;
/// Long beside the four or five blocks that a proof takes, on a busy machine too.
pub(super) const DEADLINE_MS: i64 = 20_000;
pub(super) const GIVEN: i64 = 1000 * SOUL;
pub(super) const POOL: i64 = 5000 * SOUL + 7;
/// Over the test run's price, for calls that run beside others.
const MARGIN_PERCENT: u32 = 40;
/// How long the chain may take to come to a state.
pub(super) const PATIENCE: Duration = Duration::from_secs(90);

/// Sources on disk below the workspace.
struct Below(PathBuf);

impl neoc::Sources for Below {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.0.join(path)).ok()
    }
}

pub(super) fn compiled() -> neoc::Contract {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    neoc::compile(
        &Below(workspace.to_path_buf()),
        "contract/proofs/src/lib.rs",
        &[],
    )
    .unwrap_or_else(|e| panic!("{e}"))
}

pub(super) async fn deploy(
    net: &TestNet,
    by: &Account,
    contract: &neoc::Contract,
    data: ContractParam,
) -> Hash160 {
    let (nef, manifest) = (&contract.nef, &contract.manifest);
    let (hash, receipt) = net.deploy_contract(by, nef, manifest, data).await;
    eprintln!(
        "{:24} nef {} + manifest {} bytes, {:.4} GAS",
        contract.name,
        nef.len(),
        manifest.len(),
        receipt.gas_consumed as f64 / 1e8
    );
    hash
}

pub(super) async fn read(
    net: &TestNet,
    hash: &Hash160,
    method: &str,
    params: &[ContractParam],
) -> StackItem {
    let result = net.rpc().invoke_function(hash, method, params, &[]).await;
    let result = result.unwrap();
    assert_eq!(result.state, VmState::Halt, "{:?}", result.exception);
    result.stack[0].clone()
}

pub(super) async fn whole_number(
    net: &TestNet,
    hash: &Hash160,
    method: &str,
    params: &[ContractParam],
) -> i64 {
    read(net, hash, method, params).await.as_i64().unwrap()
}

/// Everything of the scenario, and the dearest call of each kind.
pub(super) struct World {
    pub(super) net: TestNet,
    pub(super) soul: Soul,
    pub(super) hash: Hash160,
    pub(super) nodes: Vec<Account>,
    pub(super) gas: BTreeMap<String, i64>,
}

impl World {
    pub(super) async fn start(nodes: usize) -> World {
        let net = TestNet::start().await;
        let owner = net.funded_account(100).await;
        let phantasma = Soul::hash_before(&owner);
        let numbers = [
            NODE_FEE,
            VALIDATION_FEE,
            POT_SHARE,
            4,
            WAIT_MS,
            60 * WAIT_MS,
            MIN_AGE_MS,
            QUIET_MS,
            DEADLINE_MS,
        ];
        let mut data = vec![ContractParam::from(phantasma)];
        data.extend(numbers.map(ContractParam::from));
        let hash = deploy(&net, &owner, &compiled(), ContractParam::Array(data)).await;
        let soul = Soul::deploy(&net, owner, &hash).await;
        soul.fill(&net, POOL).await;
        let mut world = World {
            net,
            soul,
            hash,
            nodes: Vec::new(),
            gas: BTreeMap::new(),
        };
        for n in 0..nodes {
            let node = world.net.funded_account(20).await;
            world.soul.give(&world.net, &node, GIVEN).await;
            let params = [
                node.key.public_key().into(),
                format!("10.0.0.{n}:4000").into(),
            ];
            world.nodes.push(node);
            world.by(n, "registerNode", &params).await;
        }
        world
    }

    /// A call in a transaction of its own, which must go through.
    pub(super) async fn by(
        &mut self,
        node: usize,
        method: &str,
        params: &[ContractParam],
    ) -> Receipt {
        let actor = self.net.actor(&self.nodes[node]);
        let receipt = actor.invoke(&self.hash, method, params).await;
        let receipt = receipt.unwrap_or_else(|e| panic!("{method}: {e}"));
        self.note(method, &receipt);
        receipt
    }

    pub(super) fn note(&mut self, what: &str, receipt: &Receipt) {
        let most = self.gas.entry(what.to_owned()).or_default();
        *most = receipt.gas_consumed.max(*most);
    }

    /// The same of one call a node, all in the same few blocks. Each runs after others that its test run did not see, and
    /// they may have made a queue longer or taken it away: so they pay more than the test run took.
    pub(super) async fn all(&mut self, method: &str, calls: Vec<(usize, Vec<ContractParam>)>) {
        let mut sent = Vec::new();
        for (node, params) in calls {
            let actor = self.net.actor(&self.nodes[node]);
            let call = actor.build(&self.hash, method, &params).unwrap();
            let call = call.fee_margin_percent(MARGIN_PERCENT);
            let pending = call.send(&self.net.rpc()).await;
            sent.push(pending.unwrap_or_else(|e| panic!("{method}: {e}")));
        }
        for pending in sent {
            let receipt = pending.wait(&self.net.rpc()).await;
            let receipt = receipt.unwrap_or_else(|e| panic!("{method}: {e}"));
            self.note(method, &receipt);
        }
    }

    pub(super) async fn get(&self, method: &str, params: &[ContractParam]) -> StackItem {
        read(&self.net, &self.hash, method, params).await
    }

    /// What the node says against a call, without sending it.
    pub(super) async fn refusal(
        &self,
        node: usize,
        method: &str,
        params: &[ContractParam],
    ) -> String {
        let signer = Signer::new(self.nodes[node].script_hash);
        let rpc = self.net.rpc();
        let signers = [signer];
        let result = rpc.invoke_function(&self.hash, method, params, &signers);
        let result = result.await.unwrap();
        assert_eq!(result.state, VmState::Fault, "{method} went through");
        result.exception.unwrap()
    }

    pub(super) fn pair(&self, v: usize, p: usize) -> Vec<ContractParam> {
        vec![
            self.nodes[v].script_hash.into(),
            self.nodes[p].script_hash.into(),
        ]
    }

    pub(super) fn start_params(&self, v: usize, p: usize, root: &Hash) -> Vec<ContractParam> {
        let mut params = self.pair(v, p);
        params.push(ContractParam::bytes(root.to_vec()));
        params.push((-1).into());
        params
    }

    pub(super) fn show_params(
        &self,
        v: usize,
        p: usize,
        nonce: u64,
        (chunk, path): &(Vec<u8>, Vec<Hash>),
    ) -> Vec<ContractParam> {
        let path: Vec<ContractParam> = path
            .iter()
            .map(|hash| ContractParam::bytes(hash.to_vec()))
            .collect();
        vec![
            self.nodes[p].script_hash.into(),
            self.nodes[v].script_hash.into(),
            nonce.into(),
            ContractParam::bytes(chunk.clone()),
            path.into(),
        ]
    }

    /// Nonce and chunk of a pair's challenge, as soon as there are such; the nonce must be the block's.
    pub(super) async fn drawn(&self, v: usize, p: usize) -> (u64, u64) {
        let start = Instant::now();
        loop {
            let open = self.get("openProof", &self.pair(v, p)).await;
            let fields = open.as_array().unwrap();
            if let (Ok(nonce), Ok(chunk)) = (fields[6].as_u64(), fields[7].as_u64()) {
                let draw = fields[5].as_u64().unwrap() as u32;
                assert_eq!(self.net.rpc().get_block_nonce(draw).await.unwrap(), nonce);
                return (nonce, chunk);
            }
            assert!(start.elapsed() < PATIENCE, "no block draws");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub(super) async fn offer(&mut self, root: &Hash) {
        let calls = (0..self.nodes.len()).map(|n| {
            let root = ContractParam::bytes(root.to_vec());
            (n, vec![self.nodes[n].script_hash.into(), root])
        });
        let calls = calls.collect();
        self.all("offerContent", calls).await;
    }

    /// Starts, shows and accepts proofs of disjoint pairs side by side.
    pub(super) async fn prove(&mut self, pairs: &[(usize, usize)], content: &Pattern) {
        let starts = pairs
            .iter()
            .map(|(v, p)| (*v, self.start_params(*v, *p, &content.root())));
        let starts = starts.collect();
        self.all("startProof", starts).await;
        let mut shows = Vec::new();
        for (v, p) in pairs {
            let (nonce, chunk) = self.drawn(*v, *p).await;
            let params = self.show_params(*v, *p, nonce, &content.proof(chunk));
            shows.push((*p, params));
        }
        self.all("showProof", shows).await;
        let accepts = pairs.iter().map(|(v, p)| (*v, self.pair(*v, *p)));
        let accepts = accepts.collect();
        self.all("acceptProof", accepts).await;
    }

    pub(super) async fn reputation(&self, node: usize) -> i64 {
        let info = self
            .get("nodeInfo", &[self.nodes[node].script_hash.into()])
            .await;
        info.as_array().unwrap()[4].as_i64().unwrap()
    }

    pub(super) async fn rounds(&self) -> Vec<StackItem> {
        let info = self.get("rewardInfo", &[]).await;
        info.as_array().unwrap().to_vec()
    }

    /// Waits until the last block is so late, in ms since 1970.
    pub(super) async fn time_is(&self, at_least: i64) -> i64 {
        let start = Instant::now();
        loop {
            let last = self.net.rpc().get_block_count().await.unwrap() - 1;
            let block = self.net.rpc().get_block_json(last).await.unwrap();
            let time = block["time"].as_i64().unwrap();
            if time >= at_least {
                return time;
            }
            assert!(start.elapsed() < PATIENCE, "the chain's clock stands");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    pub(super) fn print_gas(&self) {
        for (what, gas) in &self.gas {
            eprintln!("{what:40} {:.4} GAS", *gas as f64 / 1e8);
        }
    }
}
