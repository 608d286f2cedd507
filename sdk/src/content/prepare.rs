//! The first pass over a file: encrypted and hashed on all cores, which gives root and size.

use std::{
    fs::File,
    io,
    iter::Enumerate,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    slice::ChunksMut,
    sync::{Arc, Mutex, PoisonError},
    thread,
};

use bytes::Bytes;
use phantasma_wire::{
    Hash,
    merkle::{self, BLOCK_SIZE, ContentTree, Shape},
};

use super::{
    ContentError, ContentKey, blocking,
    cipher::{Fingerprint, Mark, apply_cipher},
};

/// Blocks that a thread takes at once: 1 MiB, a read that disks like.
const SPAN: usize = 4;

/// Most threads: beyond that memory or disk is the limit, and each holds a span.
const MAX_THREADS: usize = 16;

/// What the first pass learned: the content's root and size, the tree that gives each block its path, and by what the
/// second pass knows that a block is still the same. 80 bytes a block.
#[derive(Debug, Clone)]
pub struct Prepared {
    pub(super) tree: Arc<ContentTree>,
    fingerprint: Fingerprint,
    marks: Arc<[Mark]>,
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

    pub(crate) fn block_ids(&self) -> &[Hash] {
        self.tree.block_ids()
    }

    /// Reads and encrypts one block, and makes sure that it is the one that was hashed: the same key must never encrypt
    /// a second version of the file that leaves this machine.
    pub(crate) fn encrypted(
        &self,
        file: &File,
        path: &Path,
        key: &ContentKey,
        block: u64,
    ) -> Result<Bytes, ContentError> {
        let mut bytes = vec![0; self.tree.shape().block_len(block)?];
        read_at(file, path, &mut bytes, block)?;
        let expected = usize::try_from(block)
            .ok()
            .and_then(|at| self.marks.get(at));
        if Some(&self.fingerprint.of(block, &bytes)?) != expected {
            return Err(ContentError::Changed {
                path: path.to_owned(),
                block,
            });
        }
        apply_cipher(key, block * BLOCK_SIZE as u64, &mut bytes);
        Ok(bytes.into())
    }
}

/// First pass: reads the file once, encrypts, hashes.
///
/// # Errors
/// The file cannot be read, is empty, is over 1 TiB, or becomes shorter meanwhile.
pub async fn prepare(path: &Path, key: &ContentKey) -> Result<Prepared, ContentError> {
    let (path, key) = (path.to_owned(), key.clone());
    blocking(move || hash_file(&path, &key)).await
}

fn hash_file(path: &Path, key: &ContentKey) -> Result<Prepared, ContentError> {
    let failed = |action| {
        let path = path.to_owned();
        move |error| ContentError::File {
            action,
            path,
            error,
        }
    };
    let file = File::open(path).map_err(failed("open"))?;
    let size = file.metadata().map_err(failed("inspect"))?.len();
    let blocks = Shape::new(size)?.block_count();
    // At most 2^22 blocks.
    let blocks = usize::try_from(blocks).map_err(|_| merkle::MerkleError::TooLarge { size })?;
    let fingerprint = Fingerprint::random()?;
    let (mut ids, mut marks) = (vec![Hash::default(); blocks], vec![Mark::default(); blocks]);
    let work = Work {
        file: &file,
        path,
        key,
        size,
        fingerprint: &fingerprint,
    };
    let spans = Mutex::new((ids.chunks_mut(SPAN).enumerate(), marks.chunks_mut(SPAN)));
    let threads = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        let wanted = threads.min(MAX_THREADS).min(blocks.div_ceil(SPAN));
        let running: Vec<_> = (0..wanted)
            .map(|_| scope.spawn(|| work.all(&spans)))
            .collect();
        let ended = |_| ContentError::Task("a thread that hashes panicked".into());
        let outcomes = running
            .into_iter()
            .map(|thread| thread.join().map_err(ended)?);
        outcomes.collect::<Result<Vec<()>, _>>()
    })?;
    Ok(Prepared {
        tree: Arc::new(ContentTree::from_block_ids(size, ids)?),
        fingerprint,
        marks: marks.into(),
    })
}

/// What is still to be done: the places of the next span's results.
type Spans<'a> = (Enumerate<ChunksMut<'a, Hash>>, ChunksMut<'a, Mark>);

struct Work<'a> {
    file: &'a File,
    path: &'a Path,
    key: &'a ContentKey,
    size: u64,
    fingerprint: &'a Fingerprint,
}

impl Work<'_> {
    /// Takes span after span until none is left.
    fn all(&self, spans: &Mutex<Spans<'_>>) -> Result<(), ContentError> {
        let mut buffer = vec![0; SPAN * BLOCK_SIZE];
        loop {
            let next = {
                let mut spans = spans.lock().unwrap_or_else(PoisonError::into_inner);
                spans.0.next().zip(spans.1.next())
            };
            let Some(((number, ids), marks)) = next else {
                return Ok(());
            };
            self.span(number, ids, marks, &mut buffer)?;
        }
    }

    fn span(
        &self,
        number: usize,
        ids: &mut [Hash],
        marks: &mut [Mark],
        buffer: &mut [u8],
    ) -> Result<(), ContentError> {
        let first = (number * SPAN) as u64;
        let offset = first * BLOCK_SIZE as u64;
        let left = usize::try_from(self.size - offset).unwrap_or(usize::MAX);
        let bytes = buffer
            .get_mut(..left.min(SPAN * BLOCK_SIZE))
            .unwrap_or_default();
        read_at(self.file, self.path, bytes, first)?;
        let blocks = bytes.chunks_mut(BLOCK_SIZE).zip(ids).zip(marks);
        for (block, ((bytes, id), mark)) in (first..).zip(blocks) {
            *mark = self.fingerprint.of(block, bytes)?;
            apply_cipher(self.key, block * BLOCK_SIZE as u64, bytes);
            *id = merkle::block_id(bytes)?;
        }
        Ok(())
    }
}

/// Fills `bytes` from the beginning of `block` on. A file that has become shorter has changed.
fn read_at(file: &File, path: &Path, bytes: &mut [u8], block: u64) -> Result<(), ContentError> {
    let path = || PathBuf::from(path);
    file.read_exact_at(bytes, block * BLOCK_SIZE as u64)
        .map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => ContentError::Changed {
                path: path(),
                block,
            },
            _ => ContentError::File {
                action: "read",
                path: path(),
                error,
            },
        })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use phantasma_wire::merkle::TreeBuilder;

    use super::*;

    #[tokio::test]
    async fn all_threads_together_find_the_tree_that_one_would() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        let key = ContentKey::random();
        for len in [
            1,
            1_024,
            BLOCK_SIZE,
            BLOCK_SIZE + 1,
            SPAN * BLOCK_SIZE,
            SPAN * BLOCK_SIZE + 1,
            9 * BLOCK_SIZE + 777,
        ] {
            let mut bytes: Vec<u8> = (0..len).map(|n| ((n * 31) >> 3) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            let prepared = prepare(&path, &key).await.unwrap();
            apply_cipher(&key, 0, &mut bytes);
            let mut builder = TreeBuilder::new();
            builder.push(&bytes).unwrap();
            assert_eq!(*prepared.tree, builder.finish().unwrap(), "{len}");
        }
        std::fs::write(&path, "").unwrap();
        assert!(matches!(
            prepare(&path, &key).await,
            Err(ContentError::Merkle(merkle::MerkleError::Empty))
        ));
    }
}
