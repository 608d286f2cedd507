//! Plain bytes of contents: fetched from storage nodes, each block checked against the chain, decrypted here.
//!
//! A program shows its token. A `<video>` cannot send headers, so the page asks for a ticket first: a random address for
//! one content, good for some hours, that dies with the daemon.

use std::collections::HashMap;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::TryStreamExt;
use phantasma_net::http::AskedRange;
use phantasma_sdk::content::{ContentKey, Source, read_stream};
use serde_json::{Value, json};

use crate::app::{App, lock, now_ms};
use crate::contents::known;
use crate::error::ApiError;
use crate::input::{Nothing, root};
use crate::nodes::places;
use crate::shelf::Label;

/// How long a ticket is good: longer than any film.
const TICKET_MS: u64 = 6 * 3_600_000;

/// Tickets at a time; the oldest go first.
const MAX_TICKETS: usize = 1024;

/// Types that a browser shows without running anything of them.
const SHOWN: [&str; 3] = ["audio/", "video/", "image/"];

/// Addresses that were given out.
#[derive(Debug, Default)]
pub(crate) struct Tickets(HashMap<String, Ticket>);

#[derive(Clone, Copy, Debug)]
struct Ticket {
    root: [u8; 32],
    until_ms: u64,
}

impl Tickets {
    fn give(&mut self, root: [u8; 32], now_ms: u64) -> (String, u64) {
        self.0.retain(|_, ticket| ticket.until_ms > now_ms);
        if self.0.len() >= MAX_TICKETS {
            let oldest = self.0.iter().min_by_key(|(_, ticket)| ticket.until_ms);
            if let Some(name) = oldest.map(|(name, _)| name.clone()) {
                self.0.remove(&name);
            }
        }
        let name = hex::encode(rand::random::<[u8; 32]>());
        let until_ms = now_ms + TICKET_MS;
        self.0.insert(name.clone(), Ticket { root, until_ms });
        (name, until_ms)
    }

    fn root(&self, name: &str, now_ms: u64) -> Option<[u8; 32]> {
        let ticket = self.0.get(name)?;
        (ticket.until_ms > now_ms).then_some(ticket.root)
    }
}

/// `POST /api/contents/{root}/ticket`.
pub(crate) async fn ticket(
    State(app): State<App>,
    Path(text): Path<String>,
    _: Nothing,
) -> Result<Json<Value>, ApiError> {
    let root = root(&text)?;
    key(&app, &root)?;
    let (name, until_ms) = lock(&app.tickets).give(root, now_ms());
    Ok(Json(
        json!({"url": format!("/media/{name}"), "expires_ms": until_ms}),
    ))
}

/// `GET /media/{ticket}`.
pub(crate) async fn by_ticket(
    State(app): State<App>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let root = lock(&app.tickets).root(&name, now_ms());
    let root = root.ok_or_else(|| ApiError::absent("this address is not good any more"))?;
    give(&app, &root, &headers).await
}

/// `GET /api/contents/{root}/bytes`.
pub(crate) async fn bytes(
    State(app): State<App>,
    Path(text): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    give(&app, &root(&text)?, &headers).await
}

fn key(app: &App, root: &[u8; 32]) -> Result<ContentKey, ApiError> {
    let key = app.keystore()?.get(root);
    let key = key.ok_or_else(|| {
        ApiError::absent("there is no key for this content here; who put it can share it")
    })?;
    Ok(ContentKey::from_bytes(*key))
}

