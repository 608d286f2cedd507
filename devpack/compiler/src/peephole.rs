//! Small rewrites that never change what a function does.

use std::collections::{HashMap, HashSet};

use neo_opcode::Op;
use num_bigint::BigInt;

use crate::ir::{Code, Ins, Label, negated};

/// Rewrites until nothing changes, then numbers the local slots by use.
pub(crate) fn optimise(code: &mut Code) {
    loop {
        let before = code.ins.len();
        let mut changed = thread_jumps(code);
        changed |= drop_dead(code);
        changed |= drop_labels(code);
        changed |= pairs(code);
        changed |= forward_stores(code);
        if !changed && code.ins.len() == before {
            break;
        }
    }
    renumber(code);
}

fn ends(ins: &Ins) -> bool {
    matches!(
        ins,
        Ins::Jump(Op::JMP, _) | Ins::Op(Op::RET | Op::ABORT | Op::ABORTMSG | Op::THROW)
    )
}

/// What runs first after each label.
fn landings(ins: &[Ins]) -> HashMap<Label, Ins> {
    let mut out = HashMap::new();
    let mut next: Option<&Ins> = None;
    for i in ins.iter().rev() {
        match i {
            Ins::Mark(_) => {}
            Ins::Label(label) => {
                if let Some(next) = next {
                    out.insert(*label, next.clone());
                }
            }
            other => next = Some(other),
        }
    }
    out
}

/// A jump to a jump goes to its target; a jump to RET is a RET.
fn thread_jumps(code: &mut Code) -> bool {
    let landing = landings(&code.ins);
    let mut changed = false;
    for ins in &mut code.ins {
        let Ins::Jump(op, label) = ins else { continue };
        match landing.get(label) {
            // A cycle of jumps is an empty endless loop; leave it as it is.
            Some(Ins::Jump(Op::JMP, further))
                if further != label
                    && !matches!(landing.get(further), Some(Ins::Jump(Op::JMP, _))) =>
            {
                *label = *further;
                changed = true;
            }
            Some(Ins::Op(Op::RET)) if *op == Op::JMP => {
                *ins = Ins::Op(Op::RET);
                changed = true;
            }
            _ => {}
        }
    }
    changed
}

/// Nothing falls into what follows a jump, except at a label.
fn drop_dead(code: &mut Code) -> bool {
    let before = code.ins.len();
    let mut dead = false;
    code.ins.retain(|ins| {
        if matches!(ins, Ins::Label(_)) {
            dead = false;
        }
        let keep = !dead;
        dead |= ends(ins);
        keep
    });
    before != code.ins.len()
}

fn drop_labels(code: &mut Code) -> bool {
    let used: HashSet<Label> = code
        .ins
        .iter()
        .filter_map(|i| {
            if let Ins::Jump(_, l) = i {
                Some(*l)
            } else {
                None
            }
        })
        .collect();
    let before = code.ins.len();
    code.ins
        .retain(|i| !matches!(i, Ins::Label(l) if !used.contains(l)));
    before != code.ins.len()
}

fn is_int(ins: &Ins, n: i64) -> bool {
    matches!(ins, Ins::Int(x) if *x == BigInt::from(n))
}

/// An instruction that only pushes.
fn pushes(ins: &Ins) -> bool {
    matches!(
        ins,
        Ins::Int(_)
            | Ins::Data(_)
            | Ins::LdLoc(_)
            | Ins::LdArg(_)
            | Ins::Op(Op::PUSHT | Op::PUSHF | Op::PUSHNULL)
    )
}

