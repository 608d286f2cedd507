//! The data plane: takes connections and requests, within limits for each peer and for all.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use phantasma_net::{Connection, Endpoint, FrameReceiver, FrameSender, NetError};
use phantasma_wire::{
    PublicKey,
    pdfs::{Refusal, Request, Response},
};
use tokio::sync::Semaphore;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{limits::Limits, metrics::RequestLabels, state::State};

/// Requests worked on at once for all peers. Each holds at most a block: 512 × 256 KiB = 128 MiB.
const MAX_REQUESTS: usize = 512;

/// Requests worked on at once for one peer: 16 MiB of blocks, as much as a group commit takes, so that one uploader
/// keeps the disk busy; and no peer gets more than an eighth of the node.
const MAX_REQUESTS_PER_PEER: usize = 64;

/// Connections of one key: a node, its owner's tools, and one that is about to time out.
const MAX_CONNECTIONS_PER_PEER: usize = 4;

/// A request that has not arrived, been answered and been sent in this time is dropped.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Accepts peers until stopped, then waits for the requests that are running.
pub(crate) async fn run(endpoint: Endpoint, state: Arc<State>, stop: CancellationToken) {
    let server = Arc::new(Server {
        state,
        all: Semaphore::new(MAX_REQUESTS),
        peers: Mutex::default(),
        limits: Mutex::default(),
    });
    let tasks = TaskTracker::new();
    loop {
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = stop.cancelled() => None,
        };
        let Some(incoming) = incoming else {
            break;
        };
        let (server, tasks_of_peer, stop) = (server.clone(), tasks.clone(), stop.clone());
        tasks.spawn(async move {
            let address = incoming.remote_address();
            match incoming.finish().await {
                Ok(connection) => server.peer(connection, tasks_of_peer, stop).await,
                Err(error) => {
                    tracing::debug!(%address, %error, "a peer did not finish its handshake")
                }
            }
        });
    }
    tasks.close();
    tasks.wait().await;
}

struct Server {
    state: Arc<State>,
    all: Semaphore,
    /// Connected keys: their turns and the number of their connections.
    peers: Mutex<HashMap<PublicKey, (Arc<Semaphore>, usize)>>,
    /// What peers have taken and what they have sent, also after they have gone.
    limits: Mutex<Limits>,
}

impl Server {
    async fn peer(
        self: Arc<Self>,
        connection: Connection,
        tasks: TaskTracker,
        stop: CancellationToken,
    ) {
        let key = connection.peer();
        if let Some(left) = self.limits().banned(&key, Instant::now()) {
            tracing::debug!(peer = hex::encode(key), ?left, "kept out");
            connection.close("kept out for bad data: come back later");
            return;
        }
        let Some(turns) = self.enter(key) else {
            connection.close("too many connections of this key");
            return;
        };
        self.state.metrics.connections.inc();
        tracing::debug!(peer = hex::encode(key), address = %connection.remote_address(), "connected");
        loop {
            // A turn is taken before a stream is: what waits, waits in QUIC's flow control.
            let stream = async {
                let turn = turns.clone().acquire_owned().await.ok()?;
                Some((turn, connection.accept().await.ok()?))
            };
            let stream = tokio::select! {
                stream = stream => stream,
                () = stop.cancelled() => None,
            };
            let Some((turn, (sender, receiver))) = stream else {
                break;
            };
            let (server, connection) = (self.clone(), connection.clone());
            tasks.spawn(async move {
                let exchange = server.exchange(key, sender, receiver);
                match tokio::time::timeout(REQUEST_TIMEOUT, exchange).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => {
                        tracing::debug!(peer = hex::encode(key), %error, "a request failed");
                        if is_nonsense(&error) {
                            server.bad(&key);
                        }
                    }
                    Err(_) => tracing::debug!(peer = hex::encode(key), "a request took too long"),
                }
                if server.limits().banned(&key, Instant::now()).is_some() {
                    connection.close("kept out for bad data: come back later");
                }
                drop(turn);
            });
        }
        self.state.metrics.connections.dec();
        self.leave(&key);
    }

    /// One request and its answer.
    async fn exchange(
        &self,
        key: PublicKey,
        mut sender: FrameSender,
        mut receiver: FrameReceiver,
    ) -> Result<(), NetError> {
        let Ok(_turn) = self.all.acquire().await else {
            return Ok(());
        };
        let Some(request) = receiver.receive::<Request>().await? else {
            return Ok(());
        };
        let kind = request.name();
        let wait = {
            let mut limits = self.limits();
            let wait = limits.request(&key, Instant::now());
            if let Request::Upload { data, .. } = &request {
                limits.bytes(&key, data.len(), Instant::now());
            }
            wait
        };
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
        let response = self.state.answer(&key, request).await;
        let outcome = match &response {
            Response::Refused { code, reason } => {
                tracing::info!(peer = hex::encode(key), kind, ?code, reason, "refused");
                if matches!(code, Refusal::WrongHash | Refusal::BadRequest) {
                    self.bad(&key);
                }
                format!("{code:?}")
            }
            Response::NotFound { .. } => "not_found".into(),
            Response::Block { data, .. } => {
                self.limits().bytes(&key, data.len(), Instant::now());
                "done".into()
            }
            Response::Info { .. } | Response::Map { .. } | Response::Done => "done".into(),
        };
        self.state
            .metrics
            .requests
            .get_or_create(&RequestLabels { kind, outcome })
            .inc();
        sender.send(&response).await?;
        sender.finish()?;
        // Until the peer has it, the stream counts as running: a stopping node does not cut it off.
        sender.flushed().await;
        Ok(())
    }

    fn limits(&self) -> MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts what no honest program sends.
    fn bad(&self, key: &PublicKey) {
        if let Some(ban) = self.limits().bad(key, Instant::now()) {
            tracing::warn!(peer = hex::encode(key), ?ban, "too much bad data: kept out");
        }
    }

    fn enter(&self, key: PublicKey) -> Option<Arc<Semaphore>> {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || (Arc::new(Semaphore::new(MAX_REQUESTS_PER_PEER)), 0);
        let (turns, connections) = peers.entry(key).or_insert_with(new);
        if *connections == MAX_CONNECTIONS_PER_PEER {
            return None;
        }
        *connections += 1;
        Some(turns.clone())
    }

    fn leave(&self, key: &PublicKey) {
        let mut peers = self.peers.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, connections)) = peers.get_mut(key) {
            *connections -= 1;
            if *connections == 0 {
                peers.remove(key);
            }
        }
    }
}

/// Whether this was the peer's doing and not the network's.
fn is_nonsense(error: &NetError) -> bool {
    matches!(error, NetError::Decode(_) | NetError::FrameTooLong { .. })
}
