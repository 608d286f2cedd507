//! The typed tree: what the checker makes of a function's syntax, with every name resolved.

use std::sync::Arc;

use neo_opcode::Op;
use num_bigint::BigInt;

use crate::diagnostic::Loc;
use crate::intrinsics::Intrinsic;
use crate::program::FnId;
use crate::types::Ty;

/// A value known when compiling. An enum's is its number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(BigInt),
    Bool(bool),
    Bytes(Arc<[u8]>),
    Null,
}

pub(crate) type LocalId = usize;
pub(crate) type LoopId = usize;

#[derive(Clone, Debug)]
pub(crate) struct Local {
    pub name: String,
    pub ty: Ty,
    pub mutable: bool,
    /// Position among the parameters, if it is one.
    pub param: Option<usize>,
    /// A parameter that is a reference.
    pub by_ref: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Expr {
    pub kind: Kind,
    pub ty: Ty,
    pub loc: Loc,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing is left on the stack: `()`, or an expression with an error.
    Unit,
    Const(Value),
    Local(LocalId),
    /// Operands, then one instruction.
    Op(Op, Vec<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Intrinsic(&'static Intrinsic, Vec<Expr>),
    Call(FnId, Vec<Expr>),
    /// Of a generic function, while it is not known for which types; gone when the caller is checked.
    Generic(FnId, Vec<Ty>, Vec<Expr>),
    Event(FnId, Vec<Expr>),
    If(Box<Expr>, Box<Expr>, Option<Box<Expr>>),
    /// In conditions: the pattern holds, and its names are bound.
    Let(Box<Pattern>, Box<Expr>, LocalId),
    Match(Box<Match>),
    Block(Vec<Stmt>, Option<Box<Expr>>),
    Loop(LoopId, Option<Box<Expr>>, Box<Expr>),
    For(LoopId, Box<For>),
    Break(LoopId),
    Continue(LoopId),
    Return(Option<Box<Expr>>),
    Try(Box<Expr>),
    Assert(Box<Expr>, Arc<[u8]>),
    Panic(Arc<[u8]>),
    /// Elements in order; true: evaluated from the order given.
    Pack(Op, Vec<Expr>),
    /// Fields as written: (declared position, value).
    Struct(Vec<(usize, Expr)>),
    Field(Box<Expr>, usize),
    /// `Ok` and `Err`; what they are depends on the type of the `Result`.
    Ok(Box<Expr>),
    Err(Box<Expr>),
    Clone(Box<Expr>),
    Assign(LocalId, Box<Expr>),
    AssignField(Box<Expr>, usize, Box<Expr>),
}

#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub scrutinee: Expr,
    /// Holds the scrutinee unless that is itself an unchanging local.
    pub temp: LocalId,
    pub arms: Vec<Arm>,
}

/// A `for`, its pattern fitting every value.
#[derive(Clone, Debug)]
pub(crate) struct For {
    pub over: Over,
    pub pattern: Pattern,
    pub body: Expr,
}

#[derive(Clone, Debug)]
pub(crate) enum Over {
    /// From, to, whether `to` is reached.
    Range(Expr, Expr, bool),
    /// An Array.
    Elements(Expr),
    /// An iterator over storage.
    Entries(Expr),
}

#[derive(Clone, Debug)]
pub(crate) struct Arm {
    pub pattern: Pattern,
    pub guard: Option<Expr>,
    pub body: Expr,
}

#[derive(Clone, Debug)]
pub(crate) enum Pattern {
    Wild,
    Bind(LocalId),
    Some(Box<Pattern>),
    None,
    /// Inclusive range of numbers; both ends may be open.
    Range(Option<BigInt>, Option<BigInt>),
    Bool(bool),
    Bytes(Arc<[u8]>),
    Or(Vec<Pattern>),
    /// A Struct's first item, if the variant must be looked at, and patterns for items by position.
    Parts(Option<usize>, Vec<(usize, Pattern)>),
    /// `Ok` or `Err` of a `Result` with that value type; gone when the function is checked.
    Ok(Box<Pattern>, Ty),
    Err(Box<Pattern>, Ty),
}

impl Pattern {
    /// Whether the pattern fits every value.
    pub(crate) fn always(&self) -> bool {
        match self {
            Pattern::Wild | Pattern::Bind(_) | Pattern::Range(None, None) => true,
            Pattern::Parts(None, parts) => parts.iter().all(|(_, p)| p.always()),
            Pattern::Or(list) => list.iter().any(Pattern::always),
            Pattern::Some(_)
            | Pattern::Ok(..)
            | Pattern::Err(..)
            | Pattern::Parts(Some(_), _)
            | Pattern::None
            | Pattern::Range(..)
            | Pattern::Bool(_)
            | Pattern::Bytes(_) => false,
        }
    }

    /// Whether the pattern only tells, without binding anything.
    pub(crate) fn binds(&self) -> bool {
        match self {
            Pattern::Bind(_) => true,
            Pattern::Some(p) | Pattern::Ok(p, _) | Pattern::Err(p, _) => p.binds(),
            Pattern::Or(list) => list.iter().any(Pattern::binds),
            Pattern::Parts(_, parts) => parts.iter().any(|(_, p)| p.binds()),
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) enum Stmt {
    /// An expression whose value, if any, is dropped.
    Expr(Expr),
    /// Pattern, value, and a diverging block for `let … else` with the local that holds the value meanwhile.
    Let(Pattern, Expr, Option<Box<(Expr, LocalId)>>, Loc),
}

/// A checked function.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub locals: Vec<Local>,
    pub params: Vec<LocalId>,
    pub result: Ty,
    pub body: Expr,
    pub loc: Loc,
}
