//! The rules once more, in plain numbers and without storage: what a call must refuse, and what it changes.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::invariants::Invariant;
use super::reference::Reference;
use super::steps::{How, Step};
use super::trees::Content;
use crate::torture::random::Random;

/// How many actors there are.
pub const ACTORS: usize = 9;
/// How many contents.
pub const CONTENTS: usize = 4;
/// Millionths of a point: the full reputation, and what a node starts with.
pub const FULL: i64 = 1_000_000_000;
const START: i64 = 500_000_000;
/// Entries of a queue.
pub const QUEUE: usize = 8;
/// How many blocks back a block can still be read.
const TRACEABLE: i64 = 2_102_400;

/// What is fixed at deployment, times in ms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub node_fee: i64,
    pub validation_fee: i64,
    pub pot_share: i64,
    pub minimum: i64,
    pub wait: i64,
    pub wait_cap: i64,
    pub min_age: i64,
    pub quiet: i64,
    pub deadline: i64,
}

impl Settings {
    /// Of one sequence.
    pub fn random(random: &mut Random) -> Settings {
        let wait = random.pick(&[0, 60_000, 1_000_000]);
        Settings {
            node_fee: random.pick(&[0, 100, 300]),
            validation_fee: random.pick(&[0, 1, 7]),
            pot_share: random.pick(&[1, 10, 50, 100]),
            minimum: random.pick(&[1, 1, 2, 3]),
            wait,
            wait_cap: wait * 2,
            min_age: random.pick(&[0, 10_000, 3_600_000]),
            quiet: random.pick(&[0, 600_000, 3_600_000]),
            deadline: random.pick(&[20_000, 300_000]),
        }
    }

