//! What a node does to its own store without being asked: contents whose time is over go, space is taken back, everything
//! held is looked at again.

use std::{sync::Arc, time::Duration};

use phantasma_wire::Hash;
use tokio_util::sync::CancellationToken;

use crate::{
    chain::{CachedChain, ChainError, PaidContent},
    state::{State, now_ms},
    store::{Content, NewBlock, Reclaimed, Store, StoreError},
};

/// A content is kept so long after its time, for an owner who renews late.
const GRACE_MS: u64 = 24 * 3600 * 1000;

/// Contents looked at at once.
const PAGE: usize = 256;

/// How often and how fast.
#[derive(Debug, Clone, Copy)]
pub struct Upkeep {
    /// From the end of one round to the next.
    pub every: Duration,
    /// Bytes a second that the scrub reads; 0: no scrub.
    pub scrub_bytes_per_s: u64,
    /// Bytes a second that are moved to empty segments; 0: as fast as it goes.
    pub compact_bytes_per_s: u64,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(3600),
            // A terabyte in a day and a half.
            scrub_bytes_per_s: 8 << 20,
            compact_bytes_per_s: 16 << 20,
        }
    }
}

/// Why a round was broken off.
#[derive(Debug, thiserror::Error)]
pub enum UpkeepError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Chain(#[from] ChainError),
}

/// Rounds until stopped. An error ends a round, not the node.
pub(crate) async fn run(state: Arc<State>, how: Upkeep, stop: CancellationToken) {
    let (store, chain) = (&state.store, &state.chain);
    let work = async {
        loop {
            tokio::time::sleep(how.every).await;
            match collect(store, chain, now_ms(), how.compact_bytes_per_s).await {
                Ok((0, none)) if none == Reclaimed::default() => {}
                Ok((contents, reclaimed)) => {
                    tracing::info!(contents, ?reclaimed, "space taken back")
                }
                Err(error) => tracing::error!(%error, "no space was taken back"),
            }
            if how.scrub_bytes_per_s == 0 {
                continue;
            }
            match store.scrub(how.scrub_bytes_per_s).await {
                Ok(health) if health.is_good() => tracing::info!(?health, "looked at everything"),
                Ok(health) => {
                    tracing::error!(?health, "blocks are damaged or missing");
                    state.mend.notify_one();
                }
                Err(error) => tracing::error!(%error, "not everything could be looked at"),
            }
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Forgets contents whose time is over by the chain's word, and takes their space back. Gives how many went. A chain that
/// has a clock is believed and `now_ms` is not: a machine's clock that is wrong must not cost what is paid for.
///
/// # Errors
/// The chain cannot be asked, or the store fails; what was done until then stays done.
pub async fn collect(
    store: &Store,
    chain: &CachedChain,
    now_ms: u64,
    bytes_per_s: u64,
) -> Result<(u64, Reclaimed), UpkeepError> {
    let now_ms = chain.time_ms().await?.unwrap_or(now_ms);
    let is_over = |expiry_ms: u64| expiry_ms.saturating_add(GRACE_MS) <= now_ms;
    let (mut gone, mut after) = (0, None);
    loop {
        let page = store.contents(after.as_ref(), PAGE)?;
        let Some(last) = page.last() else {
            break;
        };
        after = Some(last.root);
        for content in page.iter().filter(|content| is_over(content.expiry_ms)) {
            // What is noted here is what was true at the upload; it may have been renewed since.
            match chain.content(&content.root.0).await? {
                Some(paid) if !is_over(paid.expiry_ms) => renew(store, content, paid).await?,
                Some(_) | None => {
                    store.drop_content(content.root).await?;
                    gone += 1;
                }
            }
        }
    }
    Ok((gone, store.reclaim(bytes_per_s).await?))
}

/// Notes the new end of a content's time durably: with one of its blocks, which is then in the store once more as a link.
async fn renew(store: &Store, content: &Content, paid: PaidContent) -> Result<(), StoreError> {
    let renewed = Content {
        expiry_ms: paid.expiry_ms,
        ..*content
    };
    for index in store.held(&content.root, 0, 1)? {
        let Some(place) = store.find(&content.root, index)? else {
            continue;
        };
        let Some(body) = store.get(place.id).await? else {
            continue;
        };
        match NewBlock::verify(renewed, index, place.path, body) {
            Ok(block) => drop(store.put(block).await?),
            Err(error) => {
                let root: Hash = content.root.0;
                tracing::error!(%error, root = hex::encode(root), "a stored block is not its content's");
            }
        }
    }
    Ok(())
}
