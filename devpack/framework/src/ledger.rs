//! The native contract LedgerContract.

use crate::chain::current::{self, CallFlags};
use crate::hash::{Hash160, Hash256, hash160};
use crate::int::Int;

/// The contract, in script order.
pub const HASH: Hash160 =
    hash160(b"\xbe\xf2\x04\x31\x40\x36\x2a\x77\xc1\x50\x99\xc7\xe6\x4c\x12\xf7\x00\xb6\x65\xda");

/// Height of the last block.
#[must_use]
#[track_caller]
pub fn current_index() -> Int {
    current::with(CallFlags::READ_ONLY, |state| state.block_index)
}

/// Hash of the last block.
#[must_use]
#[track_caller]
pub fn current_hash() -> Hash256 {
    current::with(CallFlags::READ_ONLY, |state| state.block_hash())
}
