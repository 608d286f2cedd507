//! Stored contents: those that the account has keys of, with what the chain and the shelf know.

use axum::Json;
use axum::extract::{Path, State};
use phantasma_sdk::contract::ContentInfo;
use phantasma_sdk::view;
use serde_json::{Value, json};

use crate::app::{App, lock};
use crate::error::ApiError;
use crate::input::root;

/// Contents that are listed.
const MAX_CONTENTS: usize = 1000;

/// All contents that this account can read, the newest first.
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let mut contents = Vec::new();
    let roots = app.roots()?;
    for root in roots.iter().take(MAX_CONTENTS) {
        // A key whose content never came onto the chain, or is forgotten there.
        let Some(info) = app.contract.content_info(root).await? else {
            continue;
        };
        contents.push((info.created_ms, described(&app, &info)));
    }
    contents.sort_by_key(|(created_ms, _)| std::cmp::Reverse(*created_ms));
    let contents: Vec<Value> = contents.into_iter().map(|(_, data)| data).collect();
    Ok(Json(json!({"contents": contents, "keys": roots.len()})))
}

/// One content.
pub(crate) async fn show(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let info = known(&app, &root(&text)?).await?;
    Ok(Json(described(&app, &info)))
}

fn described(app: &App, info: &ContentInfo) -> Value {
    let mut data = view::content_info(info);
    let shelf = lock(&app.shelf);
    let label = shelf.get(&info.root);
    let more = json!({
        "name": label.map(|label| &label.name),
        "type": label.map(|label| &label.media_type),
        "replicas": label.map(|label| label.replicas),
        "health": lock(&app.history).last(&info.root),
    });
    view::extend(&mut data, more);
    data
}

/// What the chain knows of a content.
pub(crate) async fn known(app: &App, root: &[u8; 32]) -> Result<ContentInfo, ApiError> {
    let info = app.contract.content_info(root).await?;
    info.ok_or_else(|| {
        ApiError::absent(format!("content {} is not on the chain", hex::encode(root)))
    })
}
