//! The second pass: from a prepared file to blocks on several nodes.

use std::{
    fs::File,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::FuturesUnordered};
use phantasma_wire::{Hash, merkle, pdfs::NodeAddress};
use tokio::task::JoinSet;

use super::{
    ContentError, ContentKey, Progress, blocking, by_trust, held::Held, prepare::Prepared,
};
use crate::pdfs::Client;

/// How a content is spread.
#[derive(Debug, Clone)]
pub struct PutOptions {
    /// Nodes that shall hold each block. Default 3: two may be lost.
    pub replicas: usize,
    /// Blocks on their way at once. Default 32: 8 MiB of memory, whatever the number of replicas.
    pub concurrency: usize,
    /// Ask the nodes first what they hold, and send only the rest. Default true; false saves a question to each node
    /// when the content cannot be there yet, as with a key just made.
    pub ask_first: bool,
}

impl Default for PutOptions {
    fn default() -> Self {
        Self {
            replicas: 3,
            concurrency: 32,
            ask_first: true,
        }
    }
}

/// What an upload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub blocks: u64,
    /// Replicas in all: blocks × replicas.
    pub replicas: u64,
    /// Those of them that were sent now; the others were at their nodes already.
    pub sent: u64,
}

/// Second pass: sends each block to `replicas` of the nodes, a failing one replaced by the next; what a node says it
/// holds is not sent to it again, so that an upload that broke off goes on where it was. `progress` is called after each
/// block.
///
/// # Errors
/// A block that reaches fewer nodes than wanted; a file that is not the prepared one any more.
pub async fn upload(
    client: &Client,
    nodes: &[NodeAddress],
    path: &Path,
    key: &ContentKey,
    prepared: &Prepared,
    options: &PutOptions,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<Stored, ContentError> {
    let file = File::open(path).map_err(|error| ContentError::File {
        action: "open",
        path: path.to_owned(),
        error,
    })?;
    let (root, blocks) = (prepared.root(), prepared.block_count());
    let held = match options.ask_first {
        true => Held::ask(client, nodes, &root, blocks).await,
        false => Held::default(),
    };
    let shared = Arc::new(Upload {
        client: client.clone(),
        nodes: nodes.to_vec(),
        file,
        path: path.to_owned(),
        key: key.clone(),
        prepared: prepared.clone(),
        root,
        wanted: options.replicas,
        held,
        stored_bytes: AtomicU64::new(0),
    });
    let (mut running, mut waiting) = (JoinSet::new(), 0..blocks);
    let mut done = Progress::of(prepared.size());
    let mut sent = 0;
    loop {
        while running.len() < options.concurrency.max(1)
            && let Some(block) = waiting.next()
        {
            running.spawn(shared.clone().block(block));
        }
        let Some(outcome) = running.join_next().await else {
            break;
        };
        let one = outcome.map_err(|error| ContentError::Task(error.to_string()))??;
        sent += one.sent;
        done.done_bytes += one.bytes;
        done.stored_bytes = shared.stored_bytes.load(Relaxed);
        progress(done);
    }
    Ok(Stored {
        blocks,
        replicas: blocks * options.replicas as u64,
        sent,
    })
}

/// What the tasks of one upload share.
struct Upload {
    client: Client,
    nodes: Vec<NodeAddress>,
    file: File,
    path: PathBuf,
    key: ContentKey,
    prepared: Prepared,
    root: Hash,
    wanted: usize,
    held: Held,
    /// Bytes that lie on a node at least.
    stored_bytes: AtomicU64,
}

/// A block that is where it shall be.
struct Spread {
    bytes: u64,
    sent: u64,
}

impl Upload {
    /// Stores one block on as many nodes as wanted.
    async fn block(self: Arc<Self>, block: u64) -> Result<Spread, ContentError> {
        let bytes = self.prepared.tree.shape().block_len(block)? as u64;
        let nodes = by_trust(&self.client, &self.nodes, &self.root, block).await;
        let (holders, candidates): (Vec<_>, Vec<_>) = nodes
            .into_iter()
            .partition(|node| self.held.has(&node.public_key, block));
        let stored = holders.len().min(self.wanted);
        if stored > 0 {
            self.stored_bytes.fetch_add(bytes, Relaxed);
        }
        let mut sent = 0;
        if stored < self.wanted {
            let this = self.clone();
            let encrypt = move || {
                let Upload {
                    prepared,
                    file,
                    path,
                    key,
                    ..
                } = &*this;
                prepared.encrypted(file, path, key, block)
            };
            let data = blocking(encrypt).await?;
            sent = self.spread(block, data, candidates, stored).await?;
        }
        Ok(Spread { bytes, sent })
    }

    /// Sends one block: to the first candidates at once, to the next ones in place of those that fail. `stored` nodes
    /// have it already. Gives the number of those that took it now.
    async fn spread(
        &self,
        block: u64,
        data: Bytes,
        candidates: Vec<NodeAddress>,
        mut stored: usize,
    ) -> Result<u64, ContentError> {
        let index =
            u32::try_from(block).map_err(|_| merkle::MerkleError::TooLarge { size: block })?;
        let path = self.prepared.tree.block_path(block)?;
        let send = |node: NodeAddress| {
            let (path, data) = (path.clone(), data.clone());
            async move {
                let sent = self.client.upload(&node, &self.root, index, path, data);
                let outcome = sent.await;
                if outcome
                    .as_ref()
                    .is_err_and(|error| error.refusal().is_none())
                {
                    self.client.suspect(&node.public_key).await;
                }
                outcome
            }
        };
        let (mut candidates, mut sent) = (candidates.into_iter(), 0);
        let first = candidates.by_ref().take(self.wanted - stored);
        let mut running: FuturesUnordered<_> = first.map(send).collect();
        let mut last = String::from("too few nodes are known");
        while stored < self.wanted {
            match running.next().await {
                Some(Ok(())) => {
                    if stored == 0 {
                        self.stored_bytes.fetch_add(data.len() as u64, Relaxed);
                    }
                    (stored, sent) = (stored + 1, sent + 1);
                }
                Some(Err(error)) => {
                    last = error.to_string();
                    running.extend(candidates.next().map(send));
                }
                None => {
                    return Err(ContentError::TooFewReplicas {
                        block,
                        stored,
                        wanted: self.wanted,
                        last,
                    });
                }
            }
        }
        Ok(sent)
    }
}
