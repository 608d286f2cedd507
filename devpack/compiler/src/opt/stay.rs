//! Values that stay on the evaluation stack across branches: a slot that is written once needs no slot if every reader
//! finds the item at the same depth on every way, within reach. Where a way does not need it any more, it is dropped.
//! A function that then has no slots needs no `INITSLOT`, which costs 64 units.

use std::collections::HashMap;

use super::effect::{Calls, last_solid};
use super::flow::{Bits, Slot, labels, live_after, successors};
use super::inline::Labels;
use super::look::{ends, size};
use crate::ir::{Code, Ins, Label};
use neo_opcode::Op;

/// `tidy` runs the other passes over a function.
pub(super) fn run(
    code: &mut Code,
    calls: &Calls,
    new_labels: &Labels,
    tidy: &dyn Fn(&mut Code),
) -> bool {
    locals(code, calls, false, new_labels) | arguments(code, calls, new_labels, tidy)
}

/// Locals, also those that a reader finds `deep` on the stack, if so.
fn locals(code: &mut Code, calls: &Calls, deep: bool, new_labels: &Labels) -> bool {
    let mut changed = false;
    loop {
        let mut stores: HashMap<Slot, Vec<usize>> = HashMap::new();
        for (at, ins) in code.ins.iter().enumerate() {
            if let Some(slot) = Slot::stored(ins) {
                stores.entry(slot).or_default().push(at);
            }
        }
        let mut once: Vec<(usize, Slot)> = stores
            .into_iter()
            .filter_map(|(slot, at)| match (slot, at.as_slice()) {
                (Slot::Local(_), [at]) => Some((*at, slot)),
                _ => None,
            })
            .collect();
        once.sort();
        // The last first: what is stored later lies above.
        let found = once.iter().rev().find_map(|(at, slot)| {
            Plan::new(code, calls, *slot, *at, deep, new_labels)
                .filter(|plan| plan.bytes < if deep { DEEP } else { 0 })
        });
        let Some(plan) = found else {
            return changed;
        };
        code.ins = plan.ins;
        changed = true;
    }
}

/// Arguments, if no slot is needed then: `INITSLOT` costs 64 units, a few moves of items cost 2 each.
fn arguments(
    code: &mut Code,
    calls: &Calls,
    new_labels: &Labels,
    tidy: &dyn Fn(&mut Code),
) -> bool {
    let none: &[Op] = &[];
    // The order in which they are taken off the stack decides which can stay there.
    let orders: &[(&[Op], &[usize])] = match code.args {
        1 => &[(none, &[0])],
        2 => &[(none, &[0, 1]), (&[Op::SWAP], &[1, 0])],
        3 => &[
            (none, &[0, 1, 2]),
            (&[Op::SWAP], &[1, 0, 2]),
            (&[Op::ROT], &[2, 0, 1]),
            (&[Op::REVERSE3], &[2, 1, 0]),
        ],
        _ => return false,
    };
    let before = size(&code.ins) + INITSLOT;
    // In a loop, what costs a unit more costs many.
    let loops = loops(&code.ins);
    let mut best: Option<(usize, Code)> = None;
    for (moves, order) in orders {
        let mut new = code.clone();
        let base = new.locals;
        new.locals += new.args;
        new.args = 0;
        for ins in &mut new.ins {
            match ins {
                Ins::LdArg(n) => *ins = Ins::LdLoc(base + *n),
                Ins::StArg(n) => *ins = Ins::StLoc(base + *n),
                _ => {}
            }
        }
        let start = moves.iter().map(|op| Ins::Op(*op));
        let stores = order.iter().map(|n| Ins::StLoc(base + n));
        new.ins.splice(0..0, start.chain(stores));
        tidy(&mut new);
        while locals(&mut new, calls, !loops, new_labels) {
            tidy(&mut new);
        }
        let slots = new
            .ins
            .iter()
            .any(|i| Slot::stored(i).or(Slot::loaded(i)).is_some());
        let bytes = size(&new.ins);
        if !slots && bytes <= before && best.as_ref().is_none_or(|(least, _)| bytes < *least) {
            new.locals = 0;
            best = Some((bytes, new));
        }
    }
    best.is_some_and(|(_, new)| {
        *code = new;
        true
    })
}

