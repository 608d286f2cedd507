//! `phantasma rewards`: what storage nodes get out of the pool.

use anyhow::Result;
use clap::Subcommand;
use phantasma_sdk::proofs::{Proofs, ProofsEvent};
use phantasma_sdk::view;
use serde_json::json;

use super::context::Context;
use crate::amount::soul;
use crate::contract::Program;
use crate::time::show_utc;

#[derive(Debug, Subcommand)]
pub enum RewardsCommand {
    /// Show who waits for the next round, when it may be closed, and what it shares out.
    Info,
    /// Close a round, or pay the closed one; anybody may.
    Obtain,
}

pub(super) async fn run(context: &Context, command: RewardsCommand) -> Result<()> {
    let hash = context.companion(Program::Proofs).await?;
    let proofs = Proofs::new(context.rpc(), hash);
    match command {
        RewardsCommand::Info => info(context, &proofs).await,
        RewardsCommand::Obtain => obtain(context, &proofs).await,
    }
}

async fn info(context: &Context, proofs: &Proofs) -> Result<()> {
    let (info, settings) = (proofs.reward_info().await?, proofs.settings().await?);
    let data = view::rewards(&info, &settings);
    let mut text = format!(
        "{} rounds were paid; the next can be closed from {}\nwaiting: validators {:?}, provers {:?} (at least {} each)\n",
        info.rounds,
        show_utc(info.next_ms),
        info.validators,
        info.provers,
        settings.minimum
    );
    text += &match info.draw {
        Some(block) => format!(
            "a round is closed: block {block} of the chain draws of validators {:?} and provers {:?}, who share {} SOUL",
            info.closed_validators,
            info.closed_provers,
            soul(info.pot)
        ),
        None => format!("a round would share out {} SOUL", soul(info.pot)),
    };
    context.print(&data, &text)
}

async fn obtain(context: &Context, proofs: &Proofs) -> Result<()> {
    let (paid, receipt) = proofs.obtain_rewards(&context.account()?).await?;
    let (mut data, mut text) = (json!({"paid": paid}), String::new());
    for event in proofs.events(&receipt) {
        match event {
            ProofsEvent::RoundClosed {
                round, pot, draw, ..
            } => {
                data["round"] = round.into();
                data["pot"] = soul(pot).into();
                data["draw"] = draw.into();
                text = format!(
                    "round {round} is closed: block {draw} of the chain draws who shares {} SOUL; obtain again then",
                    soul(pot)
                );
            }
            ProofsEvent::RewardsPaid {
                round,
                validator,
                prover,
                amount,
            } => {
                let (validator, prover) = (validator.to_address(), prover.to_address());
                data["round"] = round.into();
                data["validator"] = validator.clone().into();
                data["prover"] = prover.clone().into();
                data["amount"] = soul(amount).into();
                text = format!(
                    "round {round}: {} SOUL each to {validator} (validator) and {prover} (prover)",
                    soul(amount)
                );
            }
            ProofsEvent::NodeRegistered { .. }
            | ProofsEvent::NodeLeft { .. }
            | ProofsEvent::Reputation { .. }
            | ProofsEvent::ContentOffered { .. }
            | ProofsEvent::ProofStarted { .. }
            | ProofsEvent::ProofShown { .. }
            | ProofsEvent::ProofAccepted { .. }
            | ProofsEvent::ProofFailed { .. } => {}
        }
    }
    context.print_done(data, &text, &receipt)
}
