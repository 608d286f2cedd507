//! Patterns and `match`.

use neo_opcode::Op;
use num_bigint::BigInt;

use super::{Function, Place};
use crate::ir::{Ins, Label};
use crate::tree::{Arm, Expr, Kind, Match, Pattern};

/// From so many numbers on a search tree is cheaper than one comparison after another.
const TREE_FROM: usize = 6;

/// A stretch of numbers that go to the same arm: from here up to the next stretch.
struct Stretch {
    from: Option<BigInt>,
    arm: Option<usize>,
}

impl Function<'_, '_> {
    pub(super) fn match_value(&mut self, m: &Match, e: &Expr, loose: bool) {
        let before = self.height;
        self.slot_scope(|f| {
            let place = f.subject(m);
            f.height = before;
            let done = f.u.label();
            if numbers(&m.arms) >= TREE_FROM {
                f.tree_match(m, place, done, before, loose);
            } else {
                f.plain_match(m, place, done, before, loose);
            }
            f.label_here(done);
        });
        self.height = before + usize::from(e.ty.has_item());
    }

    /// Puts the scrutinee where arms can look at it.
    fn subject(&mut self, m: &Match) -> Place {
        if let Some(place) = self.lasting_place(&m.scrutinee) {
            return place;
        }
        self.value(&m.scrutinee, false);
        let place = self.slot_for(m.temp);
        self.store(place);
        place
    }

    /// The place of an expression that is just an unchanging variable, with bytes in their exact form.
    pub(super) fn lasting_place(&self, e: &Expr) -> Option<Place> {
        match &e.kind {
            Kind::Local(id)
                if !self.body.locals[*id].mutable && self.u.facts.is_exact(self.id, *id) =>
            {
                self.places.get(id).copied()
            }
            Kind::Intrinsic(row, args) if matches!(row.path, "Int::small" | "Bytes::as_slice") => {
                args.first().and_then(|a| self.lasting_place(a))
            }
            _ => None,
        }
    }

    fn plain_match(&mut self, m: &Match, place: Place, done: Label, height: usize, loose: bool) {
        for (n, arm) in m.arms.iter().enumerate() {
            // The checker has seen that the arms cover everything, so the last needs no test.
            let last = n + 1 == m.arms.len() && arm.guard.is_none();
            let next = self.u.label();
            self.slot_scope(|f| {
                if last {
                    f.bind_names(&arm.pattern, place);
                } else {
                    f.test(&arm.pattern, place, next);
                }
                f.arm(arm, next, height, loose);
            });
            if n + 1 < m.arms.len() {
                self.jump(Op::JMP, done);
            }
            self.label_here(next);
            self.height = height;
        }
    }

    fn arm(&mut self, arm: &Arm, next: Label, height: usize, loose: bool) {
        self.height = height;
        if let Some(guard) = &arm.guard {
            self.branch(guard, next, false);
        }
        self.ins.push(Ins::Mark(arm.body.loc));
        self.value(&arm.body, loose);
    }

    /// Numbers without guards: a binary search, then the arms.
    fn tree_match(&mut self, m: &Match, place: Place, done: Label, height: usize, loose: bool) {
        let labels: Vec<Label> = m.arms.iter().map(|_| self.u.label()).collect();
        let stretches = stretches(&m.arms);
        self.search(&stretches, place, &labels, done);
        for (n, arm) in m.arms.iter().enumerate() {
            self.label_here(labels[n]);
            self.slot_scope(|f| {
                if let Pattern::Bind(id) = &arm.pattern {
                    f.bind(*id, place);
                }
                f.arm(arm, done, height, loose);
            });
            if n + 1 < m.arms.len() {
                self.jump(Op::JMP, done);
            }
            self.height = height;
        }
    }

    fn search(&mut self, all: &[Stretch], place: Place, labels: &[Label], done: Label) {
        let target = |s: &Stretch| s.arm.and_then(|n| labels.get(n).copied()).unwrap_or(done);
        match all {
            [] => {}
            [one] => self.jump(Op::JMP, target(one)),
            [a, b, c] if a.arm == c.arm && single(b, c) => {
                self.compare(place, b, Op::JMPEQ, target(b));
                self.jump(Op::JMP, target(a));
            }
            [a, b] => {
                self.compare(place, b, Op::JMPLT, target(a));
                self.jump(Op::JMP, target(b));
            }
            more => {
                let (low, high) = more.split_at(more.len() / 2);
                let low_label = self.u.label();
                self.compare(place, &high[0], Op::JMPLT, low_label);
                self.search(high, place, labels, done);
                self.label_here(low_label);
                self.search(low, place, labels, done);
            }
        }
    }

    fn compare(&mut self, place: Place, with: &Stretch, jump: Op, target: Label) {
        self.load(place);
        self.ins
            .push(Ins::Int(with.from.clone().unwrap_or_default()));
        self.jump(jump, target);
    }

    fn bind(&mut self, id: usize, place: Place) {
        if self.body.locals[id].mutable {
            self.load(place);
            let own = self.slot_for(id);
            self.store(own);
        } else {
            self.places.insert(id, place);
        }
    }

