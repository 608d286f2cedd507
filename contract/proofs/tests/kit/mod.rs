//! The contract deployed beside a small one that has the SOUL, nodes, and a content, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

// What a contract exports is public in its own module.
#[allow(unreachable_pub)]
mod bank;
pub(crate) mod tree;

use neo_framework::chain::{Account, Chain, Entries, Item, Outcome, Signer};
use neo_framework::{Hash160, Int};
use phantasma_proofs::methods;
use tree::Content;

pub(crate) const NODE_FEE: i64 = 100;
pub(crate) const VALIDATION_FEE: i64 = 5;
pub(crate) const DEADLINE: i64 = 300_000;
pub(crate) const WAIT: i64 = 1_000_000;
pub(crate) const WAIT_CAP: i64 = 1_200_000;
pub(crate) const MIN_AGE: i64 = 10_000;
pub(crate) const QUIET: i64 = 600_000;
pub(crate) const GIVEN: i64 = 1_000_000;
pub(crate) const POOL: i64 = 1_000_003;

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) hash: Hash160,
    pub(crate) bank: Hash160,
    pub(crate) nodes: Vec<Account>,
}

pub(crate) fn int(value: i64) -> Item {
    Item::integer(value)
}

pub(crate) fn account(account: &Account) -> Item {
    Item::ByteString(account.hash.as_bytes())
}

pub(crate) fn as_int(item: &Item) -> i64 {
    item.to_integer().ok().and_then(Int::to_i64).unwrap()
}

pub(crate) fn fields(item: &Item) -> Vec<Item> {
    match item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().clone(),
        other => panic!("not an array: {other:?}"),
    }
}

impl World {
    /// Both contracts, and so many nodes that are registered, old enough and have SOUL.
    pub(crate) fn new(count: usize) -> World {
        World::with_minimum(count, 4)
    }

    pub(crate) fn with_minimum(count: usize, minimum: i64) -> World {
        let chain = Chain::new();
        let owner = chain.account("owner");
        // Each needs the other's hash: that of a contract follows from sender and name.
        let elsewhere = Chain::new();
        let hash = elsewhere
            .deploy(&[owner.signer()], methods::CONTRACT, Item::Null)
            .hash;
        let bank = chain.deploy(
            &[owner.signer()],
            bank::methods::CONTRACT,
            Item::ByteString(hash.as_bytes()),
        );
        assert!(bank.outcome.is_halt());
        let numbers = [
            NODE_FEE,
            VALIDATION_FEE,
            10,
            minimum,
            WAIT,
            WAIT_CAP,
            MIN_AGE,
            QUIET,
            DEADLINE,
        ];
        let data = [
            vec![Item::ByteString(bank.hash.as_bytes())],
            numbers.map(int).to_vec(),
        ]
        .concat();
        let deployed = chain.deploy(&[owner.signer()], methods::CONTRACT, Item::array(data));
        assert!(
            deployed.outcome.is_halt(),
            "{:?}",
            deployed.outcome.exception
        );
        let nodes: Vec<Account> = (0..count)
            .map(|n| chain.account(&format!("node{n}")))
            .collect();
        let world = World {
            chain,
            hash: deployed.hash,
            bank: bank.hash,
            nodes,
        };
        world.bank("fill", vec![int(POOL)]).result();
        for node in &world.nodes {
            world.bank("give", vec![account(node), int(GIVEN)]).result();
            world.register(node).result();
        }
        world.chain.advance(MIN_AGE);
        world
    }

    pub(crate) fn bank(&self, method: &str, args: Vec<Item>) -> Outcome {
        self.chain.invoke(&[], &self.bank, method, args)
    }

    pub(crate) fn by(&self, signer: &Account, method: &str, args: Vec<Item>) -> Outcome {
        self.signed(&[signer.signer()], method, args)
    }

    pub(crate) fn signed(&self, signers: &[Signer], method: &str, args: Vec<Item>) -> Outcome {
        let outcome = self.chain.invoke(signers, &self.hash, method, args);
        self.chain.advance(1000);
        outcome
    }

