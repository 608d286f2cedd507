//! Many messages under one signature.
//!
//! A signature check costs fifty microseconds, a hash a fraction of one. So an author who writes much signs batches: the
//! tree of RFC 6962 (SHA-256, as in [`crate::merkle`]) over the *ids* of 1 to 256 messages, and one ECDSA P-256
//! signature over one SHA-256 of
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `PHB1` |
//! | 4 | 2 | number of messages |
//! | 6 | 32 | root |
//!
//! Each message then travels with the batch's signature and its own [`Place`]: 8 bytes and at most 8 hashes. It can be
//! checked alone; who has seen another message of the same batch ([`VerifiedRoots`]) checks hashes only. The author,
//! network and contract are in the message, whose id is the leaf, so a path cannot be moved to other messages. The number
//! of messages is signed because it decides what a path means.
//!
//! A [`Batch`] is a whole one on its way to a relay: the signature once, the messages, no paths. A [`Group`] is a part of one
//! on its way to readers.

mod group;

use std::collections::{HashSet, VecDeque};

use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::merkle::{self, MerkleError};
use crate::message::{Class, HEADER_LEN, MAX_PAYLOAD, Message, SIGNATURE_LEN, Unsigned};
use crate::{Hash, PublicKey};

pub use group::Group;

/// First bytes of what is signed for a batch: no other thing signed by a Neo key starts with them.
pub const MAGIC: [u8; 4] = *b"PHB1";

/// Most messages of a batch: above that a signature costs less than 0.2 µs a message, and paths grow.
pub const MAX_BATCH: usize = 256;

/// Most hashes in a path: log2 of the largest batch.
pub const MAX_PATH: usize = 8;

/// Bytes that are signed for a batch.
pub const SIGNED_LEN: usize = 38;

/// Where a message stands in its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    index: u16,
    count: u16,
    path: Vec<Hash>,
}

/// Why messages cannot be signed together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("a batch has 1 to {MAX_BATCH} messages, not {count}")]
    Count { count: usize },
    #[error("the messages of a batch take {len} bytes together, over the limit of {max}")]
    TooLong { len: usize, max: usize },
    #[error("message {index} has another author than the first of its batch")]
    OtherAuthor { index: usize },
    #[error(
        "message {index} is for the chain: the contract checks each message by itself, so sign it alone"
    )]
    OnChain { index: usize },
    #[error(transparent)]
    Message(#[from] DecodeError),
}

impl Place {
    /// Longest encoding.
    pub const MAX_LEN: usize = MAGIC.len() + 2 + 2 + MAX_PATH * 32;

    /// Number of the message in its batch, from 0.
    pub fn index(&self) -> u16 {
        self.index
    }

    /// Messages of the batch.
    pub fn count(&self) -> u16 {
        self.count
    }

    /// What the author of the message with this id has signed, if the signature is right.
    pub fn signed_bytes(&self, id: Hash) -> Result<[u8; SIGNED_LEN], MerkleError> {
        let (index, count) = (u64::from(self.index), u64::from(self.count));
        let leaf = merkle::chunk_hash(&id);
        let root = merkle::root_over("message", index, count, leaf, &self.path)?;
        Ok(signed_bytes(self.count, &root))
    }

    pub(crate) fn encoded_len(&self) -> usize {
        MAGIC.len() + 2 + 2 + self.path.len() * 32
    }

    /// The path has no length of its own: index and count decide it.
    pub(crate) fn write_to(&self, to: &mut Writer) {
        to.raw(&MAGIC).u16(self.index).u16(self.count);
        for hash in &self.path {
            to.raw(hash);
        }
    }

    /// The place in front of a message, if there is one.
    pub(crate) fn read_from(from: &mut Reader) -> Result<Option<Self>, DecodeError> {
        if !from.starts_with(&MAGIC) {
            return Ok(None);
        }
        from.array::<4>("batch magic")?;
        let (index, count) = (from.u16("index in batch")?, from.u16("batch")?);
        if usize::from(count) > MAX_BATCH {
            return Err(DecodeError::TooLong {
                what: "batch",
                len: usize::from(count),
                max: MAX_BATCH,
            });
        }
        if index >= count {
            return Err(DecodeError::Invalid {
                what: "index in batch",
                reason: "not below the number of messages",
            });
        }
        let mut path = Vec::with_capacity(MAX_PATH);
        for _ in 0..path_len(index, count) {
            path.push(from.array("path in batch")?);
        }
        Ok(Some(Self { index, count, path }))
    }
}

