//! Everybody wants one block: `wire::replicas::Load` sheds it to more nodes, and takes it back when it is over.

use std::collections::{BTreeMap, BTreeSet};

use phantasma_wire::PublicKey;
use phantasma_wire::replicas::{
    Action, Answer, BlockKey, Candidate, Load, LoadPolicy, Policy, Watch, place, zone,
};
use sha2::{Digest as _, Sha256};

use super::Findings;
use crate::torture::random::Random;

const KEY: BlockKey = BlockKey {
    root: [9; 32],
    block: 0,
};
const REPLICAS: usize = 3;
/// Requests in a second: eight times what one holder serves.
const RATE: usize = 400;
const FLOOD_S: u64 = 600;
const AFTER_S: u64 = 3_600 * 4;
/// Nodes tick and copies arrive on these seconds.
const TICK_S: u64 = 15;
/// Holders that a reader tries one after another.
const TRIES: usize = 3;

struct World {
    nodes: Vec<Candidate>,
    holders: BTreeMap<PublicKey, (Watch, Load)>,
    random: Random,
    now_ms: u64,
}

/// Runs it and adds its rows.
pub fn run(nodes: usize, seed: u64, out: &mut Findings) {
    let mut world = World::new(nodes, seed);
    let hot = LoadPolicy::default().hot as usize * 1_000 / LoadPolicy::default().window_ms as usize;
    let (mut refused, mut calm_after_s, mut most_holders) = (0, 0, 0);
    let mut busiest = 0;
    for second in 0..FLOOD_S {
        let (served, left) = world.second(second, RATE);
        refused += left;
        if left > 0 {
            calm_after_s = second + 1;
        }
        busiest = busiest.max(served);
        most_holders = most_holders.max(world.holders.len());
    }
    for second in FLOOD_S..FLOOD_S + AFTER_S {
        world.second(second, 0);
    }
    out.row(
        "a flood: requests a second, what one holder serves a second",
        format!("{RATE}, {hot}"),
    );
    out.row(
        "  holders before, at most, hours later",
        format!("{REPLICAS}, {most_holders}, {}", world.holders.len()),
    );
    out.row(
        "  requests that no holder took",
        format!("{refused} of {}", RATE * FLOOD_S as usize),
    );
    out.row("  the most that one holder served in a second", busiest);
    out.bound(
        "  seconds until every request was served",
        calm_after_s,
        "300",
        calm_after_s <= 300,
    );
    out.bound(
        "  holders hours later",
        world.holders.len(),
        "as before",
        world.holders.len() == REPLICAS,
    );
}

impl World {
    fn new(count: usize, seed: u64) -> Self {
        let node = |n: u64| {
            let hash = Sha256::digest([seed, n].map(u64::to_be_bytes).concat());
            let mut public_key = [2; 33];
            public_key[1..].copy_from_slice(&hash);
            Candidate {
                public_key,
                zone: zone(&format!("10.{}.{}.9:4000", n / 256, n % 256)),
            }
        };
        let nodes: Vec<Candidate> = (0..count as u64).map(node).collect();
        let mut world = Self {
            random: Random::new(seed),
            holders: BTreeMap::new(),
            now_ms: 0,
            nodes,
        };
        let first: Vec<Candidate> = place(&KEY, &world.nodes, &[], REPLICAS)
            .into_iter()
            .cloned()
            .collect();
        for holder in &first {
            world.add(holder.public_key, first.clone());
        }
        world
    }

    fn add(&mut self, key: PublicKey, others: Vec<Candidate>) {
        let Some(me) = self.nodes.iter().find(|node| node.public_key == key) else {
            return;
        };
        let mut watch = Watch::new(me.clone(), Policy::default());
        watch.hold(KEY, REPLICAS, others, self.now_ms);
        let load = Load::new(LoadPolicy::default());
        self.holders.insert(key, (watch, load));
    }

    /// One second: requests, and from time to time the nodes' own work. Gives what the busiest holder served, and how
    /// many requests nobody took.
    fn second(&mut self, second: u64, requests: usize) -> (usize, usize) {
        self.now_ms = second * 1_000;
        let mut served: BTreeMap<PublicKey, usize> = BTreeMap::new();
        let mut left = 0;
        for _ in 0..requests {
            match self.ask() {
                Some(holder) => *served.entry(holder).or_default() += 1,
                None => left += 1,
            }
        }
        if second.is_multiple_of(TICK_S) {
            self.tick();
        }
        (served.into_values().max().unwrap_or(0), left)
    }

    /// A reader knows all holders from the hash table and begins with any.
    fn ask(&mut self) -> Option<PublicKey> {
        let mut known: Vec<PublicKey> = self.holders.keys().copied().collect();
        let others = known.len() - 1;
        for _ in 0..TRIES.min(known.len()) {
            let holder = known.swap_remove(self.random.below(known.len()));
            let (_, load) = self.holders.get_mut(&holder)?;
            if load.asked(&KEY, others, self.now_ms) == Answer::Serve {
                return Some(holder);
            }
        }
        None
    }

    fn tick(&mut self) {
        let all: Vec<PublicKey> = self.holders.keys().copied().collect();
        for node in all {
            let Some((watch, load)) = self.holders.get_mut(&node) else {
                continue;
            };
            for (key, extra) in load.tick(self.now_ms) {
                watch.shed(&key, extra);
            }
            for action in watch.tick(self.now_ms, &self.nodes) {
                self.carry_out(node, action);
            }
        }
    }

    fn carry_out(&mut self, node: PublicKey, action: Action) {
        let now_ms = self.now_ms;
        match action {
            Action::Ask { node: other } => {
                let holds = self.holders.contains_key(&other);
                let holds = BTreeSet::from_iter(holds.then_some(KEY));
                if let Some((watch, _)) = self.holders.get_mut(&node) {
                    watch.answered(&other, &holds, now_ms);
                }
            }
            Action::Copy { key, to } => {
                let Some((watch, _)) = self.holders.get_mut(&node) else {
                    return;
                };
                let mut others = watch.others(&key).to_vec();
                let told = watch.copied(&key, &to, now_ms);
                others.extend(self.nodes.iter().find(|n| n.public_key == node).cloned());
                if !self.holders.contains_key(&to) {
                    self.add(to, others);
                }
                for action in told {
                    self.carry_out(node, action);
                }
            }
            Action::Tell {
                node: other,
                key,
                holder,
                holds,
            } => {
                if let Some((watch, _)) = self.holders.get_mut(&other) {
                    watch.learn(&key, holder, holds, now_ms);
                }
            }
            Action::Drop { .. } => {
                self.holders.remove(&node);
            }
        }
    }
}
