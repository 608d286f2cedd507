//! Sentences.

use std::rc::Rc;

use super::paths::{Effect, Outcome, Path, Value, small};
use super::values::{account_name, literal, soul, value};
use super::ways::Way;
use super::when::{moment, span};

/// Who comes in.
pub(crate) fn gate(ways: &[Way]) -> String {
    let lines: Vec<Line> = merged(ways.iter().map(Line::new).collect());
    let mut text = String::new();
    for (at, line) in lines.iter().enumerate() {
        let before = lines.get(..at).unwrap_or_default();
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&capital(&line.sentence(before)));
        text.push('.');
    }
    match lines.as_slice() {
        [] => return "Nobody comes in.".to_owned(),
        [only] if !only.subjects.is_empty() => return format!("Only {}.", only.sentence(&[])),
        _ if lines.iter().all(|line| !line.subjects.is_empty()) => {
            text.push_str(" Nobody else comes in.");
        }
        _ => {}
    }
    text
}

/// A way, sorted by what its words are.
struct Line {
    /// Who, if the conditions name somebody.
    subjects: Vec<String>,
    /// Whether that is more than one.
    plural: bool,
    /// Which of writing, reading and asking for the price.
    verbs: [bool; 3],
    /// When, with its preposition.
    times: Vec<String>,
    /// All other conditions.
    others: Vec<String>,
    effects: Vec<Effect>,
    takes: bool,
}

impl Line {
    fn new(way: &Way) -> Line {
        let mut line = Line {
            subjects: Vec::new(),
            plural: false,
            verbs: way.verbs,
            times: Vec::new(),
            others: Vec::new(),
            effects: way.effects.clone(),
            takes: way.takes,
        };
        for (condition, wanted) in &way.conditions {
            if let Value::State(verb @ 0..=2, _) = **condition {
                for (at, can) in line.verbs.iter_mut().enumerate() {
                    *can &= (at == usize::from(verb)) == *wanted;
                }
            } else if let Some((who, plural)) =
                subject(condition, *wanted).filter(|_| line.subjects.is_empty())
            {
                line.subjects.push(who);
                line.plural = plural;
            } else if let Some(time) = time(condition, *wanted) {
                line.times.push(time);
            } else {
                line.others.push(literal(condition, *wanted));
            }
        }
        line
    }

    fn same_but_who(&self, other: &Line) -> bool {
        !self.subjects.is_empty()
            && !other.subjects.is_empty()
            && self.verbs == other.verbs
            && self.times == other.times
            && self.others == other.others
            && self.effects.is_empty()
            && other.effects.is_empty()
            && self.takes == other.takes
    }

    /// Whether nothing but who it is decides.
    fn only_who(&self) -> bool {
        !self.subjects.is_empty()
            && self.verbs == [true; 3]
            && self.times.is_empty()
            && self.others.is_empty()
    }

    fn sentence(&self, before: &[Line]) -> String {
        let mut text = String::new();
        let apart = |line: &Line| line.verbs.iter().zip(self.verbs).all(|(a, b)| !(a & b));
        let other = |line: &Line| apart(line) || line.only_who();
        let free = |line: &Line| line.effects.is_empty() && line.takes == self.takes;
        let anybody = match before {
            _ if before.iter().all(apart) => "anybody",
            _ if before.iter().all(other) => "anybody else",
            _ => "anybody",
        };
        // Where lines give the same, or are about different things, their order is the same to everybody.
        let same = free(self) && before.iter().all(free);
        let no_order = same || before.iter().all(apart) || anybody == "anybody else";
        let named = !self.subjects.is_empty();
        if !(no_order && (!named || same || before.iter().all(apart))) {
            text.push_str("otherwise, ");
        }
        match self.subjects.as_slice() {
            [] => text.push_str(anybody),
            subjects => text.push_str(&list(subjects)),
        }
        text.push(' ');
        text.push_str(&self.may());
        for time in &self.times {
            text.push(' ');
            text.push_str(time);
        }
        if !self.others.is_empty() {
            text.push_str(" if ");
            text.push_str(&self.others.join(" and "));
        }
        if self.takes {
            text.push_str("; who reads may take the content off");
        }
        text.replace(",;", ";").trim_end_matches(',').to_owned()
    }

