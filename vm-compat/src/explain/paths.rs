//! Follows every way through a script with names in place of values. Jumps only go forward, so the ways are finite.

use std::rc::Rc;

use crate::script::{Step, steps};
use crate::table::{Flow, Operand};

/// More ways than this are not told one by one.
const MAX_PATHS: usize = 64;
/// Values that would take more words than this are not told.
const MAX_SIZE: usize = 400;

/// A value that a script computes, written down instead of computed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    /// What a script without any item leaves.
    Null,
    /// True or false.
    Bool(bool),
    /// A number, 32 bytes of little-endian two's complement.
    Int([u8; 32]),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A fact about the invocation: `STATE`'s operand, and for facts that change how often it may have changed.
    State(u8, usize),
    /// What an instruction makes of its operands (the lowest on the stack first), and, where the chain can answer
    /// otherwise later, how many effects the script had before it asked.
    Op(u8, Vec<Rc<Value>>, usize),
}

/// Something that a script does to the chain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Effect {
    /// The instruction.
    pub op: u8,
    /// What it takes, the lowest on the stack first.
    pub operands: Vec<Rc<Value>>,
}

/// How a way ends.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// With this result.
    Gives(Rc<Value>),
    /// By giving up with this: the whole transaction faults.
    Throws(Rc<Value>),
}

/// One way through a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Each condition that was asked, in order, and what the answer is on this way.
    pub conditions: Vec<(Rc<Value>, bool)>,
    /// What is done, in order.
    pub effects: Vec<Effect>,
    /// The end.
    pub outcome: Outcome,
    /// Whether something on this way can fail: a value of a wrong kind, a number too large, a box that is not there.
    pub can_fail: bool,
}

const PICK: u8 = 0x4D;
const ROLL: u8 = 0x52;
const CALL: u8 = 0xF7;

#[derive(Clone)]
struct Walk {
    at: usize,
    stack: Vec<Rc<Value>>,
    conditions: Vec<(Rc<Value>, bool)>,
    effects: Vec<Effect>,
    /// How many random numbers were taken.
    draws: usize,
    can_fail: bool,
}

/// All ways through a valid script, or none if there are too many or one depends on a count that only the run knows.
pub(crate) fn paths(script: &[u8]) -> Option<Vec<Path>> {
    let all: Vec<Step<'_>> = steps(script).collect::<Result<_, _>>().ok()?;
    let index = |position: usize| all.binary_search_by_key(&position, |s| s.position).ok();
    let mut done = Vec::new();
    let mut open = vec![Walk {
        at: 0,
        stack: Vec::new(),
        conditions: Vec::new(),
        effects: Vec::new(),
        draws: 0,
        can_fail: false,
    }];
    while let Some(mut walk) = open.pop() {
        let outcome = loop {
            let Some(step) = all.get(walk.at) else {
                break Outcome::Gives(walk.result());
            };
            walk.at += 1;
            match step.instr.flow {
                Flow::Next => walk.step(step)?,
                Flow::Stop => {
                    walk.step(step)?;
                    break Outcome::Gives(walk.result());
                }
                Flow::Fault => break Outcome::Throws(walk.stack.pop()?),
                Flow::Jump => walk.at = index(usize::try_from(step.target()?).ok()?)?,
                Flow::Branch => {
                    let target = index(usize::try_from(step.target()?).ok()?)?;
                    let condition = walk.stack.pop()?;
                    walk.can_fail |= !is_number(&condition);
                    match walk.known(&condition) {
                        Some(true) => {}
                        Some(false) => walk.at = target,
                        None => {
                            let mut other = walk.clone();
                            other.at = target;
                            other.conditions.push((condition.clone(), false));
                            open.push(other);
                            walk.conditions.push((condition, true));
                        }
                    }
                    if open.len() + done.len() >= MAX_PATHS {
                        return None;
                    }
                }
            }
        };
        done.push(Path {
            conditions: walk.conditions,
            effects: walk.effects,
            outcome,
            can_fail: walk.can_fail,
        });
    }
    let small = |v: &Rc<Value>| size(v, MAX_SIZE).is_some();
    let told = done.iter().all(|path| {
        let (Outcome::Gives(end) | Outcome::Throws(end)) = &path.outcome;
        let operands = path.effects.iter().flat_map(|e| &e.operands);
        let conditions = path.conditions.iter().map(|(value, _)| value);
        conditions.chain(operands).chain([end]).all(small)
    });
    told.then_some(done)
}

