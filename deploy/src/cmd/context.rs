//! What the commands share: settings from three places, the node, the wallet's account, output.

use std::io::{IsTerminal, Write};

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use neo_client::{Account, Actor, Hash160, Receipt, RpcClient, Wallet};
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::view;
use serde::Serialize;
use serde_json::Value;

use super::Global;
use crate::contract::Program;
use crate::net::detached::DEFAULT_RPC_PORT;
use crate::profile::Profile;
use crate::{amount, password};

/// The settings in force.
#[derive(Debug)]
pub struct Context {
    pub global: Global,
    pub profile: Profile,
}

impl Context {
    pub fn new(global: Global) -> Result<Self> {
        let profile = Profile::load(&global.dir)?.named(global.profile.as_deref())?;
        Ok(Self { global, profile })
    }

    /// Changes the profile in use and writes the file.
    pub fn remember(&self, change: impl FnOnce(&mut Profile)) -> Result<()> {
        let mut profile = Profile::load(&self.global.dir)?;
        match &self.global.profile {
            None => change(&mut profile),
            Some(name) => change(profile.entry(name)?),
        }
        profile.save(&self.global.dir)
    }

    /// The node to talk to: flag, environment, profile, else the private net's usual place.
    pub fn rpc(&self) -> RpcClient {
        let url = self
            .global
            .rpc
            .clone()
            .or_else(|| self.profile.rpc_url.clone());
        RpcClient::new(url.unwrap_or_else(|| format!("http://127.0.0.1:{DEFAULT_RPC_PORT}")))
    }

    /// The deployed contract's hash.
    pub fn contract(&self) -> Result<Hash160> {
        if let Some(text) = &self.global.contract {
            return text.parse().with_context(|| format!("--contract {text}"));
        }
        match self.profile.contract_hash()? {
            Some(hash) => Ok(hash),
            None => bail!(
                "no contract is known here; give --contract 0x… or run `phantasma contract deploy`"
            ),
        }
    }

    /// The hash of the contract that belongs to it: what the profile remembers beside the contract in use, else what
    /// that contract on the chain names.
    pub async fn companion(&self, program: Program) -> Result<Hash160> {
        let contract = self.contract()?;
        let known = match program {
            Program::Phantasma => Some(contract),
            Program::Sale => self.profile.sale_hash()?,
            Program::Proofs => self.profile.proofs_hash()?,
        };
        let remembered = self.profile.contract_hash()? == Some(contract);
        if let Some(hash) = known.filter(|_| remembered || program == Program::Phantasma) {
            return Ok(hash);
        }
        let settings = Phantasma::new(self.rpc(), contract).settings().await?;
        let named = match program {
            Program::Phantasma => contract,
            Program::Sale => settings.sale,
            Program::Proofs => settings.proofs,
        };
        if named == Hash160::ZERO {
            bail!(
                "the contract {contract} was deployed without {program}; use --contract with one that has it"
            );
        }
        Ok(named)
    }

    /// Is there a contract to use, right or wrong?
    pub fn contract_is_given(&self) -> bool {
        self.global.contract.is_some() || self.profile.contract.is_some()
    }

    /// Where the wallet is, or would be made.
    pub fn wallet_path(&self) -> PathBuf {
        let known = self
            .global
            .wallet
            .clone()
            .or_else(|| self.profile.wallet.clone());
        known.unwrap_or_else(|| self.global.dir.join("wallet.json"))
    }

    /// The wallet file, which must exist.
    pub fn wallet(&self) -> Result<Wallet> {
        let path = self.wallet_path();
        if !path.exists() {
            bail!(
                "there is no wallet {}; make one with `phantasma wallet new` or name it with --wallet",
                path.display()
            );
        }
        Ok(Wallet::open(path)?)
    }

    /// The address to act as: `--account`, else the wallet's default account.
    pub fn address(&self, wallet: &Wallet) -> Result<String> {
        if let Some(address) = &self.global.account {
            return Ok(address.clone());
        }
        match wallet.default_account() {
            Some(account) => Ok(account.address.clone()),
            None => bail!(
                "wallet {} has no account; add one with `phantasma wallet import`",
                wallet.path().display()
            ),
        }
    }

    /// The account to act as, opened with its password.
    pub fn account(&self) -> Result<Account> {
        let wallet = self.wallet()?;
        let address = self.address(&wallet)?;
        let password = password::get(self.global.password_file.as_deref(), &address)?;
        Ok(wallet.decrypt(&address, &password)?)
    }

    /// The account of an address, or the wallet's when there is none; no password is needed.
    pub fn account_or(&self, address: Option<&str>) -> Result<Hash160> {
        let own;
        let address = match address {
            Some(address) => address,
            None => {
                own = self.address(&self.wallet()?)?;
                &own
            }
        };
        Hash160::from_address(address).with_context(|| address.to_owned())
    }

    /// That account on the node.
    pub fn actor(&self) -> Result<Actor> {
        Ok(Actor::new(self.rpc(), self.account()?))
    }

    /// Progress for people: to standard error, so that standard output stays data.
    pub fn say(&self, text: &str) {
        if !self.global.json {
            // A closed standard error is no reason to stop.
            let _ = writeln!(std::io::stderr(), "{text}");
        }
    }

    /// Prints the result: `text` for people, `data` with `--json`.
    pub fn print(&self, data: &impl Serialize, text: &str) -> Result<()> {
        let out = if self.global.json {
            serde_json::to_string_pretty(data)?
        } else {
            text.to_owned()
        };
        match writeln!(std::io::stdout(), "{out}") {
            // `phantasma … | head` closes the pipe when it has seen enough.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
            result => Ok(result?),
        }
    }

    /// Prints what a transaction did, and the transaction.
    pub fn print_done(&self, mut data: Value, text: &str, receipt: &Receipt) -> Result<()> {
        if let (Value::Object(data), Value::Object(more)) = (&mut data, view::receipt(receipt)) {
            data.extend(more);
        }
        self.print(&data, &format!("{text}\n{}", receipt_text(receipt)))
    }

    /// May progress bars be drawn?
    pub fn interactive(&self) -> bool {
        !self.global.json && std::io::stderr().is_terminal()
    }
}

/// What a transaction cost and where it is, in a line for people.
pub(super) fn receipt_text(receipt: &Receipt) -> String {
    let (gas, fee) = (
        amount::gas(receipt.system_fee),
        amount::gas(receipt.network_fee),
    );
    format!(
        "transaction {} in block {}, {gas} GAS system fee + {fee} GAS network fee",
        receipt.txid, receipt.block_index
    )
}
