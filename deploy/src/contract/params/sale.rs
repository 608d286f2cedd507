//! The sale's part of `params.toml`.

use anyhow::{Context, Result, bail};
use neo_client::Hash160;
use phantasma_sdk::sale::{DeployParams, Locks, Lockup, Tier};
use serde::{Deserialize, Serialize};

use super::{soul, within};
use crate::time;

/// The contract takes amounts below 2⁵⁶ units.
const MOST_UNITS: u64 = (1 << 56) - 1;
/// The contract takes ten years.
const MOST_DAYS: u64 = 3650;
/// The contract takes this many parts.
const MOST_STEPS: u64 = 255;
/// The contract takes this many tiers, and as many lock-ups.
const MOST_ROWS: usize = 16;
/// The contract takes this bonus.
const MOST_BONUS: u64 = 1000;

/// What the sale is deployed with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleParams {
    /// Address of who runs it; the deploying account if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub administrator: Option<String>,
    /// Address of who gets what is raised; the owner of the initial supply if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub treasury: Option<String>,
    /// SOUL, bonus included.
    pub hard_cap: String,
    pub opening: Moment,
    pub end: Moment,
    pub latest_end: Moment,
    /// Numbered from 1.
    pub tiers: Vec<TierParams>,
    /// Numbered from 1.
    pub lockups: Vec<LockupParams>,
}

/// A point in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Moment {
    /// Unix ms.
    At(u64),
    /// A span after the deployment, such as `30 d`.
    After(String),
}

/// The terms of a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TierParams {
    /// For messages.
    pub name: String,
    /// SOUL for one NEO.
    pub rate_neo: String,
    /// SOUL for one GAS.
    pub rate_gas: String,
    pub bonus_percent: u64,
    /// SOUL without bonus.
    pub cap: String,
    pub locks: LocksParam,
    /// The name of a lock-up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lockup: Option<String>,
}

/// What of a purchase is locked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LocksParam {
    Nothing,
    Bonus,
    All,
}

/// When locked SOUL is free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockupParams {
    pub name: String,
    pub cliff_days: u64,
    pub step_days: u64,
    pub steps: u64,
    /// SOUL.
    pub reserve: String,
}

impl SaleParams {
    /// What `_deploy` is given, at a time in Unix ms.
    pub fn deploy_params(
        &self,
        phantasma: &Hash160,
        administrator: &Hash160,
        treasury: &Hash160,
        now_ms: u64,
    ) -> Result<DeployParams> {
        let opening_ms = self.opening.at("sale.opening", now_ms)?;
        let end_ms = self.end.at("sale.end", now_ms)?;
        let latest_end_ms = self.latest_end.at("sale.latest_end", now_ms)?;
        if opening_ms >= end_ms || end_ms > latest_end_ms {
            bail!("sale.opening, sale.end and sale.latest_end must come in this order");
        }
        for (name, rows) in [("tiers", self.tiers.len()), ("lockups", self.lockups.len())] {
            within(
                &format!("the number of sale.{name}"),
                rows as u64,
                0,
                MOST_ROWS as u64,
            )?;
        }
        Ok(DeployParams {
            phantasma: *phantasma,
            administrator: address("sale.administrator", &self.administrator, administrator)?,
            treasury: address("sale.treasury", &self.treasury, treasury)?,
            hard_cap: limited("sale.hard_cap", &self.hard_cap)?,
            opening_ms,
            end_ms,
            latest_end_ms,
            tiers: self
                .tiers
                .iter()
                .map(|tier| tier.terms(&self.lockups))
                .collect::<Result<_>>()?,
            lockups: self
                .lockups
                .iter()
                .map(LockupParams::terms)
                .collect::<Result<_>>()?,
        })
    }
}

impl Moment {
    fn at(&self, name: &str, now_ms: u64) -> Result<u64> {
        match self {
            Self::At(ms) => Ok(*ms),
            Self::After(text) => {
                let span = time::parse_span(text).with_context(|| name.to_owned())?;
                now_ms
                    .checked_add(span)
                    .with_context(|| format!("{name} = \"{text}\" is too far"))
            }
        }
    }
}

impl TierParams {
    fn terms(&self, lockups: &[LockupParams]) -> Result<Tier> {
        let field = |field: &str| format!("sale.tiers[{}].{field}", self.name);
        Ok(Tier {
            rate_neo: limited(&field("rate_neo"), &self.rate_neo)?,
            rate_gas: limited(&field("rate_gas"), &self.rate_gas)?,
            bonus_percent: within(&field("bonus_percent"), self.bonus_percent, 0, MOST_BONUS)?,
            cap: limited(&field("cap"), &self.cap)?,
            lockup: self.lockup_number(lockups)?,
            locks: match self.locks {
                LocksParam::Nothing => Locks::Nothing,
                LocksParam::Bonus => Locks::Bonus,
                LocksParam::All => Locks::All,
            },
        })
    }

    fn lockup_number(&self, lockups: &[LockupParams]) -> Result<u64> {
        let name = &self.name;
        match (&self.lockup, self.locks) {
            (None, LocksParam::Nothing) => Ok(0),
            (None, LocksParam::Bonus | LocksParam::All) => {
                bail!("sale.tiers[{name}] locks something and names no lockup")
            }
            (Some(_), LocksParam::Nothing) => {
                bail!("sale.tiers[{name}] names a lockup and locks nothing")
            }
            (Some(lockup), LocksParam::Bonus | LocksParam::All) => {
                let position = lockups.iter().position(|known| known.name == *lockup);
                let Some(position) = position else {
                    bail!("sale.tiers[{name}].lockup: there is no lock-up \"{lockup}\"");
                };
                Ok(position as u64 + 1)
            }
        }
    }
}

impl LockupParams {
    fn terms(&self) -> Result<Lockup> {
        let field = |field: &str| format!("sale.lockups[{}].{field}", self.name);
        Ok(Lockup {
            cliff_days: within(&field("cliff_days"), self.cliff_days, 0, MOST_DAYS)?,
            step_days: within(&field("step_days"), self.step_days, 1, MOST_DAYS)?,
            steps: within(&field("steps"), self.steps, 1, MOST_STEPS)?,
            reserve: limited(&field("reserve"), &self.reserve)?,
        })
    }
}

fn limited(name: &str, text: &str) -> Result<u64> {
    let units = soul(name, text)?;
    if units > MOST_UNITS {
        bail!("{name} = \"{text}\" is too much: the sale reckons with less than 2^56 units");
    }
    Ok(units)
}

fn address(name: &str, text: &Option<String>, otherwise: &Hash160) -> Result<Hash160> {
    match text {
        Some(text) => Hash160::from_address(text).with_context(|| format!("{name} = \"{text}\"")),
        None => Ok(*otherwise),
    }
}
