//! HTTP for programs that do not speak QUIC (RFC 9110): `GET` and `HEAD /content/{root}`, whole or by one `Range`.
//!
//! What is given without a key is ciphertext, as public as what the data plane gives; only key holders can read it. With
//! the content's key in `Phantasma-Key` the plain bytes are given, to those alone who show the operator's token: whoever
//! runs this node then sees the key. A content never changes under its root, so that answers may be kept for ever.

use std::{ops::Range, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, Query, State as Extract},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header, response::Builder},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::{Bytes, BytesMut};
use futures_util::stream;
use phantasma_net::http::{AskedRange, same_secret};
use phantasma_sdk::content::{ContentKey, apply_cipher};
use phantasma_wire::merkle::BLOCK_SIZE;
use serde::Deserialize;

use crate::store::{Content, ContentRoot, Store, StoreError};

const BLOCK: u64 = BLOCK_SIZE as u64;

/// The content's key, 64 hex digits.
const KEY: HeaderName = HeaderName::from_static("phantasma-key");

/// A year, the longest that caches understand; a root's bytes never change.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Plain bytes are nobody else's: not for shared caches.
const MINE: &str = "private, max-age=31536000, immutable";

/// What the routes are, for programs.
const OPENAPI: &str = include_str!("../../docs/openapi/storage-node.yaml");

/// What the gateway works on.
#[derive(Clone)]
struct Gateway {
    store: Arc<Store>,
    /// Who shows it may have plain bytes; without one nobody may.
    token: Option<Arc<str>>,
}

#[derive(Debug, Default, Deserialize)]
struct Wishes {
    /// Content type of the plain bytes.
    #[serde(rename = "type")]
    content_type: Option<String>,
}

/// The routes of the gateway.
pub(crate) fn routes(store: Arc<Store>, token: Option<String>) -> Router {
    let token = token.map(Arc::from);
    Router::new()
        .route("/content/{root}", get(content))
        .with_state(Gateway { store, token })
        .route(
            "/openapi.yaml",
            get(|| async { ([(header::CONTENT_TYPE, "application/yaml")], OPENAPI) }),
        )
}

async fn content(
    Extract(gateway): Extract<Gateway>,
    Path(root): Path<String>,
    Query(wishes): Query<Wishes>,
    headers: HeaderMap,
) -> Response {
    let mut id = [0; 32];
    if hex::decode_to_slice(&root, &mut id).is_err() {
        return text(StatusCode::BAD_REQUEST, "a content's id is 64 hex digits");
    }
    let key = match gateway.key(&headers) {
        Ok(key) => key,
        Err(refusal) => return *refusal,
    };
    let store = gateway.store;
    let content = match store.content(&ContentRoot(id)) {
        Ok(Some(content)) => content,
        Ok(None) => return text(StatusCode::NOT_FOUND, "this content is not held here"),
        Err(error) => return failed(&error),
    };
    let etag = match key {
        Some(_) => format!("\"{}-plain\"", content.root),
        None => format!("\"{}\"", content.root),
    };
    let answer = described(&etag, key.is_some(), &wishes);
    if names(&headers, &header::IF_NONE_MATCH, &etag) == Some(true) {
        return finish(answer.status(StatusCode::NOT_MODIFIED), Body::empty());
    }
    // A Range is for the version that If-Range names; another version is given whole.
    let ranged = names(&headers, &header::IF_RANGE, &etag) != Some(false);
    let asked = headers.get(header::RANGE).filter(|_| ranged);
    let (status, range) = match AskedRange::of(asked, content.size) {
        AskedRange::Whole => (StatusCode::OK, 0..content.size),
        AskedRange::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        AskedRange::Outside => {
            let whole = [(header::CONTENT_RANGE, format!("bytes */{}", content.size))];
            return (StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response();
        }
    };
    match is_whole(&store, &content, &range) {
        Ok(true) => {}
        Ok(false) => {
            return text(
                StatusCode::NOT_FOUND,
                "not all of these bytes are held here",
            );
        }
        Err(error) => return failed(&error),
    }
    let mut answer = answer
        .status(status)
        .header(header::CONTENT_LENGTH, range.end - range.start);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{}", range.start, range.end - 1, content.size);
        answer = answer.header(header::CONTENT_RANGE, part);
    }
    finish(answer, body(store, content, range, key))
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
}

/// Headers that do not depend on the range.
fn described(etag: &str, plain: bool, wishes: &Wishes) -> Builder {
    let usual = HeaderValue::from_static("application/octet-stream");
    let wished = wishes.content_type.as_deref().filter(|_| plain);
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

/// The bytes of a range, a block at a time.
fn body(store: Arc<Store>, content: Content, range: Range<u64>, key: Option<ContentKey>) -> Body {
    Body::from_stream(stream::try_unfold(
        (store, range, key),
        move |(store, rest, key)| async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let mut bytes = piece(&store, &content, &rest).await?;
            if let Some(key) = &key {
                let mut plain = BytesMut::from(bytes);
                apply_cipher(key, rest.start, &mut plain);
                bytes = plain.freeze();
            }
            let next = rest.start + bytes.len() as u64..rest.end;
            Ok::<_, std::io::Error>(Some((bytes, (store, next, key))))
        },
    ))
}

fn finish(answer: Builder, body: Body) -> Response {
    answer
        .body(body)
        .unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Whether every block of a range is here. The index is asked once for all of them.
fn is_whole(store: &Store, content: &Content, range: &Range<u64>) -> Result<bool, StoreError> {
    let (first, end) = (range.start / BLOCK, range.end.div_ceil(BLOCK));
    let count = usize::try_from(end - first).unwrap_or(usize::MAX);
    let held = store.held(&content.root, first, count)?;
    Ok(held.len() == count && held.last() == Some(&(end - 1)))
}

/// The bytes of the first block of what is left.
async fn piece(store: &Store, content: &Content, rest: &Range<u64>) -> std::io::Result<Bytes> {
    let index = rest.start / BLOCK;
    let gone = || std::io::Error::other(format!("block {index} is not here any more"));
    let place = store
        .find(&content.root, index)
        .map_err(std::io::Error::other)?
        .ok_or_else(gone)?;
    let block = store
        .get(place.id)
        .await
        .map_err(std::io::Error::other)?
        .ok_or_else(gone)?;
    let start = index * BLOCK;
    let from = usize::try_from(rest.start - start).map_err(std::io::Error::other)?;
    let end = usize::try_from(rest.end - start)
        .map_err(std::io::Error::other)?
        .min(block.len());
    match from < end {
        true => Ok(block.slice(from..end)),
        false => Err(gone()),
    }
}

fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the store failed");
    text(StatusCode::INTERNAL_SERVER_ERROR, "the store failed")
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, format!("{text}\n")).into_response()
}
