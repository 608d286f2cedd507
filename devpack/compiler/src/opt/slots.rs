//! Numbers of slots: two locals whose values are never needed at the same time share one, and the most used ones get
//! the numbers 0 to 6, whose instructions have one byte.

use std::collections::{HashMap, HashSet};

use super::flow::{Bits, Slot, live_after};
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code) {
    let mut uses: HashMap<usize, usize> = HashMap::new();
    for ins in &code.ins {
        if let Ins::LdLoc(n) | Ins::StLoc(n) = ins {
            *uses.entry(*n).or_default() += 1;
        }
    }
    let apart = apart(code);
    let mut order: Vec<(usize, usize)> = uses.into_iter().collect();
    order.sort_by_key(|(slot, count)| (std::cmp::Reverse(*count), *slot));
    let mut new: HashMap<usize, usize> = HashMap::new();
    for (slot, _) in order {
        let taken: HashSet<usize> = apart
            .get(&slot)
            .map(|others| others.iter().filter_map(|o| new.get(&o).copied()).collect())
            .unwrap_or_default();
        let free = (0..).find(|n| !taken.contains(n)).unwrap_or(slot);
        new.insert(slot, free);
    }
    for ins in &mut code.ins {
        if let Ins::LdLoc(n) | Ins::StLoc(n) = ins {
            *n = new.get(n).copied().unwrap_or(*n);
        }
    }
    code.locals = new.values().max().map_or(0, |n| n + 1);
    code.variables.retain(|v| new.contains_key(&v.slot));
    for v in &mut code.variables {
        v.slot = new.get(&v.slot).copied().unwrap_or(v.slot);
    }
}

/// For each local the others that hold something needed while it is written.
fn apart(code: &Code) -> HashMap<usize, Bits> {
    let live = live_after(code);
    let mut out: HashMap<usize, Bits> = HashMap::new();
    for (at, ins) in code.ins.iter().enumerate() {
        let Some(Slot::Local(slot)) = Slot::stored(ins) else {
            continue;
        };
        for other in live[at].iter().filter(|n| *n < code.locals && *n != slot) {
            for (a, b) in [(slot, other), (other, slot)] {
                out.entry(a)
                    .or_insert_with(|| Bits::new(code.locals))
                    .set(b, true);
            }
        }
    }
    out
}
