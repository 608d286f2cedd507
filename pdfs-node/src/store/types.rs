//! What the store is asked about: ids, contents, outcomes. Nothing here knows how it is kept.

use std::fmt;

use bytes::Bytes;
use phantasma_wire::{Hash, merkle};

use super::record::PayloadSum;

/// The id of a content: the RFC 6962 root over its ciphertext.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContentRoot(pub [u8; 32]);

/// The id of a block: the RFC 6962 root over its own chunks.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockId(pub [u8; 32]);

macro_rules! hex_text {
    ($($name:ident),*) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }
        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({self})", stringify!($name))
            }
        }
    )*};
}
hex_text!(ContentRoot, BlockId);

/// A content some blocks of which are held here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Content {
    pub root: ContentRoot,
    /// Bytes of the whole ciphertext.
    pub size: u64,
    /// Unix time in milliseconds after which the block need not be kept.
    pub expiry_ms: u64,
}

/// A block to be stored: checked against its content's root, so that a wrong one cannot exist.
#[derive(Clone, Debug)]
pub struct NewBlock {
    pub(super) content: Content,
    pub(super) index: u64,
    pub(super) id: BlockId,
    pub(super) path: Vec<Hash>,
    pub(super) body: Bytes,
    /// Of path and body, made by whoever puts: the one thread that writes has enough to do.
    pub(super) sum: PayloadSum,
}

impl NewBlock {
    /// `index` is the block's position in the content, from 0; `path` leads from its id to the root.
    /// Hashes the body.
    ///
    /// # Errors
    /// Wrong length for its index, index past the end, path or body of another content.
    pub fn verify(
        content: Content,
        index: u64,
        path: Vec<Hash>,
        body: Bytes,
    ) -> Result<Self, merkle::MerkleError> {
        let id = merkle::verify_block_data(&content.root.0, content.size, index, &body, &path)?;
        Ok(Self {
            content,
            index,
            id: BlockId(id),
            sum: PayloadSum::of(&[path.as_flattened(), &body]),
            path,
            body,
        })
    }

    pub fn id(&self) -> BlockId {
        self.id
    }
}

/// A block's place in a content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    pub id: BlockId,
    /// From the id to the content's root, for readers to check.
    pub path: Vec<Hash>,
}

/// How a put ended. In both cases the block is durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    Stored,
    AlreadyHeld,
}

/// What opening found and did. All zero after a clean stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Whole records behind the index's last note, indexed again.
    pub reindexed: u64,
    /// Bytes of an unfinished record cut off the last segment.
    pub torn_bytes: u64,
    /// Bytes between whole records that are no record: damage of the disk.
    pub damaged_bytes: u64,
}

/// Counters since the store was opened, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    pub blocks_put: u64,
    pub bytes_put: u64,
    /// Group commits: each is one fdatasync.
    pub commits: u64,
    pub blocks_read: u64,
    pub bytes_read: u64,
    /// Blocks found damaged when read.
    pub damaged: u64,
    /// Bytes looked at by the scrub.
    pub bytes_scrubbed: u64,
    /// Bytes of segments that were emptied and removed.
    pub bytes_freed: u64,
}
