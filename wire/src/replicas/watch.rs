//! One node's view of the blocks that it holds.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::placement::{Candidate, place, rank};
use super::{BlockKey, Policy};
use crate::PublicKey;

/// A node that is gone is asked so many times more seldom.
const ASK_GONE: u64 = 20;

/// What the caller shall do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Ask a node whether it still holds what it should; then [`Watch::answered`].
    Ask { node: PublicKey },
    /// Send a block to a node; then [`Watch::copied`] or [`Watch::copy_failed`].
    Copy { key: BlockKey, to: PublicKey },
    /// Tell a holder about another one, or that this node has dropped its copy.
    Tell {
        node: PublicKey,
        key: BlockKey,
        holder: Candidate,
        holds: bool,
    },
    /// Enough others hold it: delete it here.
    Drop { key: BlockKey },
}

/// Blocks of one node, their other holders, and copies on their way.
#[derive(Debug)]
pub struct Watch {
    me: Candidate,
    policy: Policy,
    blocks: BTreeMap<BlockKey, Block>,
    /// Other holders of any of the blocks.
    peers: HashMap<PublicKey, Peer>,
    copying: BTreeMap<BlockKey, (Candidate, u64)>,
    /// Nodes that took no copy, and until when they are left alone.
    avoid: HashMap<PublicKey, u64>,
}

#[derive(Debug)]
struct Block {
    /// Holders that there should be, this node among them.
    wanted: usize,
    /// More of them while many ask for it.
    extra: usize,
    others: Vec<Candidate>,
    short_since_ms: Option<u64>,
    surplus_since_ms: Option<u64>,
    /// A node that came later and ranks before a holder.
    better: Option<Candidate>,
}

#[derive(Debug)]
struct Peer {
    heard_ms: u64,
    asked_ms: Option<u64>,
}

/// What a look at a block found.
struct Look {
    alive: Vec<Candidate>,
    /// How many of the living rank before this node.
    position: usize,
}

impl Watch {
    /// A node without blocks.
    pub fn new(me: Candidate, policy: Policy) -> Self {
        Self {
            me,
            policy,
            blocks: BTreeMap::new(),
            peers: HashMap::new(),
            copying: BTreeMap::new(),
            avoid: HashMap::new(),
        }
    }

    /// This node holds a block now; `others` do, too, as far as known.
    pub fn hold(&mut self, key: BlockKey, wanted: usize, others: Vec<Candidate>, now_ms: u64) {
        self.blocks.entry(key).or_insert(Block {
            wanted,
            extra: 0,
            others: Vec::new(),
            short_since_ms: None,
            surplus_since_ms: None,
            better: None,
        });
        for other in others {
            self.learn(&key, other, true, now_ms);
        }
    }

    /// Somebody said that a node holds a block, or does not any more.
    pub fn learn(&mut self, key: &BlockKey, node: Candidate, holds: bool, now_ms: u64) {
        let Some(block) = self.blocks.get_mut(key) else {
            return;
        };
        if node.public_key == self.me.public_key {
            return;
        }
        block
            .others
            .retain(|other| other.public_key != node.public_key);
        if holds {
            // Fresh hearsay counts as a sign of life; a node that was gone must speak for itself.
            self.peers.entry(node.public_key).or_insert(Peer {
                heard_ms: now_ms,
                asked_ms: None,
            });
            block.others.push(node);
        }
    }

    /// A sign of life: any request or answer.
    pub fn heard(&mut self, node: &PublicKey, now_ms: u64) {
        if let Some(peer) = self.peers.get_mut(node) {
            peer.heard_ms = now_ms;
        }
    }

    /// The answer to [`Action::Ask`]: which of this node's blocks the other one holds.
    pub fn answered(&mut self, node: &PublicKey, holds: &BTreeSet<BlockKey>, now_ms: u64) {
        self.heard(node, now_ms);
        for (key, block) in &mut self.blocks {
            if !holds.contains(key) {
                block.others.retain(|other| other.public_key != *node);
            }
        }
    }

    /// After this node itself was away: its silence says nothing about the others.
    pub fn woke(&mut self, now_ms: u64) {
        for peer in self.peers.values_mut() {
            (peer.heard_ms, peer.asked_ms) = (now_ms, None);
        }
        for block in self.blocks.values_mut() {
            (block.short_since_ms, block.surplus_since_ms) = (None, None);
        }
        self.copying.clear();
    }

    /// Many ask for a block: `extra` more nodes shall hold it, 0 when it is over.
    pub fn shed(&mut self, key: &BlockKey, extra: usize) {
        if let Some(block) = self.blocks.get_mut(key) {
            block.extra = extra;
        }
    }

