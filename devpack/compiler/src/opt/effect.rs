//! What instructions take from the evaluation stack and what they leave there.

use std::collections::HashMap;

use neo_opcode::{Op, Syscall};

use super::flow::successors;
use crate::ir::{Code, Ins, Label};
use crate::nef::Token;

/// Items taken and items left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Effect {
    pub takes: usize,
    pub leaves: usize,
}

/// What calls do.
#[derive(Clone, Debug, Default)]
pub(super) struct Calls {
    functions: HashMap<Label, Effect>,
    tokens: Vec<Effect>,
}

impl Calls {
    /// Looks at all functions; those that use the evaluation stack in ways not known before they run are left out.
    pub(super) fn new(codes: &[Code], tokens: &[Token]) -> Self {
        let mut calls = Calls {
            functions: HashMap::new(),
            tokens: tokens
                .iter()
                .map(|t| Effect {
                    takes: usize::from(t.params),
                    leaves: usize::from(t.result),
                })
                .collect(),
        };
        loop {
            let before = calls.functions.len();
            for code in codes {
                if !calls.functions.contains_key(&code.label)
                    && let Some(effect) = calls.function(code)
                {
                    calls.functions.insert(code.label, effect);
                }
            }
            if before == calls.functions.len() {
                return calls;
            }
        }
    }

    /// What an instruction does; `before` is the one before it, if nothing can jump between the two. None is: not known,
    /// or different with different stacks.
    pub(super) fn of(&self, ins: &Ins, before: Option<&Ins>) -> Option<Effect> {
        let count = match before {
            Some(Ins::Int(n)) => usize::try_from(n).ok(),
            _ => None,
        };
        let effect = |takes, leaves| Some(Effect { takes, leaves });
        match ins {
            Ins::Int(_) | Ins::Data(_) | Ins::LdLoc(_) | Ins::LdArg(_) => effect(0, 1),
            Ins::StLoc(_) | Ins::StArg(_) => effect(1, 0),
            Ins::Jump(op, _) => match op {
                Op::JMP => effect(0, 0),
                Op::JMPIF | Op::JMPIFNOT => effect(1, 0),
                _ => effect(2, 0),
            },
            Ins::Call(label) => self.functions.get(label).copied(),
            Ins::With(Op::SYSCALL, id) => syscall(id),
            Ins::With(Op::CALLT, n) => {
                let n = usize::from(u16::from_le_bytes(n.as_slice().try_into().ok()?));
                self.tokens.get(n).copied()
            }
            Ins::With(Op::ISTYPE | Op::CONVERT, _) => effect(1, 1),
            Ins::With(..) => None,
            Ins::Op(Op::PACK | Op::PACKSTRUCT) => effect(1 + count?, 1),
            Ins::Op(Op::PACKMAP) => effect(1 + 2 * count?, 1),
            Ins::Op(Op::REVERSEN) => effect(1 + count?, count?),
            Ins::Op(Op::PICK) => effect(2 + count?, 2 + count?),
            Ins::Op(Op::ROLL) => effect(2 + count?, 1 + count?),
            Ins::Op(op) => fixed(*op),
            _ => effect(0, 0),
        }
    }

    /// What a whole function does, if it is the same on every path.
    fn function(&self, code: &Code) -> Option<Effect> {
        let heights = self.heights(code)?;
        let mut result = None;
        let mut lowest = 0;
        for (at, height) in heights.iter().enumerate() {
            let Some(height) = height else { continue };
            let effect = self.of(&code.ins[at], last_solid(&code.ins, at))?;
            lowest = lowest.min(height - isize::try_from(effect.takes).ok()?);
            if code.ins[at] == Ins::Op(Op::RET) {
                if result.is_some_and(|r| r != *height) {
                    return None;
                }
                result = Some(*height);
            }
        }
        let takes = usize::try_from(-lowest).ok()?;
        Some(Effect {
            takes: takes + code.args,
            leaves: usize::try_from(result? - lowest).ok()?,
        })
    }

    /// The number of items on the stack before each instruction, against the function's start (after its arguments are
    /// in their slots); None where control never comes.
    pub(super) fn heights(&self, code: &Code) -> Option<Vec<Option<isize>>> {
        let places = super::flow::labels(&code.ins);
        let mut heights = vec![None; code.ins.len()];
        let mut open = vec![(0usize, 0isize)];
        while let Some((at, height)) = open.pop() {
            let Some(ins) = code.ins.get(at) else {
                return None; // runs off the end
            };
            match heights[at] {
                Some(known) if known == height => continue,
                Some(_) => return None,
                None => heights[at] = Some(height),
            }
            let effect = self.of(ins, last_solid(&code.ins, at))?;
            let after = height + isize::try_from(effect.leaves).ok()?
                - isize::try_from(effect.takes).ok()?;
            open.extend(successors(&code.ins, &places, at).map(|next| (next, after)));
        }
        Some(heights)
    }
}

