//! What goes into the sale's contract and comes out of it.

use neo_client::{ContractParam, Hash160, ItemError, StackItem};

use crate::contract::{fields, odd};

/// Parameters of a deployment; nobody can change them later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeployParams {
    /// The contract that has the SOUL.
    pub phantasma: Hash160,
    /// Runs the sale until its end.
    pub administrator: Hash160,
    /// Gets what is raised.
    pub treasury: Hash160,
    /// The most SOUL that may be sold, bonus included.
    pub hard_cap: u64,
    pub opening_ms: u64,
    pub end_ms: u64,
    /// The end can be put off until then.
    pub latest_end_ms: u64,
    /// Numbered from 1; at most 16.
    pub tiers: Vec<Tier>,
    /// Numbered from 1; at most 16.
    pub lockups: Vec<Lockup>,
}

/// On what terms an account buys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tier {
    /// SOUL for one NEO; 0 if NEO is not taken.
    pub rate_neo: u64,
    /// SOUL for one GAS; 0 if GAS is not taken.
    pub rate_gas: u64,
    /// SOUL on top, 0 to 1000 percent.
    pub bonus_percent: u64,
    /// The most SOUL that one account buys, without bonus.
    pub cap: u64,
    /// Under which lock-up it is locked; 0 if nothing is.
    pub lockup: u64,
    /// What is locked.
    pub locks: Locks,
}

/// The part of a purchase that is locked up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locks {
    #[default]
    Nothing,
    Bonus,
    All,
}

/// When locked SOUL is free, counted from the end of the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lockup {
    /// Days before the first step begins.
    pub cliff_days: u64,
    /// Days from one part to the next.
    pub step_days: u64,
    /// How many equal parts.
    pub steps: u64,
    /// The most SOUL that may be allotted under it.
    pub reserve: u64,
}

/// A lock-up, and what of its reserve was allotted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockupInfo {
    pub terms: Lockup,
    pub allotted: u64,
}

/// What the time and the administrator make of the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Upcoming,
    Open,
    Paused,
    Ended,
}

/// Where the sale stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SaleInfo {
    pub phase: Phase,
    pub opening_ms: u64,
    pub end_ms: u64,
    pub hard_cap: u64,
    /// Bonus included.
    pub sold: u64,
}

/// What was fixed at deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The contract that has the SOUL.
    pub phantasma: Hash160,
    pub administrator: Hash160,
    pub treasury: Hash160,
    pub latest_end_ms: u64,
    /// How many.
    pub tiers: u64,
    /// How many.
    pub lockups: u64,
}

/// What the sale knows of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountInfo {
    /// 0 if it is not on the whitelist.
    pub tier: u64,
    /// SOUL without bonus.
    pub bought: u64,
    /// 0 if nothing was locked.
    pub lockup: u64,
    /// SOUL that was locked in all.
    pub locked: u64,
    /// SOUL that was paid out of it.
    pub unlocked: u64,
}

/// What a contribution would buy. The first two are of the currency, the others SOUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quote {
    pub accepted: u64,
    pub refund: u64,
    pub base: u64,
    pub bonus: u64,
    /// The part of base and bonus that is locked up.
    pub locked: u64,
}

/// What the sale keeps for an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Locked {
    pub amount: u64,
    /// When the next part is free; None when all is. It moves when the end of the sale does.
    pub next_ms: Option<u64>,
    /// The part of `amount` that `unlockTokens` would pay out now.
    pub due: u64,
}

impl From<&DeployParams> for ContractParam {
    fn from(params: &DeployParams) -> Self {
        Self::Array(vec![
            params.phantasma.into(),
            params.administrator.into(),
            params.treasury.into(),
            params.hard_cap.into(),
            params.opening_ms.into(),
            params.end_ms.into(),
            params.latest_end_ms.into(),
            Self::Array(params.tiers.iter().map(Self::from).collect()),
            Self::Array(params.lockups.iter().map(Self::from).collect()),
        ])
    }
}

impl From<&Tier> for ContractParam {
    fn from(tier: &Tier) -> Self {
        Self::Array(vec![
            tier.rate_neo.into(),
            tier.rate_gas.into(),
            tier.bonus_percent.into(),
            tier.cap.into(),
            tier.lockup.into(),
            tier.locks.number().into(),
        ])
    }
}

impl From<&Lockup> for ContractParam {
    fn from(lockup: &Lockup) -> Self {
        Self::Array(vec![
            lockup.cliff_days.into(),
            lockup.step_days.into(),
            lockup.steps.into(),
            lockup.reserve.into(),
        ])
    }
}

impl Locks {
    fn number(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Bonus => 1,
            Self::All => 2,
        }
    }
}

