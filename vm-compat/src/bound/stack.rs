//! The stack of a script at one place, whichever way led there.

use super::value::Value;
use crate::core::ops;
use crate::script::Step;
use crate::table::Operand;

/// What is known of a stack.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stack {
    /// The items on top, the topmost last. What is below them can be anything.
    items: Vec<Value>,
    /// Most items that there can be, with those of the caller.
    pub(super) most: u64,
}

/// Facts that a script sees, as far as they are known.
#[derive(Clone, Debug)]
pub(super) struct Facts {
    /// `ops::STATE_WRITE`, `ops::STATE_READ` or `ops::STATE_INSPECT`.
    pub(super) verb: i64,
    pub(super) this: Option<u64>,
    pub(super) entry: Option<u64>,
    pub(super) own: Option<bool>,
    pub(super) caller: Option<[u8; 20]>,
    /// Bytes of the script that is written.
    pub(super) candidate: u64,
}

impl Stack {
    /// A stack of so many items that nothing is known of.
    pub(super) fn of(inputs: u64) -> Stack {
        Stack {
            items: Vec::new(),
            most: inputs,
        }
    }

    pub(super) fn push(&mut self, value: Value) {
        self.items.push(value);
        self.most += 1;
    }

    pub(super) fn pop(&mut self) -> Value {
        self.most = self.most.saturating_sub(1);
        self.items.pop().unwrap_or(Value::Any)
    }

    /// The item `n` below the top.
    pub(super) fn peek(&self, n: usize) -> Value {
        let at = self.items.len().checked_sub(n + 1);
        at.and_then(|at| self.items.get(at))
            .cloned()
            .unwrap_or(Value::Any)
    }

    /// How many of the items that an instruction takes as byte strings may be something else.
    pub(super) fn conversions(&self, op: i64) -> u64 {
        let taken: &[usize] = match op {
            ops::SHA256 | ops::FIND | ops::CSIZE | ops::READ => &[0],
            ops::WRITE => &[0, 1],
            ops::PUSH | ops::REPLACE => &[1],
            _ => &[],
        };
        let other = taken
            .iter()
            .filter(|at| !matches!(self.peek(**at), Value::Data(_)));
        other.count() as u64
    }

    fn forget(&mut self) {
        self.items.clear();
    }

    /// What is known when it is one of two.
    pub(super) fn or(&self, other: &Stack) -> Stack {
        let mut items: Vec<Value> = self
            .items
            .iter()
            .rev()
            .zip(other.items.iter().rev())
            .map(|(a, b)| a.or(b))
            .collect();
        items.reverse();
        Stack {
            items,
            most: self.most.max(other.most),
        }
    }

    /// What one instruction leaves.
    pub(super) fn apply(&mut self, step: &Step<'_>, facts: &Facts) {
        let op = i64::from(step.instr.byte);
        match op {
            ops::PUSHM1..=ops::PUSH16 => self.push(Value::int(i128::from(op - ops::PUSH0))),
            ops::PUSHINT8..=ops::PUSHINT256 => self.push(super::value::operand(step.operand)),
            ops::PUSHT | ops::OK => self.push(Value::Bool(Some(true))),
            ops::PUSHF | ops::FAIL => self.push(Value::Bool(Some(false))),
            ops::STATE => self.push(state(step.operand, facts)),
            ops::DROP..=ops::REVERSE3 => self.moves(op),
            ops::CALL => {
                let count = self.peek(2).number().and_then(|n| usize::try_from(n).ok());
                for _ in 0..3 {
                    self.pop();
                }
                match count {
                    Some(count) if count <= 16 => (0..count).for_each(|_| drop(self.pop())),
                    _ => self.forget(),
                }
                self.push(Value::Any);
            }
            _ if matches!(
                step.instr.operand,
                Operand::Data(_) | Operand::Id | Operand::Locator
            ) =>
            {
                self.push(Value::data(step.operand));
            }
            _ => {
                let mut operands = Vec::new();
                for _ in 0..step.instr.pops {
                    operands.push(self.pop());
                }
                operands.reverse();
                for _ in 0..step.instr.pushes {
                    self.push(super::compute::result(op, &operands));
                }
            }
        }
    }

    fn moves(&mut self, op: i64) {
        match op {
            ops::DROP => drop(self.pop()),
            ops::NIP => {
                let top = self.pop();
                self.pop();
                self.push(top);
            }
            ops::DUP => self.push(self.peek(0)),
            ops::OVER => self.push(self.peek(1)),
            ops::PICK => {
                let reach = self.pop().number().and_then(|n| usize::try_from(n).ok());
                self.push(reach.map_or(Value::Any, |n| self.peek(n)));
            }
            ops::TUCK => {
                let (top, second) = (self.pop(), self.pop());
                self.push(top.clone());
                self.push(second);
                self.push(top);
            }
            ops::SWAP => {
                let (top, second) = (self.pop(), self.pop());
                self.push(top);
                self.push(second);
            }
            ops::ROT => {
                let (top, second, third) = (self.pop(), self.pop(), self.pop());
                self.push(second);
                self.push(top);
                self.push(third);
            }
            ops::REVERSE3 => {
                let (top, second, third) = (self.pop(), self.pop(), self.pop());
                self.push(top);
                self.push(second);
                self.push(third);
            }
            _ => self.roll(),
        }
    }

    fn roll(&mut self) {
        let reach = self.pop().number().and_then(|n| usize::try_from(n).ok());
        let at = reach.and_then(|n| self.items.len().checked_sub(n + 1));
        match (reach, at) {
            (Some(_), Some(at)) => {
                let item = self.items.remove(at);
                self.items.push(item);
            }
            // It came from below what is known: all that is known stays where it is, under it.
            (Some(_), None) => self.items.push(Value::Any),
            (None, _) => self.forget(),
        }
    }
}

fn state(operand: &[u8], facts: &Facts) -> Value {
    let which = operand.first().copied().map_or(0, i64::from);
    let box_number = |id: Option<u64>| id.map_or(Value::natural(), |id| Value::int(id.into()));
    match which {
        ops::STATE_WRITE | ops::STATE_READ | ops::STATE_INSPECT => {
            Value::Bool(Some(which == facts.verb))
        }
        ops::STATE_OWN => Value::Bool(facts.own),
        ops::STATE_THIS => box_number(facts.this),
        ops::STATE_ENTRY => box_number(facts.entry),
        ops::STATE_TIMESTAMP | ops::STATE_CONSENSUS => Value::natural(),
        ops::STATE_MEMBER => Value::Bool(None),
        ops::STATE_CALLER => facts
            .caller
            .map_or(Value::Bytes(20), |caller| Value::data(&caller)),
        _ => Value::Bytes(facts.candidate),
    }
}
