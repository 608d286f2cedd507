//! What cannot be reached.

use std::collections::HashSet;

use super::look::ends;
use crate::ir::{Code, Ins, Label};

pub(super) fn run(code: &mut Code) -> bool {
    unreachable(code) | labels(code)
}

/// Nothing falls into what follows a jump, except at a label. The last source place in it stays: what is behind the
/// label may have none of its own.
pub(super) fn unreachable(code: &mut Code) -> bool {
    let before = code.ins.len();
    let mut out: Vec<Ins> = Vec::with_capacity(before);
    let mut dead = false;
    let mut place = None;
    for ins in code.ins.drain(..) {
        if dead && ins.is_mark() {
            place = Some(ins);
            continue;
        }
        if matches!(ins, Ins::Label(_)) {
            dead = false;
            out.extend(place.take());
        }
        if !dead {
            dead = ends(&ins);
            out.push(ins);
        }
    }
    code.ins = out;
    before != code.ins.len()
}

fn labels(code: &mut Code) -> bool {
    let used: HashSet<Label> = code
        .ins
        .iter()
        .filter_map(|i| match i {
            Ins::Jump(_, l) => Some(*l),
            _ => None,
        })
        .collect();
    let before = code.ins.len();
    code.ins
        .retain(|i| !matches!(i, Ins::Label(l) if !used.contains(l)));
    before != code.ins.len()
}
