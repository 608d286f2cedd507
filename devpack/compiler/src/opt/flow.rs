//! Where control goes, and which slots are still read.

use std::collections::HashMap;

use super::look::ends;
use crate::ir::{Code, Ins, Label};

/// Where each label is.
pub(super) fn labels(ins: &[Ins]) -> HashMap<Label, usize> {
    ins.iter()
        .enumerate()
        .filter_map(|(at, i)| match i {
            Ins::Label(l) => Some((*l, at)),
            _ => None,
        })
        .collect()
}

/// What may run after the instruction at `at`.
pub(super) fn successors(
    ins: &[Ins],
    places: &HashMap<Label, usize>,
    at: usize,
) -> impl Iterator<Item = usize> + use<> {
    let target = match &ins[at] {
        Ins::Jump(_, label) => places.get(label).copied(),
        _ => None,
    };
    let next = (!ends(&ins[at])).then_some(at + 1);
    target.into_iter().chain(next)
}

/// A local or an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    Local(usize),
    Arg(usize),
}

impl Slot {
    pub(super) fn loaded(ins: &Ins) -> Option<Slot> {
        match ins {
            Ins::LdLoc(n) => Some(Slot::Local(*n)),
            Ins::LdArg(n) => Some(Slot::Arg(*n)),
            _ => None,
        }
    }

    pub(super) fn stored(ins: &Ins) -> Option<Slot> {
        match ins {
            Ins::StLoc(n) => Some(Slot::Local(*n)),
            Ins::StArg(n) => Some(Slot::Arg(*n)),
            _ => None,
        }
    }

    pub(super) fn index(self, locals: usize) -> usize {
        match self {
            Slot::Local(n) => n,
            Slot::Arg(n) => locals + n,
        }
    }
}

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    pub(super) fn new(count: usize) -> Self {
        Bits(vec![0; count.div_ceil(64)])
    }

    pub(super) fn has(&self, n: usize) -> bool {
        self.0.get(n / 64).is_some_and(|w| w >> (n % 64) & 1 == 1)
    }

    pub(super) fn set(&mut self, n: usize, on: bool) {
        if let Some(word) = self.0.get_mut(n / 64) {
            *word = *word & !(1 << (n % 64)) | u64::from(on) << (n % 64);
        }
    }

    fn join(&mut self, other: &Bits) {
        self.0.iter_mut().zip(&other.0).for_each(|(a, b)| *a |= b);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.0.len() * 64).filter(|n| self.has(*n))
    }
}

/// The slots that are read later, after each instruction. Locals first, then arguments.
pub(super) fn live_after(code: &Code) -> Vec<Bits> {
    let count = code.locals + code.args;
    let places = labels(&code.ins);
    let mut before = vec![Bits::new(count); code.ins.len() + 1];
    let mut after = vec![Bits::new(count); code.ins.len()];
    loop {
        let mut changed = false;
        for at in (0..code.ins.len()).rev() {
            let mut live = Bits::new(count);
            for next in successors(&code.ins, &places, at) {
                live.join(&before[next]);
            }
            after[at] = live.clone();
            if let Some(slot) = Slot::stored(&code.ins[at]) {
                live.set(slot.index(code.locals), false);
            }
            if let Some(slot) = Slot::loaded(&code.ins[at]) {
                live.set(slot.index(code.locals), true);
            }
            if before[at] != live {
                before[at] = live;
                changed = true;
            }
        }
        if !changed {
            return after;
        }
    }
}
