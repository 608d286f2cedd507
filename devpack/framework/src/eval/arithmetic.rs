//! Opcodes on numbers, truth values and whole items.

use super::{pop_bool, pop_int, pop_item, push_item};
use crate::fault::{fault, ok_or_fault};
use crate::int::{Int, int};
use crate::item::Item;

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident($left:ident, $right:ident) => $result:expr;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name() {
            let $right = pop_int();
            let $left = pop_int();
            push_item($result);
        }
    )+};
}

macro_rules! unary {
    ($($(#[$doc:meta])* $name:ident($value:ident) => $result:expr;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name() {
            let $value = pop_int();
            push_item($result);
        }
    )+};
}

binary! {
    /// ADD.
    add(a, b) => Item::Integer(a + b);
    /// SUB.
    sub(a, b) => Item::Integer(a - b);
    /// MUL.
    mul(a, b) => Item::Integer(a * b);
    /// DIV: truncates toward zero.
    div(a, b) => Item::Integer(a / b);
    /// MOD: has the sign of the dividend.
    modulo(a, b) => Item::Integer(a % b);
    /// POW: the exponent is in 0..=256.
    pow(a, b) => Item::Integer(a.pow(b));
    /// MIN.
    min(a, b) => Item::Integer(a.min(b));
    /// MAX.
    max(a, b) => Item::Integer(a.max(b));
    /// AND, bit by bit.
    and(a, b) => Item::Integer(a & b);
    /// OR, bit by bit.
    or(a, b) => Item::Integer(a | b);
    /// XOR, bit by bit.
    xor(a, b) => Item::Integer(a ^ b);
    /// NUMEQUAL.
    numequal(a, b) => Item::Boolean(a == b);
    /// NUMNOTEQUAL.
    numnotequal(a, b) => Item::Boolean(a != b);
}

unary! {
    /// INC.
    inc(a) => Item::Integer(a + 1);
    /// DEC.
    dec(a) => Item::Integer(a - 1);
    /// NEGATE.
    negate(a) => Item::Integer(-a);
    /// ABS.
    abs(a) => Item::Integer(a.abs());
    /// SIGN: -1, 0 or 1.
    sign(a) => Item::Integer(a.sign());
    /// SQRT: rounded down.
    sqrt(a) => Item::Integer(a.sqrt());
    /// INVERT: all bits flipped.
    invert(a) => Item::Integer(!a);
    /// NZ: whether it is not zero.
    nz(a) => Item::Boolean(a != Int::ZERO);
}

/// SHL by 0..=256. A shift by 0 gives the number itself (Gorgon and later).
#[track_caller]
pub fn shl() {
    shift(|value, count| value << count);
}

/// SHR by 0..=256; floors.
#[track_caller]
pub fn shr() {
    shift(|value, count| value >> count);
}

#[track_caller]
fn shift(operation: fn(Int, Int) -> Int) {
    let count = pop_int();
    if !count.within(0, int(crate::int::MAX_SHIFT) + 1) {
        fault("operand must be between 0 and 256");
    }
    let item = pop_item();
    let value = ok_or_fault(item.to_integer());
    push_item(Item::Integer(operation(value, count)));
}

/// WITHIN: ( x a b -- a <= x < b ).
#[track_caller]
pub fn within() {
    let high = pop_int();
    let low = pop_int();
    let value = pop_int();
    push_item(Item::Boolean(value.within(low, high)));
}

/// LT; false if one is Null.
#[track_caller]
pub fn lt() {
    compare(|a, b| a < b);
}

/// LE; false if one is Null.
#[track_caller]
pub fn le() {
    compare(|a, b| a <= b);
}

/// GT; false if one is Null.
#[track_caller]
pub fn gt() {
    compare(|a, b| a > b);
}

/// GE; false if one is Null.
#[track_caller]
pub fn ge() {
    compare(|a, b| a >= b);
}

#[track_caller]
fn compare(holds: fn(Int, Int) -> bool) {
    let right = pop_item();
    let left = pop_item();
    let result = !left.is_null()
        && !right.is_null()
        && holds(
            ok_or_fault(left.to_integer()),
            ok_or_fault(right.to_integer()),
        );
    push_item(Item::Boolean(result));
}

/// NOT: the opposite truth value.
#[track_caller]
pub fn not() {
    let value = pop_bool();
    push_item(Item::Boolean(!value));
}

/// BOOLAND.
#[track_caller]
pub fn booland() {
    let (right, left) = (pop_bool(), pop_bool());
    push_item(Item::Boolean(left && right));
}

/// BOOLOR.
#[track_caller]
pub fn boolor() {
    let (right, left) = (pop_bool(), pop_bool());
    push_item(Item::Boolean(left || right));
}

/// EQUAL: by type and value, compounds by reference.
#[track_caller]
pub fn equal() {
    let (right, left) = (pop_item(), pop_item());
    push_item(Item::Boolean(left.vm_equal(&right)));
}

/// NOTEQUAL.
#[track_caller]
pub fn not_equal() {
    let (right, left) = (pop_item(), pop_item());
    push_item(Item::Boolean(!left.vm_equal(&right)));
}

/// ISNULL.
#[track_caller]
pub fn is_null() {
    let item = pop_item();
    push_item(Item::Boolean(item.is_null()));
}