fn loops(ins: &[Ins]) -> bool {
    let places = labels(ins);
    ins.iter().enumerate().any(|(at, i)| match i {
        Ins::Jump(_, label) => places.get(label).is_some_and(|to| *to <= at),
        _ => false,
    })
}

/// Bytes that one value may cost where all together save `INITSLOT`, and one more.
const DEEP: isize = 3;

/// Bytes of `INITSLOT`.
const INITSLOT: usize = 3;

/// What becomes of the instructions.
struct Plan {
    ins: Vec<Ins>,
    /// Bytes that come on top.
    bytes: isize,
}

/// Where the item is dropped, and by what.
#[derive(Default)]
struct Cuts {
    /// On every way to an instruction.
    at: Vec<(usize, Op)>,
    /// On the way from the instruction before a label.
    before: Vec<(usize, Op)>,
    /// On the way of a jump to a `RET`.
    jumps: Vec<(usize, Op)>,
}

/// Where the item lies.
struct Follow<'a> {
    code: &'a Code,
    slot: Slot,
    after: Vec<Bits>,
    /// The number of items above ours before each instruction.
    above: Vec<Option<usize>>,
    edits: HashMap<usize, Vec<Ins>>,
    deep: bool,
}

impl Plan {
    /// `store` is where the item is stored.
    fn new(
        code: &Code,
        calls: &Calls,
        slot: Slot,
        store: usize,
        deep: bool,
        new_labels: &Labels,
    ) -> Option<Plan> {
        let places = labels(&code.ins);
        let start = store + 1;
        let mut f = Follow {
            code,
            slot,
            after: live_after(code),
            above: vec![None; code.ins.len()],
            edits: HashMap::new(),
            deep,
        };
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); code.ins.len()];
        for at in 0..code.ins.len() {
            for to in successors(&code.ins, &places, at) {
                before.get_mut(to)?.push(at);
            }
        }
        let mut open = vec![(start, 0usize)];
        let mut drops: HashMap<usize, usize> = HashMap::new();
        // The height with which each instruction leaves the item, if it does.
        let mut left: HashMap<usize, usize> = HashMap::from([(store, 0)]);
        while let Some((at, above)) = open.pop() {
            if !f.live_before(at) {
                if *drops.entry(at).or_insert(above) != above {
                    return None;
                }
                continue;
            }
            match f.above.get(at)? {
                Some(known) if *known == above => continue,
                Some(_) => return None,
                None => f.above[at] = Some(above),
            }
            if let Some(above) = f.step(calls, at, above)? {
                left.insert(at, above);
                open.extend(successors(&code.ins, &places, at).map(|to| (to, above)));
            }
        }
        // Every way into a place where the item is brings it.
        let brings =
            |at: usize, above: usize| before[at].iter().all(|b| left.get(b) == Some(&above));
        if (0..code.ins.len()).any(|at| f.above[at].is_some_and(|above| !brings(at, above))) {
            return None;
        }
        let mut cuts = Cuts::default();
        for (at, above) in drops {
            let drop = match above {
                _ if f.aborts(calls, at) => None,
                0 => Some(Op::DROP),
                1 => Some(Op::NIP),
                _ => return None,
            };
            if brings(at, above) {
                cuts.at.extend(drop.map(|op| (at, op)));
                continue;
            }
            // Only some of the ways: each on its own, before it joins the others.
            let drop = drop?;
            for b in before[at].iter().filter(|b| left.contains_key(*b)) {
                let jumps = matches!(code.ins[*b], Ins::Jump(..));
                match (b + 1 == at, jumps) {
                    (true, false) => cuts.before.push((at, drop)),
                    (false, true) if f.returns(at) => cuts.jumps.push((*b, drop)),
                    _ => return None,
                }
            }
        }
        f.write(store, &cuts, new_labels)
    }
}