/// A whole batch on its way to a relay: one author, one signature, messages in order. Encoded: signature, `u16` count,
/// then for each message a `u32` length and its signing bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    signature: [u8; SIGNATURE_LEN],
    bodies: Vec<Unsigned>,
}

impl Batch {
    /// Bytes of the messages with their lengths; as much as one message of the largest size.
    pub const MAX_BODIES: usize = 4 + HEADER_LEN + MAX_PAYLOAD;

    /// Signs messages of one author together. `sign` hashes once with SHA-256.
    pub fn sign(
        bodies: Vec<Unsigned>,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LEN],
    ) -> Result<Self, BatchError> {
        check(&bodies)?;
        let levels = levels(&bodies);
        let signature = sign(&signed_bytes(count(&bodies), &root_of(&levels)));
        Ok(Self { signature, bodies })
    }

    /// Messages in it, at least 1.
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Never: a batch has at least one message.
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }

    /// Who signed it.
    pub fn author(&self) -> Option<&PublicKey> {
        self.bodies.first().map(|body| &body.author)
    }

    /// Its messages, in order, before anything is known about the signature.
    pub fn bodies(&self) -> &[Unsigned] {
        &self.bodies
    }

    /// The messages with their ids, each with its path; `None` when `verify(author, signed bytes, signature)` does not
    /// accept the one signature.
    pub fn into_messages(
        self,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> Option<Vec<(Hash, Message)>> {
        let ids: Vec<Hash> = self.bodies.iter().map(Unsigned::id).collect();
        let levels = levels_of(&ids);
        let (count, signature) = (count(&self.bodies), self.signature);
        let signed = signed_bytes(count, &root_of(&levels));
        if !verify(self.author()?, &signed, &signature) {
            return None;
        }
        let messages = self.bodies.into_iter().zip(ids).zip(0..count);
        let message = |((body, id), index): ((Unsigned, Hash), u16)| {
            let path = path_of(&levels, index);
            let batch = Some(Place { index, count, path });
            let message = Message {
                body,
                signature,
                batch,
            };
            (id, message)
        };
        Some(messages.map(message).collect())
    }
}

impl Frame for Batch {
    const MAX_LEN: usize = SIGNATURE_LEN + 2 + Batch::MAX_BODIES;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.signature);
        to.list(&self.bodies, MAX_BATCH, |to, body| {
            to.u32(u32::try_from(body.signed_len()).unwrap_or(u32::MAX));
            body.write_to(to);
        });
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        let signature = from.array("signature")?;
        let bodies = from.list("batch", MAX_BATCH, |from| {
            Unsigned::read_from(Reader::new(
                from.bytes("message", HEADER_LEN + MAX_PAYLOAD)?,
            ))
        })?;
        match check(&bodies) {
            Ok(()) => Ok(Self { signature, bodies }),
            Err(BatchError::Message(error)) => Err(error),
            Err(BatchError::Count { .. }) => Err(invalid("has no messages")),
            Err(BatchError::TooLong { len, max }) => Err(DecodeError::TooLong {
                what: "batch",
                len,
                max,
            }),
            Err(BatchError::OtherAuthor { .. }) => Err(invalid("has more than one author")),
            Err(BatchError::OnChain { .. }) => Err(invalid("has a message for the chain")),
        }
    }
}

/// Batches whose signature has been checked, the oldest forgotten first. Each costs about 300 bytes.
///
/// The signature is part of what is remembered: another one over the same root is checked anew, so that nobody can
/// attach a wrong one to a message that then is passed on.
#[derive(Debug)]
pub struct VerifiedRoots {
    known: HashSet<Claim>,
    order: VecDeque<Claim>,
    max: usize,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Claim {
    author: PublicKey,
    signed: [u8; SIGNED_LEN],
    signature: [u8; SIGNATURE_LEN],
}

impl VerifiedRoots {
    /// Remembers at most `max` batches.
    pub fn new(max: usize) -> Self {
        Self {
            known: HashSet::new(),
            order: VecDeque::new(),
            max,
        }
    }

