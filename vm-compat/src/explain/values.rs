//! Values as words.

use std::fmt::Write;
use std::rc::Rc;

use super::paths::{Value, small};
use super::when::{moment, span};
use crate::decimal;
use crate::table::Instr;

/// What a value is.
pub(crate) fn value(v: &Value) -> String {
    match v {
        Value::Null => "nothing".to_owned(),
        Value::Bool(b) => b.to_string(),
        Value::Int(number) => decimal::print(number),
        Value::Bytes(data) => bytes(data),
        Value::State(which, draw) => match which {
            0 => "whether it is a write".to_owned(),
            1 => "whether it is a read".to_owned(),
            2 => "whether it only asks what reading costs".to_owned(),
            3 => "whether the caller is the owner".to_owned(),
            4 => "this box".to_owned(),
            5 => "the box where execution began".to_owned(),
            6 => "the time".to_owned(),
            7 => format!("random number {draw}"),
            8 => "whether the caller is a member".to_owned(),
            9 => "the caller".to_owned(),
            10 => "the written script".to_owned(),
            other => format!("state {other}"),
        },
        Value::Op(op, operands, _) => operation(*op, operands),
    }
}

fn operation(op: u8, operands: &[Rc<Value>]) -> String {
    let all: Vec<String> = operands.iter().map(|o| value(o)).collect();
    let words: Vec<&str> = all.iter().map(String::as_str).collect();
    match (op, words.as_slice()) {
        (0xAA, [a]) => format!("not ({a})"),
        (0xAB, [a, b]) => format!("({a} and {b})"),
        (0xAC, [a, b]) => format!("({a} or {b})"),
        (0x97, [a, b]) => format!("({a} is {b}, of the same kind)"),
        (_, [a, b]) if infix(op).is_some() => {
            format!("({a} {} {b})", infix(op).unwrap_or_default())
        }
        (0xBB, [x, low, high]) => format!("({low} <= {x} < {high})"),
        (0xB9, [a, b]) => format!("the smaller of {a} and {b}"),
        (0xBA, [a, b]) => format!("the larger of {a} and {b}"),
        (0x99, [a]) => format!("the sign of {a}"),
        (0x9A, [a]) => format!("the absolute value of {a}"),
        (0x9B, [a]) => format!("-({a})"),
        (0x9C, [a]) => format!("({a} + 1)"),
        (0x9D, [a]) => format!("({a} - 1)"),
        (0x90, [a]) => format!("~({a})"),
        (0x8B, [a, b]) => format!("{a} joined with {b}"),
        (0x8C, [a, from, count]) => format!("{count} bytes of {a} from {from} on"),
        (0x8D, [a, count]) => format!("the first {count} bytes of {a}"),
        (0x8E, [a, count]) => format!("the last {count} bytes of {a}"),
        (0xCA, [a]) => format!("the length of {a}"),
        (0xEB, [a]) => format!("the SHA-256 of {a}"),
        (0xEC, [a]) => format!("the SOUL (in smallest units) of {}", the_box(a)),
        (0xEE, []) => "the seconds since the caller last paid the box".to_owned(),
        (0xEF, [a]) => format!("the number of contents of {}", the_box(a)),
        (0xF0, [a]) => format!("the name of {}", the_box(a)),
        (0xF1, [a]) => format!("the box named {a}"),
        (0xF2, _) => "whether that was written".to_owned(),
        (0xF3, [a]) => format!("what reading {} gave", the_box(a)),
        (0xF4, [a]) => format!("what reading {} costs", the_box(a)),
        (0xF5, _) => "whether that was deleted".to_owned(),
        (0xF6, _) => "whether that was replaced".to_owned(),
        (0xF7, _) => "what that content gave".to_owned(),
        (0xF8, _) => "whether that could be made a member".to_owned(),
        (0xF9, _) => "whether that could be taken off the list".to_owned(),
        (0xFA, _) => "the id of the stored content".to_owned(),
        (0xFD, [a]) => format!("the size of the stored content {a}"),
        (0xFF, [a]) => format!("what the box keeps under {a}"),
        _ => {
            let name = Instr::by_byte(op).map_or("?", |row| row.mnemonic);
            format!("{name}({})", words.join(", "))
        }
    }
}

