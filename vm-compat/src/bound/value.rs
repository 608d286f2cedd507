//! What is known of an item on the stack before the script runs.

use std::rc::Rc;

/// The longest item of NeoVM, in bytes.
pub(super) const MAX_ITEM: u64 = 131_070;

/// An item, as far as it is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// A number between these, both included; none for no limit.
    Int(Option<i128>, Option<i128>),
    /// True or false.
    Bool(Option<bool>),
    /// A ByteString that is known.
    Data(Rc<[u8]>),
    /// Bytes, at most so many.
    Bytes(u64),
    /// Anything.
    Any,
}

impl Value {
    /// A number that is known.
    pub(super) fn int(number: i128) -> Value {
        Value::Int(Some(number), Some(number))
    }

    /// Some number that is not negative.
    pub(super) fn natural() -> Value {
        Value::Int(Some(0), None)
    }

    /// Bytes that are known.
    pub(super) fn data(bytes: &[u8]) -> Value {
        Value::Data(bytes.into())
    }

    /// Its limits as a number.
    pub(super) fn limits(&self) -> (Option<i128>, Option<i128>) {
        match self {
            Value::Int(low, high) => (*low, *high),
            Value::Bool(Some(value)) => (Some(i128::from(*value)), Some(i128::from(*value))),
            Value::Bool(None) => (Some(0), Some(1)),
            Value::Data(bytes) => {
                let number = small(bytes);
                (number, number)
            }
            Value::Bytes(_) | Value::Any => (None, None),
        }
    }

    /// The number that it certainly is.
    pub(super) fn number(&self) -> Option<i128> {
        match self.limits() {
            (Some(low), Some(high)) if low == high => Some(low),
            _ => None,
        }
    }

    /// Whether it certainly counts as true, or as false.
    pub(super) fn truth(&self) -> Option<bool> {
        match self {
            Value::Bool(value) => *value,
            Value::Data(bytes) if bytes.len() <= 32 => Some(bytes.iter().any(|b| *b != 0)),
            Value::Int(low, high) => match (low, high) {
                (Some(0), Some(0)) => Some(false),
                (Some(low), _) if *low > 0 => Some(true),
                (_, Some(high)) if *high < 0 => Some(true),
                _ => None,
            },
            Value::Data(_) | Value::Bytes(_) | Value::Any => None,
        }
    }

    /// Most bytes that it has as a byte string.
    pub(super) fn max_bytes(&self) -> u64 {
        match self {
            Value::Int(..) => 32,
            Value::Bool(_) => 1,
            Value::Data(bytes) => bytes.len() as u64,
            Value::Bytes(most) => *most,
            Value::Any => MAX_ITEM,
        }
    }

    /// Whether it can be the Integer that this is.
    pub(super) fn can_be_int(&self, number: i128) -> bool {
        match self {
            Value::Int(low, high) => {
                low.is_none_or(|low| low <= number) && high.is_none_or(|high| number <= high)
            }
            Value::Any => true,
            Value::Bool(_) | Value::Data(_) | Value::Bytes(_) => false,
        }
    }

    /// What is known if it is one of two.
    pub(super) fn or(&self, other: &Value) -> Value {
        if self == other {
            return self.clone();
        }
        match (self, other) {
            (Value::Int(a, b), Value::Int(c, d)) => Value::Int(
                a.zip(*c).map(|(a, c)| a.min(c)),
                b.zip(*d).map(|(b, d)| b.max(d)),
            ),
            (Value::Bool(_), Value::Bool(_)) => Value::Bool(None),
            (Value::Data(_) | Value::Bytes(_), Value::Data(_) | Value::Bytes(_)) => {
                Value::Bytes(self.max_bytes().max(other.max_bytes()))
            }
            _ => Value::Any,
        }
    }
}

/// A byte string as a number, if it is short.
fn small(bytes: &[u8]) -> Option<i128> {
    if bytes.len() > 16 {
        return None;
    }
    let fill = if bytes.last().is_some_and(|b| b & 0x80 != 0) {
        0xFF
    } else {
        0
    };
    let mut number = [fill; 16];
    for (to, from) in number.iter_mut().zip(bytes) {
        *to = *from;
    }
    Some(i128::from_le_bytes(number))
}

/// An operand of 1 to 32 bytes as a number.
pub(super) fn operand(bytes: &[u8]) -> Value {
    let short = bytes.get(..16).unwrap_or(bytes);
    let fill = if bytes.last().is_some_and(|b| b & 0x80 != 0) {
        0xFF
    } else {
        0
    };
    let extends = short
        .last()
        .is_some_and(|b| (b & 0x80 != 0) == (fill == 0xFF));
    let fits = bytes.iter().skip(16).all(|b| *b == fill) && extends;
    match small(short) {
        Some(number) if fits => Value::int(number),
        _ => Value::Int(None, None),
    }
}
