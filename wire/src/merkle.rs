//! The Merkle tree over a content's ciphertext (RFC 6962, section 2.1, with SHA-256).
//!
//! Leaves are chunks of 1 KiB: `SHA-256(00 ‖ chunk)`; nodes are `SHA-256(01 ‖ left ‖ right)`; the last chunk may be
//! short. A block is 256 chunks. 256 being a power of two, each block is a whole subtree, also the last, short one:
//! its root is the block's id, and the tree over block ids has the root of the tree over all chunks. So one root checks
//! both blocks and chunks.
//!
//! A root says nothing about the size; whoever verifies must know it from the chain.

use sha2::{Digest, Sha256};

use crate::Hash;

/// Bytes of a chunk: what a storage node proves to hold, small enough for a transaction.
pub const CHUNK_SIZE: usize = 1024;

/// Chunks of a whole block. A power of two, or blocks would not be subtrees.
pub const CHUNKS_PER_BLOCK: usize = 256;

/// Bytes of a block: what is stored, moved and found.
pub const BLOCK_SIZE: usize = CHUNK_SIZE * CHUNKS_PER_BLOCK;

/// Largest content: 1 TiB, whose tree keeps 2^22 block ids of 32 bytes and the levels above them: 256 MiB.
pub const MAX_CONTENT_SIZE: u64 = 1 << 40;

/// Most hashes in a block's path: log2 of the blocks of the largest content.
pub const MAX_BLOCK_PATH: usize = 22;

/// Most hashes in a chunk's path: the block's path and 8 levels inside the block.
pub const MAX_CHUNK_PATH: usize = MAX_BLOCK_PATH + 8;

/// Why a tree cannot be built or a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MerkleError {
    #[error("a content of 0 bytes has no tree")]
    Empty,
    #[error("a content of {size} bytes is over the limit of {MAX_CONTENT_SIZE}")]
    TooLarge { size: u64 },
    #[error("a block of {len} bytes is over {BLOCK_SIZE}")]
    BlockTooLarge { len: usize },
    #[error("no {what} {index}: there are {count}")]
    OutOfRange {
        what: &'static str,
        index: u64,
        count: u64,
    },
    #[error("{what} {index} has {got} bytes, expected {expected}")]
    WrongLength {
        what: &'static str,
        index: u64,
        got: usize,
        expected: usize,
    },
    #[error("path of {got} hashes does not fit {what} {index} of {count}")]
    WrongPath {
        what: &'static str,
        index: u64,
        count: u64,
        got: usize,
    },
    #[error("{what} {index} does not belong to the root")]
    Mismatch { what: &'static str, index: u64 },
}

/// How a content of a given size is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    size: u64,
}

impl Shape {
    /// The shape of `size` bytes. 0 and sizes over [`MAX_CONTENT_SIZE`] are refused.
    pub fn new(size: u64) -> Result<Self, MerkleError> {
        match size {
            0 => Err(MerkleError::Empty),
            size if size > MAX_CONTENT_SIZE => Err(MerkleError::TooLarge { size }),
            size => Ok(Self { size }),
        }
    }

    /// Bytes of the content.
    pub fn size(self) -> u64 {
        self.size
    }

    /// Number of blocks, at least 1.
    pub fn block_count(self) -> u64 {
        self.size.div_ceil(BLOCK_SIZE as u64)
    }

    /// Number of chunks, at least 1.
    pub fn chunk_count(self) -> u64 {
        self.size.div_ceil(CHUNK_SIZE as u64)
    }

    /// Bytes of block `index`: [`BLOCK_SIZE`] for all but the last.
    pub fn block_len(self, index: u64) -> Result<usize, MerkleError> {
        piece_len(self.size, BLOCK_SIZE, "block", index)
    }

    /// Bytes of chunk `index`, counted over the whole content: [`CHUNK_SIZE`] for all but the last.
    pub fn chunk_len(self, index: u64) -> Result<usize, MerkleError> {
        piece_len(self.size, CHUNK_SIZE, "chunk", index)
    }
}

/// The tree of one block: at most 256 chunk hashes, 8 KiB.
#[derive(Debug, Clone)]
pub struct BlockTree {
    leaves: Vec<Hash>,
}

impl BlockTree {
    /// The tree of a block of 1 to [`BLOCK_SIZE`] bytes.
    pub fn new(data: &[u8]) -> Result<Self, MerkleError> {
        match data.len() {
            0 => Err(MerkleError::Empty),
            len if len > BLOCK_SIZE => Err(MerkleError::BlockTooLarge { len }),
            _ => Ok(Self {
                leaves: data.chunks(CHUNK_SIZE).map(chunk_hash).collect(),
            }),
        }
    }

    /// The block's id: the root of its subtree.
    pub fn id(&self) -> Hash {
        root_of(&self.leaves)
    }

    /// Path from chunk `index` (counted inside the block) up to the block's id.
    pub fn chunk_path(&self, index: usize) -> Result<Vec<Hash>, MerkleError> {
        path_of(&self.leaves, "chunk", index as u64)
    }
}