/// How many parts a value has, if not more than `limit`.
fn size(value: &Value, limit: usize) -> Option<usize> {
    match value {
        Value::Op(_, operands, _) => operands.iter().try_fold(1, |sum: usize, operand| {
            let rest = limit.checked_sub(sum)?;
            Some(sum + size(operand, rest)?)
        }),
        _ => (limit > 0).then_some(1),
    }
}

impl Walk {
    fn result(&mut self) -> Rc<Value> {
        self.stack.pop().unwrap_or_else(|| Rc::new(Value::Null))
    }

    /// The answer to a condition that was asked before, or that needs none.
    fn known(&self, condition: &Rc<Value>) -> Option<bool> {
        if let Value::Bool(value) = **condition {
            return Some(value);
        }
        let asked = self.conditions.iter().find(|(old, _)| old == condition);
        asked.map(|(_, answer)| *answer)
    }

    /// An instruction after which the next one follows, or the end. `None` if what it does is not known beforehand.
    fn step(&mut self, step: &Step<'_>) -> Option<()> {
        let byte = step.instr.byte;
        match (byte, step.instr.operand) {
            (0x08 | 0xE8, _) => self.push(Value::Bool(true)),
            (0x09 | 0xE9, _) => self.push(Value::Bool(false)),
            (0x0F..=0x20, _) => self.push(Value::Int(extended(&[byte.wrapping_sub(0x10)]))),
            (_, Operand::Int(_)) => self.push(Value::Int(extended(step.operand))),
            (_, Operand::Data(_) | Operand::Id | Operand::Locator) => {
                self.push(Value::Bytes(step.operand.to_vec()));
            }
            (_, Operand::State) => {
                let state = *step.operand.first()?;
                let when = match state {
                    // The block's random number is another one at each use.
                    7 => {
                        self.draws += 1;
                        self.draws
                    }
                    // The include list can be otherwise after an effect.
                    8 => self.effects.len(),
                    _ => 0,
                };
                self.push(Value::State(state, when));
            }
            (_, Operand::Blocks) => {
                let operands = vec![Rc::new(Value::Bytes(step.operand.to_vec()))];
                self.host(byte, operands, true);
            }
            (0x40, _) => {}
            (0x45..=0x53, _) => self.moves(byte)?,
            (CALL, _) => self.call()?,
            _ => {
                let operands = self.take(usize::from(step.instr.pops))?;
                self.can_fail |= !is_safe(byte, &operands);
                if step.instr.host {
                    self.host(byte, operands, step.instr.pushes == 1);
                } else {
                    self.push(Value::Op(byte, operands, 0));
                }
            }
        }
        Some(())
    }

    fn host(&mut self, byte: u8, operands: Vec<Rc<Value>>, pushes: bool) {
        let after = self.effects.len();
        if is_effect(byte) {
            self.effects.push(Effect {
                op: byte,
                operands: operands.clone(),
            });
        }
        if pushes {
            self.push(Value::Op(byte, operands, after));
        }
    }

    fn call(&mut self) -> Option<()> {
        let mut head = self.take(3)?;
        let n = usize::try_from(small(head.first()?)?).ok()?;
        let mut operands = self.take(n)?;
        operands.append(&mut head);
        self.can_fail = true;
        self.host(CALL, operands, true);
        Some(())
    }

