//! Storage nodes: who is registered, who answers, who knows whom; and their rewards.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use futures_util::future::join_all;
use phantasma_sdk::neo::PublicKey;
use phantasma_sdk::pdfs::NodeAddress;
use phantasma_sdk::{amount, view};
use serde_json::{Value, json};

use crate::app::App;
use crate::error::ApiError;

/// Nodes that are asked and shown.
const MAX_NODES: usize = 128;

/// A node that does not answer by then is shown as silent.
const PATIENCE: Duration = Duration::from_secs(4);

/// A node as it is found on the network.
struct Met {
    address: NodeAddress,
    /// How long its answer took, ms; None when it is silent.
    answer_ms: Option<u64>,
    /// Keys of the nodes that it names.
    knows: Vec<[u8; 33]>,
}

/// All nodes that are registered, named by the user, or named by those.
pub(crate) async fn list(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let average = app.proofs.average_reputation().await?;
    let mut registered = BTreeMap::new();
    for entry in app.proofs.nodes().await?.into_iter().take(MAX_NODES) {
        if let Some(info) = app.proofs.node_info(&entry.account).await? {
            registered.insert(entry.public_key.0, info);
        }
    }
    let mut known: BTreeMap<[u8; 33], NodeAddress> = BTreeMap::new();
    for info in registered.values() {
        let address = NodeAddress {
            public_key: info.public_key.0,
            address: info.endpoints.clone(),
        };
        known.insert(address.public_key, address);
    }
    // The user's own word on an address goes before the register's.
    known.extend(app.nodes.iter().map(|node| (node.public_key, node.clone())));
    let met = meet(&app, known).await;
    let nodes: Vec<Value> = met
        .values()
        .map(|met| {
            let key = met.address.public_key;
            let knows = met.knows.iter().filter(|other| **other != key);
            let mut data = match registered.get(&key) {
                Some(info) => view::node(info, average),
                None => json!({
                    "address": PublicKey(key).script_hash().to_address(),
                    "public_key": hex::encode(key),
                    "role": "observer",
                }),
            };
            let more = json!({
                "registered": registered.contains_key(&key),
                "named": app.nodes.iter().any(|node| node.public_key == key),
                "at": met.address.address,
                "answer_ms": met.answer_ms,
                "knows": knows.map(hex::encode).collect::<Vec<_>>(),
            });
            view::extend(&mut data, more);
            data
        })
        .collect();
    Ok(Json(json!({
        "average_reputation": amount::reputation(average),
        "registered": registered.len(),
        "nodes": nodes,
    })))
}

/// Asks all of them, and then those that they name.
async fn meet(app: &App, known: BTreeMap<[u8; 33], NodeAddress>) -> BTreeMap<[u8; 33], Met> {
    let mut met = BTreeMap::new();
    let mut asked: BTreeSet<[u8; 33]> = BTreeSet::new();
    let mut next: Vec<NodeAddress> = known.into_values().collect();
    // The second round asks whom the first one names; a third would go over the whole network.
    for _ in 0..2 {
        next.retain(|node| asked.insert(node.public_key));
        next.truncate(MAX_NODES.saturating_sub(met.len()));
        let answers = join_all(next.iter().map(|node| ask(app, node))).await;
        next.clear();
        for (one, named) in answers {
            met.insert(one.address.public_key, one);
            next.extend(named);
        }
    }
    met
}

async fn ask(app: &App, node: &NodeAddress) -> (Met, Vec<NodeAddress>) {
    let started = Instant::now();
    let answer = tokio::time::timeout(PATIENCE, app.client.join(node, None)).await;
    let (answer_ms, named) = match answer {
        Ok(Ok(named)) => {
            let took = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
            (Some(took), named)
        }
        Ok(Err(error)) => {
            tracing::debug!(%error, "a node does not answer");
            (None, Vec::new())
        }
        Err(_) => (None, Vec::new()),
    };
    let knows = named.iter().map(|node| node.public_key).collect();
    let met = Met {
        address: node.clone(),
        answer_ms,
        knows,
    };
    (met, named)
}

/// Nodes to put contents on and look for them: those that the user named, else those of the register.
pub(crate) async fn places(app: &App) -> Result<Vec<NodeAddress>, ApiError> {
    if !app.nodes.is_empty() {
        return Ok(app.nodes.clone());
    }
    let entries = app.proofs.nodes().await?;
    let places = entries.into_iter().take(MAX_NODES);
    Ok(places
        .map(|entry| NodeAddress {
            public_key: entry.public_key.0,
            address: entry.endpoints,
        })
        .collect())
}

/// Where the rewards stand, and what is in the pool.
pub(crate) async fn rewards(State(app): State<App>) -> Result<Json<Value>, ApiError> {
    let (info, settings) = (
        app.proofs.reward_info().await?,
        app.proofs.settings().await?,
    );
    let mut data = view::rewards(&info, &settings);
    let own = app.proofs.node_info(&app.account.script_hash).await?;
    let more = json!({
        "pool": amount::soul(app.contract.pool_balance().await?),
        "pot_share_percent": settings.pot_share_percent,
        "own_number": own.map(|node| node.number),
    });
    view::extend(&mut data, more);
    Ok(Json(data))
}
