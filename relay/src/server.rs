//! The running relay: socket, sessions, log and chain writer, started and stopped as one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use phantasma_net::http::{Health, HttpError, HttpServer};
use phantasma_net::{Endpoint, Identity, NetError, Protocol};
use phantasma_wire::PublicKey;
use phantasma_wire::message::Class;
use phantasma_wire::relay::Outcome;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::anchor::{AnchorError, Anchorer, Anchors};
use crate::cache::BoxCache;
use crate::chain::Chain;
use crate::config::{ChainId, Limits, LiveLimits};
use crate::dedup::Dedup;
use crate::gates::Gates;
use crate::hub::Hub;
use crate::intake::{Clock, Intake};
use crate::log::{Log, LogConfig, LogError, Recovered};
use crate::merge::journal::Journal;
use crate::merge::{JournalError, Merger};
use crate::metrics::Metrics;
use crate::peer::{self, Links, PeerSettings};
use crate::session;
use crate::web::{self, WebSettings};

/// How often the gauges are read.
const SAMPLE: Duration = Duration::from_secs(2);

/// Between two handshakes that are begun. One takes half a millisecond of work, so all of them together leave three
/// quarters of a core to the sessions that are there.
const HANDSHAKE_PACE: Duration = Duration::from_millis(2);

/// How long the end of connections may take to reach the clients.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a relay is made of.
pub struct Setup {
    /// UDP; port 0 takes any free one.
    pub listen: SocketAddr,
    /// TCP, of `/healthz` and `/metrics`; port 0 takes any free one.
    pub ops: SocketAddr,
    pub identity: Identity,
    pub chain: Arc<dyn Chain>,
    pub chain_id: ChainId,
    pub limits: Limits,
    pub log: LogConfig,
    pub clock: Clock,
    /// `None`: this relay has no links to others.
    pub peers: Option<PeerSettings>,
    /// `None`: no HTTP and no WebSocket for browsers.
    pub web: Option<WebSettings>,
}

/// Why a relay does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Anchor(#[from] AnchorError),
    #[error(transparent)]
    Control(#[from] phantasma_net::control::ControlError),
    #[error("creating {}: {source}", .path.display())]
    Folder {
        path: std::path::PathBuf,
        source: std::io::Error,
    },
}

/// A running relay. Stop it with [`Relay::shutdown`]; dropping it instead ends it without draining.
pub struct Relay {
    endpoint: Endpoint,
    ops: HttpServer,
    public_key: PublicKey,
    local_addr: SocketAddr,
    intake: Arc<Intake>,
    stopping: CancellationToken,
    chain_stop: CancellationToken,
    sessions: TaskTracker,
    links: Option<peer::Running>,
    web: Option<web::Running>,
    chain_writer: JoinHandle<()>,
    sampler: JoinHandle<()>,
}