/// The instruction before this one, if control can only come from there.
pub(super) fn last_solid(ins: &[Ins], at: usize) -> Option<&Ins> {
    ins[..at]
        .iter()
        .rev()
        .find(|i| !i.is_mark())
        .filter(|i| !matches!(i, Ins::Label(_)))
}

fn fixed(op: Op) -> Option<Effect> {
    let (takes, leaves) = match op {
        Op::PUSHT | Op::PUSHF | Op::PUSHNULL | Op::NEWARRAY0 | Op::NEWSTRUCT0 | Op::NEWMAP => {
            (0, 1)
        }
        Op::NOP | Op::ABORT | Op::RET => (0, 0),
        Op::ASSERT | Op::ABORTMSG | Op::DROP | Op::THROW => (1, 0),
        Op::ASSERTMSG => (2, 0),
        Op::NIP => (2, 1),
        Op::DUP => (1, 2),
        Op::OVER => (2, 3),
        Op::TUCK => (2, 3),
        Op::SWAP => (2, 2),
        Op::ROT | Op::REVERSE3 => (3, 3),
        Op::REVERSE4 => (4, 4),
        Op::INVERT | Op::SIGN | Op::ABS | Op::NEGATE | Op::INC | Op::DEC | Op::SQRT => (1, 1),
        Op::NOT | Op::NZ | Op::ISNULL | Op::SIZE | Op::NEWBUFFER | Op::NEWARRAY => (1, 1),
        Op::KEYS | Op::VALUES | Op::POPITEM => (1, 1),
        Op::AND | Op::OR | Op::XOR | Op::EQUAL | Op::NOTEQUAL => (2, 1),
        Op::ADD | Op::SUB | Op::MUL | Op::DIV | Op::MOD | Op::POW | Op::SHL | Op::SHR => (2, 1),
        Op::BOOLAND | Op::BOOLOR | Op::NUMEQUAL | Op::NUMNOTEQUAL => (2, 1),
        Op::LT | Op::LE | Op::GT | Op::GE | Op::MIN | Op::MAX => (2, 1),
        Op::CAT | Op::LEFT | Op::RIGHT | Op::PICKITEM | Op::HASKEY => (2, 1),
        Op::WITHIN | Op::SUBSTR | Op::MODMUL | Op::MODPOW => (3, 1),
        Op::APPEND | Op::REMOVE => (2, 0),
        Op::SETITEM => (3, 0),
        Op::CLEARITEMS | Op::REVERSEITEMS => (1, 0),
        Op::MEMCPY => (5, 0),
        // UNPACK, DEPTH, CLEAR, XDROP and their like.
        _ => return None,
    };
    Some(Effect { takes, leaves })
}

fn syscall(id: &[u8]) -> Option<Effect> {
    let name = Syscall::by_id(id.try_into().ok()?)?.name;
    let (takes, leaves) = match name.strip_prefix("System.")? {
        "Storage.Local.Get" => (1, 1),
        "Storage.Local.Put" => (2, 0),
        "Storage.Local.Delete" => (1, 0),
        "Storage.Local.Find" => (2, 1),
        "Runtime.Notify" => (2, 0),
        "Runtime.Log" | "Runtime.BurnGas" => (1, 0),
        "Runtime.CheckWitness" | "Contract.CreateStandardAccount" => (1, 1),
        "Contract.Call" => (4, 1),
        "Iterator.Next" | "Iterator.Value" => (1, 1),
        "Runtime.GetTime"
        | "Runtime.GetRandom"
        | "Runtime.Platform"
        | "Runtime.GetTrigger"
        | "Runtime.GetNetwork"
        | "Runtime.GetScriptContainer"
        | "Runtime.GasLeft"
        | "Runtime.GetInvocationCounter"
        | "Runtime.GetAddressVersion"
        | "Runtime.GetExecutingScriptHash"
        | "Runtime.GetCallingScriptHash"
        | "Runtime.GetEntryScriptHash" => (0, 1),
        _ => return None,
    };
    Some(Effect { takes, leaves })
}
