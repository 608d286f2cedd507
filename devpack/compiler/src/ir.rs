//! Instructions before they have positions: jumps name labels, locals name slots.

use std::sync::Arc;

use neo_opcode::Op;
use num_bigint::BigInt;

use crate::diagnostic::Loc;
use crate::types::Ty;

/// A place in the whole script.
pub(crate) type Label = usize;

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Ins {
    /// No operand.
    Op(Op),
    /// Operand bytes that need no further thought.
    With(Op, Vec<u8>),
    Int(BigInt),
    Data(Arc<[u8]>),
    LdLoc(usize),
    StLoc(usize),
    LdArg(usize),
    StArg(usize),
    /// A jump, by its short opcode.
    Jump(Op, Label),
    Call(Label),
    /// Not an instruction: a place to jump to.
    Label(Label),
    /// Not an instruction: what follows comes from here.
    Mark(Loc),
    /// The same in a function that is written out where it is called.
    Inlined(Loc, Arc<Site>),
    /// Not an instruction: what follows comes from here as well, for equal ends are written once.
    Also(Arc<Origin>),
}

/// Where an instruction comes from.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Origin {
    /// The function of the script that it was in.
    pub function: String,
    pub loc: Loc,
    pub site: Option<Arc<Site>>,
}

/// A call that is written out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Site {
    /// The function called.
    pub function: String,
    /// Where it is called.
    pub call: Loc,
    /// The call in which that place is, if it is written out itself.
    pub outer: Option<Arc<Site>>,
}

impl Ins {
    /// Whether it is a source place, which is no instruction.
    pub(crate) fn is_mark(&self) -> bool {
        matches!(self, Ins::Mark(_) | Ins::Inlined(..) | Ins::Also(_))
    }
}

/// A variable for debuggers.
#[derive(Clone, Debug)]
pub(crate) struct Variable {
    pub name: String,
    pub ty: Ty,
    pub slot: usize,
}

/// A function of the script.
#[derive(Clone, Debug)]
pub(crate) struct Code {
    pub name: String,
    pub label: Label,
    pub ins: Vec<Ins>,
    pub locals: usize,
    pub args: usize,
    pub params: Vec<Variable>,
    pub variables: Vec<Variable>,
    pub result: Ty,
    pub loc: Option<Loc>,
}

/// The opposite of a conditional jump.
pub(crate) fn negated(jump: Op) -> Option<Op> {
    Some(match jump {
        Op::JMPIF => Op::JMPIFNOT,
        Op::JMPIFNOT => Op::JMPIF,
        Op::JMPEQ => Op::JMPNE,
        Op::JMPNE => Op::JMPEQ,
        Op::JMPLT => Op::JMPGE,
        Op::JMPGE => Op::JMPLT,
        Op::JMPGT => Op::JMPLE,
        Op::JMPLE => Op::JMPGT,
        _ => return None,
    })
}
