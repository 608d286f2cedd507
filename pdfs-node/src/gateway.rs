//! HTTP for programs that do not speak QUIC (RFC 9110): `GET` and `HEAD /content/{root}`, whole or by one `Range`.
//!
//! Blocks that this node does not hold are fetched from those who do, verified, and given on; only the blocks of the range
//! that was asked for are touched. What is given without a key is ciphertext, as public as what the data plane gives; only
//! key holders can read it. With the content's key in `Phantasma-Key` the plain bytes are given, to those alone who show
//! the operator's token: whoever runs this node then sees the key. The same two headers make a link, `/plain/{link}`, for
//! programs that send none. A content never changes under its root, so that answers may be kept for ever.

mod blocks;
mod links;
mod metrics;
mod reading;

use std::sync::Arc;

use axum::{
    Json, Router,
    body::Body,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, response::Builder},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use phantasma_net::http::{AskedRange, same_secret};
use phantasma_sdk::{content::ContentKey, pdfs::Client};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::{state::State, store::ContentRoot};
use blocks::{Blocks, Failure};
use links::{LIVES, Link, Links};
use reading::{AHEAD_OF_ALL, Reading};

pub(crate) use metrics::GatewayMetrics;

/// The content's key, 64 hex digits.
const KEY: HeaderName = HeaderName::from_static("phantasma-key");

/// A year, the longest that caches understand; a root's bytes never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Plain bytes are nobody else's: not for shared caches.
const MINE: &str = "private, max-age=31536000, immutable";

/// Bodies that are given at the same time. Each has a block in its hands and perhaps two in the socket's.
const MAX_ANSWERS: usize = 128;

/// What the routes are, for programs.
const OPENAPI: &str = include_str!("../../docs/openapi/storage-node.yaml");

/// What the gateway works on.
#[derive(Clone)]
struct Gateway {
    blocks: Arc<Blocks>,
    links: Arc<Links>,
    ahead: Arc<Semaphore>,
    places: Arc<Semaphore>,
    /// Who shows it may have plain bytes; without one nobody may.
    token: Option<Arc<str>>,
}

#[derive(Debug, Default, Deserialize)]
struct Wishes {
    /// Content type of the plain bytes.
    #[serde(rename = "type")]
    content_type: Option<String>,
}

/// What a request for bytes is about, however it named it.
struct Order {
    root: ContentRoot,
    key: Option<ContentKey>,
    content_type: Option<String>,
}

/// The answer to a wish for a link.
#[derive(Debug, Serialize)]
struct NewLink {
    path: String,
    seconds: u64,
}

/// The routes of the gateway. `client` fetches what this node does not hold.
pub(crate) fn routes(state: Arc<State>, client: Client, token: Option<String>) -> Router {
    let gateway = Gateway {
        blocks: Arc::new(Blocks::new(state, client)),
        links: Arc::default(),
        ahead: Arc::new(Semaphore::new(AHEAD_OF_ALL)),
        places: Arc::new(Semaphore::new(MAX_ANSWERS)),
        token: token.map(Arc::from),
    };
    Router::new()
        .route("/content/{root}", get(content))
        .route("/content/{root}/links", post(link))
        .route("/plain/{link}", get(linked))
        .with_state(gateway)
        .route(
            "/openapi.yaml",
            get(|| async { ([(header::CONTENT_TYPE, "application/yaml")], OPENAPI) }),
        )
}

async fn content(
    Extract(gateway): Extract<Gateway>,
    method: Method,
    Path(root): Path<String>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
) -> Response {
    let Some(root) = parse_root(&root) else {
        return not_a_root();
    };
    let key = match gateway.key(&headers) {
        Ok(key) => key,
        Err(refusal) => return *refusal,
    };
    let order = Order {
        root,
        key,
        content_type: wishes.content_type,
    };
    gateway.answer(order, &method, &headers).await
}

async fn linked(
    Extract(gateway): Extract<Gateway>,
    method: Method,
    Path(link): Path<String>,
    headers: HeaderMap,
) -> Response {
    let Some(link) = gateway.links.get(&link) else {
        return text(
            StatusCode::NOT_FOUND,
            "this link is not known, or its time is over",
        );
    };
    let order = Order {
        root: link.root,
        key: Some(link.key),
        content_type: link.content_type,
    };
    gateway.answer(order, &method, &headers).await
}

