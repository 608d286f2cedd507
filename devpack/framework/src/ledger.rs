//! The native contract LedgerContract.

use crate::any::Any;
use crate::array::Array;
use crate::chain::current::{self, CallFlags};
use crate::convert::expect_item;
use crate::hash::{Hash160, Hash256, hash160};
use crate::int::Int;

/// [`block`]: where the consensus nonce stands, a number of up to 64 bits without sign.
pub const NONCE: i64 = 5;

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

/// A block's hash, version, previous hash, Merkle root, time in milliseconds, nonce ([`NONCE`]), index, primary,
/// next consensus, number of transactions. `None` of a block that is not there yet (also the one that is being built)
/// or is further back than the network's `MaxTraceableBlocks`. Natively hash and nonce follow from the index, the time is
/// the chain's, and blocks have no transactions.
#[must_use]
#[track_caller]
pub fn block(index: impl Into<Int>) -> Option<Array<Any>> {
    let index = index.into();
    current::with(CallFlags::READ_ONLY, |state| state.block(index)).map(expect_item)
}
