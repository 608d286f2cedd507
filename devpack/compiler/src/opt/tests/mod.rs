//! Random programs do the same before and after each pass.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod machine;
mod passes;

use neo_opcode::{Op, Syscall, item_type};
use num_bigint::BigInt;
use proptest::prelude::*;

use super::{Pass, Passes, optimise};
use crate::diagnostic::Loc;
use crate::ir::{Code, Ins};
use crate::types::Ty;
use machine::{Item, run};

/// Expressions that leave one item.
#[derive(Clone, Debug)]
enum E {
    Int(i64),
    Big(u32),
    Bool(bool),
    Null,
    Data(u8),
    Var(usize),
    One(Op, Box<E>),
    Two(Op, Box<E>, Box<E>),
    And(Box<E>, Box<E>),
    Or(Box<E>, Box<E>),
    Call(usize, Vec<E>),
    Sys(usize, Box<E>),
    Convert(bool, Box<E>),
    IsBytes(Box<E>),
    UnwrapOr(Box<E>, Box<E>),
    Pick(Box<E>, Box<E>, Box<E>),
}

#[derive(Clone, Debug)]
enum S {
    Set(usize, E),
    Drop(E),
    Log(E),
    If(E, Vec<S>, Vec<S>),
    While(u8, Vec<S>),
    Loop(u8, E, Vec<S>),
    Assert(E),
    Return(E),
    Abort,
}

const VARS: usize = 5;

const TWO: [Op; 24] = [
    Op::ADD,
    Op::SUB,
    Op::MUL,
    Op::DIV,
    Op::MOD,
    Op::AND,
    Op::OR,
    Op::XOR,
    Op::SHL,
    Op::SHR,
    Op::MIN,
    Op::MAX,
    Op::NUMEQUAL,
    Op::NUMNOTEQUAL,
    Op::EQUAL,
    Op::NOTEQUAL,
    Op::LT,
    Op::LE,
    Op::GT,
    Op::GE,
    Op::CAT,
    Op::ADD,
    Op::NUMEQUAL,
    Op::LT,
];

const ONE: [Op; 11] = [
    Op::NOT,
    Op::ISNULL,
    Op::INC,
    Op::DEC,
    Op::NEGATE,
    Op::ABS,
    Op::INVERT,
    Op::SIGN,
    Op::SIZE,
    Op::NZ,
    Op::NOT,
];

const CALLS: [&str; 4] = [
    "System.Runtime.CheckWitness",
    "System.Storage.Local.Get",
    "System.Runtime.GetTime",
    "System.Iterator.Value",
];

fn expr() -> impl Strategy<Value = E> {
    let leaf = prop_oneof![
        4 => (-3i64..40).prop_map(E::Int),
        1 => (200u32..256).prop_map(E::Big),
        1 => any::<bool>().prop_map(E::Bool),
        1 => Just(E::Null),
        1 => (0u8..40).prop_map(E::Data),
        8 => (0..VARS).prop_map(E::Var),
    ];
    leaf.prop_recursive(4, 24, 3, |e| {
        let b = || e.clone().prop_map(Box::new);
        prop_oneof![
            3 => (prop::sample::select(ONE.to_vec()), b()).prop_map(|(o, a)| E::One(o, a)),
            8 => (prop::sample::select(TWO.to_vec()), b(), b()).prop_map(|(o, a, c)| E::Two(o, a, c)),
            1 => (b(), b()).prop_map(|(a, c)| E::And(a, c)),
            1 => (b(), b()).prop_map(|(a, c)| E::Or(a, c)),
            3 => (0..3usize, prop::collection::vec(e.clone(), 2)).prop_map(|(f, a)| E::Call(f, a)),
            2 => (0..CALLS.len(), b()).prop_map(|(n, a)| E::Sys(n, a)),
            1 => (any::<bool>(), b()).prop_map(|(t, a)| E::Convert(t, a)),
            1 => b().prop_map(E::IsBytes),
            1 => (b(), b()).prop_map(|(a, c)| E::UnwrapOr(a, c)),
            1 => (b(), b(), b()).prop_map(|(a, c, d)| E::Pick(a, c, d)),
        ]
    })
}

fn statements() -> impl Strategy<Value = Vec<S>> {
    let leaf = prop_oneof![
        8 => (0..VARS, expr()).prop_map(|(v, e)| S::Set(v, e)),
        2 => expr().prop_map(S::Log),
        1 => expr().prop_map(S::Drop),
        1 => expr().prop_map(S::Assert),
        1 => expr().prop_map(S::Return),
        1 => Just(S::Abort),
    ];
    let one = leaf.prop_recursive(3, 16, 4, |s| {
        let block = || prop::collection::vec(s.clone(), 0..4);
        prop_oneof![
            2 => (expr(), block(), block()).prop_map(|(c, a, b)| S::If(c, a, b)),
            1 => (0u8..4, block()).prop_map(|(n, b)| S::While(n, b)),
            1 => (1u8..4, expr(), block()).prop_map(|(n, c, b)| S::Loop(n, c, b)),
        ]
    });
    prop::collection::vec(one, 1..7)
}

