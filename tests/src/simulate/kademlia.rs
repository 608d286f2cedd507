//! Lookups as libp2p 0.57's Kademlia makes them with the settings of `net/src/control`: k = 20, alpha = 3, a query ends
//! after 10 s, and one that has found a holder after 1.5 s. What the asker itself has kept counts as found, and does not end
//! the query.
//!
//! A lookup sees the network as it is when it starts; nobody comes or goes in the seconds that it takes. Nodes that are
//! gone answer nothing and cost 5 s each.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, HashMap};

use super::delay_ms;
use super::routing::{Id, K, Table};
use crate::torture::random::Random;

/// Requests at once, libp2p's `ALPHA_VALUE`; [`K`] when three answers in a row brought nothing nearer.
const ALPHA: usize = 3;
/// Until a dial to a node that is gone fails.
const DEAD_MS: u64 = 5_000;
const QUERY_MS: u64 = 10_000;
/// `ENOUGH` of our control plane, and how often it looks (`TICK`).
const ENOUGH_MS: u64 = 1_500;
const LOOK_MS: u64 = 250;
/// `RECORD_LIFE` of our control plane.
const RECORD_MS: u64 = 3_600_000;
/// Holders kept for a content.
const MAX_HOLDERS: usize = 20;

/// One node's part of the control plane.
#[derive(Debug)]
struct Peer {
    id: Id,
    alive: bool,
    table: Table,
    /// Who holds a content, and until when it counts.
    records: HashMap<Id, BTreeMap<u32, u64>>,
}

/// All nodes that have ever been.
#[derive(Debug)]
pub struct Dht {
    peers: Vec<Peer>,
    seed: u64,
    /// Requests that were sent, all lookups together.
    pub requests: u64,
}

/// What a lookup looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Want {
    Nearest,
    Holders,
}

/// How a lookup went.
#[derive(Clone, Debug, Default)]
pub struct Lookup {
    /// Nodes that answered, nearest first, at most 20.
    pub nearest: Vec<u32>,
    /// Holders that were named.
    pub holders: Vec<u32>,
    /// Requests one after another until a node with a record was reached: 1 when the asker knew that node, 0 when it had a
    /// record itself. Without holders, until the farthest of the nearest nodes.
    pub hops: u32,
    pub requests: u32,
    /// Requests to nodes that are gone.
    pub dead: u32,
    pub took_ms: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Known,
    Asked,
    Answered,
    Failed,
}

/// A node on the way of a lookup.
#[derive(Clone, Copy, Debug)]
struct Step {
    node: u32,
    id: Id,
    depth: u32,
    state: State,
}

/// The nodes of one lookup, by distance from the target.
struct Walk {
    steps: BTreeMap<Id, Step>,
    target: Id,
    waiting: usize,
    /// Answers in a row that brought nothing nearer.
    idle: usize,
}

impl Walk {
    fn learn(&mut self, node: u32, id: Id, depth: u32) -> bool {
        let distance = id ^ self.target;
        let nearer = self
            .steps
            .first_key_value()
            .is_none_or(|(d, _)| distance < *d);
        self.steps.entry(distance).or_insert(Step {
            node,
            id,
            depth,
            state: State::Known,
        });
        nearer
    }

    /// The next node to ask, if more may be asked now. None while waiting and when done.
    fn next(&mut self) -> Option<Step> {
        let parallel = if self.idle >= ALPHA { K } else { ALPHA };
        if self.waiting >= parallel {
            return None;
        }
        let near = self
            .steps
            .values_mut()
            .filter(|step| step.state != State::Failed);
        let step = near.take(K).find(|step| step.state == State::Known)?;
        step.state = State::Asked;
        self.waiting += 1;
        Some(*step)
    }
}

impl Dht {
    pub fn new(seed: u64) -> Self {
        Self {
            peers: Vec::new(),
            seed,
            requests: 0,
        }
    }

    /// A node that nobody knows yet; gives its number.
    pub fn add(&mut self, id: u64) -> u32 {
        self.peers.push(Peer {
            id,
            alive: true,
            table: Table::new(id),
            records: HashMap::new(),
        });
        self.peers.len() as u32 - 1
    }

    /// A node goes or comes back, its table and records as they were.
    pub fn set_alive(&mut self, node: u32, alive: bool) {
        self.peers[node as usize].alive = alive;
    }

    pub fn is_alive(&self, node: u32) -> bool {
        self.peers[node as usize].alive
    }

    /// A node meets another one, as from its list of bootstrap nodes.
    pub fn meet(&mut self, node: u32, other: u32, now_ms: u64) {
        let (id, other_id) = (self.peers[node as usize].id, self.peers[other as usize].id);
        self.peers[node as usize]
            .table
            .heard(other, other_id, now_ms);
        if self.is_alive(other) {
            self.peers[other as usize].table.heard(node, id, now_ms);
        }
    }

