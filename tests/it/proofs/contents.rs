//! Contents too big to be made, and proofs of their chunks.

use phantasma_tests::torture::random::Random;
use phantasma_wire::merkle::{BlockTree, ContentTree, TreeBuilder};
use sha2::{Digest, Sha256};

pub(super) type Hash = [u8; 32];

const BLOCK: u64 = 262_144;

/// A content whose every chunk follows from its number. Only the blocks' ids are kept; a block is made again when a chunk
/// of it is asked for.
pub(super) struct Pattern {
    tree: ContentTree,
}

impl Pattern {
    pub(super) fn new(size: u64) -> Pattern {
        let mut builder = TreeBuilder::new();
        for block in 0..size.div_ceil(BLOCK) {
            builder.push(&block_of(size, block)).unwrap();
        }
        let tree = builder.finish().unwrap();
        assert_eq!(tree.shape().size(), size);
        Pattern { tree }
    }

    pub(super) fn root(&self) -> Hash {
        self.tree.root()
    }

    /// A chunk and its path to the root.
    pub(super) fn proof(&self, index: u64) -> (Vec<u8>, Vec<Hash>) {
        let (block, chunk) = (index / 256, (index % 256) as usize);
        let bytes = block_of(self.tree.shape().size(), block);
        let inner = BlockTree::new(&bytes).unwrap();
        let path = self.tree.chunk_path(block, &inner, chunk).unwrap();
        (bytes.chunks(1024).nth(chunk).unwrap().to_vec(), path)
    }
}

fn block_of(size: u64, block: u64) -> Vec<u8> {
    let length = (size - block * BLOCK).min(BLOCK);
    let mut random = Random::of_case(0x1024, block as usize);
    let mut bytes: Vec<u8> = (0..length.div_ceil(8))
        .flat_map(|_| random.next_u64().to_le_bytes())
        .collect();
    bytes.truncate(length as usize);
    bytes
}

/// A content of 2^n chunks, where a chunk says how many ones its number has in binary. Subtrees of equal height at places
/// with equally many ones are equal, so a content of 1 TiB has 496 different ones; and every number that differs in one bit
/// has another chunk.
pub(super) struct Ones {
    /// By height and ones above.
    roots: Vec<Vec<Hash>>,
}

impl Ones {
    pub(super) fn new(height: usize) -> Ones {
        let leaves = (0..=height).map(|ones| hash(&[&[0], &chunk_of(ones)]));
        let mut roots: Vec<Vec<Hash>> = vec![leaves.collect()];
        for _ in 0..height {
            let below = &roots[roots.len() - 1];
            let level = below.windows(2).map(|two| hash(&[&[1], &two[0], &two[1]]));
            let level = level.collect();
            roots.push(level);
        }
        Ones { roots }
    }

    pub(super) fn size(&self) -> u64 {
        1024 << (self.roots.len() - 1)
    }

    pub(super) fn root(&self) -> Hash {
        self.roots[self.roots.len() - 1][0]
    }

    pub(super) fn proof(&self, index: u64) -> (Vec<u8>, Vec<Hash>) {
        let levels = 0..self.roots.len() - 1;
        let path =
            levels.map(|level| self.roots[level][((index >> level) ^ 1).count_ones() as usize]);
        (chunk_of(index.count_ones() as usize), path.collect())
    }
}

fn chunk_of(ones: usize) -> Vec<u8> {
    vec![ones as u8; 1024]
}

fn hash(parts: &[&[u8]]) -> Hash {
    let mut digest = Sha256::new();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize().into()
}
