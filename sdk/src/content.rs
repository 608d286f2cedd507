//! Files as contents: encrypted, cut into blocks under one Merkle root, kept on several nodes, read back verified.
//!
//! A content is put in two passes, so that memory stays small whatever the size (80 bytes a block and what is on its
//! way): [`prepare`] encrypts and hashes on all cores, which gives the root and size to create on the chain; [`upload`]
//! encrypts again and sends each block to the nodes that do not have it yet. An upload that broke off is begun again with
//! the same key and sends only what is missing; [`UploadLog`] remembers which content a file was to become.
//! [`download`], [`read_range`] and [`read_stream`] take blocks from whoever holds them, believe no node, and check each
//! block against the root before a byte is decrypted.
//!
//! ```no_run
//! # use phantasma_sdk::{content::{self, ContentKey, PutOptions}, pdfs::{Client, NodeAddress}};
//! # async fn example(client: Client, nodes: Vec<NodeAddress>) -> Result<(), content::ContentError> {
//! let key = ContentKey::random();
//! let prepared = content::prepare("film.mkv".as_ref(), &key).await?;
//! // ... contract.create_content(owner, prepared.root(), prepared.size(), ...) ...
//! content::upload(&client, &nodes, "film.mkv".as_ref(), &key, &prepared, &PutOptions::default(), &|_| ()).await?;
//! let source = content::Source { root: prepared.root(), size: prepared.size(), nodes };
//! content::download(&client, &source, &key, "copy.mkv".as_ref(), &|_| ()).await?;
//! # Ok(()) }
//! ```

mod cipher;
mod fetch;
mod get;
mod held;
mod prepare;
mod put;
mod resume;
mod show;

use std::{io, path::PathBuf};

use phantasma_wire::{
    Hash,
    merkle::MerkleError,
    pdfs::NodeAddress,
    replicas::{BlockKey, rank},
};

use crate::pdfs::{Client, PdfsError};

pub use cipher::{ContentKey, KeyError, apply_cipher};
pub use fetch::{FetchedBlock, HEDGE_AFTER, HEDGE_WIDTH, fetch_block};
pub(crate) use get::Unfinished;
pub use get::{Source, download, read_range, read_stream};
pub use held::{Spread, spread};
pub use prepare::{Prepared, prepare};
pub use put::{PutOptions, Stored, upload};
pub use resume::UploadLog;
pub use show::show_chunk;

/// How far it is, for progress bars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Read, or on as many nodes as wanted.
    pub done_bytes: u64,
    /// Read, or durable on one node at least.
    pub stored_bytes: u64,
    pub total_bytes: u64,
}

impl Progress {
    pub(crate) fn of(total_bytes: u64) -> Self {
        Self {
            done_bytes: 0,
            stored_bytes: 0,
            total_bytes,
        }
    }
}

/// Why a content was not put or not read.
#[derive(Debug, thiserror::Error)]
pub enum ContentError {
    #[error("{action} {path}: {error}")]
    File {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    #[error("{path} changed while it was uploaded (block {block}): put it again")]
    Changed { path: PathBuf, block: u64 },
    #[error("block {block} is on {stored} of {wanted} nodes; last error: {last}")]
    TooFewReplicas {
        block: u64,
        stored: usize,
        wanted: usize,
        last: String,
    },
    #[error("block {block} is at none of the {asked} nodes asked; last error: {last}")]
    NotFound {
        block: u64,
        asked: usize,
        last: String,
    },
    #[error("bytes {start}..{end} are not inside a content of {size} bytes")]
    Range { start: u64, end: u64, size: u64 },
    #[error(transparent)]
    Node(#[from] PdfsError),
    #[error("a task of the pipeline ended: {0}")]
    Task(String),
    #[error("the cryptography library refuses: {0}")]
    Crypto(&'static str),
    #[error("{path} is not an upload log: {reason}; remove it to begin all uploads anew")]
    Log { path: PathBuf, reason: String },
}

/// Nodes in the order in which they are asked for a block: the same for writers and readers, and spread evenly over the
/// nodes by hashing (rendezvous), so that most blocks are at the first node asked.
fn ranked(nodes: &[NodeAddress], root: &Hash, block: u64) -> Vec<NodeAddress> {
    let key = BlockKey {
        root: *root,
        // The largest content has 2^22 blocks.
        block: u32::try_from(block).unwrap_or(u32::MAX),
    };
    let mut ranked = nodes.to_vec();
    ranked.sort_by_cached_key(|node| rank(&key, &node.public_key));
    ranked.dedup_by_key(|node| node.public_key);
    ranked
}

/// As [`ranked`], those that failed a short while ago last.
async fn by_trust(
    client: &Client,
    nodes: &[NodeAddress],
    root: &Hash,
    block: u64,
) -> Vec<NodeAddress> {
    let (mut good, mut suspect) = (Vec::with_capacity(nodes.len()), Vec::new());
    for node in ranked(nodes, root, block) {
        match client.is_suspect(&node.public_key).await {
            true => suspect.push(node),
            false => good.push(node),
        }
    }
    good.append(&mut suspect);
    good
}

/// Runs work that would hold up the network's tasks on a thread for such.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ContentError> + Send + 'static,
) -> Result<T, ContentError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ContentError::Task(error.to_string()))?
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn nodes(count: u8) -> Vec<NodeAddress> {
        let node = |n| NodeAddress {
            public_key: [n; 33],
            address: format!("node{n}:1"),
        };
        (0..count).map(node).collect()
    }

    #[test]
    fn the_order_of_nodes_depends_on_the_block_only() {
        let mut shuffled = nodes(5);
        shuffled.reverse();
        shuffled.extend(nodes(5));
        assert_eq!(
            ranked(&nodes(5), &[1; 32], 7),
            ranked(&shuffled, &[1; 32], 7)
        );
    }

    #[test]
    fn blocks_are_spread_over_all_nodes() {
        let mut first = [0; 5];
        for block in 0..1000 {
            first[usize::from(ranked(&nodes(5), &[1; 32], block)[0].public_key[0])] += 1;
        }
        assert!(
            first.iter().all(|count| (150..250).contains(count)),
            "{first:?}"
        );
    }
}
