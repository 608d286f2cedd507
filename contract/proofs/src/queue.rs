//! A queue: up to 8 numbers of nodes, ascending and distinct, in one integer of 31 bits each.
//!
//! Numbers are given in the order of registration, so the order is also that of age. When a queue is full, an older node
//! takes the youngest one's place, and a younger one is left out: new nodes, however many, cannot push out old ones.

use neo_framework::prelude::*;

/// Most entries: eight times 31 bits stay below an integer's 255.
pub const MAX: i64 = 8;
const BITS: i64 = 31;
const ALL_BITS: i64 = BITS * MAX;
const LAST: i64 = ALL_BITS - BITS;
const MASK: i64 = 0x7FFF_FFFF;

/// The queue with a number in it, or as it was when it holds that number or has no place for it.
pub fn with(queue: Int, number: Int) -> Int {
    let mut below = int(0);
    let mut rest = queue;
    while rest > 0 && rest & MASK < number {
        rest >>= BITS;
        below += BITS;
    }
    if rest & MASK == number || below == ALL_BITS {
        return queue;
    }
    if queue >> LAST > 0 {
        rest &= (int(1) << (int(LAST) - below)) - 1;
    }
    (queue & ((int(1) << below) - 1)) + (number << below) + (rest << (below + BITS))
}

/// How many entries there are.
pub fn len(queue: Int) -> Int {
    let mut count = int(0);
    let mut rest = queue;
    while rest > 0 {
        rest >>= BITS;
        count += 1;
    }
    count
}

/// The entry at a place, from 0.
pub fn at(queue: Int, index: Int) -> Int {
    (queue >> (index * BITS)) & MASK
}

/// All entries.
pub fn list(queue: Int) -> Array<Int> {
    let mut all = Array::new();
    let mut rest = queue;
    while rest > 0 {
        all.push(rest & MASK);
        rest >>= BITS;
    }
    all
}
