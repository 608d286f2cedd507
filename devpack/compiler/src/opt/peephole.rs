//! Rewrites of neighbours.

use neo_opcode::Op;
use num_bigint::BigInt;

use super::look::{is_int, pushes};
use crate::ir::{Code, Ins, negated};

/// Rewrites neighbours; marks between them do not count.
pub(super) fn run(code: &mut Code) -> bool {
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len());
    let mut changed = false;
    for ins in code.ins.drain(..) {
        out.push(ins);
        // A label is a place where others arrive, so nothing is joined across it.
        while rewrite(&mut out) {
            changed = true;
        }
    }
    code.ins = out;
    changed
}

/// Rewrites the end of the list, if a rule fits.
fn rewrite(out: &mut Vec<Ins>) -> bool {
    if out.last().is_none_or(Ins::is_mark) {
        return false;
    }
    let mut solid = (0..out.len()).rev().filter(|n| !out[*n].is_mark());
    let (Some(b), Some(a)) = (solid.next(), solid.next()) else {
        return false;
    };
    let third = solid.next();
    if let Some(new) = two(&out[a], &out[b]) {
        out.remove(b);
        out.remove(a);
        out.extend(new);
        return true;
    }
    if let Some(first) = third
        && let Some(new) = three(&out[first], &out[a], &out[b])
    {
        out.remove(b);
        out.remove(a);
        out.remove(first);
        out.extend(new);
        return true;
    }
    false
}

fn op(op: Op) -> Option<Vec<Ins>> {
    Some(vec![Ins::Op(op)])
}

fn two(a: &Ins, b: &Ins) -> Option<Vec<Ins>> {
    match (a, b) {
        (Ins::Op(Op::NOT), Ins::Jump(jump @ (Op::JMPIF | Op::JMPIFNOT), l)) => {
            negated(*jump).map(|jump| vec![Ins::Jump(jump, *l)])
        }
        (Ins::Op(Op::NUMEQUAL), Ins::Op(Op::NOT)) => op(Op::NUMNOTEQUAL),
        (Ins::Op(Op::NUMNOTEQUAL), Ins::Op(Op::NOT)) => op(Op::NUMEQUAL),
        (Ins::Op(Op::EQUAL), Ins::Op(Op::NOT)) => op(Op::NOTEQUAL),
        (Ins::Op(Op::NOTEQUAL), Ins::Op(Op::NOT)) => op(Op::EQUAL),
        // A number that is no number faults in the jump as it does in the comparison.
        (Ins::Op(equal @ (Op::NUMEQUAL | Op::NUMNOTEQUAL)), Ins::Jump(jump, l))
            if matches!(jump, Op::JMPIF | Op::JMPIFNOT) =>
        {
            let same = (*equal == Op::NUMEQUAL) == (*jump == Op::JMPIF);
            Some(vec![Ins::Jump(
                if same { Op::JMPEQ } else { Op::JMPNE },
                *l,
            )])
        }
        (one, Ins::Op(Op::ADD)) if is_int(one, 1) => op(Op::INC),
        (one, Ins::Op(Op::ADD)) if is_int(one, -1) => op(Op::DEC),
        (one, Ins::Op(Op::SUB)) if is_int(one, 1) => op(Op::DEC),
        (one, Ins::Op(Op::SUB)) if is_int(one, -1) => op(Op::INC),
        (one, Ins::Op(Op::MUL)) if is_int(one, -1) => op(Op::NEGATE),
        (one, Ins::Op(Op::XOR)) if is_int(one, -1) => op(Op::INVERT),
        (push, Ins::Op(Op::DROP)) if pushes(push) => Some(Vec::new()),
        (Ins::Op(Op::DUP | Op::OVER), Ins::Op(Op::DROP)) => Some(Vec::new()),
        // Nobody looks at the stack after that.
        (Ins::Op(Op::DROP), Ins::Op(Op::ABORT)) => op(Op::ABORT),
        (Ins::Op(Op::SWAP), Ins::Op(Op::SWAP)) => Some(Vec::new()),
        (Ins::Op(Op::REVERSE3), Ins::Op(Op::REVERSE3)) => Some(Vec::new()),
        (Ins::Op(Op::DUP), Ins::Op(Op::SWAP)) => op(Op::DUP),
        (Ins::Op(Op::SWAP), Ins::Op(Op::DROP)) => op(Op::NIP),
        (Ins::Op(Op::SWAP), Ins::Op(Op::NIP)) => op(Op::DROP),
        (Ins::Op(Op::SWAP), Ins::Op(Op::OVER)) => op(Op::TUCK),
        (Ins::Op(Op::SWAP), Ins::Op(next)) => op(swapped(*next)?),
        (Ins::Op(Op::SWAP), Ins::Jump(jump, l)) => {
            let jump = match jump {
                Op::JMPEQ | Op::JMPNE => *jump,
                Op::JMPLT => Op::JMPGT,
                Op::JMPGT => Op::JMPLT,
                Op::JMPLE => Op::JMPGE,
                Op::JMPGE => Op::JMPLE,
                _ => return None,
            };
            Some(vec![Ins::Jump(jump, *l)])
        }
        _ => None,
    }
}

/// The operation that gives the same with its two operands exchanged.
fn swapped(op: Op) -> Option<Op> {
    Some(match op {
        Op::ADD | Op::MUL | Op::AND | Op::OR | Op::XOR | Op::MIN | Op::MAX => op,
        Op::NUMEQUAL | Op::NUMNOTEQUAL | Op::EQUAL | Op::NOTEQUAL => op,
        Op::LT => Op::GT,
        Op::GT => Op::LT,
        Op::LE => Op::GE,
        Op::GE => Op::LE,
        _ => return None,
    })
}

fn three(a: &Ins, b: &Ins, c: &Ins) -> Option<Vec<Ins>> {
    match (a, b, c) {
        (a, b, Ins::Op(Op::SWAP)) if pushes(a) && pushes(b) => Some(vec![b.clone(), a.clone()]),
        // Both steps go the same way, so the first alone leaves the range only if both together do.
        (Ins::Op(first), Ins::Int(n), Ins::Op(second @ (Op::ADD | Op::SUB))) => {
            let up = match first {
                Op::INC => true,
                Op::DEC => false,
                _ => return None,
            };
            if *n <= BigInt::ZERO || n.bits() > 62 || up != (*second == Op::ADD) {
                return None;
            }
            Some(vec![Ins::Int(n + 1), Ins::Op(*second)])
        }
        _ => None,
    }
}
