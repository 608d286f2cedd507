//! `phantasma gate debug`: a gate asked natively, over a new chain or the state of the real one.

use anyhow::{Context as _, Result};
use clap::{Args, ValueEnum};
use neo_client::Hash160;
use phantasma_sdk::emulator::{Outcome, Snapshot};
use phantasma_sdk::scene::{self, Scene, Trial};
use phantasma_vm::{label_positions, validate};
use serde_json::json;

use super::super::box_::soul;
use super::super::context::Context;
use super::session::{self, SessionArgs};
use super::{SCRIPT_HELP, Source};
use crate::contract::Params;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Verb {
    /// The caller writes a content.
    Write,
    /// The caller reads the newest content.
    Read,
    /// The caller asks what reading would cost.
    Inspect,
}

impl From<Verb> for scene::Verb {
    fn from(verb: Verb) -> Self {
        match verb {
            Verb::Write => Self::Write,
            Verb::Read => Self::Read,
            Verb::Inspect => Self::Inspect,
        }
    }
}

#[derive(Debug, Args)]
pub struct DebugArgs {
    #[arg(value_name = "GATE", help = SCRIPT_HELP, required_unless_present = "live")]
    gate: Option<String>,
    /// What the caller does.
    #[arg(long = "as", value_enum, default_value_t = Verb::Write)]
    verb: Verb,
    /// Who asks; somebody without a name otherwise.
    #[arg(long, value_name = "ADDRESS")]
    caller: Option<String>,
    /// Whose box it is; not the caller's otherwise.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "live")]
    owner: Option<String>,
    /// The box; with --live one that is on the chain, whose gate is asked unless GATE is given.
    #[arg(long = "box", value_name = "NAME", required_unless_present = "gate")]
    target: Option<String>,
    /// The content that is written or read: assembler text, hex or a script's bytes.
    #[arg(long, value_name = "SCRIPT")]
    content: Option<String>,
    /// Start from the state of the contract on the chain (--rpc, --contract); nothing is changed there.
    #[arg(long)]
    live: bool,
    /// The most SOUL that gate and content may charge.
    #[arg(long, default_value = "0", value_name = "SOUL")]
    max_payment: String,
    /// The block's time, in seconds since 1970; now otherwise.
    #[arg(long, value_name = "SECONDS")]
    time: Option<i64>,
    #[command(flatten)]
    session: SessionArgs,
}

pub(super) async fn run(context: &Context, args: DebugArgs) -> Result<()> {
    let gate = args.gate.as_deref().map(checked).transpose()?;
    let content = match &args.content {
        Some(content) => Some(checked(content)?),
        None => None,
    };
    let address = |flag: &'static str, address: &Option<String>| {
        let hash = address.as_deref().map(Hash160::from_address);
        hash.transpose().context(flag)
    };
    let trial = Trial {
        verb: args.verb.into(),
        caller: address("--caller", &args.caller)?,
        owner: address("--owner", &args.owner)?,
        gate: gate.as_ref().map(|source| source.script.clone()),
        content: content.as_ref().map(|source| source.script.clone()),
        target: args.target.clone(),
        max_payment: soul(&args.max_payment)?,
        time_ms: match args.time {
            Some(seconds) => Some(seconds.checked_mul(1000).context("--time is too much")?),
            None => None,
        },
    };
    let scene = if args.live {
        let snapshot = Snapshot::latest(&context.rpc(), &context.contract()?).await?;
        Scene::live(&snapshot, &trial)?
    } else {
        Scene::fresh(&Params::load(None)?.for_owner(&Hash160::ZERO)?, &trial)?
    };
    let outcome = scene.ask(&trial)?;
    say(context, &scene, &outcome);
    let mut debugger = outcome.debugger();
    let with_text = [&gate, &content].into_iter().flatten();
    // One script's labels are enough: the gate's, or the content's when it alone has a source.
    if let Some((script, text)) = with_text
        .filter_map(|source| Some((&source.script, source.text.as_ref()?)))
        .next()
    {
        debugger = debugger.with_labels(script, label_positions(text)?);
    }
    let facts = json!({
        "box": scene.id,
        "owner": scene.owner.to_address(),
        "caller": scene.caller.to_address(),
        "time_ms": outcome.time_ms,
    });
    session::run(context, &args.session, debugger, facts)
}

fn say(context: &Context, scene: &Scene, outcome: &Outcome) {
    context.say(&format!(
        "box {} of {}, asked by {}: {}",
        scene.id,
        scene.owner.to_address(),
        scene.caller.to_address(),
        outcome
            .exception
            .as_deref()
            .map_or_else(|| "HALT".to_owned(), |why| format!("FAULT, {why}"))
    ));
    if outcome.recording.steps.is_empty() {
        context.say("no gate or content ran");
    }
}

/// A script that the contract takes.
fn checked(argument: &str) -> Result<Source> {
    let source = Source::read(argument)?;
    validate(&source.script)
        .with_context(|| format!("{argument}: the contract would refuse it"))?;
    Ok(source)
}
