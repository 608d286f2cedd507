//! A chunk of a content and its way to the root, from a file on disk: what a proof shows.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use phantasma_wire::Hash;
use phantasma_wire::merkle::{
    BLOCK_SIZE, BlockTree, CHUNK_SIZE, CHUNKS_PER_BLOCK, MerkleError, TreeBuilder,
};

use super::put::blocking;
use super::{ContentError, ContentKey, apply_cipher};
use crate::proofs::ShownChunk;

/// Reads a file once and gives the root of its content and one of its chunks of 1 KiB. With a key the file is what was
/// put, without one it is the encrypted content.
///
/// # Errors
/// The file cannot be read, is empty, over 1 TiB, or has no such chunk.
pub async fn show_chunk(
    path: &Path,
    key: Option<&ContentKey>,
    chunk: u64,
) -> Result<(Hash, ShownChunk), ContentError> {
    let (path, key) = (path.to_owned(), key.cloned());
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
        let per_block = CHUNKS_PER_BLOCK as u64;
        let (wanted, within) = (chunk / per_block, (chunk % per_block) as usize);
        let mut builder = TreeBuilder::new();
        let mut found = None;
        for block in 0_u64.. {
            let mut bytes = Vec::with_capacity(BLOCK_SIZE);
            let mut part = file.by_ref().take(BLOCK_SIZE as u64);
            part.read_to_end(&mut bytes).map_err(failed("read"))?;
            if bytes.is_empty() {
                break;
            }
            if let Some(key) = &key {
                apply_cipher(key, block * BLOCK_SIZE as u64, &mut bytes);
            }
            builder.push(&bytes)?;
            if block == wanted {
                found = Some(bytes);
            }
        }
        let tree = builder.finish()?;
        let none = || MerkleError::OutOfRange {
            what: "chunk",
            index: chunk,
            count: tree.shape().chunk_count(),
        };
        let bytes = found.ok_or_else(none)?;
        let shown = bytes.chunks(CHUNK_SIZE).nth(within).ok_or_else(none)?;
        let path = tree.chunk_path(wanted, &BlockTree::new(&bytes)?, within)?;
        let chunk = shown.to_vec();
        Ok((tree.root(), ShownChunk { chunk, path }))
    })
    .await
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use phantasma_wire::merkle::verify_chunk;

    use super::*;

    #[tokio::test]
    async fn each_shown_chunk_belongs_to_the_root_that_putting_gives() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("film.bin");
        let size = BLOCK_SIZE * 2 + CHUNK_SIZE * 3 + 7;
        let bytes: Vec<u8> = (0..size).map(|i| (i / 3 % 251) as u8).collect();
        std::fs::write(&file, bytes).unwrap();
        let key = ContentKey::random();
        let prepared = super::super::prepare(&file, &key).await.unwrap();
        for chunk in [0, 255, 256, 511, 512, 515] {
            let (root, shown) = show_chunk(&file, Some(&key), chunk).await.unwrap();
            assert_eq!(root, prepared.root());
            verify_chunk(&root, size as u64, chunk, &shown.chunk, &shown.path).unwrap();
        }
        assert!(show_chunk(&file, Some(&key), 516).await.is_err());
        let (root, _) = show_chunk(&file, None, 0).await.unwrap();
        assert_ne!(root, prepared.root());
    }
}
