//! Follows an item: who reads it, on every way.

use std::collections::{BTreeSet, HashSet};

use neo_opcode::{Op, Syscall};

use super::effect::{Calls, last_solid};
use super::flow::{Slot, labels, successors};
use crate::ir::{Code, Ins};

/// Where the item is before an instruction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    /// Its places on the evaluation stack, counted from the top, as bits.
    stack: u32,
    slots: BTreeSet<Slot>,
    /// Whether an instruction has taken it as an Integer, which it faults on if it is none.
    checked: bool,
}

/// States after which the search gives up.
const MOST: usize = 2000;

/// What an instruction (and the one before it) does with the items that are the followed one, by their places as bits.
pub(super) type Reader = dyn Fn(&Ins, Option<&Ins>, u32) -> Use;

/// Whether everything that may read the item on top before `start` is one of those that `uses` allows. Unless `checked`,
/// one of those that check it must come first, and surely, before anything that can be seen.
pub(super) fn reads(
    code: &Code,
    calls: &Calls,
    start: usize,
    checked: bool,
    uses: &Reader,
) -> bool {
    let places = &labels(&code.ins);
    let mut open = vec![(
        start,
        State {
            stack: 1,
            slots: BTreeSet::new(),
            checked,
        },
    )];
    let mut seen: HashSet<(usize, State)> = HashSet::new();
    while let Some((at, mut state)) = open.pop() {
        if state.checked && state.stack == 0 && state.slots.is_empty() {
            continue;
        }
        if at >= code.ins.len() || seen.len() > MOST {
            return false;
        }
        if !seen.insert((at, state.clone())) {
            continue;
        }
        match step(code, calls, at, &mut state, uses) {
            Next::Other => return false,
            Next::Fault => continue,
            Next::On => {}
        }
        for to in successors(&code.ins, places, at) {
            // A loop may never come to the instruction that checks.
            if to <= at && !state.checked {
                return false;
            }
            open.push((to, state.clone()));
        }
    }
    true
}

enum Next {
    On,
    /// The run ends with a fault that says nothing, as the conversion's own does.
    Fault,
    /// The item may be used as what it is.
    Other,
}

fn step(code: &Code, calls: &Calls, at: usize, state: &mut State, uses: &Reader) -> Next {
    let ins = &code.ins[at];
    if ins.is_mark() || matches!(ins, Ins::Label(_)) {
        return Next::On;
    }
    let on_top = state.stack & 1 == 1;
    if let Some(slot) = Slot::stored(ins) {
        state.stack >>= 1;
        if on_top {
            state.slots.insert(slot);
        } else {
            state.slots.remove(&slot);
        }
        return Next::On;
    }
    if let Some(slot) = Slot::loaded(ins) {
        return pushed(state, state.slots.contains(&slot));
    }
    if let Ins::Op(op) = ins
        && let Some(stack) = moved(*op, state.stack)
    {
        // An item that is too deep to follow is one that is not followed.
        let deep = state.stack >> 29 != 0;
        state.stack = stack;
        return if deep { Next::Other } else { Next::On };
    }
    match ins {
        Ins::Op(Op::ABORT) => return Next::Fault,
        Ins::Op(Op::RET) => {
            return if state.checked && state.stack == 0 {
                Next::On
            } else {
                Next::Other
            };
        }
        _ => {}
    }
    if !state.checked && shows(ins) {
        return Next::Other;
    }
    let before = last_solid(&code.ins, at);
    let Some(effect) = calls.of(ins, before) else {
        return if state.stack == 0 {
            Next::On
        } else {
            Next::Other
        };
    };
    if effect.takes.max(effect.leaves) > 28 {
        return Next::Other;
    }
    let taken = state.stack & ((1 << effect.takes) - 1);
    if taken != 0 {
        match uses(ins, before, taken) {
            Use::Checks => state.checked = true,
            Use::Same if state.checked => {}
            Use::Same | Use::Other => return Next::Other,
        }
    }
    state.stack >>= effect.takes;
    for _ in 0..effect.leaves {
        if state.stack >> 31 != 0 {
            return Next::Other;
        }
        state.stack <<= 1;
    }
    Next::On
}

fn pushed(state: &mut State, ours: bool) -> Next {
    if state.stack >> 31 != 0 {
        return Next::Other;
    }
    state.stack = state.stack << 1 | u32::from(ours);
    Next::On
}

/// The places after an instruction that only moves items.
fn moved(op: Op, stack: u32) -> Option<u32> {
    let item = |n: u32| stack >> n & 1;
    Some(match op {
        Op::DUP => stack << 1 | item(0),
        Op::OVER => stack << 1 | item(1),
        Op::SWAP => stack & !3 | item(0) << 1 | item(1),
        Op::TUCK => (stack & !3) << 1 | item(0) << 2 | item(1) << 1 | item(0),
        Op::NIP => (stack >> 2) << 1 | item(0),
        Op::DROP => stack >> 1,
        Op::ROT => stack & !7 | (item(1) << 2 | item(0) << 1 | item(2)),
        Op::REVERSE3 => stack & !7 | (item(0) << 2 | item(1) << 1 | item(2)),
        _ => return None,
    })
}

/// Whether it can be told that this ran, or how the run ended there.
fn shows(ins: &Ins) -> bool {
    match ins {
        Ins::Call(_) | Ins::With(Op::CALLT, _) => true,
        Ins::With(Op::SYSCALL, id) => {
            let id = id.as_slice().try_into().ok();
            id.and_then(Syscall::by_id)
                .is_none_or(|call| call.name != "System.Storage.Local.Get")
        }
        Ins::Op(op) => matches!(op, Op::ASSERTMSG | Op::ABORTMSG | Op::THROW | Op::RET),
        _ => false,
    }
}

/// What an instruction does with the item, against what it would do with the one that is to be in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The same, and it faults if the item cannot be converted.
    Checks,
    /// The same once it is known that the item can be converted.
    Same,
    /// Perhaps something else.
    Other,
}
