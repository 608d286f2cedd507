//! MT19937, as far as two neighbouring outputs of its first 227 need it.
//!
//! Output `k` mixes the state's words `k`, `k + 1` and `k + 397`, so the seeding is run up to word `k + 398` and no
//! further, and no state is kept: about 60 price units a word, and 400 words for the first two outputs. The seeding
//! multiplies and shifts in turn, so no word can be had without those before it.

use neo_framework::prelude::*;

const BITS_32: i64 = 0xFFFF_FFFF;
const UPPER: i64 = 0x8000_0000;
const LOWER: i64 = 0x7FFF_FFFF;

/// Outputs `index` and `index + 1` after seeding with 32 bits; `index` must be below 226.
pub fn pair(seed: Int, index: Int) -> (Int, Int) {
    let first = words(seed, int(1), index);
    let second = word(first, index + 1);
    let third = word(second, index + 2);
    let far = words(third, index + 3, index + 397);
    let farther = word(far, index + 398);
    (mixed(first, second, far), mixed(second, third, farther))
}

/// The state's word `to`, from the word before `from`.
fn words(before: Int, from: Int, to: Int) -> Int {
    let mut last = before;
    for i in range_inclusive(from, to) {
        last = word(last, i);
    }
    last
}

fn word(before: Int, index: Int) -> Int {
    ((before ^ (before >> 30)) * 1_812_433_253 + index) & BITS_32
}

/// An output: the twist of three words, and the tempering.
fn mixed(word: Int, next: Int, far: Int) -> Int {
    let joined = (word & UPPER) | (next & LOWER);
    let mut y = far ^ (joined >> 1) ^ ((joined & 1) * 0x9908_B0DF);
    y = y ^ (y >> 11);
    y = y ^ ((y << 7) & 0x9D2C_5680);
    y = y ^ ((y << 15) & 0xEFC6_0000);
    y ^ (y >> 18)
}
