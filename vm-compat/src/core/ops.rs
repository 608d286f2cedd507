//! Generated from `table.rs`; `UPDATE=1 cargo test -p phantasma-vm --test generated` writes it anew.

use neo_framework::prelude::*;

/// Push a signed integer of 1 byte.
pub const PUSHINT8: i64 = 0x00;
/// Push a signed integer of 2 bytes.
pub const PUSHINT16: i64 = 0x01;
/// Push a signed integer of 4 bytes.
pub const PUSHINT32: i64 = 0x02;
/// Push a signed integer of 8 bytes.
pub const PUSHINT64: i64 = 0x03;
/// Push a signed integer of 16 bytes.
pub const PUSHINT128: i64 = 0x04;
/// Push a signed integer of 32 bytes.
pub const PUSHINT256: i64 = 0x05;
/// Push true.
pub const PUSHT: i64 = 0x08;
/// Push false.
pub const PUSHF: i64 = 0x09;
/// Push up to 255 bytes.
pub const PUSHDATA1: i64 = 0x0c;
/// Push up to 65535 bytes.
pub const PUSHDATA2: i64 = 0x0d;
/// Push -1.
pub const PUSHM1: i64 = 0x0f;
/// Push 0.
pub const PUSH0: i64 = 0x10;
/// Push 1.
pub const PUSH1: i64 = 0x11;
/// Push 2.
pub const PUSH2: i64 = 0x12;
/// Push 3.
pub const PUSH3: i64 = 0x13;
/// Push 4.
pub const PUSH4: i64 = 0x14;
/// Push 5.
pub const PUSH5: i64 = 0x15;
/// Push 6.
pub const PUSH6: i64 = 0x16;
/// Push 7.
pub const PUSH7: i64 = 0x17;
/// Push 8.
pub const PUSH8: i64 = 0x18;
/// Push 9.
pub const PUSH9: i64 = 0x19;
/// Push 10.
pub const PUSH10: i64 = 0x1a;
/// Push 11.
pub const PUSH11: i64 = 0x1b;
/// Push 12.
pub const PUSH12: i64 = 0x1c;
/// Push 13.
pub const PUSH13: i64 = 0x1d;
/// Push 14.
pub const PUSH14: i64 = 0x1e;
/// Push 15.
pub const PUSH15: i64 = 0x1f;
/// Push 16.
pub const PUSH16: i64 = 0x20;
/// Jump forward.
pub const JMP: i64 = 0x22;
/// Pop a condition, jump forward when it is false.
pub const JMPIFNOT: i64 = 0x26;
/// Pop a value and give up: the whole transaction faults.
pub const THROW: i64 = 0x3a;
/// Stop; the top item, if any, is the result.
pub const RET: i64 = 0x40;
/// Remove the top item.
pub const DROP: i64 = 0x45;
/// Remove the item below the top.
pub const NIP: i64 = 0x46;
/// Copy the top item.
pub const DUP: i64 = 0x4a;
/// Copy the item below the top.
pub const OVER: i64 = 0x4b;
/// Pop n, copy the item n below the top.
pub const PICK: i64 = 0x4d;
/// Copy the top item below the second.
pub const TUCK: i64 = 0x4e;
/// Exchange the two top items.
pub const SWAP: i64 = 0x50;
/// Move the third item to the top.
pub const ROT: i64 = 0x51;
/// Pop n, move the item n below the top to the top.
pub const ROLL: i64 = 0x52;
/// Reverse the three top items.
pub const REVERSE3: i64 = 0x53;
/// Join two byte strings (the result is a Buffer).
pub const CAT: i64 = 0x8b;
/// Pop count, index and bytes, push that part (a Buffer).
pub const SUBSTR: i64 = 0x8c;
/// Pop count and bytes, push the first bytes (a Buffer).
pub const LEFT: i64 = 0x8d;
/// Pop count and bytes, push the last bytes (a Buffer).
pub const RIGHT: i64 = 0x8e;
/// Flip all bits.
pub const INVERT: i64 = 0x90;
/// Bitwise and.
pub const AND: i64 = 0x91;
/// Bitwise or.
pub const OR: i64 = 0x92;
/// Bitwise exclusive or.
pub const XOR: i64 = 0x93;
/// Compare type and value.
pub const EQUAL: i64 = 0x97;
/// -1, 0 or 1.
pub const SIGN: i64 = 0x99;
/// Absolute value.
pub const ABS: i64 = 0x9a;
/// Change the sign.
pub const NEGATE: i64 = 0x9b;
/// Add 1.
pub const INC: i64 = 0x9c;
/// Subtract 1.
pub const DEC: i64 = 0x9d;
/// A + b.
pub const ADD: i64 = 0x9e;
/// A - b.
pub const SUB: i64 = 0x9f;
/// A * b.
pub const MUL: i64 = 0xa0;
/// A / b, truncated toward zero.
pub const DIV: i64 = 0xa1;
/// Remainder of a / b, with the sign of a.
pub const MOD: i64 = 0xa2;
/// Logical not.
pub const NOT: i64 = 0xaa;
/// Logical and.
pub const BOOLAND: i64 = 0xab;
/// Logical or.
pub const BOOLOR: i64 = 0xac;
/// Equal as numbers.
pub const NUMEQUAL: i64 = 0xb3;
/// A < b.
pub const LT: i64 = 0xb5;
/// A <= b.
pub const LE: i64 = 0xb6;
/// A > b.
pub const GT: i64 = 0xb7;
/// A >= b.
pub const GE: i64 = 0xb8;
/// The smaller number.
pub const MIN: i64 = 0xb9;
/// The larger number.
pub const MAX: i64 = 0xba;
/// Pop high, low and x: low <= x < high.
pub const WITHIN: i64 = 0xbb;
/// The number of bytes.
pub const SIZE: i64 = 0xca;
/// Stop with true.
pub const OK: i64 = 0xe8;
/// Stop with false.
pub const FAIL: i64 = 0xe9;
/// Push one fact about this invocation.
pub const STATE: i64 = 0xea;
/// The SHA-256 of a byte string.
pub const SHA256: i64 = 0xeb;
/// Pop a box, push the SOUL that it holds.
pub const BALANCE: i64 = 0xec;
/// Pop an amount, move it from the payer to this box.
pub const PAY: i64 = 0xed;
/// Seconds since the caller last paid this box, since 1970 if never.
pub const TIME: i64 = 0xee;
/// Pop a box, push how many contents it has.
pub const COUNT: i64 = 0xef;
/// Pop a box, push its name.
pub const NAME: i64 = 0xf0;
/// Pop a name, push the number of that box, 0 if there is none.
pub const FIND: i64 = 0xf1;
/// Pop a box and a content, write it there; whether the gate agreed.
pub const PUSH: i64 = 0xf2;
/// Pop a box, read its latest content, which is taken off if allowed.
pub const PULL: i64 = 0xf3;
/// Pop a box, push what reading it would cost.
pub const INSPECT: i64 = 0xf4;
/// Pop a box, remove its latest content; whether that was allowed.
pub const DELETE: i64 = 0xf5;
/// Pop a box and a content, put it in place of the latest; whether that was allowed.
pub const REPLACE: i64 = 0xf6;
/// Pop an older box, an index, n and n inputs; run that content on them.
pub const CALL: i64 = 0xf7;
/// Pop a box, put the caller on its include list; whether that was allowed.
pub const INCLUDE: i64 = 0xf8;
/// Pop a box, take the caller off its include list; whether that was allowed.
pub const EXCLUDE: i64 = 0xf9;
/// Register content; only first in a content, and stored as `LINK`.
pub const ALLOC: i64 = 0xfa;
/// Push the id of stored content.
pub const LINK: i64 = 0xfb;
/// Push where content is held by another service.
pub const ELNK: i64 = 0xfc;
/// Pop an id, push that content's size, 0 if unknown or expired.
pub const CSIZE: i64 = 0xfd;
/// Pop a key and a value, remember it in this box.
pub const WRITE: i64 = 0xfe;
/// Pop a key, push what this box remembers, empty if nothing.
pub const READ: i64 = 0xff;
/// The last byte after `PUSHINT256` that is free.
pub const PUSHINT256_END: i64 = 0x07;
/// The last byte after `PUSHF` that is free.
pub const PUSHF_END: i64 = 0x0b;
/// The last byte after `PUSHDATA2` that is free.
pub const PUSHDATA2_END: i64 = 0x0e;
/// The last byte after `PUSH16` that is free.
pub const PUSH16_END: i64 = 0x21;
/// The last byte after `JMP` that is free.
pub const JMP_END: i64 = 0x25;
/// The last byte after `JMPIFNOT` that is free.
pub const JMPIFNOT_END: i64 = 0x39;
/// The last byte after `THROW` that is free.
pub const THROW_END: i64 = 0x3f;
/// The last byte after `RET` that is free.
pub const RET_END: i64 = 0x44;
/// The last byte after `NIP` that is free.
pub const NIP_END: i64 = 0x49;
/// The last byte after `OVER` that is free.
pub const OVER_END: i64 = 0x4c;
/// The last byte after `TUCK` that is free.
pub const TUCK_END: i64 = 0x4f;
/// The last byte after `REVERSE3` that is free.
pub const REVERSE3_END: i64 = 0x8a;
/// The last byte after `RIGHT` that is free.
pub const RIGHT_END: i64 = 0x8f;
/// The last byte after `XOR` that is free.
pub const XOR_END: i64 = 0x96;
/// The last byte after `EQUAL` that is free.
pub const EQUAL_END: i64 = 0x98;
/// The last byte after `MOD` that is free.
pub const MOD_END: i64 = 0xa9;
/// The last byte after `BOOLOR` that is free.
pub const BOOLOR_END: i64 = 0xb2;
/// The last byte after `NUMEQUAL` that is free.
pub const NUMEQUAL_END: i64 = 0xb4;
/// The last byte after `WITHIN` that is free.
pub const WITHIN_END: i64 = 0xc9;
/// The last byte after `SIZE` that is free.
pub const SIZE_END: i64 = 0xe7;
/// `STATE write`: true while a content is being written.
pub const STATE_WRITE: i64 = 0;
/// `STATE read`: true while a content is being read.
pub const STATE_READ: i64 = 1;
/// `STATE inspect`: true while the cost of reading is asked for.
pub const STATE_INSPECT: i64 = 2;
/// `STATE own`: true if the caller owns this box.
pub const STATE_OWN: i64 = 3;
/// `STATE this`: the number of the box that runs.
pub const STATE_THIS: i64 = 4;
/// `STATE entry`: the number of the box where execution began.
pub const STATE_ENTRY: i64 = 5;
/// `STATE timestamp`: the block's time in seconds since 1970.
pub const STATE_TIMESTAMP: i64 = 6;
/// `STATE consensus`: the block's random number, another one at each use.
pub const STATE_CONSENSUS: i64 = 7;
/// `STATE member`: true if the caller is on this box's include list.
pub const STATE_MEMBER: i64 = 8;
/// `STATE caller`: the caller's account, 20 bytes.
pub const STATE_CALLER: i64 = 9;
/// `STATE content`: the script that is being written; empty when none is.
pub const STATE_CONTENT: i64 = 10;
/// The arity of the last byte, FF, as in [`ARITY`].
pub const ARITY_LAST: i64 = 0x11;
/// At each byte but the last: pops * 16 + pushes; 255 for what is no instruction. 255 bytes cost 8 units to
/// load, 256 bytes 512.
pub const ARITY: Bytes = bytes(
    b"\
      \x01\x01\x01\x01\x01\x01\xff\xff\x01\x01\xff\xff\x01\x01\xff\x01\
      \x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\
      \x01\xff\x00\xff\xff\xff\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x10\xff\xff\xff\xff\xff\
      \x00\xff\xff\xff\xff\x10\x21\xff\xff\xff\x12\x23\xff\x11\x23\xff\
      \x22\x33\x10\x33\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x21\x31\x21\x21\xff\
      \x11\x21\x21\x21\xff\xff\xff\x21\xff\x11\x11\x11\x11\x11\x21\x21\
      \x21\x21\x21\xff\xff\xff\xff\xff\xff\xff\x11\x21\x21\xff\xff\xff\
      \xff\xff\xff\x21\xff\x21\x21\x21\x21\x21\x21\x31\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x11\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\
      \xff\xff\xff\xff\xff\xff\xff\xff\x01\x01\x01\x11\x11\x10\x01\x11\
      \x11\x11\x21\x11\x11\x11\x21\x31\x11\x11\x01\x01\x01\x11\x20\
",
);
