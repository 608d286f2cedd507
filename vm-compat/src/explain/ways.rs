//! From the ways through a gate to a short list of who comes in: the first line that fits decides.
//!
//! A line is made shorter only where a table over all answers to all conditions shows that the list still says the
//! same.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::paths::{Effect, Outcome, Path, Value, is_bool, is_number, small};

/// More conditions than this are not tried in all combinations: the list stays long.
const MAX_ATOMS: usize = 11;
/// More alternatives of one way than this are not written out.
const MAX_LINES: usize = 32;

/// One way into a box: if these conditions hold and no way before it fits, this is done and the caller is in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// Conditions and what each must be.
    pub conditions: Vec<(Rc<Value>, bool)>,
    /// What is done, in order.
    pub effects: Vec<Effect>,
    /// Whether who reads may take the content off.
    pub takes: bool,
    /// Whether writing, reading and asking for the price of reading can come to this way at all.
    pub verbs: [bool; 3],
}

/// A condition made of others.
enum Formula {
    Known(bool),
    Atom(Rc<Value>),
    Not(Box<Formula>),
    Both(Box<Formula>, Box<Formula>),
    Either(Box<Formula>, Box<Formula>),
}

type Terms = BTreeMap<Rc<Value>, bool>;

/// The ways into a box, in order; `None` if the gate decides by more than conditions.
pub(crate) fn ways(paths: &[Path]) -> Option<Vec<Way>> {
    let mut lines: Vec<(Terms, Vec<Effect>, bool)> = Vec::new();
    for path in paths {
        let Outcome::Gives(result) = &path.outcome else {
            continue;
        };
        let takes = small(result) == Some(2);
        let mut formula = outcome(result)?;
        for (condition, answer) in path.conditions.iter().rev() {
            let asked = truth(condition);
            let asked = if *answer {
                asked
            } else {
                Formula::Not(Box::new(asked))
            };
            formula = Formula::Both(Box::new(asked), Box::new(formula));
        }
        for terms in alternatives(&formula, true)? {
            lines.push((terms, path.effects.clone(), takes));
        }
    }
    Some(shorten(lines))
}

/// When a result lets the caller in. A number that is not a constant could be 2, which says more than true.
fn outcome(result: &Rc<Value>) -> Option<Formula> {
    match &**result {
        Value::Null => Some(Formula::Known(false)),
        Value::Int(bytes) => Some(Formula::Known(bytes.iter().any(|b| *b != 0))),
        _ if is_bool(result) => Some(truth(result)),
        _ => None,
    }
}

/// When a value counts as true.
fn truth(value: &Rc<Value>) -> Formula {
    let not = |f| Formula::Not(Box::new(f));
    let either = |a, b| Formula::Either(Box::new(a), Box::new(b));
    let both = |a, b| Formula::Both(Box::new(a), Box::new(b));
    let Value::Op(op, operands, _) = &**value else {
        return match **value {
            Value::Bool(known) => Formula::Known(known),
            _ => Formula::Atom(value.clone()),
        };
    };
    match (op, operands.as_slice()) {
        (0xAA, [a]) => not(truth(a)),
        (0xAB, [a, b]) => both(truth(a), truth(b)),
        (0xAC, [a, b]) => either(truth(a), truth(b)),
        // Booleans compare as 0 and 1.
        (0xB5, [a, b]) if is_bool(a) && is_bool(b) => both(not(truth(a)), truth(b)),
        (0xB6, [a, b]) if is_bool(a) && is_bool(b) => either(not(truth(a)), truth(b)),
        (0xB7, [a, b]) if is_bool(a) && is_bool(b) => both(truth(a), not(truth(b))),
        (0xB8, [a, b]) if is_bool(a) && is_bool(b) => either(truth(a), not(truth(b))),
        // One of two opposite comparisons is enough.
        (0xB5, [a, b]) if is_number(a) && is_number(b) => {
            not(Formula::Atom(Rc::new(Value::Op(0xB8, operands.clone(), 0))))
        }
        (0xB7, [a, b]) if is_number(a) && is_number(b) => {
            not(Formula::Atom(Rc::new(Value::Op(0xB6, operands.clone(), 0))))
        }
        // The gate's author owns the box, so the box lets it change the list.
        (0xF8 | 0xF9, [target]) if **target == Value::State(4, 0) => Formula::Known(true),
        _ => Formula::Atom(value.clone()),
    }
}

/// The formula, or its opposite, as alternatives of conditions that hold together.
fn alternatives(formula: &Formula, wanted: bool) -> Option<Vec<Terms>> {
    Some(match formula {
        Formula::Known(value) if *value == wanted => vec![Terms::new()],
        Formula::Known(_) => Vec::new(),
        Formula::Atom(value) => vec![Terms::from([(value.clone(), wanted)])],
        Formula::Not(inner) => alternatives(inner, !wanted)?,
        Formula::Both(a, b) | Formula::Either(a, b) => {
            let (left, right) = (alternatives(a, wanted)?, alternatives(b, wanted)?);
            if matches!(formula, Formula::Either(..)) == wanted {
                return (left.len() + right.len() <= MAX_LINES)
                    .then(|| left.into_iter().chain(right).collect());
            }
            if left.len() * right.len() > MAX_LINES {
                return None;
            }
            let pairs = left.iter().flat_map(|l| right.iter().map(move |r| (l, r)));
            pairs.filter_map(|(l, r)| both_hold(l, r)).collect()
        }
    })
}

