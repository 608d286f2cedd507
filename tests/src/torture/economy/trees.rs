//! Contents whose proofs cost nothing to make, and in which no two chunks whose numbers differ in one bit are equal.

use sha2::{Digest, Sha256};

/// SHA-256.
pub type Hash = [u8; 32];

/// Bytes of a chunk.
const CHUNK: u64 = 1024;

/// A content.
#[derive(Debug)]
pub enum Content {
    /// All hashes by level, leaves first.
    Small {
        /// Bytes.
        size: u64,
        /// Hashes by level; a level's last node without a sibling goes up as it is.
        levels: Vec<Vec<Hash>>,
    },
    /// See [`Ones`].
    Ones(Ones),
}

impl Content {
    /// A content of few chunks.
    pub fn small(size: u64) -> Content {
        let count = size.div_ceil(CHUNK);
        let leaves = (0..count).map(|index| hash(&[&[0], &small_chunk(size, index)]));
        let mut levels: Vec<Vec<Hash>> = vec![leaves.collect()];
        while levels[levels.len() - 1].len() > 1 {
            let below = &levels[levels.len() - 1];
            let above = below.chunks(2).map(|two| match two {
                [left, right] => hash(&[&[1], left, right]),
                alone => alone[0],
            });
            let above = above.collect();
            levels.push(above);
        }
        Content::Small { size, levels }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        match self {
            Content::Small { size, .. } => *size,
            Content::Ones(ones) => ones.size(),
        }
    }

    /// The content's id.
    pub fn root(&self) -> Hash {
        match self {
            Content::Small { levels, .. } => levels[levels.len() - 1][0],
            Content::Ones(ones) => ones.root(),
        }
    }

    /// A chunk and its path to the root.
    pub fn proof(&self, index: u64) -> (Vec<u8>, Vec<Hash>) {
        match self {
            Content::Small { size, levels } => {
                let siblings = levels.iter().enumerate();
                let path = siblings.filter_map(|(level, hashes)| {
                    hashes.get(((index >> level) ^ 1) as usize).copied()
                });
                (small_chunk(*size, index), path.collect())
            }
            Content::Ones(ones) => ones.proof(index),
        }
    }
}

fn small_chunk(size: u64, index: u64) -> Vec<u8> {
    let length = (size - index * CHUNK).min(CHUNK);
    (0..length).map(|i| (index as u8) ^ (i as u8)).collect()
}

/// A content of 2^n chunks, where a chunk says how many ones its number has in binary. Subtrees of equal height at places
/// with equally many ones are equal, so a content of 1 TiB has 496 different ones; and every number that differs in one bit
/// has another chunk.
#[derive(Debug)]
pub struct Ones {
    /// By height and ones above.
    roots: Vec<Vec<Hash>>,
}

impl Ones {
    /// Of 2^`height` chunks.
    pub fn new(height: usize) -> Ones {
        let leaves = (0..=height).map(|ones| hash(&[&[0], &chunk_of(ones)]));
        let mut roots: Vec<Vec<Hash>> = vec![leaves.collect()];
        for _ in 0..height {
            let below = &roots[roots.len() - 1];
            let level = below.windows(2);
            let level = level.map(|two| hash(&[&[1], &two[0], &two[1]])).collect();
            roots.push(level);
        }
        Ones { roots }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        CHUNK << (self.roots.len() - 1)
    }

    /// The content's id.
    pub fn root(&self) -> Hash {
        self.roots[self.roots.len() - 1][0]
    }

    /// A chunk and its path to the root.
    pub fn proof(&self, index: u64) -> (Vec<u8>, Vec<Hash>) {
        let levels = 0..self.roots.len() - 1;
        let path =
            levels.map(|level| self.roots[level][((index >> level) ^ 1).count_ones() as usize]);
        (chunk_of(index.count_ones() as usize), path.collect())
    }
}

fn chunk_of(ones: usize) -> Vec<u8> {
    vec![ones as u8; CHUNK as usize]
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().into()
}
