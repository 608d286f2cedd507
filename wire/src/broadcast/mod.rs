//! One header that gives a content's key to all members of a group but the revoked ones.
//!
//! * [`cover`]: which subsets hold everybody else; [`Subset`] is one of them.
//! * [`Header`]: the content's key, wrapped once for each subset.
//!
//! Not here: the keys of the subsets and the wrapping, which are `phantasma_sdk::group`.

mod cover;

use bytes::Bytes;

pub use cover::{
    CoverError, MAX_ENTRIES, MAX_HEIGHT, MAX_REVOKED, Subset, cover, depth, is_below, leaf,
};

use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::SIGNATURE_LEN;
use crate::{Hash, PublicKey};

/// First bytes of every header; the last one is the version.
pub const MAGIC: [u8; 4] = *b"PHG1";

/// A key of 32 bytes after AES key wrap (RFC 3394), which adds 8 bytes that show a wrong key.
pub const WRAPPED_LEN: usize = 40;

/// Excluded node, levels to the top, wrapped key.
pub const ENTRY_LEN: usize = 4 + 1 + WRAPPED_LEN;

/// What stands in front of the number of entries.
pub const CONTEXT_LEN: usize = 4 + 33 + 32 + 4 + 1 + 32 + 32;

/// What a header is for. Every wrapped key is bound to all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Key of whoever gave the group its keys, and signs the header.
    pub owner: PublicKey,
    pub group: Hash,
    /// Which keys of the group: it rises when all members get new ones.
    pub epoch: u32,
    /// Of the group's tree: it has 2^height places.
    pub height: u8,
    /// Root of the content that the key is of.
    pub content: Hash,
    /// Random: no two headers wrap under the same key.
    pub salt: [u8; 32],
}

/// The content's key for one subset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    pub subset: Subset,
    pub wrapped: [u8; WRAPPED_LEN],
}

/// The content's key for all subsets of a cover, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    context: Context,
    entries: Vec<Entry>,
    signature: [u8; SIGNATURE_LEN],
}

impl Context {
    /// The bytes that the wrapped keys are bound to.
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    fn write(&self, to: &mut Writer) {
        to.raw(&MAGIC)
            .raw(&self.owner)
            .raw(&self.group)
            .u32(self.epoch)
            .u8(self.height)
            .raw(&self.content)
            .raw(&self.salt);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.array::<4>("header magic")? != MAGIC {
            return Err(invalid("does not start with PHG1"));
        }
        let context = Self {
            owner: from.array("owner")?,
            group: from.array("group")?,
            epoch: from.u32("epoch")?,
            height: from.u8("height")?,
            content: from.array("content")?,
            salt: from.array("salt")?,
        };
        if (1..=MAX_HEIGHT).contains(&context.height) {
            Ok(context)
        } else {
            Err(invalid("no tree has this height"))
        }
    }
}

impl Header {
    /// Signs with `sign`, which hashes once with SHA-256.
    ///
    /// # Errors
    /// Subsets that are not in strictly rising order, not of a tree of this height, or too many.
    pub fn sign(
        context: Context,
        entries: Vec<Entry>,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LEN],
    ) -> Result<Self, DecodeError> {
        if entries.len() > MAX_ENTRIES {
            return Err(too_many(entries.len()));
        }
        for (at, entry) in entries.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|at| entries.get(at));
            check(context.height, before, entry.subset, entries.len())?;
        }
        let mut header = Self {
            context,
            entries,
            signature: [0; SIGNATURE_LEN],
        };
        header.signature = sign(&header.signing_bytes());
        Ok(header)
    }

    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Ordered by the excluded node.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry whose subset holds a member. A member that none holds is revoked.
    pub fn entry_of(&self, member: u32) -> Option<&Entry> {
        let height = self.context.height;
        let holds = |entry: &&Entry| entry.subset.contains(height, member);
        self.entries.iter().find(holds)
    }

    /// The bytes to sign: all but the signature.
    pub fn signing_bytes(&self) -> Bytes {
        let mut writer = Writer::default();
        self.write_unsigned(&mut writer);
        writer.finish()
    }

    /// Whether `verify(key, signing bytes, signature)` accepts the owner's signature.
    pub fn is_signed(
        &self,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        verify(&self.context.owner, &self.signing_bytes(), &self.signature)
    }

    fn write_unsigned(&self, to: &mut Writer) {
        self.context.write(to);
        to.u32(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        for entry in &self.entries {
            to.u32(entry.subset.excluded())
                .u8(entry.subset.up())
                .raw(&entry.wrapped);
        }
    }
}

impl Frame for Header {
    const MAX_LEN: usize = CONTEXT_LEN + 4 + MAX_ENTRIES * ENTRY_LEN + SIGNATURE_LEN;

    fn write(&self, to: &mut Writer) {
        self.write_unsigned(to);
        to.raw(&self.signature);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        let context = Context::read(from)?;
        let count = from.u32("number of entries")? as usize;
        if count > MAX_ENTRIES {
            return Err(too_many(count));
        }
        // Grows with what is really there, not with the count.
        let mut entries: Vec<Entry> = Vec::new();
        for _ in 0..count {
            let (excluded, up) = (from.u32("excluded node")?, from.u8("levels")?);
            let Some(subset) = Subset::new(context.height, excluded, up) else {
                return Err(invalid("a subset that the tree does not have"));
            };
            check(context.height, entries.last(), subset, count)?;
            let wrapped = from.array("wrapped key")?;
            entries.push(Entry { subset, wrapped });
        }
        Ok(Self {
            context,
            entries,
            signature: from.array("signature")?,
        })
    }
}

/// One order, so that a header has one encoding. Two subsets of a cover never exclude the same node.
fn check(
    height: u8,
    before: Option<&Entry>,
    subset: Subset,
    count: usize,
) -> Result<(), DecodeError> {
    if Subset::new(height, subset.excluded(), subset.up()).is_none() {
        return Err(invalid("a subset that the tree does not have"));
    }
    if subset == Subset::EVERYONE && count != 1 {
        return Err(invalid("everyone beside other subsets"));
    }
    if before.is_some_and(|before| before.subset.excluded() >= subset.excluded()) {
        return Err(invalid("entries are not in rising order"));
    }
    Ok(())
}

fn too_many(len: usize) -> DecodeError {
    DecodeError::TooLong {
        what: "entries",
        len,
        max: MAX_ENTRIES,
    }
}

fn invalid(reason: &'static str) -> DecodeError {
    DecodeError::Invalid {
        what: "group header",
        reason,
    }
}
