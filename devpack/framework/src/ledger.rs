//! The native contract LedgerContract.

use crate::chain::current::{self, CallFlags};
use crate::hash::Hash256;
use crate::int::Int;

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
