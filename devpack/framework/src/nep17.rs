//! What the native tokens have in common: NEP-17's calls.

use crate::any::Any;
use crate::bytes::text;
use crate::contracts::{self, ALL, READ_ONLY};
use crate::convert::IntoAny;
use crate::hash::Hash160;
use crate::int::Int;

/// `balanceOf(account)` of a token, in its smallest unit.
#[track_caller]
pub(crate) fn balance_of(token: &Hash160, account: &Hash160) -> Int {
    let args = crate::array![account.clone().into_any()];
    contracts::call(token, &text("balanceOf"), READ_ONLY, args).as_int()
}

/// `transfer(from, to, amount, data)` of a token.
#[track_caller]
pub(crate) fn transfer(
    token: &Hash160,
    from: &Hash160,
    to: &Hash160,
    amount: Int,
    data: Any,
) -> bool {
    let args = crate::array![
        from.clone().into_any(),
        to.clone().into_any(),
        amount.into_any(),
        data,
    ];
    contracts::call(token, &text("transfer"), ALL, args).as_bool()
}
