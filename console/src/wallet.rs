//! The account, to look at only; the daemon's state; its tokens.

use std::sync::PoisonError;

use axum::extract::{Path, State};
use axum::{Extension, Json};
use phantasma_sdk::amount;
use phantasma_sdk::neo::{GAS, Hash160, NEO};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::{App, lock, now_ms};
use crate::error::ApiError;
use crate::input::{Input, Nothing};
use crate::tokens::{Scope, Token, TokenError};

/// How far back transfers are shown: 30 days.
const BACK_MS: u64 = 30 * 86_400_000;

/// Transfers that are shown, the newest ones.
const MAX_TRANSFERS: usize = 50;

/// What the daemon is: version, chain, account, and what the shown token is good for.
pub(crate) async fn status(
    State(app): State<App>,
    Extension(token): Extension<Token>,
) -> Result<Json<Value>, ApiError> {
    let settings = app.contract.settings().await?;
    let (height, error) = match lock(&app.chain).clone() {
        Ok(height) => (Some(height), None),
        Err(error) => (None, Some(error)),
    };
    Ok(Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "network": app.network,
        "rpc": app.contract.rpc().url(),
        "contract": app.contract.hash().to_string(),
        "proofs": app.proofs.hash().to_string(),
        "address": app.account.address,
        "height": height,
        "chain_error": error,
        "box_fee": amount::soul(settings.box_fee),
        "content_base_fee": amount::soul(settings.content_base_fee),
        "nodes": app.nodes.len(),
        "relay": app.relay.is_some(),
        "token": token.name,
        "scopes": token.scopes,
    })))
}

/// Address, key and balances. Sending is the command line's work.
pub(crate) async fn wallet(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (rpc, account) = (app.contract.rpc(), &app.account);
    let known: [(&str, Hash160, u32); 3] = [
        ("SOUL", app.contract.hash(), amount::DECIMALS),
        ("GAS", GAS, amount::DECIMALS),
        ("NEO", NEO, 0),
    ];
    let mut balance = serde_json::Map::new();
    for (name, token, decimals) in &known {
        let units = rpc.balance_of(token, &account.script_hash).await;
        let units = units.map_err(|error| ApiError::away(error.to_string()))?;
        balance.insert((*name).to_owned(), amount::show(&units, *decimals).into());
    }
    let from = now_ms().saturating_sub(BACK_MS);
    let moved = rpc.get_nep17_transfers(&account.script_hash, from, now_ms());
    // A node without that index is no reason to show nothing.
    let transfers = moved.await.ok().map(|moved| {
        let sent = moved.sent.into_iter().map(|t| (t, "sent"));
        let received = moved.received.into_iter().map(|t| (t, "received"));
        let mut all: Vec<_> = sent.chain(received).collect();
        all.sort_by_key(|(transfer, _)| std::cmp::Reverse(transfer.time_ms));
        let shown = all.iter().take(MAX_TRANSFERS).map(|(transfer, way)| {
            let token = known.iter().find(|(_, hash, _)| *hash == transfer.token);
            let decimals = token.map_or(0, |(_, _, decimals)| *decimals);
            json!({
                "way": way,
                "token": token.map_or_else(|| transfer.token.to_string(), |t| t.0.to_owned()),
                "amount": amount::show(&transfer.amount, decimals),
                "other": transfer.other,
                "time_ms": transfer.time_ms,
                "block": transfer.block_index,
                "transaction": transfer.txid.to_string(),
            })
        });
        shown.collect::<Vec<_>>()
    });
    Ok(Json(json!({
        "address": account.address,
        "public_key": account.key.public_key().to_string(),
        "balance": balance,
        "transfers": transfers,
    })))
}

fn shown(token: &Token) -> Value {
    json!({"name": token.name, "scopes": token.scopes})
}

/// Names and scopes; no secret is shown again.
pub(crate) async fn tokens(State(app): State<App>) -> Json<Value> {
    let tokens = app.tokens.read().unwrap_or_else(PoisonError::into_inner);
    let all: Vec<Value> = tokens.all().iter().map(shown).collect();
    Json(json!({"tokens": all}))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewToken {
    name: String,
    scopes: Vec<Scope>,
}

/// Makes a token; the answer is the only one that shows its secret.
pub(crate) async fn add_token(
    State(app): State<App>,
    Input(new): Input<NewToken>,
) -> Result<Json<Value>, ApiError> {
    let mut tokens = app.tokens.write().unwrap_or_else(PoisonError::into_inner);
    let token = tokens.add(&new.name, &new.scopes)?;
    let mut data = shown(&token);
    data["secret"] = token.secret.into();
    Ok(Json(data))
}

/// Makes a token worthless, at once.
pub(crate) async fn revoke_token(
    State(app): State<App>,
    Path(name): Path<String>,
    _: Nothing,
) -> Result<Json<Value>, ApiError> {
    let mut tokens = app.tokens.write().unwrap_or_else(PoisonError::into_inner);
    tokens.revoke(&name)?;
    Ok(Json(json!({"revoked": name})))
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match &error {
            TokenError::File { .. } | TokenError::Open { .. } | TokenError::Damaged { .. } => {
                Self::internal(error)
            }
            TokenError::Unknown(_) => Self::absent(error.to_string()),
            TokenError::Name | TokenError::Taken(_) | TokenError::NoScope | TokenError::Full => {
                Self::bad(error.to_string())
            }
        }
    }
}
