//! Conditions: comparisons become jumps without a Boolean in between.

use neo_opcode::Op;

use super::Function;
use crate::ir::{Label, negated};
use crate::tree::{Expr, Kind, Value};

impl Function<'_, '_> {
    /// Jumps to `target` when the condition is `when`, else goes on.
    pub(super) fn branch(&mut self, e: &Expr, target: Label, when: bool) {
        let before = self.height;
        match &e.kind {
            Kind::Const(Value::Bool(b)) => {
                if *b == when {
                    self.jump(Op::JMP, target);
                }
            }
            Kind::Op(Op::NOT, args) => self.branch(&args[0], target, !when),
            Kind::And(a, b) if when => {
                let skip = self.u.label();
                self.branch(a, skip, false);
                self.branch(b, target, true);
                self.label_here(skip);
            }
            Kind::And(a, b) => {
                self.branch(a, target, false);
                self.branch(b, target, false);
            }
            Kind::Or(a, b) if when => {
                self.branch(a, target, true);
                self.branch(b, target, true);
            }
            Kind::Or(a, b) => {
                let skip = self.u.label();
                self.branch(a, skip, true);
                self.branch(b, target, false);
                self.label_here(skip);
            }
            Kind::Let(pattern, value, temp) => {
                let fail = if when { self.u.label() } else { target };
                if let Some(places) = self.separate(value, std::iter::once(&**pattern)) {
                    self.test_parts(pattern, &places, fail);
                    if when {
                        self.jump(Op::JMP, target);
                        self.label_here(fail);
                    }
                    self.height = before;
                    return;
                }
                let place = match self.lasting_place(value) {
                    Some(place) => place,
                    None => {
                        self.value(value, false);
                        let place = self.slot_for(*temp);
                        self.store(place);
                        place
                    }
                };
                self.height = before;
                self.test(pattern, place, fail);
                if when {
                    self.jump(Op::JMP, target);
                    self.label_here(fail);
                }
            }
            Kind::Op(op, args) if compare_jump(*op).is_some() => {
                args.iter().for_each(|a| self.value(a, false));
                if let Some(jump) = compare_jump(*op) {
                    let jump = if when {
                        jump
                    } else {
                        negated(jump).unwrap_or(jump)
                    };
                    self.jump(jump, target);
                }
            }
            _ => {
                self.value(e, false);
                self.jump(if when { Op::JMPIF } else { Op::JMPIFNOT }, target);
            }
        }
        self.height = before;
    }

    /// `a && b` (or `a || b`) as a value.
    pub(super) fn short_circuit(&mut self, a: &Expr, b: &Expr, or: bool) {
        let before = self.height;
        let (short, done) = (self.u.label(), self.u.label());
        self.slot_scope(|f| {
            f.branch(a, short, or);
            f.value(b, false);
            f.jump(Op::JMP, done);
        });
        self.height = before;
        self.label_here(short);
        self.op(if or { Op::PUSHT } else { Op::PUSHF });
        self.label_here(done);
    }

    /// A lone `let` condition as a value.
    pub(super) fn short_circuit_let(&mut self, e: &Expr) {
        let (fail, done) = (self.u.label(), self.u.label());
        self.branch(e, fail, false);
        self.op(Op::PUSHT);
        self.jump(Op::JMP, done);
        self.label_here(fail);
        self.op(Op::PUSHF);
        self.label_here(done);
    }

    pub(super) fn if_value(
        &mut self,
        cond: &Expr,
        then: &Expr,
        other: Option<&Expr>,
        e: &Expr,
        loose: bool,
    ) {
        let before = self.height;
        let (no, done) = (self.u.label(), self.u.label());
        self.slot_scope(|f| {
            f.branch(cond, no, false);
            f.value(then, loose);
        });
        if let Some(other) = other {
            self.jump(Op::JMP, done);
            self.label_here(no);
            self.height = before;
            self.value(other, loose);
            self.label_here(done);
        } else {
            self.label_here(no);
        }
        self.height = before + usize::from(e.ty.has_item());
    }
}

fn compare_jump(op: Op) -> Option<Op> {
    Some(match op {
        Op::NUMEQUAL => Op::JMPEQ,
        Op::NUMNOTEQUAL => Op::JMPNE,
        Op::LT => Op::JMPLT,
        Op::LE => Op::JMPLE,
        Op::GT => Op::JMPGT,
        Op::GE => Op::JMPGE,
        _ => return None,
    })
}
