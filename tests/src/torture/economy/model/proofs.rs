//! Rules of nodes, proofs and rewards.

use sha2::{Digest, Sha256};

use super::super::invariants::Invariant;
use super::super::reference::Reference;
use super::{CONTENT_SIZES, Closed, FULL, Model, Node, Open, QUEUE};

/// How many blocks back a block can still be read.
const TRACEABLE: i64 = 2_102_400;

impl Model {
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

    pub(super) fn start_refusal(
        &self,
        v: usize,
        p: usize,
        content: usize,
        block: i64,
    ) -> Option<Invariant> {
        if self.open.contains_key(&(v, p)) {
            return Some(Invariant::OnePair);
        }
        if v == p || self.loose(v, p).is_none() {
            return Some(Invariant::Roles);
        }
        let size = CONTENT_SIZES[content];
        let blocks = size.div_ceil(262_144) as i64;
        if !self.offers.contains(&(content, p))
            || !self.is_kept(content)
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

    pub(super) fn show_refusal(&self, v: usize, p: usize) -> Option<Invariant> {
        match self.open.get(&(v, p)) {
            Some(open) if !open.shown && !self.is_over(open) && self.is_drawn(open.draw) => None,
            _ => Some(Invariant::Shown),
        }
    }

    pub(super) fn obtain_refusal(&self) -> Option<Invariant> {
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

    pub(super) fn is_over(&self, open: &Open) -> bool {
        self.time - open.started >= self.settings.deadline
    }

    fn is_drawn(&self, draw: i64) -> bool {
        draw <= self.height && self.height - draw <= TRACEABLE
    }

    /// What a round would share out if it closed now.
    pub fn pot(&self) -> i64 {
        self.pool * self.settings.pot_share / 200 * 2
    }

    pub(super) fn register(&mut self, actor: usize) {
        if self.nodes[actor].is_some() {
            return;
        }
        self.pay_pool(actor, self.settings.node_fee);
        self.numbers.push(actor);
        self.nodes[actor] = Some(Node {
            reputation: super::START,
            number: self.numbers.len() as i64,
            registered: self.time,
        });
    }

    pub(super) fn start(&mut self, v: usize, p: usize, content: usize, block: i64) {
        self.pay_pool(v, self.settings.validation_fee);
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

    pub(super) fn accept(&mut self, v: usize, p: usize) {
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

    pub(super) fn fail(&mut self, v: usize, p: usize) {
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

    pub(super) fn obtain(&mut self, invoker: usize) {
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
