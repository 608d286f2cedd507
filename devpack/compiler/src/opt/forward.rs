//! Stores and loads: a slot that only holds what another slot or a small number holds is not needed, and what is never
//! read is not stored.

use std::collections::HashMap;

use neo_opcode::Op;

use super::effect::{Calls, last_solid};
use super::flow::{Slot, labels, live_after, successors};
use super::look::{next, pushes};
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, calls: &Calls) -> bool {
    raise(code, calls) | copies(code) | neighbours(code) | dead_stores(code)
}

/// `v N STLOC x`, where v is only a push and N leaves the stack as it was, is `v STLOC x N`.
fn raise(code: &mut Code, calls: &Calls) -> bool {
    let mut changed = false;
    for at in 0..code.ins.len() {
        let Some(slot) = Slot::stored(&code.ins[at]) else {
            continue;
        };
        if let Some(push) = producer(&code.ins, at, slot, calls)
            && next(&code.ins, push + 1) != Some(at)
        {
            let store = code.ins.remove(at);
            code.ins.insert(push + 1, store);
            changed = true;
        }
    }
    changed
}

/// The push whose item the store takes, if what is between neither sees the item nor the slot.
fn producer(ins: &[Ins], store: usize, slot: Slot, calls: &Calls) -> Option<usize> {
    let mut wanted = 1usize;
    for at in (0..store).rev() {
        let i = &ins[at];
        if i.is_mark() {
            continue;
        }
        if matches!(i, Ins::Label(_) | Ins::Jump(..) | Ins::Op(Op::RET)) {
            return None;
        }
        if wanted == 1 && pushes(i) {
            return (Slot::loaded(i) != Some(slot)).then_some(at);
        }
        if Slot::loaded(i) == Some(slot) || Slot::stored(i) == Some(slot) {
            return None;
        }
        let effect = calls.of(i, last_solid(ins, at))?;
        // `wanted` counts items from the top down to ours; one that is made here is not ours unless pushed alone.
        if effect.leaves >= wanted {
            return None;
        }
        wanted = wanted - effect.leaves + effect.takes;
    }
    None
}

/// What a slot is known to hold.
type Known = HashMap<Slot, Ins>;

/// Loads of a slot that holds the same as another, or a number that is cheaper to push, load that instead.
fn copies(code: &mut Code) -> bool {
    let places = labels(&code.ins);
    let mut known: Vec<Option<Known>> = vec![None; code.ins.len() + 1];
    if let Some(first) = known.first_mut() {
        *first = Some(Known::new());
    }
    // Facts only get fewer, so this ends.
    loop {
        let mut changed = false;
        for at in 0..code.ins.len() {
            let Some(mut state) = known[at].clone() else {
                continue;
            };
            step(code, at, &mut state);
            for to in successors(&code.ins, &places, at) {
                let met = match &known[to] {
                    None => state.clone(),
                    Some(old) => {
                        let mut old = old.clone();
                        old.retain(|slot, ins| state.get(slot) == Some(ins));
                        old
                    }
                };
                if known[to].as_ref() != Some(&met) {
                    known[to] = Some(met);
                    changed = true;
                }
            }
        }
        if !changed {
            break;
        }
    }
    let mut changed = false;
    for at in 0..code.ins.len() {
        if let Some(slot) = Slot::loaded(&code.ins[at])
            && let Some(ins) = known[at].as_ref().and_then(|k| k.get(&slot))
        {
            code.ins[at] = ins.clone();
            changed = true;
        }
    }
    changed
}

fn step(code: &Code, at: usize, known: &mut Known) {
    let Some(slot) = Slot::stored(&code.ins[at]) else {
        return;
    };
    known.remove(&slot);
    known.retain(|_, ins| Slot::loaded(ins) != Some(slot));
    match last_solid(&code.ins, at) {
        Some(ins @ (Ins::LdLoc(_) | Ins::LdArg(_))) => {
            let from = Slot::loaded(ins);
            if from != Some(slot) {
                let held = from.and_then(|s| known.get(&s)).unwrap_or(ins).clone();
                if Slot::loaded(&held) != Some(slot) {
                    known.insert(slot, held);
                }
            }
        }
        // A longer one takes more bytes than it is worth: 1 unit.
        Some(ins @ Ins::Int(n)) if n.bits() < 32 => {
            known.insert(slot, ins.clone());
        }
        Some(ins @ Ins::Op(Op::PUSHT | Op::PUSHF | Op::PUSHNULL)) => {
            known.insert(slot, ins.clone());
        }
        _ => {}
    }
}

/// `STLOC x LDLOC x` where x is not read again is nothing; `LDLOC x STLOC x` always is.
fn neighbours(code: &mut Code) -> bool {
    let live = live_after(code);
    let mut gone = vec![false; code.ins.len()];
    for at in 0..code.ins.len() {
        let Some(to) = next(&code.ins, at + 1) else {
            break;
        };
        if gone[at] {
            continue;
        }
        let (a, b) = (&code.ins[at], &code.ins[to]);
        let stored = Slot::stored(a).filter(|s| Slot::loaded(b) == Some(*s));
        let loaded = Slot::loaded(a).filter(|s| Slot::stored(b) == Some(*s));
        let unread = stored.is_some_and(|s| !live[to].has(s.index(code.locals)));
        if unread || loaded.is_some() {
            gone[at] = true;
            gone[to] = true;
        }
    }
    sweep(code, &gone)
}

/// A store that nobody reads drops the item; a push that is dropped is not made.
fn dead_stores(code: &mut Code) -> bool {
    let live = live_after(code);
    let mut gone = vec![false; code.ins.len()];
    let mut changed = false;
    for at in 0..code.ins.len() {
        let Some(slot) = Slot::stored(&code.ins[at]) else {
            continue;
        };
        if !live[at].has(slot.index(code.locals)) {
            code.ins[at] = Ins::Op(Op::DROP);
            changed = true;
        }
    }
    for at in 0..code.ins.len() {
        if pushes(&code.ins[at])
            && let Some(to) = next(&code.ins, at + 1)
            && code.ins[to] == Ins::Op(Op::DROP)
        {
            gone[at] = true;
            gone[to] = true;
            changed = true;
        }
    }
    sweep(code, &gone) | changed
}

/// Takes out what is marked.
pub(super) fn sweep(code: &mut Code, gone: &[bool]) -> bool {
    let before = code.ins.len();
    let mut flags = gone.iter();
    code.ins.retain(|_| !flags.next().copied().unwrap_or(false));
    before != code.ins.len()
}
