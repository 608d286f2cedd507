//! A session over a WebSocket (RFC 6455): each binary message is a frame.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::{BufMut, Bytes, BytesMut};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use phantasma_net::NetError;
use phantasma_wire::codec::{DecodeError, Frame};
use phantasma_wire::relay::ClientFrame;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::{Place, Web};
use crate::session;
use crate::session::transport::{Sink, Source};

/// A reader who takes nothing for so long is sent away.
const SLOW: Duration = Duration::from_secs(20);

/// Somebody who says nothing for so long, not even that a ping has come, is gone.
const SILENT: Duration = Duration::from_secs(60);

/// How often silence is broken.
const PING: Duration = Duration::from_secs(20);

/// Bytes that wait to be sent; together with what the system holds, all that a slow reader can cost.
const WAITING: usize = 256 << 10;

/// How often one looks again whether an address may send more.
const WAIT: Duration = Duration::from_millis(50);

type Stream = WebSocketStream<TokioIo<Upgraded>>;

/// Answers the handshake; the session runs in a task of its own.
pub(super) async fn upgrade(
    State(web): State<Arc<Web>>,
    Extension(place): Extension<Arc<Place>>,
    mut request: Request,
) -> Response {
    let asker = web.asker(&request);
    let Some(key) = key(request.headers()) else {
        let version = [(header::SEC_WEBSOCKET_VERSION, "13")];
        let text = "this is the place of a WebSocket: connect with ws:// or wss://\n";
        return (StatusCode::UPGRADE_REQUIRED, version, text).into_response();
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return (
            StatusCode::BAD_REQUEST,
            "this connection cannot be upgraded\n",
        )
            .into_response();
    };
    let accept = derive_accept_key(key.as_bytes());
    let tasks = web.sessions.clone();
    tasks.spawn(async move {
        if let Err(error) = run(&web, asker, upgrade).await {
            tracing::debug!(%asker, %error, "a WebSocket ended");
        }
        drop(place);
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&accept) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

/// The client's key, if the request asks for a WebSocket of the one version that there is.
fn key(headers: &HeaderMap) -> Option<HeaderValue> {
    let has = |name, word: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| {
            let mut words = value.split(',');
            words.any(|one| one.trim().eq_ignore_ascii_case(word))
        })
    };
    let asked = has(header::UPGRADE, "websocket")
        && has(header::CONNECTION, "upgrade")
        && has(header::SEC_WEBSOCKET_VERSION, "13");
    let key = headers.get(header::SEC_WEBSOCKET_KEY).cloned();
    key.filter(|_| asked)
}

async fn run(web: &Arc<Web>, asker: IpAddr, upgrade: OnUpgrade) -> Result<(), NetError> {
    let upgraded = upgrade
        .await
        .map_err(|error| NetError::ConnectionLost(error.to_string()))?;
    let config = WebSocketConfig::default()
        .max_message_size(Some(ClientFrame::MAX_LEN))
        .max_frame_size(Some(ClientFrame::MAX_LEN))
        .write_buffer_size(16 << 10)
        .max_write_buffer_size(WAITING);
    let io = TokioIo::new(upgraded);
    let stream = WebSocketStream::from_raw_socket(io, Role::Server, Some(config)).await;
    let (sink, source) = stream.split();
    let source = Reading {
        web: web.clone(),
        asker,
        stream: source,
    };
    let stopping = web.stopping.clone();
    session::run_over(&web.intake, Writing { sink }, source, stopping).await
}

struct Reading {
    web: Arc<Web>,
    asker: IpAddr,
    stream: SplitStream<Stream>,
}

impl Source for Reading {
    async fn receive(&mut self) -> Result<Option<ClientFrame>, NetError> {
        loop {
            let next = tokio::time::timeout(SILENT, self.stream.next()).await;
            let seconds = SILENT.as_secs();
            let message = next.map_err(|_| NetError::AnswerTimeout { seconds })?;
            let bytes = match message {
                None => return Ok(None),
                Some(Ok(Message::Binary(bytes))) => bytes,
                Some(Ok(Message::Close(_))) => return Ok(None),
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
                Some(Ok(Message::Text(_))) => {
                    return Err(NetError::Decode(DecodeError::Invalid {
                        what: "WebSocket message",
                        reason: "text; frames are binary",
                    }));
                }
                Some(Err(Error::Capacity(_))) => {
                    return Err(NetError::FrameTooLong {
                        len: ClientFrame::MAX_LEN + 1,
                        max: ClientFrame::MAX_LEN,
                    });
                }
                Some(Err(error)) => return Err(lost(error)),
            };
            // Who sends too fast is read more slowly, as on QUIC.
            while !self.web.rates().take(self.asker, self.web.now_ms()) {
                tokio::time::sleep(WAIT).await;
            }
            return Ok(Some(ClientFrame::decode(bytes)?));
        }
    }
}

struct Writing {
    sink: SplitSink<Stream, Message>,
}

impl Sink for Writing {
    const QUIET: Duration = PING;

    async fn send(&mut self, frames: &[[Bytes; 2]]) -> Result<(), NetError> {
        in_time(async {
            for [head, body] in frames {
                let frame = joined(head, body);
                self.sink.feed(Message::Binary(frame)).await?;
            }
            self.sink.flush().await
        })
        .await
    }

    async fn keep_alive(&mut self) -> Result<(), NetError> {
        in_time(self.sink.send(Message::Ping(Bytes::new()))).await
    }

    async fn end(&mut self) {
        // A client that is gone needs no goodbye.
        let _ = in_time(self.sink.close()).await;
    }
}

async fn in_time(sent: impl Future<Output = Result<(), Error>>) -> Result<(), NetError> {
    match tokio::time::timeout(SLOW, sent).await {
        Ok(sent) => sent.map_err(lost),
        Err(_) => Err(NetError::ConnectionLost("the client does not read".into())),
    }
}

fn joined(head: &Bytes, body: &Bytes) -> Bytes {
    if head.is_empty() {
        return body.clone();
    }
    let mut whole = BytesMut::with_capacity(head.len() + body.len());
    whole.put_slice(head);
    whole.put_slice(body);
    whole.freeze()
}

fn lost(error: Error) -> NetError {
    NetError::ConnectionLost(error.to_string())
}
