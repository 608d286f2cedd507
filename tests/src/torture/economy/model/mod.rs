//! The rules once more, in plain numbers and without storage: what a call must refuse, and what it changes.

mod proofs;
mod sale;
mod settings;
mod soul;

use std::collections::{BTreeMap, BTreeSet};

use super::invariants::Invariant;
use super::steps::{How, Step};
use super::trees::Content;
use super::world::{PURSE, SUPPLY};
use crate::torture::random::Random;

pub use sale::{Money, OPEN, Quote, Record, Sale};
pub use settings::{SaleSettings, Settings, SoulSettings};
pub use soul::Entry;

/// How many actors there are.
pub const ACTORS: usize = 9;
/// Who has the supply at first, runs the sale and owns the box; not one of the actors.
pub const OWNER: usize = ACTORS;
/// All who can have SOUL, the contracts aside.
pub const HOLDERS: usize = ACTORS + 1;
/// How many contents.
pub const CONTENTS: usize = 4;
/// Millionths of a point: the full reputation, and what a node starts with.
pub const FULL: i64 = 1_000_000_000;
const START: i64 = 500_000_000;
/// Entries of a queue.
pub const QUEUE: usize = 8;

/// A registered node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    pub reputation: i64,
    pub number: i64,
    pub registered: i64,
}

/// A challenge that is not over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Open {
    pub content: usize,
    pub size: i64,
    pub block: i64,
    pub started: i64,
    pub draw: i64,
    pub loose: bool,
    pub shown: bool,
}

/// A round that waits to be paid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closed {
    pub pot: i64,
    pub draw: i64,
    pub invoker: usize,
    pub queues: [Vec<i64>; 2],
}

/// Everything that there should be.
#[derive(Clone, Debug)]
pub struct Model {
    pub seed: u64,
    pub settings: Settings,
    pub accounts: Vec<[u8; 20]>,
    pub time: i64,
    pub height: i64,
    /// The height at which everything was deployed.
    pub first_height: i64,
    /// SOUL that there is.
    pub issued: i64,
    pub burned: i64,
    pub pool: i64,
    pub balances: [i64; HOLDERS],
    /// SOUL in the box.
    pub chest: i64,
    /// How often somebody wrote into the box.
    pub written: i64,
    pub register: [Option<Entry>; CONTENTS],
    pub sale: Sale,
    pub nodes: [Option<Node>; ACTORS],
    /// Who has which number, from 1.
    pub numbers: Vec<usize>,
    pub average: i64,
    /// The same without rounding.
    pub exact: f64,
    /// How often it moved.
    pub moves: u32,
    pub changed: i64,
    pub offers: BTreeSet<(usize, usize)>,
    pub open: BTreeMap<(usize, usize), Open>,
    pub tallies: [[i64; 3]; CONTENTS],
    pub queues: [Vec<i64>; 2],
    pub closed: Option<Closed>,
    pub rounds: i64,
    pub last_round: i64,
    pub wait: i64,
    /// Validator, prover and half of the last round's pot.
    pub paid: Option<(usize, usize, i64)>,
}

impl Model {
    /// After deployment at that time and height.
    pub fn new(
        seed: u64,
        settings: Settings,
        accounts: Vec<[u8; 20]>,
        time: i64,
        height: i64,
    ) -> Model {
        let mut balances = [0; HOLDERS];
        balances[OWNER] = SUPPLY - settings.soul.box_fee;
        Model {
            seed,
            wait: settings.wait,
            sale: Sale::new(&settings, time, PURSE),
            // The box's fee.
            pool: settings.soul.box_fee,
            settings,
            accounts,
            time,
            height,
            first_height: height,
            issued: SUPPLY,
            burned: 0,
            balances,
            chest: 0,
            written: 0,
            register: [None; CONTENTS],
            nodes: [None; ACTORS],
            numbers: Vec::new(),
            average: START,
            exact: START as f64,
            moves: 0,
            changed: 0,
            offers: BTreeSet::new(),
            open: BTreeMap::new(),
            tallies: [[0; 3]; CONTENTS],
            queues: [Vec::new(), Vec::new()],
            closed: None,
            rounds: 0,
            last_round: time,
            paid: None,
        }
    }

    /// The consensus nonce of a block: it follows from how much later the block is than the deployment.
    pub fn nonce(&self, block: i64) -> u64 {
        Random::of_case(self.seed, (block - self.first_height) as usize).next_u64()
    }

