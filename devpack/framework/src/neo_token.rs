//! The native contract NeoToken.

use crate::any::Any;
use crate::hash::{Hash160, hash160};
use crate::int::Int;
use crate::nep17;

/// The contract, in script order.
pub const HASH: Hash160 =
    hash160(b"\xf5\x63\xea\x40\xbc\x28\x3d\x4d\x0e\x05\xc4\x8e\xa3\x05\xb3\xf2\xa0\x73\x40\xef");

/// NEO of an account, in its smallest unit.
#[must_use]
#[track_caller]
pub fn balance_of(account: &Hash160) -> Int {
    nep17::balance_of(&HASH, account)
}

/// Moves NEO; false without the sender's witness or with too little of it. A
/// receiving contract is told by `onNEP17Payment(from, amount, data)`.
#[must_use]
#[track_caller]
pub fn transfer(
    from: &Hash160,
    to: &Hash160,
    amount: impl Into<Int>,
    data: impl Into<Any>,
) -> bool {
    nep17::transfer(&HASH, from, to, amount.into(), data.into())
}
