//! NeoVM's evaluation stack as the operand stack of an interpreter: one
//! function an opcode, with the opcode's exact types, conversions and faults.
//!
//! Compiled, each function is the raw opcode. The stack belongs to the running
//! contract invocation, and temporaries of the calling functions lie below; an
//! interpreter notes [`depth`] at its start. A method must leave it empty.

mod arithmetic;
mod compound;
#[cfg(test)]
mod corpus;
mod splice;
mod stack;
#[cfg(test)]
mod tests;

use std::cell::RefCell;

pub use arithmetic::*;
pub use compound::*;
pub use splice::*;
pub use stack::*;

use crate::any::Any;
use crate::bytes::Bytes;
use crate::fault::{fault, ok_or_fault};
use crate::int::{Int, int};
use crate::item::{Item, MAX_ITEM_BYTES, MAX_ITEMS};

thread_local! {
    static STACK: RefCell<Vec<Item>> = const { RefCell::new(Vec::new()) };
}

/// Puts another stack in place, for another frame (native code only).
pub(crate) fn replace(stack: Vec<Item>) -> Vec<Item> {
    STACK.with(|current| current.replace(stack))
}

/// Takes all items off (native code only; for tests outside of a chain).
pub fn take_all() -> Vec<Item> {
    replace(Vec::new())
}

/// DEPTH: the number of items.
#[must_use]
pub fn depth() -> Int {
    int(STACK.with(|stack| stack.borrow().len()) as i64)
}

/// Pushes a value.
#[track_caller]
pub fn push(value: impl Into<Any>) {
    push_item(value.into().into_raw());
}

/// Takes the top item.
#[track_caller]
pub fn pop() -> Any {
    Any::of(pop_item())
}

/// Takes the top item as a number.
#[track_caller]
pub fn pop_int() -> Int {
    ok_or_fault(pop_item().to_integer())
}

/// Takes the top item as bytes.
#[track_caller]
pub fn pop_bytes() -> Bytes {
    ok_or_fault(pop_item().to_byte_string())
}

/// Takes the top item as a truth value.
#[track_caller]
pub fn pop_bool() -> bool {
    ok_or_fault(pop_item().to_boolean())
}

#[track_caller]
fn push_item(item: Item) {
    if let Item::ByteString(bytes) = &item
        && bytes.as_slice().len() > MAX_ITEM_BYTES
    {
        fault(format_args!(
            "item of {} bytes is above {MAX_ITEM_BYTES}",
            bytes.len()
        ));
    }
    with(|stack| {
        if stack.len() >= MAX_ITEMS {
            fault(format_args!("stack is too big: above {MAX_ITEMS} items"));
        }
        stack.push(item);
    });
}

#[track_caller]
fn pop_item() -> Item {
    match with(Vec::pop) {
        Some(item) => item,
        None => underflow(),
    }
}

fn with<R>(action: impl FnOnce(&mut Vec<Item>) -> R) -> R {
    STACK.with(|stack| action(&mut stack.borrow_mut()))
}

/// The place of the item `from_top` below the top.
#[track_caller]
fn place(stack: &[Item], from_top: usize) -> usize {
    match stack.len().checked_sub(from_top + 1) {
        Some(place) => place,
        None => underflow(),
    }
}

#[cold]
#[track_caller]
fn underflow() -> ! {
    fault("stack underflow")
}

/// A count or index from the top; negative or above 2^31-1 is a fault.
#[track_caller]
fn pop_count() -> usize {
    let count = pop_int();
    match count
        .to_i64()
        .and_then(|count| i32::try_from(count).ok())
        .and_then(|count| usize::try_from(count).ok())
    {
        Some(count) => count,
        None => fault(format_args!("{count} is no valid count or index")),
    }
}