/// Writes statements as the lowering does. Arguments are the first variables; counters of loops have their own slots.
struct Writer {
    ins: Vec<Ins>,
    label: usize,
    locals: usize,
    args: usize,
    line: usize,
    /// Functions that may be called: labels and argument counts.
    calls: Vec<(usize, usize)>,
}

impl Writer {
    fn fresh(&mut self) -> usize {
        self.label += 1;
        self.label
    }

    fn op(&mut self, op: Op) {
        self.ins.push(Ins::Op(op));
    }

    fn e(&mut self, e: &E) {
        match e {
            E::Int(n) => self.ins.push(Ins::Int(BigInt::from(*n))),
            E::Big(n) => self.ins.push(Ins::Int((BigInt::from(1) << (n - 1)) - 1)),
            E::Bool(b) => self.op(if *b { Op::PUSHT } else { Op::PUSHF }),
            E::Null => self.op(Op::PUSHNULL),
            E::Data(n) => self.ins.push(Ins::Data(vec![*n; usize::from(*n)].into())),
            E::Var(n) if *n < self.args => self.ins.push(Ins::LdArg(*n)),
            E::Var(n) => self.ins.push(Ins::LdLoc(*n)),
            E::One(op, a) => {
                self.e(a);
                self.op(*op);
            }
            E::Two(op, a, b) => {
                self.e(a);
                self.e(b);
                self.op(*op);
            }
            E::And(a, b) | E::Or(a, b) => {
                let or = matches!(e, E::Or(..));
                let (short, done) = (self.fresh(), self.fresh());
                self.e(a);
                self.ins
                    .push(Ins::Jump(if or { Op::JMPIF } else { Op::JMPIFNOT }, short));
                self.e(b);
                self.ins.push(Ins::Jump(Op::JMP, done));
                self.ins.push(Ins::Label(short));
                self.op(if or { Op::PUSHT } else { Op::PUSHF });
                self.ins.push(Ins::Label(done));
            }
            E::Call(f, args) => match self.calls.get(*f).copied() {
                Some((label, count)) => {
                    args.iter().take(count).for_each(|a| self.e(a));
                    self.ins.push(Ins::Call(label));
                }
                None => self.op(Op::PUSHT),
            },
            E::Sys(n, a) => {
                let name = CALLS[*n];
                if name != "System.Runtime.GetTime" {
                    self.e(a);
                }
                let id = Syscall::by_name(name).unwrap().id;
                self.ins.push(Ins::With(Op::SYSCALL, id.to_vec()));
            }
            E::Convert(number, a) => {
                self.e(a);
                let to = if *number {
                    item_type::INTEGER
                } else {
                    item_type::BYTE_STRING
                };
                self.ins.push(Ins::With(Op::CONVERT, vec![to]));
            }
            E::IsBytes(a) => {
                self.e(a);
                self.ins
                    .push(Ins::With(Op::ISTYPE, vec![item_type::BYTE_STRING]));
            }
            E::UnwrapOr(a, b) => {
                let done = self.fresh();
                self.e(a);
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.ins.push(Ins::Jump(Op::JMPIFNOT, done));
                self.op(Op::DROP);
                self.e(b);
                self.ins.push(Ins::Label(done));
            }
            E::Pick(a, b, c) => {
                let (no, done) = (self.fresh(), self.fresh());
                self.e(a);
                self.ins.push(Ins::Jump(Op::JMPIFNOT, no));
                self.e(b);
                self.ins.push(Ins::Jump(Op::JMP, done));
                self.ins.push(Ins::Label(no));
                self.e(c);
                self.ins.push(Ins::Label(done));
            }
        }
    }

