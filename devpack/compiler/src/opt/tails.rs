//! Equal ends of pieces are written once: the others jump there. A failing end runs once at most, so its jump costs
//! nothing that counts; where a conditional jump leads around an end, it leads to the shared one instead and nothing is
//! added either; any other end that returns costs one jump more, and must save more for that.
//!
//! It looks at all functions together and runs last: from here on jumps lead from one function into another.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use neo_opcode::Op;

use super::inline::Labels;
use super::look::{ends, size};
use crate::diagnostic::Loc;
use crate::ir::{Code, Ins, Label, Origin, Site, negated};

/// Bytes that an end on an ordinary way must save to be worth its jump.
const WORTH_A_JUMP: isize = 6;

/// Rounds after which the search stops.
const MOST: usize = 5000;

/// `order` is the order in the script, as indices: it tells what is near.
pub(super) fn run(codes: &mut [Code], labels: &Labels, order: &[usize]) {
    for _ in 0..MOST {
        let map = Map::new(codes, order);
        let Some(best) = map.best(codes) else {
            break;
        };
        apply(codes, &best, labels);
    }
    straighten(codes, order);
}

/// The function and the position in it.
type At = (usize, usize);

/// Where things are, about.
struct Map {
    /// For each function the position in bytes of each instruction.
    bytes: Vec<Vec<usize>>,
    /// Labels that lead to nothing but a fault.
    failing: HashSet<Label>,
}

/// Two equal ends.
struct Pair {
    kept: At,
    gone: At,
    /// Instructions of the end in both, the last first.
    steps: Vec<(usize, usize)>,
    /// Labels and other origins in the end that goes, by the number of instructions behind them.
    moved: Vec<(usize, Ins)>,
    saved: isize,
}

impl Map {
    fn new(codes: &[Code], order: &[usize]) -> Map {
        let mut at = 0;
        let mut bytes = vec![Vec::new(); codes.len()];
        for (n, code) in order.iter().filter_map(|n| Some((*n, codes.get(*n)?))) {
            at += if code.locals + code.args > 0 { 3 } else { 0 };
            for ins in &code.ins {
                bytes[n].push(at);
                at += size(std::slice::from_ref(ins));
            }
        }
        Map {
            bytes,
            failing: failing(codes),
        }
    }

    fn best(&self, codes: &[Code]) -> Option<Pair> {
        let mut groups: HashMap<String, Vec<At>> = HashMap::new();
        for (c, code) in codes.iter().enumerate() {
            for (at, ins) in code.ins.iter().enumerate() {
                let jump = matches!(ins, Ins::Jump(_, l) if self.failing.contains(l));
                if ends(ins) && (jump || !matches!(ins, Ins::Jump(..))) {
                    let before = previous(&code.ins, at).map(|p| &code.ins[p]);
                    groups
                        .entry(format!("{ins:?} {before:?}"))
                        .or_default()
                        .push((c, at));
                }
            }
        }
        let mut best: Option<Pair> = None;
        for places in groups.values() {
            for kept in places {
                for gone in places.iter().filter(|gone| *gone != kept) {
                    let pair = self.pair(codes, *kept, *gone);
                    // The order of the groups must not show.
                    let rank = |p: &Pair| (p.saved, std::cmp::Reverse((p.kept, p.gone)));
                    if let Some(pair) = pair
                        && best.as_ref().is_none_or(|b| rank(&pair) > rank(b))
                    {
                        best = Some(pair);
                    }
                }
            }
        }
        best
    }

    /// What two ends have in common, if it is worth a jump.
    fn pair(&self, codes: &[Code], kept: At, gone: At) -> Option<Pair> {
        let (a, b) = (&codes[kept.0].ins, &codes[gone.0].ins);
        let (steps, moved) = common(a, b, kept.1, gone.1, kept.0 == gone.0);
        let (first_kept, first_gone) = *steps.last()?;
        let length: usize = steps
            .iter()
            .map(|(_, at)| size(std::slice::from_ref(&b[*at])))
            .sum();
        let from = self.bytes[gone.0][first_gone];
        let near = self.bytes[kept.0][first_kept].abs_diff(from) < NEAR;
        let jump = if near { 2 } else { 5 };
        let turned = turned(b, first_gone, gone.1).is_some();
        let saved = isize::try_from(length).ok()? + if turned { 2 } else { 0 } - jump;
        // A straight way into a fault.
        let straight = steps
            .iter()
            .skip(1)
            .all(|(_, at)| !ends(&b[*at]) && !matches!(b[*at], Ins::Jump(..)));
        let fails = straight && b[gone.1] != Ins::Op(Op::RET);
        let needed = if fails || turned { 1 } else { WORTH_A_JUMP };
        (saved >= needed).then_some(Pair {
            kept,
            gone,
            steps,
            moved,
            saved,
        })
    }
}

/// Bytes that a short jump surely reaches; jumps between may be long ones yet.
const NEAR: usize = 100;

