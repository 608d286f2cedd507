//! The native contract PolicyContract: the values of a new network.

use crate::chain::current::{self, CallFlags};
use crate::int::{Int, int};

/// Datoshi per unit of an instruction's price.
#[must_use]
#[track_caller]
pub fn exec_fee_factor() -> Int {
    current::with(CallFlags::READ_ONLY, |_| int(30))
}

/// Datoshi per stored byte.
#[must_use]
#[track_caller]
pub fn storage_price() -> Int {
    current::with(CallFlags::READ_ONLY, |_| int(100_000))
}

/// Datoshi per byte of a transaction.
#[must_use]
#[track_caller]
pub fn fee_per_byte() -> Int {
    current::with(CallFlags::READ_ONLY, |_| int(1000))
}
