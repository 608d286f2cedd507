//! What an instruction makes of operands that are known in part.

use super::value::{MAX_ITEM, Value};
use crate::core::ops;

/// The result of an instruction; the operands stand as on the stack, the top last.
pub(super) fn result(op: i64, operands: &[Value]) -> Value {
    match (op, operands) {
        (ops::NOT, [a]) => Value::Bool(a.truth().map(|a| !a)),
        (ops::BOOLAND, [a, b]) => Value::Bool(match (a.truth(), b.truth()) {
            (Some(a), Some(b)) => Some(a && b),
            // A value that is no Boolean faults or counts as one, so a false one decides.
            (Some(false), _) | (_, Some(false)) => Some(false),
            _ => None,
        }),
        (ops::BOOLOR, [a, b]) => Value::Bool(match (a.truth(), b.truth()) {
            (Some(a), Some(b)) => Some(a || b),
            (Some(true), _) | (_, Some(true)) => Some(true),
            _ => None,
        }),
        (ops::EQUAL, [Value::Data(a), Value::Data(b)]) => Value::Bool(Some(a == b)),
        (ops::EQUAL, [Value::Bool(Some(a)), Value::Bool(Some(b))]) => Value::Bool(Some(a == b)),
        (ops::EQUAL, _) => Value::Bool(None),
        (ops::NUMEQUAL, [a, b]) => {
            let both = a.number().zip(b.number());
            Value::Bool(both.map(|(a, b)| a == b))
        }
        (ops::LT, [a, b]) => Value::Bool(below(a, b)),
        (ops::GE, [a, b]) => Value::Bool(not_of_null(a, b, below(a, b))),
        (ops::GT, [a, b]) => Value::Bool(below(b, a)),
        (ops::LE, [a, b]) => Value::Bool(not_of_null(a, b, below(b, a))),
        (ops::WITHIN, [x, low, high]) => {
            let parts = (below(x, low), below(x, high));
            Value::Bool(match parts {
                (Some(under), Some(inside)) => Some(!under && inside),
                _ => None,
            })
        }
        (ops::INVERT | ops::AND | ops::OR | ops::XOR, _) => Value::Int(None, None),
        (ops::SIGN, _) => Value::Int(Some(-1), Some(1)),
        (ops::SIZE, [a]) => match a {
            Value::Data(bytes) => Value::int(bytes.len() as i128),
            other => Value::Int(Some(0), Some(other.max_bytes().into())),
        },
        (ops::ABS..=ops::MOD | ops::MIN | ops::MAX, _) => arithmetic(op, operands),
        (ops::CAT, [a, b]) => Value::Bytes((a.max_bytes() + b.max_bytes()).min(MAX_ITEM)),
        (ops::SUBSTR, [a, _, count]) | (ops::LEFT | ops::RIGHT, [a, count]) => {
            let most = count.limits().1.and_then(|n| u64::try_from(n.max(0)).ok());
            Value::Bytes(most.unwrap_or(MAX_ITEM).min(a.max_bytes()))
        }
        (ops::SHA256 | ops::NAME | ops::ALLOC, _) => Value::Bytes(32),
        (ops::BALANCE | ops::TIME | ops::COUNT | ops::FIND | ops::CSIZE, _) => Value::natural(),
        (ops::PUSH | ops::DELETE | ops::REPLACE | ops::INCLUDE | ops::EXCLUDE, _) => {
            Value::Bool(None)
        }
        // What Neo's storage holds.
        (ops::READ, _) => Value::Bytes(65_535),
        // Also of `INSPECT`, since a gate that refuses makes it leave false.
        _ => Value::Any,
    }
}

/// Whether one number is certainly below another, or certainly not.
fn below(a: &Value, b: &Value) -> Option<bool> {
    let ((a_low, a_high), (b_low, b_high)) = (a.limits(), b.limits());
    match (a_low, a_high, b_low, b_high) {
        (_, Some(a_high), Some(b_low), _) if a_high < b_low => Some(true),
        (Some(a_low), _, _, Some(b_high)) if a_low >= b_high => Some(false),
        _ => None,
    }
}

/// The opposite, unless an operand may be null, of which every comparison is false.
fn not_of_null(a: &Value, b: &Value, answer: Option<bool>) -> Option<bool> {
    if *a == Value::Any || *b == Value::Any {
        return None;
    }
    answer.map(|answer| !answer)
}

fn arithmetic(op: i64, operands: &[Value]) -> Value {
    let limits: Vec<_> = operands.iter().map(Value::limits).collect();
    let (low, high) = match (op, limits.as_slice()) {
        (ops::INC, [(a, b)]) => (plus(*a, Some(1)), plus(*b, Some(1))),
        (ops::DEC, [(a, b)]) => (plus(*a, Some(-1)), plus(*b, Some(-1))),
        (ops::NEGATE, [(a, b)]) => (minus(Some(0), *b), minus(Some(0), *a)),
        (ops::ABS, [(a, b)]) => {
            let most = match (a, b) {
                (Some(a), Some(b)) => a.checked_abs().zip(b.checked_abs()).map(|(a, b)| a.max(b)),
                _ => None,
            };
            (Some(0), most)
        }
        (ops::ADD, [(a, b), (c, d)]) => (plus(*a, *c), plus(*b, *d)),
        (ops::SUB, [(a, b), (c, d)]) => (minus(*a, *d), minus(*b, *c)),
        (ops::MUL, [(Some(a), Some(b)), (Some(c), Some(d))]) => {
            let corners = [(a, c), (a, d), (b, c), (b, d)].map(|(x, y)| x.checked_mul(*y));
            let all: Option<Vec<i128>> = corners.into_iter().collect();
            match all {
                Some(all) => (all.iter().min().copied(), all.iter().max().copied()),
                None => (None, None),
            }
        }
        (ops::DIV, [(Some(a), Some(b)), (Some(c), Some(d))]) if a == b && c == d && *c != 0 => {
            let quotient = a.checked_div(*c);
            (quotient, quotient)
        }
        // Dividing by a number that is not 0 makes nothing larger.
        (ops::DIV, [(Some(a), b), (Some(c), _)]) if *a >= 0 && *c >= 0 => (Some(0), *b),
        (ops::MOD, [(Some(a), b), (_, Some(d))]) if *a >= 0 && *d > 0 => (Some(0), *b),
        // The smaller one is below whichever limit there is.
        (ops::MIN, [(a, b), (c, d)]) => {
            (a.zip(*c).map(|(a, c)| a.min(c)), either(*b, *d, i128::min))
        }
        (ops::MAX, [(a, b), (c, d)]) => {
            (either(*a, *c, i128::max), b.zip(*d).map(|(b, d)| b.max(d)))
        }
        _ => (None, None),
    };
    Value::Int(low, high)
}

fn plus(a: Option<i128>, b: Option<i128>) -> Option<i128> {
    a?.checked_add(b?)
}

fn minus(a: Option<i128>, b: Option<i128>) -> Option<i128> {
    a?.checked_sub(b?)
}

fn either(a: Option<i128>, b: Option<i128>, choose: fn(i128, i128) -> i128) -> Option<i128> {
    match (a, b) {
        (Some(a), Some(b)) => Some(choose(a, b)),
        (one, None) | (None, one) => one,
    }
}
