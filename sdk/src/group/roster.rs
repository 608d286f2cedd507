//! Who has which place of a group: the owner's file, sealed with the owner's key.
//!
//! The roster follows the include list of the group's box: [`Roster::follow`] asks the chain about each member and leaves
//! out those that the box no longer includes. From then on they are in the `revoked` of every header. [`Roster::renew`]
//! gives the remaining members new keys when places or headers run out.

use std::path::{Path, PathBuf};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use neo_client::{PrivateKey, PublicKey};
use phantasma_wire::Hash;
use phantasma_wire::broadcast::{Header, MAX_HEIGHT};
use zeroize::Zeroizing;

use super::{Group, GroupError, GroupKeys, MemberKey};
use crate::content::ContentKey;
use crate::contract::{ContractError, Phantasma};
use crate::keys::{KeystoreError, Purpose, SealedFile, Secret};

/// Places that one file keeps. It is written anew at each change: 34 bytes a place, twice that in hex.
pub const MAX_PLACES: usize = 1 << 20;

/// Id, keys, box, epoch, height, number of places.
const FIXED: usize = 32 + 32 + 8 + 4 + 1 + 4;
/// Key and whether it is revoked.
const RECORD: usize = 33 + 1;
const PURPOSE: Purpose = Purpose {
    name: b"phantasma group roster 1",
    max_bytes: FIXED + RECORD * MAX_PLACES,
};
/// Questions to the node at once.
const ASKED_AT_ONCE: usize = 8;

/// Why a roster was not read or not changed.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    #[error(transparent)]
    File(#[from] KeystoreError),
    #[error(transparent)]
    Group(#[from] GroupError),
    #[error(
        "all {places} places of the group have been given away: renew the group to free those of excluded members"
    )]
    Full { places: usize },
    #[error("{0} is no member of the group")]
    NotAMember(PublicKey),
    #[error(transparent)]
    Chain(#[from] ContractError),
}

/// One place and who has its keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub member: PublicKey,
    /// Left out for good: the place is not given away again in this epoch.
    pub revoked: bool,
}

/// A group with its members.
pub struct Roster {
    file: SealedFile,
    box_id: u64,
    group: Group,
    places: Vec<Place>,
}

impl Roster {
    /// A new group without members, for a box. A file that exists is never overwritten.
    ///
    /// # Errors
    /// A height outside of 1 to 24; a file that exists or cannot be written.
    pub fn create(
        path: impl Into<PathBuf>,
        owner: &PrivateKey,
        id: Hash,
        box_id: u64,
        height: u8,
    ) -> Result<Self, RosterError> {
        let roster = Self {
            group: Group::new(id, 0, height, GroupKeys::random())?,
            file: SealedFile::create(path.into(), &Secret::Wallet(owner), &PURPOSE)?,
            box_id,
            places: Vec::new(),
        };
        roster.save()?;
        Ok(roster)
    }