impl Relay {
    /// Takes the ports, replays the log and starts to serve.
    pub async fn start(setup: Setup) -> Result<Self, StartError> {
        let mut protocol = Protocol::relay();
        protocol.limits.max_connections = setup.limits.hub.max_sessions;
        let endpoint = Endpoint::bind(setup.listen, &setup.identity, protocol)?;
        let local_addr = endpoint.local_addr()?;
        let hub = Arc::new(Hub::new(setup.limits.hub));
        let (log, dedup) = open_log(&setup, hub.clone())?;
        let journal = Journal::open(&setup.log.folder.join("chain"))?;
        remember(&journal, &dedup, (setup.clock)());
        let anchors = setup.log.folder.join("anchors");
        let anchors = Arc::new(Anchors::open(&anchors, setup.limits.anchor)?);
        let (metrics, registry) = Metrics::new();
        let (to_chain, chain_queue) = mpsc::channel(setup.limits.chain_queue);
        let intake = Arc::new(Intake {
            chain_id: setup.chain_id,
            boxes: BoxCache::new(setup.chain.clone(), setup.limits.cache),
            gates: Arc::new(Gates::new(
                setup.chain.clone(),
                setup.chain_id,
                setup.limits.cache,
            )),
            limits: LiveLimits::new(setup.limits),
            dedup,
            hub,
            log: Arc::new(log),
            anchors,
            links: Arc::new(Links::new(
                setup.peers,
                setup.log.folder.join("peers"),
                setup.identity.public_key(),
                metrics.links.clone(),
            )),
            keep_ms: setup.log.keep_ms,
            metrics,
            clock: setup.clock,
            to_chain,
        });
        let (note, links) = (intake.links.clone(), intake.clone());
        let ops = HttpServer::start_with_note(
            setup.ops,
            registry,
            health(&intake),
            Arc::new(move || note.note()),
            Default::default(),
        )
        .await?;
        let links = match peer::start(links, &setup.identity).await {
            Ok(links) => links,
            Err(error) => {
                // Its tasks hold the log, which the next try wants.
                ops.shutdown().await;
                return Err(error);
            }
        };
        let (stopping, chain_stop, sessions) = (
            CancellationToken::new(),
            CancellationToken::new(),
            TaskTracker::new(),
        );
        let web = match setup.web {
            Some(settings) => match web::start(intake.clone(), settings, stopping.clone()).await {
                Ok(web) => Some(web),
                Err(error) => {
                    if let Some(links) = links {
                        links.stop().await;
                    }
                    ops.shutdown().await;
                    return Err(error.into());
                }
            },
            None => None,
        };
        sessions.spawn(accept(
            intake.clone(),
            endpoint.clone(),
            stopping.clone(),
            sessions.clone(),
        ));
        sessions.spawn(intake.gates.clone().follow(stopping.clone()));
        let anchorer = Anchorer {
            anchors: intake.anchors.clone(),
            log: intake.log.clone(),
            chain: setup.chain.clone(),
            metrics: intake.metrics.clone(),
        };
        sessions.spawn(anchorer.run(stopping.clone()));
        let writer = Merger::new(intake.clone(), setup.chain, journal);
        Ok(Self {
            public_key: setup.identity.public_key(),
            chain_writer: tokio::spawn(writer.run(chain_queue, chain_stop.clone())),
            sampler: tokio::spawn(sample(intake.clone())),
            links,
            web,
            endpoint,
            ops,
            local_addr,
            intake,
            stopping,
            chain_stop,
            sessions,
        })
    }

    /// The UDP address that was taken.
    pub fn local_addr(&self) -> SocketAddr {
        self.local_addr
    }

    /// The TCP address of `/healthz` and `/metrics`.
    pub fn ops_addr(&self) -> SocketAddr {
        self.ops.local_addr()
    }

    /// The UDP address for links from other relays, if there are any.
    pub fn links_addr(&self) -> Option<SocketAddr> {
        self.links.as_ref()?.local_addr()
    }

    /// The UDP address of the control plane, by which other relays are found.
    pub fn control_addr(&self) -> Option<SocketAddr> {
        self.links.as_ref()?.control_addr()
    }

    /// The TCP address for browsers, if they may come.
    pub fn web_addr(&self) -> Option<SocketAddr> {
        Some(self.web.as_ref()?.local_addr())
    }

    /// What clients expect of this relay's key.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// Takes other limits from now on; sessions stay. Those that what is open was made with, the chain's queue and the
    /// anchor, stay too; false when others were asked for.
    pub fn set_limits(&self, limits: Limits) -> bool {
        let before = self.intake.limits.now();
        let all = limits.chain_queue == before.chain_queue && limits.anchor == before.anchor;
        let limits = Limits {
            chain_queue: before.chain_queue,
            anchor: before.anchor,
            ..limits
        };
        self.endpoint.set_max_connections(limits.hub.max_sessions);
        self.intake.hub.set_limits(limits.hub);
        self.intake
            .dedup
            .set_limits(limits.dedup, limits.time_window);
        self.intake.limits.set(limits);
        all
    }

