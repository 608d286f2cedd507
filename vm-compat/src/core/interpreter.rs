//! The interpreter. NeoVM's evaluation stack is the script's operand stack, so an instruction that NeoVM has is that
//! instruction: same types, same conversions, same faults.
//!
//! `check` has already shown that no jump leaves the script and that no instruction takes an item from below the
//! script's own; only `PICK` and `ROLL`, whose reach is a number on the stack, are checked here.

use neo_framework::prelude::*;
use neo_framework::{crypto, eval, runtime};

use super::ops;

/// What a script can know.
pub struct Context {
    /// `ops::STATE_WRITE`, `ops::STATE_READ` or `ops::STATE_INSPECT`.
    pub verb: Int,
    /// The box that runs.
    pub this: Int,
    /// The box where execution began.
    pub entry: Int,
    /// The owner of the box that runs.
    pub owner: Hash160,
    /// Who asks.
    pub caller: Hash160,
}

/// Runs a script that `check` accepts; its result is its top item, or null if it leaves none. A fault in it is a fault
/// of the transaction.
pub fn run(script: &Bytes, context: &Context) -> Any {
    let base = eval::depth();
    let len = script.len();
    let mut pc = int(0);
    while pc < len {
        let at = pc;
        let op = script.at(pc);
        pc += 1;
        match op.small() {
            ops::PUSHM1..=ops::PUSH16 => eval::push(op - ops::PUSH0),
            ops::PUSHINT8..=ops::PUSHINT256 => {
                let size = int(1) << op;
                eval::push(signed(script, pc, size));
                pc += size;
            }
            ops::PUSHT => eval::push(true),
            ops::PUSHF => eval::push(false),
            ops::PUSHDATA1 => {
                let size = script.at(pc);
                eval::push(script.slice(pc + 1, size));
                pc += size + 1;
            }
            ops::PUSHDATA2 => {
                let size = script.at(pc) + script.at(pc + 1) * 256;
                eval::push(script.slice(pc + 2, size));
                pc += size + 2;
            }
            ops::JMP => pc = at + script.at(pc),
            ops::JMPIFNOT => {
                let condition = eval::pop_bool();
                if condition {
                    pc += 1;
                } else {
                    pc = at + script.at(pc);
                }
            }
            ops::THROW => panic!("script: thrown"),
            ops::RET => pc = len,
            ops::OK => {
                eval::push(true);
                pc = len;
            }
            ops::FAIL => {
                eval::push(false);
                pc = len;
            }
            ops::DROP => eval::drop(),
            ops::NIP => eval::nip(),
            ops::DUP => eval::dup(),
            ops::OVER => eval::over(),
            ops::PICK => {
                let reach = eval::pop_int();
                let depth = eval::depth();
                in_reach(reach, depth - base);
                eval::push(reach);
                eval::pick();
            }
            ops::TUCK => eval::tuck(),
            ops::SWAP => eval::swap(),
            ops::ROT => eval::rot(),
            ops::ROLL => {
                let reach = eval::pop_int();
                let depth = eval::depth();
                in_reach(reach, depth - base);
                eval::push(reach);
                eval::roll();
            }
            ops::REVERSE3 => eval::reverse3(),
            ops::CAT => eval::cat(),
            ops::SUBSTR => eval::substr(),
            ops::LEFT => eval::left(),
            ops::RIGHT => eval::right(),
            ops::INVERT => eval::invert(),
            ops::AND => eval::and(),
            ops::OR => eval::or(),
            ops::XOR => eval::xor(),
            ops::EQUAL => eval::equal(),
            ops::SIGN => eval::sign(),
            ops::ABS => eval::abs(),
            ops::NEGATE => eval::negate(),
            ops::INC => eval::inc(),
            ops::DEC => eval::dec(),
            ops::ADD => eval::add(),
            ops::SUB => eval::sub(),
            ops::MUL => eval::mul(),
            ops::DIV => eval::div(),
            ops::MOD => eval::modulo(),
            ops::NOT => eval::not(),
            ops::BOOLAND => eval::booland(),
            ops::BOOLOR => eval::boolor(),
            ops::NUMEQUAL => eval::numequal(),
            ops::LT => eval::lt(),
            ops::LE => eval::le(),
            ops::GT => eval::gt(),
            ops::GE => eval::ge(),
            ops::MIN => eval::min(),
            ops::MAX => eval::max(),
            ops::WITHIN => eval::within(),
            ops::SIZE => eval::size(),
            ops::STATE => {
                eval::push(state(script.at(pc), context));
                pc += 1;
            }
            ops::SHA256 => {
                let data = eval::pop_bytes();
                eval::push(crypto::sha256(&data));
            }
            _ => panic!("script: unknown instruction"),
        }
    }
    take_result(base)
}

/// Clears the stack down to `base` and gives what was on top.
fn take_result(base: Int) -> Any {
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

/// The signed integer of `size` bytes at `start`.
fn signed(script: &Bytes, start: Int, size: Int) -> Int {
    let mut at = start + size - 1;
    let mut value = script.at(at);
    if value > 127 {
        value -= 256;
    }
    while at > start {
        at -= 1;
        value = value * 256 + script.at(at);
    }
    value
}

fn in_reach(reach: Int, depth: Int) {
    assert!(reach.within(0, depth), "script: stack underflow");
}

fn state(which: Int, context: &Context) -> Any {
    match which.small() {
        ops::STATE_OWN => Any::from(context.caller == context.owner),
        ops::STATE_THIS => Any::from(context.this),
        ops::STATE_ENTRY => Any::from(context.entry),
        ops::STATE_TIMESTAMP => Any::from(runtime::time() / 1000),
        ops::STATE_CALLER => Any::from(context.caller.clone()),
        // write, read, inspect: what is asked is what is done.
        _ => Any::from(which == context.verb),
    }
}
