//! A request's body that is made while it is sent.

use std::{
    ops::Range,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};

use super::{BackendError, ObjectBytes, http_failed};
use crate::content::ContentError;

/// Bytes before an object, the object, bytes after it.
pub(super) struct Framed {
    before: Option<Bytes>,
    object: ObjectBytes,
    after: Option<Bytes>,
    left: u64,
}

impl Framed {
    pub(super) fn new(before: Bytes, object: ObjectBytes, after: Bytes) -> Self {
        Self {
            left: before.len() as u64 + object.len() + after.len() as u64,
            before: Some(before),
            object,
            after: Some(after),
        }
    }
}

impl Body for Framed {
    type Data = Bytes;
    type Error = ContentError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ContentError>>> {
        let piece = match self.before.take() {
            Some(before) => Some(Ok(before)),
            None => match ready!(self.object.pieces.poll_recv(context)) {
                Some(piece) => Some(piece),
                None => self.after.take().map(Ok),
            },
        };
        if let Some(Ok(piece)) = &piece {
            self.left = self.left.saturating_sub(piece.len() as u64);
        }
        Poll::Ready(piece.map(|piece| piece.map(Frame::data)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

/// An answer's body, which must not be longer than the range that was asked for: a service shall not fill our memory.
pub(super) async fn limited(
    mut response: reqwest::Response,
    range: &Range<u64>,
) -> Result<Bytes, BackendError> {
    let limit = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
    let mut bytes = BytesMut::new();
    while let Some(piece) = response.chunk().await.map_err(http_failed("an answer"))? {
        if bytes.len() + piece.len() > limit {
            return Err(BackendError::Refused {
                what: "a part of an object".into(),
                status: response.status().as_u16(),
                said: format!("more than the {limit} bytes that were asked for"),
            });
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.freeze())
}