    /// Binds the names of a pattern that is known to fit.
    fn bind_names(&mut self, pattern: &Pattern, place: Place) {
        match pattern {
            Pattern::Bind(id) => self.bind(*id, place),
            Pattern::Some(inner) => self.bind_names(inner, place),
            Pattern::Tuple(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    self.load(place);
                    self.int(n);
                    self.op(Op::PICKITEM);
                    let own = self.new_slot();
                    self.store(own);
                    self.bind_names(part, own);
                }
            }
            _ => {}
        }
    }

    /// Goes on when the value at `place` fits, with the names bound; else jumps to `fail`.
    pub(super) fn test(&mut self, pattern: &Pattern, place: Place, fail: Label) {
        match pattern {
            Pattern::Wild | Pattern::Range(None, None) => {}
            Pattern::Bind(id) => self.bind(*id, place),
            Pattern::Some(inner) => {
                self.load(place);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, fail);
                self.test(inner, place, fail);
            }
            Pattern::None => {
                self.load(place);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIFNOT, fail);
            }
            Pattern::Range(Some(a), Some(b)) if a == b => self.number(place, a, Op::JMPNE, fail),
            Pattern::Range(low, high) => {
                if let Some(low) = low {
                    self.number(place, low, Op::JMPLT, fail);
                }
                if let Some(high) = high {
                    self.number(place, high, Op::JMPGT, fail);
                }
            }
            Pattern::Bool(b) => {
                self.load(place);
                self.jump(if *b { Op::JMPIFNOT } else { Op::JMPIF }, fail);
            }
            Pattern::Bytes(data) => {
                self.load(place);
                self.ins.push(Ins::Data(data.clone()));
                self.op(Op::EQUAL);
                self.jump(Op::JMPIFNOT, fail);
            }
            Pattern::Or(list) => self.test_any(list, place, fail),
            Pattern::Tuple(parts) => {
                for (n, part) in parts.iter().enumerate() {
                    self.load(place);
                    self.int(n);
                    self.op(Op::PICKITEM);
                    let own = self.new_slot();
                    self.store(own);
                    self.test(part, own, fail);
                }
            }
        }
    }

    fn test_any(&mut self, list: &[Pattern], place: Place, fail: Label) {
        let good = self.u.label();
        for (n, pattern) in list.iter().enumerate() {
            if n + 1 == list.len() {
                self.test(pattern, place, fail);
            } else if let Pattern::Range(Some(a), Some(b)) = pattern
                && a == b
            {
                self.number(place, a, Op::JMPEQ, good);
            } else {
                let next = self.u.label();
                self.test(pattern, place, next);
                self.jump(Op::JMP, good);
                self.label_here(next);
            }
        }
        self.label_here(good);
    }

    fn number(&mut self, place: Place, n: &BigInt, jump: Op, target: Label) {
        self.load(place);
        self.ins.push(Ins::Int(n.clone()));
        self.jump(jump, target);
    }
}

/// How many numbers and ranges the arms name; 0 when they are not just that.
fn numbers(arms: &[Arm]) -> usize {
    let mut count = 0;
    for arm in arms {
        let parts = flat(&arm.pattern);
        let plain = parts
            .iter()
            .all(|p| matches!(p, Pattern::Range(..) | Pattern::Wild | Pattern::Bind(_)));
        if arm.guard.is_some() || !plain {
            return 0;
        }
        count += parts
            .iter()
            .filter(|p| matches!(p, Pattern::Range(..)))
            .count();
    }
    count
}

fn flat(p: &Pattern) -> Vec<&Pattern> {
    match p {
        Pattern::Or(list) => list.iter().flat_map(flat).collect(),
        other => vec![other],
    }
}

/// Cuts the number line at every boundary and finds the first arm for each piece.
fn stretches(arms: &[Arm]) -> Vec<Stretch> {
    let mut cuts: Vec<Option<BigInt>> = vec![None];
    for arm in arms {
        for p in flat(&arm.pattern) {
            if let Pattern::Range(low, high) = p {
                cuts.extend(low.clone().map(Some));
                cuts.extend(high.clone().map(|h| Some(h + 1)));
            }
        }
    }
    cuts.sort();
    cuts.dedup();
    let mut out: Vec<Stretch> = Vec::new();
    for from in cuts {
        let arm = arms
            .iter()
            .position(|arm| flat(&arm.pattern).iter().any(|p| fits(p, from.as_ref())));
        if out.last().is_none_or(|last| last.arm != arm) {
            out.push(Stretch { from, arm });
        }
    }
    out
}

/// Whether the piece that starts at `from` (minus infinity if `None`) lies in the pattern.
fn fits(p: &Pattern, from: Option<&BigInt>) -> bool {
    match p {
        Pattern::Range(low, high) => {
            let above = match (low, from) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(low), Some(from)) => low <= from,
            };
            let below = match (high, from) {
                (None, _) | (Some(_), None) => true,
                (Some(high), Some(from)) => from <= high,
            };
            above && below
        }
        Pattern::Wild | Pattern::Bind(_) => true,
        _ => false,
    }
}

fn single(b: &Stretch, c: &Stretch) -> bool {
    matches!((&b.from, &c.from), (Some(x), Some(y)) if y - x == BigInt::from(1))
}