    fn moves(&mut self, byte: u8) -> Option<()> {
        let top = self.stack.len().checked_sub(1)?;
        match byte {
            0x45 => drop(self.stack.pop()),
            0x46 => drop(self.stack.remove(top.checked_sub(1)?)),
            0x4A => self.stack.push(self.stack.get(top)?.clone()),
            0x4B => self
                .stack
                .push(self.stack.get(top.checked_sub(1)?)?.clone()),
            0x4E => self
                .stack
                .insert(top.checked_sub(1)?, self.stack.get(top)?.clone()),
            0x50 => self.stack.swap(top, top.checked_sub(1)?),
            0x51 => {
                let third = self.stack.remove(top.checked_sub(2)?);
                self.stack.push(third);
            }
            0x53 => self.stack.swap(top, top.checked_sub(2)?),
            PICK | ROLL => {
                let count = self.stack.pop()?;
                let n = usize::try_from(small(&count)?).ok()?;
                let at = self.stack.len().checked_sub(1)?.checked_sub(n)?;
                let item = self.stack.get(at)?.clone();
                if byte == ROLL {
                    self.stack.remove(at);
                }
                self.stack.push(item);
            }
            _ => return None,
        }
        Some(())
    }

    fn push(&mut self, value: Value) {
        self.stack.push(Rc::new(value));
    }

    fn take(&mut self, n: usize) -> Option<Vec<Rc<Value>>> {
        let from = self.stack.len().checked_sub(n)?;
        Some(self.stack.split_off(from))
    }
}

/// Whether an instruction changes something on the chain, or runs a script that may.
pub(crate) fn is_effect(byte: u8) -> bool {
    matches!(byte, 0xED | 0xF2 | 0xF3 | 0xF5..=0xFA | 0xFE)
}

/// Whether a value is a Boolean whatever happens.
pub(crate) fn is_bool(value: &Value) -> bool {
    match value {
        Value::Bool(_) | Value::State(0..=3 | 8, _) => true,
        Value::Op(op, ..) => matches!(
            op,
            0x97 | 0xAA..=0xAC | 0xB3..=0xB8 | 0xBB | 0xF2 | 0xF5 | 0xF6 | 0xF8 | 0xF9
        ),
        _ => false,
    }
}

/// Whether a value is a number or a Boolean whatever happens, so that of two opposite comparisons one is true.
pub(crate) fn is_number(value: &Value) -> bool {
    match value {
        Value::Int(_) | Value::State(4..=7, _) => true,
        Value::Op(op, ..) => {
            matches!(
                op,
                0x90..=0x93 | 0x99..=0xA2 | 0xB9 | 0xBA | 0xCA | 0xEC | 0xEE | 0xEF | 0xF1 | 0xF4 | 0xFD
            ) || is_bool(value)
        }
        _ => is_bool(value),
    }
}

/// Whether an instruction cannot fail with these operands. A payment that the caller has not allowed is told as such.
fn is_safe(byte: u8, operands: &[Rc<Value>]) -> bool {
    let this = |value: &Rc<Value>| **value == Value::State(4, 0);
    let constant = |value: &Rc<Value>| matches!(**value, Value::Bytes(_) | Value::Int(_));
    match byte {
        // NOT and the other logic, comparisons, and what makes no number larger.
        0x90..=0x93 | 0x99 | 0xAA..=0xAC | 0xB3..=0xB8 | 0xB9..=0xBB => {
            operands.iter().all(|o| is_number(o))
        }
        0x97 => true,
        0xED => operands.iter().all(|o| small(o).is_some_and(|n| n >= 0)),
        0xEC | 0xEF | 0xF0 | 0xF8 | 0xF9 => operands.iter().all(this),
        0xEE => true,
        0xEB | 0xFE | 0xFF => operands.iter().all(constant),
        _ => false,
    }
}

/// A constant that fits an `i128`.
pub(crate) fn small(value: &Value) -> Option<i128> {
    let Value::Int(bytes) = value else {
        return None;
    };
    let (low, high) = bytes.split_first_chunk::<16>()?;
    let number = i128::from_le_bytes(*low);
    let fill = if number < 0 { 0xFF } else { 0 };
    high.iter().all(|b| *b == fill).then_some(number)
}

fn extended(bytes: &[u8]) -> [u8; 32] {
    let negative = bytes.last().is_some_and(|b| b & 0x80 != 0);
    let mut number = [if negative { 0xFF } else { 0 }; 32];
    for (to, from) in number.iter_mut().zip(bytes) {
        *to = *from;
    }
    number
}
