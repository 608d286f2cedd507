//! What one member of a group has.

use std::fmt;

use neo_client::PublicKey;
use phantasma_wire::broadcast::{CoverError, Header, MAX_HEIGHT, Subset, depth, is_below, leaf};
use phantasma_wire::codec::{DecodeError, Reader};
use phantasma_wire::{Hash, PublicKey as KeyBytes};
use zeroize::Zeroizing;

use super::labels::{self, Kek, Label, SubsetKey};
use super::{Group, GroupError};
use crate::content::ContentKey;

/// First bytes of a member's keys; the last one is the version.
const MAGIC: [u8; 4] = *b"PHK1";
/// Magic, owner, group, epoch, height, place, key of everyone.
const FIXED: usize = 4 + 33 + 32 + 4 + 1 + 4 + 32;
/// Bytes of a member's keys in the tallest tree: 300 labels and the fixed part.
pub const MAX_MEMBER_KEY: usize = FIXED + 32 * label_count(MAX_HEIGHT);

/// Labels of one place. From each ancestor of the place, down the way to it, the label of each node beside the way:
/// these are the nodes whose exclusion leaves the place in.
#[derive(Clone, PartialEq, Eq)]
pub struct MemberKey {
    owner: KeyBytes,
    group: Hash,
    epoch: u32,
    height: u8,
    place: u32,
    everyone: SubsetKey,
    /// By depth of the ancestor, then by depth of the node beside.
    labels: Vec<Label>,
}

const fn label_count(height: u8) -> usize {
    height as usize * (height as usize + 1) / 2
}

impl MemberKey {
    pub(super) fn derive(group: &Group, owner: KeyBytes, place: u32) -> Result<Self, GroupError> {
        let height = group.height;
        let leaf = leaf(height, place).ok_or(CoverError::NoSuchMember {
            member: place,
            members: group.places(),
        })?;
        let mut labels = Vec::with_capacity(label_count(height));
        for top in 0..height {
            let mut on_the_way = group.keys.top(leaf >> (height - top));
            for level in (0..height - top).rev() {
                let right = leaf >> level & 1 == 1;
                labels.push(on_the_way.child(!right));
                on_the_way = on_the_way.child(right);
            }
        }
        Ok(Self {
            owner,
            group: group.id,
            epoch: group.epoch,
            height,
            place,
            everyone: group.keys.everyone(),
            labels,
        })
    }

    /// Who gave the group its keys.
    pub fn owner(&self) -> PublicKey {
        PublicKey(self.owner)
    }

    pub fn group(&self) -> &Hash {
        &self.group
    }

    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    pub fn place(&self) -> u32 {
        self.place
    }

    /// The content's key in a header.
    ///
    /// # Errors
    /// A header of another group or epoch, one that the owner did not sign, or one that leaves this member out.
    pub fn unwrap(&self, header: &Header) -> Result<ContentKey, GroupError> {
        let context = header.context();
        let place = self.place;
        if (context.owner, context.group) != (self.owner, self.group) {
            return Err(GroupError::OtherGroup);
        }
        if (context.epoch, context.height) != (self.epoch, self.height) {
            return Err(GroupError::OtherEpoch {
                header: context.epoch,
                keys: self.epoch,
            });
        }
        if !header.is_signed(|key, bytes, signature| PublicKey(*key).verify(bytes, signature)) {
            return Err(GroupError::NotSigned);
        }
        let entry = header
            .entry_of(place)
            .ok_or(GroupError::Revoked { place })?;
        let key = self
            .subset_key(entry.subset)
            .ok_or(GroupError::Revoked { place })?;
        let kek = Kek::new(&key, &labels::context_hash(context), entry.subset);
        let opened = kek
            .unwrap(&entry.wrapped)
            .ok_or(GroupError::WrongKeys { place })?;
        Ok(ContentKey::from_bytes(*opened))
    }

    /// The key of a subset that holds this place. None for any other subset.
    fn subset_key(&self, subset: Subset) -> Option<SubsetKey> {
        if subset == Subset::EVERYONE {
            return Some(self.everyone.clone());
        }
        let leaf = leaf(self.height, self.place)?;
        let (top, excluded) = (depth(subset.top())?, depth(subset.excluded())?);
        if !is_below(leaf, subset.top()) {
            return None;
        }
        // The first node on the way from the top to the excluded one that is not on the way to this place.
        let beside = (top + 1..=excluded).find(|depth| {
            subset.excluded() >> (excluded - depth) != leaf >> (self.height - depth)
        })?;
        // Ancestors above this one have `height - their depth` labels each.
        let before = label_count(self.height) - label_count(self.height - top);
        let label = self.labels.get(before + usize::from(beside - top - 1))?;
        Some(label.below(subset.excluded(), excluded - beside).key())
    }

    /// `PHK1` ‖ owner 33 ‖ group 32 ‖ epoch u32 ‖ height u8 ‖ place u32 ‖ key of everyone 32 ‖ labels, 32 each. All of it
    /// is secret.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(FIXED + 32 * self.labels.len()));
        bytes.extend_from_slice(&MAGIC);
        bytes.extend_from_slice(&self.owner);
        bytes.extend_from_slice(&self.group);
        bytes.extend_from_slice(&self.epoch.to_le_bytes());
        bytes.push(self.height);
        bytes.extend_from_slice(&self.place.to_le_bytes());
        bytes.extend_from_slice(self.everyone.as_bytes());
        for label in &self.labels {
            bytes.extend_from_slice(label.as_bytes());
        }
        bytes
    }

    /// What [`MemberKey::to_bytes`] made.
    ///
    /// # Errors
    /// Bytes of another form, or of a place that no tree has.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, GroupError> {
        let fixed = bytes
            .get(..FIXED)
            .ok_or(GroupError::NotAMemberKey("too short"))?;
        // Only what is not secret goes through the reader, which keeps copies.
        let (open, everyone) = fixed.split_at(FIXED - 32);
        let mut reader = Reader::new(open.to_vec().into());
        if reader.array::<4>("magic")? != MAGIC {
            return Err(GroupError::NotAMemberKey("does not start with PHK1"));
        }
        let key = Self {
            owner: reader.array("owner")?,
            group: reader.array("group")?,
            epoch: reader.u32("epoch")?,
            height: reader.u8("height")?,
            place: reader.u32("place")?,
            everyone: SubsetKey::from_bytes(array(everyone)?),
            labels: bytes
                .get(FIXED..)
                .unwrap_or_default()
                .chunks(32)
                .map(|label| array(label).map(Label::from_bytes))
                .collect::<Result<_, _>>()?,
        };
        if !(1..=MAX_HEIGHT).contains(&key.height) || leaf(key.height, key.place).is_none() {
            return Err(GroupError::NotAMemberKey("no tree has this place"));
        }
        if key.labels.len() != label_count(key.height) {
            return Err(GroupError::NotAMemberKey("too many or too few labels"));
        }
        Ok(key)
    }
}

fn array(bytes: &[u8]) -> Result<[u8; 32], GroupError> {
    bytes
        .try_into()
        .map_err(|_| DecodeError::Truncated {
            what: "label",
            needed: 32,
            left: bytes.len(),
        })
        .map_err(GroupError::Header)
}

impl fmt::Debug for MemberKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "MemberKey(place {} of group {}, epoch {}, keys hidden)",
            self.place,
            hex::encode(self.group),
            self.epoch
        )
    }
}
