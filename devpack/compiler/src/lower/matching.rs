//! Patterns and `match`.

use neo_opcode::Op;
use num_bigint::BigInt;

use super::{Function, Place};
use crate::ir::{Ins, Label};
use crate::tree::{Arm, Expr, Kind, Match, Pattern};
use crate::types::Ty;

/// From so many numbers on a search tree is cheaper than one comparison after another.
const TREE_FROM: usize = 6;

/// What arms look at.
enum Subject {
    One(Place),
    /// The parts of a tuple that was never made.
    Parts(Vec<Place>),
}

/// A stretch of numbers that go to the same arm: from here up to the next stretch.
struct Stretch {
    from: Option<BigInt>,
    arm: Option<usize>,
}

impl Function<'_, '_> {
    pub(super) fn match_value(&mut self, m: &Match, e: &Expr, loose: bool) {
        let before = self.height;
        self.slot_scope(|f| {
            let done = f.u.label();
            let patterns = m.arms.iter().map(|a| &a.pattern);
            if let Some(places) = f.separate(&m.scrutinee, patterns) {
                f.plain_match(m, &Subject::Parts(places), done, before, loose);
                return f.label_here(done);
            }
            let place = f.subject(m);
            f.height = before;
            let tag = f.keep_tag(m, place);
            if numbers(&m.arms) >= TREE_FROM {
                f.tree_match(m, place, tag.unwrap_or(place), done, before, loose);
            } else {
                f.plain_match(m, &Subject::One(place), done, before, loose);
            }
            if tag.is_some() {
                f.tags.pop();
            }
            f.label_here(done);
        });
        self.height = before + usize::from(e.ty.has_item());
    }

