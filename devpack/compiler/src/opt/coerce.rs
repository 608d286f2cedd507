//! A conversion to Integer (`PUSH0 ADD`) goes where everything that reads the item converts it anyway, and the first
//! that does so is certain to run before anything that can be seen: the same items still fault.

use neo_opcode::Op;

use super::effect::Calls;
use super::look::{is_int, next};
use super::reads::{Use, reads};
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, calls: &Calls) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at < code.ins.len() {
        if is_int(&code.ins[at], 0)
            && let Some(add) = next(&code.ins, at + 1).filter(|n| code.ins[*n] == Ins::Op(Op::ADD))
            && reads(code, calls, add + 1, false, &number)
        {
            code.ins.remove(add);
            code.ins.remove(at);
            changed = true;
        } else {
            at += 1;
        }
    }
    changed
}

/// What an instruction does with an item that may be converted, against what it does with the Integer.
fn number(ins: &Ins, before: Option<&Ins>, taken: u32) -> Use {
    let op = match ins {
        Ins::Op(op) | Ins::Jump(op, _) => *op,
        _ => return Use::Other,
    };
    match op {
        Op::ADD | Op::SUB | Op::MUL | Op::DIV | Op::MOD | Op::POW | Op::MODMUL | Op::MODPOW => {
            Use::Checks
        }
        Op::AND | Op::OR | Op::XOR | Op::INVERT | Op::SIGN | Op::ABS | Op::NEGATE => Use::Checks,
        Op::INC | Op::DEC | Op::SQRT | Op::NZ | Op::MIN | Op::MAX | Op::WITHIN => Use::Checks,
        Op::NUMEQUAL | Op::NUMNOTEQUAL => Use::Checks,
        Op::JMPEQ | Op::JMPNE | Op::JMPLT | Op::JMPLE | Op::JMPGT | Op::JMPGE => Use::Checks,
        // A shift by nothing may leave its item as it is.
        Op::SHL | Op::SHR => match before {
            Some(Ins::Int(n)) if *n > 0.into() => Use::Checks,
            _ if taken == 1 => Use::Checks,
            _ => Use::Other,
        },
        // They take Null too, which the check has ruled out.
        Op::LT | Op::LE | Op::GT | Op::GE | Op::ISNULL => Use::Same,
        Op::NOT | Op::BOOLAND | Op::BOOLOR | Op::JMPIF | Op::JMPIFNOT => Use::Same,
        _ => Use::Other,
    }
}