    /// A node has come. Where it ranks before the last holder it gets a copy in time, and that holder drops its own.
    pub fn joined(&mut self, node: &Candidate) {
        for (key, block) in &mut self.blocks {
            let mut all = block.others.clone();
            all.push(self.me.clone());
            if all
                .iter()
                .any(|holder| holder.public_key == node.public_key)
            {
                continue;
            }
            all.push(node.clone());
            let best = place(key, &all, &[], block.wanted + block.extra);
            if best.contains(&node) {
                block.better = Some(node.clone());
            }
        }
    }

    /// A copy has arrived; gives whom to tell.
    pub fn copied(&mut self, key: &BlockKey, to: &PublicKey, now_ms: u64) -> Vec<Action> {
        match self.copying.remove(key) {
            Some((node, _)) if node.public_key == *to => {
                self.learn(key, node.clone(), true, now_ms);
                self.heard(to, now_ms);
                self.tell(key, &node, true)
            }
            other => {
                // Another copy of the block is on its way meanwhile.
                self.copying.extend(other.map(|copy| (*key, copy)));
                Vec::new()
            }
        }
    }

    /// A copy was not taken; the node is left alone for a while.
    pub fn copy_failed(&mut self, key: &BlockKey, to: &PublicKey, now_ms: u64) {
        if self
            .copying
            .get(key)
            .is_some_and(|(node, _)| node.public_key == *to)
        {
            self.copying.remove(key);
            self.avoid.insert(*to, now_ms + self.policy.avoid_ms);
        }
    }

    /// This node does not hold the block any more, whatever the reason.
    pub fn lost(&mut self, key: &BlockKey) {
        self.blocks.remove(key);
        self.copying.remove(key);
    }

    /// Blocks that this node holds.
    pub fn blocks(&self) -> impl Iterator<Item = &BlockKey> {
        self.blocks.keys()
    }

    pub fn holds(&self, key: &BlockKey) -> bool {
        self.blocks.contains_key(key)
    }

    /// The other holders of a block, living or not.
    pub fn others(&self, key: &BlockKey) -> &[Candidate] {
        self.blocks.get(key).map_or(&[], |block| &block.others)
    }

    /// Holders that a block should have.
    pub fn wanted(&self, key: &BlockKey) -> usize {
        self.blocks.get(key).map_or(0, |block| block.wanted)
    }

    /// What is to be done now. `candidates` are the nodes that could take a copy, as far as known. To be called at least
    /// as often as holders are asked.
    pub fn tick(&mut self, now_ms: u64, candidates: &[Candidate]) -> Vec<Action> {
        self.forget(now_ms);
        let mut actions = self.ask(now_ms);
        let mut short = Vec::new();
        let keys: Vec<BlockKey> = self.blocks.keys().copied().collect();
        for key in keys {
            let look = self.look(&key, now_ms);
            let living = look.alive.len() + 1;
            let wait_ms = look.position as u64 * 2 * self.policy.ask_every_ms;
            let Some(block) = self.blocks.get_mut(&key) else {
                continue;
            };
            let wanted = block.wanted + block.extra;
            if living < wanted {
                block.surplus_since_ms = None;
                let since = *block.short_since_ms.get_or_insert(now_ms);
                // The first in rank acts; the next ones only when it does not.
                if now_ms >= since + wait_ms {
                    short.push((living, key, look));
                }
            } else if living > wanted {
                block.short_since_ms = None;
                let since = *block.surplus_since_ms.get_or_insert(now_ms);
                let late = now_ms >= since + self.policy.surplus_after_ms;
                if late && self.is_surplus(&key, &look.alive, wanted) {
                    actions.extend(self.drop_block(&key, now_ms));
                }
            } else {
                (block.short_since_ms, block.surplus_since_ms) = (None, None);
                if block.better.is_some() && look.position == 0 {
                    // Nothing is missing: last in line.
                    short.push((usize::MAX, key, look));
                }
            }
        }
        // Those with the fewest holders first.
        short.sort_by_key(|(living, key, _)| (*living, *key));
        for (living, key, look) in short {
            actions.extend(self.copy(key, &look, living == usize::MAX, candidates, now_ms));
        }
        actions
    }

    fn copy(
        &mut self,
        key: BlockKey,
        look: &Look,
        is_move: bool,
        candidates: &[Candidate],
        now_ms: u64,
    ) -> Option<Action> {
        // A move never takes the last free copy from a repair.
        let room = self.policy.copies_at_once - usize::from(is_move);
        if self.copying.len() >= room || self.copying.contains_key(&key) {
            return None;
        }
        let mut holders = look.alive.clone();
        holders.push(self.me.clone());
        let block = self.blocks.get_mut(&key)?;
        let better = if is_move { block.better.take() } else { None };
        let free = |c: &&Candidate| {
            let known = block.others.iter().any(|o| o.public_key == c.public_key);
            !known && !self.avoid.contains_key(&c.public_key)
        };
        let to = match &better {
            Some(node) => Some(node).filter(free),
            None => place(&key, candidates.iter().filter(free), &holders, 1).pop(),
        }?
        .clone();
        let until = now_ms + self.policy.copy_timeout_ms;
        self.copying.insert(key, (to.clone(), until));
        Some(Action::Copy {
            key,
            to: to.public_key,
        })
    }

