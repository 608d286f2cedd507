//! The stored form of gates and contents: the author's 20 bytes, then the script. The author of a gate is the box's owner.

use neo_framework::prelude::*;

/// Bytes of an item before its script.
pub const AUTHOR: i64 = 20;

/// Longest item that NeoVM reads as a number.
pub const WORD_BYTES: i64 = 32;

/// Whether an item is by that account. To cut the author out and compare costs 10240 units; this costs about 60 with an
/// item that is a number, else about 100 for each byte up to the first that differs, and a call.
pub fn is_author(item: &Bytes, account: &Hash160) -> bool {
    let number = account.as_bytes().to_int();
    if item.len() > WORD_BYTES {
        return starts_with(item, number);
    }
    // The same if the author's bytes differ nowhere, whatever is above them.
    let differs = item.to_int() ^ number;
    (differs >> (AUTHOR * 8)) << (AUTHOR * 8) == differs
}

/// Whether the first 20 bytes of an item are those of a number.
fn starts_with(item: &Bytes, number: Int) -> bool {
    let mut rest = number;
    let mut at = int(0);
    while at < AUTHOR {
        if item.at(at) != rest & 255 {
            return false;
        }
        rest >>= 8;
        at += 1;
    }
    true
}

/// Who wrote an item.
pub fn author_of(item: &Bytes) -> Hash160 {
    Hash160::from_bytes(item.left(AUTHOR)).unwrap()
}

/// The script of an item.
pub fn script_of(item: &Bytes) -> Bytes {
    item.right(item.len() - AUTHOR)
}
