//! Boxes: what they are, what lies in them, writing, another gate.

use axum::Json;
use axum::extract::{Path, State};
use phantasma_sdk::boxes;
use phantasma_sdk::contract::BoxInfo;
use phantasma_sdk::{amount, view};
use phantasma_vm::{data_script, disassemble, explain_content, explain_gate, script_data};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;
use crate::input::{Asked, Input, Script, address, soul};

/// Contents that one answer shows; each is a call to the Neo node.
const MAX_ENTRIES: u64 = 100;
/// Contents that are shown when nobody says how many.
const ENTRIES: u64 = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Whose {
    owner: Option<String>,
}

/// The boxes of an account, the daemon's own if none is named.
pub(crate) async fn list(
    State(app): State<App>,
    Asked(whose): Asked<Whose>,
) -> Result<Json<Value>, ApiError> {
    let owner = match whose.owner.as_deref() {
        Some(text) => address(text)?,
        None => app.account.script_hash,
    };
    let all = boxes::list(&app.contract, &owner).await?;
    let all: Vec<Value> = all.iter().map(view::box_info).collect();
    Ok(Json(json!({"address": owner.to_address(), "boxes": all})))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewBox {
    name: String,
    gate: Script,
}

/// Makes a box of the daemon's account.
pub(crate) async fn create(
    State(app): State<App>,
    Input(new): Input<NewBox>,
) -> Result<Json<Value>, ApiError> {
    let gate = new.gate.checked()?;
    let made = app.contract.create_box(&app.account, &new.name, &gate);
    let (id, receipt) = made
        .await
        .map_err(|error| ApiError::from(error).plainly(app.plain))?;
    let mut data = view::receipt(&receipt);
    view::extend(&mut data, json!({"box": id, "name": new.name}));
    Ok(Json(data))
}

/// A box with its gate in English and in assembler.
pub(crate) async fn show(
    State(app): State<App>,
    Path(target): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let info = find(&app, &target).await?;
    let mut data = view::box_info(&info);
    let told = explain_gate(&info.gate).ok();
    let explanation = told.map(|told| told.to_string());
    let balance = app.contract.box_balance(info.id).await?;
    let more = json!({
        "assembler": disassemble(&info.gate).ok(),
        "explanation": explanation,
        "balance": amount::soul(balance),
        "own": info.owner == app.account.script_hash,
    });
    view::extend(&mut data, more);
    Ok(Json(data))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewGate {
    gate: Script,
}

/// Gives one of the account's boxes another gate.
pub(crate) async fn replace_gate(
    State(app): State<App>,
    Path(target): Path<String>,
    Input(new): Input<NewGate>,
) -> Result<Json<Value>, ApiError> {
    let gate = new.gate.checked()?;
    let info = find(&app, &target).await?;
    let replaced = app.contract.replace_gate(&app.account, info.id, &gate);
    let receipt = replaced
        .await
        .map_err(|error| ApiError::from(error).plainly(app.plain))?;
    let mut data = view::receipt(&receipt);
    view::extend(&mut data, json!({"box": info.id}));
    Ok(Json(data))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Page {
    /// The newest ones if absent.
    from: Option<u64>,
    count: Option<u64>,
}

/// Contents as they lie in the box, oldest first: the chain is public, no gate is asked.
pub(crate) async fn entries(
    State(app): State<App>,
    Path(target): Path<String>,
    Asked(page): Asked<Page>,
) -> Result<Json<Value>, ApiError> {
    let info = find(&app, &target).await?;
    let count = page.count.unwrap_or(ENTRIES).min(MAX_ENTRIES);
    let from = page
        .from
        .unwrap_or_else(|| info.content_count.saturating_sub(count));
    let found = boxes::read_range(&app.contract, info.id, from, count).await?;
    let entries: Vec<Value> = found
        .iter()
        .map(|entry| {
            let plain = script_data(&entry.script);
            json!({
                "index": entry.index,
                "script": hex::encode(&entry.script),
                "value": plain.map(|data| view::data(data).0),
            })
        })
        .collect();
    Ok(Json(
        json!({"box": info.id, "contents": info.content_count, "entries": entries}),
    ))
}

/// Reads one content through the gate, as the daemon's account; nothing is paid or changed.
pub(crate) async fn read(
    State(app): State<App>,
    Path((target, index)): Path<(String, u64)>,
) -> Result<Json<Value>, ApiError> {
    let info = find(&app, &target).await?;
    if index >= info.content_count {
        let text = format!("box {} has {} contents", info.id, info.content_count);
        return Err(ApiError::absent(text));
    }
    let caller = app.account.script_hash;
    let item = app.contract.read_content_at(&caller, info.id, index, 0);
    let item = item
        .await
        .map_err(|error| ApiError::from(error).plainly(app.plain))?;
    let script = app.contract.content_at(info.id, index).await?;
    let told = explain_content(&script).ok().map(|told| told.to_string());
    Ok(Json(json!({
        "box": info.id,
        "index": index,
        "value": view::value(&item).0,
        "explanation": told,
    })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewContent {
    /// Plain text; or
    text: Option<String>,
    /// plain bytes; or
    hex: Option<String>,
    /// a script.
    script: Option<Script>,
    max_payment: Option<String>,
}

/// Writes a content into a box.
pub(crate) async fn write(
    State(app): State<App>,
    Path(target): Path<String>,
    Input(new): Input<NewContent>,
) -> Result<Json<Value>, ApiError> {
    let script = match (&new.text, &new.hex, &new.script) {
        (Some(text), None, None) => data_script(text.as_bytes())?,
        (None, Some(digits), None) => {
            let bytes = hex::decode(digits).map_err(|_| ApiError::bad("`hex` is not hex"))?;
            data_script(&bytes)?
        }
        (None, None, Some(script)) => script.checked()?,
        _ => {
            return Err(ApiError::bad(
                "a content is exactly one of `text`, `hex` and `script`",
            ));
        }
    };
    let most = new
        .max_payment
        .as_deref()
        .map(soul)
        .transpose()?
        .unwrap_or(0);
    let info = find(&app, &target).await?;
    let written = app
        .contract
        .write_content(&app.account, info.id, &script, most);
    let (index, receipt) = written
        .await
        .map_err(|error| ApiError::from(error).plainly(app.plain))?;
    let mut data = view::receipt(&receipt);
    view::extend(&mut data, json!({"box": info.id, "index": index}));
    Ok(Json(data))
}

/// A box by name or number.
pub(crate) async fn find(app: &App, target: &str) -> Result<BoxInfo, ApiError> {
    let absent = || ApiError::absent(format!("there is no box \"{target}\""));
    let id = boxes::find(&app.contract, target)
        .await?
        .ok_or_else(absent)?;
    app.contract.box_info(id).await?.ok_or_else(absent)
}
