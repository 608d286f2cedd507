//! `params.toml`: what the contracts are deployed with.

mod proofs;
mod sale;

use std::path::Path;

use anyhow::{Context, Result, bail};
use neo_client::Hash160;
use phantasma_sdk::contract::DeployParams;
use serde::{Deserialize, Serialize};

pub use proofs::ProofsParams;
pub use sale::{LocksParam, LockupParams, Moment, SaleParams, TierParams};

use crate::amount;

/// The values this project deploys with, from `deploy/params.toml`.
pub const DEFAULT_PARAMS: &str = include_str!("../../params.toml");

/// Deployment parameters; amounts are decimal texts in SOUL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Params {
    /// Minted to the owner.
    pub initial_supply: String,
    /// The most that may exist at a time.
    pub max_supply: String,
    /// What creating a box costs.
    pub box_fee: String,
    /// What 256 KiB cost for 30 days, read-only, at priority 0.
    pub content_base_fee: String,
    /// The storage pool's share of payments to a box, 0 to 100.
    pub pool_share_percent: u8,
    /// The contract of the sale.
    pub sale: SaleParams,
    /// The contract of nodes, proofs and rewards.
    pub proofs: ProofsParams,
}

impl Params {
    /// From a file, or the project's own values.
    pub fn load(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else {
            return Self::parse(DEFAULT_PARAMS).context("the built-in params.toml");
        };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{}", path.display()))
    }

    fn parse(text: &str) -> Result<Self> {
        let params: Self = toml::from_str(text)?;
        if params.pool_share_percent > 100 {
            bail!(
                "pool_share_percent = {}: must be 0 to 100",
                params.pool_share_percent
            );
        }
        let none = Hash160::ZERO;
        let soul = params.for_owner(&none)?;
        let sale = params.sale.deploy_params(&none, &none, &none, 0)?;
        params.proofs.deploy_params(&none)?;
        let reserves = sale.lockups.iter().map(|lockup| lockup.reserve);
        let most = reserves.fold(u128::from(soul.initial_supply), |sum, reserve| {
            sum + u128::from(reserve)
        }) + u128::from(sale.hard_cap);
        if most > u128::from(soul.max_supply) {
            bail!(
                "max_supply = \"{}\" is too small: initial_supply, the sale's hard_cap and all reserves are {} SOUL",
                params.max_supply,
                amount::show(&most.into(), amount::DECIMALS)
            );
        }
        Ok(params)
    }

    /// The contract `Phantasma` with who receives the initial supply, and no other contract that may mint or collect.
    pub fn for_owner(&self, owner: &Hash160) -> Result<DeployParams> {
        Ok(DeployParams {
            owner: *owner,
            initial_supply: soul("initial_supply", &self.initial_supply)?,
            max_supply: soul("max_supply", &self.max_supply)?,
            sale: Hash160::ZERO,
            proofs: Hash160::ZERO,
            box_fee: soul("box_fee", &self.box_fee)?,
            content_base_fee: soul("content_base_fee", &self.content_base_fee)?,
            pool_share: self.pool_share_percent,
        })
    }
}

/// Smallest units of SOUL.
fn soul(name: &str, text: &str) -> Result<u64> {
    let units =
        amount::parse(text, amount::DECIMALS).with_context(|| format!("{name} = \"{text}\""))?;
    u64::try_from(&units).with_context(|| format!("{name} = \"{text}\" is too much"))
}