    /// Whether the block would be placed on others than this node, of all that hold it. Whoever is among the `count` best
    /// of all holders is so among any of them: so holders that decide at the same time, each by its own view, never all
    /// drop.
    pub fn is_surplus(&self, key: &BlockKey, others: &[Candidate], count: usize) -> bool {
        let mut all = others.to_vec();
        all.push(self.me.clone());
        !place(key, &all, &[], count).contains(&&self.me)
    }

    /// Others hold it and have just answered, or it stays.
    fn drop_block(&mut self, key: &BlockKey, now_ms: u64) -> Vec<Action> {
        let recent = now_ms.saturating_sub(2 * self.policy.ask_every_ms);
        let Some(block) = self.blocks.get(key) else {
            return Vec::new();
        };
        let sure = block.others.iter().filter(|other| {
            let peer = self.peers.get(&other.public_key);
            peer.is_some_and(|peer| peer.heard_ms >= recent)
        });
        if sure.count() < block.wanted + block.extra || self.copying.contains_key(key) {
            return Vec::new();
        }
        let me = self.me.clone();
        let mut actions = self.tell(key, &me, false);
        actions.push(Action::Drop { key: *key });
        self.blocks.remove(key);
        actions
    }

    fn tell(&self, key: &BlockKey, holder: &Candidate, holds: bool) -> Vec<Action> {
        let others = self.others(key).iter();
        others
            .filter(|other| other.public_key != holder.public_key)
            .map(|other| Action::Tell {
                node: other.public_key,
                key: *key,
                holder: holder.clone(),
                holds,
            })
            .collect()
    }

    fn look(&self, key: &BlockKey, now_ms: u64) -> Look {
        let within = |limit_ms: u64| {
            let others = self.others(key).iter().filter(move |other| {
                let peer = self.peers.get(&other.public_key);
                peer.is_some_and(|peer| now_ms.saturating_sub(peer.heard_ms) < limit_ms)
            });
            others.cloned().collect::<Vec<_>>()
        };
        let urgent = within(self.policy.urgent_after_ms);
        // This node is a holder, too.
        let alive = if urgent.len() + 1 < self.policy.minimum {
            urgent
        } else {
            within(self.policy.gone_after_ms)
        };
        let mine = rank(key, &self.me.public_key);
        let position = alive
            .iter()
            .filter(|other| rank(key, &other.public_key) < mine)
            .count();
        Look { alive, position }
    }

    fn ask(&mut self, now_ms: u64) -> Vec<Action> {
        let mut actions = Vec::new();
        for (node, peer) in &mut self.peers {
            // Who comes back asks by itself.
            let gone = now_ms.saturating_sub(peer.heard_ms) >= self.policy.gone_after_ms;
            let every = self.policy.ask_every_ms * if gone { ASK_GONE } else { 1 };
            if peer.asked_ms.is_none_or(|asked| now_ms >= asked + every) {
                peer.asked_ms = Some(now_ms);
                actions.push(Action::Ask { node: *node });
            }
        }
        // A map has no order of its own, and the same input shall give the same output.
        actions.sort_by_key(|action| match action {
            Action::Ask { node } => *node,
            Action::Copy { .. } | Action::Tell { .. } | Action::Drop { .. } => [0; 33],
        });
        actions
    }

    /// Keeps nothing that no block needs.
    fn forget(&mut self, now_ms: u64) {
        let oldest = now_ms.saturating_sub(self.policy.forget_after_ms);
        let peers = &self.peers;
        for block in self.blocks.values_mut() {
            block.others.retain(|other| {
                let peer = peers.get(&other.public_key);
                peer.is_some_and(|peer| peer.heard_ms >= oldest)
            });
        }
        let needed: BTreeSet<PublicKey> = self
            .blocks
            .values()
            .flat_map(|block| block.others.iter().map(|other| other.public_key))
            .collect();
        self.peers.retain(|node, _| needed.contains(node));
        self.avoid.retain(|_, until| *until > now_ms);
        let late: Vec<(BlockKey, PublicKey)> = self
            .copying
            .iter()
            .filter(|(_, (_, until))| *until <= now_ms)
            .map(|(key, (node, _))| (*key, node.public_key))
            .collect();
        for (key, node) in late {
            self.copy_failed(&key, &node, now_ms);
        }
    }
}
