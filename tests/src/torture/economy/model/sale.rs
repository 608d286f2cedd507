//! Rules of the sale and its lock-ups.

use super::super::invariants::Invariant;
use super::super::steps::{SaleStep, batch};
use super::super::world::{DAY, GAS};
use super::{ACTORS, HOLDERS, Model, OWNER, Settings, unless};

/// Upcoming, open, paused, ended.
pub const OPEN: i64 = 1;
/// No amount of SOUL is so large.
const AMOUNT_LIMIT: i64 = 1 << 56;

/// What the sale knows of somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record {
    pub tier: i64,
    pub bought: i64,
    pub lockup: i64,
    pub locked: i64,
    pub unlocked: i64,
}

/// What a contribution gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub accepted: i64,
    pub refund: i64,
    pub base: i64,
    pub bonus: i64,
    pub locked: i64,
}

/// Money: whole NEO, and datoshi.
pub type Money = [i64; 2];

/// Everything that there should be of the sale.
#[derive(Clone, Debug)]
pub struct Sale {
    pub opening: i64,
    pub end: i64,
    pub latest_end: i64,
    pub sold: i64,
    pub paused: bool,
    pub allotted: Vec<i64>,
    pub records: [Record; HOLDERS],
    /// SOUL that lies on its account.
    pub kept: i64,
    pub purses: [Money; ACTORS],
    pub raised: Money,
    pub treasury: Money,
    /// What the last contribution gave.
    pub last: Option<Quote>,
    /// What the last unlocking paid.
    pub unlocked: Option<i64>,
}

impl Sale {
    /// After deployment at that time; everybody has the same money.
    pub fn new(settings: &Settings, time: i64, purse: Money) -> Sale {
        let opening = time + settings.sale.opens_in;
        let end = opening + settings.sale.length;
        Sale {
            opening,
            end,
            latest_end: end + settings.sale.slack,
            sold: 0,
            paused: false,
            allotted: vec![0; settings.sale.lockups.len()],
            records: [Record::default(); HOLDERS],
            kept: 0,
            purses: [purse; ACTORS],
            raised: [0; 2],
            treasury: [0; 2],
            last: None,
            unlocked: None,
        }
    }
}

