//! When a storage node asks others for proofs, shows its own, and obtains rewards.
//!
//! An [`Agent`] is told what the chain says ([`View`]) and gives the calls of the contract that are due ([`Call`]). It
//! decides by what is on the chain, so that an agent which starts anew goes on where the last one stopped; what only it
//! can know, such as what was spent today, is its [`Memory`], which the caller keeps.
//!
//! Not here: clocks, sockets, randomness, keys. Times are the chain's, in milliseconds since 1970; prices are in datoshi.

mod budget;
mod due;

use std::collections::{BTreeMap, BTreeSet};

pub use budget::{Memory, TooDear};

use crate::Hash;

/// The script hash of an account of Neo.
pub type Account = [u8; 20];

/// A write of the contract. Equal ones are never on their way at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Call {
    /// Show the chunk that this validator's challenge drew.
    Show { validator: Account },
    /// End a challenge that was shown.
    Accept { validator: Account, prover: Account },
    /// End a challenge of this node that was not shown in time.
    Fail { prover: Account },
    /// No longer promise to show chunks of a content.
    Retract { content: Hash },
    /// Promise it.
    Offer { content: Hash },
    /// Ask for a proof.
    Start { prover: Account, content: Hash },
    /// Close a round of rewards, or pay the closed one.
    Obtain,
}

/// How an agent behaves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The contract's: a challenge must be shown before so much time is over.
    pub deadline_ms: u64,
    /// So long before its deadline a challenge is given up: what is sent then comes too late and costs all the same.
    pub margin_ms: u64,
    /// From one challenge of this node to its next.
    pub start_every_ms: u64,
    /// Challenges of this node that are open at once, at most.
    pub max_open: usize,
    /// What another node would do as well is left to it for so long.
    pub grace_ms: u64,
    /// A call that failed is tried again after this, then after twice as long, and so on.
    pub retry_ms: u64,
    /// The longest wait that this grows to.
    pub max_retry_ms: u64,
    /// The most that one call may cost.
    pub gas_per_call: u64,
    /// The most that all calls of a day (UTC) may cost.
    pub gas_per_day: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            deadline_ms: 300_000,
            // Two blocks of MainNet, one of them late.
            margin_ms: 45_000,
            start_every_ms: 3_600_000,
            max_open: 4,
            grace_ms: 60_000,
            retry_ms: 15_000,
            max_retry_ms: 3_600_000,
            // Two showings of a content of 1 TiB.
            gas_per_call: 1_6000_0000,
            gas_per_day: 20_0000_0000,
        }
    }
}

/// A challenge that is not over, in which this node has a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge {
    pub validator: Account,
    pub prover: Account,
    pub started_ms: u64,
    pub shown: bool,
    /// Whether the block is there that draws the chunk.
    pub drawn: bool,
}

/// A node that offers a content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prover {
    pub account: Account,
    /// Millionths of a point.
    pub reputation: u64,
}

/// A content of this node's store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    pub content: Hash,
    /// All of its blocks are here.
    pub whole: bool,
    /// Paid for until then.
    pub expiry_ms: u64,
    /// By this node.
    pub offered: bool,
    /// Other nodes that offer it.
    pub provers: Vec<Prover>,
}

/// This node among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    pub number: u64,
    /// Millionths of a point, as the average.
    pub reputation: u64,
    pub average: u64,
}

/// Where the rewards stand. Nodes are told by their numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// A round can be closed from then on.
    pub next_ms: u64,
    /// Fewest in each queue.
    pub minimum: usize,
    pub pot: u64,
    pub validators: Vec<u64>,
    pub provers: Vec<u64>,
    /// A round is closed; whether the block is there that draws its winners.
    pub closed: Option<bool>,
    pub closed_validators: Vec<u64>,
    pub closed_provers: Vec<u64>,
}

/// What the chain and the store say now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// Of the last block.
    pub now_ms: u64,
    /// None: not registered, nothing to do.
    pub standing: Option<Standing>,
    pub open: Vec<Challenge>,
    /// Some of the store's contents; others come with later views.
    pub contents: Vec<Held>,
    pub round: Round,
    /// Any number, to choose whom to ask.
    pub random: u64,
}

/// One node's part in proofs.
#[derive(Debug)]
pub struct Agent {
    me: Account,
    policy: Policy,
    memory: Memory,
    flying: BTreeSet<Call>,
    /// Calls that failed: how often, and until when they are left alone.
    waits: BTreeMap<Call, (u32, u64)>,
    /// Since when a call could be made.
    seen: BTreeMap<Call, u64>,
}

