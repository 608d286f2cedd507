//! The chunk that was drawn, out of the store.

use phantasma_sdk::proofs::ShownChunk;
use phantasma_wire::{
    Hash,
    merkle::{self, BlockTree, CHUNK_SIZE, CHUNKS_PER_BLOCK, MerkleError},
};

use crate::store::{ContentRoot, Store, StoreError};

/// Why a chunk cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoChunk {
    #[error("block {block} of content {} is not here", hex::encode(.root))]
    NotHeld { root: Hash, block: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("what is stored is not of the content: {0}")]
    Merkle(#[from] MerkleError),
}

/// Chunk `index`, counted over the whole content, and its path to the root; checked as the contract will.
pub(super) async fn read(
    store: &Store,
    root: &Hash,
    size: u64,
    index: u64,
) -> Result<ShownChunk, NoChunk> {
    let block = index / CHUNKS_PER_BLOCK as u64;
    let missing = || NoChunk::NotHeld { root: *root, block };
    let place = store.find(&ContentRoot(*root), block)?;
    let place = place.ok_or_else(missing)?;
    let body = store.get(place.id).await?.ok_or_else(missing)?;
    // Below the chunks of a block, so a usize.
    let inside = (index % CHUNKS_PER_BLOCK as u64) as usize;
    let tree = BlockTree::new(&body)?;
    let mut path = tree.chunk_path(inside)?;
    path.extend(place.path);
    let chunk = body.chunks(CHUNK_SIZE).nth(inside).unwrap_or_default();
    merkle::verify_chunk(root, size, index, chunk, &path)?;
    Ok(ShownChunk {
        chunk: chunk.to_vec(),
        path,
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::{Content, NewBlock, Options};
    use phantasma_wire::merkle::{BLOCK_SIZE, TreeBuilder};

    #[tokio::test]
    async fn every_chunk_is_shown_with_its_path_and_a_flipped_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(&Options::new(dir.path())).unwrap();
        // Three blocks, the last one short, its last chunk shorter.
        let data: Vec<u8> = (0..600_001_u32).map(|n| (n / 7) as u8).collect();
        let mut builder = TreeBuilder::new();
        builder.push(&data).unwrap();
        let tree = builder.finish().unwrap();
        let (root, size) = (tree.root(), data.len() as u64);
        let content = Content {
            root: ContentRoot(root),
            size,
            expiry_ms: u64::MAX,
        };
        for (n, block) in data.chunks(BLOCK_SIZE).enumerate().take(2) {
            let path = tree.block_path(n as u64).unwrap();
            let block = NewBlock::verify(content, n as u64, path, block.to_vec().into());
            store.put(block.unwrap()).await.unwrap();
        }
        let missing = read(&store, &root, size, 585).await.unwrap_err();
        assert!(
            matches!(missing, NoChunk::NotHeld { block: 2, .. }),
            "{missing}"
        );
        let last = data[2 * BLOCK_SIZE..].to_vec();
        let path = tree.block_path(2).unwrap();
        let last = NewBlock::verify(content, 2, path, last.into()).unwrap();
        store.put(last).await.unwrap();
        for index in [0, 1, 255, 256, 511, 512, 585] {
            let shown = read(&store, &root, size, index).await.unwrap();
            let start = index as usize * 1024;
            assert_eq!(shown.chunk, data[start..data.len().min(start + 1024)]);
            merkle::verify_chunk(&root, size, index, &shown.chunk, &shown.path).unwrap();
        }
        assert!(
            read(&store, &root, size, 586).await.is_err(),
            "past the end"
        );

        let segment = dir.path().join("segments/00000001.seg");
        let mut bytes = std::fs::read(&segment).unwrap();
        // Behind the last record of a store in use lie zeros.
        let at = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[at] ^= 4;
        std::fs::write(&segment, bytes).unwrap();
        let damaged = read(&store, &root, size, 585).await.unwrap_err();
        assert!(matches!(damaged, NoChunk::Store(_)), "{damaged}");
        let gone = read(&store, &root, size, 585).await.unwrap_err();
        assert!(matches!(gone, NoChunk::NotHeld { .. }), "{gone}");
        assert!(read(&store, &root, size, 3).await.is_ok());
    }
}