/// The greatest number from 0 to the limit that fits, when all smaller ones do.
fn greatest(limit: i64, fits: impl Fn(i128) -> bool) -> i64 {
    let (mut low, mut high) = (0, i128::from(limit.max(0)));
    while low < high {
        let middle = (low + high + 1) / 2;
        if fits(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    low as i64
}

impl Model {
    /// 0 upcoming, 1 open, 2 paused, 3 ended.
    pub fn phase(&self) -> i64 {
        let sale = &self.sale;
        if self.time >= sale.end {
            3
        } else if self.time < sale.opening {
            0
        } else {
            1 + i64::from(sale.paused)
        }
    }

    fn tier(&self, tier: i64) -> Option<[i64; 6]> {
        let at = usize::try_from(tier - 1).ok()?;
        self.settings.sale.tiers.get(at).copied()
    }

    fn lockup(&self, lockup: i64) -> Option<[i64; 4]> {
        let at = usize::try_from(lockup - 1).ok()?;
        self.settings.sale.lockups.get(at).copied()
    }

    /// SOUL without bonus that somebody may still buy: the most that neither his cap nor, with its bonus, the hard cap
    /// forbids.
    pub fn remaining(&self, who: usize) -> i64 {
        let record = self.sale.records[who];
        let Some([_, _, bonus, cap, _, _]) = self.tier(record.tier) else {
            return 0;
        };
        let left = i128::from(self.settings.sale.hard_cap - self.sale.sold);
        greatest(cap - record.bought, |base| {
            base * (100 + i128::from(bonus)) <= left * 100
        })
    }

    /// What so much money would give; None if his tier does not take it.
    pub fn quote(&self, who: usize, neo: bool, amount: i64) -> Option<Quote> {
        let [rate_neo, rate_gas, bonus, _, _, locks] = self.tier(self.sale.records[who].tier)?;
        let (rate, unit) = if neo { (rate_neo, 1) } else { (rate_gas, GAS) };
        if rate == 0 {
            return None;
        }
        let worth = i128::from(self.remaining(who)) * i128::from(unit);
        let accepted = greatest(amount, |part| part * i128::from(rate) <= worth);
        let base = (i128::from(accepted) * i128::from(rate) / i128::from(unit)) as i64;
        let bonus = base * bonus / 100;
        Some(Quote {
            accepted,
            refund: amount - accepted,
            base,
            bonus,
            locked: [0, bonus, base + bonus][locks as usize],
        })
    }

    /// When each part of what somebody has locked is free.
    fn dates(&self, who: usize) -> Vec<i64> {
        let Some([cliff, step, steps, _]) = self.lockup(self.sale.records[who].lockup) else {
            return Vec::new();
        };
        let date = |part| self.sale.end + (cliff + part * step) * DAY;
        (1..=steps).map(date).collect()
    }

    /// What is kept for somebody, when the next part is free (0: none will be), and what is due now.
    pub fn locked(&self, who: usize) -> [i64; 3] {
        let record = self.sale.records[who];
        let dates = self.dates(who);
        let out = dates.iter().filter(|date| **date <= self.time).count() as i64;
        let next = dates.iter().find(|date| **date > self.time);
        let free = record.locked * out / dates.len().max(1) as i64;
        [
            record.locked - record.unlocked,
            next.copied().unwrap_or(0),
            free - record.unlocked,
        ]
    }

    /// Whether more can be locked for somebody under a lock-up.
    fn fits_lockup(&self, who: usize, lockup: i64) -> Option<Invariant> {
        let old = self.sale.records[who].lockup;
        unless(old == 0 || old == lockup, Invariant::Locked)
    }

    fn mintable(&self, amount: i64) -> Option<Invariant> {
        let most = self.settings.soul.max_supply;
        unless(self.issued + amount <= most, Invariant::MaxSupply)
    }

    /// Which rule is against a step on the sale.
    pub(super) fn sale_refusal(&self, signer: usize, step: &SaleStep) -> Option<Invariant> {
        // What only the administrator may, and only before the end.
        let administers = || {
            unless(
                signer == OWNER && self.time < self.sale.end,
                Invariant::Admin,
            )
        };
        match *step {
            SaleStep::Buy { actor, neo, amount } => unless(actor == signer, Invariant::Witness)
                .or_else(|| self.buy_refusal(actor, neo, amount)),
            SaleStep::Whitelist { first, count, tier } => {
                administers().or_else(|| self.whitelist_refusal(first, count, tier))
            }
            SaleStep::Allot {
                first,
                count,
                amount,
                lockup,
            } => administers().or_else(|| self.allot_refusal(first, count, amount, lockup)),
            SaleStep::Unlock { actor } => unless(self.locked(actor)[2] > 0, Invariant::Locked),
            SaleStep::Raise => None,
            SaleStep::Pause { on } => {
                administers().or_else(|| unless(self.sale.paused != on, Invariant::Admin))
            }
            SaleStep::Postpone { ms } => {
                let good = ms > 0 && self.sale.end + ms <= self.sale.latest_end;
                administers().or_else(|| unless(good, Invariant::Admin))
            }
            SaleStep::End => administers(),
        }
    }

    fn buy_refusal(&self, actor: usize, neo: bool, amount: i64) -> Option<Invariant> {
        let has = self.sale.purses[actor][usize::from(!neo)];
        if amount > has || self.phase() != OPEN {
            return Some(Invariant::Sale);
        }
        let quote = self
            .quote(actor, neo, amount)
            .filter(|quote| quote.base > 0);
        let (Some(quote), Some(tier)) = (quote, self.tier(self.sale.records[actor].tier)) else {
            return Some(Invariant::Sale);
        };
        self.mintable(quote.base + quote.bonus).or_else(|| {
            self.fits_lockup(actor, tier[4])
                .filter(|_| quote.locked > 0)
        })
    }

    fn whitelist_refusal(&self, first: usize, count: usize, tier: i64) -> Option<Invariant> {
        if tier == 0 {
            return None;
        }
        let Some(terms) = self.tier(tier) else {
            return Some(Invariant::Form);
        };
        let mut locked = batch(first, count).filter(|_| terms[4] != 0);
        locked.find_map(|who| self.fits_lockup(who, terms[4]))
    }

    fn allot_refusal(
        &self,
        first: usize,
        count: usize,
        amount: i64,
        lockup: i64,
    ) -> Option<Invariant> {
        let Some([_, _, _, reserve]) = self.lockup(lockup) else {
            return Some(Invariant::Form);
        };
        let total = amount.saturating_mul(count as i64);
        let left = reserve - self.sale.allotted[lockup as usize - 1];
        unless((1..AMOUNT_LIMIT).contains(&amount), Invariant::Form)
            .or_else(|| unless(total <= left, Invariant::Reserve))
            .or_else(|| self.mintable(total))
            .or_else(|| batch(first, count).find_map(|who| self.fits_lockup(who, lockup)))
    }

    /// What a step on the sale changes that goes through.
    pub(super) fn apply_sale(&mut self, step: &SaleStep) {
        let time = self.time;
        match *step {
            SaleStep::Buy { actor, neo, amount } => self.apply_buy(actor, neo, amount),
            SaleStep::Whitelist { first, count, tier } => {
                batch(first, count).for_each(|who| self.sale.records[who].tier = tier);
            }
            SaleStep::Allot {
                first,
                count,
                amount,
                lockup,
            } => {
                for who in batch(first, count) {
                    self.sale.records[who].locked += amount;
                    self.sale.records[who].lockup = lockup;
                    self.sale.allotted[lockup as usize - 1] += amount;
                    self.sale.kept += amount;
                    self.issued += amount;
                }
            }
            SaleStep::Unlock { actor } => {
                let due = self.locked(actor)[2];
                self.sale.records[actor].unlocked += due;
                self.sale.kept -= due;
                self.sale.unlocked = Some(due);
                self.balances[actor] += due;
            }
            SaleStep::Raise => {
                for token in 0..2 {
                    self.sale.treasury[token] += self.sale.raised[token];
                    self.sale.raised[token] = 0;
                }
            }
            SaleStep::Pause { on } => self.sale.paused = on,
            SaleStep::Postpone { ms } => {
                self.sale.end += ms;
                if time < self.sale.opening {
                    self.sale.opening += ms;
                }
            }
            SaleStep::End => self.sale.end = time,
        }
    }

    fn apply_buy(&mut self, actor: usize, neo: bool, amount: i64) {
        let Some(quote) = self.quote(actor, neo, amount) else {
            return;
        };
        let tier = self.tier(self.sale.records[actor].tier).unwrap_or_default();
        let total = quote.base + quote.bonus;
        let sale = &mut self.sale;
        let record = &mut sale.records[actor];
        record.bought += quote.base;
        record.locked += quote.locked;
        if quote.locked > 0 {
            record.lockup = tier[4];
        }
        sale.sold += total;
        sale.kept += quote.locked;
        sale.purses[actor][usize::from(!neo)] -= quote.accepted;
        sale.raised[usize::from(!neo)] += quote.accepted;
        sale.last = Some(quote);
        self.issued += total;
        self.balances[actor] += total - quote.locked;
    }
}
