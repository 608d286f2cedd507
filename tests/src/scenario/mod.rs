//! `torture scenario`: the economy once, on a real node, with the project's own deployment parameters and two and a half
//! years of simulated time.
//!
//! The sale opens, three tiers buy, one gets back what is over its cap, the sale ends, what is locked up is paid out on its
//! days. Ten nodes register, a content of 1 GiB is paid and proved thirty times, one node lies and loses reputation, a
//! round of rewards is drawn and paid. Every movement of SOUL that the chain tells of is written into a [`Ledger`], and
//! what the accounts have must be what the ledger says.

mod ledger;
mod network;
mod pattern;
mod people;
mod selling;

use neo_client::{Account, Hash160};
use phantasma::contract::{self, Params};
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::proofs::Proofs;
use phantasma_sdk::sale::Sale;

use crate::{TestNet, all_artifacts};

pub use ledger::Ledger;
pub use pattern::Pattern;
use people::People;

/// Smallest units of a SOUL, and of a GAS.
const ONE: u64 = 1_0000_0000;
const DAY_MS: u64 = 86_400_000;

/// What the parts of the scenario share.
struct World {
    net: TestNet,
    phantasma: Phantasma,
    sale: Sale,
    proofs: Proofs,
    people: People,
    ledger: Ledger,
}

/// Runs it to its end, telling on standard output what happens. Panics where something is not as it should be.
pub async fn run() {
    let content = tokio::task::spawn_blocking(|| Pattern::new(1 << 30));
    let mut world = World::start().await;
    let end_ms = world.sell().await;
    world.ledger.check("after the sale").await;

    world.register_nodes().await;
    world.open_box().await;
    let mut parts = selling::parts(end_ms);
    let later = parts.split_off(1);
    world.unlock(&parts).await;
    let content = content.await.expect("a content");
    world.store(&content).await;
    world.prove(&content).await;
    world.reward().await;
    world.ledger.check("after the round of rewards").await;

    world.unlock(&later).await;
    world.check_supply().await;
    world.ledger.check("when all lock-ups are over").await;
    say("scenario: ok");
}

impl World {
    async fn start() -> Self {
        step("a private net, wallets, and the three contracts with the project's own parameters");
        let net = TestNet::start().await;
        let people = People::make(&net).await;
        let mut params = Params::load(None).expect("the project's parameters");
        params.sale.treasury = Some(people.treasury.address.clone());
        let (artifacts, actor) = (all_artifacts(), net.actor(&people.admin));
        let owner = people.foundation.script_hash;
        let deployed = contract::deploy(&actor, &artifacts, &owner, &params).await;
        let deployed = deployed.unwrap_or_else(|e| panic!("{e:#}"));
        let hashes = deployed.hashes;
        let linked = contract::linked(&net.rpc(), &hashes).await;
        assert!(linked.unwrap_or_else(|e| panic!("{e:#}")));
        let phantasma = Phantasma::new(net.rpc(), hashes.phantasma);
        let mut ledger = Ledger::new(phantasma.clone(), hashes.sale);
        for (name, account) in people.all() {
            ledger.know(&name, account.script_hash);
        }
        let receipt = deployed.receipts.phantasma.expect("a new chain");
        ledger.record(&receipt);
        say(&format!("Phantasma {}", hashes.phantasma));
        say(&format!("PhantasmaSale {}", hashes.sale));
        say(&format!("PhantasmaProofs {}", hashes.proofs));
        Self {
            sale: Sale::new(net.rpc(), hashes.sale),
            proofs: Proofs::new(net.rpc(), hashes.proofs),
            net,
            phantasma,
            people,
            ledger,
        }
    }

    async fn now_ms(&self) -> u64 {
        self.net.last_block().await.time_ms
    }

    async fn soul_of(&self, account: &Account) -> u64 {
        let balance = self.phantasma.balance_of(&account.script_hash).await;
        balance.unwrap_or_else(|e| panic!("{e}"))
    }

    async fn holds(&self, token: &Hash160, account: &Hash160) -> u64 {
        let balance = self.net.rpc().balance_of(token, account).await;
        u64::try_from(balance.unwrap_or_else(|e| panic!("{e}"))).expect("an amount")
    }

    /// A box whose readers pay; so one has SOUL in the end.
    async fn open_box(&mut self) {
        step("Bob opens a box whose readers pay 10 SOUL, and Alice reads");
        let gate = "STATE write\nNOT\nJMPIFNOT ok\nPUSH 1000000000\nPAY\nok: PUSH 2";
        let gate = phantasma_vm::assemble(gate).expect("a gate");
        let (alice, bob) = (self.people.alice.clone(), self.people.bob.clone());
        let made = self.phantasma.create_box(&bob, "news", &gate).await;
        let (id, receipt) = made.unwrap_or_else(|e| panic!("{e}"));
        self.ledger.record(&receipt);
        self.ledger.know_box(id);
        let content = phantasma_vm::data_script(b"what is new").expect("a content");
        let written = self.phantasma.write_content(&bob, id, &content, 0).await;
        self.ledger
            .record(&written.unwrap_or_else(|e| panic!("{e}")).1);
        let read = self.phantasma.read_content(&alice, id, 10 * ONE).await;
        let (item, receipt) = read.unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(item.as_bytes().expect("a text"), b"what is new");
        self.ledger.record(&receipt);
    }

    /// What was sold and allotted was minted, and nothing else.
    async fn check_supply(&self) {
        let params = Params::load(None).expect("the project's parameters");
        let params = params.for_owner(&Hash160::ZERO).expect("amounts");
        let sold = self
            .sale
            .sale_info()
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let supply = self.phantasma.total_supply().await;
        let supply = supply.unwrap_or_else(|e| panic!("{e}"));
        let minted = sold.sold + selling::ALLOTTED;
        assert_eq!(supply, params.initial_supply + minted);
    }
}

/// Says what is being done now.
fn step(text: &str) {
    println!("\n==> {text}");
}

/// Says what came of it.
fn say(text: &str) {
    println!("    {text}");
}
