//! The native contract GasToken.

use crate::any::Any;
use crate::hash::{Hash160, hash160};
use crate::int::Int;
use crate::nep17;

/// The contract, in script order.
pub const HASH: Hash160 =
    hash160(b"\xcf\x76\xe2\x8b\xd0\x06\x2c\x4a\x47\x8e\xe3\x55\x61\x01\x13\x19\xf3\xcf\xa4\xd2");

/// GAS of an account, in its smallest unit.
#[must_use]
#[track_caller]
pub fn balance_of(account: &Hash160) -> Int {
    nep17::balance_of(&HASH, account)
}

/// Moves GAS; false without the sender's witness or with too little of it. A
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