    /// The parts of a tuple that is written out and only taken apart: no Struct is made of them.
    pub(super) fn separate<'p>(
        &mut self,
        e: &Expr,
        mut patterns: impl Iterator<Item = &'p Pattern>,
    ) -> Option<Vec<Place>> {
        let (Kind::Pack(Op::PACKSTRUCT, parts), Ty::Tuple(_)) = (&e.kind, &e.ty) else {
            return None;
        };
        if !patterns.all(|p| matches!(p, Pattern::Wild | Pattern::Parts(None, _))) {
            return None;
        }
        let height = self.height;
        let mut places = Vec::new();
        for part in parts {
            let place = match self.lasting_place(part) {
                Some(place) => place,
                None => {
                    self.value(part, false);
                    let place = self.new_slot();
                    self.store(place);
                    place
                }
            };
            self.height = height;
            places.push(place);
        }
        Some(places)
    }

    /// Keeps which variant the value is, if several arms ask.
    fn keep_tag(&mut self, m: &Match, place: Place) -> Option<Place> {
        let asks = |p: &&Pattern| matches!(p, Pattern::Parts(Some(_), _));
        let count = m
            .arms
            .iter()
            .flat_map(|a| flat(&a.pattern))
            .filter(asks)
            .count();
        if count < 3 {
            return None;
        }
        self.load(place);
        self.int(0);
        self.op(Op::PICKITEM);
        let tag = self.new_slot();
        self.store(tag);
        self.tags.push((place, tag));
        Some(tag)
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

    fn plain_match(
        &mut self,
        m: &Match,
        subject: &Subject,
        done: Label,
        height: usize,
        loose: bool,
    ) {
        for (n, arm) in m.arms.iter().enumerate() {
            // The checker has seen that the arms cover everything, so the last needs no test.
            let last = n + 1 == m.arms.len() && arm.guard.is_none();
            let next = self.u.label();
            self.slot_scope(|f| {
                match subject {
                    Subject::One(place) if last => f.bind_names(&arm.pattern, *place),
                    Subject::One(place) => f.test(&arm.pattern, *place, next),
                    Subject::Parts(places) if last => {
                        f.each_part(&arm.pattern, places, |f, p, at| f.bind_names(p, at));
                    }
                    Subject::Parts(places) => f.test_parts(&arm.pattern, places, next),
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
    fn tree_match(
        &mut self,
        m: &Match,
        place: Place,
        number: Place,
        done: Label,
        height: usize,
        loose: bool,
    ) {
        let labels: Vec<Label> = m.arms.iter().map(|_| self.u.label()).collect();
        let stretches = stretches(&m.arms);
        self.search(&stretches, number, &labels, done);
        for (n, arm) in m.arms.iter().enumerate() {
            self.label_here(labels[n]);
            self.slot_scope(|f| {
                f.bind_names(&arm.pattern, place);
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
            Pattern::Parts(_, parts) => {
                for (n, part) in parts.iter().filter(|(_, p)| p.binds()) {
                    let own = self.part(place, *n, part);
                    if !matches!(part, Pattern::Bind(_)) {
                        self.bind_names(part, own);
                    }
                }
            }
            _ => {}
        }
    }

    /// An item of the value at `place`, in a place of its own: the variable's, if the pattern is one.
    fn part(&mut self, place: Place, n: usize, pattern: &Pattern) -> Place {
        self.load(place);
        self.int(n);
        self.op(Op::PICKITEM);
        let own = match pattern {
            Pattern::Bind(id) => self.slot_for(*id),
            _ => self.new_slot(),
        };
        self.store(own);
        own
    }

    fn each_part(
        &mut self,
        pattern: &Pattern,
        places: &[Place],
        mut run: impl FnMut(&mut Self, &Pattern, Place),
    ) {
        if let Pattern::Parts(None, parts) = pattern {
            for (n, part) in parts {
                if let Some(place) = places.get(*n) {
                    run(self, part, *place);
                }
            }
        }
    }

    pub(super) fn test_parts(&mut self, pattern: &Pattern, places: &[Place], fail: Label) {
        self.each_part(pattern, places, |f, p, at| f.test(p, at, fail));
    }

    /// Jumps to `fail` unless the value at `place` is that variant.
    fn test_tag(&mut self, place: Place, tag: usize, fail: Label) {
        match self.tags.iter().rev().find(|(p, _)| *p == place) {
            Some((_, kept)) => {
                let kept = *kept;
                self.load(kept);
            }
            None => {
                self.load(place);
                self.int(0);
                self.op(Op::PICKITEM);
            }
        }
        if tag == 0 {
            self.jump(Op::JMPIF, fail);
        } else {
            self.int(tag);
            self.jump(Op::JMPNE, fail);
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
            Pattern::Parts(tag, parts) => {
                if let Some(tag) = tag {
                    self.test_tag(place, *tag, fail);
                }
                for (n, part) in parts.iter().filter(|(_, p)| p.binds() || !p.always()) {
                    let own = self.part(place, *n, part);
                    if !matches!(part, Pattern::Bind(_)) {
                        self.test(part, own, fail);
                    }
                }
            }
            // The checker has made them into what the item is.
            Pattern::Ok(..) | Pattern::Err(..) => {
                self.error(
                    self.body.loc,
                    "a `Result` is matched in a way that is not supported",
                    "",
                );
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
            .all(|p| number_of(p).is_some() || matches!(p, Pattern::Wild | Pattern::Bind(_)));
        if arm.guard.is_some() || !plain {
            return 0;
        }
        count += parts.iter().filter(|p| number_of(p).is_some()).count();
    }
    count
}

/// The numbers a pattern fits; a variant is its position, if nothing inside is asked.
fn number_of(p: &Pattern) -> Option<(Option<BigInt>, Option<BigInt>)> {
    match p {
        Pattern::Range(low, high) => Some((low.clone(), high.clone())),
        Pattern::Parts(Some(tag), parts) if parts.iter().all(|(_, p)| p.always()) => {
            let tag = Some(BigInt::from(*tag));
            Some((tag.clone(), tag))
        }
        _ => None,
    }
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
            if let Some((low, high)) = number_of(p) {
                cuts.extend(low.map(Some));
                cuts.extend(high.map(|h| Some(h + 1)));
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
    let Some((low, high)) = number_of(p) else {
        return matches!(p, Pattern::Wild | Pattern::Bind(_));
    };
    let above = match (&low, from) {
        (None, _) => true,
        (Some(_), None) => false,
        (Some(low), Some(from)) => low <= from,
    };
    let below = match (&high, from) {
        (None, _) | (Some(_), None) => true,
        (Some(high), Some(from)) => from <= high,
    };
    above && below
}

fn single(b: &Stretch, c: &Stretch) -> bool {
    matches!((&b.from, &c.from), (Some(x), Some(y)) if y - x == BigInt::from(1))
}