fn failing(codes: &[Code]) -> HashSet<Label> {
    let mut out = HashSet::new();
    loop {
        let before = out.len();
        for code in codes {
            // Whether nothing but a fault comes from here on, on the straight way.
            let mut fails = false;
            for ins in code.ins.iter().rev() {
                match ins {
                    Ins::Op(Op::ABORT | Op::ABORTMSG) => fails = true,
                    Ins::Jump(Op::JMP, l) => fails = out.contains(l),
                    Ins::Jump(..) => fails = false,
                    Ins::Label(l) if fails => {
                        out.insert(*l);
                    }
                    other => fails &= !ends(other),
                }
            }
        }
        if out.len() == before {
            return out;
        }
    }
}

/// The instruction before this one, labels and source places left out.
fn previous(ins: &[Ins], at: usize) -> Option<usize> {
    (0..at).rev().find(|n| solid(&ins[*n]))
}

fn solid(ins: &Ins) -> bool {
    !ins.is_mark() && !matches!(ins, Ins::Label(_))
}

/// The steps of a common end, and what is moved with them, as in [`Pair`].
type Common = (Vec<(usize, usize)>, Vec<(usize, Ins)>);

/// The longest common end: positions in both, and what else goes with the second.
fn common(a: &[Ins], b: &[Ins], mut at_a: usize, mut at_b: usize, same: bool) -> Common {
    let (last_a, last_b) = (at_a, at_b);
    let mut steps: Vec<(usize, usize)> = Vec::new();
    let mut moved = Vec::new();
    // The number of instructions behind each label.
    let (mut labels_a, mut labels_b) = (HashMap::new(), HashMap::new());
    loop {
        // Two ends of one function may not run into each other.
        let apart = !same
            || if at_a < at_b {
                at_b > last_a
            } else {
                at_a > last_b
            };
        if !apart || !alike(&a[at_a], &b[at_b], &labels_a, &labels_b) {
            break;
        }
        steps.push((at_a, at_b));
        let (Some(next_a), Some(next_b)) = (previous(a, at_a), previous(b, at_b)) else {
            break;
        };
        for i in &a[next_a + 1..at_a] {
            if let Ins::Label(l) = i {
                labels_a.insert(*l, steps.len());
            }
        }
        let here: Vec<Ins> = b[next_b + 1..at_b]
            .iter()
            .filter(|i| matches!(i, Ins::Label(_) | Ins::Also(_)))
            .cloned()
            .collect();
        for i in &here {
            if let Ins::Label(l) = i {
                labels_b.insert(*l, steps.len());
            }
        }
        // What is in front of the first instruction goes only if the one before it does.
        if alike(&a[next_a], &b[next_b], &labels_a, &labels_b) {
            moved.extend(here.into_iter().map(|i| (steps.len(), i)));
            (at_a, at_b) = (next_a, next_b);
        } else {
            break;
        }
    }
    // A backward overlap found at the last step leaves its labels behind.
    let count = steps.len();
    moved.retain(|(n, _)| *n < count);
    (steps, moved)
}

fn alike(
    a: &Ins,
    b: &Ins,
    labels_a: &HashMap<Label, usize>,
    labels_b: &HashMap<Label, usize>,
) -> bool {
    match (a, b) {
        (Ins::Jump(x, l), Ins::Jump(y, m)) => {
            let inside = labels_a.get(l).is_some_and(|n| labels_b.get(m) == Some(n));
            x == y && (l == m || inside)
        }
        (a, b) => a == b,
    }
}

/// The conditional jump that leads around an end and nothing else.
fn turned(ins: &[Ins], first: usize, last: usize) -> Option<usize> {
    let jump = (0..first).rev().find(|n| !ins[*n].is_mark())?;
    let Ins::Jump(op, over) = &ins[jump] else {
        return None;
    };
    let around = ins[last + 1..]
        .iter()
        .take_while(|i| !solid(i))
        .any(|i| *i == Ins::Label(*over));
    (around && negated(*op).is_some()).then_some(jump)
}

fn apply(codes: &mut [Code], pair: &Pair, labels: &Labels) {
    let label = labels.fresh();
    let first_gone = pair.steps.last().map_or(pair.gone.1, |s| s.1);
    let mut added: Vec<(usize, Ins)> = Vec::new();
    for (n, (kept, gone)) in pair.steps.iter().enumerate() {
        // Before the instruction: what was in front of its twin, and where that came from.
        for (_, ins) in pair.moved.iter().filter(|(k, _)| *k == n + 1) {
            added.push((*kept, ins.clone()));
        }
        let here = origin(&codes[pair.kept.0], *kept);
        let there = origin(&codes[pair.gone.0], *gone);
        if may_fault(&codes[pair.gone.0].ins[*gone]) && here != there {
            added.push((*kept, Ins::Also(Arc::new(there))));
        }
    }
    let first_kept = pair.steps.last().map_or(pair.kept.1, |s| s.0);
    added.push((first_kept, Ins::Label(label)));
    // The later position first, so that the other stays right.
    if pair.kept.0 == pair.gone.0 && first_kept < first_gone {
        remove(&mut codes[pair.gone.0], first_gone, pair.gone.1, label);
        insert(&mut codes[pair.kept.0], added);
    } else {
        insert(&mut codes[pair.kept.0], added);
        remove(&mut codes[pair.gone.0], first_gone, pair.gone.1, label);
    }
}

