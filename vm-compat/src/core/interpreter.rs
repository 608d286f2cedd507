//! The interpreter. NeoVM's evaluation stack is the script's operand stack, so an instruction that NeoVM has is that
//! instruction: same types, same conversions, same faults.
//!
//! It takes a script as it is stored: the author's 20 bytes, then the script. Nothing is cut out of that, since cutting
//! costs 2048 units. `check` has already shown that no jump leaves the script and that no instruction takes an item from
//! below the script's own; only `PICK` and `ROLL`, whose reach is a number on the stack, are checked here.
//!
//! **Word mode.** An item of up to 32 bytes is a number that NeoVM gets for nothing: a shift goes on, and the low byte
//! is the opcode. A `RET` above the last byte ends it, so there is no test for the end. **Byte mode** is for longer
//! items: the word is 0, and each byte is picked from the item.

use neo_framework::prelude::*;
use neo_framework::{crypto, eval, runtime};

use super::item::{AUTHOR, WORD_BYTES, is_author};
use super::ops;

/// One access to a box: first what its scripts can know, then what only the contract looks at. All of it is one
/// structure, because each costs 2048 units.
pub struct Visit {
    /// `ops::STATE_WRITE`, `ops::STATE_READ` or `ops::STATE_INSPECT`.
    pub verb: Int,
    /// The box that runs.
    pub this: Int,
    /// The box where execution began.
    pub entry: Int,
    /// The box's gate as it is stored: its author is the box's owner.
    pub gate: Bytes,
    /// Who asks: an account that signed, or the author of the script that asks.
    pub caller: Hash160,
    /// The script that is being written, empty when none is.
    pub candidate: Bytes,
    /// The box that pays, 0 for the caller's account.
    pub payer: Int,
    /// The most that the caller's account still pays; when the verb is inspect, what would have been paid.
    pub left: Int,
    /// How many visits this one is inside of.
    pub depth: Int,
    /// What the contract counts over all visits of one call.
    pub tally: Int,
}

/// Runs a script that `check` accepts, from its start to its end: one without an instruction that is the contract's.
/// Its result is its top item, or null if it leaves none.
pub fn run_alone(item: &Bytes, visit: &Visit) -> Any {
    let base = eval::depth();
    let word = first_word(item);
    let stop = run(item, word, int(AUTHOR), base, visit);
    assert!(stop == 0, "script: this instruction needs the contract");
    take_result(base)
}

impl Visit {
    /// A visit that no other script makes, by a caller who pays up to `left`.
    pub fn from_outside(
        caller: &Hash160,
        this: Int,
        gate: &Bytes,
        verb: Int,
        candidate: &Bytes,
        left: Int,
    ) -> Visit {
        Visit {
            verb,
            this,
            entry: this,
            gate: gate.clone(),
            caller: caller.clone(),
            candidate: candidate.clone(),
            payer: int(0),
            left,
            depth: int(0),
            tally: int(0),
        }
    }
}

/// The word to start an item's script with: the script as a number with `RET` above it and a byte below, which the first
/// step shifts away. 0 for an item that is too long for that.
pub fn first_word(item: &Bytes) -> Int {
    let len = item.len();
    if len > WORD_BYTES {
        return int(0);
    }
    let limit = int(1) << (len * 8 - (AUTHOR * 8 - 8));
    ((item.to_int() >> (AUTHOR * 8 - 8)) & (limit - 1)) + limit * ops::RET
}

