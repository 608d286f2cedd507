//! Gates before they are on the chain: assembled, explained, priced, stepped through. Nothing here sends anything.

use axum::Json;
use axum::extract::State;
use phantasma_sdk::emulator::Snapshot;
use phantasma_sdk::estimate::{Access, Question, Subject};
use phantasma_sdk::neo::Hash160;
use phantasma_sdk::scene::{Scene, Trial, Verb};
use phantasma_sdk::view;
use phantasma_vm::{Gate, disassemble, explain_content, explain_gate, steps, validate};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::boxes;
use crate::error::ApiError;
use crate::input::{Input, Script, address, soul};

/// What is written or read when nothing else is given: a script that leaves true.
const CONTENT: &[u8] = &[0x08];

/// SOUL of the ready gates' prices, in smallest units: 1 SOUL.
const PRICE: u64 = 1_0000_0000;
/// 30 days, in seconds.
const PERIOD: u64 = 30 * 86_400;

/// Gates to begin with.
pub(crate) async fn ready() -> Result<Json<Value>, ApiError> {
    let all = [
        ("Everybody", Gate::Free),
        ("Only the owner", Gate::Owner),
        ("Everybody reads, the owner writes", Gate::owner_writes()),
        ("Members", Gate::members()),
        ("Pay once, then a member", Gate::pay_once(PRICE)),
        ("A subscription", Gate::subscription(PRICE, PERIOD)),
        ("Each read costs", Gate::priced_read(PRICE)),
        ("Each write costs", Gate::priced_write(PRICE)),
    ];
    let mut gates = Vec::new();
    for (name, gate) in all {
        let script = gate.script().map_err(ApiError::internal)?;
        let text = disassemble(&script).map_err(ApiError::internal)?;
        gates.push(json!({
            "name": name,
            "text": text,
            "hex": hex::encode(&script),
            "explanation": explain_gate(&script)?.to_string(),
        }));
    }
    Ok(Json(json!({"gates": gates})))
}

/// Text to a script; what the contract thinks of it, too.
pub(crate) async fn assemble_text(Input(given): Input<Script>) -> Result<Json<Value>, ApiError> {
    let script = given.bytes()?;
    Ok(Json(json!({
        "script": hex::encode(&script),
        "bytes": script.len(),
        "assembler": disassemble(&script).ok(),
        "refusal": validate(&script).err().map(|error| error.to_string()),
        "listing": listing(&script),
    })))
}

