//! The three contracts with a crowd of boxes, contents, nodes, proofs and buyers, and what a call costs there.

use neo_client::{Account, ContractParam, GAS, Hash160, NEO, Signer, VmState};
use phantasma_vm::{data_script, free_gate};
use sha2::{Digest, Sha256};

use super::Case;
use crate::quiet::{QuietNet, account_named, call_script};
use crate::three::Three;
use crate::torture::economy::trees::Ones;

/// Smallest units of SOUL and GAS in one.
pub(super) const ONE: i64 = 1_0000_0000;
pub(super) const DAY_MS: i64 = 86_400_000;
/// When the contracts are deployed: later than any clock shows, so that each run has the same times.
pub(super) const START_MS: i64 = 4_000_000_000_000;
/// The sale ends so long after that.
pub(super) const SALE_MS: i64 = 100 * DAY_MS;
const SUPPLY: i64 = 10_000_000 * ONE;
pub(super) const NODE_FEE: i64 = 10 * ONE;
/// Long beside what a test run is later than its last block.
const DEADLINE_MS: i64 = 7_200_000;
/// Calls of the crowd in one transaction: below a block's 20 GAS.
const BATCH: usize = 40;
/// The same of calls that each have a signer, of whom a transaction has at most 16.
const SIGNERS: usize = 8;

/// rateNeo, rateGas, bonus, cap, lockup, locks: public, presale, team.
const TIERS: [[i64; 6]; 3] = [
    [273 * ONE, 80 * ONE, 0, 5000 * ONE, 0, 0],
    [273 * ONE, 80 * ONE, 20, 5000 * ONE, 1, 1],
    [273 * ONE, 80 * ONE, 0, 5000 * ONE, 2, 2],
];
/// cliff, step, steps, reserve.
const LOCKUPS: [[i64; 4]; 2] = [[0, 30, 3, 10_000 * ONE], [180, 180, 4, 10_000 * ONE]];

