//! `phantasma gate debug`: a gate asked natively, over a new chain or the state of the real one.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::{Args, ValueEnum};
use neo_client::{ContractParam, Hash160, Signer, StackItem, VmState};
use phantasma_sdk::emulator::{Emulator, Outcome, Snapshot, account};
use phantasma_vm::{data_script, free_gate, label_positions, validate};
use serde_json::json;

use super::super::box_::soul;
use super::super::context::Context;
use super::session::{self, SessionArgs};
use super::{SCRIPT_HELP, Source};
use crate::contract::Params;

/// SOUL that the caller has on a new chain: enough for any gate somebody tries out.
const CALLERS_SOUL: u64 = 1000_0000_0000;
/// The box on a chain that has none of that name.
const BOX_NAME: &str = "debugged";
/// What is written or read when nothing else is given.
const CONTENT: &[u8] = b"a content";

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Verb {
    /// The caller writes a content.
    Write,
    /// The caller reads the newest content.
    Read,
    /// The caller asks what reading would cost.
    Inspect,
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

/// What is asked, read from the arguments.
struct Scene {
    emulator: Emulator,
    /// The box's number.
    id: u64,
    owner: Hash160,
    caller: Hash160,
}

pub(super) async fn run(context: &Context, args: DebugArgs) -> Result<()> {
    let gate = args.gate.as_deref().map(checked).transpose()?;
    let content = match &args.content {
        Some(content) => Some(checked(content)?),
        None => None,
    };
    let caller = match &args.caller {
        Some(address) => Hash160::from_address(address).context("--caller")?,
        None => account("caller").hash,
    };
    let max_payment = soul(&args.max_payment)?;
    let scene = if args.live {
        live(context, &args, caller, gate.as_ref(), content.as_ref()).await?
    } else {
        let gate = gate.as_ref().context("give the gate to debug")?;
        fresh(&args, caller, gate, content.as_ref())?
    };
    if let Some(seconds) = args.time {
        let time_ms = seconds.checked_mul(1000).context("--time is too much")?;
        scene.emulator.chain().set_time(time_ms);
    }
    let outcome = ask(&scene, args.verb, content.as_ref(), max_payment)?;
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

/// A chain with nothing but a box that has this gate.
fn fresh(
    args: &DebugArgs,
    caller: Hash160,
    gate: &Source,
    content: Option<&Source>,
) -> Result<Scene> {
    let supply = account("supply").hash;
    let emulator = Emulator::new(&Params::load(None)?.for_owner(&supply)?)?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
    emulator.chain().set_time(i64::try_from(now.as_millis())?);
    let maker = account("owner").hash;
    for to in [maker, caller] {
        let params = [
            supply.into(),
            to.into(),
            CALLERS_SOUL.into(),
            ContractParam::Any,
        ];
        must(&emulator, &supply, "transfer", &params)?;
    }
    let name = args.target.as_deref().unwrap_or(BOX_NAME);
    let id = create_box(&emulator, name, &gate.script)?;
    prepare(&emulator, id, &maker, args.verb, gate, content)?;
    let owner = match &args.owner {
        Some(address) => Hash160::from_address(address).context("--owner")?,
        None => maker,
    };
    if owner != maker {
        emulator.rename(&maker, &owner);
    }
    Ok(Scene {
        emulator,
        id,
        owner,
        caller,
    })
}

/// The chain as it is, with another gate for a box, or another box, if so asked.
async fn live(
    context: &Context,
    args: &DebugArgs,
    caller: Hash160,
    gate: Option<&Source>,
    content: Option<&Source>,
) -> Result<Scene> {
    let snapshot = Snapshot::latest(&context.rpc(), &context.contract()?).await?;
    let emulator = Emulator::from_snapshot(&snapshot);
    let Some(target) = &args.target else {
        let gate = gate.context("give the gate to debug, or --box")?;
        emulator.waive_box_fee();
        let name = free_name(&emulator)?;
        let id = create_box(&emulator, &name, &gate.script)?;
        let owner = account("owner").hash;
        prepare(&emulator, id, &owner, args.verb, gate, content)?;
        return Ok(Scene {
            emulator,
            id,
            owner,
            caller,
        });
    };
    let id = match target.parse() {
        Ok(id) => id,
        Err(_) => {
            let name = target.strip_prefix("name:").unwrap_or(target);
            let found = emulator.call(&[], "findBox", &[name.into()])?;
            result(found, "findBox")?.as_u64()?
        }
    };
    let info = emulator.call(&[], "boxInfo", &[id.into()])?;
    if info.state == VmState::Fault {
        bail!("there is no box \"{target}\" on the chain");
    }
    let info = info.result();
    let field = |at: usize| info.as_array().ok().and_then(|fields| fields.get(at));
    let owner = field(1).context("boxInfo gave no owner")?.as_hash160()?;
    if let Some(gate) = gate {
        replace(&emulator, id, &owner, &gate.script)?;
    }
    if content.is_some() {
        let script = field(4).context("boxInfo gave no gate")?.as_bytes()?;
        let own = Source { script, text: None };
        prepare(
            &emulator,
            id,
            &owner,
            args.verb,
            gate.unwrap_or(&own),
            content,
        )?;
    }
    Ok(Scene {
        emulator,
        id,
        owner,
        caller,
    })
}

/// A name that no box on the chain has.
fn free_name(emulator: &Emulator) -> Result<String> {
    for n in 0..100 {
        let name = format!("{BOX_NAME}_{n}");
        let found = emulator.call(&[], "findBox", &[name.as_str().into()])?;
        if result(found, "findBox")?.as_u64()? == 0 {
            return Ok(name);
        }
    }
    bail!("no name is free for a new box; name one that is there with --box")
}

/// A box of the account "owner", the only one whose public key is known here.
fn create_box(emulator: &Emulator, name: &str, gate: &[u8]) -> Result<u64> {
    let owner = account("owner");
    let params = [
        owner.hash.into(),
        name.into(),
        owner.public_key.into(),
        ContractParam::bytes(gate),
    ];
    Ok(must(emulator, &owner.hash, "createBox", &params)?.as_u64()?)
}

/// Puts a content into a box to be read, while everybody may write, and then the gate back.
fn prepare(
    emulator: &Emulator,
    id: u64,
    owner: &Hash160,
    verb: Verb,
    gate: &Source,
    content: Option<&Source>,
) -> Result<()> {
    if verb == Verb::Write {
        return Ok(());
    }
    replace(emulator, id, owner, &free_gate())?;
    let written = write(emulator, id, owner, content, 0)?;
    result(written, "writeContent")?;
    replace(emulator, id, owner, &gate.script)
}

fn replace(emulator: &Emulator, id: u64, owner: &Hash160, gate: &[u8]) -> Result<()> {
    let params = [id.into(), ContractParam::bytes(gate)];
    must(emulator, owner, "replaceGate", &params).map(drop)
}

fn write(
    emulator: &Emulator,
    id: u64,
    caller: &Hash160,
    content: Option<&Source>,
    max_payment: u64,
) -> Result<Outcome> {
    let script = match content {
        Some(content) => content.script.clone(),
        None => data_script(CONTENT)?,
    };
    let params = [
        (*caller).into(),
        id.into(),
        ContractParam::bytes(script),
        max_payment.into(),
    ];
    Ok(emulator.call(&[Signer::new(*caller)], "writeContent", &params)?)
}

/// The call that is looked at.
fn ask(scene: &Scene, verb: Verb, content: Option<&Source>, max_payment: u64) -> Result<Outcome> {
    let Scene {
        emulator,
        id,
        caller,
        ..
    } = scene;
    let signers = [Signer::new(*caller)];
    match verb {
        Verb::Write => write(emulator, *id, caller, content, max_payment),
        Verb::Read => {
            let count = emulator.call(&[], "contentCount", &[(*id).into()])?;
            let count = result(count, "contentCount")?.as_u64()?;
            let Some(newest) = count.checked_sub(1) else {
                bail!("box {id} has no content to read; give one with --content");
            };
            let params = [
                (*caller).into(),
                (*id).into(),
                newest.into(),
                max_payment.into(),
            ];
            Ok(emulator.call(&signers, "readContentAt", &params)?)
        }
        Verb::Inspect => {
            let params = [(*caller).into(), (*id).into()];
            Ok(emulator.call(&signers, "inspectContent", &params)?)
        }
    }
}

/// A call that sets the scene and has to work.
fn must(
    emulator: &Emulator,
    signer: &Hash160,
    method: &str,
    params: &[ContractParam],
) -> Result<StackItem> {
    let outcome = emulator.call(&[Signer::new(*signer)], method, params)?;
    result(outcome, method)
}

fn result(outcome: Outcome, method: &str) -> Result<StackItem> {
    if let Some(why) = &outcome.exception {
        bail!("{method}: {why}");
    }
    Ok(outcome.result())
}
