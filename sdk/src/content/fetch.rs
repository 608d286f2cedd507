//! One block from whichever holder gives it first, verified and still encrypted: for those who hold no key.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use phantasma_wire::{Hash, PublicKey, merkle, pdfs::NodeAddress};
use tokio::task::JoinSet;

use super::{ContentError, Source, blocking, by_trust, get::MAX_ASKED};
use crate::pdfs::{Client, Fetched};

/// When the holder that was asked last has not answered for this long, one more is asked: some round trips around the
/// world, and little beside the seconds after which a dead node is known to be dead.
pub const HEDGE_AFTER: Duration = Duration::from_millis(250);

/// Holders that are asked for one block at the same time, at most: one block is moved so many times in the worst case.
pub const HEDGE_WIDTH: usize = 3;

/// A block that fits its content's root.
#[derive(Debug, Clone)]
pub struct FetchedBlock {
    /// Ciphertext.
    pub data: Bytes,
    /// Holders that were asked because another one was slow.
    pub hedges: usize,
}

/// Fetches block `index` of a content. Its nodes are asked in the order that writers use, `others` after them; while none
/// answers, one more every [`HEDGE_AFTER`], [`HEDGE_WIDTH`] at once. Those that lose are not waited for: they end on their own within the client's
/// timeouts, so that a dead one is found out and asked last from then on.
///
/// # Errors
/// A block outside of the content; a block that no node gives.
pub async fn fetch_block(
    client: &Client,
    source: &Source,
    others: &[NodeAddress],
    index: u64,
) -> Result<FetchedBlock, ContentError> {
    let shape = merkle::Shape::new(source.size)?;
    shape.block_len(index)?;
    let mut waiting = by_trust(client, &source.nodes, &source.root, index).await;
    waiting.extend(by_trust(client, others, &source.root, index).await);
    let mut search = Search {
        client,
        root: source.root,
        size: source.size,
        index,
        waiting: waiting.into(),
        asked: HashSet::new(),
        running: JoinSet::new(),
    };
    let mut last = String::from("no node is known");
    let mut hedges = 0;
    loop {
        if search.running.is_empty() && !search.ask_next() {
            return Err(ContentError::NotFound {
                block: index,
                asked: search.asked.len(),
                last,
            });
        }
        tokio::select! {
            biased;
            Some(ended) = search.running.join_next() => {
                match ended.map_err(|error| ContentError::Task(error.to_string()))? {
                    Outcome::Found(data) => {
                        search.running.detach_all();
                        return Ok(FetchedBlock { data, hedges });
                    }
                    Outcome::Elsewhere(why, holders) => {
                        last = why;
                        search.waiting.extend(holders);
                    }
                    Outcome::Failed(why) => last = why,
                }
            }
            () = tokio::time::sleep(HEDGE_AFTER), if search.running.len() < HEDGE_WIDTH => {
                hedges += usize::from(search.ask_next());
            }
        }
    }
}

/// How asking one node ended.
enum Outcome {
    Found(Bytes),
    /// It has no such block, and says who may.
    Elsewhere(String, Vec<NodeAddress>),
    Failed(String),
}

struct Search<'a> {
    client: &'a Client,
    root: Hash,
    size: u64,
    index: u64,
    waiting: VecDeque<NodeAddress>,
    asked: HashSet<PublicKey>,
    running: JoinSet<Outcome>,
}

impl Search<'_> {
    /// Asks the next node that was not asked yet; false when there is none.
    fn ask_next(&mut self) -> bool {
        while self.asked.len() < MAX_ASKED
            && let Some(node) = self.waiting.pop_front()
        {
            if self.asked.insert(node.public_key) {
                let (client, root) = (self.client.clone(), self.root);
                let asking = ask(client, node, root, self.size, self.index);
                self.running.spawn(asking);
                return true;
            }
        }
        false
    }
}

/// Asks one node, and verifies what it gives. One that fails or lies is remembered by the client.
async fn ask(client: Client, node: NodeAddress, root: Hash, size: u64, index: u64) -> Outcome {
    // The shape was looked at before, and the largest content has 2^22 blocks.
    let number = u32::try_from(index).unwrap_or(u32::MAX);
    let (path, data) = match client.query(&node, &root, number).await {
        Ok(Fetched::Block { path, data }) => (path, data),
        Ok(Fetched::Elsewhere(holders)) => {
            return Outcome::Elsewhere(format!("node {} does not hold it", node.address), holders);
        }
        Err(error) => {
            tracing::debug!(index, %error, "a node failed");
            if error.refusal().is_none() {
                client.suspect(&node.public_key).await;
            }
            return Outcome::Failed(error.to_string());
        }
    };
    let checked = blocking(move || {
        let id = merkle::verify_block_data(&root, size, index, &data, &path);
        Ok(id.map(|_| data))
    });
    match checked.await {
        Ok(Ok(data)) => Outcome::Found(data),
        Ok(Err(error)) => {
            tracing::warn!(node = %node.address, index, %error, "a node gave a wrong block");
            client.suspect(&node.public_key).await;
            Outcome::Failed(format!("node {} gave a wrong block: {error}", node.address))
        }
        Err(error) => Outcome::Failed(error.to_string()),
    }
}
