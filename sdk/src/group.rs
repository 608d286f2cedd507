//! One key for a group of up to millions, of whom any may be left out: subset difference broadcast encryption (Naor,
//! Naor, Lotspiech 2001).
//!
//! The owner of a [`Group`] gives each member, once, the [`MemberKey`] of its place. From then on [`Group::wrap`] makes
//! a header of at most 2r - 1 entries for r revoked members; every other member opens it with [`MemberKey::unwrap`],
//! needs no message in between, and revoked members learn nothing even when they put all their keys together.
//!
//! A place is never given to a second member: the first one still has its keys. What a revoked member can still read
//! stands in `docs/privacy.md`.
//!
//! ```
//! # use phantasma_sdk::{group::{Group, GroupKeys}, neo::PrivateKey, content::ContentKey};
//! let owner = PrivateKey::random()?;
//! let group = Group::new([1; 32], 0, 20, GroupKeys::random())?; // 1,048,576 places
//! let (ada, bob) = (group.member_key(&owner, 0)?, group.member_key(&owner, 1)?);
//! let (content, key) = ([7; 32], ContentKey::random());
//! let header = group.wrap(&owner, content, &key, &[1])?;
//! assert_eq!(ada.unwrap(&header)?, key);
//! assert!(bob.unwrap(&header).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod labels;
mod member;
pub mod roster;

use std::fmt;

use neo_client::{Hash160, PrivateKey};
use phantasma_wire::Hash;
use phantasma_wire::broadcast::{self, Context, CoverError, Entry, Header, MAX_HEIGHT};
use phantasma_wire::codec::DecodeError;
use sha2::{Digest as _, Sha256};

use crate::content::ContentKey;
use labels::Kek;

pub use labels::GroupKeys;
pub use member::{MAX_MEMBER_KEY, MemberKey};

/// Why a group's key was not wrapped or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    #[error(transparent)]
    Cover(#[from] CoverError),
    #[error("not a member's keys: {0}")]
    NotAMemberKey(&'static str),
    #[error(transparent)]
    Header(#[from] DecodeError),
    #[error("the header is of another group, or of another owner's")]
    OtherGroup,
    #[error(
        "the header is for epoch {header} of the group, these keys for {keys}: ask the group's owner for new keys"
    )]
    OtherEpoch { header: u32, keys: u32 },
    #[error("the header's signature is not its owner's")]
    NotSigned,
    #[error(
        "place {place} of the group is left out of this header: its member is no longer admitted"
    )]
    Revoked { place: u32 },
    #[error("the entry of place {place} does not open: these keys are not the group's")]
    WrongKeys { place: u32 },
    #[error("the cryptographic library failed")]
    Library,
}

/// The id of the group of a box.
pub fn id_of_box(contract: &Hash160, box_id: u64) -> Hash {
    Sha256::new()
        .chain_update(b"phantasma group 1 box")
        .chain_update(contract.0)
        .chain_update(box_id.to_le_bytes())
        .finalize()
        .into()
}

/// What the owner of a group has. Its keys make every key of every member.
#[derive(Clone)]
pub struct Group {
    id: Hash,
    epoch: u32,
    height: u8,
    keys: GroupKeys,
}

impl Group {
    /// A group of 2^height places. `epoch` counts the keys that a group has had; `keys` belong to one epoch only.
    ///
    /// # Errors
    /// A height outside of 1 to 24.
    pub fn new(id: Hash, epoch: u32, height: u8, keys: GroupKeys) -> Result<Self, GroupError> {
        if !(1..=MAX_HEIGHT).contains(&height) {
            return Err(CoverError::Height { height }.into());
        }
        Ok(Self {
            id,
            epoch,
            height,
            keys,
        })
    }

    pub fn id(&self) -> &Hash {
        &self.id
    }

    pub fn epoch(&self) -> u32 {
        self.epoch
    }

    pub fn height(&self) -> u8 {
        self.height
    }

    /// How many members it can have had in all, revoked ones too.
    pub fn places(&self) -> u32 {
        1 << self.height
    }

    pub(crate) fn keys(&self) -> &GroupKeys {
        &self.keys
    }

    /// The keys of a place: `height * (height + 1) / 2 + 1` of 32 bytes. To be given to one member, over a sealed way.
    ///
    /// # Errors
    /// A place that the group does not have.
    pub fn member_key(&self, owner: &PrivateKey, place: u32) -> Result<MemberKey, GroupError> {
        MemberKey::derive(self, owner.public_key().0, place)
    }

    /// Wraps a content's key for all places but the revoked. Takes at most `(2r - 1) * (height + 4)` HMACs.
    ///
    /// # Errors
    /// A revoked place that does not exist; too many revoked.
    pub fn wrap(
        &self,
        owner: &PrivateKey,
        content: Hash,
        key: &ContentKey,
        revoked: &[u32],
    ) -> Result<Header, GroupError> {
        self.wrap_with(owner, content, key, revoked, rand::random())
    }

    fn wrap_with(
        &self,
        owner: &PrivateKey,
        content: Hash,
        key: &ContentKey,
        revoked: &[u32],
        salt: [u8; 32],
    ) -> Result<Header, GroupError> {
        let context = Context {
            owner: owner.public_key().0,
            group: self.id,
            epoch: self.epoch,
            height: self.height,
            content,
            salt,
        };
        let bound = labels::context_hash(&context);
        let wrap = |subset| {
            let kek = match subset {
                broadcast::Subset::EVERYONE => Kek::new(&self.keys.everyone(), &bound, subset),
                other => {
                    let top = self.keys.top(other.top());
                    Kek::new(
                        &top.below(other.excluded(), other.up()).key(),
                        &bound,
                        other,
                    )
                }
            };
            let wrapped = kek.wrap(key.as_bytes()).ok_or(GroupError::Library)?;
            Ok(Entry { subset, wrapped })
        };
        let entries: Result<Vec<Entry>, GroupError> = broadcast::cover(self.height, revoked)?
            .into_iter()
            .map(wrap)
            .collect();
        Ok(Header::sign(context, entries?, |bytes| owner.sign(bytes))?)
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Group({}, epoch {}, {} places, keys hidden)",
            hex::encode(self.id),
            self.epoch,
            self.places()
        )
    }
}

#[cfg(test)]
#[path = "group/tests.rs"]
mod tests;
