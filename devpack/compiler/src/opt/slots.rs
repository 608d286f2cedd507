//! Numbers of slots.

use std::collections::HashMap;

use crate::ir::{Code, Ins};

/// The most used slots get the numbers 0 to 6, whose instructions have one byte.
pub(super) fn run(code: &mut Code) {
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