impl Phase {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        match item.as_u64()? {
            0 => Ok(Self::Upcoming),
            1 => Ok(Self::Open),
            2 => Ok(Self::Paused),
            3 => Ok(Self::Ended),
            other => Err(odd("phase 0 to 3", other)),
        }
    }
}

impl SaleInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [phase, opening, end, hard_cap, sold] = fields(item)?;
        Ok(Self {
            phase: Phase::from_item(phase)?,
            opening_ms: opening.as_u64()?,
            end_ms: end.as_u64()?,
            hard_cap: hard_cap.as_u64()?,
            sold: sold.as_u64()?,
        })
    }
}

impl Settings {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [
            phantasma,
            administrator,
            treasury,
            latest_end,
            tiers,
            lockups,
        ] = fields(item)?;
        Ok(Self {
            phantasma: phantasma.as_hash160()?,
            administrator: administrator.as_hash160()?,
            treasury: treasury.as_hash160()?,
            latest_end_ms: latest_end.as_u64()?,
            tiers: tiers.as_u64()?,
            lockups: lockups.as_u64()?,
        })
    }
}

impl Tier {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [rate_neo, rate_gas, bonus, cap, lockup, locks] = fields(item)?;
        Ok(Self {
            rate_neo: rate_neo.as_u64()?,
            rate_gas: rate_gas.as_u64()?,
            bonus_percent: bonus.as_u64()?,
            cap: cap.as_u64()?,
            lockup: lockup.as_u64()?,
            locks: match locks.as_u64()? {
                0 => Locks::Nothing,
                1 => Locks::Bonus,
                2 => Locks::All,
                other => return Err(odd("locks 0 to 2", other)),
            },
        })
    }
}

impl LockupInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [cliff, step, steps, reserve, allotted] = fields(item)?;
        Ok(Self {
            terms: Lockup {
                cliff_days: cliff.as_u64()?,
                step_days: step.as_u64()?,
                steps: steps.as_u64()?,
                reserve: reserve.as_u64()?,
            },
            allotted: allotted.as_u64()?,
        })
    }
}

impl AccountInfo {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [tier, bought, lockup, locked, unlocked] = fields(item)?;
        Ok(Self {
            tier: tier.as_u64()?,
            bought: bought.as_u64()?,
            lockup: lockup.as_u64()?,
            locked: locked.as_u64()?,
            unlocked: unlocked.as_u64()?,
        })
    }
}

impl Quote {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [accepted, refund, base, bonus, locked] = fields(item)?;
        Ok(Self {
            accepted: accepted.as_u64()?,
            refund: refund.as_u64()?,
            base: base.as_u64()?,
            bonus: bonus.as_u64()?,
            locked: locked.as_u64()?,
        })
    }
}

impl Locked {
    pub(super) fn from_item(item: &StackItem) -> Result<Self, ItemError> {
        let [amount, next, due] = fields(item)?;
        let next = next.as_u64()?;
        Ok(Self {
            amount: amount.as_u64()?,
            next_ms: (next != 0).then_some(next),
            due: due.as_u64()?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn numbers(values: &[i64]) -> StackItem {
        let item = |n: &i64| StackItem::Integer((*n).into());
        StackItem::Struct(values.iter().map(item).collect())
    }

    #[test]
    fn records_are_read_field_by_field() {
        let info = SaleInfo::from_item(&numbers(&[2, 10, 20, 30, 4])).unwrap();
        assert_eq!(
            (info.phase, info.opening_ms, info.end_ms),
            (Phase::Paused, 10, 20)
        );
        assert_eq!((info.hard_cap, info.sold), (30, 4));
        let tier = Tier::from_item(&numbers(&[1, 2, 3, 4, 5, 1])).unwrap();
        assert_eq!((tier.bonus_percent, tier.cap, tier.lockup), (3, 4, 5));
        assert_eq!(tier.locks, Locks::Bonus);
        let locked = Locked::from_item(&numbers(&[7, 0, 7])).unwrap();
        assert_eq!((locked.next_ms, locked.due), (None, 7));
    }

    #[test]
    fn what_a_tier_says_goes_back_as_it_came() {
        for locks in [0, 1, 2] {
            let item = numbers(&[9, 8, 7, 6, i64::from(locks > 0), locks]);
            let tier = Tier::from_item(&item).unwrap();
            let again = ContractParam::from(&tier);
            let ContractParam::Array(fields) = again else {
                unreachable!("a tier is an array")
            };
            let items: Vec<StackItem> = item.as_array().unwrap().to_vec();
            let params: Vec<ContractParam> = items.into_iter().map(Into::into).collect();
            assert_eq!(fields, params);
        }
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        assert!(Phase::from_item(&StackItem::Integer(4.into())).is_err());
        assert!(Tier::from_item(&numbers(&[1, 2, 3, 4, 5, 3])).is_err());
        assert!(Quote::from_item(&numbers(&[1, 2, 3, 4])).is_err());
    }
}
