//! What all requests share.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{SystemTime, UNIX_EPOCH};

use phantasma_sdk::content::UploadLog;
use phantasma_sdk::contract::{DeployParams, Phantasma};
use phantasma_sdk::keys::{Keystore, Secret};
use phantasma_sdk::neo::Account;
use phantasma_sdk::pdfs::{Client, NodeAddress};
use phantasma_sdk::proofs::Proofs;
use serde_json::Value;
use tokio::sync::{Notify, broadcast};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::error::ApiError;
use crate::events::Happened;
use crate::health::History;
use crate::media::Tickets;
use crate::metrics::Metrics;
use crate::relay::Traffic;
use crate::server::RelayPlace;
use crate::shelf::Shelf;
use crate::tokens::Tokens;
use crate::uploads::Jobs;

/// The daemon's state; clones are the same one.
#[derive(Clone)]
pub(crate) struct App(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) contract: Phantasma,
    pub(crate) proofs: Proofs,
    pub(crate) account: Account,
    pub(crate) network: u32,
    pub(crate) client: Client,
    /// Storage nodes that the user named.
    pub(crate) nodes: Vec<NodeAddress>,
    pub(crate) relay: Option<RelayPlace>,
    /// Keystores, as other commands have them.
    pub(crate) keys: PathBuf,
    /// What is uploaded, until it is stored.
    pub(crate) incoming: PathBuf,
    pub(crate) max_upload_bytes: u64,
    pub(crate) debug_params: DeployParams,
    pub(crate) allow_origins: Vec<String>,
    pub(crate) plain: fn(&str) -> String,
    pub(crate) events: broadcast::Sender<Happened>,
    /// There may be something new about the proofs.
    pub(crate) look_again: Notify,
    pub(crate) stop: CancellationToken,
    /// Files on their way.
    pub(crate) uploading: TaskTracker,
    pub(crate) metrics: Metrics,
    pub(crate) tokens: RwLock<Tokens>,
    pub(crate) tickets: Mutex<Tickets>,
    pub(crate) shelf: Mutex<Shelf>,
    pub(crate) history: Mutex<History>,
    pub(crate) jobs: Mutex<Jobs>,
    pub(crate) traffic: Mutex<Traffic>,
    /// The newest block, or why there is none.
    pub(crate) chain: Mutex<Result<u32, String>>,
    /// One at a time reads, changes and writes the account's keystore.
    pub(crate) keeping: tokio::sync::Mutex<()>,
}

impl Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// Tells all who listen.
    pub(crate) fn tell(&self, kind: &'static str, data: Value) {
        // Nobody listens: nothing is lost, who comes later asks for the state.
        let _ = self.events.send(Happened { kind, data });
    }

    /// Notes how the chain is.
    pub(crate) fn chain_is(&self, state: Result<u32, String>) {
        if let Ok(height) = state {
            self.metrics.height(height);
        }
        *lock(&self.chain) = state;
    }

    /// The account's content keys as they are on the disk now: other commands may have added some.
    pub(crate) fn keystore(&self) -> Result<Keystore, ApiError> {
        let path = self.keys.join(format!("{}.json", self.account.address));
        Keystore::open_or_create(path, &Secret::Wallet(&self.account.key))
            .map_err(ApiError::internal)
    }

    /// Which files were put as which contents.
    pub(crate) fn upload_log(&self) -> Result<UploadLog, ApiError> {
        UploadLog::open(self.keys.join("uploads.jsonl")).map_err(ApiError::internal)
    }

    /// The roots of all contents that the account has keys of.
    pub(crate) fn roots(&self) -> Result<Vec<[u8; 32]>, ApiError> {
        Ok(self.keystore()?.contents().copied().collect())
    }
}

/// What a thread that panicked left is as good as what it found: each change is one assignment.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Unix time in ms.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