/// The tree of a whole content: its size, its block ids in order, and all levels above them, so that a path is looked
/// up and not hashed again for each block. 64 bytes a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentTree {
    shape: Shape,
    /// Block ids first, the root alone last.
    levels: Vec<Vec<Hash>>,
}

impl ContentTree {
    /// The tree over known block ids; their number must be that of a content of `size` bytes.
    pub fn from_block_ids(size: u64, block_ids: Vec<Hash>) -> Result<Self, MerkleError> {
        let shape = Shape::new(size)?;
        let (index, count) = (block_ids.len() as u64, shape.block_count());
        if index != count {
            return Err(MerkleError::OutOfRange {
                what: "block",
                index,
                count,
            });
        }
        let mut levels = vec![block_ids];
        while let Some(top) = levels.last().filter(|top| top.len() > 1) {
            levels.push(level_above(top));
        }
        Ok(Self { shape, levels })
    }

    /// The content's id.
    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|top| top.first());
        top.copied().unwrap_or_default()
    }

    pub fn shape(&self) -> Shape {
        self.shape
    }

    pub fn block_ids(&self) -> &[Hash] {
        self.levels.first().map(Vec::as_slice).unwrap_or_default()
    }

    /// Path from block `index` up to the root.
    pub fn block_path(&self, index: u64) -> Result<Vec<Hash>, MerkleError> {
        let count = self.shape.block_count();
        if index >= count {
            return Err(MerkleError::OutOfRange {
                what: "block",
                index,
                count,
            });
        }
        // Below the number of blocks that are in memory, so a usize.
        let mut node = usize::try_from(index).unwrap_or(usize::MAX);
        let mut path = Vec::with_capacity(self.levels.len());
        for level in &self.levels {
            if level.len() > 1 {
                path.extend(level.get(node ^ 1));
            }
            node /= 2;
        }
        Ok(path)
    }

    /// Path from a chunk (counted inside its block) up to the root: the block's inner path, then the block's own.
    pub fn chunk_path(
        &self,
        block: u64,
        tree: &BlockTree,
        chunk: usize,
    ) -> Result<Vec<Hash>, MerkleError> {
        let mut path = tree.chunk_path(chunk)?;
        path.extend(self.block_path(block)?);
        Ok(path)
    }
}

/// Builds a [`ContentTree`] from bytes in pieces of any length, keeping one short chunk, 256 chunk hashes and the ids
/// of the blocks so far.
#[derive(Debug, Default)]
pub struct TreeBuilder {
    chunk: Vec<u8>,
    leaves: Vec<Hash>,
    block_ids: Vec<Hash>,
    size: u64,
}

impl TreeBuilder {
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes.
    pub fn push(&mut self, mut data: &[u8]) -> Result<(), MerkleError> {
        let size = self.size.saturating_add(data.len() as u64);
        if size > MAX_CONTENT_SIZE {
            return Err(MerkleError::TooLarge { size });
        }
        self.size = size;
        while !data.is_empty() {
            let (head, rest) = data.split_at(data.len().min(CHUNK_SIZE - self.chunk.len()));
            data = rest;
            if head.len() == CHUNK_SIZE {
                self.leaf(chunk_hash(head));
                continue;
            }
            self.chunk.extend_from_slice(head);
            if self.chunk.len() == CHUNK_SIZE {
                let hash = chunk_hash(&self.chunk);
                self.chunk.clear();
                self.leaf(hash);
            }
        }
        Ok(())
    }

    /// The tree over everything pushed; nothing pushed is refused.
    pub fn finish(mut self) -> Result<ContentTree, MerkleError> {
        if !self.chunk.is_empty() {
            self.leaves.push(chunk_hash(&self.chunk));
        }
        if !self.leaves.is_empty() {
            self.block_ids.push(root_of(&self.leaves));
        }
        ContentTree::from_block_ids(self.size, self.block_ids)
    }

    fn leaf(&mut self, hash: Hash) {
        self.leaves.push(hash);
        if self.leaves.len() == CHUNKS_PER_BLOCK {
            self.block_ids.push(root_of(&self.leaves));
            self.leaves.clear();
        }
    }
}

/// The hash of a leaf.
pub fn chunk_hash(chunk: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(chunk)
        .finalize()
        .into()
}

/// The id of a block of 1 to [`BLOCK_SIZE`] bytes.
pub fn block_id(data: &[u8]) -> Result<Hash, MerkleError> {
    Ok(BlockTree::new(data)?.id())
}

/// Checks that block `index` of the content with this root and size has this id.
pub fn verify_block(
    root: &Hash,
    size: u64,
    index: u64,
    block_id: &Hash,
    path: &[Hash],
) -> Result<(), MerkleError> {
    verify(
        "block",
        root,
        index,
        Shape::new(size)?.block_count(),
        *block_id,
        path,
    )
}

