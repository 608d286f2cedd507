//! Values that stay on the evaluation stack: a slot that is written and then read in the same straight line does not
//! need to be a slot where its reader can take the item from the top three.

use neo_opcode::Op;

use super::effect::{Calls, last_solid};
use super::flow::{Bits, Slot, live_after};
use super::look::ends;
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, calls: &Calls) -> bool {
    let live = live_after(code);
    let mut changed = false;
    for at in (0..code.ins.len()).rev() {
        let Some(slot) = Slot::stored(&code.ins[at]) else {
            continue;
        };
        if let Some(edits) = edits(code, at, slot, calls, &live) {
            code.ins[at] = GONE;
            for (at, ins) in edits {
                code.ins[at] = ins;
            }
            changed = true;
        }
    }
    code.ins.retain(|i| *i != GONE);
    changed
}

/// Stands for nothing until the pass is over, so that positions stay.
const GONE: Ins = Ins::Op(Op::NOP);

/// What becomes of the reads when the store is left out.
fn edits(
    code: &Code,
    store: usize,
    slot: Slot,
    calls: &Calls,
    live: &[Bits],
) -> Option<Vec<(usize, Ins)>> {
    let mut above = 0usize;
    let mut edits = Vec::new();
    for at in store + 1..code.ins.len() {
        let ins = &code.ins[at];
        if ins.is_mark() || *ins == GONE {
            continue;
        }
        if matches!(ins, Ins::Label(_) | Ins::Jump(..))
            || ends(ins)
            || Slot::stored(ins) == Some(slot)
        {
            return None;
        }
        if Slot::loaded(ins) == Some(slot) {
            let last = !live[at].has(slot.index(code.locals));
            let op = match (above, last) {
                (0, true) => GONE,
                (1, true) => Ins::Op(Op::SWAP),
                (2, true) => Ins::Op(Op::ROT),
                (0, false) => Ins::Op(Op::DUP),
                (1, false) => Ins::Op(Op::OVER),
                _ => return None,
            };
            edits.push((at, op));
            if last {
                return Some(edits);
            }
            above += 1;
            continue;
        }
        let before = last_solid(&code.ins, at);
        // A number that an edit moves away must not be read as this instruction's count.
        let effect = calls.of(ins, before)?;
        above = above.checked_sub(effect.takes)? + effect.leaves;
    }
    None
}
