//! Contents, their roots, and paths of blocks and chunks.

use phantasma_wire::Hash;
use phantasma_wire::merkle::{
    BLOCK_SIZE, BlockTree, CHUNK_SIZE, CHUNKS_PER_BLOCK, TreeBuilder, chunk_hash, verify_block,
    verify_chunk,
};
use serde_json::{Value, json};

use super::{hexes, pattern};

/// One chunk, whole chunks, a short last one; one block, a short second one, an odd number of blocks.
const SIZES: [usize; 7] = [1, 1024, 1025, 5000, BLOCK_SIZE, BLOCK_SIZE + 1, 700_001];

pub(super) fn made() -> Value {
    json!({ "contents": SIZES.map(content), "refused": refused() })
}

fn content(size: usize) -> Value {
    let data = pattern(size);
    let mut builder = TreeBuilder::new();
    builder
        .push(&data)
        .expect("a content that is not too large");
    let tree = builder.finish().expect("a content that is not empty");
    let (root, shape) = (tree.root(), tree.shape());
    let block = |index: usize| {
        let path = tree
            .block_path(index as u64)
            .expect("a block that there is");
        let id = tree.block_ids()[index];
        verify_block(&root, size as u64, index as u64, &id, &path).expect("a path that holds");
        json!({ "index": index, "id": hex::encode(id), "path": hexes(&path) })
    };
    let chunk = |index: usize| {
        let (block, inside) = (index / CHUNKS_PER_BLOCK, index % CHUNKS_PER_BLOCK);
        let bytes = &data[block * BLOCK_SIZE..size.min((block + 1) * BLOCK_SIZE)];
        let inner = BlockTree::new(bytes).expect("a block");
        let path = tree
            .chunk_path(block as u64, &inner, inside)
            .expect("a chunk that there is");
        let chunk = &data[index * CHUNK_SIZE..size.min((index + 1) * CHUNK_SIZE)];
        verify_chunk(&root, size as u64, index as u64, chunk, &path).expect("a path that holds");
        json!({
            "index": index,
            "hash": hex::encode(chunk_hash(chunk)),
            "path": hexes(&path),
        })
    };
    let chunks = shape.chunk_count() as usize;
    let mut chosen = vec![0, 1, 2, 3, 4, 255, 256, 300, 511, 512, chunks - 1];
    chosen.retain(|index| *index < chunks);
    chosen.sort_unstable();
    chosen.dedup();
    json!({
        "size": size,
        "root": hex::encode(root),
        "blocks": (0..shape.block_count() as usize).map(block).collect::<Vec<_>>(),
        "chunks": chosen.into_iter().map(chunk).collect::<Vec<_>>(),
    })
}

/// Paths of blocks that do not hold: a hash too few, one too many, of another block.
fn refused() -> Vec<Value> {
    let size = 700_001;
    let mut builder = TreeBuilder::new();
    builder.push(&pattern(size)).expect("a content");
    let tree = builder.finish().expect("a content");
    let path = |index| tree.block_path(index).expect("a block");
    let case = |why: &str, index: u64, path: Vec<Hash>| {
        let (root, id) = (tree.root(), tree.block_ids()[index as usize]);
        assert!(verify_block(&root, size as u64, index, &id, &path).is_err());
        json!({
            "why": why, "size": size, "root": hex::encode(root), "index": index,
            "id": hex::encode(id), "path": hexes(&path),
        })
    };
    let mut longer = path(0);
    longer.push([0; 32]);
    vec![
        case("a hash too few", 0, path(0)[..1].to_vec()),
        case("a hash too many", 0, longer),
        case("the path of another block", 1, path(0)),
    ]
}