async fn link(
    Extract(gateway): Extract<Gateway>,
    Path(root): Path<String>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
) -> Response {
    let Some(root) = parse_root(&root) else {
        return not_a_root();
    };
    let key = match gateway.key(&headers) {
        Ok(Some(key)) => key,
        Ok(None) => {
            return text(
                StatusCode::BAD_REQUEST,
                "a link needs the header Phantasma-Key",
            );
        }
        Err(refusal) => return *refusal,
    };
    let id = gateway.links.add(Link {
        root,
        key,
        content_type: wishes.content_type,
    });
    let path = format!("/plain/{id}");
    let headers = [
        (header::LOCATION, path.clone()),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    let seconds = LIVES.as_secs();
    (
        StatusCode::CREATED,
        headers,
        Json(NewLink { path, seconds }),
    )
        .into_response()
}

impl Gateway {
    /// The key that the request brings, if it may.
    fn key(&self, headers: &HeaderMap) -> Result<Option<ContentKey>, Box<Response>> {
        let Some(given) = headers.get(KEY) else {
            return Ok(None);
        };
        let shown = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
        let allowed = self
            .token
            .as_deref()
            .zip(shown)
            .is_some_and(|(token, shown)| same_secret(token.as_bytes(), shown.as_bytes()));
        if !allowed {
            let why = "plain bytes are for those who show this node's token";
            let ask = [(header::WWW_AUTHENTICATE, "Bearer")];
            return Err(Box::new(
                (StatusCode::UNAUTHORIZED, ask, format!("{why}\n")).into_response(),
            ));
        }
        let key = given
            .to_str()
            .ok()
            .and_then(|t| ContentKey::from_hex(t).ok());
        let wrong = || text(StatusCode::BAD_REQUEST, "a content's key is 64 hex digits");
        key.map(Some).ok_or_else(|| Box::new(wrong()))
    }

    /// The answer, counted.
    async fn answer(&self, order: Order, method: &Method, headers: &HeaderMap) -> Response {
        let root = order.root;
        let response = self
            .bytes(order, method, headers)
            .await
            .unwrap_or_else(|error| failed(&error));
        let (status, range) = (response.status(), headers.get(header::RANGE));
        tracing::debug!(%root, %method, ?range, %status, "answered");
        self.blocks.metrics().answered(status.as_u16());
        response
    }

    async fn bytes(
        &self,
        order: Order,
        method: &Method,
        headers: &HeaderMap,
    ) -> Result<Response, Failure> {
        let Some(content) = self.blocks.content(order.root).await? else {
            return Ok(text(
                StatusCode::NOT_FOUND,
                "this content is neither here nor on the chain",
            ));
        };
        let etag = match order.key {
            Some(_) => format!("\"{}-plain\"", content.root),
            None => format!("\"{}\"", content.root),
        };
        let answer = described(&etag, order.key.is_some(), order.content_type.as_deref());
        if names(headers, &header::IF_NONE_MATCH, &etag) == Some(true) {
            return Ok(finish(
                answer.status(StatusCode::NOT_MODIFIED),
                Body::empty(),
            ));
        }
        // A Range is for the version that If-Range names; another version is given whole.
        let ranged = names(headers, &header::IF_RANGE, &etag) != Some(false);
        let asked = headers.get(header::RANGE).filter(|_| ranged);
        let (status, range) = match AskedRange::of(asked, content.size) {
            AskedRange::Whole => (StatusCode::OK, 0..content.size),
            AskedRange::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
            AskedRange::Outside => {
                let whole = [(header::CONTENT_RANGE, format!("bytes */{}", content.size))];
                return Ok((StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response());
            }
        };
        let mut answer = answer
            .status(status)
            .header(header::CONTENT_LENGTH, range.end - range.start);
        if status == StatusCode::PARTIAL_CONTENT {
            let part = format!("bytes {}-{}/{}", range.start, range.end - 1, content.size);
            answer = answer.header(header::CONTENT_RANGE, part);
        }
        if method == Method::HEAD {
            return Ok(finish(answer, Body::empty()));
        }
        let Ok(place) = self.places.clone().try_acquire_owned() else {
            let again = [(header::RETRY_AFTER, "1")];
            let why = "as many answers as this node gives at once are under way\n";
            return Ok((StatusCode::SERVICE_UNAVAILABLE, again, why).into_response());
        };
        let ahead = self.ahead.clone();
        let reading = Reading::new(self.blocks.clone(), content, order.key, range, ahead, place);
        Ok(finish(answer, Body::from_stream(reading.start().await?)))
    }
}

/// Headers that do not depend on the range.
fn described(etag: &str, plain: bool, content_type: Option<&str>) -> Builder {
    let usual = HeaderValue::from_static("application/octet-stream");
    let wished = content_type.filter(|_| plain);
    let content_type = wished.and_then(|wished| HeaderValue::from_str(wished).ok());
    Response::builder()
        .header(header::CONTENT_TYPE, content_type.unwrap_or(usual))
        // Whatever it is, a browser shall not take it for a page of this node's.
        .header(header::X_CONTENT_TYPE_OPTIONS, "nosniff")
        .header(header::CONTENT_SECURITY_POLICY, "sandbox")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::ETAG, etag)
        .header(header::CACHE_CONTROL, if plain { MINE } else { FOR_EVER })
        .header(header::VARY, KEY)
}

/// Whether a conditional header names this version; `None` without the header.
fn names(headers: &HeaderMap, name: &HeaderName, etag: &str) -> Option<bool> {
    let value = headers.get(name)?.to_str().unwrap_or_default();
    let weak = |tag: &str| tag.trim().trim_start_matches("W/") == etag;
    Some(value.trim() == "*" || value.split(',').any(weak))
}

fn finish(answer: Builder, body: Body) -> Response {
    answer
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

fn parse_root(text: &str) -> Option<ContentRoot> {
    let mut root = [0; 32];
    hex::decode_to_slice(text, &mut root).ok()?;
    Some(ContentRoot(root))
}

fn not_a_root() -> Response {
    text(StatusCode::BAD_REQUEST, "a content's id is 64 hex digits")
}

/// What the asker may know; the log has all of it.
fn failed(error: &Failure) -> Response {
    match error {
        Failure::Fetch(error) => {
            tracing::warn!(%error, "a content is not given");
            text(
                StatusCode::NOT_FOUND,
                "no node within reach gives these bytes",
            )
        }
        Failure::Chain(error) => {
            tracing::warn!(%error, "a content is not given");
            text(
                StatusCode::BAD_GATEWAY,
                "the chain cannot be asked for this content",
            )
        }
        Failure::Store(_) | Failure::Task(_) => {
            tracing::error!(%error, "a content is not given");
            text(StatusCode::INTERNAL_SERVER_ERROR, "the store failed")
        }
    }
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, format!("{text}\n")).into_response()
}
