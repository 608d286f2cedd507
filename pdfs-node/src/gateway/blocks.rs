//! Where the gateway's blocks come from: this node's store, what was fetched a moment ago, other holders.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use bytes::Bytes;
use phantasma_sdk::{
    content::{ContentError, FetchedBlock, Source, fetch_block},
    pdfs::{Client, NodeAddress},
};
use phantasma_wire::Hash;

use super::metrics::GatewayMetrics;
use crate::{
    chain::ChainError,
    state::State,
    store::{Content, ContentRoot, Store, StoreError},
};

/// Fetched blocks that are kept: 16 MiB. A player asks for the same block in several ranges, and goes back.
const MAX_CACHED: usize = 64;

/// Holders of a content are not looked up again for this long.
const HOLDERS_KEPT: Duration = Duration::from_secs(30);

/// Contents whose holders are remembered.
const MAX_REMEMBERED: usize = 256;

/// Why a block, or a content, is not given.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Chain(#[from] ChainError),
    #[error(transparent)]
    Fetch(#[from] ContentError),
    #[error("a task that reads a block ended: {0}")]
    Task(String),
}

/// What all readers share.
pub(super) struct Blocks {
    state: Arc<State>,
    client: Client,
    cache: Mutex<Cache>,
    holders: Mutex<HashMap<Hash, (Instant, Vec<NodeAddress>)>>,
}

impl Blocks {
    pub(super) fn new(state: Arc<State>, client: Client) -> Self {
        Self {
            state,
            client,
            cache: Mutex::default(),
            holders: Mutex::default(),
        }
    }

    pub(super) fn metrics(&self) -> &GatewayMetrics {
        &self.state.metrics.gateway
    }

    /// The content with this root, as this node or the chain knows it.
    pub(super) async fn content(&self, root: ContentRoot) -> Result<Option<Content>, Failure> {
        if let Some(content) = self.state.store.content(&root)? {
            return Ok(Some(content));
        }
        let paid = self.state.chain.content(&root.0).await?;
        Ok(paid.map(|paid| Content {
            root,
            size: paid.size,
            expiry_ms: paid.expiry_ms,
        }))
    }

    /// The ciphertext of one block.
    pub(super) async fn block(&self, content: &Content, index: u64) -> Result<Bytes, Failure> {
        if let Some(data) = own(&self.state.store, content, index).await? {
            self.metrics().block("store");
            return Ok(data);
        }
        let key = (content.root.0, index);
        let cached = lock(&self.cache).get(&key);
        if let Some(data) = cached {
            self.metrics().block("cache");
            return Ok(data);
        }
        let fetched = self.fetch(content, index).await?;
        self.metrics().block("others");
        self.metrics().hedged(fetched.hedges);
        lock(&self.cache).put(key, fetched.data.clone());
        Ok(fetched.data)
    }

    /// Asks those who are said to hold the content, and after them everybody who is known. When none of them gives the
    /// block the holders are looked up anew, once, if they were only remembered: there may be others by now.
    async fn fetch(&self, content: &Content, index: u64) -> Result<FetchedBlock, Failure> {
        let (root, size) = (content.root.0, content.size);
        let known = self.state.peers.known();
        loop {
            let (nodes, remembered) = self.holders(&root).await;
            let source = Source { root, size, nodes };
            let fetched = fetch_block(&self.client, &source, &known, index).await;
            match fetched {
                Err(ContentError::NotFound { .. }) if remembered => {
                    lock(&self.holders).remove(&root);
                }
                fetched => return Ok(fetched?),
            }
        }
    }

    /// Who holds a content, and whether that was remembered only.
    async fn holders(&self, root: &Hash) -> (Vec<NodeAddress>, bool) {
        if let Some((since, nodes)) = lock(&self.holders).get(root)
            && since.elapsed() < HOLDERS_KEPT
        {
            return (nodes.clone(), true);
        }
        let nodes = self.state.holders(root).await;
        let mut remembered = lock(&self.holders);
        if remembered.len() >= MAX_REMEMBERED {
            remembered.retain(|_, (since, _)| since.elapsed() < HOLDERS_KEPT);
        }
        if remembered.len() < MAX_REMEMBERED {
            remembered.insert(*root, (Instant::now(), nodes.clone()));
        }
        (nodes, false)
    }
}

/// A block of this node's store, if it is there and whole.
async fn own(store: &Store, content: &Content, index: u64) -> Result<Option<Bytes>, StoreError> {
    let Some(place) = store.find(&content.root, index)? else {
        return Ok(None);
    };
    match store.get(place.id).await {
        // Others may have it whole; the operator hears of it.
        Err(error @ StoreError::Damaged { .. }) => {
            tracing::error!(%error, "a stored block is damaged");
            Ok(None)
        }
        other => other,
    }
}

/// Fetched blocks, the one used last in front. So few that looking through all of them costs nothing beside a block's hash.
#[derive(Default)]
struct Cache(VecDeque<((Hash, u64), Bytes)>);

impl Cache {
    fn get(&mut self, key: &(Hash, u64)) -> Option<Bytes> {
        let at = self.0.iter().position(|(cached, _)| cached == key)?;
        let entry = self.0.remove(at)?;
        let data = entry.1.clone();
        self.0.push_front(entry);
        Some(data)
    }

    fn put(&mut self, key: (Hash, u64), data: Bytes) {
        self.0.retain(|(cached, _)| *cached != key);
        self.0.push_front((key, data));
        self.0.truncate(MAX_CACHED);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_last_stays() {
        let mut cache = Cache::default();
        for n in 0..MAX_CACHED as u64 {
            cache.put(([1; 32], n), Bytes::from(vec![n as u8]));
        }
        assert!(cache.get(&([1; 32], 0)).is_some());
        cache.put(([2; 32], 0), Bytes::new());
        cache.put(([2; 32], 0), Bytes::new());
        assert_eq!(cache.0.len(), MAX_CACHED);
        assert_eq!(cache.get(&([1; 32], 0)).as_deref(), Some(&[0][..]));
        assert!(cache.get(&([1; 32], 1)).is_none());
        assert!(cache.get(&([1; 32], 2)).is_some());
    }
}
