//! `phantasma sale`: buying SOUL, what is locked up, and what the administrator may do.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Subcommand, ValueEnum};
use neo_client::{Account, Hash160, Receipt};
use num_bigint::BigInt;
use phantasma_sdk::sale::{Currency, Locks, Phase, Sale, SaleEvent, Tier};
use serde_json::{Value, json};

use super::box_::soul as parse_soul;
use super::context::Context;
use crate::amount::{self, soul};
use crate::contract::Program;
use crate::time::{parse_span, show_utc};

#[derive(Debug, Subcommand)]
pub enum SaleCommand {
    /// Show where the sale stands, its tiers and lock-ups.
    Status,
    /// Show what a contribution would buy, exactly, if nobody buys in between.
    Quote {
        token: Token,
        /// Such as 12 or 0.5; NEO is whole.
        amount: String,
        /// Who would buy; the wallet's account when absent.
        address: Option<String>,
    },
    /// Buy SOUL; what is over a cap comes back in the same transaction.
    Buy {
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

async fn status(context: &Context, sale: &Sale) -> Result<()> {
    let (info, settings) = (sale.sale_info().await?, sale.settings().await?);
    let mut lines = vec![
        format!("sale {}", sale.hash()),
        phase_text(info.phase, info.opening_ms, info.end_ms),
        format!("sold {} of {} SOUL", soul(info.sold), soul(info.hard_cap)),
        format!(
            "it can be put off until {}",
            show_utc(settings.latest_end_ms)
        ),
        format!("administrator {}", settings.administrator.to_address()),
        format!("treasury {}", settings.treasury.to_address()),
    ];
    let mut tiers = Vec::new();
    for number in 1..=settings.tiers {
        let tier = sale.tier_info(number).await?;
        lines.push(tier_text(number, &tier));
        tiers.push(json!({
            "tier": number,
            "rate_neo": soul(tier.rate_neo),
            "rate_gas": soul(tier.rate_gas),
            "bonus_percent": tier.bonus_percent,
            "cap": soul(tier.cap),
            "lockup": tier.lockup,
            "locks": locks_name(tier.locks),
        }));
    }
    let mut lockups = Vec::new();
    for number in 1..=settings.lockups {
        let lockup = sale.lockup_info(number).await?;
        let terms = lockup.terms;
        lines.push(format!(
            "lock-up {number}: {} parts, one each {} days after {} days; allotted {} of {} SOUL",
            terms.steps,
            terms.step_days,
            terms.cliff_days,
            soul(lockup.allotted),
            soul(terms.reserve)
        ));
        lockups.push(json!({
            "lockup": number,
            "cliff_days": terms.cliff_days,
            "step_days": terms.step_days,
            "steps": terms.steps,
            "reserve": soul(terms.reserve),
            "allotted": soul(lockup.allotted),
        }));
    }
    let mut data = phase_json(info.phase, info.opening_ms, info.end_ms);
    data["sale"] = sale.hash().to_string().into();
    data["hard_cap"] = soul(info.hard_cap).into();
    data["sold"] = soul(info.sold).into();
    data["latest_end_ms"] = settings.latest_end_ms.into();
    data["administrator"] = settings.administrator.to_address().into();
    data["treasury"] = settings.treasury.to_address().into();
    data["tiers"] = tiers.into();
    data["lockups"] = lockups.into();
    context.print(&data, &lines.join("\n"))
}

fn tier_text(number: u64, tier: &Tier) -> String {
    let lock = match tier.locks {
        Locks::Nothing => "nothing is locked up".to_owned(),
        Locks::Bonus => format!("the bonus is under lock-up {}", tier.lockup),
        Locks::All => format!("all is under lock-up {}", tier.lockup),
    };
    format!(
        "tier {number}: {} SOUL a NEO, {} a GAS, {} % on top, up to {} SOUL each; {lock}",
        soul(tier.rate_neo),
        soul(tier.rate_gas),
        tier.bonus_percent,
        soul(tier.cap)
    )
}

fn locks_name(locks: Locks) -> &'static str {
    match locks {
        Locks::Nothing => "nothing",
        Locks::Bonus => "bonus",
        Locks::All => "all",
    }
}

fn phase_name(phase: Phase) -> &'static str {
    match phase {
        Phase::Upcoming => "upcoming",
        Phase::Open => "open",
        Phase::Paused => "paused",
        Phase::Ended => "ended",
    }
}

fn phase_json(phase: Phase, opening_ms: u64, end_ms: u64) -> Value {
    json!({"phase": phase_name(phase), "opening_ms": opening_ms, "end_ms": end_ms})
}

fn phase_text(phase: Phase, opening_ms: u64, end_ms: u64) -> String {
    format!(
        "{}, from {} to {}",
        phase_name(phase),
        show_utc(opening_ms),
        show_utc(end_ms)
    )
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

async fn whitelist(
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

async fn allot(context: &Context, sale: &Sale, lockup: u64, shares: &[String]) -> Result<()> {
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
fn changed(context: &Context, sale: &Sale, receipt: &Receipt) -> Result<()> {
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