fn both_hold(left: &Terms, right: &Terms) -> Option<Terms> {
    let mut all = left.clone();
    for (value, wanted) in right {
        if *all.entry(value.clone()).or_insert(*wanted) != *wanted {
            return None;
        }
    }
    Some(all)
}

/// Conditions as bits: which are asked, and what they must be.
#[derive(Clone, Copy)]
struct Line {
    asked: u32,
    wanted: u32,
    /// Which of the different things it does.
    does: usize,
}

impl Line {
    fn fits(&self, answers: u32) -> bool {
        answers & self.asked == self.wanted
    }
}

fn shorten(lines: Vec<(Terms, Vec<Effect>, bool)>) -> Vec<Way> {
    let mut atoms: Vec<Rc<Value>> = Vec::new();
    let mut deeds: Vec<(Vec<Effect>, bool)> = Vec::new();
    for (terms, effects, takes) in &lines {
        for value in terms
            .keys()
            .filter(|v| !atoms.contains(v))
            .cloned()
            .collect::<Vec<_>>()
        {
            atoms.push(value);
        }
        let deed = (effects.clone(), *takes);
        if !deeds.contains(&deed) {
            deeds.push(deed);
        }
    }
    if atoms.len() > MAX_ATOMS {
        let way = |(terms, effects, takes): (Terms, _, _)| Way {
            conditions: terms.into_iter().collect(),
            effects,
            takes,
            verbs: [true; 3],
        };
        return lines.into_iter().map(way).collect();
    }
    let bit = |value: &Rc<Value>| 1u32 << atoms.iter().position(|a| a == value).unwrap_or(0);
    let mut short: Vec<Line> = lines
        .iter()
        .map(|(terms, effects, takes)| Line {
            asked: terms.keys().map(bit).sum(),
            wanted: terms.iter().filter(|(_, w)| **w).map(|(v, _)| bit(v)).sum(),
            does: deeds
                .iter()
                .position(|(e, t)| e == effects && t == takes)
                .unwrap_or(0),
        })
        .collect();
    let possible = possible(&atoms);
    let table = |list: &[Line]| -> Vec<Option<usize>> {
        let decide = |answers: &u32| list.iter().find(|l| l.fits(*answers)).map(|l| l.does);
        possible.iter().map(decide).collect()
    };
    let meaning = table(&short);
    let mut at = 0;
    while at < short.len() {
        let mut without = short.clone();
        without.remove(at);
        if table(&without) == meaning {
            short = without;
            continue;
        }
        // What must not be is left out first: "anybody else" says it.
        for wanted in [false, true] {
            for number in 0..atoms.len() {
                let bit = 1u32 << number;
                let Some(line) = short.get(at).copied() else {
                    break;
                };
                if line.asked & bit == 0 || (line.wanted & bit != 0) != wanted {
                    continue;
                }
                let mut fewer = short.clone();
                if let Some(slot) = fewer.get_mut(at) {
                    slot.asked &= !bit;
                    slot.wanted &= !bit;
                }
                if table(&fewer) == meaning {
                    short = fewer;
                }
            }
        }
        at += 1;
    }
    let mut reached = vec![[false; 3]; short.len()];
    for answers in &possible {
        let taken = short.iter().position(|line| line.fits(*answers));
        if let Some(verbs) = taken.and_then(|at| reached.get_mut(at)) {
            for verb in verbs_of(&atoms, *answers) {
                if let Some(slot) = verbs.get_mut(verb) {
                    *slot = true;
                }
            }
        }
    }
    let way = |(line, verbs): (&Line, &[bool; 3])| {
        let asked = |n: &usize| line.asked >> n & 1 != 0;
        let conditions = (0..atoms.len()).filter(asked).filter_map(|n| {
            let value = atoms.get(n)?.clone();
            Some((value, line.wanted >> n & 1 != 0))
        });
        let (effects, takes) = deeds.get(line.does).cloned().unwrap_or_default();
        Way {
            conditions: conditions.collect(),
            effects,
            takes,
            verbs: *verbs,
        }
    };
    short.iter().zip(&reached).map(way).collect()
}

/// All answers that can be given together: what is done is exactly one of writing, reading and asking for the price.
fn possible(atoms: &[Rc<Value>]) -> Vec<u32> {
    let verb = |v: &&Rc<Value>| matches!(***v, Value::State(0..=2, _));
    let verbs: u32 = (0..atoms.len())
        .filter(|n| atoms.get(*n).as_ref().is_some_and(verb))
        .map(|n| 1u32 << n)
        .sum();
    (0..1u32 << atoms.len())
        .filter(|answers| match (answers & verbs).count_ones() {
            0 => verbs.count_ones() < 3,
            more => more == 1,
        })
        .collect()
}

/// What can be asked for with these answers: 0 writing, 1 reading, 2 the price of reading.
fn verbs_of(atoms: &[Rc<Value>], answers: u32) -> Vec<usize> {
    let answer = |verb: usize| {
        let at = atoms
            .iter()
            .position(|a| matches!(**a, Value::State(v, _) if usize::from(v) == verb))?;
        Some(answers >> at & 1 != 0)
    };
    let all = [answer(0), answer(1), answer(2)];
    match all.iter().position(|a| *a == Some(true)) {
        Some(verb) => vec![verb],
        None => (0..3)
            .filter(|verb| all.get(*verb) == Some(&None))
            .collect(),
    }
}
