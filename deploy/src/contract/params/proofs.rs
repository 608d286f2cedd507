//! The part of `params.toml` about nodes, proofs and rewards.

use anyhow::{Context, Result, bail};
use neo_client::Hash160;
use phantasma_sdk::proofs::DeployParams;
use serde::{Deserialize, Serialize};

use super::{soul, within};
use crate::time;

/// The contract takes times below 2⁴⁷ ms.
const MOST_MS: u64 = (1 << 47) - 1;
/// The contract takes amounts below 2⁶³ units.
const MOST_UNITS: u64 = (1 << 63) - 1;
/// A queue's length.
const MOST_WAITING: u64 = 8;

/// What the contract of proofs is deployed with. Amounts are SOUL, times spans like `5 min`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProofsParams {
    pub node_fee: String,
    pub validation_fee: String,
    /// Of the pool, in one round.
    pub pot_share_percent: u64,
    /// In each queue, when a round closes.
    pub minimum: u64,
    pub wait: String,
    pub wait_cap: String,
    pub min_age: String,
    pub quiet: String,
    pub deadline: String,
}

impl ProofsParams {
    /// What `_deploy` is given.
    pub fn deploy_params(&self, phantasma: &Hash160) -> Result<DeployParams> {
        let (wait_ms, wait_cap_ms) = (
            span("proofs.wait", &self.wait)?,
            span("proofs.wait_cap", &self.wait_cap)?,
        );
        if wait_ms > wait_cap_ms {
            bail!(
                "proofs.wait_cap = \"{}\" is below proofs.wait = \"{}\"",
                self.wait_cap,
                self.wait
            );
        }
        let share = self.pot_share_percent;
        Ok(DeployParams {
            phantasma: *phantasma,
            node_fee: limited("proofs.node_fee", &self.node_fee)?,
            validation_fee: limited("proofs.validation_fee", &self.validation_fee)?,
            pot_share_percent: within("proofs.pot_share_percent", share, 1, 100)?,
            minimum: within("proofs.minimum", self.minimum, 1, MOST_WAITING)?,
            wait_ms,
            wait_cap_ms,
            min_age_ms: span("proofs.min_age", &self.min_age)?,
            quiet_ms: span("proofs.quiet", &self.quiet)?,
            deadline_ms: span("proofs.deadline", &self.deadline)?,
        })
    }
}

fn span(name: &str, text: &str) -> Result<u64> {
    let ms = time::parse_span(text).with_context(|| name.to_owned())?;
    within(name, ms, 0, MOST_MS)
}

fn limited(name: &str, text: &str) -> Result<u64> {
    within(name, soul(name, text)?, 0, MOST_UNITS)
}
