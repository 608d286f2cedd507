//! What happens, as it happens: the chain's events and this daemon's own, to whoever listens (server-sent events).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event as SentEvent, KeepAlive};
use futures_util::{Stream, stream};
use phantasma_sdk::contract::ContractEvent;
use phantasma_sdk::neo::{Event as ChainEvent, Filter, Notification, Subscription};
use phantasma_sdk::proofs::ProofsEvent;
use phantasma_sdk::{amount, view};
use serde_json::{Value, json};
use tokio::sync::broadcast::error::RecvError;

use crate::app::App;

/// Events that a slow listener may be behind: a block's worth. Then it is told `missed`, and asks anew.
pub(crate) const BEHIND: usize = 1024;

/// Until the node is asked again after it was away.
const AGAIN: Duration = Duration::from_secs(3);

/// Something that happened.
#[derive(Clone, Debug)]
pub(crate) struct Happened {
    /// `block`, `box`, `content`, `soul`, `proof`, `node`, `reward`, `upload`, `health` or `missed`.
    pub(crate) kind: &'static str,
    pub(crate) data: Value,
}

/// `GET /api/events`.
pub(crate) async fn listen(
    State(app): State<App>,
) -> Sse<impl Stream<Item = Result<SentEvent, Infallible>>> {
    let receiver = app.events.subscribe();
    let guard = app.metrics.listener();
    let stop = app.stop.clone();
    let all = stream::unfold((receiver, guard), move |(mut receiver, guard)| {
        let stop = stop.clone();
        async move {
            let received = tokio::select! {
                received = receiver.recv() => received,
                () = stop.cancelled() => return None,
            };
            let happened = match received {
                Ok(happened) => happened,
                Err(RecvError::Lagged(count)) => Happened {
                    kind: "missed",
                    data: json!({"events": count}),
                },
                Err(RecvError::Closed) => return None,
            };
            guard.sent();
            let event = SentEvent::default()
                .event(happened.kind)
                .data(happened.data.to_string());
            Some((Ok(event), (receiver, guard)))
        }
    });
    Sse::new(all).keep_alive(KeepAlive::default())
}

/// Follows the chain until the daemon stops.
pub(crate) async fn follow(app: App) {
    loop {
        let ended = tokio::select! {
            ended = follow_once(&app) => ended,
            () = app.stop.cancelled() => return,
        };
        tracing::warn!(reason = %ended, "the chain's events have ended; asking again");
        app.chain_is(Err(ended));
        tokio::select! {
            () = tokio::time::sleep(AGAIN) => {}
            () = app.stop.cancelled() => return,
        }
    }
}

/// Gives why it ended.
async fn follow_once(app: &App) -> String {
    let filters = [
        Filter::Blocks,
        Filter::contract(app.contract.hash()),
        Filter::contract(app.proofs.hash()),
    ];
    let mut subscription = match Subscription::open(app.contract.rpc().url(), &filters).await {
        Ok(subscription) => subscription,
        Err(error) => return error.to_string(),
    };
    if let Ok(count) = app.contract.rpc().get_block_count().await {
        app.chain_is(Ok(count.saturating_sub(1)));
    }
    loop {
        match subscription.next().await {
            Ok(ChainEvent::Block(header)) => {
                app.chain_is(Ok(header.index));
                app.tell(
                    "block",
                    json!({"index": header.index, "time_ms": header.time_ms}),
                );
            }
            Ok(ChainEvent::Notification { notification, .. }) => told(app, &notification),
            Ok(ChainEvent::Missed) => app.tell("missed", json!({"events": null})),
            Ok(ChainEvent::Execution(_)) => {}
            Err(error) => return error.to_string(),
        }
    }
}

fn told(app: &App, notification: &Notification) {
    if let Some(event) = ContractEvent::parse(&app.contract.hash(), notification) {
        let (kind, data) = of_contract(&event);
        app.tell(kind, data);
    }
    if let Some(event) = ProofsEvent::parse(&app.proofs.hash(), notification) {
        let (kind, data) = of_proofs(&event);
        if kind == "proof" {
            app.look_again.notify_one();
        }
        app.tell(kind, data);
    }
}

