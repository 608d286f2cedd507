//! The order of pieces of a function: one that is reached by a single jump takes that jump's place, and a loop that
//! tests at its head tests at its end instead.

use std::collections::HashMap;

use neo_opcode::Op;

use super::inline::Labels;
use super::look::{ends, size};
use crate::ir::{Code, Ins, Label};

pub(super) fn run(code: &mut Code, labels: &Labels) -> bool {
    pull(code) || turn_loops(code, labels)
}

/// `JMP a … RET a: X` (nothing else leads to `a`) is `X … RET`.
fn pull(code: &mut Code) -> bool {
    let mut count: HashMap<Label, usize> = HashMap::new();
    for ins in &code.ins {
        if let Ins::Jump(_, l) = ins {
            *count.entry(*l).or_default() += 1;
        }
    }
    for at in 0..code.ins.len() {
        let Ins::Jump(Op::JMP, label) = code.ins[at] else {
            continue;
        };
        if count.get(&label) != Some(&1) {
            continue;
        }
        let Some(start) = code.ins.iter().position(|i| *i == Ins::Label(label)) else {
            continue;
        };
        let falls_in = code.ins[..start]
            .iter()
            .rev()
            .find(|i| !i.is_mark())
            .is_none_or(|i| !ends(i));
        let Some(length) = code.ins[start..].iter().position(ends) else {
            continue;
        };
        let end = start + length + 1;
        if falls_in || (start..end).contains(&at) {
            continue;
        }
        let mut piece: Vec<Ins> = code.ins[start..end].to_vec();
        // Marks in front of the label belong to the piece.
        let mark = code.ins[..start].iter().rfind(|i| i.is_mark()).cloned();
        let own = piece
            .iter()
            .find(|i| !matches!(i, Ins::Label(_)))
            .is_some_and(Ins::is_mark);
        if !own {
            piece.splice(0..0, mark);
        }
        if at < start {
            code.ins.drain(start..end);
            code.ins.splice(at..=at, piece);
        } else {
            code.ins.splice(at..=at, piece);
            code.ins.drain(start..end);
        }
        return true;
    }
    false
}

/// The longest test that is written twice, in bytes.
const TEST: usize = 12;

/// `a: test; JMPIF out; body; JMP a` becomes `a: test; JMPIF out; b: body; test; JMPIFNOT b; JMP out`: one jump less a
/// round.
fn turn_loops(code: &mut Code, labels: &Labels) -> bool {
    for at in 0..code.ins.len() {
        let Ins::Jump(Op::JMP, label) = code.ins[at] else {
            continue;
        };
        let Some(start) = code.ins[..at].iter().position(|i| *i == Ins::Label(label)) else {
            continue;
        };
        let Some(length) = code.ins[start + 1..]
            .iter()
            .position(|i| matches!(i, Ins::Jump(..) | Ins::Label(_)) || ends(i))
        else {
            continue;
        };
        let test = start + 1 + length;
        let Ins::Jump(op, out) = code.ins[test] else {
            continue;
        };
        let leaves = code.ins[at..].contains(&Ins::Label(out));
        let piece = &code.ins[start + 1..test];
        if op == Op::JMP || !leaves || test >= at || size(piece) > TEST {
            continue;
        }
        let Some(back) = crate::ir::negated(op) else {
            continue;
        };
        let body = labels.fresh();
        let mut again: Vec<Ins> = piece.to_vec();
        again.push(Ins::Jump(back, body));
        again.push(Ins::Jump(Op::JMP, out));
        code.ins.splice(at..=at, again);
        code.ins.insert(test + 1, Ins::Label(body));
        return true;
    }
    false
}
