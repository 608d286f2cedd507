//! Where the sale stands, its tiers and lock-ups.

use anyhow::Result;
use phantasma_sdk::sale::{Locks, Phase, Sale, Tier};
use serde_json::{Value, json};

use crate::amount::soul;
use crate::cmd::Context;
use crate::time::show_utc;

pub(super) async fn status(context: &Context, sale: &Sale) -> Result<()> {
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
            "lock-up {number}: {} parts, one every {} days from day {} after the end on; allotted {} of {} SOUL",
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

pub(super) fn phase_json(phase: Phase, opening_ms: u64, end_ms: u64) -> Value {
    json!({"phase": phase_name(phase), "opening_ms": opening_ms, "end_ms": end_ms})
}

pub(super) fn phase_text(phase: Phase, opening_ms: u64, end_ms: u64) -> String {
    format!(
        "{}, from {} to {}",
        phase_name(phase),
        show_utc(opening_ms),
        show_utc(end_ms)
    )
}