fn of_contract(event: &ContractEvent) -> (&'static str, Value) {
    let shown = |account: &Option<phantasma_sdk::neo::Hash160>| {
        account
            .as_ref()
            .map(phantasma_sdk::neo::Hash160::to_address)
    };
    match event {
        ContractEvent::Transfer { from, to, amount } => (
            "soul",
            json!({"from": shown(from), "to": shown(to), "amount": amount::soul(*amount)}),
        ),
        ContractEvent::BoxCreated {
            box_id,
            owner,
            name,
        } => (
            "box",
            json!({"what": "created", "box": box_id, "owner": owner.to_address(), "name": name}),
        ),
        ContractEvent::ContentWritten {
            box_id,
            index,
            author,
        } => (
            "box",
            json!({"what": "written", "box": box_id, "index": index, "author": author.to_address()}),
        ),
        ContractEvent::ContentRemoved { box_id, index } => (
            "box",
            json!({"what": "removed", "box": box_id, "index": index}),
        ),
        ContractEvent::GateReplaced { box_id } => ("box", json!({"what": "gate", "box": box_id})),
        ContractEvent::Membership {
            box_id,
            account,
            included,
        } => (
            "box",
            json!({"what": "member", "box": box_id, "account": account.to_address(), "included": included}),
        ),
        ContractEvent::BoxBalance { box_id, balance } => (
            "box",
            json!({"what": "balance", "box": box_id, "balance": amount::soul(*balance)}),
        ),
        ContractEvent::ContentCreated {
            root,
            owner,
            size,
            expiry_ms,
        } => (
            "content",
            json!({"root": hex::encode(root), "owner": owner.to_address(), "size": size, "expiry_ms": expiry_ms}),
        ),
    }
}

fn of_proofs(event: &ProofsEvent) -> (&'static str, Value) {
    match event {
        ProofsEvent::NodeRegistered {
            account,
            number,
            endpoints,
        } => (
            "node",
            json!({"what": "registered", "address": account.to_address(), "number": number, "endpoints": endpoints}),
        ),
        ProofsEvent::NodeLeft { account, number } => (
            "node",
            json!({"what": "left", "address": account.to_address(), "number": number}),
        ),
        ProofsEvent::Reputation {
            account,
            reputation,
            average,
        } => (
            "node",
            json!({
                "what": "reputation",
                "address": account.to_address(),
                "reputation": amount::reputation(*reputation),
                "average_reputation": amount::reputation(*average),
            }),
        ),
        ProofsEvent::ContentOffered {
            prover,
            content,
            offered,
        } => (
            "proof",
            json!({"what": if *offered { "offered" } else { "retracted" }, "root": hex::encode(content), "prover": prover.to_address()}),
        ),
        ProofsEvent::ProofStarted {
            validator,
            prover,
            content,
            ..
        } => ("proof", proof("started", validator, prover, content)),
        ProofsEvent::ProofShown {
            validator,
            prover,
            content,
            ..
        } => ("proof", proof("shown", validator, prover, content)),
        ProofsEvent::ProofAccepted {
            validator,
            prover,
            content,
        } => ("proof", proof("accepted", validator, prover, content)),
        ProofsEvent::ProofFailed {
            validator,
            prover,
            content,
        } => ("proof", proof("failed", validator, prover, content)),
        ProofsEvent::RoundClosed {
            round, pot, draw, ..
        } => (
            "reward",
            json!({"what": "closed", "round": round, "pot": amount::soul(*pot), "draw": draw}),
        ),
        ProofsEvent::RewardsPaid {
            round,
            validator,
            prover,
            amount,
        } => {
            let mut data = json!({"what": "paid", "round": round, "amount": amount::soul(*amount)});
            let winners =
                json!({"validator": validator.to_address(), "prover": prover.to_address()});
            view::extend(&mut data, winners);
            ("reward", data)
        }
    }
}

fn proof(
    what: &str,
    validator: &phantasma_sdk::neo::Hash160,
    prover: &phantasma_sdk::neo::Hash160,
    root: &[u8; 32],
) -> Value {
    json!({
        "what": what,
        "root": hex::encode(root),
        "validator": validator.to_address(),
        "prover": prover.to_address(),
    })
}
