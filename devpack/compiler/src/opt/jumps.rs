//! Jumps to jumps, jumps over jumps, jumps to the next instruction.

use std::collections::HashMap;

use neo_opcode::Op;

use crate::ir::{Code, Ins, Label, negated};

pub(super) fn run(code: &mut Code) -> bool {
    thread(code) | turn(code)
}

/// What runs first after each label.
fn landings(ins: &[Ins]) -> HashMap<Label, Ins> {
    let mut out = HashMap::new();
    let mut next: Option<&Ins> = None;
    for i in ins.iter().rev() {
        match i {
            i if i.is_mark() => {}
            Ins::Label(label) => {
                if let Some(next) = next {
                    out.insert(*label, next.clone());
                }
            }
            other => next = Some(other),
        }
    }
    out
}

/// A jump to a jump goes to its target; a jump to RET is a RET.
fn thread(code: &mut Code) -> bool {
    let landing = landings(&code.ins);
    let mut changed = false;
    for ins in &mut code.ins {
        let Ins::Jump(op, label) = ins else { continue };
        match landing.get(label) {
            // A cycle of jumps is an empty endless loop; leave it as it is.
            Some(Ins::Jump(Op::JMP, further))
                if further != label
                    && !matches!(landing.get(further), Some(Ins::Jump(Op::JMP, _))) =>
            {
                *label = *further;
                changed = true;
            }
            Some(Ins::Op(Op::RET)) if *op == Op::JMP => {
                *ins = Ins::Op(Op::RET);
                changed = true;
            }
            _ => {}
        }
    }
    changed
}

/// `JMPIF a; JMP b; a:` is `JMPIFNOT b; a:`, and `JMP a; a:` is nothing.
pub(super) fn turn(code: &mut Code) -> bool {
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len());
    let mut changed = false;
    for (at, ins) in code.ins.iter().enumerate() {
        if let Ins::Jump(Op::JMP, to) = ins {
            let here = following_labels(&code.ins, at + 1);
            if here.contains(to) {
                changed = true;
                continue;
            }
            let last = out.iter().rposition(|i| !i.is_mark());
            if let Some(last) = last
                && let Ins::Jump(op, over) = &out[last]
                && here.contains(over)
                && let Some(op) = negated(*op)
            {
                out[last] = Ins::Jump(op, *to);
                changed = true;
                continue;
            }
        }
        out.push(ins.clone());
    }
    code.ins = out;
    changed
}

/// The labels at a position, before any instruction.
fn following_labels(ins: &[Ins], at: usize) -> Vec<Label> {
    ins[at..]
        .iter()
        .take_while(|i| i.is_mark() || matches!(i, Ins::Label(_)))
        .filter_map(|i| match i {
            Ins::Label(l) => Some(*l),
            _ => None,
        })
        .collect()
}
