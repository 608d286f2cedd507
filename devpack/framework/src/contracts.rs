//! Calls of other contracts.

use crate::any::Any;
use crate::array::Array;
use crate::bytes::Text;
use crate::chain::current::CallFlags;
use crate::chain::invoke;
use crate::convert::IntoItem;
use crate::fault::fault;
use crate::hash::Hash160;
use crate::int::Int;
use crate::item::Item;

/// The callee may do nothing but compute.
pub const NONE: i64 = 0;
/// The callee may read.
pub const READ_STATES: i64 = 1;
/// The callee may write.
pub const WRITE_STATES: i64 = 2;
/// The callee may call.
pub const ALLOW_CALL: i64 = 4;
/// The callee may notify.
pub const ALLOW_NOTIFY: i64 = 8;
/// The callee may read and write.
pub const STATES: i64 = 3;
/// The callee may read and call.
pub const READ_ONLY: i64 = 5;
/// The callee may do everything the caller may.
pub const ALL: i64 = 15;

/// `System.Contract.Call`: runs the method with an evaluation stack of its own
/// and at most those flags. No such contract, method or argument count, or no
/// permission, is a fault. A method without result gives Null.
#[track_caller]
pub fn call(contract: &Hash160, method: &Text, flags: impl Into<Int>, args: Array<Any>) -> Any {
    let flags = flags.into();
    let Some(flags) = flags.to_i64().and_then(CallFlags::from_bits) else {
        fault(format_args!("call flags out of range: {flags}"));
    };
    let Item::Array(cells) = args.into_item() else {
        fault("arguments must be an Array")
    };
    let args = cells.borrow().clone();
    Any::of(invoke::call(contract, &method.to_string(), flags, args))
}
