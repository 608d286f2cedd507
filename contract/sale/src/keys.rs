//! Every storage key, made here and nowhere else.
//!
//! A key is a tag byte of its own and then nothing, one byte of a number, or an account. So two different things never
//! share a key.

use neo_framework::prelude::*;

/// Tiers and lock-ups are numbered from 1 and stay below this: one byte, and never a negative one.
pub const NUMBER_LIMIT: i64 = 17;

/// The contract that has the SOUL.
pub const PHANTASMA: Bytes = bytes(b"\x01");
/// Who runs the sale.
pub const ADMINISTRATOR: Bytes = bytes(b"\x02");
/// Who gets what is raised.
pub const TREASURY: Bytes = bytes(b"\x03");
/// Where the sale stands.
pub const STATE: Bytes = bytes(b"\x04");
/// The latest end, how many tiers and lock-ups there are.
pub const BOUNDS: Bytes = bytes(b"\x05");

/// The terms of a tier.
pub fn tier(number: Int) -> Bytes {
    numbered(int(0x10), number)
}

/// The times and the reserve of a lock-up.
pub fn lockup(number: Int) -> Bytes {
    numbered(int(0x11), number)
}

/// How much was allotted under a lock-up.
pub fn allotted(number: Int) -> Bytes {
    numbered(int(0x12), number)
}

/// What the sale knows of an account.
pub fn account(account: &Hash160) -> Bytes {
    bytes(b"\x20").concat(&account.as_bytes())
}

/// Tag and number.
fn numbered(tag: Int, number: Int) -> Bytes {
    (tag + (number << 8)).to_bytes()
}
