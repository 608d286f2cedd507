//! Server-sent events: what comes to a box, for whoever only listens. The number of an event is the message's position, so
//! that a browser goes on by itself where it was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Query, Request, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use phantasma_net::NetError;
use phantasma_wire::codec::Frame;
use phantasma_wire::relay::{RelayFrame, Since};
use serde::Deserialize;
use tokio::sync::mpsc;

use super::Web;
use super::http::{message_json, refused};
use crate::session;
use crate::session::transport::Sink;

/// A reader who takes nothing for so long is sent away.
const SLOW: Duration = Duration::from_secs(20);

/// How often silence is broken: proxies end what is silent for a minute.
const COMMENT: Duration = Duration::from_secs(20);

/// Parts of the stream that wait for the reader, each a round of messages.
const PARTS: usize = 4;

/// From where on.
#[derive(Debug, Deserialize)]
pub(super) struct From {
    from: Option<u64>,
}

pub(super) async fn listen(
    State(web): State<Arc<Web>>,
    Path(box_id): Path<u64>,
    Query(asked): Query<From>,
    request: Request,
) -> Response {
    let last = request.headers().get("last-event-id");
    let last = last.and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    // A browser that comes back repeats the address, and says where it was.
    let from = last.map(|last| last.saturating_add(1)).or(asked.from);
    let since = from.map_or(Since::Now, Since::Position);
    // Before anything is answered, so that the answer can be a refusal.
    if let Err(refusal) = web.intake.check_box(box_id).await {
        return refused(&refusal);
    }
    let (parts, mut body) = mpsc::channel(PARTS);
    let tasks = web.sessions.clone();
    tasks.spawn(async move {
        let gone = parts.clone();
        let events = Events { parts };
        let gone = async move { gone.closed().await };
        let stopping = web.stopping.clone();
        let listened = session::listen(&web.intake, events, (box_id, since), gone, stopping).await;
        if let Err(refusal) = listened {
            tracing::debug!(error = refusal.text, "an event stream ended");
        }
    });
    let body = futures_util::stream::poll_fn(move |context| body.poll_recv(context));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from_stream(body)).into_response()
}

/// Frames as events.
struct Events {
    parts: mpsc::Sender<Result<Bytes, Infallible>>,
}

impl Events {
    async fn part(&self, text: Bytes) -> Result<(), NetError> {
        let sent = self.parts.send_timeout(Ok(text), SLOW).await;
        sent.map_err(|_| NetError::ConnectionLost("the reader is slow or gone".into()))
    }
}

impl Sink for Events {
    const QUIET: Duration = COMMENT;

    async fn send(&mut self, frames: &[[Bytes; 2]]) -> Result<(), NetError> {
        let mut text = BytesMut::new();
        for [head, body] in frames {
            let mut whole = BytesMut::with_capacity(head.len() + body.len());
            whole.put_slice(head);
            whole.put_slice(body);
            write_event(&mut text, RelayFrame::decode(whole.freeze())?);
        }
        match text.is_empty() {
            true => Ok(()),
            false => self.part(text.freeze()).await,
        }
    }

    async fn keep_alive(&mut self) -> Result<(), NetError> {
        self.part(Bytes::from_static(b":\n\n")).await
    }

    async fn end(&mut self) {}
}

fn write_event(text: &mut BytesMut, frame: RelayFrame) {
    let event = match frame {
        RelayFrame::Deliver { position, message } => {
            let id = match position {
                0 => String::new(),
                position => format!("id: {position}\n"),
            };
            format!("{id}data: {}\n\n", message_json(position, &message))
        }
        RelayFrame::Error { error, text, .. } => {
            let told = serde_json::json!({"error": error.name(), "text": text});
            format!("event: error\ndata: {told}\n\n")
        }
        // The history has been sent: from here on it is live.
        RelayFrame::Ack { .. } => "event: live\ndata: {}\n\n".to_owned(),
        RelayFrame::Welcome { .. }
        | RelayFrame::AckMany { .. }
        | RelayFrame::Pong { .. }
        | RelayFrame::DeliverGroup { .. }
        | RelayFrame::Proof { .. } => return,
    };
    text.put_slice(event.as_bytes());
}
