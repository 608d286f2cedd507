//! `phantasma sale`: buying SOUL, what is locked up, and what the administrator may do.

mod admin;
mod status;

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use num_bigint::BigInt;
use phantasma_sdk::sale::{Currency, Sale, SaleEvent};
use serde_json::json;

use super::context::Context;
use crate::amount::{self, soul};
use crate::contract::Program;
use crate::time::{parse_span, show_utc};
use admin::{allot, changed, whitelist};
use status::status;

#[derive(Debug, Subcommand)]
pub enum SaleCommand {
    /// Show where the sale stands, its tiers and lock-ups.
    Status,
    /// Show what a contribution would buy, exactly, if nobody buys in between.
    Quote {
        /// What it is paid in.
        token: Token,
        /// Such as 12 or 0.5; NEO is whole.
        amount: String,
        /// Who would buy; the wallet's account when absent.
        address: Option<String>,
    },
    /// Buy SOUL; what is over a cap comes back in the same transaction.
    Buy {
        /// What it is paid in.
        token: Token,
        /// Such as 12 or 0.5; NEO is whole.
        amount: String,
    },
    /// Show what the sale knows of an account: its tier, what it bought and may still buy.
    Account {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// Show what is locked up for an account, and when the next part is free.
    Locked {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// Pay an account what is free of its locked SOUL; anybody may ask for it.
    Unlock {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// Send all NEO and GAS of the sale to its treasury; anybody may ask for it.
    Withdraw,
    /// Put accounts on the whitelist; only for the administrator.
    Whitelist {
        /// From 1, see `status`; 0 takes the accounts off.
        tier: u64,
        /// The accounts.
        addresses: Vec<String>,
        /// File with more addresses, one a line.
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Lock up SOUL of a lock-up's reserve for accounts; only for the administrator.
    Allot {
        /// From 1, see `status`.
        lockup: u64,
        /// Address and SOUL, such as NdGH...=1000.
        #[arg(required = true, value_name = "ADDRESS=SOUL")]
        shares: Vec<String>,
    },
    /// Refuse contributions until `resume`; only for the administrator.
    Pause,
    /// Take contributions again; only for the administrator.
    Resume,
    /// Move the end, and the opening if it has not come, later; only for the administrator.
    Postpone {
        /// Such as "12 h" or "3 d".
        delay: String,
    },
    /// End the sale now and for good; only for the administrator.
    End,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Token {
    Neo,
    Gas,
}

impl Token {
    fn name(self) -> &'static str {
        match self {
            Self::Neo => "NEO",
            Self::Gas => "GAS",
        }
    }

    fn decimals(self) -> u32 {
        match self {
            Self::Neo => 0,
            Self::Gas => amount::DECIMALS,
        }
    }

    fn currency(self) -> Currency {
        match self {
            Self::Neo => Currency::Neo,
            Self::Gas => Currency::Gas,
        }
    }

    fn parse(self, text: &str) -> Result<u64> {
        let units = amount::parse(text, self.decimals())?;
        let name = self.name();
        u64::try_from(&units).with_context(|| format!("{text} {name} is more than there can be"))
    }

    fn show(self, units: u64) -> String {
        amount::show(&BigInt::from(units), self.decimals())
    }
}

pub(super) async fn run(context: &Context, command: SaleCommand) -> Result<()> {
    let hash = context.companion(Program::Sale).await?;
    let sale = Sale::new(context.rpc(), hash);
    match command {
        SaleCommand::Status => status(context, &sale).await,
        SaleCommand::Quote {
            token,
            amount,
            address,
        } => quote(context, &sale, token, &amount, address.as_deref()).await,
        SaleCommand::Buy { token, amount } => buy(context, &sale, token, &amount).await,
        SaleCommand::Account { address } => account(context, &sale, address.as_deref()).await,
        SaleCommand::Locked { address } => locked(context, &sale, address.as_deref()).await,
        SaleCommand::Unlock { address } => unlock(context, &sale, address.as_deref()).await,
        SaleCommand::Withdraw => {
            let receipt = sale.withdraw(&context.account()?).await?;
            let text = "the sale's NEO and GAS went to its treasury";
            context.print_done(json!({}), text, &receipt)
        }
        SaleCommand::Whitelist {
            tier,
            addresses,
            file,
        } => whitelist(context, &sale, tier, addresses, file.as_deref()).await,
        SaleCommand::Allot { lockup, shares } => allot(context, &sale, lockup, &shares).await,
        SaleCommand::Pause => {
            let receipt = sale.pause(&context.account()?).await?;
            changed(context, &sale, &receipt)
        }
        SaleCommand::Resume => {
            let receipt = sale.resume(&context.account()?).await?;
            changed(context, &sale, &receipt)
        }
        SaleCommand::Postpone { delay } => {
            let delay_ms = parse_span(&delay)?;
            let receipt = sale.postpone(&context.account()?, delay_ms).await?;
            changed(context, &sale, &receipt)
        }
        SaleCommand::End => {
            let receipt = sale.end(&context.account()?).await?;
            changed(context, &sale, &receipt)
        }
    }
}

async fn quote(
    context: &Context,
    sale: &Sale,
    token: Token,
    text: &str,
    address: Option<&str>,
) -> Result<()> {
    let units = token.parse(text)?;
    let account = context.account_or(address)?;
    let quote = sale.quote(&account, token.currency(), units).await?;
    let name = token.name();
    let data = json!({
        "address": account.to_address(),
        "token": name,
        "accepted": token.show(quote.accepted),
        "refund": token.show(quote.refund),
        "base": soul(quote.base),
        "bonus": soul(quote.bonus),
        "locked": soul(quote.locked),
    });
    let text = format!(
        "{} {name} would buy {} SOUL and a bonus of {} SOUL, of both {} SOUL locked up; {} {name} would come back",
        token.show(quote.accepted),
        soul(quote.base),
        soul(quote.bonus),
        soul(quote.locked),
        token.show(quote.refund)
    );
    context.print(&data, &text)
}

async fn buy(context: &Context, sale: &Sale, token: Token, text: &str) -> Result<()> {
    let units = token.parse(text)?;
    let (buyer, name) = (context.account()?, token.name());
    let hash = token.currency().hash();
    let held = context.rpc().balance_of(&hash, &buyer.script_hash).await?;
    if held < BigInt::from(units) {
        bail!(
            "{} holds {} {name}, less than {text}; nothing was sent",
            buyer.address,
            amount::show(&held, token.decimals())
        );
    }
    let receipt = sale.buy(&buyer, token.currency(), units).await?;
    let (mut locked, mut sold) = (0, None);
    for event in sale.events(&receipt) {
        match event {
            SaleEvent::Locked { amount, .. } => locked = amount,
            SaleEvent::Sold {
                accepted,
                refund,
                base,
                bonus,
                ..
            } => sold = Some((accepted, refund, base, bonus)),
            SaleEvent::Unlocked { .. }
            | SaleEvent::Whitelisted { .. }
            | SaleEvent::SaleChanged { .. } => {}
        }
    }
    let Some((accepted, refund, base, bonus)) = sold else {
        bail!("transaction {} sold nothing", receipt.txid);
    };
    let data = json!({
        "token": name,
        "accepted": token.show(accepted),
        "refund": token.show(refund),
        "base": soul(base),
        "bonus": soul(bonus),
        "locked": soul(locked),
    });
    let text = format!(
        "bought {} SOUL and a bonus of {} SOUL for {} {name}; {} SOUL locked up, {} {name} came back",
        soul(base),
        soul(bonus),
        token.show(accepted),
        soul(locked),
        token.show(refund)
    );
    context.print_done(data, &text, &receipt)
}

async fn account(context: &Context, sale: &Sale, address: Option<&str>) -> Result<()> {
    let account = context.account_or(address)?;
    let info = sale.account_info(&account).await?;
    let remaining = sale.remaining_of(&account).await?;
    let address = account.to_address();
    let data = json!({
        "address": address,
        "tier": info.tier,
        "bought": soul(info.bought),
        "remaining": soul(remaining),
        "lockup": info.lockup,
        "locked": soul(info.locked),
        "unlocked": soul(info.unlocked),
    });
    let tier = match info.tier {
        0 => "not on the whitelist".to_owned(),
        tier => format!("tier {tier}"),
    };
    let text = format!(
        "{address}: {tier}\nbought {} SOUL without bonus, may buy {} more\nlocked up {} SOUL in all, {} paid out",
        soul(info.bought),
        soul(remaining),
        soul(info.locked),
        soul(info.unlocked)
    );
    context.print(&data, &text)
}

async fn locked(context: &Context, sale: &Sale, address: Option<&str>) -> Result<()> {
    let account = context.account_or(address)?;
    let locked = sale.locked_of(&account).await?;
    let data = json!({
        "address": account.to_address(),
        "amount": soul(locked.amount),
        "next_ms": locked.next_ms,
        "due": soul(locked.due),
    });
    let next = match locked.next_ms {
        Some(ms) => format!("the next part is free on {}", show_utc(ms)),
        None => "nothing waits for a date".to_owned(),
    };
    let text = format!(
        "{} SOUL kept for {}, {} of it free now; {next}",
        soul(locked.amount),
        account.to_address(),
        soul(locked.due)
    );
    context.print(&data, &text)
}

async fn unlock(context: &Context, sale: &Sale, address: Option<&str>) -> Result<()> {
    let account = context.account_or(address)?;
    let (paid, receipt) = sale.unlock_tokens(&context.account()?, &account).await?;
    let address = account.to_address();
    let data = json!({"address": address, "amount": soul(paid)});
    let text = format!("{} SOUL went to {address}", soul(paid));
    context.print_done(data, &text, &receipt)
}