/// A number that must lie within bounds.
fn within(name: &str, value: u64, least: u64, most: u64) -> Result<u64> {
    if !(least..=most).contains(&value) {
        bail!("{name} = {value}: must be {least} to {most}");
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use phantasma_sdk::sale::Locks;

    #[test]
    fn the_projects_own_values_are_valid() {
        let params = Params::load(None).unwrap();
        let none = Hash160::ZERO;
        let soul = params.for_owner(&none).unwrap();
        assert!(soul.initial_supply > soul.box_fee && soul.box_fee > soul.content_base_fee);
        let sale = params
            .sale
            .deploy_params(&none, &none, &none, 1000)
            .unwrap();
        assert_eq!(sale.opening_ms, 1000);
        assert_eq!(sale.end_ms, 1000 + 30 * 86_400_000);
        // The lock-ups that docs/sale.md promises.
        let days = |l: &phantasma_sdk::sale::Lockup| (l.cliff_days, l.step_days, l.steps);
        let days: Vec<_> = sale.lockups.iter().map(days).collect();
        assert_eq!(days, [(0, 30, 3), (90, 30, 12), (180, 180, 4)]);
        let locks: Vec<_> = sale.tiers.iter().map(|t| (t.lockup, t.locks)).collect();
        assert_eq!(
            locks,
            [(0, Locks::Nothing), (1, Locks::Bonus), (3, Locks::All)]
        );
        let proofs = params.proofs.deploy_params(&none).unwrap();
        assert_eq!(proofs.deadline_ms, 5 * 60_000);
    }

    #[test]
    fn a_wrong_value_is_named() {
        for (from, to, expected) in [
            (
                "pool_share_percent = 20",
                "pool_share_percent = 101",
                "must be 0 to 100",
            ),
            ("box_fee = \"1\"", "box_fee = \"-1\"", "box_fee = \"-1\""),
            ("box_fee = \"1\"", "box_fees = \"1\"", "box_fees"),
            ("box_fee = \"1\"\n", "", "box_fee"),
            (
                "max_supply = \"100000000\"",
                "max_supply = \"100000\"",
                "max_supply = \"100000\"",
            ),
            (
                "hard_cap = \"6000000\"",
                "hard_cap = \"6000001\"",
                "are 100000001 SOUL",
            ),
            (
                "hard_cap = \"6000000\"",
                "hard_cap = \"900000000\"",
                "sale.hard_cap",
            ),
            ("end = \"30 d\"", "end = \"30\"", "sale.end"),
            ("end = \"30 d\"", "end = \"0 s\"", "must come in this order"),
            (
                "bonus_percent = 20",
                "bonus_percent = 1001",
                "sale.tiers[presale].bonus_percent",
            ),
            (
                "lockup = \"team\"",
                "lockup = \"teem\"",
                "no lock-up \"teem\"",
            ),
            (
                "locks = \"all\"\nlockup = \"team\"",
                "locks = \"all\"",
                "names no lockup",
            ),
            (
                "locks = \"nothing\"",
                "locks = \"nothing\"\nlockup = \"team\"",
                "locks nothing",
            ),
            ("steps = 12", "steps = 256", "sale.lockups[advisors].steps"),
            ("minimum = 4", "minimum = 9", "proofs.minimum"),
            (
                "wait_cap = \"30 d\"",
                "wait_cap = \"1 h\"",
                "proofs.wait_cap",
            ),
            (
                "deadline = \"5 min\"",
                "deadline = \"5\"",
                "proofs.deadline",
            ),
            (
                "# treasury = \"N...\"",
                "treasury = \"N...\"",
                "sale.treasury",
            ),
        ] {
            assert!(DEFAULT_PARAMS.contains(from), "{from}");
            let error = format!(
                "{:#}",
                Params::parse(&DEFAULT_PARAMS.replacen(from, to, 1)).unwrap_err()
            );
            assert!(error.contains(expected), "{to}: {error}");
        }
    }

    #[test]
    fn a_time_is_a_span_after_the_deployment_or_fixed() {
        let text = DEFAULT_PARAMS.replacen("opening = \"0 s\"", "opening = 1500", 1);
        let params = Params::parse(&text).unwrap();
        let none = Hash160::ZERO;
        let sale = params.sale.deploy_params(&none, &none, &none, 7).unwrap();
        assert_eq!((sale.opening_ms, sale.end_ms), (1500, 7 + 30 * 86_400_000));
    }
}
