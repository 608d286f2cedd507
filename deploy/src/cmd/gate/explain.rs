//! `phantasma gate explain`: a script in English.

use anyhow::{Context as _, Result, bail};
use clap::Args;
use phantasma_sdk::contract::Phantasma;
use phantasma_vm::{explain_content, explain_gate};
use serde_json::json;

use super::super::box_;
use super::super::context::Context;
use super::{SCRIPT_HELP, Source};

#[derive(Debug, Args)]
#[group(required = true, multiple = false, id = "what")]
pub(super) struct What {
    #[arg(value_name = "SCRIPT", help = SCRIPT_HELP)]
    pub(super) script: Option<String>,
    /// The gate of a box on the chain.
    #[arg(long = "box", value_name = "BOX")]
    pub(super) target: Option<String>,
}

#[derive(Debug, Args)]
pub struct ExplainArgs {
    #[command(flatten)]
    what: What,
    /// Explain it as a content, not as a gate.
    #[arg(long, conflicts_with = "target")]
    content: bool,
}

pub(super) async fn run(context: &Context, args: ExplainArgs) -> Result<()> {
    let script = match (&args.what.script, &args.what.target) {
        (Some(script), _) => Source::read(script)?.script,
        (None, Some(target)) => {
            let contract = Phantasma::new(context.rpc(), context.contract()?);
            let id = box_::find(&contract, target).await?;
            let info = contract.box_info(id).await?;
            info.with_context(|| format!("there is no box {id}"))?.gate
        }
        // clap requires one of the two.
        (None, None) => bail!("nothing to explain; give a script or --box"),
    };
    let told = if args.content {
        explain_content(&script)
    } else {
        explain_gate(&script)
    };
    let told = told.context("the contract would refuse it")?;
    let text = told.to_string();
    let data = json!({
        "script": hex::encode(&script),
        "explanation": text,
        "can_fail": told.can_fail,
    });
    context.print(&data, text.trim_end())
}
