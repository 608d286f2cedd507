//! Single requests: publish a message, read what is kept.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{Outcome, RelayError};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{PATIENCE, Web};
use crate::dedup::{self, Refusal};

/// The longest message in Base64, and what JSON puts around it.
const MAX_BODY: usize = Message::MAX_LEN / 3 * 4 + 4096;

/// Kept messages in one answer: bytes of them, before Base64.
const PAGE: usize = 256 << 10;

/// From which position on.
#[derive(Debug, Deserialize)]
pub(super) struct History {
    from: Option<u64>,
}

/// A message in JSON.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Posted {
    message: String,
}

/// Publishes into the box of the path: the message has to be for it.
pub(super) async fn publish(
    State(web): State<Arc<Web>>,
    Path(box_id): Path<u64>,
    request: Request,
) -> Response {
    match receive(request).await {
        Ok(message) if message.body.box_id != box_id => {
            let text = format!(
                "the message is for box {}, not {box_id}",
                message.body.box_id
            );
            refused(&Refusal::new(RelayError::Protocol, text))
        }
        Ok(message) => take(&web, message).await,
        Err((status, refusal)) => told(status, &refusal),
    }
}

/// Publishes into whatever box the message is for.
pub(super) async fn publish_anywhere(State(web): State<Arc<Web>>, request: Request) -> Response {
    match receive(request).await {
        Ok(message) => take(&web, message).await,
        Err((status, refusal)) => told(status, &refusal),
    }
}

/// The kept messages of a box from a position on, and where to go on.
pub(super) async fn history(
    State(web): State<Arc<Web>>,
    Path(box_id): Path<u64>,
    Query(asked): Query<History>,
) -> Response {
    if let Err(refusal) = web.intake.check_box(box_id).await {
        return refused(&refusal);
    }
    let from = asked.from.unwrap_or(1).max(1);
    // Read before the log, so that nothing falls between this page and the next.
    let head = web.intake.log.head();
    let found = match web.intake.log.read(box_id, from, PAGE).await {
        Ok(found) => found,
        Err(error) => {
            tracing::error!(%error, box_id, "the log could not be read");
            let text = "the relay cannot read its log";
            return refused(&Refusal::new(RelayError::Internal, text));
        }
    };
    let next = found
        .last()
        .map_or(from.max(head + 1), |(last, _)| last + 1);
    let messages = found.into_iter().filter_map(|(position, bytes)| {
        let message = Message::decode(bytes).ok()?;
        Some(message_json(position, &message))
    });
    let messages: Vec<Value> = messages.collect();
    json_answer(StatusCode::OK, &json!({"messages": messages, "next": next}))
}

/// A message as JSON has it: its encoding in Base64, and its position at this relay unless it is not kept.
pub(super) fn message_json(position: u64, message: &Message) -> Value {
    // In front of it stands its length, which is nobody's business here.
    let encoded = message.encode();
    let bytes = encoded.get(4..).unwrap_or_default();
    match position {
        0 => json!({"message": STANDARD.encode(bytes)}),
        position => json!({"message": STANDARD.encode(bytes), "position": position}),
    }
}

async fn take(web: &Web, message: Message) -> Response {
    let verdict = match web.intake.accept(message).await {
        Ok(pending) => dedup::verdict(pending).await,
        Err(refusal) => Err(refusal),
    };
    match verdict {
        Ok(outcome) => json_answer(StatusCode::OK, &outcome_json(outcome)),
        Err(refusal) => refused(&refusal),
    }
}

fn outcome_json(outcome: Outcome) -> Value {
    match outcome {
        Outcome::Delivered { subscribers } => {
            json!({"outcome": "delivered", "subscribers": subscribers})
        }
        Outcome::Stored { position } => json!({"outcome": "stored", "position": position}),
        Outcome::OnChain { mut txid, index } => {
            // As Neo shows it.
            txid.reverse();
            let txid = format!("0x{}", hex::encode(txid));
            json!({"outcome": "on_chain", "txid": txid, "index": index})
        }
        Outcome::Subscribed { position } => json!({"outcome": "subscribed", "position": position}),
        Outcome::Unsubscribed => json!({"outcome": "unsubscribed"}),
    }
}

/// Reads the message out of a request, or says what is wrong with it.
async fn receive(request: Request) -> Result<Message, (StatusCode, Refusal)> {
    let wrong = |status, text: &str| Err((status, Refusal::new(RelayError::Protocol, text)));
    let is_json = is_json(request.headers());
    let body = match tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), MAX_BODY)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            let text = "the body is torn, or longer than any message";
            return wrong(StatusCode::PAYLOAD_TOO_LARGE, text);
        }
        Err(_) => return wrong(StatusCode::REQUEST_TIMEOUT, "the body did not come"),
    };
    let bytes = match is_json {
        false => body,
        true => match serde_json::from_slice::<Posted>(&body) {
            Ok(posted) => match STANDARD.decode(posted.message) {
                Ok(bytes) => Bytes::from(bytes),
                Err(error) => {
                    let text = format!("message is not Base64: {error}");
                    return wrong(StatusCode::BAD_REQUEST, &text);
                }
            },
            Err(error) => return wrong(StatusCode::BAD_REQUEST, &error.to_string()),
        },
    };
    decode(&bytes).map_err(|refusal| (StatusCode::BAD_REQUEST, refusal))
}

fn decode(bytes: &Bytes) -> Result<Message, Refusal> {
    let mut framed = BytesMut::with_capacity(4 + bytes.len());
    framed.put_u32_le(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
    framed.put_slice(bytes);
    Message::decode(framed.freeze())
        .map_err(|error| Refusal::new(RelayError::Protocol, error.to_string()))
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    kind.split(';').next().map(str::trim) == Some("application/json")
}

/// A refusal: the name for programs, the text for people.
pub(super) fn refused(refusal: &Refusal) -> Response {
    told(status(refusal.error), refusal)
}

fn told(status: StatusCode, refusal: &Refusal) -> Response {
    let told = json!({"error": refusal.error.name(), "text": refusal.text});
    json_answer(status, &told)
}

fn status(error: RelayError) -> StatusCode {
    match error {
        RelayError::Protocol | RelayError::WrongChain | RelayError::WrongTime => {
            StatusCode::BAD_REQUEST
        }
        RelayError::BadSignature | RelayError::NotAllowed => StatusCode::FORBIDDEN,
        RelayError::Payment => StatusCode::PAYMENT_REQUIRED,
        RelayError::UnknownBox => StatusCode::NOT_FOUND,
        RelayError::Duplicate => StatusCode::CONFLICT,
        RelayError::Fault => StatusCode::UNPROCESSABLE_ENTITY,
        RelayError::Limit | RelayError::TooSlow => StatusCode::TOO_MANY_REQUESTS,
        RelayError::Internal | RelayError::Closing => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, Body::from(value.to_string())).into_response()
}
