//! Fetches back what was found damaged, from others that hold it.
//!
//! A block whose checksum fails is no longer offered, but its place in its content stays known. All such places are looked
//! for after a read or a scrub that found damage, and once at the start; whoever gives a block that fits its content's root
//! has given the right one.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use phantasma_sdk::pdfs::{Client, Fetched, NodeAddress};
use tokio_util::sync::CancellationToken;

use crate::{
    state::{State, now_ms},
    store::{Content, ContentRoot, NewBlock, StoreError},
};

/// Contents looked at at once.
const PAGE: usize = 64;

/// Places of a content looked at at once.
const PLACES: usize = 1024;

/// Known nodes that are asked for a block, beside those that the DHT names.
const MAX_NEIGHBOURS: usize = 16;

/// After a look at everything so many times as long is rested, and this long at least.
const REST: u32 = 10;
const SHORTEST_REST: Duration = Duration::from_secs(1);

/// What could not be fetched is tried again after this long.
const AGAIN: Duration = Duration::from_secs(600);

/// Works until stopped. An error ends a look, not the node.
pub(crate) async fn run(client: Client, state: Arc<State>, stop: CancellationToken) {
    let work = async {
        loop {
            let begun = Instant::now();
            match everything(&client, &state).await {
                Ok(None) => {}
                Ok(Some((fetched, missing))) => {
                    tracing::info!(fetched, missing, "damaged blocks were fetched again");
                }
                Err(error) => tracing::error!(%error, "damaged blocks were not all fetched again"),
            }
            tokio::time::sleep((begun.elapsed() * REST).max(SHORTEST_REST)).await;
            let _ = tokio::time::timeout(AGAIN, state.mend.notified()).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

/// Looks at all places; gives how many blocks came and how many did not, or that none was missing.
async fn everything(client: &Client, state: &State) -> Result<Option<(u64, u64)>, StoreError> {
    let (mut fetched, mut missing, mut after) = (0, 0, None::<ContentRoot>);
    loop {
        let contents = state.store.contents(after.as_ref(), PAGE)?;
        let Some(last) = contents.last() else {
            break;
        };
        after = Some(last.root);
        for content in &contents {
            // What nobody pays for may go.
            if content.expiry_ms > now_ms() {
                let (came, not) = mend(client, state, content).await?;
                (fetched, missing) = (fetched + came, missing + not);
            }
        }
        tokio::task::yield_now().await;
    }
    Ok((fetched + missing > 0).then_some((fetched, missing)))
}

/// Fetches what is missing of one content.
async fn mend(client: &Client, state: &State, content: &Content) -> Result<(u64, u64), StoreError> {
    let (mut fetched, mut missing, mut from) = (0, 0, Some(0));
    let mut nodes: Option<Vec<NodeAddress>> = None;
    while let Some(start) = from {
        let (places, next) = state.store.missing(&content.root, start, PLACES)?;
        from = next;
        for index in places {
            let nodes = match &nodes {
                Some(nodes) => nodes,
                None => nodes.insert(holders(state, content).await),
            };
            match fetch(client, content, index, nodes).await {
                Some(block) => {
                    state.store.put(block).await?;
                    state.metrics.replicas.mended("done");
                    fetched += 1;
                }
                None => {
                    state.metrics.replicas.mended("nowhere");
                    missing += 1;
                }
            }
        }
    }
    Ok((fetched, missing))
}

/// Who may have a content.
async fn holders(state: &State, content: &Content) -> Vec<NodeAddress> {
    let mut nodes = state.holders(&content.root.0).await;
    nodes.extend(state.peers.known().into_iter().take(MAX_NEIGHBOURS));
    let by_key: HashMap<_, _> = nodes
        .into_iter()
        .map(|node| (node.public_key, node))
        .collect();
    by_key.into_values().collect()
}

/// A block from the first node that gives the right one.
async fn fetch(
    client: &Client,
    content: &Content,
    index: u64,
    nodes: &[NodeAddress],
) -> Option<NewBlock> {
    let block = u32::try_from(index).ok()?;
    for node in nodes {
        match client.query(node, &content.root.0, block).await {
            Ok(Fetched::Block { path, data }) => {
                match NewBlock::verify(*content, index, path, data) {
                    Ok(block) => return Some(block),
                    Err(error) => {
                        tracing::warn!(node = %node.address, %error, "a node gave a wrong block");
                    }
                }
            }
            Ok(Fetched::Elsewhere(_)) => {}
            Err(error) => tracing::debug!(%error, "no answer"),
        }
    }
    None
}