    fn may(&self) -> String {
        let verbs = verbs(self.verbs);
        let each = match self.verbs {
            [true, false, false] => "each write",
            [false, true, _] => "each read",
            _ => "each access",
        };
        let usual = matches!(
            self.verbs,
            [true, true, true] | [true, false, false] | [false, true, true]
        );
        let pays = |amount: &Rc<Value>| {
            let pay = if self.plural { "pay" } else { "pays" };
            format!("{pay} {} to the box", soul(amount))
        };
        match self.effects.as_slice() {
            [] => format!("may {verbs}"),
            [Effect { op: 0xED, operands }] if usual && operands.len() == 1 => {
                let amount = operands.first().map(pays).unwrap_or_default();
                format!("{amount} for {each}")
            }
            [
                Effect { op: 0xED, operands },
                Effect {
                    op: 0xF8,
                    operands: whose,
                },
            ] if whose.first().is_some_and(|b| **b == Value::State(4, 0)) => {
                let amount = operands.first().map(pays).unwrap_or_default();
                let (is, may) = if self.plural {
                    ("are members", "may")
                } else {
                    ("is a member", "may")
                };
                format!("{amount} once, {is} from then on, and {may} {verbs}")
            }
            effects => {
                let done: Vec<String> = effects.iter().map(effect).collect();
                format!("may {verbs}, each time with this done: {}", list(&done))
            }
        }
    }
}

/// Neighbours that differ in nothing but who they are for become one.
fn merged(lines: Vec<Line>) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some(last) if last.same_but_who(&line) => {
                last.subjects.extend(line.subjects);
                last.plural = true;
            }
            _ => out.push(line),
        }
    }
    out
}

fn verbs(can: [bool; 3]) -> &'static str {
    match can {
        [true, true, true] => "read and write",
        [true, false, false] => "write",
        [false, true, true] => "read",
        [false, true, false] => "read, but not ask what reading costs,",
        [false, false, true] => "ask what reading costs, but not read,",
        [true, true, false] => "read and write, but not ask what reading costs,",
        [true, false, true] => "write and ask what reading costs, but not read,",
        [false, false, false] => "do nothing",
    }
}

/// Who a condition names, and whether that is a plural.
fn subject(condition: &Value, wanted: bool) -> Option<(String, bool)> {
    match condition {
        Value::State(3, _) if wanted => Some(("the owner".to_owned(), false)),
        Value::State(8, _) if wanted => Some(("members".to_owned(), true)),
        Value::Op(0x97, operands, _) if wanted => match operands.as_slice() {
            [a, b] => match (&**a, &**b) {
                (Value::State(9, _), Value::Bytes(account))
                | (Value::Bytes(account), Value::State(9, _)) => {
                    Some((format!("the account {}", account_name(account)), false))
                }
                _ => None,
            },
            _ => None,
        },
        // The opposite of: the last payment is that long ago.
        Value::Op(0xB8, operands, _) if !wanted => match operands.as_slice() {
            [time, period] if matches!(**time, Value::Op(0xEE, ..)) => {
                let ago = span(u64::try_from(small(period)?).ok()?);
                Some((format!("who paid the box less than {ago} ago"), false))
            }
            _ => None,
        },
        _ => None,
    }
}

