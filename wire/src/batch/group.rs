//! Neighbours of a batch that travel together: the signature and the path once, for whoever gets many messages of a batch
//! in one packet.
//!
//! A group is a whole subtree of the batch's tree: its first index is a multiple of a power of two, and it has as many
//! messages as that power, or all that are left. So the receiver builds the subtree's root and needs one path from there.

use super::{
    Claim, MAX_BATCH, Place, VerifiedRoots, check, levels, path_len, path_of, root_of, signed_bytes,
};
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::{HEADER_LEN, MAX_PAYLOAD, Message, SIGNATURE_LEN, Unsigned};
use crate::{Hash, PublicKey, merkle};

/// Neighbours of one batch. Encoded: signature, `u16` first index, `u16` messages of the batch, a list of
/// the signing bytes of each, with a `u32` length, and the path from the subtree up, whose length follows from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    signature: [u8; SIGNATURE_LEN],
    first: u16,
    count: u16,
    path: Vec<Hash>,
    bodies: Vec<Unsigned>,
}

impl Group {
    /// The longest run at the front of `messages` that is a group of at least two and takes at most `max` bytes encoded.
    pub fn front(messages: &[Message], max: usize) -> Option<Self> {
        let place = messages.first()?.batch.as_ref()?;
        let highest = place.index.trailing_zeros().min(super::MAX_PATH as u32);
        (1..=highest)
            .rev()
            .find_map(|height| Self::of_height(messages, place, height as usize, max))
    }

    /// The group whose subtree has this height and the first message as its first leaf.
    fn of_height(messages: &[Message], place: &Place, tall: usize, max: usize) -> Option<Self> {
        let left = usize::from(place.count.checked_sub(place.index)?);
        let len = left.min(1 << tall);
        let messages = messages.get(..len).filter(|_| height(len) == tall)?;
        // From its first leaf up, a subtree has a sibling on each of its levels.
        let path = place.path.get(tall..)?;
        let bytes: usize = messages.iter().map(|one| 4 + one.body.signed_len()).sum();
        if SIGNATURE_LEN + 6 + path.len() * 32 + bytes > max {
            return None;
        }
        let signature = messages.first()?.signature;
        let of_batch = |(index, message): (u16, &Message)| {
            let other = message.batch.as_ref();
            other.is_some_and(|other| other.index == index && other.count == place.count)
                && message.signature == signature
        };
        (place.index..).zip(messages).all(of_batch).then(|| Self {
            signature,
            first: place.index,
            count: place.count,
            path: path.to_vec(),
            bodies: messages.iter().map(|one| one.body.clone()).collect(),
        })
    }

    /// Messages in it, at least 1.
    pub fn len(&self) -> usize {
        self.bodies.len()
    }

    /// Never: a group has at least one message.
    pub fn is_empty(&self) -> bool {
        self.bodies.is_empty()
    }
}

impl VerifiedRoots {
    /// The messages of a group, each with its own path; `None` when the author did not sign them. The signature of a
    /// batch is checked once only, as in [`VerifiedRoots::is_signed`].
    pub fn open(
        &mut self,
        group: Group,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> Option<Vec<Message>> {
        let levels = levels(&group.bodies);
        let height = levels.len().saturating_sub(1);
        let (index, count) = above(group.first, group.count, height);
        let top = root_of(&levels);
        let (index, count) = (u64::from(index), u64::from(count));
        let root = merkle::root_over("group", index, count, top, &group.path).ok()?;
        let claim = Claim {
            author: group.bodies.first()?.author,
            signed: signed_bytes(group.count, &root),
            signature: group.signature,
        };
        if !self.holds(claim, verify) {
            return None;
        }
        let messages = (0..).zip(group.bodies).map(|(inside, body)| {
            let mut path = path_of(&levels, inside);
            path.extend_from_slice(&group.path);
            Message {
                body,
                signature: group.signature,
                batch: Some(Place {
                    index: group.first + inside,
                    count: group.count,
                    path,
                }),
            }
        });
        Some(messages.collect())
    }
}

impl Frame for Group {
    const MAX_LEN: usize = SIGNATURE_LEN + 6 + super::MAX_PATH * 32 + super::Batch::MAX_BODIES;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.signature).u16(self.first).u16(self.count);
        to.list(&self.bodies, MAX_BATCH, |to, body| {
            to.u32(u32::try_from(body.signed_len()).unwrap_or(u32::MAX));
            body.write_to(to);
        });
        for hash in &self.path {
            to.raw(hash);
        }
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        let invalid = |reason| DecodeError::Invalid {
            what: "group",
            reason,
        };
        let signature = from.array("signature")?;
        let (first, count) = (from.u16("first in batch")?, from.u16("batch")?);
        if usize::from(count) > MAX_BATCH || first >= count {
            return Err(invalid("is of no batch"));
        }
        let bodies = from.list("group", MAX_BATCH, |from| {
            let bytes = from.bytes("message", HEADER_LEN + MAX_PAYLOAD)?;
            Unsigned::read_from(Reader::new(bytes))
        })?;
        check(&bodies).map_err(|_| invalid("has messages that cannot be of one batch"))?;
        let height = height(bodies.len());
        let whole = bodies.len() == 1 << height;
        let (aligned, left) = (usize::from(first) % (1 << height) == 0, count - first);
        let tail = bodies.len() == usize::from(left);
        if !aligned || bodies.len() > usize::from(left) || !(whole || tail) {
            return Err(invalid("is no subtree of its batch"));
        }
        let (index, above) = above(first, count, height);
        let mut path = Vec::with_capacity(super::MAX_PATH);
        for _ in 0..path_len(index, above) {
            path.push(from.array("path of group")?);
        }
        Ok(Self {
            signature,
            first,
            count,
            path,
            bodies,
        })
    }
}

/// Levels above the leaves of a tree over so many of them.
fn height(leaves: usize) -> usize {
    leaves.next_power_of_two().trailing_zeros() as usize
}

/// Index and number of the nodes that stand so high above a leaf.
fn above(leaf: u16, count: u16, height: usize) -> (u16, u16) {
    (leaf >> height, count.div_ceil(1 << height))
}
