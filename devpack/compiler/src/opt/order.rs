//! The order of functions in the script: those that call each other, or share an end, lie side by side, so that calls
//! and jumps take two bytes in place of five.

use std::collections::HashMap;

use super::look::size;
use crate::ir::{Code, Ins, Label};

/// Bytes that a short jump reaches; some are longer than they seem here.
const REACH: usize = 120;

/// Times that every function is tried in every place.
const ROUNDS: usize = 8;

/// Positions of the functions in the script, as indices. The lowering's order where nothing is gained by another.
pub(super) fn run(codes: &[Code]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..codes.len()).collect();
    let links = Links::new(codes);
    let mut least = links.far(&order);
    for _ in 0..ROUNDS {
        let before = least;
        for code in 0..codes.len() {
            let Some(from) = order.iter().position(|c| *c == code) else {
                continue;
            };
            order.remove(from);
            let mut best = from;
            for to in (0..=order.len()).filter(|to| *to != from) {
                order.insert(to, code);
                let far = links.far(&order);
                if far < least {
                    (least, best) = (far, to);
                }
                order.remove(to);
            }
            order.insert(best, code);
        }
        if least == before {
            break;
        }
    }
    order
}

/// Calls and jumps from one function into another.
struct Links {
    sizes: Vec<usize>,
    /// Function and position in it, of the jump and of its target.
    list: Vec<((usize, usize), (usize, usize))>,
}

impl Links {
    fn new(codes: &[Code]) -> Links {
        let mut places: HashMap<Label, (usize, usize)> = HashMap::new();
        let mut from = Vec::new();
        let mut sizes = Vec::with_capacity(codes.len());
        for (c, code) in codes.iter().enumerate() {
            places.insert(code.label, (c, 0));
            let mut at = if code.locals + code.args > 0 { 3 } else { 0 };
            for ins in &code.ins {
                match ins {
                    Ins::Label(l) => {
                        places.insert(*l, (c, at));
                    }
                    Ins::Jump(_, l) | Ins::Call(l) => from.push(((c, at), *l)),
                    _ => {}
                }
                at += size(std::slice::from_ref(ins));
            }
            sizes.push(at);
        }
        let list = from
            .into_iter()
            .filter_map(|(from, label)| Some((from, *places.get(&label)?)))
            .filter(|(from, to)| from.0 != to.0)
            .collect();
        Links { sizes, list }
    }

    /// The number of links that are too long for short jumps.
    fn far(&self, order: &[usize]) -> usize {
        let mut starts = vec![0; self.sizes.len()];
        let mut at = 0;
        for code in order {
            starts[*code] = at;
            at += self.sizes[*code];
        }
        let position = |(code, at): (usize, usize)| starts[code] + at;
        self.list
            .iter()
            .filter(|(from, to)| position(*from).abs_diff(position(*to)) > REACH)
            .count()
    }
}
