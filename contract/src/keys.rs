//! Every storage key, made here and nowhere else.
//!
//! A key starts with a tag byte of its own, so two different kinds never share one. A number in a key is as short as
//! NeoVM's integers, since each byte that is stored costs 3333 units: it stands last, or before something of a fixed
//! length, and only where a name follows it has 4 bytes and a closing 01.

use neo_framework::prelude::*;

/// Numbers of boxes and indexes of contents have so many bits at most.
pub const NUMBER_BITS: i64 = 32;

/// They stay below this.
pub const NUMBER_LIMIT: i64 = 1 << NUMBER_BITS;

/// Longest name of a value that a script keeps: Neo's 64 bytes of a key without ours.
pub const MAX_NAME: i64 = 38;

/// All SOUL there is.
pub const SUPPLY: Bytes = bytes(b"\x01");
/// What a box costs.
pub const BOX_FEE: Bytes = bytes(b"\x02");
/// What a block of content costs a period.
pub const CONTENT_BASE_FEE: Bytes = bytes(b"\x03");
/// The pool's share of payments.
pub const POOL_SHARE: Bytes = bytes(b"\x04");
/// The last box's number.
pub const BOX_COUNT: Bytes = bytes(b"\x05");

/// SOUL that lies in boxes: a part of the contract's own balance, the rest of which is the pool.
pub const BOX_TOTAL: Bytes = bytes(b"\x06");

/// The most SOUL that there may be.
pub const MAX_SUPPLY: Bytes = bytes(b"\x07");
/// The contract that sells.
pub const SALE: Bytes = bytes(b"\x08");
/// The contract that keeps nodes, proofs and rewards.
pub const PROOFS: Bytes = bytes(b"\x09");

/// An account's SOUL.
pub fn balance(account: &Hash160) -> Bytes {
    bytes(b"\x10").concat(&account.as_bytes())
}

/// A box's owner and gate.
pub fn box_record(id: Int) -> Bytes {
    numbered(int(0x11), id)
}

/// A box's public key and name.
pub fn box_label(id: Int) -> Bytes {
    numbered(int(0x1C), id)
}

/// How many contents a box has.
pub fn content_count(id: Int) -> Bytes {
    numbered(int(0x12), id)
}

/// The box with this name.
pub fn box_name(name: &Text) -> Bytes {
    bytes(b"\x13").concat(&name.as_bytes())
}

/// All boxes of an owner: the prefix of [`owned_box`].
pub fn owned_boxes(owner: &Hash160) -> Bytes {
    bytes(b"\x14").concat(&owner.as_bytes())
}

/// One box of an owner; the number is big endian, so that older boxes come first.
pub fn owned_box(owner: &Hash160, id: Int) -> Bytes {
    owned_boxes(owner).concat(&big_endian(id))
}

/// One content of a box. The tag, 21 to 25, says how many bytes the box's number has; behind it stands the index.
pub fn entry(id: Int, index: Int) -> Bytes {
    let size = id.to_bytes().len();
    (int(0x20) + size + (id << 8) + (index << (size * 8 + 8))).to_bytes()
}

/// Stored content by its root of 32 bytes.
pub fn content(root: &Bytes) -> Bytes {
    bytes(b"\x16").concat(root)
}

/// The last sequence number of an author in a box.
pub fn sequence(id: Int, author: &Hash160) -> Bytes {
    numbered(int(0x17), id).concat(&author.as_bytes())
}

/// A box's SOUL.
pub fn box_balance(id: Int) -> Bytes {
    numbered(int(0x18), id)
}

/// When an account last paid a box.
pub fn paid(id: Int, account: &Hash160) -> Bytes {
    numbered(int(0x19), id).concat(&account.as_bytes())
}

/// An account on the include list of a box.
pub fn member(id: Int, account: &Hash160) -> Bytes {
    numbered(int(0x1A), id).concat(&account.as_bytes())
}

/// What scripts of an author, given by the 20 bytes, keep in a box; `name` has at most [`MAX_NAME`] bytes.
pub fn kept(id: Int, author: &Bytes, name: &Bytes) -> Bytes {
    numbered(int(0x1B), id + (int(1) << 32))
        .concat(author)
        .concat(name)
}

/// Tag, number.
fn numbered(tag: Int, id: Int) -> Bytes {
    (tag + (id << 8)).to_bytes()
}

/// 4 bytes, most significant first, and 01.
fn big_endian(id: Int) -> Bytes {
    let reversed = (id >> 24) + ((id >> 8) & 0xFF00) + ((id & 0xFF00) << 8) + ((id & 0xFF) << 24);
    (reversed + (int(1) << 32)).to_bytes()
}