impl Agent {
    /// The agent of an account; `flying` was sent before a restart and is not known to have ended.
    pub fn new(
        me: Account,
        policy: Policy,
        memory: Memory,
        flying: impl IntoIterator<Item = Call>,
    ) -> Self {
        Self {
            me,
            policy,
            memory,
            flying: flying.into_iter().collect(),
            waits: BTreeMap::new(),
            seen: BTreeMap::new(),
        }
    }

    /// What must outlive a restart.
    pub fn memory(&self) -> Memory {
        self.memory
    }

    /// The calls that are due, the most urgent first. None of them is on its way.
    pub fn decide(&mut self, view: &View) -> Vec<Call> {
        let longest = self.policy.max_retry_ms;
        self.waits
            .retain(|_, (_, until)| view.now_ms < until.saturating_add(longest));
        let Some(standing) = view.standing else {
            self.seen.clear();
            return Vec::new();
        };
        let possible = due::possible(&self.me, &self.policy, &standing, view);
        let seen = |call| *self.seen.get(call).unwrap_or(&view.now_ms);
        let since: BTreeMap<Call, u64> = possible.iter().map(|(c, _)| (*c, seen(c))).collect();
        let ripe = |(call, delay_ms): &(Call, u64)| {
            let from = since.get(call).copied().unwrap_or(view.now_ms);
            view.now_ms >= from.saturating_add(*delay_ms)
        };
        let mut calls: Vec<Call> = possible
            .iter()
            .filter(|entry| ripe(entry))
            .map(|(call, _)| *call)
            .filter(|call| self.is_free(call, view.now_ms))
            .collect();
        self.seen = since;
        calls.extend(self.start(&standing, view));
        calls.sort_unstable();
        calls
    }

    fn start(&self, standing: &Standing, view: &View) -> Option<Call> {
        let next = self.memory.last_start_ms;
        let next = next.map_or(0, |last| last.saturating_add(self.policy.start_every_ms));
        let flies = self.flying.iter().any(|c| matches!(c, Call::Start { .. }));
        let mine = view.open.iter().filter(|c| c.validator == self.me).count();
        if view.now_ms < next || flies || mine >= self.policy.max_open {
            return None;
        }
        let mut choice = due::startable(&self.me, standing, view);
        choice.retain(|call| self.is_free(call, view.now_ms));
        let at = view.random.checked_rem(choice.len() as u64)?;
        choice.get(usize::try_from(at).ok()?).copied()
    }

    fn is_free(&self, call: &Call, now_ms: u64) -> bool {
        let waits = |(_, until): &(u32, u64)| now_ms < *until;
        !self.flying.contains(call) && !self.waits.get(call).is_some_and(waits)
    }

    /// Whether a call may cost so much now. A part of the day's GAS is kept for showing what was asked of this node:
    /// not to show costs reputation.
    pub fn afford(&self, call: &Call, datoshi: u64, now_ms: u64) -> Result<(), TooDear> {
        self.memory.afford(&self.policy, call, datoshi, now_ms)
    }

    /// A call is about to be sent. To be kept ([`Agent::memory`]) before it is.
    pub fn sending(&mut self, call: Call, datoshi: u64, now_ms: u64) {
        self.flying.insert(call);
        self.memory.spend(datoshi, now_ms);
        if matches!(call, Call::Start { .. }) {
            self.memory.last_start_ms = Some(now_ms);
        }
    }

    /// The node of the chain would not take it, so that it cost nothing.
    pub fn unsent(&mut self, call: &Call, datoshi: u64, now_ms: u64) {
        self.memory.refund(datoshi, now_ms);
        self.failed(call, now_ms);
    }

    /// A call did what it should.
    pub fn done(&mut self, call: &Call) {
        self.flying.remove(call);
        self.waits.remove(call);
        self.seen.remove(call);
    }

    /// A call was refused, is too dear, or came into no block; it is tried again later if it is still due.
    pub fn failed(&mut self, call: &Call, now_ms: u64) {
        self.flying.remove(call);
        let (times, until) = self.waits.entry(*call).or_insert((0, 0));
        let doubled = self.policy.retry_ms.saturating_mul(1 << (*times).min(20));
        *until = now_ms.saturating_add(doubled.min(self.policy.max_retry_ms));
        *times = times.saturating_add(1);
    }
}

#[cfg(test)]
mod tests;
