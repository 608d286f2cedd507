//! Assertions that hold jump over their message, which costs 2 units in place of 9 or more; those that do not hold
//! fault by the same instruction with the same message.

use neo_opcode::Op;

use super::inline::Labels;
use super::look::next;
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, labels: &Labels) -> bool {
    let mut changed = false;
    let mut at = 0;
    while at < code.ins.len() {
        let message = matches!(code.ins[at], Ins::Data(_))
            && next(&code.ins, at + 1).is_some_and(|n| code.ins[n] == Ins::Op(Op::ASSERTMSG));
        // Not where the condition is the constant that this pass puts there.
        let done = super::effect::last_solid(&code.ins, at) == Some(&Ins::Op(Op::PUSHF));
        if message && !done {
            let end = next(&code.ins, at + 1).unwrap_or(at);
            let over = labels.fresh();
            code.ins.insert(end + 1, Ins::Label(over));
            code.ins.insert(at, Ins::Op(Op::PUSHF));
            code.ins.insert(at, Ins::Jump(Op::JMPIF, over));
            changed = true;
            at = end;
        }
        at += 1;
    }
    changed
}
