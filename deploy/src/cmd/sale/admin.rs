//! What the sale's administrator may do.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use neo_client::{Account, Hash160, Receipt};
use phantasma_sdk::sale::{Sale, SaleEvent};
use serde_json::json;

use super::status::{phase_json, phase_text};
use crate::amount::soul;
use crate::cmd::Context;
use crate::cmd::box_::soul as parse_soul;

pub(super) async fn whitelist(
    context: &Context,
    sale: &Sale,
    tier: u64,
    mut addresses: Vec<String>,
    file: Option<&Path>,
) -> Result<()> {
    if let Some(path) = file {
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        addresses.extend(lines.map(str::to_owned));
    }
    if addresses.is_empty() {
        bail!("no address is given; name them, or a file of them with --file");
    }
    let accounts = addresses
        .iter()
        .map(|text| Hash160::from_address(text).with_context(|| text.clone()))
        .collect::<Result<Vec<_>>>()?;
    let administrator = administrator(context, sale).await?;
    let to = (tier != 0).then_some(tier);
    let receipt = sale.whitelist(&administrator, &accounts, to).await?;
    let many = accounts.len();
    let text = match to {
        Some(tier) => format!("{many} on the whitelist under tier {tier}"),
        None => format!("{many} off the whitelist"),
    };
    let data = json!({"tier": tier, "addresses": addresses});
    context.print_done(data, &text, &receipt)
}

pub(super) async fn allot(
    context: &Context,
    sale: &Sale,
    lockup: u64,
    shares: &[String],
) -> Result<()> {
    let shares = shares
        .iter()
        .map(|text| parse_share(text))
        .collect::<Result<Vec<_>>>()?;
    let administrator = administrator(context, sale).await?;
    let receipt = sale.allot(&administrator, &shares, lockup).await?;
    let total: u64 = shares.iter().map(|(_, amount)| *amount).sum();
    let data = json!({"lockup": lockup, "accounts": shares.len(), "amount": soul(total)});
    let many = shares.len();
    let text = format!("{} SOUL locked up for {many} accounts", soul(total));
    context.print_done(data, &text, &receipt)
}

fn parse_share(text: &str) -> Result<(Hash160, u64)> {
    let shape = || format!("\"{text}\" is not <address>=<SOUL>");
    let (address, amount) = text.split_once('=').with_context(shape)?;
    let account = Hash160::from_address(address).with_context(shape)?;
    Ok((account, parse_soul(amount).with_context(shape)?))
}

/// The wallet's account, if it is the sale's administrator. Asked first, for a plain answer before a long batch.
async fn administrator(context: &Context, sale: &Sale) -> Result<Account> {
    let settings = sale.settings().await?;
    let account = context.account()?;
    if account.script_hash != settings.administrator {
        bail!(
            "{} is not the sale's administrator, who is {}; choose the account with --wallet and --account",
            account.address,
            settings.administrator.to_address()
        );
    }
    Ok(account)
}

/// Says what the administrator has made of the sale.
pub(super) fn changed(context: &Context, sale: &Sale, receipt: &Receipt) -> Result<()> {
    for event in sale.events(receipt) {
        if let SaleEvent::SaleChanged {
            phase,
            opening_ms,
            end_ms,
        } = event
        {
            let text = phase_text(phase, opening_ms, end_ms);
            return context.print_done(phase_json(phase, opening_ms, end_ms), &text, receipt);
        }
    }
    bail!("transaction {} changed nothing", receipt.txid)
}