fn infix(op: u8) -> Option<&'static str> {
    Some(match op {
        0x91 => "&",
        0x92 => "|",
        0x93 => "xor",
        0x9E => "+",
        0x9F => "-",
        0xA0 => "*",
        0xA1 => "/",
        0xA2 => "modulo",
        0xB3 => "=",
        0xB5 => "<",
        0xB6 => "<=",
        0xB7 => ">",
        0xB8 => ">=",
        _ => return None,
    })
}

fn the_box(words: &str) -> String {
    if words.chars().all(|c| c.is_ascii_digit()) {
        return format!("box {words}");
    }
    words.to_owned()
}

/// A condition with what it must be.
pub(crate) fn literal(condition: &Value, wanted: bool) -> String {
    let is = if wanted { "is" } else { "is not" };
    match condition {
        Value::State(0, _) => format!("it {is} a write"),
        Value::State(1, _) => format!("it {is} a read"),
        Value::State(2, _) => format!("it {is} a question what reading costs"),
        Value::State(3, _) => format!("the caller {is} the owner"),
        Value::State(8, _) => format!("the caller {is} a member"),
        Value::Op(0x97, operands, _) => match operands.as_slice() {
            [a, b] => match (&**a, &**b) {
                (Value::State(9, _), Value::Bytes(account))
                | (Value::Bytes(account), Value::State(9, _)) => {
                    format!("the caller {is} the account {}", account_name(account))
                }
                _ => format!("{} {is} {}, of the same kind", value(a), value(b)),
            },
            _ => counts(condition, wanted),
        },
        Value::Op(0xB8, operands, _) => match operands.as_slice() {
            [time, period] if matches!(**time, Value::Op(0xEE, ..)) => {
                let ago = small(period).and_then(|p| u64::try_from(p).ok()).map(span);
                match (ago, wanted) {
                    (Some(ago), true) => {
                        format!("the caller has not paid the box for {ago} or longer")
                    }
                    (Some(ago), false) => {
                        format!("the caller paid the box less than {ago} ago")
                    }
                    (None, _) => counts(condition, wanted),
                }
            }
            [now, then] if **now == Value::State(6, 0) => {
                let then = small(then)
                    .and_then(|p| u64::try_from(p).ok())
                    .and_then(moment);
                match (then, wanted) {
                    (Some(then), true) => format!("it is {then} or later"),
                    (Some(then), false) => format!("it is before {then}"),
                    (None, _) => counts(condition, wanted),
                }
            }
            _ => counts(condition, wanted),
        },
        _ => counts(condition, wanted),
    }
}

fn counts(condition: &Value, wanted: bool) -> String {
    let text = value(condition);
    match (condition, wanted) {
        // A comparison is true or false by itself.
        (Value::Op(0xAA..=0xAC | 0xB3..=0xB8 | 0xBB, ..), true) => text,
        (Value::Op(0xAA..=0xAC | 0xB3..=0xB8 | 0xBB, ..), false) => format!("not {text}"),
        (_, true) => format!("{text} counts as true"),
        (_, false) => format!("{text} counts as false"),
    }
}

/// Bytes as text where they are text.
pub(crate) fn bytes(data: &[u8]) -> String {
    match std::str::from_utf8(data) {
        Ok(text) if !data.is_empty() && !text.chars().any(char::is_control) => {
            format!("the text {text:?}")
        }
        _ if data.is_empty() => "no bytes".to_owned(),
        _ => format!("the {} bytes 0x{}", data.len(), hex(data.iter())),
    }
}

/// An account as Neo's tools write it: the hash from its last byte on.
pub(crate) fn account_name(account: &[u8]) -> String {
    format!("0x{}", hex(account.iter().rev()))
}

fn hex<'a>(bytes: impl Iterator<Item = &'a u8>) -> String {
    bytes.fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// An amount of smallest units as SOUL.
pub(crate) fn soul(amount: &Rc<Value>) -> String {
    let Some(units) = small(amount).and_then(|n| u128::try_from(n).ok()) else {
        return format!("{} (in smallest units of SOUL)", value(amount));
    };
    let (whole, rest) = (units / 100_000_000, units % 100_000_000);
    if rest == 0 {
        return format!("{whole} SOUL");
    }
    let rest = format!("{rest:08}");
    format!("{whole}.{} SOUL", rest.trim_end_matches('0'))
}
