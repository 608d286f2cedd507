//! What NeoVM makes of one type where it wants another, and the traits that
//! carry Rust types to items and back.

use std::fmt;

use crate::any::Any;
use crate::bytes::{Bytes, Text};
use crate::fault::fault;
use crate::hash::{Hash160, Hash256, PublicKey, Signature};
use crate::int::{Int, int};
use crate::item::{Item, item_type};
use crate::iterator::Iterator;

/// An item of a type that cannot serve as the wanted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch(String);

impl Mismatch {
    /// With what was wanted and what came.
    #[must_use]
    pub fn new(wanted: &str, item: &Item) -> Mismatch {
        Mismatch(format!("expected {wanted}, got {}", item.type_name()))
    }

    /// Bytes, but not as many as wanted.
    pub(crate) fn length(wanted: usize) -> Mismatch {
        Mismatch(format!("{wanted} bytes"))
    }
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Item {
    /// The implicit cast to Integer: Integer, Boolean, ByteString up to 32 bytes.
    pub fn to_integer(&self) -> Result<Int, Mismatch> {
        match self {
            Item::Integer(value) => Ok(*value),
            Item::Boolean(value) => Ok(int(i64::from(*value))),
            Item::ByteString(bytes) => Int::from_le_bytes(bytes.as_slice()).ok_or_else(|| {
                Mismatch(format!(
                    "expected Integer, got {} bytes (at most 32)",
                    bytes.len()
                ))
            }),
            _ => Err(Mismatch::new("Integer", self)),
        }
    }

    /// The implicit cast to bytes: ByteString, Buffer, Integer, Boolean.
    pub fn to_byte_string(&self) -> Result<Bytes, Mismatch> {
        match self {
            Item::ByteString(bytes) => Ok(bytes.clone()),
            Item::Buffer(buffer) => Ok(Bytes::from(buffer.borrow().as_slice())),
            Item::Integer(value) => Ok(value.to_bytes()),
            Item::Boolean(value) => Ok(Bytes::from([u8::from(*value)])),
            _ => Err(Mismatch::new("ByteString", self)),
        }
    }

    /// The implicit cast to Boolean; only a ByteString above 32 bytes has none.
    pub fn to_boolean(&self) -> Result<bool, Mismatch> {
        match self {
            Item::Null => Ok(false),
            Item::Boolean(value) => Ok(*value),
            Item::Integer(value) => Ok(*value != Int::ZERO),
            Item::ByteString(bytes) if bytes.as_slice().len() > crate::int::MAX_INT_BYTES => {
                Err(Mismatch(format!(
                    "expected Boolean, got {} bytes (at most 32)",
                    bytes.len()
                )))
            }
            Item::ByteString(bytes) => Ok(bytes.as_slice().iter().any(|byte| *byte != 0)),
            Item::Buffer(_)
            | Item::Array(_)
            | Item::Struct(_)
            | Item::Map(_)
            | Item::Iterator(_) => Ok(true),
        }
    }

    /// CONVERT to the type of that byte.
    pub fn convert(&self, target: u8) -> Result<Item, Mismatch> {
        let refused = || {
            Mismatch(format!(
                "cannot convert {} to type {target:#04x}",
                self.type_name()
            ))
        };
        if target == item_type::ANY {
            return Err(refused());
        }
        if self.is_null() {
            return Ok(Item::Null);
        }
        if self.type_byte() == target {
            return Ok(self.clone());
        }
        if target == item_type::BOOLEAN {
            return self.to_boolean().map(Item::Boolean);
        }
        match (self, target) {
            (
                Item::Boolean(_) | Item::Integer(_) | Item::ByteString(_) | Item::Buffer(_),
                item_type::BYTE_STRING,
            ) => self.to_byte_string().map(Item::ByteString),
            (Item::Boolean(_) | Item::Integer(_) | Item::ByteString(_), item_type::BUFFER) => {
                Ok(Item::buffer(self.to_byte_string()?.as_slice().to_vec()))
            }
            (Item::Boolean(_) | Item::ByteString(_), item_type::INTEGER) => {
                self.to_integer().map(Item::Integer)
            }
            (Item::Buffer(buffer), item_type::INTEGER) => Int::from_le_bytes(&buffer.borrow())
                .map(Item::Integer)
                .ok_or_else(refused),
            (Item::Array(cells), item_type::STRUCT) => Ok(Item::structure(cells.borrow().clone())),
            (Item::Struct(cells), item_type::ARRAY) => Ok(Item::array(cells.borrow().clone())),
            _ => Err(refused()),
        }
    }
}

/// The manifest's name of a type, e.g. `Hash160`.
pub trait ItemType {
    /// As it stands in a manifest.
    const TYPE: &'static str;
}

/// A value that has a stack item.
pub trait IntoItem {
    /// The item of the value.
    fn into_item(self) -> Item;
}

/// A value that can be made of a stack item; also the coercion of exported
/// parameters.
pub trait FromItem: Sized {
    /// The value of the item.
    fn from_item(item: Item) -> Result<Self, Mismatch>;
}

/// `.into_any()` for everything that has an item.
pub trait IntoAny: IntoItem + Sized {
    /// The value as an item of any type.
    fn into_any(self) -> Any {
        Any::of(self.into_item())
    }
}

impl<T: IntoItem> IntoAny for T {}

/// Coerces the argument `name` of an exported method, or faults with its name.
#[must_use]
#[track_caller]
pub fn argument<T: FromItem>(item: Item, name: &str) -> T {
    match T::from_item(item) {
        Ok(value) => value,
        Err(mismatch) => fault(format_args!("{name}: {mismatch}")),
    }
}

/// The value of an item that a contract reads back; a fault if it has none.
#[must_use]
#[track_caller]
pub fn expect_item<T: FromItem>(item: Item) -> T {
    crate::fault::ok_or_fault(T::from_item(item))
}

/// The bytes of a ByteString; other items are not converted where a length is asked for.
fn plain(item: Item) -> Option<Bytes> {
    match item {
        Item::ByteString(bytes) => Some(bytes),
        _ => None,
    }
}

macro_rules! convertible {
    ($($type:ty, $manifest:literal, $value:ident => $into:expr, $item:ident => $from:expr;)+) => {$(
        impl ItemType for $type {
            const TYPE: &'static str = $manifest;
        }
        impl IntoItem for $type {
            fn into_item(self) -> Item {
                let $value = self;
                $into
            }
        }
        impl FromItem for $type {
            fn from_item($item: Item) -> Result<Self, Mismatch> {
                $from
            }
        }
        impl From<$type> for Any {
            fn from(value: $type) -> Any {
                Any::of(value.into_item())
            }
        }
    )+};
}

convertible! {
    Int, "Integer", value => Item::Integer(value), item => item.to_integer();
    bool, "Boolean", value => Item::Boolean(value), item => item.to_boolean();
    Bytes, "ByteArray", value => Item::ByteString(value), item => item.to_byte_string();
    Text, "String", value => Item::ByteString(value.as_bytes()),
        item => item.to_byte_string().map(Text::from_bytes);
    Hash160, "Hash160", value => Item::ByteString(value.as_bytes()),
        item => plain(item).and_then(Hash160::of_length).ok_or_else(|| Mismatch::length(Hash160::LENGTH));
    Hash256, "Hash256", value => Item::ByteString(value.as_bytes()),
        item => plain(item).and_then(Hash256::of_length).ok_or_else(|| Mismatch::length(Hash256::LENGTH));
    PublicKey, "PublicKey", value => Item::ByteString(value.as_bytes()),
        item => plain(item).and_then(PublicKey::of_length).ok_or_else(|| Mismatch::length(PublicKey::LENGTH));
    Signature, "Signature", value => Item::ByteString(value.as_bytes()),
        item => plain(item).and_then(Signature::of_length).ok_or_else(|| Mismatch::length(Signature::LENGTH));
    Iterator, "InteropInterface", value => Item::Iterator(value), item => match item {
        Item::Iterator(iterator) => Ok(iterator),
        other => Err(Mismatch::new("Iterator", &other)),
    };
}

impl ItemType for () {
    const TYPE: &'static str = "Void";
}

impl IntoItem for () {
    fn into_item(self) -> Item {
        Item::Null
    }
}

impl ItemType for Any {
    const TYPE: &'static str = "Any";
}

impl IntoItem for Any {
    fn into_item(self) -> Item {
        Any::into_raw(self)
    }
}

impl FromItem for Any {
    fn from_item(item: Item) -> Result<Any, Mismatch> {
        Ok(Any::of(item))
    }
}

impl IntoItem for Item {
    fn into_item(self) -> Item {
        self
    }
}

impl FromItem for Item {
    fn from_item(item: Item) -> Result<Item, Mismatch> {
        Ok(item)
    }
}

impl From<i64> for Any {
    fn from(value: i64) -> Any {
        Any::of(Item::integer(value))
    }
}

impl<T: ItemType> ItemType for Option<T> {
    const TYPE: &'static str = T::TYPE;
}

impl<T: IntoItem> IntoItem for Option<T> {
    fn into_item(self) -> Item {
        self.map_or(Item::Null, T::into_item)
    }
}

impl<T: FromItem> FromItem for Option<T> {
    fn from_item(item: Item) -> Result<Option<T>, Mismatch> {
        if item.is_null() {
            Ok(None)
        } else {
            T::from_item(item).map(Some)
        }
    }
}

impl<T: IntoItem> From<Option<T>> for Any {
    fn from(value: Option<T>) -> Any {
        Any::of(value.into_item())
    }
}

/// Without a value the item is the error, or Null; else a Struct of 0 and the value or 1 and the error.
fn is_bare<T: ItemType>() -> bool {
    T::TYPE == <() as ItemType>::TYPE
}

impl<T, E> ItemType for Result<T, E> {
    const TYPE: &'static str = "Any";
}

impl<T: IntoItem + ItemType, E: IntoItem> IntoItem for Result<T, E> {
    fn into_item(self) -> Item {
        match self {
            Ok(value) if is_bare::<T>() => value.into_item(),
            Err(error) if is_bare::<T>() => error.into_item(),
            Ok(value) => Item::structure(vec![Item::integer(0), value.into_item()]),
            Err(error) => Item::structure(vec![Item::integer(1), error.into_item()]),
        }
    }
}

impl FromItem for () {
    fn from_item(item: Item) -> Result<(), Mismatch> {
        match item {
            Item::Null => Ok(()),
            other => Err(Mismatch::new("Null", &other)),
        }
    }
}

impl<T: FromItem + ItemType, E: FromItem> FromItem for Result<T, E> {
    fn from_item(item: Item) -> Result<Self, Mismatch> {
        if is_bare::<T>() {
            return match item {
                Item::Null => T::from_item(item).map(Ok),
                error => E::from_item(error).map(Err),
            };
        }
        let mut parts = fields(item, 2)?.into_iter();
        let tag = parts.next().unwrap_or(Item::Null).to_integer()?;
        let value = parts.next().unwrap_or(Item::Null);
        if tag == 0 {
            T::from_item(value).map(Ok)
        } else {
            E::from_item(value).map(Err)
        }
    }
}

impl<T: IntoItem + ItemType, E: IntoItem> From<Result<T, E>> for Any {
    fn from(value: Result<T, E>) -> Any {
        Any::of(value.into_item())
    }
}

macro_rules! tuple {
    ($count:literal: $($type:ident $value:ident),+) => {
        impl<$($type),+> ItemType for ($($type,)+) {
            const TYPE: &'static str = "Array";
        }
        impl<$($type: IntoItem),+> IntoItem for ($($type,)+) {
            fn into_item(self) -> Item {
                let ($($value,)+) = self;
                Item::structure(vec![$($value.into_item()),+])
            }
        }
        impl<$($type: FromItem),+> FromItem for ($($type,)+) {
            fn from_item(item: Item) -> Result<Self, Mismatch> {
                let mut fields = fields(item, $count)?.into_iter();
                Ok(($($type::from_item(fields.next().unwrap_or(Item::Null))?,)+))
            }
        }
        impl<$($type: IntoItem),+> From<($($type,)+)> for Any {
            fn from(value: ($($type,)+)) -> Any {
                Any::of(value.into_item())
            }
        }
    };
}

tuple!(2: A a, B b);
tuple!(3: A a, B b, C c);
tuple!(4: A a, B b, C c, D d);
tuple!(5: A a, B b, C c, D d, E e);
tuple!(6: A a, B b, C c, D d, E e, F f);

/// The elements of an Array or Struct of at least `count` items.
pub fn fields(item: Item, count: usize) -> Result<Vec<Item>, Mismatch> {
    match item {
        Item::Array(cells) | Item::Struct(cells) if cells.borrow().len() >= count => {
            Ok(cells.borrow().clone())
        }
        Item::Array(_) | Item::Struct(_) => {
            Err(Mismatch(format!("expected an Array of {count} items")))
        }
        other => Err(Mismatch::new("Array", &other)),
    }
}
