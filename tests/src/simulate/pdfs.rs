//! A storage network that loses and gains a fifth of its nodes every hour.
//!
//! Placement, watch, repair and moves are `wire::replicas`; who holds what is told and found by [`super::kademlia`]. All
//! nodes that ever registered are candidates for a copy, as on the chain; that one is gone is only learned by trying.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap};

use phantasma_wire::PublicKey;
use phantasma_wire::replicas::{Action, BlockKey, Candidate, Policy, Watch, place, zone};
use sha2::{Digest as _, Sha256};

use super::kademlia::Dht;
use super::{Findings, around_ms, delay_ms, percentile};
use crate::torture::random::Random;

const HOUR_MS: u64 = 3_600_000;
const TICK_MS: u64 = 15_000;
/// libp2p's default for looking around.
const BOOTSTRAP_MS: u64 = 300_000;
/// `RECORD_REFRESH` of our control plane.
const REPUBLISH_MS: u64 = 1_200_000;
/// Of those that go, half come back after some 20 minutes with their disk, half never; for each of these a new node comes.
const AWAY_MS: u64 = 1_200_000;
/// 256 KiB at 16 Mbit/s, and a handshake.
const COPY_MS: u64 = 150;
const REPLICAS: usize = 3;
const BLOCKS_A_NODE: usize = 2;
const SAMPLES_A_MINUTE: usize = 60;
const BLOCK_MIB: f64 = 0.25;

/// How large and how long.
#[derive(Clone, Debug)]
pub struct Options {
    pub nodes: usize,
    pub seed: u64,
    pub minutes: u64,
    /// Nodes that go in an hour, in percent of all.
    pub churn_percent: u64,
}

