//! Opcodes that only move items.

use super::{place, pop_count, pop_item, push_item, underflow, with};
use crate::item::Item;

/// PUSHNULL.
#[track_caller]
pub fn push_null() {
    push_item(Item::Null);
}

/// DROP: ( a -- ).
#[track_caller]
pub fn drop() {
    std::mem::drop(pop_item());
}

/// NIP: ( a b -- b ).
#[track_caller]
pub fn nip() {
    with(|stack| {
        let at = place(stack, 1);
        stack.remove(at);
    });
}

/// XDROP: removes the item `n` below the one under the count.
#[track_caller]
pub fn xdrop() {
    let from_top = pop_count();
    with(|stack| {
        let at = place(stack, from_top);
        stack.remove(at);
    });
}

/// CLEAR: removes all items, those of calling functions too.
pub fn clear() {
    with(Vec::clear);
}

/// DUP: ( a -- a a ).
#[track_caller]
pub fn dup() {
    copy_from(0);
}

/// OVER: ( a b -- a b a ).
#[track_caller]
pub fn over() {
    copy_from(1);
}

/// PICK: copies the item `n` below the top, which is the count.
#[track_caller]
pub fn pick() {
    let from_top = pop_count();
    copy_from(from_top);
}

#[track_caller]
fn copy_from(from_top: usize) {
    let item = with(|stack| stack[place(stack, from_top)].clone());
    push_item(item);
}

/// TUCK: ( a b -- b a b ).
#[track_caller]
pub fn tuck() {
    let top = with(|stack| {
        let below = place(stack, 1);
        stack.swap(below, below + 1);
        stack[below].clone()
    });
    push_item(top);
}

/// SWAP: ( a b -- b a ).
#[track_caller]
pub fn swap() {
    reverse(2);
}

/// ROT: ( a b c -- b c a ).
#[track_caller]
pub fn rot() {
    roll_from(2);
}

/// ROLL: brings the item `n` below the top, which is the count, to the top.
#[track_caller]
pub fn roll() {
    let from_top = pop_count();
    roll_from(from_top);
}

#[track_caller]
fn roll_from(from_top: usize) {
    with(|stack| {
        let at = place(stack, from_top);
        stack[at..].rotate_left(1);
    });
}

/// REVERSE3: ( a b c -- c b a ).
#[track_caller]
pub fn reverse3() {
    reverse(3);
}

/// REVERSE4: ( a b c d -- d c b a ).
#[track_caller]
pub fn reverse4() {
    reverse(4);
}

/// REVERSEN: reverses the `n` items below the top, which is the count.
#[track_caller]
pub fn reversen() {
    let count = pop_count();
    reverse(count);
}

#[track_caller]
fn reverse(count: usize) {
    with(|stack| match stack.len().checked_sub(count) {
        Some(first) => stack[first..].reverse(),
        None => underflow(),
    });
}