/// Runs an item's script, which `check` accepts, from (`word`, `pc`) until it ends, which gives 0, or meets an
/// instruction that is the contract's, which gives its opcode (of `STATE member`: `ops::STATE_MEMBER`). Then `word` and
/// `pc`, to go on with, are above the script's own items, `pc` on top. `base` is the stack's depth below the script's
/// items. A fault is a fault of the transaction.
///
/// A script starts with its [`first_word`] and `pc` behind the author. While `word` is not 0 the place in the item
/// follows from it, and `pc` means nothing.
pub fn run(item: &Bytes, mut word: Int, mut pc: Int, base: Int, visit: &Visit) -> Int {
    let last = item.len() - 1;
    // Here `pc` is where the instruction that runs has its opcode, and the word's low byte is that opcode.
    pc -= 1;
    loop {
        #[cfg(not(neo))]
        crate::trace::step(item, word, pc + 1, base, visit);
        let op = if word == 0 {
            if pc == last {
                return int(0);
            }
            pc += 1;
            item.at(pc)
        } else {
            word >>= 8;
            word & 255
        };
        // The commonest first. `check` has refused free bytes, so each range goes on to the next instruction: that
        // spares comparisons.
        if op < ops::JMP {
            if op >= ops::PUSHM1 {
                eval::push(op - ops::PUSH0);
            } else if op <= ops::PUSHINT256 {
                if word != 0 {
                    let limit = int(1) << (int(8) << op);
                    let value = (word >> 8) % limit;
                    word /= limit;
                    if value + value < limit {
                        eval::push(value);
                    } else {
                        eval::push(value - limit);
                    }
                } else {
                    let start = pc + 1;
                    pc += int(1) << op;
                    let mut at = pc;
                    let mut value = item.at(at);
                    if value > 127 {
                        value -= 256;
                    }
                    while at > start {
                        at -= 1;
                        value = value * 256 + item.at(at);
                    }
                    eval::push(value);
                }
            } else if op < ops::PUSHDATA1 {
                eval::push(op == ops::PUSHT);
            } else {
                if word != 0 {
                    pc = position(item, word) - 1;
                }
                let mut start = pc + 2;
                let mut size = item.at(pc + 1);
                if op == ops::PUSHDATA2 {
                    size += item.at(start) * 256;
                    start += 1;
                }
                eval::push(item.slice(start, size));
                if word == 0 {
                    pc = start + size - 1;
                } else {
                    word >>= (start + size - pc - 1) * 8;
                }
            }
            continue;
        }
        match op.small() {
            ops::JMP..=ops::JMP_END => {
                if word != 0 {
                    word >>= ((word >> 5) & 2040) - 8;
                } else {
                    pc += item.at(pc + 1) - 1;
                }
            }
            ops::JMPIFNOT..=ops::JMPIFNOT_END => {
                if eval::pop_bool() {
                    word >>= 8;
                    pc += 1;
                } else if word != 0 {
                    word >>= ((word >> 5) & 2040) - 8;
                } else {
                    pc += item.at(pc + 1) - 1;
                }
            }
            ops::THROW..=ops::THROW_END => panic!("script: thrown"),
            ops::RET..=ops::RET_END => return int(0),
            ops::OK => {
                eval::push(true);
                return int(0);
            }
            ops::FAIL => {
                eval::push(false);
                return int(0);
            }
            ops::DROP => eval::drop(),
            ops::NIP..=ops::NIP_END => eval::nip(),
            ops::DUP => eval::dup(),
            ops::OVER..=ops::OVER_END => eval::over(),
            ops::PICK => {
                let reach = eval::pop_int();
                let depth = eval::depth();
                // NeoVM itself refuses a negative reach.
                if reach >= depth - base {
                    panic!("script: stack underflow");
                }
                eval::push(reach);
                eval::pick();
            }
            ops::TUCK..=ops::TUCK_END => eval::tuck(),
            ops::SWAP => eval::swap(),
            ops::ROT => eval::rot(),
            ops::ROLL => {
                let reach = eval::pop_int();
                let depth = eval::depth();
                // NeoVM itself refuses a negative reach.
                if reach >= depth - base {
                    panic!("script: stack underflow");
                }
                eval::push(reach);
                eval::roll();
            }
            ops::REVERSE3..=ops::REVERSE3_END => eval::reverse3(),
            ops::CAT => eval::cat(),
            ops::SUBSTR => eval::substr(),
            ops::LEFT => eval::left(),
            ops::RIGHT..=ops::RIGHT_END => eval::right(),
            ops::INVERT => eval::invert(),
            ops::AND => eval::and(),
            ops::OR => eval::or(),
            ops::XOR..=ops::XOR_END => eval::xor(),
            ops::EQUAL..=ops::EQUAL_END => eval::equal(),
            ops::SIGN => eval::sign(),
            ops::ABS => eval::abs(),
            ops::NEGATE => eval::negate(),
            ops::INC => eval::inc(),
            ops::DEC => eval::dec(),
            ops::ADD => eval::add(),
            ops::SUB => eval::sub(),
            ops::MUL => eval::mul(),
            ops::DIV => eval::div(),
            ops::MOD..=ops::MOD_END => eval::modulo(),
            ops::NOT => eval::not(),
            ops::BOOLAND => eval::booland(),
            ops::BOOLOR..=ops::BOOLOR_END => eval::boolor(),
            ops::NUMEQUAL..=ops::NUMEQUAL_END => eval::numequal(),
            ops::LT => eval::lt(),
            ops::LE => eval::le(),
            ops::GT => eval::gt(),
            ops::GE => eval::ge(),
            ops::MIN => eval::min(),
            ops::MAX => eval::max(),
            ops::WITHIN..=ops::WITHIN_END => eval::within(),
            ops::SIZE..=ops::SIZE_END => eval::size(),
            ops::STATE => {
                pc += 1;
                let which = if word == 0 {
                    item.at(pc)
                } else {
                    word >>= 8;
                    word & 255
                };
                match which.small() {
                    ops::STATE_OWN => {
                        let own = is_author(&visit.gate, &visit.caller);
                        eval::push(own);
                    }
                    ops::STATE_THIS => eval::push(visit.this),
                    ops::STATE_ENTRY => eval::push(visit.entry),
                    ops::STATE_TIMESTAMP => eval::push(runtime::time() / 1000),
                    ops::STATE_CONSENSUS => eval::push(runtime::random()),
                    ops::STATE_CALLER => eval::push(visit.caller.clone()),
                    ops::STATE_CONTENT => eval::push(visit.candidate.clone()),
                    ops::STATE_MEMBER => {
                        eval::push(word);
                        eval::push(pc + 1);
                        return which;
                    }
                    // write, read, inspect: what is asked is what is done.
                    _ => eval::push(which == visit.verb),
                }
            }
            ops::SHA256 => {
                let data = eval::pop_bytes();
                eval::push(crypto::sha256(&data));
            }
            ops::LINK => {
                eval::push(item.slice(pc + 1, 32));
                pc += 32;
            }
            ops::ELNK => {
                if word != 0 {
                    pc = position(item, word) - 1;
                }
                let size = item.at(pc + 1);
                eval::push(item.slice(pc + 2, size));
                if word == 0 {
                    pc += size + 1;
                } else {
                    word >>= (size + 1) * 8;
                }
            }
            _ => {
                eval::push(word);
                eval::push(pc + 1);
                return op;
            }
        }
    }
}

/// Where in the item a word that is not 0 goes on: it has the item's bytes from there on, `RET` above them, and the
/// byte before them.
pub(crate) fn position(item: &Bytes, word: Int) -> Int {
    item.len() + 2 - word.to_bytes().len()
}

/// Clears the stack down to `base` and gives what was on top, or null if there was nothing.
pub fn take_result(base: Int) -> Any {
    #[cfg(not(neo))]
    crate::trace::ended(base);
    let depth = eval::depth();
    if depth == base {
        return Any::null();
    }
    let result = eval::pop();
    let mut left = depth - base - 1;
    while left > 0 {
        eval::drop();
        left -= 1;
    }
    result
}
