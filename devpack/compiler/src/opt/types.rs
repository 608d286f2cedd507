//! Kinds of items: where an item is known to be an Integer, a Boolean or a ByteString, conversions and tests of it are
//! not needed, and a comparison that cannot meet Null joins its jump.

use std::collections::HashMap;

use neo_opcode::{Op, Syscall, item_type};

use super::effect::{Calls, last_solid};
use super::flow::{Slot, labels, successors};
use super::look::{is_int, next};
use crate::ir::{Code, Ins, negated};

/// What is known of an item that is not Null.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Int,
    Bool,
    Bytes,
}

/// What is known before an instruction: the slots, and the topmost items (the last is the top).
#[derive(Clone, Debug, Default, PartialEq)]
struct State {
    slots: HashMap<Slot, Kind>,
    stack: Vec<Option<Kind>>,
}

/// Items below this many are not followed.
const DEEPEST: usize = 8;

impl State {
    fn push(&mut self, kind: Option<Kind>) {
        self.stack.push(kind);
        if self.stack.len() > DEEPEST {
            self.stack.remove(0);
        }
    }

    fn pop(&mut self) -> Option<Kind> {
        self.stack.pop().flatten()
    }

    fn top(&self, below: usize) -> Option<Kind> {
        let at = self.stack.len().checked_sub(1 + below)?;
        self.stack[at]
    }

    /// What holds in both.
    fn meet(&self, other: &State) -> State {
        let mut slots = self.slots.clone();
        slots.retain(|slot, kind| other.slots.get(slot) == Some(kind));
        let common = self.stack.len().min(other.stack.len());
        let stack = (0..common)
            .rev()
            .map(|n| self.top(n).filter(|k| other.top(n) == Some(*k)))
            .collect();
        State { slots, stack }
    }

    fn step(&mut self, code: &Code, at: usize, calls: &Calls) {
        let ins = &code.ins[at];
        if ins.is_mark() || matches!(ins, Ins::Label(_)) {
            return;
        }
        if let Some(slot) = Slot::stored(ins) {
            match self.pop() {
                Some(kind) => self.slots.insert(slot, kind),
                None => self.slots.remove(&slot),
            };
            return;
        }
        let (top, under) = (self.top(0), self.top(1));
        match ins {
            Ins::Op(Op::DUP) => return self.push(top),
            Ins::Op(Op::OVER) => return self.push(self.top(1)),
            Ins::Op(Op::SWAP) => {
                let (b, a) = (self.pop(), self.pop());
                self.push(b);
                return self.push(a);
            }
            Ins::Op(Op::NIP) => {
                let (b, _) = (self.pop(), self.pop());
                return self.push(b);
            }
            Ins::Op(Op::TUCK) => {
                let (b, a) = (self.pop(), self.pop());
                self.push(b);
                self.push(a);
                return self.push(b);
            }
            Ins::Op(Op::ROT) => {
                let (c, b, a) = (self.pop(), self.pop(), self.pop());
                self.push(b);
                self.push(c);
                return self.push(a);
            }
            _ => {}
        }
        let before = last_solid(&code.ins, at);
        let Some(effect) = calls.of(ins, before) else {
            return self.stack.clear();
        };
        for _ in 0..effect.takes {
            self.stack.pop();
        }
        for _ in 0..effect.leaves {
            self.push(None);
        }
        if effect.leaves == 1
            && let Some(last) = self.stack.last_mut()
        {
            *last = match Slot::loaded(ins) {
                Some(slot) => self.slots.get(&slot).copied(),
                // A shift by nothing may leave its item as it is.
                None if matches!(ins, Ins::Op(Op::SHL | Op::SHR)) => {
                    let moves = matches!(before, Some(Ins::Int(n)) if *n > 0.into());
                    if moves {
                        Some(Kind::Int)
                    } else {
                        under.filter(|k| *k == Kind::Int)
                    }
                }
                None => made(ins, top),
            };
        }
    }
}

/// The kind of the one item that an instruction leaves.
fn made(ins: &Ins, top: Option<Kind>) -> Option<Kind> {
    match ins {
        Ins::Int(_) => Some(Kind::Int),
        Ins::Data(_) => Some(Kind::Bytes),
        Ins::With(Op::ISTYPE, _) => Some(Kind::Bool),
        // Null stays Null whatever it is converted to.
        Ins::With(Op::CONVERT, to) => top.and(match to.first() {
            Some(&item_type::INTEGER) => Some(Kind::Int),
            Some(&item_type::BYTE_STRING) => Some(Kind::Bytes),
            _ => None,
        }),
        Ins::With(Op::SYSCALL, id) => {
            let id = id.as_slice().try_into().ok()?;
            match Syscall::by_id(id)?.name {
                "System.Runtime.CheckWitness" | "System.Iterator.Next" => Some(Kind::Bool),
                "System.Runtime.GetTime" => Some(Kind::Int),
                _ => None,
            }
        }
        Ins::Op(op) => match op {
            Op::PUSHT | Op::PUSHF | Op::NOT | Op::NZ | Op::ISNULL => Some(Kind::Bool),
            Op::EQUAL | Op::NOTEQUAL | Op::NUMEQUAL | Op::NUMNOTEQUAL => Some(Kind::Bool),
            Op::LT | Op::LE | Op::GT | Op::GE | Op::WITHIN => Some(Kind::Bool),
            Op::BOOLAND | Op::BOOLOR | Op::HASKEY => Some(Kind::Bool),
            Op::ADD | Op::SUB | Op::MUL | Op::DIV | Op::MOD => Some(Kind::Int),
            Op::AND | Op::OR | Op::XOR | Op::INVERT | Op::SIGN | Op::ABS => Some(Kind::Int),
            Op::NEGATE | Op::INC | Op::DEC | Op::MIN | Op::MAX | Op::SIZE => Some(Kind::Int),
            _ => None,
        },
        _ => None,
    }
}

