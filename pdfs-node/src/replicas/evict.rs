//! Makes room on a node that may keep only so much: what matters least goes first, and only what others have just given.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use phantasma_wire::{Hash, merkle::BLOCK_SIZE, replicas::BlockKey};

use super::round::Worker;
use crate::store::{ContentRoot, StoreError};

/// Of the quota, in percent: above the first, blocks go until what is needed is below the second.
const FULL_PERCENT: u64 = 90;
const ROOMY_PERCENT: u64 = 80;

/// Segments are emptied already when so little of them is not needed.
const WORTH_PERCENT: u64 = 95;

/// Blocks that go in one round.
const A_ROUND: usize = 16;

/// Blocks tried in one round; those that nobody else gives stay.
const TRIED: usize = 64;

/// Contents among which those that matter least are looked for.
const CONTENTS: usize = 256;

/// Priorities remembered: 4 MiB.
const MAX_REMEMBERED: usize = 100_000;

/// What the chain says of contents, lower being less important. It never changes.
pub(super) type Priorities = HashMap<Hash, u8>;

/// Blocks that went for lack of room, and shall not come back at once.
#[derive(Debug, Default)]
pub(crate) struct Evicted(Mutex<HashMap<BlockKey, Instant>>);

/// So long: others avoid this node for a copy for ten minutes each time.
const AWAY: Duration = Duration::from_secs(3600);

impl Evicted {
    fn insert(&self, key: BlockKey) {
        let mut evicted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if evicted.len() >= MAX_REMEMBERED {
            evicted.retain(|_, since| since.elapsed() < AWAY);
        }
        if evicted.len() < MAX_REMEMBERED {
            evicted.insert(key, Instant::now());
        }
    }

    /// Whether a block went a short while ago.
    pub(crate) fn contains(&self, key: &BlockKey) -> bool {
        let evicted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = evicted.get(key);
        since.is_some_and(|since| since.elapsed() < AWAY)
    }
}

impl Worker {
    /// When the store is nearly full, deletes copies of the least important contents. At least the minimum of other
    /// holders must give the block at this moment; they make good the copy that is missing then, on a node with room.
    pub(super) async fn make_room(&mut self, now_ms: u64) -> Result<(), StoreError> {
        let store = self.state.store.clone();
        let (used, quota) = store.room();
        if quota == u64::MAX || used < quota / 100 * FULL_PERCENT {
            return Ok(());
        }
        let goal = quota / 100 * ROOMY_PERCENT;
        let mut needed = store.needed()?;
        let (mut gone, mut tried) = (0, 0);
        if needed > goal {
            'contents: for root in self.least_important().await? {
                for block in store.held(&ContentRoot(root), 0, TRIED)? {
                    let block = u32::try_from(block).unwrap_or(u32::MAX);
                    let key = BlockKey { root, block };
                    if needed <= goal || gone == A_ROUND || tried == TRIED {
                        break 'contents;
                    }
                    tried += 1;
                    let Some(bytes) = self.evict(&key, now_ms).await? else {
                        continue;
                    };
                    (needed, gone) = (needed.saturating_sub(bytes), gone + 1);
                }
            }
        }
        let reclaimed = store.reclaim_worth(0, WORTH_PERCENT).await?;
        tracing::info!(used, quota, needed, gone, ?reclaimed, "made room");
        Ok(())
    }

    /// Deletes a copy if enough others have it; gives about how many bytes that were.
    async fn evict(&mut self, key: &BlockKey, now_ms: u64) -> Result<Option<u64>, StoreError> {
        let others: Vec<_> = self
            .watch
            .others(key)
            .iter()
            .map(|c| c.public_key)
            .collect();
        let least = self.setup.policy.minimum.max(1);
        if others.len() < least {
            return Ok(None);
        }
        let sure = self.confirmed(key, &others, now_ms).await?;
        if sure.len() < least {
            self.state.metrics.replicas.evicted("kept");
            return Ok(None);
        }
        // Whoever is short of a copy now shall not send it back here.
        self.state.evicted.insert(*key);
        self.delete(key).await?;
        self.state.metrics.replicas.evicted("done");
        Ok(Some(BLOCK_SIZE as u64))
    }

    /// Some contents, those first that their owners pay least for.
    async fn least_important(&mut self) -> Result<Vec<Hash>, StoreError> {
        let mut roots = Vec::new();
        for content in self.state.store.contents(self.after.as_ref(), CONTENTS)? {
            roots.push(content.root.0);
        }
        for content in self.state.store.contents(None, CONTENTS - roots.len())? {
            if !roots.contains(&content.root.0) {
                roots.push(content.root.0);
            }
        }
        for root in &roots {
            if self.priorities.contains_key(root) {
                continue;
            }
            match self.state.chain.priority(root).await {
                Ok(priority) => {
                    if self.priorities.len() >= MAX_REMEMBERED {
                        self.priorities.clear();
                    }
                    self.priorities.insert(*root, priority);
                }
                Err(error) => tracing::warn!(%error, "a content's priority is not known"),
            }
        }
        // Of what is not known nothing goes.
        roots.retain(|root| self.priorities.contains_key(root));
        roots.sort_by_key(|root| self.priorities.get(root).copied());
        Ok(roots)
    }
}