    /// As `_deploy` takes them.
    pub fn list(&self) -> [i64; 9] {
        [
            self.node_fee,
            self.validation_fee,
            self.pot_share,
            self.minimum,
            self.wait,
            self.wait_cap,
            self.min_age,
            self.quiet,
            self.deadline,
        ]
    }
}

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
    pub issued: i64,
    pub pool: i64,
    pub balances: [i64; ACTORS],
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
    /// Until when each content is paid for; 0 at first.
    pub expiry: [i64; CONTENTS],
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
        Model {
            seed,
            wait: settings.wait,
            settings,
            accounts,
            time,
            height,
            issued: 0,
            pool: 0,
            balances: [0; ACTORS],
            nodes: [None; ACTORS],
            numbers: Vec::new(),
            average: START,
            exact: START as f64,
            moves: 0,
            changed: 0,
            offers: BTreeSet::new(),
            expiry: [0; CONTENTS],
            open: BTreeMap::new(),
            tallies: [[0; 3]; CONTENTS],
            queues: [Vec::new(), Vec::new()],
            closed: None,
            rounds: 0,
            last_round: time,
            paid: None,
        }
    }

    /// The consensus nonce of a block.
    pub fn nonce(&self, block: i64) -> u64 {
        Random::of_case(self.seed, block as usize).next_u64()
    }

    /// The chunk that a challenge asks for.
    pub fn chunk(&self, v: usize, p: usize, open: &Open) -> u64 {
        let digest = Sha256::new()
            .chain_update(self.nonce(open.draw).to_le_bytes())
            .chain_update(self.accounts[v])
            .chain_update(self.accounts[p])
            .finalize();
        let random = u64::from_le_bytes(digest[..8].try_into().expect("8 bytes"));
        let chunks = (open.size as u64).div_ceil(1024);
        if open.block < 0 {
            return random % chunks;
        }
        let first = open.block as u64 * 256;
        first + random % (chunks - first).min(256)
    }

    /// Which rule is against a step now.
    pub fn refusal(&self, step: &Step) -> Option<Invariant> {
        let unless = |good: bool, rule| if good { None } else { Some(rule) };
        match *step {
            Step::Wait { .. } | Step::Content { .. } | Step::Give { .. } | Step::Fill { .. } => {
                None
            }
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

    fn start_refusal(&self, v: usize, p: usize, content: usize, block: i64) -> Option<Invariant> {
        if self.open.contains_key(&(v, p)) {
            return Some(Invariant::OnePair);
        }
        if v == p || self.loose(v, p).is_none() {
            return Some(Invariant::Roles);
        }
        let size = CONTENT_SIZES[content];
        let blocks = size.div_ceil(262_144) as i64;
        if !self.offers.contains(&(content, p))
            || self.expiry[content] <= self.time
            || !(-1..blocks).contains(&block)
        {
            return Some(Invariant::Form);
        }
        (self.balances[v] < self.settings.validation_fee).then_some(Invariant::Balance)
    }

    /// Whether a pair has its roles by the loosened rule only; None if not at all.
    fn loose(&self, v: usize, p: usize) -> Option<bool> {
        let (first, second) = (self.nodes[v]?.reputation, self.nodes[p]?.reputation);
        if first > self.average && second <= self.average {
            return Some(false);
        }
        let quiet = self.time - self.changed >= self.settings.quiet;
        (quiet && first >= second).then_some(true)
    }

    fn show_refusal(&self, v: usize, p: usize) -> Option<Invariant> {
        match self.open.get(&(v, p)) {
            Some(open) if !open.shown && !self.is_over(open) && self.is_drawn(open.draw) => None,
            _ => Some(Invariant::Shown),
        }
    }

    fn obtain_refusal(&self) -> Option<Invariant> {
        if let Some(closed) = &self.closed {
            return (closed.draw > self.height).then_some(Invariant::Closed);
        }
        let few = self
            .queues
            .iter()
            .any(|queue| (queue.len() as i64) < self.settings.minimum);
        let early = self.time < self.last_round + self.wait;
        (few || early || self.pot() == 0).then_some(Invariant::Rounds)
    }

    fn is_over(&self, open: &Open) -> bool {
        self.time - open.started >= self.settings.deadline
    }

    fn is_drawn(&self, draw: i64) -> bool {
        draw <= self.height && self.height - draw <= TRACEABLE
    }

    /// What a round would share out if it closed now.
    pub fn pot(&self) -> i64 {
        self.pool * self.settings.pot_share / 200 * 2
    }

    /// What a step that goes through changes.
    pub fn apply(&mut self, step: &Step) {
        self.paid = None;
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
            Step::Content { content, ms } => self.expiry[content] = self.time + ms,
            Step::Give { actor, amount } => {
                self.balances[actor] += amount;
                self.issued += amount;
            }
            Step::Fill { amount } => {
                self.pool += amount;
                self.issued += amount;
            }
        }
    }

    fn register(&mut self, actor: usize) {
        if self.nodes[actor].is_some() {
            return;
        }
        self.balances[actor] -= self.settings.node_fee;
        self.pool += self.settings.node_fee;
        self.numbers.push(actor);
        self.nodes[actor] = Some(Node {
            reputation: START,
            number: self.numbers.len() as i64,
            registered: self.time,
        });
    }

    fn start(&mut self, v: usize, p: usize, content: usize, block: i64) {
        self.balances[v] -= self.settings.validation_fee;
        self.pool += self.settings.validation_fee;
        self.tallies[content][0] += i64::from(block < 0);
        let open = Open {
            content,
            size: CONTENT_SIZES[content] as i64,
            block,
            started: self.time,
            draw: self.height + 2,
            loose: self.loose(v, p) == Some(true),
            shown: false,
        };
        self.open.insert((v, p), open);
    }

    fn accept(&mut self, v: usize, p: usize) {
        let Some(open) = self.open.remove(&(v, p)) else {
            return;
        };
        if open.block >= 0 {
            return;
        }
        let before = self.average;
        // The prover first; provers' queue is the second.
        for (who, queue) in [(p, 1), (v, 0)] {
            let Some(node) = self.nodes[who] else {
                continue;
            };
            let in_role = if queue == 0 {
                node.reputation > before
            } else {
                node.reputation <= before
            };
            if (open.loose || in_role) && self.time - node.registered >= self.settings.min_age {
                self.enqueue(queue, node.number);
            }
            let missing = FULL - node.reputation;
            self.reputation_is(who, FULL - missing + missing.div_euclid(16));
        }
        self.changed = self.time;
    }

    fn fail(&mut self, v: usize, p: usize) {
        let Some(open) = self.open.remove(&(v, p)) else {
            return;
        };
        self.tallies[open.content][2] += i64::from(open.block < 0);
        if let Some(node) = self.nodes[p] {
            // Three quarters, rounded up.
            self.reputation_is(p, (node.reputation * 3 + 3).div_euclid(4));
            self.changed = self.time;
        }
    }

    fn reputation_is(&mut self, who: usize, reputation: i64) {
        let count = self.nodes.iter().flatten().count().max(1) as i64;
        let old = self.average;
        // One part in `count` of the way, rounded toward the old average.
        let moved = (old * (count - 1) + reputation).div_euclid(count);
        let inexact = (old * (count - 1) + reputation).rem_euclid(count) != 0;
        self.average = moved + i64::from(inexact && reputation < old);
        self.exact += (reputation as f64 - self.exact) / count as f64;
        self.moves += 1;
        if let Some(node) = &mut self.nodes[who] {
            node.reputation = reputation;
        }
    }

    fn enqueue(&mut self, queue: usize, number: i64) {
        let queue = &mut self.queues[queue];
        if !queue.contains(&number) {
            queue.push(number);
            queue.sort_unstable();
            queue.truncate(QUEUE);
        }
    }

    fn obtain(&mut self, invoker: usize) {
        let Some(closed) = self.closed.take() else {
            let queues = std::mem::take(&mut self.queues);
            let draw = self.height + 2;
            self.closed = Some(Closed {
                pot: self.pot(),
                draw,
                invoker,
                queues,
            });
            return;
        };
        if !self.is_drawn(closed.draw) {
            let draw = self.height + 2;
            self.closed = Some(Closed { draw, ..closed });
            return;
        }
        let digest = Sha256::new()
            .chain_update(self.nonce(closed.draw).to_le_bytes())
            .chain_update(self.accounts[closed.invoker])
            .finalize();
        let mut twister =
            Reference::new(u32::from_le_bytes(digest[..4].try_into().expect("4 bytes")));
        let winners = closed.queues.map(|queue| {
            let number = queue[twister.next() as usize % queue.len()];
            self.numbers[number as usize - 1]
        });
        let half = closed.pot / 2;
        for winner in winners {
            self.balances[winner] += half;
        }
        self.pool -= 2 * half;
        self.rounds += 1;
        self.last_round = self.time;
        self.wait = (self.wait * 9 / 8).min(self.settings.wait_cap);
        self.paid = Some((winners[0], winners[1], half));
    }
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