/// A condition on the time, with its preposition.
fn time(condition: &Value, wanted: bool) -> Option<String> {
    let Value::Op(op, operands, _) = condition else {
        return None;
    };
    let now = operands.first().is_some_and(|o| **o == Value::State(6, 0));
    let mut moments = operands.get(1..)?.iter().map(|o| {
        let seconds = u64::try_from(small(o)?).ok()?;
        moment(seconds)
    });
    let first = moments.next()??;
    match (op, wanted) {
        (0xB8, true) if now => Some(format!("from {first} on")),
        (0xB8, false) if now => Some(format!("before {first}")),
        (0xB6, true) if now => Some(format!("until {first}, that second included")),
        (0xB6, false) if now => Some(format!("after {first}")),
        (0xBB, true) if now => {
            let last = moments.next()??;
            Some(format!("from {first} on and before {last}"))
        }
        (0xBB, false) if now => {
            let last = moments.next()??;
            Some(format!("before {first} and again from {last} on"))
        }
        _ => None,
    }
}

/// Every way through a script with all its conditions.
pub(crate) fn listing(paths: &[Path], gate: bool) -> String {
    let one = |path: &Path| {
        let mut parts: Vec<String> = path.effects.iter().map(effect).collect();
        parts.push(end(&path.outcome, gate));
        parts.join("; ")
    };
    match paths {
        [only] if only.conditions.is_empty() => format!("{}.", capital(&one(only))),
        _ => {
            let mut lines = vec!["One of these happens:".to_owned()];
            for (at, path) in paths.iter().enumerate() {
                let conditions: Vec<String> = path
                    .conditions
                    .iter()
                    .map(|(c, wanted)| literal(c, *wanted))
                    .collect();
                let conditions = conditions.join(" and ");
                lines.push(format!("{}. If {conditions}: {}.", at + 1, one(path)));
            }
            lines.join("\n")
        }
    }
}

fn end(outcome: &Outcome, gate: bool) -> String {
    match outcome {
        Outcome::Throws(what) => format!("gives up with {}, and nothing has happened", value(what)),
        Outcome::Gives(result) if gate => match &**result {
            Value::Bool(true) => "lets the caller in".to_owned(),
            Value::Bool(false) | Value::Null => "refuses".to_owned(),
            Value::Int(_) if small(result) == Some(0) => "refuses".to_owned(),
            Value::Int(_) if small(result) == Some(2) => {
                "lets the caller in, who may take the content off".to_owned()
            }
            Value::Int(_) => "lets the caller in".to_owned(),
            _ => format!(
                "lets the caller in if {} counts as true, and who reads may take the content off if it is 2",
                value(result)
            ),
        },
        Outcome::Gives(result) => match &**result {
            Value::Null => "gives nothing".to_owned(),
            _ => format!("gives {}", value(result)),
        },
    }
}

/// What an effect does, as "pays ...".
fn effect(effect: &Effect) -> String {
    let text = |at: usize| {
        effect
            .operands
            .get(at)
            .map(|o| value(o))
            .unwrap_or_default()
    };
    match effect.op {
        0xED => {
            let amount = effect.operands.first().map(soul).unwrap_or_default();
            format!("{amount} are paid to the box")
        }
        0xF2 => format!("the content {} is written to box {}", text(0), text(1)),
        0xF3 => format!(
            "box {} is read, and its latest content taken off if it allows",
            text(0)
        ),
        0xF5 => format!(
            "the latest content of box {} is deleted if that is allowed",
            text(0)
        ),
        0xF6 => format!(
            "the latest content of box {} is replaced by {} if that is allowed",
            text(1),
            text(0)
        ),
        0xF7 => {
            let n = effect.operands.len().saturating_sub(3);
            let inputs: Vec<String> = (0..n).map(text).collect();
            let with = if inputs.is_empty() {
                String::new()
            } else {
                format!(" with {}", list(&inputs))
            };
            format!(
                "content {} of box {} is run{with}",
                text(n + 1),
                text(n + 2)
            )
        }
        0xF8 => format!("the caller becomes a member of {}", text(0)),
        0xF9 => format!("the caller is no longer a member of {}", text(0)),
        0xFA => "stored content is registered and paid for".to_owned(),
        0xFE => format!("{} is kept under {}", text(0), text(1)),
        _ => "something is done".to_owned(),
    }
}

fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars
        .next()
        .map(|c| c.to_uppercase().to_string())
        .unwrap_or_default();
    first + chars.as_str()
}