    /// Takes no more requests, answers those in flight, finishes writes to chain and disk, and says goodbye. What is
    /// not done within [`Limits::drain`] is given up, except the log.
    pub async fn shutdown(self) {
        let deadline = Instant::now() + self.intake.limits.now().drain;
        self.stopping.cancel();
        self.sessions.close();
        let all_ended = async {
            self.sessions.wait().await;
            if let Some(web) = &self.web {
                web.stopped().await;
            }
        };
        if timeout_at(deadline, all_ended).await.is_err() {
            tracing::warn!("some clients did not take their answers in time");
        }
        self.chain_stop.cancel();
        let chain_writer = self.chain_writer.abort_handle();
        if timeout_at(deadline, self.chain_writer).await.is_err() {
            tracing::warn!(
                "a write to the chain did not finish in time; it may still come into a block"
            );
            chain_writer.abort();
        }
        if let Some(links) = self.links {
            links.stop().await;
        }
        let log = self.intake.log.clone();
        // The only error is that the closing task panicked; the log's own thread goes on writing what it has.
        let _ = tokio::task::spawn_blocking(move || log.close()).await;
        self.endpoint.close("the relay is stopping", GOODBYE).await;
        self.ops.shutdown().await;
        // Whoever starts again on the same folder must not find the log in its hands.
        self.sampler.abort();
        let _ = self.sampler.await;
    }
}

/// The system's clock; 1970 when it is set before that.
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}

/// Opens the log, and remembers its newest messages, so that a restart does not make duplicates possible.
fn open_log(setup: &Setup, hub: Arc<Hub>) -> Result<(Log, Dedup), LogError> {
    // A message accepted before that is by now outside the time window, whatever time it carries.
    let window_ms = u64::try_from(setup.limits.time_window.as_millis()).unwrap_or(u64::MAX);
    let newer_than_ms = (setup.clock)().saturating_sub(window_ms.saturating_mul(2));
    let on_commit = Box::new(move |boxes: &[u64]| hub.committed(boxes));
    let (log, recovered) = Log::open(setup.log.clone(), newer_than_ms, on_commit)?;
    let Recovered {
        records,
        torn_bytes,
        newer,
    } = recovered;
    tracing::info!(records, head = log.head(), folder = %setup.log.folder.display(), "log replayed");
    if torn_bytes > 0 {
        tracing::warn!(
            torn_bytes,
            "cut off the end of the log, which a crash had left half written"
        );
    }
    let dedup = Dedup::new(setup.limits.dedup, setup.limits.time_window);
    let now_ms = (setup.clock)();
    for (id, position) in newer {
        dedup.restore(id, Outcome::Stored { position }, now_ms);
    }
    Ok((log, dedup))
}

/// What earlier runs wrote to the chain, or may have: who sends the latter again waits until that is known.
fn remember(journal: &Journal, dedup: &Dedup, now_ms: u64) {
    for (id, outcome) in journal.outcomes() {
        dedup.restore(id, outcome, now_ms);
    }
    for id in journal
        .open_ones()
        .into_iter()
        .flat_map(|open| open.messages)
    {
        let _ = dedup.enter(id, Class::OnChain);
    }
}

async fn accept(
    intake: Arc<Intake>,
    endpoint: Endpoint,
    stopping: CancellationToken,
    sessions: TaskTracker,
) {
    let mut pace = tokio::time::interval(HANDSHAKE_PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pace.tick().await;
        let incoming = tokio::select! {
            incoming = endpoint.accept() => incoming,
            () = stopping.cancelled() => return,
        };
        let Some(incoming) = incoming else { return };
        let (intake, stopping) = (intake.clone(), stopping.clone());
        sessions.spawn(async move {
            let address = incoming.remote_address();
            let connection = tokio::select! {
                connection = incoming.finish() => connection,
                () = stopping.cancelled() => return,
            };
            match connection {
                Ok(connection) => session::run(intake, connection, stopping).await,
                Err(error) => tracing::debug!(%address, %error, "no connection"),
            }
        });
    }
}

async fn sample(intake: Arc<Intake>) {
    let mut ticks = tokio::time::interval(SAMPLE);
    loop {
        ticks.tick().await;
        let (sessions, subscriptions) = intake.hub.counts();
        let log = intake.log.stats();
        intake
            .metrics
            .sessions
            .set(i64::try_from(sessions).unwrap_or(i64::MAX));
        intake
            .metrics
            .subscriptions
            .set(i64::try_from(subscriptions).unwrap_or(i64::MAX));
        intake.metrics.log_bytes.set(log.bytes);
        intake.metrics.log_records.set(log.records as u64);
    }
}

fn health(intake: &Arc<Intake>) -> Health {
    let log = intake.log.clone();
    Arc::new(move || match log.stats().healthy {
        true => Ok(()),
        false => Err(LogError::Broken.to_string()),
    })
}

#[cfg(test)]
mod tests;
