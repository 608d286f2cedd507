//! What an operator says about proofs: the table `[proofs]`, and flags that begin with `--proofs-`.

use std::{path::Path, time::Duration};

use anyhow::{Context, ensure};
use clap::Args;
use phantasma_sdk::{
    neo::{Account, Hash160, RpcClient},
    proofs::Proofs,
};
use phantasma_wire::proof::Policy;
use serde::Deserialize;

use super::Setup;

/// A MainNet block.
const DEFAULT_EVERY_S: u64 = 15;

/// Datoshi in a GAS.
const GAS: f64 = 1e8;

/// More than there ever is.
const MAX_GAS: f64 = 1e8;

/// Settings of proofs; without a contract there are none.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ProofSettings {
    /// The contract PhantasmaProofs: 0x and 40 hex digits. With it this node takes part in proofs.
    #[arg(
        id = "proofs_contract",
        value_name = "CONTRACT",
        long = "proofs-contract",
        env = "PHANTASMA_PDFS_PROOFS_CONTRACT"
    )]
    contract: Option<String>,
    /// false: no proofs, although there is a contract [default: true].
    #[arg(
        id = "proofs_on",
        value_name = "ON",
        long = "proofs-on",
        env = "PHANTASMA_PDFS_PROOFS_ON"
    )]
    on: Option<bool>,
    /// Account in the wallet that is registered as the node, and pays [default: that of the node].
    #[arg(
        id = "proofs_account",
        value_name = "ACCOUNT",
        long = "proofs-account",
        env = "PHANTASMA_PDFS_PROOFS_ACCOUNT"
    )]
    account: Option<String>,
    /// Seconds between two looks at the chain [default: 15].
    #[arg(
        id = "proofs_every_s",
        value_name = "EVERY_S",
        long = "proofs-every-s",
        env = "PHANTASMA_PDFS_PROOFS_EVERY_S"
    )]
    every_s: Option<u64>,
    /// Seconds from one challenge of this node to its next, 0 for as fast as it goes [default: 3600].
    #[arg(
        id = "proofs_ask_every_s",
        value_name = "ASK_EVERY_S",
        long = "proofs-ask-every-s",
        env = "PHANTASMA_PDFS_PROOFS_ASK_EVERY_S"
    )]
    ask_every_s: Option<u64>,
    /// The most GAS that one call may cost [default: 1.6].
    #[arg(
        id = "proofs_gas_a_call",
        value_name = "GAS_A_CALL",
        long = "proofs-gas-a-call",
        env = "PHANTASMA_PDFS_PROOFS_GAS_A_CALL"
    )]
    gas_a_call: Option<f64>,
    /// The most GAS that all calls of a day (UTC) may cost [default: 20].
    #[arg(
        id = "proofs_gas_a_day",
        value_name = "GAS_A_DAY",
        long = "proofs-gas-a-day",
        env = "PHANTASMA_PDFS_PROOFS_GAS_A_DAY"
    )]
    gas_a_day: Option<f64>,
}

impl ProofSettings {
    /// These settings, and `below` where they say nothing.
    pub(crate) fn or(self, below: Self) -> Self {
        Self {
            contract: self.contract.or(below.contract),
            on: self.on.or(below.on),
            account: self.account.or(below.account),
            every_s: self.every_s.or(below.every_s),
            ask_every_s: self.ask_every_s.or(below.ask_every_s),
            gas_a_call: self.gas_a_call.or(below.gas_a_call),
            gas_a_day: self.gas_a_day.or(below.gas_a_day),
        }
    }

    /// What the agent works with, None when it shall not. `account` opens an account of the wallet, None its usual one.
    pub(crate) fn setup(
        &self,
        rpc: RpcClient,
        data: &Path,
        account: impl FnOnce(Option<&String>) -> anyhow::Result<Account>,
    ) -> anyhow::Result<Option<Setup>> {
        let Some(contract) = self.contract.as_deref().filter(|_| self.on != Some(false)) else {
            ensure!(
                self.on != Some(true),
                "proofs are on without a contract: use --proofs-contract 0x..."
            );
            return Ok(None);
        };
        let contract: Hash160 = contract
            .parse()
            .with_context(|| format!("contract of proofs {contract:?}"))?;
        let usual = Policy::default();
        let ask_every_ms = self.ask_every_s.map(|s| s.saturating_mul(1000));
        Ok(Some(Setup {
            proofs: Proofs::new(rpc.clone(), contract),
            rpc,
            account: account(self.account.as_ref())?,
            policy: Policy {
                start_every_ms: ask_every_ms.unwrap_or(usual.start_every_ms),
                gas_per_call: datoshi("gas_a_call", self.gas_a_call, usual.gas_per_call)?,
                gas_per_day: datoshi("gas_a_day", self.gas_a_day, usual.gas_per_day)?,
                ..usual
            },
            every: Duration::from_secs(self.every_s.unwrap_or(DEFAULT_EVERY_S).max(1)),
            journal: data.join("proofs.toml"),
        }))
    }
}

fn datoshi(name: &str, gas: Option<f64>, default: u64) -> anyhow::Result<u64> {
    let Some(gas) = gas else {
        return Ok(default);
    };
    ensure!(
        (0.0..=MAX_GAS).contains(&gas),
        "proofs.{name} = {gas}: an amount of GAS is expected"
    );
    // In range, as was just seen.
    Ok((gas * GAS).round() as u64)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn setup(text: &str) -> anyhow::Result<Option<Setup>> {
        let settings: ProofSettings = toml::from_str(text)?;
        let rpc = RpcClient::new("http://127.0.0.1:1");
        settings.setup(rpc, Path::new("d"), |_| Ok(Account::random()?))
    }

    #[test]
    fn a_contract_turns_proofs_on_and_prices_are_gas() {
        assert!(setup("").unwrap().is_none());
        let contract = format!("contract = \"0x{}\"\n", "11".repeat(20));
        assert!(setup(&format!("{contract}on = false")).unwrap().is_none());
        let made = setup(&format!("{contract}gas_a_day = 3\ngas_a_call = 0.25")).unwrap();
        let made = made.unwrap();
        let policy = made.policy;
        assert_eq!(
            (policy.gas_per_day, policy.gas_per_call),
            (3_0000_0000, 2500_0000)
        );
        assert_eq!(made.journal, Path::new("d/proofs.toml"));
        for wrong in ["on = true", "gas = 1"] {
            assert!(setup(wrong).is_err(), "{wrong}");
        }
        assert!(setup(&format!("{contract}gas_a_day = -1")).is_err());
        assert!(setup("contract = \"0x11\"").is_err());
    }
}
