//! A content as one object of a service that knows files and nothing of contents.
//!
//! The object is the ciphertext, then the ids of its blocks (32 bytes each, 1/8192 of the size). With the ids, which hash to
//! the root, every block is checked by itself, so that a part is read without the rest. An object that is the ciphertext
//! alone is read too: once as a whole to learn the ids, and then in parts.

use std::{fs::File, ops::Range, sync::Arc};

use bytes::Bytes;
use phantasma_wire::{
    Hash,
    merkle::{self, BLOCK_SIZE, ContentTree, Shape},
};
use tokio::sync::{Mutex, mpsc};

use super::{Backend, BackendError, Kept, Pending, Sealed};
use crate::content::ContentError;

/// Pieces of an object on their way to the service: 2 MiB.
const AHEAD: usize = 8;

/// Blocks read at once when a whole object is looked at.
const SPAN: u64 = 4;

/// A service that keeps objects.
pub trait ObjectStore: Send + Sync {
    /// Stores an object, by this name where the service lets one choose, and says where it is.
    fn put<'a>(&'a self, name: &'a str, object: ObjectBytes) -> Pending<'a, String>;

    /// Bytes of an object; fewer, or none, when it ends before the range does.
    fn read<'a>(&'a self, place: &'a str, range: Range<u64>) -> Pending<'a, Bytes>;
}

/// An object on its way to a service, in order.
#[derive(Debug)]
pub struct ObjectBytes {
    pub(super) len: u64,
    pub(super) pieces: mpsc::Receiver<Result<Bytes, ContentError>>,
}

impl ObjectBytes {
    /// Bytes in all.
    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next piece, a block at most; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<Bytes, ContentError>> {
        self.pieces.recv().await
    }

    /// Up to `limit` bytes from here on; fewer at the end only.
    pub(super) async fn part(&mut self, limit: usize) -> Result<Vec<u8>, ContentError> {
        let mut part = Vec::new();
        while part.len() < limit
            && let Some(piece) = self.next().await
        {
            part.extend_from_slice(&piece?);
        }
        Ok(part)
    }

    /// Encrypts a file behind the reader's back, a few blocks ahead.
    fn of(sealed: &Sealed) -> Result<Self, BackendError> {
        let file = File::open(&sealed.path).map_err(|error| BackendError::File {
            action: "open",
            path: sealed.path.clone(),
            error,
        })?;
        let (sender, pieces) = mpsc::channel(AHEAD);
        let sealed = sealed.clone();
        let ids = sealed.prepared.block_ids().len() as u64;
        let len = sealed.prepared.size() + ids * size_of::<Hash>() as u64;
        tokio::task::spawn_blocking(move || {
            let Sealed {
                path,
                key,
                prepared,
            } = &sealed;
            for block in 0..prepared.block_count() {
                let piece = prepared.encrypted(&file, path, key, block);
                let failed = piece.is_err();
                // Nobody listens any more when the put has failed.
                if sender.blocking_send(piece).is_err() || failed {
                    return;
                }
            }
            for ids in prepared.block_ids().chunks(BLOCK_SIZE / size_of::<Hash>()) {
                if sender.blocking_send(Ok(ids.concat().into())).is_err() {
                    return;
                }
            }
        });
        Ok(Self { len, pieces })
    }
}

/// Contents as objects of a service.
#[derive(Debug)]
pub struct Objects<S> {
    store: S,
    /// Block ids of the content read last.
    known: Mutex<Option<(Kept, Arc<[Hash]>)>>,
}

impl<S: ObjectStore> Objects<S> {
    pub fn new(store: S) -> Self {
        Self {
            store,
            known: Mutex::new(None),
        }
    }

    /// The ids of all blocks, which hash to the root.
    async fn ids(&self, kept: &Kept) -> Result<Arc<[Hash]>, BackendError> {
        let mut known = self.known.lock().await;
        if let Some((of, ids)) = known.as_ref()
            && of == kept
        {
            return Ok(ids.clone());
        }
        let foreign = |reason: String| BackendError::Foreign {
            place: kept.place.clone(),
            root: kept.root,
            reason,
        };
        let shape = Shape::new(kept.size)?;
        let count = shape.block_count();
        let end = kept.size + count * size_of::<Hash>() as u64;
        let trailer = self.store.read(&kept.place, kept.size..end).await?;
        let ids: Vec<Hash> = match trailer.len() as u64 {
            0 => self.hash_all(kept, shape).await?,
            len if len == end - kept.size => trailer
                .chunks_exact(size_of::<Hash>())
                .filter_map(|id| id.try_into().ok())
                .collect(),
            len => return Err(foreign(format!("{len} bytes follow the content"))),
        };
        let tree = ContentTree::from_block_ids(kept.size, ids)?;
        if tree.root() != kept.root {
            return Err(foreign("it has another root".into()));
        }
        let ids: Arc<[Hash]> = tree.block_ids().into();
        *known = Some((kept.clone(), ids.clone()));
        Ok(ids)
    }

    /// Reads a whole object to learn its blocks' ids.
    async fn hash_all(&self, kept: &Kept, shape: Shape) -> Result<Vec<Hash>, BackendError> {
        let mut ids = Vec::new();
        for first in (0..shape.block_count()).step_by(SPAN as usize) {
            let count = SPAN.min(shape.block_count() - first);
            for block in self.unchecked(kept, shape, first, count).await? {
                ids.push(merkle::block_id(&block)?);
            }
        }
        Ok(ids)
    }

    /// Blocks as the service gives them.
    async fn unchecked(
        &self,
        kept: &Kept,
        shape: Shape,
        first: u64,
        count: u64,
    ) -> Result<Vec<Bytes>, BackendError> {
        let mut ends = Vec::new();
        let mut len = 0;
        for block in first..first + count {
            let start = len;
            len += shape.block_len(block)?;
            ends.push(start..len);
        }
        let start = first * BLOCK_SIZE as u64;
        let range = start..start + len as u64;
        let bytes = self.store.read(&kept.place, range).await?;
        if bytes.len() != len {
            return Err(BackendError::Foreign {
                place: kept.place.clone(),
                root: kept.root,
                reason: format!(
                    "{} of {len} bytes from byte {start} on are there",
                    bytes.len()
                ),
            });
        }
        Ok(ends.into_iter().map(|part| bytes.slice(part)).collect())
    }
}

impl<S: ObjectStore> Backend for Objects<S> {
    fn put<'a>(&'a self, sealed: &'a Sealed) -> Pending<'a, Kept> {
        Box::pin(async move {
            let (root, size) = (sealed.prepared.root(), sealed.prepared.size());
            let object = ObjectBytes::of(sealed)?;
            let place = self.store.put(&hex::encode(root), object).await?;
            Ok(Kept { root, size, place })
        })
    }

    fn blocks<'a>(&'a self, kept: &'a Kept, first: u64, count: u64) -> Pending<'a, Vec<Bytes>> {
        Box::pin(async move {
            let ids = self.ids(kept).await?;
            let blocks = self
                .unchecked(kept, Shape::new(kept.size)?, first, count)
                .await?;
            for (index, block) in (first..).zip(&blocks) {
                let expected = usize::try_from(index).ok().and_then(|index| ids.get(index));
                if Some(&merkle::block_id(block)?) != expected {
                    return Err(BackendError::Foreign {
                        place: kept.place.clone(),
                        root: kept.root,
                        reason: format!("block {index} is another one"),
                    });
                }
            }
            Ok(blocks)
        })
    }
}
