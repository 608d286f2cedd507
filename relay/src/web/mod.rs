//! For browsers, which speak no QUIC of their own: the same messages over HTTP and WebSocket, in plain TCP. What is spoken
//! on a WebSocket is what is spoken on a client's stream, one frame in each binary message.
//!
//! * `http`: publish one message, read what is kept, listen by server-sent events.
//! * `socket`: the WebSocket. * `events`: the stream of server-sent events.
//! * `limits`: how often one address may ask.
//!
//! Everything has a bound: connections in all and of one address, requests of one address, bytes of a request, the time
//! that headers, a body and a reader who does not read may take. Encryption is the business of a proxy in front.

mod config;
mod events;
mod http;
mod limits;
mod socket;

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use phantasma_net::http::HttpError;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::intake::Intake;
pub use config::{WebArgs, WebTable};
use limits::Rates;

/// A request's headers have to be there after so long, its body after as much again.
const PATIENCE: Duration = Duration::from_secs(10);

/// Bytes of headers, and of what is read ahead.
const MAX_HEADERS: usize = 16 << 10;

/// What the operator wants of HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebSettings {
    /// TCP; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Pages that may use this relay, as `https://host`, or `*` for all; none when empty.
    pub origins: Vec<String>,
    /// Connections at once, and those of one address.
    pub connections: usize,
    pub per_address: usize,
    /// Requests, and frames on WebSockets, of one address in a second; five times as many at once.
    pub requests_per_s: u32,
    /// Who asks stands in `X-Forwarded-For`, written by the operator's own proxy.
    pub proxy: bool,
}

/// What all requests share.
pub(crate) struct Web {
    intake: Arc<Intake>,
    settings: WebSettings,
    stopping: CancellationToken,
    /// Sockets and event streams, which outlive their request.
    sessions: TaskTracker,
    rates: Mutex<Rates>,
    connected: Mutex<HashMap<IpAddr, usize>>,
    started: Instant,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
struct Asker(IpAddr);

/// The listening side.
pub(crate) struct Running {
    local_addr: SocketAddr,
    tasks: TaskTracker,
}

impl Running {
    pub(crate) fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// After the relay's sessions have been asked to stop: waits until all requests and sockets have ended.
    pub(crate) async fn stopped(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }
}

/// Takes the port and serves until `stopping`.
pub(crate) async fn start(
    intake: Arc<Intake>,
    settings: WebSettings,
    stopping: CancellationToken,
) -> Result<Running, HttpError> {
    let address = settings.listen;
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => HttpError::PortTaken(address),
        _ => HttpError::Bind { address, error },
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let local_addr = listener.local_addr().map_err(failed)?;
    let tasks = TaskTracker::new();
    let web = Arc::new(Web {
        rates: Mutex::new(Rates::new(settings.requests_per_s)),
        intake,
        settings,
        stopping,
        sessions: tasks.clone(),
        connected: Mutex::default(),
        started: Instant::now(),
    });
    tasks.spawn(accept(web, listener));
    Ok(Running { local_addr, tasks })
}

async fn accept(web: Arc<Web>, listener: TcpListener) {
    let router = router(&web);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = web.stopping.cancelled() => return,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Too many open files, most likely: others have to close first.
                tracing::warn!(%error, "no connection was taken");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Some(place) = Place::take(&web, peer.ip()) else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let service = router.clone().layer(Extension(Asker(peer.ip())));
        web.sessions
            .spawn(serve(web.clone(), stream, service, place));
    }
}

/// One connection. An upgrade to a WebSocket leaves with its own task, but keeps the place.
async fn serve(web: Arc<Web>, stream: TcpStream, router: Router, place: Place) {
    let router = router.layer(Extension(Arc::new(place)));
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(PATIENCE)
        .max_buf_size(MAX_HEADERS);
    let service = TowerToHyperService::new(router);
    let connection = http
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = web.stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "an HTTP connection ended");
    }
}

fn router(web: &Arc<Web>) -> Router {
    let messages = get(http::history).post(http::publish);
    Router::new()
        .route("/v1/boxes/{box_id}/messages", messages)
        .route("/v1/boxes/{box_id}/events", get(events::listen))
        .route("/v1/ws", get(socket::upgrade))
        .route("/v1/messages", post(http::publish_anywhere))
        .layer(axum::middleware::from_fn_with_state(web.clone(), guard))
        .with_state(web.clone())
}

/// What holds for every request: how many of them, and from which pages.
async fn guard(State(web): State<Arc<Web>>, request: Request, next: Next) -> Response {
    let asker = web.asker(&request);
    if !web.rates().take(asker, web.now_ms()) {
        let later = [(header::RETRY_AFTER, "1")];
        return (StatusCode::TOO_MANY_REQUESTS, later, "too many requests\n").into_response();
    }
    let origin = request.headers().get(header::ORIGIN).cloned();
    let Some(origin) = origin else {
        return next.run(request).await;
    };
    if !web.admits(&origin, request.headers()) {
        return (
            StatusCode::FORBIDDEN,
            "pages from there may not use this relay\n",
        )
            .into_response();
    }
    let mut response = match *request.method() {
        Method::OPTIONS => StatusCode::NO_CONTENT.into_response(),
        _ => next.run(request).await,
    };
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.insert(header::VARY, HeaderValue::from_static("Origin"));
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST"),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            "Content-Type, Last-Event-ID",
        ),
        (header::ACCESS_CONTROL_MAX_AGE, "600"),
    ];
    for (name, value) in allowed {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

impl Web {
    /// Whose request it is: the other end, or whom the operator's proxy names last.
    fn asker(&self, request: &Request) -> IpAddr {
        let peer = request.extensions().get::<Asker>();
        let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |asker| asker.0);
        if !self.settings.proxy {
            return peer;
        }
        let forwarded = request
            .headers()
            .get_all("x-forwarded-for")
            .iter()
            .next_back();
        let last = forwarded.and_then(|value| value.to_str().ok()?.rsplit(',').next());
        last.and_then(|text| text.trim().parse().ok())
            .unwrap_or(peer)
    }

    /// Whether a page from there may use this relay: it is on the list, or came from this very host.
    fn admits(&self, origin: &HeaderValue, headers: &HeaderMap) -> bool {
        let Ok(origin) = origin.to_str() else {
            return false;
        };
        let listed = |one: &String| one == "*" || one == origin;
        if self.settings.origins.iter().any(listed) {
            return true;
        }
        let host = headers
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let own = origin.split_once("://").map(|(_, host)| host);
        own.is_some() && own == host
    }

    fn rates(&self) -> MutexGuard<'_, Rates> {
        self.rates.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// A connection's place among those of its address, given back when the last who uses the connection is gone.
struct Place {
    web: Arc<Web>,
    address: IpAddr,
}

impl Place {
    /// `None` when there are too many, in all or of this address.
    fn take(web: &Arc<Web>, address: IpAddr) -> Option<Self> {
        let mut connected = lock(&web.connected);
        let all: usize = connected.values().sum();
        let of_one = connected.entry(address).or_default();
        // Behind a proxy all connections have one address.
        let full = *of_one >= web.settings.per_address && !web.settings.proxy;
        if all >= web.settings.connections || full {
            if *of_one == 0 {
                connected.remove(&address);
            }
            return None;
        }
        *of_one += 1;
        drop(connected);
        Some(Self {
            web: web.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut connected = lock(&self.web.connected);
        if let Some(count) = connected.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                connected.remove(&self.address);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
