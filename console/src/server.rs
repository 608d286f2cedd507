//! The daemon: checked settings, its tasks, its end.

use std::fs;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::sync::{Mutex, RwLock};
use std::time::Duration;

use phantasma_net::http::{HttpError, HttpServer};
use phantasma_net::{Identity, NetError};
use phantasma_sdk::contract::{DeployParams, Phantasma};
use phantasma_sdk::neo::{Account, Hash160, RpcClient, RpcError};
use phantasma_sdk::pdfs::{Client, NodeAddress};
use phantasma_sdk::proofs::Proofs;
use tokio::sync::{Notify, broadcast};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::{App, Inner, lock};
use crate::events::{self, BEHIND};
use crate::health::History;
use crate::media::Tickets;
use crate::metrics::Metrics;
use crate::relay::Traffic;
use crate::shelf::{Shelf, ShelfError};
use crate::tokens::Tokens;
use crate::uploads::Jobs;
use crate::{health, relay, routes};

/// A task that does not see the end in this time is not waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Everything that the daemon is told.
#[derive(Clone, Debug)]
pub struct Config {
    /// A loopback address; port 0 takes any free one.
    pub listen: SocketAddr,
    /// Folder of the keystores, as other commands have it.
    pub keys: PathBuf,
    /// Folder of the daemon's own files; made when absent.
    pub data: PathBuf,
    pub rpc: RpcClient,
    pub contract: Hash160,
    /// The contract of nodes, proofs and rewards.
    pub proofs: Hash160,
    /// Who acts, and pays.
    pub account: Account,
    pub nodes: Vec<NodeAddress>,
    pub relay: Option<RelayPlace>,
    /// Parameters of the emulated contract on which gates are tried.
    pub debug_params: DeployParams,
    /// Web origins that may use the API beside the daemon's own page.
    pub allow_origins: Vec<String>,
    pub max_upload_bytes: u64,
    /// From one look at the contents' health to the next.
    pub look_every: Duration,
    /// Makes the contract's refusals plain.
    pub plain: fn(&str) -> String,
}

/// The relay that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RelayPlace {
    /// `KEY@HOST:PORT`, for people.
    pub peer: Option<String>,
    /// `http://HOST:PORT` of its numbers.
    pub ops: Option<String>,
}

/// Why the daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} is no loopback address; the daemon acts for its user and listens on this machine only (127.0.0.1, ::1)"
    )]
    NotLoopback(SocketAddr),
    #[error("cannot make {}: {error}", path.display())]
    Folder {
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(transparent)]
    Shelf(#[from] ShelfError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// A running daemon; stop it with [`Server::shutdown`].
pub struct Server {
    app: App,
    http: HttpServer,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    /// Starts to serve those who show one of the tokens.
    ///
    /// # Errors
    /// An address that others can reach or that is taken, a folder that cannot be used, a Neo node that is away.
    pub async fn start(config: Config, tokens: Tokens) -> Result<Self, StartError> {
        if !config.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(config.listen));
        }
        let incoming = config.data.join("uploads");
        for folder in [&config.keys, &config.data, &incoming] {
            make_private(folder)?;
        }
        sweep(&incoming);
        let network = config.rpc.version().await?.network();
        let height = config.rpc.get_block_count().await?.saturating_sub(1);
        let identity = Identity::from_scalar(&config.account.key.to_bytes())?;
        let any = SocketAddr::from(([0, 0, 0, 0], 0));
        let (metrics, registry) = Metrics::new();
        let (events, _) = broadcast::channel(BEHIND);
        let app = App::new(Inner {
            contract: Phantasma::new(config.rpc.clone(), config.contract),
            proofs: Proofs::new(config.rpc, config.proofs),
            account: config.account,
            network,
            client: Client::bind(any, &identity)?,
            nodes: config.nodes,
            relay: config.relay,
            keys: config.keys,
            incoming,
            max_upload_bytes: config.max_upload_bytes,
            debug_params: config.debug_params,
            allow_origins: config.allow_origins,
            plain: config.plain,
            events,
            look_again: Notify::new(),
            stop: CancellationToken::new(),
            uploading: TaskTracker::new(),
            metrics,
            tokens: RwLock::new(tokens),
            tickets: Mutex::new(Tickets::default()),
            shelf: Mutex::new(Shelf::open(config.data.join("shelf.json"))?),
            history: Mutex::new(History::open(config.data.join("health.jsonl"))),
            jobs: Mutex::new(Jobs::default()),
            traffic: Mutex::new(Traffic::default()),
            chain: Mutex::new(Ok(height)),
            keeping: tokio::sync::Mutex::new(()),
        });
        let healthy = app.clone();
        let health = std::sync::Arc::new(move || lock(&healthy.chain).clone().map(drop));
        let routes = routes::router(&app);
        let http = HttpServer::start(config.listen, registry, health, routes).await?;
        let tasks = vec![
            tokio::spawn(events::follow(app.clone())),
            tokio::spawn(health::watch(app.clone(), config.look_every)),
            tokio::spawn(relay::watch(app.clone())),
        ];
        Ok(Self { app, http, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.http.local_addr()
    }

    /// Ends the tasks and the requests, and waits for them.
    pub async fn shutdown(self) {
        self.app.stop.cancel();
        self.http.shutdown().await;
        self.app.uploading.close();
        // They look at the stop themselves; what does not end by then ends with the program.
        let _ = tokio::time::timeout(PATIENCE, self.app.uploading.wait()).await;
        for task in self.tasks {
            let abort = task.abort_handle();
            if tokio::time::timeout(PATIENCE, task).await.is_err() {
                abort.abort();
            }
        }
        self.app.client.close().await;
    }
}

/// A folder that its owner alone can look into.
fn make_private(path: &PathBuf) -> Result<(), StartError> {
    let made = fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path);
    made.map_err(|error| StartError::Folder {
        path: path.clone(),
        error,
    })
}

/// Removes what uploads of a run that broke off have left: plain bytes of files that nobody waits for.
fn sweep(incoming: &PathBuf) {
    let Ok(entries) = fs::read_dir(incoming) else {
        return;
    };
    for entry in entries.flatten() {
        if let Err(error) = fs::remove_file(entry.path()) {
            tracing::warn!(%error, file = %entry.path().display(), "an old upload stays");
        }
    }
}