/// Each instruction with its place, as the disassembler writes it.
fn listing(script: &[u8]) -> Vec<Value> {
    let text = disassemble(script).unwrap_or_default();
    let lines = text.lines().filter(|line| line.starts_with(' '));
    let places = steps(script).map_while(Result::ok);
    let rows = places.zip(lines);
    rows.map(|(step, line)| json!({"position": step.position, "text": line.trim()}))
        .collect()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Explained {
    script: Script,
    /// It is a content, not a gate.
    #[serde(default)]
    content: bool,
}

/// A script in English.
pub(crate) async fn explain(Input(given): Input<Explained>) -> Result<Json<Value>, ApiError> {
    let script = given.script.bytes()?;
    let told = apart(move || {
        let told = match given.content {
            true => explain_content(&script),
            false => explain_gate(&script),
        }?;
        let explanation = told.to_string();
        Ok(json!({
            "script": hex::encode(&script),
            "bytes": script.len(),
            "explanation": explanation.trim_end(),
            "can_fail": told.can_fail,
            "listing": listing(&script),
        }))
    });
    Ok(Json(told.await?))
}

/// What the caller does, as the API names it.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Doing {
    #[default]
    Write,
    Read,
    Inspect,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Priced {
    gate: Option<Script>,
    #[serde(rename = "box")]
    target: Option<String>,
    #[serde(default, rename = "as")]
    doing: Doing,
    content: Option<Script>,
    caller: Option<String>,
    max_payment: Option<String>,
}

/// What an access takes at most, at the chain's fees of now.
pub(crate) async fn estimate(
    State(app): State<App>,
    Input(given): Input<Priced>,
) -> Result<Json<Value>, ApiError> {
    let content = given.content.as_ref().map(Script::checked).transpose()?;
    let limit = given.max_payment.as_deref().map(soul).transpose()?;
    let written = content.clone().unwrap_or_else(|| CONTENT.to_vec());
    let subject = match (&given.gate, &given.target) {
        (Some(gate), None) => Subject::Scripts {
            gate: gate.checked()?,
            content: Some(written.clone()),
        },
        (None, Some(target)) => Subject::Box(boxes::find(&app, target).await?.id),
        (Some(_), Some(_)) | (None, None) => {
            return Err(ApiError::bad("give either `gate` or `box`"));
        }
    };
    let question = Question {
        subject,
        access: match given.doing {
            Doing::Write => Access::Write(written),
            Doing::Read => Access::ReadAt(None),
            Doing::Inspect => Access::Inspect,
        },
        caller: given.caller.as_deref().map(address).transpose()?,
        max_payment: limit.unwrap_or(u64::MAX),
        follow: true,
    };
    let estimate = app.contract.estimate(&question).await?;
    Ok(Json(view::estimate(&estimate, limit)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Debugged {
    gate: Option<Script>,
    #[serde(default, rename = "as")]
    doing: Doing,
    /// An address, or `me`.
    caller: Option<String>,
    /// An address, or `me`.
    owner: Option<String>,
    content: Option<Script>,
    #[serde(rename = "box")]
    target: Option<String>,
    #[serde(default)]
    live: bool,
    max_payment: Option<String>,
    /// Seconds since 1970.
    time_s: Option<i64>,
}

/// Runs an access natively and gives every step of it.
pub(crate) async fn debug(
    State(app): State<App>,
    Input(given): Input<Debugged>,
) -> Result<Json<Value>, ApiError> {
    let account = |text: &Option<String>| -> Result<Option<Hash160>, ApiError> {
        match text.as_deref() {
            None => Ok(None),
            Some("me") => Ok(Some(app.account.script_hash)),
            Some(text) => address(text).map(Some),
        }
    };
    let late = || ApiError::bad("`time_s` is too much");
    let trial = Trial {
        verb: match given.doing {
            Doing::Write => Verb::Write,
            Doing::Read => Verb::Read,
            Doing::Inspect => Verb::Inspect,
        },
        caller: account(&given.caller)?,
        owner: account(&given.owner)?,
        gate: given.gate.as_ref().map(Script::checked).transpose()?,
        content: given.content.as_ref().map(Script::checked).transpose()?,
        target: given.target,
        max_payment: given
            .max_payment
            .as_deref()
            .map(soul)
            .transpose()?
            .unwrap_or(0),
        time_ms: match given.time_s {
            Some(seconds) => Some(seconds.checked_mul(1000).ok_or_else(late)?),
            None => None,
        },
    };
    let snapshot = match given.live {
        true => {
            let latest = Snapshot::latest(app.contract.rpc(), &app.contract.hash()).await;
            Some(latest.map_err(|error| ApiError::away(error.to_string()))?)
        }
        false => None,
    };
    let params = app.debug_params.clone();
    let record = apart(move || {
        let scene = match &snapshot {
            Some(snapshot) => Scene::live(snapshot, &trial)?,
            None => Scene::fresh(&params, &trial)?,
        };
        let outcome = scene.ask(&trial)?;
        let debugger = outcome
            .debugger()
            .with_account_names(|account| Hash160(*account).to_address());
        let mut record = view::recording(&debugger);
        let listings = debugger.recording().runs.iter();
        let listings: Vec<_> = listings.map(|run| listing(run.script.as_slice())).collect();
        let facts = json!({
            "box": scene.id,
            "owner": scene.owner.to_address(),
            "caller": scene.caller.to_address(),
            "time_ms": outcome.time_ms,
            "listings": listings,
        });
        view::extend(&mut record, facts);
        Ok(record)
    });
    Ok(Json(record.await?))
}

/// Work that would hold up other requests, on a thread for such. Its value must be plain data: what the emulator makes
/// stays on its thread.
async fn apart(
    work: impl FnOnce() -> Result<Value, ApiError> + Send + 'static,
) -> Result<Value, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(ApiError::internal)?
}
