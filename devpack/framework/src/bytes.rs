//! [`Bytes`] (NeoVM's ByteString) and [`Text`] (the same with the manifest's
//! type String). Both are immutable and cheap to clone.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::rc::Rc;

use crate::fault::fault;
use crate::int::{Int, int};
use crate::item::MAX_ITEM_BYTES;

/// An immutable string of bytes, at most 131070 long.
#[derive(Clone)]
pub struct Bytes(Repr);

#[derive(Clone)]
enum Repr {
    Static(&'static [u8]),
    Shared(Rc<[u8]>),
}

/// A byte string constant: `bytes(b"..")`.
#[must_use]
pub const fn bytes(value: &'static [u8]) -> Bytes {
    Bytes(Repr::Static(value))
}

/// A text constant: `text("..")`.
#[must_use]
pub const fn text(value: &'static str) -> Text {
    Text(bytes(value.as_bytes()))
}

impl Bytes {
    /// The bytes; in a contract only as the scrutinee of a `match`.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        match &self.0 {
            Repr::Static(bytes) => bytes,
            Repr::Shared(bytes) => bytes,
        }
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> Int {
        int(self.as_slice().len() as i64)
    }

    /// True without any byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.as_slice().is_empty()
    }

    /// The byte at `index` as 0..=255; a fault past the end.
    #[must_use]
    #[track_caller]
    pub fn at(&self, index: impl Into<Int>) -> Int {
        let index = index.into();
        match index
            .to_index()
            .and_then(|index| self.as_slice().get(index))
        {
            Some(byte) => int(i64::from(*byte)),
            None => fault(format_args!("index {index} is out of {} bytes", self.len())),
        }
    }

    /// `count` bytes from `start` on; a fault if they are not all there.
    #[must_use]
    #[track_caller]
    pub fn slice(&self, start: impl Into<Int>, count: impl Into<Int>) -> Bytes {
        let (start, count) = (start.into(), count.into());
        let range = start.to_index().zip(count.to_index());
        let part =
            range.and_then(|(start, count)| self.as_slice().get(start..start.checked_add(count)?));
        match part {
            Some(part) => Bytes::from(part),
            None => fault(format_args!(
                "{count} bytes from {start} on are out of {} bytes",
                self.len()
            )),
        }
    }

    /// The first `count` bytes.
    #[must_use]
    #[track_caller]
    pub fn left(&self, count: impl Into<Int>) -> Bytes {
        self.slice(0, count)
    }

    /// The last `count` bytes.
    #[must_use]
    #[track_caller]
    pub fn right(&self, count: impl Into<Int>) -> Bytes {
        let count = count.into();
        self.slice(self.len() - count, count)
    }

    /// Both, one after the other; a fault above 131070 bytes.
    #[must_use]
    #[track_caller]
    pub fn concat(&self, other: &Bytes) -> Bytes {
        let joined = [self.as_slice(), other.as_slice()].concat();
        if joined.len() > MAX_ITEM_BYTES {
            fault(format_args!(
                "item of {} bytes is above {MAX_ITEM_BYTES}",
                joined.len()
            ));
        }
        Bytes::from(joined)
    }

    /// The little-endian signed number; a fault above 32 bytes.
    #[must_use]
    #[track_caller]
    pub fn to_int(&self) -> Int {
        match Int::from_le_bytes(self.as_slice()) {
            Some(value) => value,
            None => fault(format_args!(
                "{} bytes are no integer: at most 32",
                self.len()
            )),
        }
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(value: Vec<u8>) -> Bytes {
        Bytes(Repr::Shared(value.into()))
    }
}

impl From<&[u8]> for Bytes {
    fn from(value: &[u8]) -> Bytes {
        Bytes(Repr::Shared(value.into()))
    }
}

impl<const N: usize> From<[u8; N]> for Bytes {
    fn from(value: [u8; N]) -> Bytes {
        Bytes(Repr::Shared(value.into()))
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Bytes) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl Eq for Bytes {}

impl PartialOrd for Bytes {
    fn partial_cmp(&self, other: &Bytes) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Bytes {
    fn cmp(&self, other: &Bytes) -> std::cmp::Ordering {
        self.as_slice().cmp(other.as_slice())
    }
}

impl Hash for Bytes {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_slice().hash(state);
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.as_slice().escape_ascii())
    }
}

/// A byte string that is meant as UTF-8. NeoVM does not check that, so neither
/// does this type.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text(Bytes);

impl Text {
    /// Takes the bytes as they are.
    #[must_use]
    pub fn from_bytes(bytes: Bytes) -> Text {
        Text(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> Bytes {
        self.0.clone()
    }

    /// Number of bytes (not of characters).
    #[must_use]
    pub fn len(&self) -> Int {
        self.0.len()
    }

    /// True without any byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The byte at `index`; see [`Bytes::at`].
    #[must_use]
    #[track_caller]
    pub fn at(&self, index: impl Into<Int>) -> Int {
        self.0.at(index)
    }

    /// See [`Bytes::slice`]; may cut a character.
    #[must_use]
    #[track_caller]
    pub fn slice(&self, start: impl Into<Int>, count: impl Into<Int>) -> Text {
        Text(self.0.slice(start, count))
    }

    /// See [`Bytes::left`].
    #[must_use]
    #[track_caller]
    pub fn left(&self, count: impl Into<Int>) -> Text {
        Text(self.0.left(count))
    }

    /// See [`Bytes::right`].
    #[must_use]
    #[track_caller]
    pub fn right(&self, count: impl Into<Int>) -> Text {
        Text(self.0.right(count))
    }

    /// See [`Bytes::concat`].
    #[must_use]
    #[track_caller]
    pub fn concat(&self, other: &Text) -> Text {
        Text(self.0.concat(&other.0))
    }

    /// The scrutinee of a `match` with byte-string patterns.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.0.as_slice()
    }
}

impl From<&str> for Text {
    fn from(value: &str) -> Text {
        Text(Bytes::from(value.as_bytes()))
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.as_slice()))
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(self.as_slice()))
    }
}