    /// As [`Message::is_signed`], but the signature of a batch is checked once only.
    pub fn is_signed(
        &mut self,
        message: &Message,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        let Some(place) = &message.batch else {
            return message.is_signed(verify);
        };
        let Ok(signed) = place.signed_bytes(message.id()) else {
            return false;
        };
        let claim = Claim {
            author: message.body.author,
            signed,
            signature: message.signature,
        };
        self.holds(claim, verify)
    }

    fn holds(
        &mut self,
        claim: Claim,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        // The messages of a batch come one after the other.
        if self.order.back() == Some(&claim) || self.known.contains(&claim) {
            return true;
        }
        let signed = verify(&claim.author, &claim.signed, &claim.signature);
        if signed {
            self.remember(claim);
        }
        signed
    }

    /// Batches that are remembered.
    pub fn len(&self) -> usize {
        self.order.len()
    }

    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }

    fn remember(&mut self, claim: Claim) {
        self.known.insert(claim.clone());
        self.order.push_back(claim);
        if self.order.len() > self.max
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}

fn invalid(reason: &'static str) -> DecodeError {
    DecodeError::Invalid {
        what: "batch",
        reason,
    }
}

/// What every batch keeps, whether it is being signed or has just been read.
fn check(bodies: &[Unsigned]) -> Result<(), BatchError> {
    let Some(first) = bodies.first().filter(|_| bodies.len() <= MAX_BATCH) else {
        let count = bodies.len();
        return Err(BatchError::Count { count });
    };
    for (index, body) in bodies.iter().enumerate() {
        body.check_payload()?;
        if body.author != first.author {
            return Err(BatchError::OtherAuthor { index });
        }
        if body.class == Class::OnChain {
            return Err(BatchError::OnChain { index });
        }
    }
    let len = bodies.iter().map(|body| 4 + body.signed_len()).sum();
    let max = Batch::MAX_BODIES;
    if len > max {
        return Err(BatchError::TooLong { len, max });
    }
    Ok(())
}

fn signed_bytes(count: u16, root: &Hash) -> [u8; SIGNED_LEN] {
    let mut bytes = [0; SIGNED_LEN];
    let (head, tail) = bytes.split_at_mut(6);
    head[..4].copy_from_slice(&MAGIC);
    head[4..].copy_from_slice(&count.to_le_bytes());
    tail.copy_from_slice(root);
    bytes
}

/// At most [`MAX_BATCH`], by [`check`].
fn count(bodies: &[Unsigned]) -> u16 {
    u16::try_from(bodies.len()).unwrap_or(u16::MAX)
}

fn levels(bodies: &[Unsigned]) -> Vec<Vec<Hash>> {
    levels_of(&bodies.iter().map(Unsigned::id).collect::<Vec<_>>())
}

fn levels_of(ids: &[Hash]) -> Vec<Vec<Hash>> {
    merkle::levels_over(ids.iter().map(|id| merkle::chunk_hash(id)).collect())
}

fn root_of(levels: &[Vec<Hash>]) -> Hash {
    let top = levels.last().and_then(|level| level.first());
    top.copied().unwrap_or_default()
}

/// The siblings from a leaf up to the root; the last node of a level has none when it is a left child.
fn path_of(levels: &[Vec<Hash>], index: u16) -> Vec<Hash> {
    let node = usize::from(index);
    let levels = levels.iter().take(levels.len().saturating_sub(1));
    let siblings = levels.enumerate();
    siblings
        .filter_map(|(height, level)| level.get((node >> height) ^ 1).copied())
        .collect()
}

/// Hashes in the path of a leaf: one a level, but none where the node is the last one and a left child.
fn path_len(index: u16, count: u16) -> usize {
    let (mut node, mut last, mut len) = (index, count.saturating_sub(1), 0);
    while last > 0 {
        len += usize::from(node % 2 == 1 || node != last);
        (node, last) = (node / 2, last / 2);
    }
    len
}