/// Checks a block's bytes: their length, and that they belong to the root. Returns the block's id.
pub fn verify_block_data(
    root: &Hash,
    size: u64,
    index: u64,
    data: &[u8],
    path: &[Hash],
) -> Result<Hash, MerkleError> {
    let expected = Shape::new(size)?.block_len(index)?;
    if data.len() != expected {
        return Err(MerkleError::WrongLength {
            what: "block",
            index,
            got: data.len(),
            expected,
        });
    }
    let id = block_id(data)?;
    verify_block(root, size, index, &id, path)?;
    Ok(id)
}

/// Checks that `chunk` is chunk `index` (counted over the whole content) of the content with this root and size.
pub fn verify_chunk(
    root: &Hash,
    size: u64,
    index: u64,
    chunk: &[u8],
    path: &[Hash],
) -> Result<(), MerkleError> {
    let shape = Shape::new(size)?;
    let expected = shape.chunk_len(index)?;
    if chunk.len() != expected {
        return Err(MerkleError::WrongLength {
            what: "chunk",
            index,
            got: chunk.len(),
            expected,
        });
    }
    verify(
        "chunk",
        root,
        index,
        shape.chunk_count(),
        chunk_hash(chunk),
        path,
    )
}

/// RFC 9162, section 2.1.3.2: walks up from the leaf; `last` is the rightmost node of the level, which has no sibling
/// (and so takes no hash of the path) when it is a left child.
fn verify(
    what: &'static str,
    root: &Hash,
    index: u64,
    count: u64,
    leaf: Hash,
    path: &[Hash],
) -> Result<(), MerkleError> {
    if root_over(what, index, count, leaf, path)? != *root {
        return Err(MerkleError::Mismatch { what, index });
    }
    Ok(())
}

/// The root that a leaf and its path lead to; a path of the wrong length leads nowhere.
pub(crate) fn root_over(
    what: &'static str,
    index: u64,
    count: u64,
    leaf: Hash,
    path: &[Hash],
) -> Result<Hash, MerkleError> {
    if index >= count {
        return Err(MerkleError::OutOfRange { what, index, count });
    }
    let wrong_path = || MerkleError::WrongPath {
        what,
        index,
        count,
        got: path.len(),
    };
    let (mut node, mut last, mut hash) = (index, count - 1, leaf);
    for sibling in path {
        if last == 0 {
            return Err(wrong_path());
        }
        if node % 2 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            while node % 2 == 0 && node != 0 {
                (node, last) = (node / 2, last / 2);
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        (node, last) = (node / 2, last / 2);
    }
    if last != 0 {
        return Err(wrong_path());
    }
    Ok(hash)
}

fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// Root over leaf hashes: pairs level by level, an odd last node moves up unchanged. That is the tree of RFC 6962.
fn root_of(leaves: &[Hash]) -> Hash {
    let (mut level, mut len) = (leaves.to_vec(), leaves.len());
    while len > 1 {
        // Each pair is read before its place is written: a node lies at or before the first of its pair.
        for at in 0..len.div_ceil(2) {
            let joined = match level.get(2 * at..len.min(2 * at + 2)) {
                Some([left, right]) => node_hash(left, right),
                Some([odd]) => *odd,
                _ => return Hash::default(),
            };
            if let Some(place) = level.get_mut(at) {
                *place = joined;
            }
        }
        len = len.div_ceil(2);
    }
    level.first().copied().unwrap_or_default()
}

fn path_of(leaves: &[Hash], what: &'static str, index: u64) -> Result<Vec<Hash>, MerkleError> {
    let count = leaves.len() as u64;
    let mut node = usize::try_from(index).unwrap_or(usize::MAX);
    if node >= leaves.len() {
        return Err(MerkleError::OutOfRange { what, index, count });
    }
    let (mut path, mut level) = (Vec::new(), leaves.to_vec());
    while level.len() > 1 {
        path.extend(level.get(node ^ 1));
        node /= 2;
        level = level_above(&level);
    }
    Ok(path)
}

/// All levels of the tree, from the leaves to the root, for whoever needs every path.
pub(crate) fn levels_over(leaves: Vec<Hash>) -> Vec<Vec<Hash>> {
    let mut levels = vec![leaves];
    while let Some(level) = levels.last()
        && level.len() > 1
    {
        levels.push(level_above(level));
    }
    levels
}

fn level_above(level: &[Hash]) -> Vec<Hash> {
    let join = |pair: &[Hash]| match pair {
        [left, right] => node_hash(left, right),
        _ => pair.first().copied().unwrap_or_default(),
    };
    level.chunks(2).map(join).collect()
}

fn piece_len(
    size: u64,
    piece: usize,
    what: &'static str,
    index: u64,
) -> Result<usize, MerkleError> {
    let count = size.div_ceil(piece as u64);
    if index >= count {
        return Err(MerkleError::OutOfRange { what, index, count });
    }
    // The difference is at most `piece`, which is a usize.
    let left = size - index * piece as u64;
    Ok(usize::try_from(left).unwrap_or(piece).min(piece))
}