impl Follow<'_> {
    fn live_before(&self, at: usize) -> bool {
        let Some(ins) = self.code.ins.get(at) else {
            return false;
        };
        Slot::loaded(ins) == Some(self.slot)
            || Slot::stored(ins) != Some(self.slot)
                && self.after[at].has(self.slot.index(self.code.locals))
    }

    /// The number of items above ours after the instruction, or None if it took ours. The outer None is: cannot be done.
    fn step(&mut self, calls: &Calls, at: usize, above: usize) -> Option<Option<usize>> {
        let ins = &self.code.ins[at];
        if ins.is_mark() {
            return Some(Some(above));
        }
        if Slot::loaded(ins) != Some(self.slot) {
            let effect = calls.of(ins, last_solid(&self.code.ins, at))?;
            return Some(Some(above.checked_sub(effect.takes)? + effect.leaves));
        }
        let last = !self.after[at].has(self.slot.index(self.code.locals));
        let op = match (above, last) {
            (0, true) => Vec::new(),
            (1, true) => vec![Op::SWAP],
            (2, true) => vec![Op::ROT],
            (0, false) => vec![Op::DUP],
            (1, false) => vec![Op::OVER],
            // 1 unit and 1 byte more than a load.
            (2..=16, false) if self.deep => {
                let pick = vec![Ins::Int(above.into()), Ins::Op(Op::PICK)];
                self.edits.insert(at, pick);
                return Some(Some(above + 1));
            }
            _ => return None,
        };
        self.edits.insert(at, op.into_iter().map(Ins::Op).collect());
        Some((!last).then_some(above + 1))
    }

    fn write(&self, store: usize, cuts: &Cuts, new_labels: &Labels) -> Option<Plan> {
        let mut ins = Vec::with_capacity(self.code.ins.len());
        let mut bytes = -1;
        // A `RET` of their own for jumps that drop first.
        let mut exits: Vec<(Op, Label)> = Vec::new();
        let find =
            |list: &[(usize, Op)], at| list.iter().find(|(n, _)| *n == at).map(|(_, op)| *op);
        for (at, old) in self.code.ins.iter().enumerate() {
            let before = find(&cuts.before, at).map(Ins::Op);
            let drop = find(&cuts.at, at).map(Ins::Op);
            bytes += isize::from(before.is_some()) + isize::from(drop.is_some());
            ins.extend(before);
            // Behind the label, where all who jump there come by.
            let label = matches!(old, Ins::Label(_));
            ins.extend(drop.clone().filter(|_| !label));
            match (self.edits.get(&at), find(&cuts.jumps, at), old) {
                (Some(new), ..) => {
                    bytes += isize::try_from(new.len()).ok()? - 1;
                    ins.extend(new.iter().cloned());
                }
                (None, Some(drop), Ins::Jump(op, _)) => {
                    let known = exits.iter().find(|(other, _)| *other == drop);
                    let exit = known.map_or_else(|| new_labels.fresh(), |(_, label)| *label);
                    if known.is_none() {
                        exits.push((drop, exit));
                    }
                    ins.push(Ins::Jump(*op, exit));
                }
                _ if store == at => {}
                _ => ins.push(old.clone()),
            }
            ins.extend(drop.filter(|_| label));
        }
        for (drop, label) in exits {
            bytes += 2;
            ins.extend([Ins::Label(label), Ins::Op(drop), Ins::Op(Op::RET)]);
        }
        Some(Plan { ins, bytes })
    }

    /// Whether the function ends here.
    fn returns(&self, at: usize) -> bool {
        let next = self.code.ins[at..]
            .iter()
            .find(|i| !i.is_mark() && !matches!(i, Ins::Label(_)));
        next == Some(&Ins::Op(Op::RET))
    }

    /// Whether the run ends here with a fault and nothing before it takes what is left on the stack.
    fn aborts(&self, calls: &Calls, at: usize) -> bool {
        let mut own = 0usize;
        for n in at..self.code.ins.len() {
            let ins = &self.code.ins[n];
            if matches!(ins, Ins::Jump(..) | Ins::Op(Op::RET))
                || n > at && matches!(ins, Ins::Label(_))
            {
                return false;
            }
            let Some(effect) = calls.of(ins, last_solid(&self.code.ins, n)) else {
                return false;
            };
            match own.checked_sub(effect.takes) {
                Some(left) => own = left + effect.leaves,
                None => return false,
            }
            if ends(ins) {
                return true;
            }
        }
        false
    }
}
