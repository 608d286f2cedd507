//! Takes links from others and opens those that are due.

use std::time::Duration;

use phantasma_net::{Endpoint, Identity, Protocol, control, resolve};
use phantasma_wire::PublicKey;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{PeerSettings, Shared, find, session};
use crate::server::StartError;

/// How often something may become due: a fifth of what a late message is waited for.
const TICK: Duration = Duration::from_millis(100);

/// How long the end of links may take to reach the others.
const GOODBYE: Duration = Duration::from_secs(1);

/// The side of the relay that talks to other relays.
pub(crate) struct Running {
    endpoint: Endpoint,
    control: Option<control::ControlHandle>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// Takes the ports and begins. `None` when the operator wants no links.
pub(crate) async fn start(
    intake: Shared,
    identity: &Identity,
) -> Result<Option<Running>, StartError> {
    let Some(settings) = intake.links.settings.clone() else {
        return Ok(None);
    };
    super::remember_log(&intake.links, &intake.log).await?;
    let folder = &intake.links.folder;
    std::fs::create_dir_all(folder).map_err(|source| StartError::Folder {
        path: folder.clone(),
        source,
    })?;
    let endpoint = Endpoint::bind(settings.listen, identity, Protocol::relay_link())?;
    let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
    let control = match &settings.find {
        Some(find) => Some(find::start(find, identity, (intake.clock)()).await?),
        None => None,
    };
    if let Some(control) = &control {
        let work = find::run(control.clone(), intake.clone(), settings.clone());
        let stop = stop.clone();
        tasks.spawn(async move { stop.run_until_cancelled_owned(work).await });
    }
    let running = Running {
        endpoint,
        control,
        stop,
        tasks,
    };
    running.spawn_accept(intake.clone());
    running.spawn_ticks(intake, settings);
    Ok(Some(running))
}

impl Running {
    /// The UDP address of the links.
    pub(crate) fn local_addr(&self) -> Option<std::net::SocketAddr> {
        self.endpoint.local_addr().ok()
    }

    /// The UDP address of the control plane.
    pub(crate) fn control_addr(&self) -> Option<std::net::SocketAddr> {
        self.control
            .as_ref()
            .map(control::ControlHandle::listen_addr)
    }

    /// Ends all links.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(GOODBYE, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::debug!("some links did not end in time");
        }
        if let Some(control) = self.control {
            control.shutdown().await;
        }
        self.endpoint.close("the relay is stopping", GOODBYE).await;
    }

    fn spawn_accept(&self, intake: Shared) {
        let (endpoint, stop) = (self.endpoint.clone(), self.stop.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            while let Some(Some(incoming)) = stop.run_until_cancelled(endpoint.accept()).await {
                let (intake, stop) = (intake.clone(), stop.clone());
                tasks.spawn(async move {
                    let address = incoming.remote_address();
                    let Some(finished) = stop.run_until_cancelled(incoming.finish()).await else {
                        return;
                    };
                    match finished {
                        Ok(connection) => {
                            session::run(intake, connection, false, stop).await;
                        }
                        Err(error) => tracing::debug!(%address, %error, "no link"),
                    }
                });
            }
        });
    }

    fn spawn_ticks(&self, intake: Shared, settings: PeerSettings) {
        let (endpoint, stop) = (self.endpoint.clone(), self.stop.clone());
        let tasks = self.tasks.clone();
        self.tasks.spawn(async move {
            let mut ticks = tokio::time::interval(TICK);
            while stop.run_until_cancelled(ticks.tick()).await.is_some() {
                for (key, address) in tick(&intake, &settings) {
                    let dial = dial(intake.clone(), endpoint.clone(), key, address, stop.clone());
                    tasks.spawn(dial);
                }
            }
        });
    }
}

/// One round over everything that waits; the relays to dial.
fn tick(intake: &Shared, settings: &PeerSettings) -> Vec<(PublicKey, String)> {
    let links = &intake.links;
    let (now_ms, oldest) = (links.now_ms(), intake.log.oldest());
    let mut inner = links.lock();
    inner.tick(&links.numbers, now_ms);
    inner.known.forget_before(oldest);
    let up = inner.links.len();
    links
        .numbers
        .links
        .set(i64::try_from(up).unwrap_or(i64::MAX));
    inner
        .book
        .due(now_ms, settings.max_links.saturating_sub(up))
}

async fn dial(
    intake: Shared,
    endpoint: Endpoint,
    key: PublicKey,
    address: String,
    stop: CancellationToken,
) {
    let connected = async {
        let resolved = resolve(&address).await?;
        endpoint.connect(resolved, Some(key)).await
    };
    let linked = match stop.run_until_cancelled(connected).await {
        Some(Ok(connection)) => session::run(intake.clone(), connection, true, stop).await,
        Some(Err(error)) => {
            tracing::debug!(%address, %error, "no link");
            false
        }
        None => false,
    };
    if !linked {
        let links = &intake.links;
        links.lock().book.failed(&key, links.now_ms());
    }
}
