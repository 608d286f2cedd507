//! Tells the control plane which contents are here, behind the back of uploads.

use std::{collections::HashSet, sync::Arc};

use phantasma_net::control::ControlHandle;
use phantasma_wire::Hash;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{metrics::Metrics, state::State};

/// Roots waiting to be announced. Each block of a content asks again, so one that finds no place costs nothing.
pub(crate) const QUEUE: usize = 1024;

/// Contents read from the store at once when the node starts.
const PAGE: usize = 256;

/// Roots remembered as announced (3 MiB); beyond that some are announced twice, which is harmless.
const MAX_REMEMBERED: usize = 100_000;

/// Announces what the store holds, then each new content once. The control plane repeats it from time to time.
pub(crate) async fn run(
    control: ControlHandle,
    state: Arc<State>,
    mut fresh: mpsc::Receiver<Hash>,
    stop: CancellationToken,
) {
    let (store, metrics) = (&state.store, &state.metrics);
    let work = async {
        let mut done = HashSet::new();
        let mut after = None;
        loop {
            let page = match store.contents(after.as_ref(), PAGE) {
                Ok(page) => page,
                Err(error) => {
                    tracing::error!(%error, "the contents of the store are not announced");
                    break;
                }
            };
            for content in &page {
                announce(&control, metrics, &mut done, content.root.0).await;
            }
            match page.last() {
                Some(last) => after = Some(last.root),
                None => break,
            }
        }
        while let Some(root) = fresh.recv().await {
            announce(&control, metrics, &mut done, root).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

async fn announce(
    control: &ControlHandle,
    metrics: &Metrics,
    done: &mut HashSet<Hash>,
    root: Hash,
) {
    if done.contains(&root) {
        return;
    }
    match control.provide(root).await {
        Ok(()) => {
            if done.len() >= MAX_REMEMBERED {
                done.clear();
            }
            done.insert(root);
            metrics.announced.inc();
            tracing::debug!(root = hex::encode(root), "announced");
        }
        // Tried again with the next block, or at the next start.
        Err(error) => {
            tracing::warn!(%error, root = hex::encode(root), "a content was not announced")
        }
    }
}