    /// The result of a safe method.
    pub(crate) fn get(&self, method: &str, args: Vec<Item>) -> Item {
        self.chain
            .test_invoke(&[], &self.hash, method, args)
            .result()
    }

    #[track_caller]
    pub(crate) fn refused(&self, signer: &Account, method: &str, args: Vec<Item>, message: &str) {
        let before = self.storage();
        let outcome = self.by(signer, method, args);
        assert_eq!(outcome.exception.as_deref(), Some(message), "{method}");
        assert_eq!(self.storage(), before);
    }

    pub(crate) fn storage(&self) -> (Entries, Entries) {
        (
            self.chain.storage(&self.hash),
            self.chain.storage(&self.bank),
        )
    }

    pub(crate) fn register(&self, node: &Account) -> Outcome {
        let key = Item::ByteString(node.public_key.as_bytes());
        self.by(node, "registerNode", vec![key, Item::text("10.0.0.1:4000")])
    }

    /// Registers a content for a year and lets the nodes offer it.
    pub(crate) fn content(&self, content: &Content) {
        let expiry = as_int(&Item::Integer(self.chain.time())) + 365 * 24 * 3_600_000;
        let args = vec![
            Item::bytes(&content.root()),
            int(content.size as i64),
            int(expiry),
        ];
        self.bank("register", args).result();
        for node in &self.nodes {
            self.by(
                node,
                "offerContent",
                vec![account(node), Item::bytes(&content.root())],
            )
            .result();
        }
    }

    pub(crate) fn start(&self, v: usize, p: usize, content: &Content, block: i64) -> Outcome {
        let (v, p) = (&self.nodes[v], &self.nodes[p]);
        let args = vec![
            account(v),
            account(p),
            Item::bytes(&content.root()),
            int(block),
        ];
        self.by(v, "startProof", args)
    }

    pub(crate) fn pair(&self, v: usize, p: usize) -> Vec<Item> {
        vec![account(&self.nodes[v]), account(&self.nodes[p])]
    }

    /// The arguments of a `showProof` that must go through, after as many blocks as it takes.
    pub(crate) fn show_args(&self, v: usize, p: usize, content: &Content) -> Vec<Item> {
        let open = fields(&self.get("openProof", self.pair(v, p)));
        let index = as_int(&open[7]) as u64;
        let path = content
            .path(index)
            .iter()
            .map(|hash| Item::bytes(hash))
            .collect();
        vec![
            account(&self.nodes[p]),
            account(&self.nodes[v]),
            open[6].clone(),
            Item::bytes(&content.chunk(index)),
            Item::array(path),
        ]
    }

    pub(crate) fn show(&self, v: usize, p: usize, content: &Content) -> Outcome {
        self.by(&self.nodes[p], "showProof", self.show_args(v, p, content))
    }

    /// Start, show, accept.
    #[track_caller]
    pub(crate) fn prove(&self, v: usize, p: usize, content: &Content) {
        self.start(v, p, content, -1).result();
        self.chain.advance(1000);
        self.show(v, p, content).result();
        self.by(&self.nodes[0], "acceptProof", self.pair(v, p))
            .result();
    }

    /// A proof that nobody shows.
    #[track_caller]
    pub(crate) fn miss(&self, v: usize, p: usize, content: &Content) {
        self.start(v, p, content, -1).result();
        self.chain.advance(DEADLINE);
        self.by(&self.nodes[0], "failProof", self.pair(v, p))
            .result();
    }

    pub(crate) fn reputation(&self, node: usize) -> i64 {
        as_int(&fields(&self.get("nodeInfo", vec![account(&self.nodes[node])]))[4])
    }

    pub(crate) fn average(&self) -> i64 {
        as_int(&self.get("averageReputation", vec![]))
    }

    pub(crate) fn balance(&self, node: &Account) -> i64 {
        as_int(&self.bank("balanceOf", vec![account(node)]).result())
    }

    pub(crate) fn pool(&self) -> i64 {
        as_int(&self.bank("poolBalance", vec![]).result())
    }

    pub(crate) fn rounds(&self) -> Vec<Item> {
        fields(&self.get("rewardInfo", vec![]))
    }
}
