//! Stores and loads.

use std::collections::HashMap;

use neo_opcode::Op;

use super::look::next;
use crate::ir::{Code, Ins};

/// A slot that is written once and read once, right after, is not needed.
pub(super) fn run(code: &mut Code) -> bool {
    let mut uses: HashMap<usize, (usize, usize)> = HashMap::new();
    for ins in &code.ins {
        match ins {
            Ins::LdLoc(n) => uses.entry(*n).or_default().0 += 1,
            Ins::StLoc(n) => uses.entry(*n).or_default().1 += 1,
            _ => {}
        }
    }
    let mut at = 0;
    let mut changed = false;
    while at < code.ins.len() {
        if let Ins::StLoc(n) = code.ins[at] {
            let next = next(&code.ins, at + 1);
            let single = uses.get(&n) == Some(&(1, 1));
            if let Some(next) = next.filter(|i| single && code.ins[*i] == Ins::LdLoc(n)) {
                code.ins.remove(next);
                code.ins.remove(at);
                changed = true;
                continue;
            }
            if uses.get(&n).is_some_and(|(loads, _)| *loads == 0) {
                code.ins[at] = Ins::Op(Op::DROP);
                changed = true;
            }
        }
        at += 1;
    }
    changed
}