    fn s(&mut self, s: &S) {
        self.line += 1;
        self.ins.push(Ins::Mark(Loc {
            line: self.line,
            ..Loc::default()
        }));
        match s {
            S::Set(v, e) => {
                self.e(e);
                self.ins.push(if *v < self.args {
                    Ins::StArg(*v)
                } else {
                    Ins::StLoc(*v)
                });
            }
            S::Drop(e) => {
                self.e(e);
                self.op(Op::DROP);
            }
            S::Log(e) => {
                self.e(e);
                let id = Syscall::by_name("System.Runtime.Log").unwrap().id;
                self.ins.push(Ins::With(Op::SYSCALL, id.to_vec()));
            }
            S::If(c, a, b) => {
                let (no, done) = (self.fresh(), self.fresh());
                self.e(c);
                self.ins.push(Ins::Jump(Op::JMPIFNOT, no));
                a.iter().for_each(|s| self.s(s));
                self.ins.push(Ins::Jump(Op::JMP, done));
                self.ins.push(Ins::Label(no));
                b.iter().for_each(|s| self.s(s));
                self.ins.push(Ins::Label(done));
            }
            S::While(n, body) => {
                let (start, again, counter) = (self.fresh(), self.fresh(), self.locals);
                self.locals += 1;
                self.ins.push(Ins::Int(BigInt::ZERO));
                self.ins.push(Ins::StLoc(counter));
                self.ins.push(Ins::Jump(Op::JMP, again));
                self.ins.push(Ins::Label(start));
                body.iter().for_each(|s| self.s(s));
                self.ins.push(Ins::LdLoc(counter));
                self.op(Op::INC);
                self.ins.push(Ins::StLoc(counter));
                self.ins.push(Ins::Label(again));
                self.ins.push(Ins::LdLoc(counter));
                self.ins.push(Ins::Int(BigInt::from(*n)));
                self.ins.push(Ins::Jump(Op::JMPLT, start));
            }
            S::Loop(n, c, body) => {
                let (again, out, counter) = (self.fresh(), self.fresh(), self.locals);
                self.locals += 1;
                self.ins.push(Ins::Int(BigInt::from(*n)));
                self.ins.push(Ins::StLoc(counter));
                self.ins.push(Ins::Label(again));
                self.ins.push(Ins::LdLoc(counter));
                self.ins.push(Ins::Jump(Op::JMPIFNOT, out));
                self.ins.push(Ins::LdLoc(counter));
                self.op(Op::DEC);
                self.ins.push(Ins::StLoc(counter));
                self.e(c);
                self.ins.push(Ins::Jump(Op::JMPIF, out));
                body.iter().for_each(|s| self.s(s));
                self.ins.push(Ins::Jump(Op::JMP, again));
                self.ins.push(Ins::Label(out));
            }
            S::Assert(e) => {
                self.e(e);
                self.ins
                    .push(Ins::Data(format!("line {}", self.line).into_bytes().into()));
                self.op(Op::ASSERTMSG);
            }
            S::Return(e) => {
                self.e(e);
                self.op(Op::RET);
            }
            S::Abort => {
                self.ins
                    .push(Ins::Data(format!("line {}", self.line).into_bytes().into()));
                self.op(Op::ABORTMSG);
            }
        }
    }
}

/// A program: the exported function (two arguments), and three others that it and each other (downwards) may call.
fn program(bodies: &[Vec<S>]) -> Vec<Code> {
    let counts = [2usize, 1, 2, 0];
    let mut label = 10;
    let mut out = Vec::new();
    for (n, body) in bodies.iter().enumerate() {
        let mut w = Writer {
            ins: Vec::new(),
            label,
            locals: VARS,
            args: counts[n],
            line: 100 * n,
            calls: (n + 1..bodies.len()).map(|m| (m, counts[m])).collect(),
        };
        // Rust's variables have a value before they are read.
        for v in counts[n]..VARS {
            w.ins.push(Ins::Int(BigInt::from(v)));
            w.ins.push(Ins::StLoc(v));
        }
        body.iter().for_each(|s| w.s(s));
        w.e(&E::Var(VARS - 1));
        w.op(Op::RET);
        label = w.label;
        out.push(Code {
            name: format!("f{n}"),
            label: n,
            ins: w.ins,
            locals: w.locals,
            args: counts[n],
            params: Vec::new(),
            variables: Vec::new(),
            result: Ty::Int,
            loc: None,
        });
    }
    out
}

fn item(n: usize) -> Item {
    match n {
        0 => Item::Null,
        1 => Item::Bool(true),
        2 => Item::Bytes(vec![1, 2, 3]),
        3 => Item::Buffer(vec![7]),
        4 => Item::Bytes(vec![9; 40]),
        n => Item::Int(BigInt::from(n) - 8),
    }
}

/// Every source place that a script has after optimisation is one that it had before.
fn lines(codes: &[Code]) -> std::collections::BTreeSet<usize> {
    codes
        .iter()
        .flat_map(|c| &c.ins)
        .filter_map(|i| match i {
            Ins::Mark(loc) | Ins::Inlined(loc, _) => Some(loc.line),
            _ => None,
        })
        .collect()
}

fn choices() -> Vec<(String, Passes)> {
    let mut out = vec![("all".to_owned(), Passes::all())];
    for pass in Pass::ALL {
        out.push((format!("only {}", pass.name()), Passes::none().with(*pass)));
        out.push((format!("no {}", pass.name()), Passes::all().without(*pass)));
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn programs_do_the_same_with_and_without_each_pass(
        bodies in prop::collection::vec(statements(), 4),
        a in 0usize..20,
        b in 0usize..20,
    ) {
        let plain = program(&bodies);
        let stack = vec![Item::Int(BigInt::from(77)), item(a), item(b)];
        let before = run(&plain, stack.clone());
        // The machine's own limit of steps is no behaviour.
        prop_assume!(before.result != Err("endless".to_owned()));
        for (name, passes) in choices() {
            let mut codes = plain.clone();
            optimise(&mut codes, 1, &[], passes);
            let after = run(&codes, stack.clone());
            prop_assert_eq!(before.seen(), after.seen(), "{}:\n{:#?}\nwas\n{:#?}", name, codes, plain);
            prop_assert!(lines(&codes).is_subset(&lines(&plain)));
            if name == "all" {
                let limit = before.gas + 64;
                prop_assert!(after.gas <= limit, "{} units were {}", after.gas, before.gas);
            }
        }
    }
}
