//! HTTP for programs that do not speak QUIC: `GET /content/{root}` gives the ciphertext of contents that are whole
//! here, also by `Range`. What it gives is as public as what the data plane gives; only key holders can read it.

use std::{ops::Range, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Path, State as Extract},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use futures_util::stream;
use phantasma_wire::merkle::BLOCK_SIZE;

use crate::store::{Content, ContentRoot, Store, StoreError};

const BLOCK: u64 = BLOCK_SIZE as u64;

/// The routes of the gateway.
pub(crate) fn routes(store: Arc<Store>) -> Router {
    Router::new()
        .route("/content/{root}", get(content))
        .with_state(store)
}

async fn content(
    Extract(store): Extract<Arc<Store>>,
    Path(root): Path<String>,
    headers: HeaderMap,
) -> Response {
    let mut key = [0; 32];
    if hex::decode_to_slice(&root, &mut key).is_err() {
        return text(StatusCode::BAD_REQUEST, "a content's id is 64 hex digits");
    }
    let content = match store.content(&ContentRoot(key)) {
        Ok(Some(content)) => content,
        Ok(None) => return text(StatusCode::NOT_FOUND, "this content is not held here"),
        Err(error) => return failed(&error),
    };
    let asked = headers.get(header::RANGE).map(|range| {
        range
            .to_str()
            .ok()
            .and_then(|r| parse_range(r, content.size))
    });
    let (status, range) = match asked {
        None => (StatusCode::OK, 0..content.size),
        Some(Some(range)) => (StatusCode::PARTIAL_CONTENT, range),
        Some(None) => {
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
    let mut answer = Response::builder()
        .status(status)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .header(header::ACCEPT_RANGES, "bytes")
        .header(header::CONTENT_LENGTH, range.end - range.start);
    if status == StatusCode::PARTIAL_CONTENT {
        let part = format!("bytes {}-{}/{}", range.start, range.end - 1, content.size);
        answer = answer.header(header::CONTENT_RANGE, part);
    }
    let body = Body::from_stream(stream::try_unfold(
        (store, range),
        move |(store, rest)| async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let bytes = piece(&store, &content, &rest).await?;
            let next = rest.start + bytes.len() as u64..rest.end;
            Ok::<_, std::io::Error>(Some((bytes, (store, next))))
        },
    ));
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

/// One range of RFC 9110, section 14.1.2; `None` when it lies outside, or is of a kind that is not served.
fn parse_range(text: &str, size: u64) -> Option<Range<u64>> {
    let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
    let range = match (first.trim(), last.trim()) {
        ("", suffix) => size.saturating_sub(suffix.parse().ok()?)..size,
        (first, "") => first.parse().ok()?..size,
        (first, last) => first.parse().ok()?..last.parse::<u64>().ok()?.saturating_add(1).min(size),
    };
    (range.start < range.end && range.end <= size).then_some(range)
}

fn failed(error: &StoreError) -> Response {
    tracing::error!(%error, "the store failed");
    text(StatusCode::INTERNAL_SERVER_ERROR, "the store failed")
}

fn text(status: StatusCode, text: &'static str) -> Response {
    (status, format!("{text}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (text, expected) in [
            ("bytes=0-0", Some(0..1)),
            ("bytes=0-", Some(0..100)),
            ("bytes=90-200", Some(90..100)),
            ("bytes=-10", Some(90..100)),
            ("bytes=-200", Some(0..100)),
            ("bytes=99-99", Some(99..100)),
            ("bytes=100-", None),
            ("bytes=-0", None),
            ("bytes=5-4", None),
            ("bytes=0-1,3-4", None),
            ("bytes=x-1", None),
            ("items=0-1", None),
            ("", None),
        ] {
            assert_eq!(parse_range(text, 100), expected, "{text}");
        }
    }
}
