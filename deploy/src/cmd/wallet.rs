//! `phantasma wallet`: keys, balances, transfers.

mod import;

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use neo_client::{GAS, Hash160, NEO, PrivateKey, Wallet};
use phantasma_sdk::view;
use serde_json::json;

use super::context::{Context, receipt_text};
use crate::{amount, password};
use import::{Found, ImportCommand};

#[derive(Debug, Subcommand)]
pub enum WalletCommand {
    /// Make a wallet file with one new account.
    New {
        /// Name of the account.
        #[arg(long, default_value = "")]
        label: String,
    },
    /// Show the addresses in the wallet, the default one first.
    Address,
    /// Show the account's public key: contents and groups are shared with it.
    Key,
    /// Show how much SOUL, GAS and NEO an address holds.
    Balance {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// Send SOUL, GAS or NEO.
    Transfer {
        /// Which of the three.
        token: Token,
        /// Such as 12 or 0.5.
        #[arg(allow_negative_numbers = true)]
        amount: String,
        /// The receiver's address.
        to: String,
    },
    /// Add an existing key (WIF or NEP-2) or the accounts of a NEP-6 file, as NeoLine and others export them. A key is read
    /// from a file or asked for, never an argument: arguments are visible to every user of the machine.
    Import(ImportCommand),
    /// Print the account's key: encrypted (NEP-2), or with --wif in the clear.
    Export {
        /// Whoever sees it owns the account.
        #[arg(long)]
        wif: bool,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Token {
    Soul,
    Gas,
    Neo,
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::Soul => "SOUL",
            Self::Gas => "GAS",
            Self::Neo => "NEO",
        }
    }

    fn decimals(self) -> u32 {
        match self {
            Self::Soul | Self::Gas => amount::DECIMALS,
            Self::Neo => 0,
        }
    }

    fn hash(self, context: &Context) -> Result<Hash160> {
        match self {
            Self::Soul => context.contract(),
            Self::Gas => Ok(GAS),
            Self::Neo => Ok(NEO),
        }
    }
}

pub(super) async fn run(context: &Context, command: WalletCommand) -> Result<()> {
    match command {
        WalletCommand::New { label } => new(context, &label),
        WalletCommand::Address => address(context),
        WalletCommand::Key => key(context),
        WalletCommand::Balance { address } => balance(context, address).await,
        WalletCommand::Transfer { token, amount, to } => {
            transfer(context, token, &amount, &to).await
        }
        WalletCommand::Import(command) => import::run(context, &command),
        WalletCommand::Export { wif } => export(context, wif),
    }
}

fn key(context: &Context) -> Result<()> {
    let account = context.account()?;
    let key = account.key.public_key().to_string();
    context.print(
        &json!({"address": account.address, "public_key": key}),
        &key,
    )
}

fn new(context: &Context, label: &str) -> Result<()> {
    let path = context.wallet_path();
    if path.exists() {
        bail!(
            "{} exists already and is left as it is; choose another file with --wallet",
            path.display()
        );
    }
    let password = password::get_new(context.global.password_file.as_deref(), "the new wallet")?;
    let made = Found {
        key: PrivateKey::random()?,
        label: label.to_owned(),
    };
    import::add(context, make_file(&path)?, &[made], &password)
}

fn make_file(path: &Path) -> Result<Wallet> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("creating {}", folder.display()))?;
    }
    Ok(Wallet::create(path)?)
}

fn address(context: &Context) -> Result<()> {
    let wallet = context.wallet()?;
    let default = context.address(&wallet)?;
    let others = wallet
        .accounts()
        .iter()
        .map(|account| account.address.clone());
    let all: Vec<String> = std::iter::once(default.clone())
        .chain(others.filter(|other| *other != default))
        .collect();
    context.print(
        &json!({"wallet": wallet.path(), "default": default, "addresses": all}),
        &all.join("\n"),
    )
}

async fn balance(context: &Context, address: Option<String>) -> Result<()> {
    let address = match address {
        Some(address) => address,
        None => context.address(&context.wallet()?)?,
    };
    let account = Hash160::from_address(&address)?;
    let rpc = context.rpc();
    let mut tokens = vec![Token::Gas, Token::Neo];
    if context.contract_is_given() {
        tokens.insert(0, Token::Soul);
    }
    let (mut data, mut lines) = (serde_json::Map::new(), Vec::new());
    for token in tokens {
        let units = rpc.balance_of(&token.hash(context)?, &account).await?;
        let shown = amount::show(&units, token.decimals());
        lines.push(format!("{:4} {shown}", token.name()));
        data.insert(token.name().to_owned(), shown.into());
    }
    context.print(
        &json!({"address": address, "balance": data}),
        &lines.join("\n"),
    )
}

async fn transfer(context: &Context, token: Token, text: &str, to: &str) -> Result<()> {
    let units = amount::parse(text, token.decimals())?;
    let receiver = Hash160::from_address(to)?;
    let hash = token.hash(context)?;
    let actor = context.actor()?;
    let held = actor
        .rpc()
        .balance_of(&hash, &actor.account().script_hash)
        .await?;
    if held < units {
        let held = amount::show(&held, token.decimals());
        bail!(
            "{} holds {held} {}, less than {text}; nothing was sent",
            actor.account().address,
            token.name()
        );
    }
    let receipt = actor.transfer(&hash, &receiver, units).await?;
    let mut data = view::receipt(&receipt);
    data["token"] = token.name().into();
    data["amount"] = text.into();
    data["to"] = to.into();
    context.print(
        &data,
        &format!(
            "sent {text} {} to {to}\n{}",
            token.name(),
            receipt_text(&receipt)
        ),
    )
}

fn export(context: &Context, wif: bool) -> Result<()> {
    let wallet = context.wallet()?;
    let address = context.address(&wallet)?;
    let password = password::get(context.global.password_file.as_deref(), &address)?;
    let account = wallet.decrypt(&address, &password)?;
    if wif {
        let key = account.key.to_wif();
        return context.print(&json!({"address": address, "wif": *key}), &key);
    }
    let key = account.key.to_nep2(&password)?;
    context.print(&json!({"address": address, "nep2": key}), &key)
}
