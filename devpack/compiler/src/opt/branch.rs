//! Jumps to a conditional jump: the condition is decided before jumping. A comparison then joins its jump, and a
//! constant needs no jump that looks at it.

use std::collections::HashMap;

use neo_opcode::Op;

use super::effect::last_solid;
use super::inline::Labels;
use super::look::next;
use crate::ir::{Code, Ins, Label};

pub(super) fn run(code: &mut Code, labels: &Labels) -> bool {
    let targets = conditional(&code.ins);
    // Where the other way of a conditional jump goes on.
    let mut beyond: HashMap<usize, Label> = HashMap::new();
    let mut decided: HashMap<usize, usize> = HashMap::new();
    for (at, ins) in code.ins.iter().enumerate() {
        let target = match ins {
            Ins::Jump(Op::JMP, to) => targets.get(to),
            // A constant that falls into the label.
            Ins::Label(here) if last_solid(&code.ins, at).is_some_and(constant) => {
                targets.get(here)
            }
            _ => None,
        };
        if let Some(place) = target {
            decided.insert(at, *place);
            beyond.entry(*place).or_insert_with(|| labels.fresh());
        }
    }
    if decided.is_empty() {
        return false;
    }
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len() + 3 * decided.len());
    for (at, ins) in code.ins.iter().enumerate() {
        let place = decided.get(&at);
        if let Some((place, go_on)) = place.and_then(|p| Some((p, beyond.get(p)?))) {
            out.push(code.ins[*place].clone());
            out.push(Ins::Jump(Op::JMP, *go_on));
        }
        if place.is_none() || matches!(ins, Ins::Label(_)) {
            out.push(ins.clone());
        }
        out.extend(beyond.get(&at).map(|label| Ins::Label(*label)));
    }
    code.ins = out;
    true
}

fn constant(ins: &Ins) -> bool {
    matches!(
        ins,
        Ins::Int(_) | Ins::Op(Op::PUSHT | Op::PUSHF | Op::PUSHNULL)
    )
}

fn next_instruction(ins: &[Ins], from: usize) -> Option<usize> {
    let mut at = next(ins, from)?;
    while matches!(ins[at], Ins::Label(_)) {
        at = next(ins, at + 1)?;
    }
    Some(at)
}

/// Labels at which a jump on a Boolean is the first instruction, with its position.
fn conditional(ins: &[Ins]) -> HashMap<Label, usize> {
    let mut out = HashMap::new();
    for (at, i) in ins.iter().enumerate() {
        if let Ins::Label(label) = i
            && let Some(to) = next_instruction(ins, at)
            && matches!(ins[to], Ins::Jump(Op::JMPIF | Op::JMPIFNOT, _))
        {
            out.insert(*label, to);
        }
    }
    out
}
