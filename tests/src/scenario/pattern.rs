//! A content too big to be held, and proofs of its chunks.

use phantasma_wire::Hash;
use phantasma_wire::merkle::{BlockTree, ContentTree, TreeBuilder};

use crate::torture::random::Random;

const BLOCK: u64 = 262_144;

/// A content whose every chunk follows from its number. Only the blocks' ids are kept; a block is made again when a chunk
/// of it is asked for.
#[derive(Debug)]
pub struct Pattern {
    tree: ContentTree,
}

impl Pattern {
    /// A content of so many bytes.
    pub fn new(size: u64) -> Pattern {
        let mut builder = TreeBuilder::new();
        for block in 0..size.div_ceil(BLOCK) {
            builder.push(&block_of(size, block)).unwrap();
        }
        let tree = builder.finish().unwrap();
        assert_eq!(tree.shape().size(), size);
        Pattern { tree }
    }

    /// The content's id.
    pub fn root(&self) -> Hash {
        self.tree.root()
    }

    /// A chunk and its path to the root.
    pub fn proof(&self, index: u64) -> (Vec<u8>, Vec<Hash>) {
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