fn insert(code: &mut Code, mut added: Vec<(usize, Ins)>) {
    added.sort_by_key(|(at, _)| *at);
    for (at, ins) in added.into_iter().rev() {
        code.ins.insert(at, ins);
    }
}

/// A jump in place of an end; the last source place in it stays for what follows.
fn remove(code: &mut Code, first: usize, last: usize, to: Label) {
    let mark = code.ins[first..last].iter().rev().find_map(place).cloned();
    if let Some(jump) = turned(&code.ins, first, last)
        && let Ins::Jump(op, _) = code.ins[jump]
        && let Some(op) = negated(op)
    {
        code.ins.splice(first..=last, mark);
        code.ins[jump] = Ins::Jump(op, to);
        return;
    }
    let jump = std::iter::once(Ins::Jump(Op::JMP, to));
    code.ins.splice(first..=last, jump.chain(mark));
}

fn place(ins: &Ins) -> Option<&Ins> {
    matches!(ins, Ins::Mark(_) | Ins::Inlined(..)).then_some(ins)
}

/// Where an instruction comes from.
fn origin(code: &Code, at: usize) -> Origin {
    let (loc, site): (Loc, Option<Arc<Site>>) = match code.ins[..at].iter().rev().find_map(place) {
        Some(Ins::Mark(loc)) => (*loc, None),
        Some(Ins::Inlined(loc, site)) => (*loc, Some(site.clone())),
        _ => (code.loc.unwrap_or_default(), None),
    };
    Origin {
        function: code.name.clone(),
        loc,
        site,
    }
}

/// Whether a node may blame it.
fn may_fault(ins: &Ins) -> bool {
    match ins {
        Ins::Int(_) | Ins::Data(_) | Ins::Label(_) => false,
        Ins::LdLoc(_) | Ins::StLoc(_) | Ins::LdArg(_) | Ins::StArg(_) => false,
        Ins::Mark(_) | Ins::Inlined(..) | Ins::Also(_) => false,
        Ins::Jump(op, _) => *op != Op::JMP,
        Ins::Call(_) => false,
        Ins::With(op, _) => *op != Op::ISTYPE,
        Ins::Op(op) => !matches!(
            op,
            Op::RET
                | Op::DROP
                | Op::NIP
                | Op::DUP
                | Op::OVER
                | Op::TUCK
                | Op::SWAP
                | Op::ROT
                | Op::ISNULL
                | Op::PUSHT
                | Op::PUSHF
                | Op::PUSHNULL
        ),
    }
}

/// Jumps to a jump within reach go where it goes; what nothing reaches any more goes.
fn straighten(codes: &mut [Code], order: &[usize]) {
    let map = Map::new(codes, order);
    let mut position = HashMap::new();
    let mut onward: HashMap<Label, Label> = HashMap::new();
    for (c, code) in codes.iter().enumerate() {
        for (at, ins) in code.ins.iter().enumerate() {
            if let Ins::Label(l) = ins {
                position.insert(*l, map.bytes[c][at]);
                let next = code.ins[at..].iter().find(|i| solid(i));
                if let Some(Ins::Jump(Op::JMP, to)) = next {
                    onward.insert(*l, *to);
                }
            }
        }
    }
    for (c, code) in codes.iter_mut().enumerate() {
        for (at, ins) in code.ins.iter_mut().enumerate() {
            let here = map.bytes[c][at];
            if let Ins::Jump(_, l) = ins
                && let Some(to) = onward.get(l)
                && position.get(to).is_some_and(|p| p.abs_diff(here) < NEAR)
            {
                *l = *to;
            }
        }
    }
    sweep(codes);
    // A jump around a jump may have been kept for others that came there.
    if codes
        .iter_mut()
        .fold(false, |any, code| super::jumps::turn(code) | any)
    {
        sweep(codes);
    }
}

/// Labels that nothing jumps to in any function, and what nothing falls into.
fn sweep(codes: &mut [Code]) {
    loop {
        let used: HashSet<Label> = codes
            .iter()
            .flat_map(|c| &c.ins)
            .filter_map(|i| match i {
                Ins::Jump(_, l) => Some(*l),
                _ => None,
            })
            .collect();
        let count = |codes: &[Code]| -> usize { codes.iter().map(|c| c.ins.len()).sum() };
        let before = count(codes);
        for code in codes.iter_mut() {
            code.ins
                .retain(|i| !matches!(i, Ins::Label(l) if !used.contains(l)));
            super::dead::unreachable(code);
        }
        if before == count(codes) {
            return;
        }
    }
}
