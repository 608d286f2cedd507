//! Anchors: from time to time the root over the messages that were kept since the last one goes into a box of the
//! relay's on the chain (see [`phantasma_wire::relay::Anchor`]). Everybody can ask for the path of a message to it.

mod store;
#[cfg(test)]
mod tests;

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use phantasma_sdk::boxes::data_content;
use phantasma_wire::Hash;
use phantasma_wire::relay::{Anchor, AnchorProof, AnchorTree, MAX_ANCHORED, RelayError};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainError, Fate, Ready};
use crate::dedup::Refusal;
use crate::log::Log;
use crate::metrics::Metrics;
pub use store::AnchorError;
use store::Store;

/// Between two looks for a transaction.
const PAUSE: Duration = Duration::from_millis(500);

/// Where and how often.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AnchorLimits {
    /// A box that the relay's account may write to; without one nothing is anchored.
    pub box_id: Option<u64>,
    /// Between two anchors.
    pub every: Duration,
}

/// The anchors of one relay. Shared by the task that writes them and the sessions that ask for proofs.
#[derive(Debug)]
pub(crate) struct Anchors {
    store: Mutex<Store>,
    limits: AnchorLimits,
}

/// What the task needs beside them.
pub(crate) struct Anchorer {
    pub(crate) anchors: Arc<Anchors>,
    pub(crate) log: Arc<Log>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) metrics: Metrics,
}

impl Anchors {
    pub(crate) fn open(folder: &Path, limits: AnchorLimits) -> Result<Self, AnchorError> {
        let store = Mutex::new(Store::open(folder)?);
        Ok(Self { store, limits })
    }

    /// How the kept message at a position leads to the chain.
    pub(crate) fn proof(&self, position: u64) -> Result<AnchorProof, Refusal> {
        match self.store().proof(position) {
            Ok(Some(proof)) => Ok(proof),
            Ok(None) => Err(Refusal::new(RelayError::Limit, self.no_proof(position))),
            Err(error) => {
                tracing::error!(%error, "a proof cannot be made");
                Err(Refusal::new(
                    RelayError::Internal,
                    "the relay cannot read its anchors",
                ))
            }
        }
    }

    fn no_proof(&self, position: u64) -> String {
        match self.limits.box_id {
            None => "this relay does not anchor its messages".to_owned(),
            Some(_) => format!(
                "the message at position {position} has no anchor on the chain; the relay writes one every {} s, and \
                 forgets those of messages that it no longer keeps",
                self.limits.every.as_secs()
            ),
        }
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        // No code panics while it holds the lock.
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Anchorer {
    /// Until `stop`. What is not anchored then is with the next start.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Some(box_id) = self.anchors.limits.box_id else {
            return;
        };
        let work = async {
            self.settle_earlier().await;
            loop {
                sleep(self.anchors.limits.every).await;
                while self.anchor(box_id).await {}
            }
        };
        tokio::select! {
            () = stop.cancelled() => {}
            () = work => {}
        }
    }

    /// One anchor over what has none, if there is anything. Says whether there may be more.
    async fn anchor(&self, box_id: u64) -> bool {
        match self.try_anchor(box_id).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(%error, "no anchor this time");
                false
            }
        }
    }

    async fn try_anchor(&self, box_id: u64) -> anyhow::Result<bool> {
        self.anchors.store().forget(self.log.oldest())?;
        let next = self.anchors.store().next();
        let ids = self.log.ids(next, MAX_ANCHORED as usize).await?;
        let Some((first, _)) = ids.first().copied() else {
            return Ok(false);
        };
        let (count, ids): (_, Vec<Hash>) = (ids.len(), ids.into_iter().map(|(_, id)| id).collect());
        let tree = tokio::task::spawn_blocking(move || AnchorTree::new(&ids)).await?;
        let anchor = Anchor {
            first,
            count: u32::try_from(count)?,
            root: tree.root(),
        };
        let content = data_content(&anchor.to_bytes())?;
        let ready = self.chain.prepare_content(box_id, &content).await?;
        self.anchors.store().begin(&anchor, &tree, box_id, &ready)?;
        tracing::info!(first, count, fees = ready.fees, "anchoring");
        let more = count == MAX_ANCHORED as usize;
        Ok(self.send(first, ready).await? && more)
    }

    /// A transaction of an earlier run; it may never have left, and the network takes the same one once.
    async fn settle_earlier(&self) {
        let open = self.anchors.store().open_one();
        if let Some(open) = open
            && let Err(error) = self.send(open.first, open.ready).await
        {
            tracing::warn!(%error, "an earlier anchor is still open");
        }
    }

    /// Sends and waits. Says whether the anchor stands on the chain.
    async fn send(&self, first: u64, ready: Ready) -> anyhow::Result<bool> {
        // Whatever goes wrong here, it may have arrived; its fate tells.
        let sent = self.chain.send(&ready).await;
        loop {
            let fate = match self.chain.look(ready.sent).await {
                Ok(fate) => fate,
                Err(error) => {
                    tracing::warn!(%error, "asking for an anchor again");
                    None
                }
            };
            match (fate, &sent) {
                (Some(Fate::Written(indices)), _) => {
                    let index = indices.first().copied().unwrap_or_default();
                    self.anchors.store().written(first, index)?;
                    let metrics = &self.metrics;
                    metrics.anchors.inc();
                    metrics.chain_transactions.inc();
                    let fees = u64::try_from(ready.fees).unwrap_or_default();
                    metrics.chain_fees.inc_by(fees);
                    return Ok(true);
                }
                (Some(Fate::Fault(reason)), _) => {
                    self.anchors.store().remove(first)?;
                    anyhow::bail!("the contract refused it: {reason}");
                }
                (Some(Fate::Expired), _) => {
                    self.anchors.store().remove(first)?;
                    anyhow::bail!("no block took it while it was valid");
                }
                (None, Err(ChainError::Rejected(reason))) if ready.fees > 0 => {
                    self.anchors.store().remove(first)?;
                    anyhow::bail!("the node does not take it: {reason}");
                }
                (None, _) => sleep(PAUSE).await,
            }
        }
    }
}
