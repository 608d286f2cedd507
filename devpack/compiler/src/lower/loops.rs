//! Loops: tested at the bottom, so that a round costs one jump.

use neo_opcode::Op;
use num_bigint::BigInt;

use super::{Function, OpenLoop, Place};
use crate::ir::Ins;
use crate::tree::{Expr, For, Kind, Over, Pattern, Value};
use crate::types::Ty;

impl Function<'_, '_> {
    pub(super) fn loop_value(&mut self, id: usize, cond: Option<&Expr>, body: &Expr) {
        let (start, again, exit) = (self.u.label(), self.u.label(), self.u.label());
        let height = self.height;
        self.slot_scope(|f| {
            f.loops.push(OpenLoop {
                id,
                exit,
                again,
                height,
            });
            match cond {
                // The condition at the end saves a jump a round, but names it binds must be set before the body.
                Some(cond) if !has_let(cond) => {
                    f.jump(Op::JMP, again);
                    f.label_here(start);
                    f.value(body, true);
                    f.label_here(again);
                    f.ins.push(Ins::Mark(cond.loc));
                    f.branch(cond, start, true);
                }
                cond => {
                    f.label_here(again);
                    if let Some(cond) = cond {
                        f.branch(cond, exit, false);
                    }
                    f.value(body, true);
                    f.jump(Op::JMP, again);
                }
            }
            f.label_here(exit);
            f.loops.pop();
        });
    }

    pub(super) fn leave(&mut self, id: usize, out: bool) {
        let Some(open) = self.loops.iter().rev().find(|l| l.id == id) else {
            return;
        };
        let (target, below) = (if out { open.exit } else { open.again }, open.height);
        (below..self.height).for_each(|_| self.op(Op::DROP));
        self.jump(Op::JMP, target);
    }

    pub(super) fn for_value(&mut self, id: usize, each: &For) {
        let (again, exit) = (self.u.label(), self.u.label());
        let height = self.height;
        self.slot_scope(|f| {
            // What the `for` keeps lies below the body's own variables.
            f.loops.push(OpenLoop {
                id,
                exit,
                again,
                height,
            });
            match &each.over {
                Over::Range(from, to, inclusive) => f.count(each, from, to, *inclusive),
                Over::Elements(list) => f.elements(each, list),
                Over::Entries(entries) => f.entries(each, entries),
            }
            f.label_here(exit);
            f.loops.pop();
        });
    }

    fn again(&self) -> usize {
        self.loops.last().map_or(0, |l| l.again)
    }

    fn exit(&self) -> usize {
        self.loops.last().map_or(0, |l| l.exit)
    }

    fn count(&mut self, each: &For, from: &Expr, to: &Expr, inclusive: bool) {
        let height = self.height;
        // The counter is the variable, unless the body may change that.
        let counter = match &each.pattern {
            Pattern::Bind(id) if !self.body.locals[*id].mutable => self.slot_for(*id),
            _ => self.new_slot(),
        };
        self.value(from, false);
        self.store(counter);
        self.height = height;
        let end = if self.fixed(to) {
            None
        } else {
            self.value(to, false);
            let place = self.new_slot();
            self.store(place);
            self.height = height;
            Some(place)
        };
        let (start, step, test) = (self.u.label(), self.u.label(), self.u.label());
        let at_once = starts(from, to, inclusive);
        // The greatest number has no successor: an inclusive range counts on only after it has looked.
        let look_first = inclusive && !has_successor(to);
        if look_first {
            if !at_once {
                self.bounds(counter, to, end, Op::JMPGT, self.exit());
            }
            self.jump(Op::JMP, start);
            self.label_here(step);
            self.step(counter);
        } else if !at_once {
            self.jump(Op::JMP, test);
        }
        self.label_here(start);
        self.slot_scope(|f| {
            if let Pattern::Bind(id) = &each.pattern
                && f.body.locals[*id].mutable
            {
                f.load(counter);
                let own = f.slot_for(*id);
                f.store(own);
            }
            f.value(&each.body, true);
        });
        self.label_here(self.again());
        if look_first {
            self.bounds(counter, to, end, Op::JMPLT, step);
        } else {
            self.step(counter);
            self.label_here(test);
            let jump = if inclusive { Op::JMPLE } else { Op::JMPLT };
            self.bounds(counter, to, end, jump, start);
        }
    }

    fn step(&mut self, counter: Place) {
        self.load(counter);
        self.op(Op::INC);
        self.store(counter);
    }

    fn bounds(&mut self, counter: Place, to: &Expr, end: Option<Place>, jump: Op, target: usize) {
        let height = self.height;
        self.load(counter);
        match end {
            Some(place) => self.load(place),
            None => self.value(to, false),
        }
        self.height = height;
        self.jump(jump, target);
    }

    fn elements(&mut self, each: &For, list: &Expr) {
        let height = self.height;
        // A variable that is borrowed by the loop stays what it is.
        let known = match &list.kind {
            Kind::Local(id) => self.places.get(id).copied(),
            _ => None,
        };
        let place = known.unwrap_or_else(|| {
            self.value(list, false);
            let place = self.new_slot();
            self.store(place);
            place
        });
        self.height = height;
        let index = self.new_slot();
        self.int(0);
        self.store(index);
        let (start, test) = (self.u.label(), self.u.label());
        self.jump(Op::JMP, test);
        self.label_here(start);
        self.slot_scope(|f| {
            if each.pattern.binds() {
                f.load(place);
                f.load(index);
                f.op(Op::PICKITEM);
                if let Ty::Array(of) = &list.ty {
                    f.copy_element(of, list.loc);
                }
                f.height += 1;
                f.bind_top(&each.pattern);
            }
            f.value(&each.body, true);
        });
        self.label_here(self.again());
        self.step(index);
        self.label_here(test);
        self.load(index);
        self.load(place);
        self.op(Op::SIZE);
        self.jump(Op::JMPLT, start);
    }

    fn entries(&mut self, each: &For, entries: &Expr) {
        let height = self.height;
        self.value(entries, false);
        let place = self.new_slot();
        self.store(place);
        self.height = height;
        let start = self.u.label();
        self.jump(Op::JMP, self.again());
        self.label_here(start);
        self.slot_scope(|f| {
            if each.pattern.binds() {
                f.load(place);
                f.syscall("System.Iterator.Value");
                f.height += 1;
                f.bind_top(&each.pattern);
            }
            f.value(&each.body, true);
        });
        self.label_here(self.again());
        self.load(place);
        self.syscall("System.Iterator.Next");
        self.jump(Op::JMPIF, start);
    }
}

fn number(e: &Expr) -> Option<&BigInt> {
    match &e.kind {
        Kind::Const(Value::Int(n)) => Some(n),
        _ => None,
    }
}

/// Whether the first round is sure to happen.
fn starts(from: &Expr, to: &Expr, inclusive: bool) -> bool {
    match (number(from), number(to)) {
        (Some(from), Some(to)) if inclusive => from <= to,
        (Some(from), Some(to)) => from < to,
        _ => false,
    }
}

fn has_successor(to: &Expr) -> bool {
    number(to).is_some_and(|n| *n < BigInt::from(i64::MAX))
}

fn has_let(e: &Expr) -> bool {
    match &e.kind {
        Kind::Let(..) => true,
        Kind::And(a, b) => has_let(a) || has_let(b),
        _ => false,
    }
}
