//! From a file to blocks on several nodes.

use std::{
    fs::File,
    io::{BufReader, Read},
    os::unix::fs::FileExt,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream, stream::FuturesUnordered};
use phantasma_wire::{
    Hash,
    merkle::{self, BLOCK_SIZE, ContentTree, TreeBuilder},
    pdfs::NodeAddress,
};

use super::{ContentError, ContentKey, Progress, apply_cipher, ranked};
use crate::pdfs::Client;

/// What the first pass learned: the content's root and size, and the tree that gives each block its path.
#[derive(Debug, Clone)]
pub struct Prepared {
    tree: ContentTree,
}

impl Prepared {
    /// The content's id on the chain.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// Bytes of the ciphertext, and so of the file.
    pub fn size(&self) -> u64 {
        self.tree.shape().size()
    }

    pub fn block_count(&self) -> u64 {
        self.tree.shape().block_count()
    }
}

/// How a content is spread.
#[derive(Debug, Clone)]
pub struct PutOptions {
    /// Nodes that shall hold each block. Default 3: two may be lost.
    pub replicas: usize,
    /// Blocks on their way at once. Default 8: with 3 replicas 6 MiB in flight, and at most 2 MiB of memory.
    pub concurrency: usize,
}

impl Default for PutOptions {
    fn default() -> Self {
        Self {
            replicas: 3,
            concurrency: 8,
        }
    }
}

/// What an upload did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stored {
    pub blocks: u64,
    /// Replicas in all: blocks × replicas.
    pub replicas: u64,
}

/// First pass: reads the file once, encrypts, hashes. Keeps 32 bytes a block.
///
/// # Errors
/// The file cannot be read, is empty, or is over 1 TiB.
pub async fn prepare(path: &Path, key: &ContentKey) -> Result<Prepared, ContentError> {
    let (path, key) = (path.to_owned(), key.clone());
    blocking(move || {
        let failed = |action| {
            let path = path.clone();
            move |error| ContentError::File {
                action,
                path,
                error,
            }
        };
        let mut file =
            BufReader::with_capacity(BLOCK_SIZE, File::open(&path).map_err(failed("open"))?);
        let mut builder = TreeBuilder::new();
        let mut buffer = vec![0; BLOCK_SIZE];
        let mut offset = 0;
        loop {
            let len = file.read(&mut buffer).map_err(failed("read"))?;
            let Some(bytes) = buffer.get_mut(..len).filter(|bytes| !bytes.is_empty()) else {
                break;
            };
            apply_cipher(&key, offset, bytes);
            builder.push(bytes)?;
            offset += len as u64;
        }
        Ok(Prepared {
            tree: builder.finish()?,
        })
    })
    .await
}

/// Second pass: sends each block to `replicas` of the nodes, a failing one replaced by the next. `progress` is called
/// after each block.
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
    let (file, done) = (Arc::new(file), AtomicU64::new(0));
    let (root, total_bytes) = (prepared.root(), prepared.size());
    let each = |block| {
        let (file, done) = (file.clone(), &done);
        async move {
            let data = encrypt_block(file, path, key, prepared, block).await?;
            let len = data.len() as u64;
            let proof = prepared.tree.block_path(block)?;
            spread(client, nodes, &root, block, proof, data, options.replicas).await?;
            let done_bytes = done.fetch_add(len, Ordering::Relaxed) + len;
            progress(Progress {
                done_bytes,
                total_bytes,
            });
            Ok::<_, ContentError>(())
        }
    };
    stream::iter(0..prepared.block_count())
        .map(each)
        .buffer_unordered(options.concurrency.max(1))
        .try_collect::<()>()
        .await?;
    Ok(Stored {
        blocks: prepared.block_count(),
        replicas: prepared.block_count() * options.replicas as u64,
    })
}

/// Reads and encrypts one block, and makes sure that it is the one that was hashed: the same key must never encrypt a
/// second version of the file that leaves this machine.
async fn encrypt_block(
    file: Arc<File>,
    path: &Path,
    key: &ContentKey,
    prepared: &Prepared,
    block: u64,
) -> Result<Bytes, ContentError> {
    let len = prepared.tree.shape().block_len(block)?;
    let expected = usize::try_from(block)
        .ok()
        .and_then(|at| prepared.tree.block_ids().get(at).copied());
    let (path, key) = (path.to_owned(), key.clone());
    blocking(move || {
        let offset = block * BLOCK_SIZE as u64;
        let mut bytes = vec![0; len];
        match file.read_exact_at(&mut bytes, offset) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                return Err(ContentError::Changed { path, block });
            }
            Err(error) => {
                return Err(ContentError::File {
                    action: "read",
                    path,
                    error,
                });
            }
        }
        apply_cipher(&key, offset, &mut bytes);
        if Some(merkle::block_id(&bytes)?) != expected {
            return Err(ContentError::Changed { path, block });
        }
        Ok(bytes.into())
    })
    .await
}

/// Stores one block on `wanted` nodes: the first of its order at once, the next ones in place of those that fail.
async fn spread(
    client: &Client,
    nodes: &[NodeAddress],
    root: &Hash,
    block: u64,
    proof: Vec<Hash>,
    data: Bytes,
    wanted: usize,
) -> Result<(), ContentError> {
    let index = u32::try_from(block).map_err(|_| merkle::MerkleError::TooLarge { size: block })?;
    let (mut good, mut suspect) = (Vec::new(), Vec::new());
    for node in ranked(nodes, root, block) {
        let to = if client.is_suspect(&node.public_key).await {
            &mut suspect
        } else {
            &mut good
        };
        to.push(node);
    }
    let mut candidates = good.into_iter().chain(suspect);
    let send = |node: NodeAddress| {
        let (proof, data) = (proof.clone(), data.clone());
        async move {
            let outcome = client.upload(&node, root, index, proof, data).await;
            if outcome
                .as_ref()
                .is_err_and(|error| error.refusal().is_none())
            {
                client.suspect(&node.public_key).await;
            }
            outcome
        }
    };
    let mut running: FuturesUnordered<_> = candidates.by_ref().take(wanted).map(send).collect();
    let (mut stored, mut last) = (0, String::from("too few nodes are known"));
    while stored < wanted {
        match running.next().await {
            Some(Ok(())) => stored += 1,
            Some(Err(error)) => {
                last = error.to_string();
                running.extend(candidates.next().map(send));
            }
            None => {
                return Err(ContentError::TooFewReplicas {
                    block,
                    stored,
                    wanted,
                    last,
                });
            }
        }
    }
    Ok(())
}

pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ContentError> + Send + 'static,
) -> Result<T, ContentError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ContentError::Task(error.to_string()))?
}