    /// Opens the roster of `owner`.
    ///
    /// # Errors
    /// No such file; another owner's; damaged.
    pub fn open(path: impl Into<PathBuf>, owner: &PrivateKey) -> Result<Self, RosterError> {
        let (file, plain) = SealedFile::open(path.into(), &Secret::Wallet(owner), &PURPOSE)?;
        let Some((box_id, group, places)) = parse(&plain) else {
            return Err(file.damaged("what was sealed is no roster").into());
        };
        Ok(Self {
            file,
            box_id,
            group,
            places,
        })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The box whose include list the group follows.
    pub fn box_id(&self) -> u64 {
        self.box_id
    }

    pub fn group(&self) -> &Group {
        &self.group
    }

    /// All places that were given away in this epoch, in order.
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Members that headers are for.
    pub fn members(&self) -> impl Iterator<Item = &PublicKey> {
        let active = self.places.iter().filter(|place| !place.revoked);
        active.map(|place| &place.member)
    }

    /// Places that headers leave out.
    pub fn revoked(&self) -> Vec<u32> {
        let numbered = (0_u32..).zip(&self.places);
        numbered
            .filter(|(_, place)| place.revoked)
            .map(|(number, _)| number)
            .collect()
    }

    /// Gives a member a place, saves, and returns its keys. Who has a place gets the keys of that one again; who was
    /// excluded gets a new one.
    ///
    /// # Errors
    /// No place is left; the file cannot be written.
    pub fn admit(
        &mut self,
        owner: &PrivateKey,
        member: &PublicKey,
    ) -> Result<MemberKey, RosterError> {
        let number = match self.place_of(member) {
            Some(number) => number,
            None => {
                let most = MAX_PLACES.min(self.group.places() as usize);
                if self.places.len() >= most {
                    return Err(RosterError::Full { places: most });
                }
                self.places.push(Place {
                    member: *member,
                    revoked: false,
                });
                self.save().inspect_err(|_| {
                    self.places.pop();
                })?;
                self.places.len() - 1
            }
        };
        // At most MAX_PLACES.
        Ok(self.group.member_key(owner, number as u32)?)
    }

    /// Leaves a member out of all headers from now on, and saves.
    ///
    /// # Errors
    /// Not a member, or excluded already; the file cannot be written.
    pub fn exclude(&mut self, member: &PublicKey) -> Result<(), RosterError> {
        let number = self
            .place_of(member)
            .ok_or(RosterError::NotAMember(*member))?;
        self.set_revoked(&[number])
    }

    /// Leaves out every member that the box does not include any more; returns them.
    ///
    /// # Errors
    /// The node does not answer; the file cannot be written. Then nobody was excluded.
    pub async fn follow(&mut self, contract: &Phantasma) -> Result<Vec<PublicKey>, RosterError> {
        let box_id = self.box_id;
        let active = self.places.iter().enumerate().filter(|(_, p)| !p.revoked);
        let asked = active.map(|(number, place)| {
            let member = place.member;
            async move {
                let included = contract.is_member(box_id, &member.script_hash()).await?;
                Ok::<_, ContractError>((number, member, included))
            }
        });
        let answers: Vec<_> = stream::iter(asked.collect::<Vec<_>>())
            .buffered(ASKED_AT_ONCE)
            .try_collect()
            .await?;
        let gone = || answers.iter().filter(|(_, _, included)| !included);
        let numbers: Vec<usize> = gone().map(|(number, _, _)| *number).collect();
        self.set_revoked(&numbers)?;
        Ok(gone().map(|(_, member, _)| *member).collect())
    }

    /// New keys and a new epoch for those who are left, in places of their own. All of them must get their new keys:
    /// the old ones open no later header.
    ///
    /// # Errors
    /// The file cannot be written; then the group is as it was.
    pub fn renew(&mut self) -> Result<(), RosterError> {
        let group = Group::new(
            *self.group.id(),
            self.group.epoch().saturating_add(1),
            self.group.height(),
            GroupKeys::random(),
        )?;
        let places = self.places.iter().filter(|p| !p.revoked).copied().collect();
        let old_group = std::mem::replace(&mut self.group, group);
        let old_places = std::mem::replace(&mut self.places, places);
        if let Err(error) = self.save() {
            (self.group, self.places) = (old_group, old_places);
            return Err(error);
        }
        Ok(())
    }

    /// A header that gives a content's key to all members that are not excluded.
    ///
    /// # Errors
    /// More excluded members than a header can leave out: renew the group.
    pub fn wrap(
        &self,
        owner: &PrivateKey,
        content: Hash,
        key: &ContentKey,
    ) -> Result<Header, RosterError> {
        Ok(self.group.wrap(owner, content, key, &self.revoked())?)
    }

    fn place_of(&self, member: &PublicKey) -> Option<usize> {
        let mut places = self.places.iter();
        places.position(|place| place.member == *member && !place.revoked)
    }

    fn set_revoked(&mut self, numbers: &[usize]) -> Result<(), RosterError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let before = self.places.clone();
        for number in numbers {
            if let Some(place) = self.places.get_mut(*number) {
                place.revoked = true;
            }
        }
        self.save().inspect_err(|_| self.places = before)
    }

    fn save(&self) -> Result<(), RosterError> {
        let mut plain = SealedFile::room(FIXED + RECORD * self.places.len());
        plain.extend_from_slice(self.group.id());
        plain.extend_from_slice(self.group.keys().as_bytes());
        plain.extend_from_slice(&self.box_id.to_le_bytes());
        plain.extend_from_slice(&self.group.epoch().to_le_bytes());
        plain.push(self.group.height());
        // At most MAX_PLACES.
        plain.extend_from_slice(&(self.places.len() as u32).to_le_bytes());
        for place in &self.places {
            plain.extend_from_slice(&place.member.0);
            plain.push(u8::from(place.revoked));
        }
        Ok(self.file.save(plain)?)
    }
}

impl std::fmt::Debug for Roster {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "Roster({}, {:?}, {} places given)",
            self.path().display(),
            self.group,
            self.places.len()
        )
    }
}

/// None when it is no roster.
fn parse(plain: &[u8]) -> Option<(u64, Group, Vec<Place>)> {
    let (id, rest) = plain.split_first_chunk::<32>()?;
    let (keys, rest) = rest.split_first_chunk::<32>()?;
    let keys = Zeroizing::new(*keys);
    let (box_id, rest) = rest.split_first_chunk::<8>()?;
    let (epoch, rest) = rest.split_first_chunk::<4>()?;
    let (&height, rest) = rest.split_first()?;
    let (count, records) = rest.split_first_chunk::<4>()?;
    if !(1..=MAX_HEIGHT).contains(&height)
        || records.len() != u32::from_le_bytes(*count) as usize * RECORD
    {
        return None;
    }
    let places = records
        .chunks_exact(RECORD)
        .map(|record| {
            let (member, revoked) = record.split_first_chunk::<33>()?;
            let revoked = match revoked {
                [0] => false,
                [1] => true,
                _ => return None,
            };
            Some(Place {
                member: PublicKey(*member),
                revoked,
            })
        })
        .collect::<Option<_>>()?;
    let keys = GroupKeys::from_bytes(*keys);
    let group = Group::new(*id, u32::from_le_bytes(*epoch), height, keys).ok()?;
    Some((u64::from_le_bytes(*box_id), group, places))
}