impl Options {
    /// An hour at a fifth an hour.
    pub fn new(nodes: usize, seed: u64) -> Self {
        Self {
            nodes,
            seed,
            minutes: 60,
            churn_percent: 20,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Tick(u32),
    Bootstrap(u32),
    Republish(u32, BlockKey),
    Copied { from: u32, to: u32, key: BlockKey },
    Leave,
    Back(u32),
    Sample,
}

#[derive(Default)]
struct Counts {
    left: u64,
    lost: u64,
    joined: u64,
    back: u64,
    copies: u64,
    refused: u64,
    asks: u64,
    drops: u64,
    replicas_lost: u64,
    hops: Vec<u32>,
    find_ms: Vec<u64>,
    find_requests: Vec<u32>,
    found: u64,
    second_try: u64,
    not_found: Vec<String>,
    least: usize,
}

struct World {
    options: Options,
    random: Random,
    now_ms: u64,
    dht: Dht,
    watches: Vec<Watch>,
    /// All that ever registered, in order of their numbers.
    registry: Vec<Candidate>,
    number: HashMap<PublicKey, u32>,
    living: Vec<u32>,
    gone_for_good: BTreeSet<u32>,
    blocks: Vec<BlockKey>,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    counts: Counts,
}

/// Runs it.
pub fn run(options: &Options) -> Findings {
    let mut world = World::new(options.clone());
    let setup_requests = world.dht.requests;
    let end_ms = options.minutes * 60_000;
    while let Some(Reverse((at, _, event))) = world.events.pop() {
        if at > end_ms {
            break;
        }
        world.now_ms = at;
        world.happen(event);
    }
    world.now_ms = end_ms;
    for block in world.blocks.clone() {
        world.find(block);
    }
    world.findings(setup_requests)
}

/// The content's place among the nodes.
fn content_id(key: &BlockKey) -> u64 {
    u64::from_be_bytes(key.root[..8].try_into().unwrap())
}

impl World {
    fn new(options: Options) -> Self {
        let (nodes, seed) = (options.nodes, options.seed);
        let mut world = Self {
            random: Random::new(seed),
            now_ms: 0,
            dht: Dht::new(seed),
            watches: Vec::new(),
            registry: Vec::new(),
            number: HashMap::new(),
            living: Vec::new(),
            gone_for_good: BTreeSet::new(),
            blocks: Vec::new(),
            events: BinaryHeap::new(),
            sequence: 0,
            counts: Counts {
                least: REPLICAS,
                ..Counts::default()
            },
            options,
        };
        for _ in 0..nodes {
            world.join();
        }
        // Tables as after some time of running.
        for node in 0..nodes as u32 {
            world.dht.bootstrap(node, &mut world.random, 0);
        }
        for n in 0..nodes * BLOCKS_A_NODE {
            let root = Sha256::digest([seed.to_be_bytes(), (n as u64).to_be_bytes()].concat());
            world.put(BlockKey {
                root: root.into(),
                block: 0,
            });
        }
        world.later(0, Event::Leave);
        world.later(0, Event::Sample);
        world
    }

    fn later(&mut self, after_ms: u64, event: Event) {
        self.sequence += 1;
        let at = self.now_ms + after_ms;
        self.events.push(Reverse((at, self.sequence, event)));
    }

    /// A new node: registered, in touch with one that is there, its neighbours tell of it.
    fn join(&mut self) -> u32 {
        let number = self.registry.len() as u32;
        let hash = Sha256::digest(
            [self.options.seed, u64::from(number)]
                .map(u64::to_be_bytes)
                .concat(),
        );
        let mut public_key = [2; 33];
        public_key[1..].copy_from_slice(&hash);
        // As many houses as nodes, drawn at random: some share one, which is one zone.
        let house = self.random.below(self.options.nodes);
        let address = format!("10.{}.{}.9:4000", house / 256, house % 256);
        let candidate = Candidate {
            public_key,
            zone: zone(&address),
        };
        self.dht
            .add(u64::from_be_bytes(hash[..8].try_into().unwrap()));
        self.watches
            .push(Watch::new(candidate.clone(), Policy::default()));
        self.registry.push(candidate);
        self.number.insert(public_key, number);
        if !self.living.is_empty() {
            let known = self.random.pick(&self.living);
            self.dht.meet(number, known, self.now_ms);
            self.dht.bootstrap(number, &mut self.random, self.now_ms);
        }
        self.living.push(number);
        self.start(number);
        number
    }

    fn start(&mut self, node: u32) {
        let (tick, bootstrap) = (
            self.random.next_u64() % TICK_MS,
            self.random.next_u64() % BOOTSTRAP_MS,
        );
        self.later(tick, Event::Tick(node));
        self.later(bootstrap, Event::Bootstrap(node));
    }

    /// What an uploader does: three nodes by rank, at distinct endpoints, each told of the others.
    fn put(&mut self, key: BlockKey) {
        let holders: Vec<Candidate> = place(&key, &self.registry, &[], REPLICAS)
            .into_iter()
            .cloned()
            .collect();
        for holder in &holders {
            let node = self.number[&holder.public_key];
            self.watches[node as usize].hold(key, REPLICAS, holders.clone(), 0);
            self.announce(node, key);
        }
        self.blocks.push(key);
    }

    fn announce(&mut self, node: u32, key: BlockKey) {
        self.dht.provide(node, content_id(&key), self.now_ms);
        let after = REPUBLISH_MS - self.random.next_u64() % 60_000;
        self.later(after, Event::Republish(node, key));
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Tick(node) if self.dht.is_alive(node) => self.tick(node),
            Event::Bootstrap(node) if self.dht.is_alive(node) => {
                self.dht.bootstrap(node, &mut self.random, self.now_ms);
                self.later(BOOTSTRAP_MS, event);
            }
            Event::Republish(node, key) if self.watches[node as usize].holds(&key) => {
                if self.dht.is_alive(node) {
                    self.announce(node, key);
                } else if !self.gone_for_good.contains(&node) {
                    self.later(60_000, event);
                }
            }
            // Whoever is away comes back with new ones.
            Event::Tick(_) | Event::Bootstrap(_) | Event::Republish(..) => {}
            Event::Copied { from, to, key } => self.copied(from, to, key),
            Event::Leave => self.leave(),
            Event::Back(node) => self.back(node),
            Event::Sample => self.sample(),
        }
    }

    fn tick(&mut self, node: u32) {
        let actions = self.watches[node as usize].tick(self.now_ms, &self.registry);
        self.carry_out(node, actions);
        self.later(TICK_MS, Event::Tick(node));
    }

    fn carry_out(&mut self, node: u32, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Ask { node: other } => self.ask(node, self.number[&other]),
                Action::Copy { key, to } => {
                    let to = self.number[&to];
                    let takes = COPY_MS + 4 * delay_ms(self.options.seed, node, to);
                    self.later(
                        takes,
                        Event::Copied {
                            from: node,
                            to,
                            key,
                        },
                    );
                }
                Action::Tell {
                    node: other,
                    key,
                    holder,
                    holds,
                } => {
                    let other = self.number[&other];
                    if self.dht.is_alive(other) {
                        self.watches[other as usize].learn(&key, holder, holds, self.now_ms);
                    }
                }
                Action::Drop { .. } => self.counts.drops += 1,
            }
        }
    }

    fn ask(&mut self, node: u32, other: u32) {
        self.counts.asks += 1;
        if !self.dht.is_alive(other) {
            return;
        }
        let mine = self.registry[node as usize].public_key;
        let theirs = self.registry[other as usize].public_key;
        self.watches[other as usize].heard(&mine, self.now_ms);
        let holds: BTreeSet<BlockKey> = self.watches[other as usize].blocks().copied().collect();
        self.watches[node as usize].answered(&theirs, &holds, self.now_ms);
    }

    fn copied(&mut self, from: u32, to: u32, key: BlockKey) {
        if !self.dht.is_alive(from) {
            return;
        }
        let target = self.registry[to as usize].public_key;
        if !self.dht.is_alive(to) {
            self.counts.refused += 1;
            self.watches[from as usize].copy_failed(&key, &target, self.now_ms);
            return;
        }
        self.counts.copies += 1;
        let watch = &self.watches[from as usize];
        let mut others = watch.others(&key).to_vec();
        others.push(self.registry[from as usize].clone());
        let wanted = watch.wanted(&key);
        self.watches[to as usize].hold(key, wanted, others, self.now_ms);
        let told = self.watches[from as usize].copied(&key, &target, self.now_ms);
        self.carry_out(from, told);
        self.announce(to, key);
    }

    fn leave(&mut self) {
        let an_hour = (self.options.nodes as u64 * self.options.churn_percent / 100).max(1);
        let next = around_ms(&mut self.random, HOUR_MS / an_hour);
        self.later(next, Event::Leave);
        if self.living.len() < 2 {
            return;
        }
        let at = self.random.below(self.living.len());
        let node = self.living.swap_remove(at);
        self.dht.set_alive(node, false);
        self.counts.left += 1;
        if self.random.one_in(2) {
            self.counts.lost += 1;
            self.counts.replicas_lost += self.watches[node as usize].blocks().count() as u64;
            self.gone_for_good.insert(node);
            self.counts.joined += 1;
            let new = self.join();
            let candidate = self.registry[new as usize].clone();
            // Everybody reads the chain.
            for other in self.living.clone() {
                self.watches[other as usize].joined(&candidate);
            }
        } else {
            let away = around_ms(&mut self.random, AWAY_MS);
            self.later(away, Event::Back(node));
        }
    }

    fn back(&mut self, node: u32) {
        self.counts.back += 1;
        self.dht.set_alive(node, true);
        self.living.push(node);
        self.watches[node as usize].woke(self.now_ms);
        self.dht.bootstrap(node, &mut self.random, self.now_ms);
        let keys: Vec<BlockKey> = self.watches[node as usize].blocks().copied().collect();
        for key in keys {
            self.dht.provide(node, content_id(&key), self.now_ms);
        }
        self.start(node);
    }

    fn sample(&mut self) {
        for _ in 0..SAMPLES_A_MINUTE {
            let block = self.random.pick(&self.blocks);
            self.find(block);
        }
        self.later(60_000, Event::Sample);
    }

    /// Somebody wants a block: looks up its holders and takes it from one that is there. Who finds none looks once more.
    fn find(&mut self, key: BlockKey) {
        let reader = self.random.pick(&self.living);
        for attempt in 0..2 {
            let found = self.dht.holders(reader, content_id(&key), self.now_ms);
            let there = |node: &&u32| {
                self.dht.is_alive(**node) && self.watches[**node as usize].holds(&key)
            };
            let holders = found.holders.iter().filter(there).count();
            if attempt == 0 {
                self.counts.hops.push(found.hops);
                self.counts.find_ms.push(found.took_ms);
                self.counts.find_requests.push(found.requests);
            }
            if holders > 0 {
                self.counts.found += 1;
                self.counts.second_try += attempt;
                return;
            }
        }
        let held = self.holders_of(&key);
        let line = format!(
            "{} at minute {}: {held} living holders, none found",
            hex::encode(&key.root[..4]),
            self.now_ms / 60_000
        );
        self.counts.not_found.push(line);
    }

    fn holders_of(&self, key: &BlockKey) -> usize {
        let holds = |node: &&u32| self.watches[**node as usize].holds(key);
        self.living.iter().filter(holds).count()
    }

    fn findings(mut self, setup_requests: u64) -> Findings {
        let mut out = Findings::default();
        let (nodes, hours) = (self.options.nodes, self.options.minutes as f64 / 60.0);
        let mut spread = [0_usize; 8];
        let mut lost = 0;
        for key in &self.blocks {
            let living = self.holders_of(key);
            self.counts.least = self.counts.least.min(living);
            spread[living.min(7)] += 1;
            let held = (0..self.watches.len() as u32)
                .filter(|node| !self.gone_for_good.contains(node))
                .any(|node| self.watches[node as usize].holds(key));
            lost += usize::from(!held);
        }
        let c = &mut self.counts;
        out.row(
            "nodes, seed, minutes",
            format!("{nodes}, {}, {}", self.options.seed, self.options.minutes),
        );
        out.row(
            "blocks, replicas wanted",
            format!("{}, {REPLICAS}", self.blocks.len()),
        );
        out.row(
            "nodes that went (for good / came back) and came new",
            format!("{} ({} / {}), {}", c.left, c.lost, c.back, c.joined),
        );
        let most = (nodes as f64).log2() + 3.0;
        let (p50, p99) = (percentile(&mut c.hops, 50), percentile(&mut c.hops, 99));
        out.row("lookups: hops p50", p50);
        out.bound(
            "lookups: hops p99",
            p99,
            &format!("log2(n) + 3 = {most:.1}"),
            f64::from(p99) <= most,
        );
        let ms = [50, 99].map(|percent| percentile(&mut c.find_ms, percent));
        out.row("lookups: ms p50, p99", format!("{}, {}", ms[0], ms[1]));
        let requests = [50, 99].map(|percent| percentile(&mut c.find_requests, percent));
        out.row(
            "lookups: requests p50, p99",
            format!("{}, {}", requests[0], requests[1]),
        );
        let total = c.found + c.not_found.len() as u64;
        out.bound(
            "blocks found and there, of lookups",
            format!("{} of {total}", c.found),
            "all",
            c.not_found.is_empty(),
        );
        out.row("  of these on the second try", c.second_try);
        out.bound("blocks lost", lost, "0", lost == 0);
        out.row(
            "living holders at the end: 0, 1, 2, 3, 4, 5, 6, more",
            spread.map(|n| n.to_string()).join(", "),
        );
        out.row("replicas that went for good", c.replicas_lost);
        let mib = c.copies as f64 * BLOCK_MIB;
        out.row(
            "copies made (repair and moves), MiB",
            format!("{}, {mib:.0}", c.copies),
        );
        let stored = (self.blocks.len() * REPLICAS) as f64;
        out.row(
            "copies an hour, of all that is stored",
            format!("{:.1} %", 100.0 * c.copies as f64 / stored / hours),
        );
        out.row(
            "copies to nodes that were gone, surplus dropped",
            format!("{}, {}", c.refused, c.drops),
        );
        let seconds = hours * 3600.0 * nodes as f64;
        out.row(
            "requests a node and second: watch, DHT",
            format!(
                "{:.2}, {:.2}",
                c.asks as f64 / seconds,
                (self.dht.requests - setup_requests) as f64 / seconds
            ),
        );
        out.missed.extend(c.not_found.iter().take(10).cloned());
        out
    }
}
