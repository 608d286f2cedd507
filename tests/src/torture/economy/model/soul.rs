//! Rules of the contract that has the SOUL: payments, the register of content, and a box whose gate takes SOUL.

use super::super::invariants::Invariant;
use super::super::steps::SoulStep;
use super::super::world::PERIOD;
use super::{CONTENT_SIZES, Model, OWNER, unless};

/// A content in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    pub owner: usize,
    pub created: i64,
    pub expiry: i64,
}

/// Most periods that a content is paid ahead.
const MOST_PERIODS: i64 = 1200;

impl Model {
    /// What keeping a content costs: its started blocks of 256 KiB.
    fn content_price(&self, content: usize, periods: i64) -> i64 {
        let blocks = CONTENT_SIZES[content].div_ceil(262_144) as i64;
        blocks * periods * self.settings.soul.content_base_fee
    }

    fn has(&self, who: usize, amount: i64) -> Option<Invariant> {
        unless(self.balances[who] >= amount, Invariant::Balance)
    }

    /// Whether a content is paid for now.
    pub(super) fn is_kept(&self, content: usize) -> bool {
        self.register[content].is_some_and(|entry| entry.expiry > self.time)
    }

    /// Which rule is against a step on SOUL.
    pub(super) fn soul_refusal(&self, signer: usize, step: &SoulStep) -> Option<Invariant> {
        let signed = |who| unless(who == signer, Invariant::Witness);
        let soul = &self.settings.soul;
        match *step {
            SoulStep::Transfer { from, amount, .. } => {
                signed(from).or_else(|| self.has(from, amount))
            }
            SoulStep::Swap { actor, amount } => signed(actor)
                .or_else(|| unless(amount > 0, Invariant::Form))
                .or_else(|| self.has(actor, amount)),
            SoulStep::Create {
                actor,
                content,
                periods,
            } => {
                let valid = (1..=MOST_PERIODS).contains(&periods) && !self.is_kept(content);
                signed(actor)
                    .or_else(|| unless(valid, Invariant::Register))
                    .or_else(|| self.has(actor, self.content_price(content, periods)))
            }
            SoulStep::Renew {
                actor,
                content,
                periods,
            } => signed(actor)
                .or_else(|| unless(self.can_renew(content, periods), Invariant::Register))
                .or_else(|| self.has(actor, self.content_price(content, periods))),
            SoulStep::Write { actor, most } => {
                let paid = soul.price <= most && soul.price <= self.balances[actor];
                signed(actor).or_else(|| unless(paid, Invariant::Gate))
            }
            SoulStep::Take { amount } => signed(OWNER)
                .or_else(|| unless(amount > 0, Invariant::Form))
                .or_else(|| unless(amount <= self.chest, Invariant::Chest)),
        }
    }

    fn can_renew(&self, content: usize, periods: i64) -> bool {
        let expiry = self.register[content].map_or(0, |entry| entry.expiry);
        let ahead = expiry + periods * PERIOD - self.time;
        self.is_kept(content)
            && (1..=MOST_PERIODS).contains(&periods)
            && ahead <= MOST_PERIODS * PERIOD
    }

    /// What a step on SOUL changes that goes through.
    pub(super) fn apply_soul(&mut self, step: &SoulStep) {
        match *step {
            SoulStep::Transfer { from, to, amount } => {
                self.balances[from] -= amount;
                self.balances[to] += amount;
            }
            SoulStep::Swap { actor, amount } => {
                self.balances[actor] -= amount;
                self.issued -= amount;
                self.burned += amount;
            }
            SoulStep::Create {
                actor,
                content,
                periods,
            } => {
                self.pay_pool(actor, self.content_price(content, periods));
                self.register[content] = Some(Entry {
                    owner: actor,
                    created: self.time,
                    expiry: self.time + periods * PERIOD,
                });
            }
            SoulStep::Renew {
                actor,
                content,
                periods,
            } => {
                self.pay_pool(actor, self.content_price(content, periods));
                if let Some(entry) = &mut self.register[content] {
                    entry.expiry += periods * PERIOD;
                }
            }
            SoulStep::Write { actor, .. } => {
                let price = self.settings.soul.price;
                let share = price * self.settings.soul.pool_share / 100;
                self.pay_pool(actor, share);
                self.balances[actor] -= price - share;
                self.chest += price - share;
                self.written += 1;
            }
            SoulStep::Take { amount } => {
                self.chest -= amount;
                self.balances[OWNER] += amount;
            }
        }
    }

    /// A fee.
    pub(super) fn pay_pool(&mut self, who: usize, amount: i64) {
        self.balances[who] -= amount;
        self.pool += amount;
    }
}
