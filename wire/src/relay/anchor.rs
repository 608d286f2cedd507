//! Proof that a relay had a message, for whoever reads the chain.
//!
//! A relay numbers what it keeps from 1, without gaps. From time to time it writes an *anchor* into a box of its own on
//! the chain: the root of the tree of RFC 6962 (SHA-256, as in [`crate::merkle`]) over the *ids* of the messages since the
//! last one. So a relay cannot deny, change or date back what it has anchored, and needs one transaction for any number
//! of messages.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `PHA1` |
//! | 4 | 8 | position of the first message |
//! | 12 | 4 | number of messages |
//! | 16 | 32 | root |

use crate::Hash;
use crate::codec::{DecodeError, Reader, Writer};
use crate::merkle::{self, MerkleError};

/// First bytes of an anchor.
const ANCHOR_MAGIC: [u8; 4] = *b"PHA1";

/// Bytes of an anchor.
const ANCHOR_LEN: usize = 48;

/// Most messages under one anchor: their tree takes 64 MiB while it is made.
pub const MAX_ANCHORED: u32 = 1 << 20;

/// Hashes in the longest path: log2 of the above.
pub const MAX_ANCHOR_PATH: usize = 20;

/// What stands on the chain, as plain data of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Anchor {
    /// Position of the first message, from 1.
    pub first: u64,
    /// Number of messages, at least 1.
    pub count: u32,
    pub root: Hash,
}

/// An anchor, where it stands, and how one message leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorProof {
    pub anchor: Anchor,
    /// The box on the chain and the content in it.
    pub box_id: u64,
    pub index: u64,
    /// The transaction that wrote it, in script order.
    pub txid: Hash,
    /// The message's position at the relay.
    pub position: u64,
    /// Siblings from the message up to the root.
    pub path: Vec<Hash>,
}

/// The tree over the ids of messages, all its levels, for whoever needs every path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnchorTree {
    levels: Vec<Vec<Hash>>,
}

impl Anchor {
    pub fn to_bytes(&self) -> [u8; ANCHOR_LEN] {
        let mut bytes = [0; ANCHOR_LEN];
        bytes[..4].copy_from_slice(&ANCHOR_MAGIC);
        bytes[4..12].copy_from_slice(&self.first.to_le_bytes());
        bytes[12..16].copy_from_slice(&self.count.to_le_bytes());
        bytes[16..].copy_from_slice(&self.root);
        bytes
    }
}

impl AnchorTree {
    /// The tree over the ids of 1 to [`MAX_ANCHORED`] messages in the order of their positions.
    pub fn new(ids: &[Hash]) -> Self {
        let leaves = ids.iter().map(|id| merkle::chunk_hash(id)).collect();
        Self {
            levels: merkle::levels_over(leaves),
        }
    }

    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_default()
    }

    /// From the leaves to the root; each has half as many nodes as the one before, rounded up.
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }
}

/// Which nodes make the path of a leaf: level, counted from the leaves, and place in it.
pub fn path_nodes(index: u32, count: u32) -> impl Iterator<Item = (u32, u32)> {
    let levels = 0..u32::BITS;
    levels
        .map(move |level| {
            (
                level,
                index >> level,
                count.saturating_sub(1).checked_shr(level).unwrap_or(0),
            )
        })
        .take_while(|(_, _, last)| *last > 0)
        // The last node of a level has no sibling when it is a left child.
        .filter(|(_, node, last)| node ^ 1 <= *last)
        .map(|(level, node, _)| (level, node ^ 1))
}

impl AnchorProof {
    /// Whether the message with this id is under the anchor. That the anchor stands on the chain is the caller's to check.
    pub fn check(&self, id: &Hash) -> Result<(), MerkleError> {
        let count = u64::from(self.anchor.count);
        let index = self.position.wrapping_sub(self.anchor.first);
        let leaf = merkle::chunk_hash(id);
        let root = merkle::root_over("message", index, count, leaf, &self.path)?;
        match root == self.anchor.root {
            true => Ok(()),
            false => Err(MerkleError::Mismatch {
                what: "message",
                index,
            }),
        }
    }

    pub(super) fn write(&self, to: &mut Writer) {
        to.raw(&self.anchor.to_bytes())
            .u64(self.box_id)
            .u64(self.index)
            .raw(&self.txid)
            .u64(self.position);
        to.list(&self.path, MAX_ANCHOR_PATH, |to, hash| {
            to.raw(hash);
        });
    }

    pub(super) fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.array("anchor")? != ANCHOR_MAGIC {
            return Err(DecodeError::Invalid {
                what: "anchor",
                reason: "does not start with PHA1",
            });
        }
        Ok(Self {
            anchor: Anchor {
                first: from.u64("first position")?,
                count: from.u32("number of messages")?,
                root: from.array("root")?,
            },
            box_id: from.u64("box")?,
            index: from.u64("index")?,
            txid: from.array("txid")?,
            position: from.u64("position")?,
            path: from.list("path", MAX_ANCHOR_PATH, |from| from.array("path"))?,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn proof(ids: &[Hash], index: u32) -> AnchorProof {
        let tree = AnchorTree::new(ids);
        let count = ids.len() as u32;
        let node = |(level, node): (u32, u32)| tree.levels()[level as usize][node as usize];
        AnchorProof {
            anchor: Anchor {
                first: 100,
                count,
                root: tree.root(),
            },
            box_id: 1,
            index: 2,
            txid: [3; 32],
            position: 100 + u64::from(index),
            path: path_nodes(index, count).map(node).collect(),
        }
    }

    #[test]
    fn every_message_of_every_size_leads_to_the_root_and_no_other_does() {
        for count in 1..40u8 {
            let ids: Vec<Hash> = (0..count).map(|n| [n; 32]).collect();
            for (index, id) in ids.iter().enumerate() {
                let proof = proof(&ids, index as u32);
                proof.check(id).unwrap();
                assert!(proof.check(&[200; 32]).is_err());
                for other in [0, 99, proof.position + 1] {
                    let moved = AnchorProof {
                        position: other,
                        ..proof.clone()
                    };
                    assert!(moved.check(id).is_err(), "{count} {index} {other}");
                }
            }
        }
    }
}