pub(super) fn run(code: &mut Code, calls: &Calls) -> bool {
    let before = states(code, calls);
    for at in 0..code.ins.len() {
        if let Some(new) = before[at].as_ref().and_then(|s| one(&code.ins[at], s)) {
            // The item goes, and the answer of its test comes.
            code.ins[at] = Ins::Op(Op::DROP);
            code.ins.insert(at + 1, new);
            return true;
        }
    }
    let mut gone = vec![false; code.ins.len()];
    let mut changed = false;
    for at in 0..code.ins.len() {
        let Some(state) = before[at].as_ref().filter(|_| !gone[at]) else {
            continue;
        };
        let Some(to) = next(&code.ins, at + 1) else {
            continue;
        };
        if useless(&code.ins[at], state) {
            gone[at] = true;
            changed = true;
            continue;
        }
        if let Some(new) = two(&code.ins[at], &code.ins[to], state) {
            gone[at] = true;
            match new {
                Some(ins) => code.ins[to] = ins,
                None => gone[to] = true,
            }
            changed = true;
        }
    }
    super::forward::sweep(code, &gone) | changed
}

fn states(code: &Code, calls: &Calls) -> Vec<Option<State>> {
    let places = labels(&code.ins);
    let mut before: Vec<Option<State>> = vec![None; code.ins.len() + 1];
    if let Some(first) = before.first_mut() {
        *first = Some(State::default());
    }
    // Knowledge only shrinks, so this ends.
    loop {
        let mut changed = false;
        for at in 0..code.ins.len() {
            let Some(mut state) = before[at].clone() else {
                continue;
            };
            state.step(code, at, calls);
            for to in successors(&code.ins, &places, at) {
                let met = match &before[to] {
                    None => state.clone(),
                    Some(old) => old.meet(&state),
                };
                if before[to].as_ref() != Some(&met) {
                    before[to] = Some(met);
                    changed = true;
                }
            }
        }
        if !changed {
            return before;
        }
    }
}

/// The answer of a test that is known.
fn one(ins: &Ins, state: &State) -> Option<Ins> {
    let kind = state.top(0)?;
    let answer = match ins {
        Ins::Op(Op::ISNULL) => false,
        Ins::With(Op::ISTYPE, of) => match of.first() {
            Some(&item_type::INTEGER) => kind == Kind::Int,
            Some(&item_type::BYTE_STRING) => kind == Kind::Bytes,
            Some(&item_type::BOOLEAN) => kind == Kind::Bool,
            _ => return None,
        },
        _ => return None,
    };
    Some(Ins::Op(if answer { Op::PUSHT } else { Op::PUSHF }))
}

/// A conversion to what the item already is.
fn useless(ins: &Ins, state: &State) -> bool {
    match ins {
        Ins::With(Op::CONVERT, to) => match to.first() {
            Some(&item_type::INTEGER) => state.top(0) == Some(Kind::Int),
            Some(&item_type::BYTE_STRING) => state.top(0) == Some(Kind::Bytes),
            _ => false,
        },
        _ => false,
    }
}

/// What two instructions become: one in the second's place, or none.
fn two(a: &Ins, b: &Ins, state: &State) -> Option<Option<Ins>> {
    let is_number = |below| state.top(below) == Some(Kind::Int);
    match (a, b) {
        (zero, Ins::Op(Op::ADD | Op::SUB)) if is_int(zero, 0) && is_number(0) => Some(None),
        (Ins::Op(Op::NOT), Ins::Op(Op::NOT)) if state.top(0) == Some(Kind::Bool) => Some(None),
        (zero, Ins::Jump(Op::JMPEQ, l)) if is_int(zero, 0) && is_number(0) => {
            Some(Some(Ins::Jump(Op::JMPIFNOT, *l)))
        }
        (zero, Ins::Jump(Op::JMPNE, l)) if is_int(zero, 0) && is_number(0) => {
            Some(Some(Ins::Jump(Op::JMPIF, *l)))
        }
        (zero, Ins::Op(Op::NUMEQUAL)) if is_int(zero, 0) && is_number(0) => {
            Some(Some(Ins::Op(Op::NOT)))
        }
        (zero, Ins::Op(Op::NUMNOTEQUAL)) if is_int(zero, 0) && is_number(0) => {
            Some(Some(Ins::Op(Op::NZ)))
        }
        (Ins::Op(compare), Ins::Jump(jump @ (Op::JMPIF | Op::JMPIFNOT), l))
            if is_number(0) && is_number(1) =>
        {
            let joined = match compare {
                Op::LT => Op::JMPLT,
                Op::LE => Op::JMPLE,
                Op::GT => Op::JMPGT,
                Op::GE => Op::JMPGE,
                _ => return None,
            };
            let joined = if *jump == Op::JMPIF {
                joined
            } else {
                negated(joined)?
            };
            Some(Some(Ins::Jump(joined, *l)))
        }
        (Ins::Op(compare), Ins::Op(Op::NOT)) if is_number(0) && is_number(1) => {
            let opposite = match compare {
                Op::LT => Op::GE,
                Op::LE => Op::GT,
                Op::GT => Op::LE,
                Op::GE => Op::LT,
                _ => return None,
            };
            Some(Some(Ins::Op(opposite)))
        }
        _ => None,
    }
}
