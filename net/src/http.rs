//! The small HTTP server of every service: `/healthz`, `/metrics`, and what the service adds.

mod request;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::registry::Registry;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use request::{AskedRange, same_secret};

/// Whether the service can do its work: `Err` says what is missing.
pub type Health = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// What `/healthz` says of a healthy service after `ok`: nothing, or lines of text.
pub type Note = Arc<dyn Fn() -> String + Send + Sync>;

/// Requests that are still running when the server stops get so long to finish.
const DRAIN: Duration = Duration::from_secs(5);

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    #[error("TCP port {} is taken on {}: stop the program that holds it, or choose another HTTP address", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on TCP {address}: {error}")]
    Bind {
        address: SocketAddr,
        error: std::io::Error,
    },
}

/// A running server; stop it with [`HttpServer::shutdown`].
#[derive(Debug)]
pub struct HttpServer {
    local_addr: SocketAddr,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl HttpServer {
    /// Takes the TCP port (0: any free one) and serves `/healthz`, `/metrics` and `routes`.
    pub async fn start(
        address: SocketAddr,
        registry: Arc<Registry>,
        health: Health,
        routes: Router,
    ) -> Result<Self, HttpError> {
        Self::start_with_note(address, registry, health, Arc::new(String::new), routes).await
    }

    /// As [`HttpServer::start`]; `/healthz` of a healthy service also says `note`.
    pub async fn start_with_note(
        address: SocketAddr,
        registry: Arc<Registry>,
        health: Health,
        note: Note,
        routes: Router,
    ) -> Result<Self, HttpError> {
        let listener = TcpListener::bind(address)
            .await
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::AddrInUse => HttpError::PortTaken(address),
                _ => HttpError::Bind { address, error },
            })?;
        let local_addr = listener
            .local_addr()
            .map_err(|error| HttpError::Bind { address, error })?;
        let router = Router::new()
            .route(
                "/healthz",
                get(move || async move { healthz(&health, &note) }),
            )
            .route("/metrics", get(move || async move { metrics(&registry) }))
            .merge(routes);
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router)
                .with_graceful_shutdown(stopped)
                .await
            {
                tracing::error!(%error, "the HTTP server ended");
            }
        });
        Ok(Self {
            local_addr,
            stop,
            task,
        })
    }

    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// Stops accepting, lets running requests finish for a short while, and waits for the end.
    pub async fn shutdown(self) {
        self.stop.cancel();
        let abort = self.task.abort_handle();
        if tokio::time::timeout(DRAIN, self.task).await.is_err() {
            abort.abort();
        }
    }
}

fn healthz(health: &Health, note: &Note) -> impl IntoResponse + use<> {
    match health() {
        Ok(()) => (StatusCode::OK, format!("ok\n{}", note())),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

fn metrics(registry: &Registry) -> impl IntoResponse + use<> {
    let mut text = String::new();
    let kind = [(
        header::CONTENT_TYPE,
        "application/openmetrics-text; version=1.0.0; charset=utf-8",
    )];
    match prometheus_client::encoding::text::encode(&mut text, registry) {
        Ok(()) => (StatusCode::OK, kind, text),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, kind, error.to_string()),
    }
}
