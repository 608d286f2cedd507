//! Assertions that hold jump over their message, which costs 2 units in place of 9 or more; those that do not hold
//! abort with the same message.

use neo_opcode::Op;

use super::inline::Labels;
use super::look::next;
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, labels: &Labels) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at < code.ins.len() {
        let end = next(&code.ins, at + 1).filter(|n| code.ins[*n] == Ins::Op(Op::ASSERTMSG));
        if let (Ins::Data(_), Some(end)) = (&code.ins[at], end) {
            code.ins[end] = Ins::Op(Op::ABORTMSG);
            let over = labels.fresh();
            code.ins.insert(end + 1, Ins::Label(over));
            code.ins.insert(at, Ins::Jump(Op::JMPIF, over));
            changed = true;
            at = end;
        }
        at += 1;
    }
    changed
}
