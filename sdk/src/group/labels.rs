//! How the keys of a group follow from 32 random bytes. Every step is an HMAC-SHA256 under the key before, with a text
//! of its own; there is no other primitive here but AES key wrap (RFC 3394).
//!
//! For each node i that may be the top of a subset there is a label; from the label of (i, j) follow those of (i, 2j) and
//! (i, 2j + 1), and the subset's key. Whoever has the label of (i, j) thus has the keys of all subsets under i whose
//! excluded node is j or below it, and, since HMAC is a one-way function, of no others.

use std::fmt;

use aws_lc_rs::hmac;
use aws_lc_rs::key_wrap::{AES_256, AesKek, KeyWrap as _};
use phantasma_wire::Hash;
use phantasma_wire::broadcast::{Context, Subset, WRAPPED_LEN};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

const TOP: &[u8] = b"phantasma group 1 top";
const EVERYONE: &[u8] = b"phantasma group 1 everyone";
const LEFT: &[u8] = b"phantasma group 1 left";
const RIGHT: &[u8] = b"phantasma group 1 right";
const KEY: &[u8] = b"phantasma group 1 key";
const WRAP: &[u8] = b"phantasma group 1 wrap";

/// From which all keys of one epoch of a group follow. Whoever has it reads everything that the group gets.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct GroupKeys([u8; 32]);

/// A label of one pair of nodes, not to be confused with the pair's key.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(super) struct Label([u8; 32]);

/// The key of a subset.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub(super) struct SubsetKey([u8; 32]);

/// Wraps one content key in one header: bound to the header's context and to the entry, so it is never used twice.
pub(super) struct Kek(Zeroizing<[u8; 32]>);

impl GroupKeys {
    /// New ones, from the system's randomness.
    pub fn random() -> Self {
        Self(rand::random())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The secret itself, to be kept sealed. Not for logs.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The key of the subset that is the whole group.
    pub(super) fn everyone(&self) -> SubsetKey {
        SubsetKey(hmac(&self.0, &[EVERYONE]))
    }

    /// The label of the pair (node, node), from which those of all pairs with this top follow.
    pub(super) fn top(&self, node: u32) -> Label {
        Label(hmac(&self.0, &[TOP, &node.to_le_bytes()]))
    }
}

impl fmt::Debug for GroupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupKeys(hidden)")
    }
}

impl Label {
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The label of the same top with a child of this label's node.
    pub(super) fn child(&self, right: bool) -> Self {
        Self(hmac(&self.0, &[if right { RIGHT } else { LEFT }]))
    }

    /// The label of `node`, which is `levels` below this label's.
    pub(super) fn below(&self, node: u32, levels: u8) -> Self {
        let mut label = self.clone();
        for level in (0..levels).rev() {
            label = label.child(node >> level & 1 == 1);
        }
        label
    }

    pub(super) fn key(&self) -> SubsetKey {
        SubsetKey(hmac(&self.0, &[KEY]))
    }
}

impl SubsetKey {
    pub(super) fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl Kek {
    pub(super) fn new(key: &SubsetKey, context: &Hash, subset: Subset) -> Self {
        let excluded = subset.excluded().to_le_bytes();
        let parts: [&[u8]; 4] = [WRAP, context, &excluded, &[subset.up()]];
        Self(Zeroizing::new(hmac(&key.0, &parts)))
    }

    /// None when the library fails.
    pub(super) fn wrap(self, secret: &[u8; 32]) -> Option<[u8; WRAPPED_LEN]> {
        let mut wrapped = [0; WRAPPED_LEN];
        let kek = AesKek::new(&AES_256, self.0.as_slice()).ok()?;
        kek.wrap(secret, &mut wrapped).ok()?;
        Some(wrapped)
    }

    /// None when it was wrapped under another key.
    pub(super) fn unwrap(self, wrapped: &[u8; WRAPPED_LEN]) -> Option<Zeroizing<[u8; 32]>> {
        // The library wants room for the wrapped form.
        let mut room = Zeroizing::new([0; WRAPPED_LEN]);
        let kek = AesKek::new(&AES_256, self.0.as_slice()).ok()?;
        let opened = kek.unwrap(wrapped, room.as_mut_slice()).ok()?;
        let mut secret = Zeroizing::new([0; 32]);
        if opened.len() != secret.len() {
            return None;
        }
        secret.copy_from_slice(opened);
        Some(secret)
    }
}

/// What stands for a header's context in each wrapping.
pub(super) fn context_hash(context: &Context) -> Hash {
    Sha256::digest(context.encode()).into()
}

fn hmac(key: &[u8; 32], parts: &[&[u8]]) -> [u8; 32] {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    let mut context = hmac::Context::with_key(&key);
    for part in parts {
        context.update(part);
    }
    let mut out = [0; 32];
    // HMAC-SHA256 gives 32 bytes.
    out.copy_from_slice(context.sign().as_ref());
    out
}