    /// Which rule is against a step now.
    pub fn refusal(&self, step: &Step) -> Option<Invariant> {
        match *step {
            Step::Wait { .. } => None,
            Step::Soul { signer, ref step } => self.soul_refusal(signer, step),
            Step::Sale { signer, ref step } => self.sale_refusal(signer, step),
            Step::Register {
                actor,
                signer,
                endpoints,
            } => unless(actor == signer, Invariant::Witness)
                .or_else(|| unless((1..=256).contains(&endpoints), Invariant::Form))
                .or_else(|| {
                    let paid = self.nodes[actor].is_some()
                        || self.balances[actor] >= self.settings.node_fee;
                    unless(paid, Invariant::Balance)
                }),
            Step::Leave { actor, signer } | Step::Offer { actor, signer, .. } => {
                unless(actor == signer, Invariant::Witness)
                    .or_else(|| unless(self.nodes[actor].is_some(), Invariant::Form))
            }
            Step::Retract { actor, signer, .. } => unless(actor == signer, Invariant::Witness),
            Step::Start {
                v,
                p,
                signer,
                content,
                block,
            } => unless(v == signer, Invariant::Witness)
                .or_else(|| self.start_refusal(v, p, content, block)),
            Step::Show { v, p, signer, how } => unless(p == signer, Invariant::Witness)
                .or_else(|| self.show_refusal(v, p))
                .or_else(|| unless(how == How::Right, Invariant::Chunk)),
            Step::Accept { v, p, .. } => {
                let shown = self.open.get(&(v, p)).is_some_and(|open| open.shown);
                unless(shown, Invariant::Accepted)
            }
            Step::Fail { v, p, .. } => {
                let over = self
                    .open
                    .get(&(v, p))
                    .is_some_and(|open| !open.shown && self.is_over(open));
                unless(over, Invariant::Failed)
            }
            Step::Obtain { invoker, signer } => {
                unless(invoker == signer, Invariant::Witness).or_else(|| self.obtain_refusal())
            }
            Step::Steal { .. } => Some(Invariant::Trust),
            Step::Abort { .. } => Some(Invariant::Fault),
        }
    }

    /// What a step that goes through changes.
    pub fn apply(&mut self, step: &Step) {
        self.paid = None;
        self.sale.last = None;
        self.sale.unlocked = None;
        match *step {
            Step::Wait { ms, blocks } => {
                self.time += ms;
                self.height += blocks;
            }
            Step::Register { actor, .. } => self.register(actor),
            Step::Leave { actor, .. } => self.nodes[actor] = None,
            Step::Offer { actor, content, .. } => drop(self.offers.insert((content, actor))),
            Step::Retract { actor, content, .. } => drop(self.offers.remove(&(content, actor))),
            Step::Start {
                v,
                p,
                content,
                block,
                ..
            } => self.start(v, p, content, block),
            Step::Show { v, p, .. } => {
                if let Some(open) = self.open.get_mut(&(v, p)) {
                    open.shown = true;
                    self.tallies[open.content][1] += i64::from(open.block < 0);
                }
            }
            Step::Accept { v, p, .. } => self.accept(v, p),
            Step::Fail { v, p, .. } => self.fail(v, p),
            Step::Obtain { invoker, .. } => self.obtain(invoker),
            Step::Steal { .. } | Step::Abort { .. } => {}
            Step::Soul { ref step, .. } => self.apply_soul(step),
            Step::Sale { ref step, .. } => self.apply_sale(step),
        }
    }
}

/// The rule, unless what it wants is so.
fn unless(good: bool, rule: Invariant) -> Option<Invariant> {
    (!good).then_some(rule)
}

/// Bytes of each content: one chunk of one byte, two blocks and a bit, 1 MiB, 1 TiB.
pub const CONTENT_SIZES: [u64; CONTENTS] = [1, 2 * 262_144 + 1025, 1 << 20, 1 << 40];

/// The contents themselves.
pub fn contents() -> [Content; CONTENTS] {
    let ones = |height| Content::Ones(super::trees::Ones::new(height));
    let all = [
        Content::small(CONTENT_SIZES[0]),
        Content::small(CONTENT_SIZES[1]),
        ones(10),
        ones(30),
    ];
    assert_eq!(all.each_ref().map(Content::size), CONTENT_SIZES);
    all
}
