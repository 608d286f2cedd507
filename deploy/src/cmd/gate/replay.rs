//! `phantasma gate replay`: what a past transaction did, step by step.

use anyhow::{Context as _, Result};
use clap::Args;
use neo_client::{Hash160, Hash256, RpcClient, VmState};
use phantasma_sdk::replay::{Replay, replay};
use serde_json::json;

use super::super::context::Context;
use super::session::{self, SessionArgs};
use crate::contract::Artifacts;
use crate::refusal;

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The transaction's hash, 0x….
    #[arg(value_name = "TXHASH")]
    txid: String,
    #[command(flatten)]
    session: SessionArgs,
}

pub(super) async fn run(context: &Context, args: ReplayArgs) -> Result<()> {
    let txid: Hash256 = args
        .txid
        .parse()
        .with_context(|| format!("\"{}\" is no transaction hash, 0x and 64 digits", args.txid))?;
    let (rpc, contract) = (context.rpc(), context.contract()?);
    let mut done = replay(&rpc, &contract, &txid).await?;
    if !done.agrees() && is_another_build(&rpc, &contract).await {
        done.notes
            .push("the contract on the chain is another build than this program's".to_owned());
    }
    say(context, &done);
    let calls = done.calls.iter().map(|call| call.method.as_str());
    let facts = json!({
        "transaction": done.txid.to_string(),
        "block": done.block_index,
        "calls": calls.collect::<Vec<_>>(),
        "agrees": done.agrees(),
        "differences": done.differences,
        "notes": done.notes,
        "on_chain": {
            "state": state(done.on_chain.state),
            "exception": done.on_chain.exception.as_deref().map(refusal::plain),
            "gas_datoshi": done.on_chain.gas_consumed,
        },
    });
    session::run(context, &args.session, done.outcome.debugger(), facts)
}

fn say(context: &Context, done: &Replay) {
    let calls: Vec<_> = done.calls.iter().map(|call| call.method.as_str()).collect();
    context.say(&format!(
        "transaction {} in block {}: {}, {}",
        done.txid,
        done.block_index,
        calls.join(", "),
        state(done.on_chain.state)
    ));
    for note in &done.notes {
        context.say(&format!("note: {note}"));
    }
    if done.agrees() {
        context.say("the replay agrees with the chain");
    }
    for difference in &done.differences {
        context.say(&format!("the replay DIFFERS: it {difference}"));
    }
}

fn state(state: VmState) -> &'static str {
    match state {
        VmState::Halt => "HALT",
        VmState::Fault => "FAULT",
    }
}

/// Whether the deployed program is known not to be what this source compiles to.
async fn is_another_build(rpc: &RpcClient, contract: &Hash160) -> bool {
    let ours = Artifacts::compile(None).and_then(|artifacts| artifacts.parse_nef());
    match (ours, rpc.get_contract_state(contract).await) {
        (Ok(ours), Ok(Some(deployed))) => ours.script != deployed.nef.script,
        _ => false,
    }
}
