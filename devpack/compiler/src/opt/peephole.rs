//! Rewrites of neighbours.

use neo_opcode::Op;

use super::look::{is_int, pushes};
use crate::ir::{Code, Ins, negated};

/// Rewrites of neighbours; marks between them do not count.
pub(super) fn run(code: &mut Code) -> bool {
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len());
    let mut changed = false;
    for ins in code.ins.drain(..) {
        // A label is a place where others arrive, so nothing is joined across it; marks stay before it.
        let at = out.iter().rposition(|i| !i.is_mark());
        let Some(at) = at else {
            out.push(ins);
            continue;
        };
        let replacement: Option<Vec<Ins>> = match (&out[at], &ins) {
            (Ins::Op(Op::NOT), Ins::Jump(op @ (Op::JMPIF | Op::JMPIFNOT), l)) => {
                negated(*op).map(|op| vec![Ins::Jump(op, *l)])
            }
            (Ins::Op(Op::NUMEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NUMNOTEQUAL)]),
            (Ins::Op(Op::NUMNOTEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NUMEQUAL)]),
            (Ins::Op(Op::EQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NOTEQUAL)]),
            (Ins::Op(Op::NOTEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::EQUAL)]),
            (one, Ins::Op(Op::ADD)) if is_int(one, 1) => Some(vec![Ins::Op(Op::INC)]),
            (one, Ins::Op(Op::SUB)) if is_int(one, 1) => Some(vec![Ins::Op(Op::DEC)]),
            (push, Ins::Op(Op::DROP)) if pushes(push) => Some(Vec::new()),
            (Ins::Op(Op::DUP), Ins::Op(Op::DROP)) => Some(Vec::new()),
            (Ins::Op(Op::SWAP), Ins::Op(Op::SWAP)) => Some(Vec::new()),
            _ => None,
        };
        match replacement {
            Some(list) => {
                out.remove(at);
                out.extend(list);
                changed = true;
            }
            None => {
                out.push(ins);
            }
        }
    }
    code.ins = out;
    changed
}
