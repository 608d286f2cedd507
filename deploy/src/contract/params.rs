//! `params.toml`: what the contract is deployed with.

use std::path::Path;

use anyhow::{Context, Result, bail};
use neo_client::Hash160;
use phantasma_sdk::contract::DeployParams;
use serde::{Deserialize, Serialize};

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
        params.for_owner(&Hash160::ZERO)?;
        Ok(params)
    }

    /// With who receives the initial supply.
    pub fn for_owner(&self, owner: &Hash160) -> Result<DeployParams> {
        let read = |name: &str, text: &str| {
            let units = amount::parse(text, amount::DECIMALS)
                .with_context(|| format!("{name} = \"{text}\""))?;
            u64::try_from(&units).with_context(|| format!("{name} = \"{text}\" is too much"))
        };
        Ok(DeployParams {
            owner: *owner,
            initial_supply: read("initial_supply", &self.initial_supply)?,
            max_supply: read("max_supply", &self.max_supply)?,
            sale: Hash160::ZERO,
            proofs: Hash160::ZERO,
            box_fee: read("box_fee", &self.box_fee)?,
            content_base_fee: read("content_base_fee", &self.content_base_fee)?,
            pool_share: self.pool_share_percent,
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_projects_own_values_are_valid() {
        let params = Params::load(None).unwrap();
        let params = params.for_owner(&Hash160::ZERO).unwrap();
        assert!(params.initial_supply > params.box_fee && params.box_fee > params.content_base_fee);
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
        ] {
            assert!(DEFAULT_PARAMS.contains(from), "{from}");
            let error = format!(
                "{:#}",
                Params::parse(&DEFAULT_PARAMS.replace(from, to)).unwrap_err()
            );
            assert!(error.contains(expected), "{to}: {error}");
        }
    }
}
