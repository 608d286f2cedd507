//! Deletes copies of which there are more than wanted, once the others have given the block itself.

use std::collections::VecDeque;

use futures_util::{StreamExt, stream};
use phantasma_sdk::pdfs::NodeAddress;
use phantasma_wire::{PublicKey, replicas::BlockKey};

use super::{
    round::{Worker, candidate},
    trust::{Shown, show},
};
use crate::store::{ContentRoot, StoreError};

/// Blocks deleted in one round: with three others 12 MiB are fetched to be sure.
const A_ROUND: usize = 16;

/// Blocks that wait for it: 5 MiB.
const MAX_WAITING: usize = 100_000;

/// Holders that are asked for one block at once.
const AT_ONCE: usize = 4;

/// Blocks that shall go, and who else held each when that was decided.
pub(super) type Leaving = VecDeque<(BlockKey, Vec<PublicKey>)>;

impl Worker {
    /// Takes note of what the watch wants to drop.
    pub(super) fn will_leave(&mut self, key: BlockKey, others: Vec<PublicKey>) {
        if self.leaving.len() < MAX_WAITING {
            self.leaving.push_back((key, others));
        }
    }

    /// Deletes the next ones of which the others give a copy at this moment.
    pub(super) async fn leave(&mut self, now_ms: u64) -> Result<(), StoreError> {
        for _ in 0..A_ROUND {
            let Some((key, others)) = self.leaving.pop_front() else {
                return Ok(());
            };
            let sure = self.confirmed(&key, &others, now_ms).await?;
            let sure: Vec<_> = sure.iter().map(candidate).collect();
            if sure.len() < self.setup.wanted
                || !self.watch.is_surplus(&key, &sure, self.setup.wanted)
            {
                // It is watched again from the next look on.
                self.state.metrics.replicas.surplus("kept");
                continue;
            }
            self.delete(&key).await?;
            self.state.metrics.replicas.surplus("deleted");
        }
        Ok(())
    }

    /// Those of `others` that gave the block just now.
    pub(super) async fn confirmed(
        &mut self,
        key: &BlockKey,
        others: &[PublicKey],
        now_ms: u64,
    ) -> Result<Vec<NodeAddress>, StoreError> {
        let (store, root) = (&self.state.store, ContentRoot(key.root));
        let Some(place) = store.find(&root, u64::from(key.block))? else {
            return Ok(Vec::new());
        };
        let known = others.iter().filter_map(|node| self.addresses.get(node));
        let (client, id) = (&self.client, &place.id.0);
        let ask = |node: NodeAddress| async move {
            let shown = show(client, &node, &key.root, key.block, id).await;
            (node, shown)
        };
        let asked = stream::iter(known.cloned().collect::<Vec<_>>()).map(ask);
        let asked: Vec<_> = asked.buffer_unordered(AT_ONCE).collect().await;
        let mut sure = Vec::new();
        for (node, shown) in asked {
            if self.note(&node.public_key, shown, now_ms) {
                continue;
            }
            if shown == Shown::Right {
                sure.push(node);
            }
        }
        Ok(sure)
    }

    /// Deletes a copy here.
    pub(super) async fn delete(&mut self, key: &BlockKey) -> Result<(), StoreError> {
        let store = self.state.store.clone();
        let root = ContentRoot(key.root);
        store.drop_place(root, u64::from(key.block)).await?;
        self.watch.lost(key);
        tracing::info!(
            root = hex::encode(key.root),
            block = key.block,
            "a surplus copy was deleted"
        );
        if store.content(&root)?.is_none()
            && let Some(control) = &self.state.control
        {
            self.settling.remove(&key.root);
            let _ = control.stop_providing(key.root).await;
        }
        Ok(())
    }
}