/// Rewrites of neighbours; marks between them do not count.
fn pairs(code: &mut Code) -> bool {
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len());
    let mut changed = false;
    for ins in code.ins.drain(..) {
        // A label is a place where others arrive, so nothing is joined across it; marks stay before it.
        let at = out.iter().rposition(|i| !matches!(i, Ins::Mark(_)));
        let Some(at) = at else {
            out.push(ins);
            continue;
        };
        let replacement: Option<Vec<Ins>> = match (&out[at], &ins) {
            (Ins::Op(Op::NOT), Ins::Jump(op @ (Op::JMPIF | Op::JMPIFNOT), l)) => {
                negated(*op).map(|op| vec![Ins::Jump(op, *l)])
            }
            (Ins::Op(Op::NUMEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NUMNOTEQUAL)]),
            (Ins::Op(Op::NUMNOTEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NUMEQUAL)]),
            (Ins::Op(Op::EQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::NOTEQUAL)]),
            (Ins::Op(Op::NOTEQUAL), Ins::Op(Op::NOT)) => Some(vec![Ins::Op(Op::EQUAL)]),
            (one, Ins::Op(Op::ADD)) if is_int(one, 1) => Some(vec![Ins::Op(Op::INC)]),
            (one, Ins::Op(Op::SUB)) if is_int(one, 1) => Some(vec![Ins::Op(Op::DEC)]),
            (push, Ins::Op(Op::DROP)) if pushes(push) => Some(Vec::new()),
            (Ins::Op(Op::DUP), Ins::Op(Op::DROP)) => Some(Vec::new()),
            (Ins::Op(Op::SWAP), Ins::Op(Op::SWAP)) => Some(Vec::new()),
            (Ins::Jump(Op::JMP, a), Ins::Label(b)) if a == b => Some(vec![ins.clone()]),
            _ => None,
        };
        match replacement {
            Some(list) => {
                out.remove(at);
                out.extend(list);
                changed = true;
            }
            None => {
                // `JMPIF a; JMP b; a:` is `JMPIFNOT b; a:`.
                if let Ins::Label(here) = &ins {
                    let solid: Vec<usize> = (0..out.len())
                        .rev()
                        .filter(|n| !matches!(out[*n], Ins::Mark(_)))
                        .take(2)
                        .collect();
                    if let [jump, cond] = solid[..]
                        && let (Ins::Jump(op, a), Ins::Jump(Op::JMP, b)) =
                            (out[cond].clone(), out[jump].clone())
                        && a == *here
                        && let Some(op) = negated(op)
                    {
                        out[cond] = Ins::Jump(op, b);
                        out.remove(jump);
                        changed = true;
                    }
                }
                out.push(ins);
            }
        }
    }
    code.ins = out;
    changed
}

/// A slot that is written once and read once, right after, is not needed.
fn forward_stores(code: &mut Code) -> bool {
    let mut uses: HashMap<usize, (usize, usize)> = HashMap::new();
    for ins in &code.ins {
        match ins {
            Ins::LdLoc(n) => uses.entry(*n).or_default().0 += 1,
            Ins::StLoc(n) => uses.entry(*n).or_default().1 += 1,
            _ => {}
        }
    }
    let mut at = 0;
    let mut changed = false;
    while at < code.ins.len() {
        if let Ins::StLoc(n) = code.ins[at] {
            let next = (at + 1..code.ins.len()).find(|i| !matches!(code.ins[*i], Ins::Mark(_)));
            let single = uses.get(&n) == Some(&(1, 1));
            if let Some(next) = next.filter(|i| single && code.ins[*i] == Ins::LdLoc(n)) {
                code.ins.remove(next);
                code.ins.remove(at);
                changed = true;
                continue;
            }
            if uses.get(&n).is_some_and(|(loads, _)| *loads == 0) {
                code.ins[at] = Ins::Op(Op::DROP);
                changed = true;
            }
        }
        at += 1;
    }
    changed
}

/// The most used slots get the numbers 0 to 6, whose instructions have one byte.
fn renumber(code: &mut Code) {
    let mut uses: HashMap<usize, usize> = HashMap::new();
    for ins in &code.ins {
        if let Ins::LdLoc(n) | Ins::StLoc(n) = ins {
            *uses.entry(*n).or_default() += 1;
        }
    }
    let mut order: Vec<(usize, usize)> = uses.into_iter().collect();
    order.sort_by_key(|(slot, count)| (std::cmp::Reverse(*count), *slot));
    let new: HashMap<usize, usize> = order
        .iter()
        .enumerate()
        .map(|(n, (slot, _))| (*slot, n))
        .collect();
    for ins in &mut code.ins {
        if let Ins::LdLoc(n) | Ins::StLoc(n) = ins {
            *n = new.get(n).copied().unwrap_or(*n);
        }
    }
    code.locals = new.len();
    code.variables.retain(|v| new.contains_key(&v.slot));
    for v in &mut code.variables {
        v.slot = new.get(&v.slot).copied().unwrap_or(v.slot);
    }
}