async fn give(app: &App, root: &[u8; 32], headers: &HeaderMap) -> Result<Response, ApiError> {
    let key = key(app, root)?;
    let info = known(app, root).await?;
    let label = lock(&app.shelf).get(root).cloned().unwrap_or_default();
    let size = info.size;
    let (status, range) = match AskedRange::of(headers.get(header::RANGE), size) {
        AskedRange::Whole => (StatusCode::OK, 0..size),
        AskedRange::Part(range) => (StatusCode::PARTIAL_CONTENT, range),
        AskedRange::Outside => {
            let whole = [(header::CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, whole).into_response());
        }
    };
    let source = Source {
        root: *root,
        size,
        nodes: places(app).await?,
    };
    let pieces = read_stream(&app.client, &source, &key, range.clone());
    let mut pieces = Box::pin(pieces.map_err(ApiError::internal)?);
    // The first block is fetched before the status goes out, so that a content that nobody holds is an error.
    let first = pieces.try_next().await;
    let first = first.map_err(|error| ApiError::away(error.to_string()))?;
    let metrics = app.metrics.clone();
    let all = futures_util::stream::iter(first.map(Ok)).chain_with(pieces);
    let all = all.inspect_ok(move |piece| metrics.media(piece.len() as u64));
    let mut answer = Response::builder()
        .status(status)
        .header(header::CONTENT_LENGTH, range.end - range.start)
        .header(header::ACCEPT_RANGES, "bytes")
        .header(
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'",
        )
        .header(header::CACHE_CONTROL, "private, no-store")
        .header(header::CONTENT_TYPE, content_type(&label))
        .header(header::CONTENT_DISPOSITION, disposition(&label));
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{size}", range.start, range.end - 1);
        answer = answer.header(header::CONTENT_RANGE, part);
    }
    answer
        .body(Body::from_stream(all))
        .map_err(ApiError::internal)
}

/// One stream after another.
trait ChainWith: futures_util::Stream + Sized {
    fn chain_with<S: futures_util::Stream<Item = Self::Item>>(
        self,
        next: S,
    ) -> futures_util::stream::Chain<Self, S> {
        futures_util::StreamExt::chain(self, next)
    }
}

impl<S: futures_util::Stream> ChainWith for S {}

fn is_shown(label: &Label) -> bool {
    let kind = &label.media_type;
    SHOWN.iter().any(|start| kind.starts_with(start)) && !kind.contains("svg")
}

fn content_type(label: &Label) -> HeaderValue {
    let usual = HeaderValue::from_static("application/octet-stream");
    match is_shown(label) {
        true => HeaderValue::from_str(&label.media_type).unwrap_or(usual),
        false => usual,
    }
}

/// RFC 6266, the name in percent-encoded UTF-8.
fn disposition(label: &Label) -> String {
    let way = if is_shown(label) {
        "inline"
    } else {
        "attachment"
    };
    let mut name = String::new();
    for byte in label.name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' => {
                name.push(char::from(byte));
            }
            other => name.push_str(&format!("%{other:02X}")),
        }
    }
    if name.is_empty() {
        return way.to_owned();
    }
    format!("{way}; filename*=UTF-8''{name}")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_for_one_content_and_its_time() {
        let mut tickets = Tickets::default();
        let (name, until) = tickets.give([1; 32], 1000);
        assert_eq!(tickets.root(&name, until - 1), Some([1; 32]));
        assert_eq!(tickets.root(&name, until), None);
        assert_eq!(tickets.root("", 1000), None);
        for _ in 0..MAX_TICKETS {
            tickets.give([2; 32], 2000);
        }
        assert_eq!(tickets.root(&name, 1000), None);
        assert!(tickets.0.len() <= MAX_TICKETS);
    }

    #[test]
    fn what_a_browser_could_run_is_a_file_to_save() {
        let label = |kind: &str| Label {
            name: "a b\".x".into(),
            media_type: kind.into(),
            replicas: 3,
        };
        assert_eq!(content_type(&label("video/webm")), "video/webm");
        for kind in [
            "text/html",
            "image/svg+xml",
            "application/javascript",
            "video/\n",
            "",
        ] {
            assert_eq!(
                content_type(&label(kind)),
                "application/octet-stream",
                "{kind}"
            );
        }
        assert_eq!(
            disposition(&label("text/html")),
            "attachment; filename*=UTF-8''a%20b%22.x"
        );
        assert_eq!(disposition(&Label::default()), "attachment");
    }
}