    /// What libp2p does at the start and every five minutes: looks for itself, and for something in each bucket farther
    /// away than its nearest.
    pub fn bootstrap(&mut self, node: u32, random: &mut Random, now_ms: u64) {
        let me = self.peers[node as usize].id;
        self.lookup(node, me, Want::Nearest, now_ms);
        let buckets: Vec<usize> = self.peers[node as usize].table.far_buckets().collect();
        for prefix in buckets {
            // Same first bits, the next one flipped, the rest random.
            let flipped = me ^ (1 << (63 - prefix));
            let free = u64::MAX.checked_shr(prefix as u32 + 1).unwrap_or(0);
            let target = (flipped & !free) | (random.next_u64() & free);
            self.lookup(node, target, Want::Nearest, now_ms);
        }
    }

    /// Says that a node holds a content to the 20 nodes nearest to it.
    pub fn provide(&mut self, node: u32, content: u64, now_ms: u64) -> Lookup {
        let found = self.lookup(node, content, Want::Nearest, now_ms);
        self.requests += found.nearest.len() as u64;
        for near in found.nearest.iter().chain([&node]) {
            let records = self.peers[*near as usize]
                .records
                .entry(content)
                .or_default();
            if records.len() >= MAX_HOLDERS && !records.contains_key(&node) {
                records.retain(|_, until| *until > now_ms);
            }
            if records.len() < MAX_HOLDERS || records.contains_key(&node) {
                records.insert(node, now_ms + RECORD_MS);
            }
        }
        found
    }

    /// Who holds a content.
    pub fn holders(&mut self, node: u32, content: u64, now_ms: u64) -> Lookup {
        self.lookup(node, content, Want::Holders, now_ms)
    }

    fn records(&self, node: u32, content: Id, now_ms: u64) -> Vec<u32> {
        let records = self.peers[node as usize].records.get(&content);
        let valid = records
            .into_iter()
            .flatten()
            .filter(|(_, until)| **until > now_ms);
        valid.map(|(holder, _)| *holder).collect()
    }

    fn lookup(&mut self, from: u32, target: Id, want: Want, now_ms: u64) -> Lookup {
        let mut found = Lookup::default();
        if want == Want::Holders {
            found.holders = self.records(from, target, now_ms);
        }
        let mut walk = Walk {
            steps: BTreeMap::new(),
            target,
            waiting: 0,
            idle: 0,
        };
        for (node, id) in self.peers[from as usize].table.closest(target) {
            walk.learn(node, id, 1);
        }
        // What happens next: time, node, its distance.
        let mut events: BinaryHeap<Reverse<(u64, Id)>> = BinaryHeap::new();
        let (mut time_ms, mut until_ms) = (0, QUERY_MS);
        if !found.holders.is_empty() {
            until_ms = ENOUGH_MS;
        }
        loop {
            while let Some(step) = walk.next() {
                found.requests += 1;
                let takes = match self.is_alive(step.node) {
                    true => 2 * delay_ms(self.seed, from, step.node),
                    false => DEAD_MS,
                };
                events.push(Reverse((time_ms + takes, step.id ^ target)));
            }
            let Some(Reverse((at, distance))) = events.pop() else {
                break;
            };
            if at > until_ms {
                time_ms = until_ms;
                break;
            }
            time_ms = at;
            walk.waiting -= 1;
            if self.answer(from, distance, &mut walk, &mut found, want, now_ms) {
                until_ms = ENOUGH_MS.max(time_ms + LOOK_MS);
            }
        }
        found.took_ms = time_ms;
        self.requests += u64::from(found.requests);
        let answered = walk
            .steps
            .values()
            .filter(|step| step.state == State::Answered);
        let nearest: Vec<&Step> = answered.take(K).collect();
        if found.holders.is_empty() {
            found.hops = nearest.iter().map(|step| step.depth).max().unwrap_or(0);
        }
        found.nearest = nearest.into_iter().map(|step| step.node).collect();
        found
    }

    /// One answer, or its absence. True when it is the first that names a holder.
    fn answer(
        &mut self,
        from: u32,
        distance: Id,
        walk: &mut Walk,
        found: &mut Lookup,
        want: Want,
        now_ms: u64,
    ) -> bool {
        let Some(step) = walk.steps.get_mut(&distance) else {
            return false;
        };
        if !self.is_alive(step.node) {
            step.state = State::Failed;
            found.dead += 1;
            let (node, id) = (step.node, step.id);
            self.peers[from as usize].table.failed(node, id);
            return false;
        }
        step.state = State::Answered;
        let (node, depth) = (step.node, step.depth);
        self.meet(from, node, now_ms);
        let mut nearer = false;
        for (other, id) in self.peers[node as usize].table.closest(walk.target) {
            if other != from {
                nearer |= walk.learn(other, id, depth + 1);
            }
        }
        walk.idle = if nearer { 0 } else { walk.idle + 1 };
        if want == Want::Nearest {
            return false;
        }
        let first = found.holders.is_empty();
        for holder in self.records(node, walk.target, now_ms) {
            if !found.holders.contains(&holder) {
                found.holders.push(holder);
            }
        }
        if first && !found.holders.is_empty() {
            found.hops = depth;
            return true;
        }
        false
    }
}