/// One call of a script.
pub(super) type Call = (Hash160, &'static str, Vec<ContractParam>);

/// See the module.
pub(super) struct World {
    pub(super) net: QuietNet,
    pub(super) three: Three,
    pub(super) owner: Account,
    pub(super) alice: Account,
    pub(super) bob: Account,
    /// How many of everything there are beside what is measured.
    pub(super) crowd: usize,
    pub(super) found: Vec<Case>,
    /// What deploying each contract cost.
    pub(super) deployed: [i64; 3],
}

pub(super) fn bytes(data: impl AsRef<[u8]>) -> ContractParam {
    ContractParam::bytes(data.as_ref().to_vec())
}

/// An id like that of a content.
pub(super) fn root_named(name: &str) -> ContractParam {
    bytes(Sha256::digest(name.as_bytes()))
}

fn rows<const N: usize>(rows: &[[i64; N]]) -> ContractParam {
    let row = |row: &[i64; N]| ContractParam::Array(row.map(ContractParam::from).to_vec());
    ContractParam::Array(rows.iter().map(row).collect())
}

/// What the three `_deploy` receive.
fn data(owner: &Hash160, three: &Three) -> [ContractParam; 3] {
    let numbers = |list: &[i64]| -> Vec<ContractParam> {
        list.iter().map(|number| (*number).into()).collect()
    };
    let mut soul = vec![(*owner).into()];
    soul.extend(numbers(&[SUPPLY, ONE, ONE / 100, 20, 2 * SUPPLY]));
    soul.extend([three.sale.into(), three.proofs.into()]);
    let treasury = account_named("treasury").script_hash;
    let mut sale = vec![three.soul.into(), (*owner).into(), treasury.into()];
    let end = START_MS + SALE_MS;
    sale.extend(numbers(&[1_000_000 * ONE, START_MS, end, end + SALE_MS]));
    sale.extend([rows(&TIERS), rows(&LOCKUPS)]);
    let mut proofs = vec![three.soul.into()];
    let second = 1000;
    proofs.extend(numbers(&[NODE_FEE, ONE, 10, 1, second, 60 * second]));
    proofs.extend(numbers(&[second, 0, DEADLINE_MS]));
    [soul, sale, proofs].map(ContractParam::Array)
}

impl World {
    /// Everything deployed, with a crowd of that size.
    pub(super) async fn start(crowd: usize) -> World {
        let mut net = QuietNet::start().await;
        let [owner, alice, bob] = ["owner", "alice", "bob"].map(account_named);
        let three = Three::of(&owner.script_hash);
        let data = data(&owner.script_hash, &three);
        let (three, deployed) = Three::deploy(&mut net, &owner, START_MS as u64, data).await;
        let mut world = World {
            net,
            three,
            owner,
            alice,
            bob,
            crowd,
            found: Vec::new(),
            deployed,
        };
        for who in [world.alice.clone(), world.bob.clone()] {
            world.give(&who, 4_000_000 * ONE).await;
        }
        world.fill_boxes().await;
        world.fill_register().await;
        world.fill_whitelist().await;
        world.fill_nodes().await;
        world
    }

    /// SOUL of the owner's.
    pub(super) async fn give(&mut self, to: &Account, amount: i64) {
        let call = self.gift(&to.script_hash, amount);
        self.by_owner(vec![call]).await;
    }

    fn gift(&self, to: &Hash160, amount: i64) -> Call {
        let from = self.owner.script_hash;
        let params = vec![from.into(), (*to).into(), amount.into(), ContractParam::Any];
        (self.three.soul, "transfer", params)
    }

    /// Calls in as many transactions of one block as they need.
    pub(super) async fn by(&mut self, who: &Account, calls: Vec<Call>) {
        let batches = calls.chunks(BATCH);
        let scripts = batches.map(|calls| (script_of(calls), vec![who])).collect();
        self.net.run(scripts).await;
    }

    pub(super) async fn by_owner(&mut self, calls: Vec<Call>) {
        let owner = self.owner.clone();
        self.by(&owner, calls).await;
    }

    /// Calls that each have a signer of their own.
    pub(super) async fn by_each(&mut self, calls: &[(&Account, Call)]) {
        let batches = calls.chunks(SIGNERS).map(|batch| {
            let list: Vec<Call> = batch.iter().map(|(_, call)| call.clone()).collect();
            let signers = batch.iter().map(|(who, _)| *who).collect();
            (script_of(&list), signers)
        });
        self.net.run(batches.collect()).await;
    }

    /// Boxes of alice, contents and members of the first of them.
    async fn fill_boxes(&mut self) {
        let (soul, alice) = (self.three.soul, self.alice.clone());
        let who = ContractParam::from(alice.script_hash);
        let (gate, text) = (free_gate(), data_script(&[7; 20]).expect("a short text"));
        let mut calls: Vec<Call> = Vec::new();
        for n in 0..self.crowd {
            let name = format!("crowd_{n}").into();
            let key = alice.key.public_key().into();
            let params = vec![who.clone(), name, key, bytes(&gate)];
            calls.push((soul, "createBox", params));
        }
        for n in 0..self.crowd {
            let params = vec![who.clone(), 1.into(), bytes(&text), 0.into()];
            calls.push((soul, "writeContent", params));
            let member = account_named(&format!("member{n}")).script_hash;
            calls.push((soul, "include", vec![1.into(), member.into()]));
        }
        self.by(&alice, calls).await;
    }

    /// Contents in the register, of alice's.
    async fn fill_register(&mut self) {
        let alice = self.alice.clone();
        let calls = (0..self.crowd).map(|n| self.register(root_named(&format!("crowd {n}")), 1000));
        let calls = calls.collect();
        self.by(&alice, calls).await;
    }

    /// `createContent` of alice's, writable and for a year.
    pub(super) fn register(&self, root: ContractParam, size: i64) -> Call {
        let who = self.alice.script_hash.into();
        let numbers = [size, 1, 0, 12, i64::MAX].map(ContractParam::from);
        let params = [vec![who, root], numbers.to_vec()].concat();
        (self.three.soul, "createContent", params)
    }

    async fn fill_whitelist(&mut self) {
        let all: Vec<ContractParam> = (0..self.crowd)
            .map(|n| account_named(&format!("buyer{n}")).script_hash.into())
            .collect();
        for list in all.chunks(BATCH) {
            let call = self.whitelist(list.to_vec(), 1);
            self.by_owner(vec![call]).await;
        }
    }

    pub(super) fn whitelist(&self, accounts: Vec<ContractParam>, tier: i64) -> Call {
        let params = vec![accounts.into(), tier.into()];
        (self.three.sale, "whitelist", params)
    }

    /// Nodes that all offer one content, and of which each has asked the next for a proof.
    async fn fill_nodes(&mut self) {
        let alice = self.alice.clone();
        let root = bytes(Ones::new(10).root());
        let register = self.register(root.clone(), 1 << 20);
        self.by(&alice, vec![register]).await;
        let names: Vec<String> = (0..self.crowd).map(|n| format!("node{n}")).collect();
        let nodes = self.nodes(&names).await;
        let proofs = self.three.proofs;
        let offers: Vec<_> = nodes
            .iter()
            .map(|node| {
                let params = vec![node.script_hash.into(), root.clone()];
                (node, (proofs, "offerContent", params))
            })
            .collect();
        self.by_each(&offers).await;
        let starts: Vec<_> = nodes
            .iter()
            .zip(nodes.iter().cycle().skip(1))
            .map(|(v, p)| (v, self.start_proof(v, p, &root)))
            .collect();
        self.by_each(&starts).await;
    }

    pub(super) fn start_proof(&self, v: &Account, p: &Account, root: &ContractParam) -> Call {
        let params = vec![
            v.script_hash.into(),
            p.script_hash.into(),
            root.clone(),
            (-1).into(),
        ];
        (self.three.proofs, "startProof", params)
    }

    /// Registered nodes with SOUL for a few proofs.
    pub(super) async fn nodes(&mut self, names: &[String]) -> Vec<Account> {
        let nodes: Vec<Account> = names.iter().map(|name| account_named(name)).collect();
        let gifts = nodes.iter().map(|n| self.gift(&n.script_hash, 100 * ONE));
        let gifts = gifts.collect();
        self.by_owner(gifts).await;
        let calls: Vec<_> = nodes
            .iter()
            .map(|node| {
                let key = node.key.public_key().into();
                let params = vec![key, "203.0.113.7:4000".into()];
                (node, (self.three.proofs, "registerNode", params))
            })
            .collect();
        self.by_each(&calls).await;
        nodes
    }

    /// NEO and GAS of the committee's, in smallest units.
    pub(super) async fn fund(&mut self, to: &Account, neo: i64, gas: i64) {
        let committee = self.net.net().committee();
        let calls: Vec<Call> = [(NEO, neo), (GAS, gas)]
            .into_iter()
            .map(|(token, amount)| transfer(token, &committee, &to.script_hash, amount))
            .collect();
        let transaction = self
            .net
            .transaction(script_of(&calls), &[&committee], false);
        let time = self.net.last().time_ms + 1000;
        let runs = self.net.block(time, 0, vec![transaction]).await;
        assert_eq!(runs[0].state, VmState::Halt, "{:?}", runs[0].exception);
    }

    /// What a call would cost now, which must go through: it changes nothing.
    pub(super) async fn measure(&mut self, case: &str, by: &Account, call: Call) {
        let (contract, method, params) = call;
        let script = call_script(&contract, method, &params);
        let signers = [Signer::new(by.script_hash)];
        let run = self.net.rpc().invoke_script(&script, &signers).await;
        let run = run.unwrap_or_else(|e| panic!("{case}: {e}"));
        assert_eq!(run.state, VmState::Halt, "{case}: {:?}", run.exception);
        let tx = self.net.transaction(script, &[by], false);
        let network_fee = self.net.rpc().calculate_network_fee(&tx).await;
        let at = self.three.all().iter().position(|hash| *hash == contract);
        self.found.push(Case {
            // A purchase is a call of NEO or GAS.
            contract: at.unwrap_or(1),
            method: if at.is_some() {
                method
            } else {
                "onNEP17Payment"
            },
            name: case.to_owned(),
            gas: run.gas_consumed,
            network_fee: network_fee.unwrap_or_else(|e| panic!("{case}: {e}")),
        });
    }
}

pub(super) fn transfer(token: Hash160, from: &Account, to: &Hash160, amount: i64) -> Call {
    let params = vec![
        from.script_hash.into(),
        (*to).into(),
        amount.into(),
        ContractParam::Any,
    ];
    (token, "transfer", params)
}

fn script_of(calls: &[Call]) -> Vec<u8> {
    let scripts = calls
        .iter()
        .map(|(contract, method, params)| call_script(contract, method, params));
    scripts.collect::<Vec<_>>().concat()
}
