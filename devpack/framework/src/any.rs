//! [`Any`]: an item whose type the contract does not know.

use crate::array::Array;
use crate::bytes::{Bytes, Text};
use crate::convert::{Mismatch, expect_item};
use crate::hash::{Hash160, Hash256, PublicKey, Signature};
use crate::int::Int;
use crate::item::Item;

/// Any stack item. The `as_..` methods coerce, those of a fixed length from
/// every form of bytes, and fault where that is impossible; the `is_..` methods are ISTYPE.
#[derive(Clone, Debug, PartialEq)]
pub struct Any(Item);

impl Any {
    /// The item as a value of any type (native code only).
    #[must_use]
    pub const fn of(item: Item) -> Any {
        Any(item)
    }

    /// The item (native code only).
    #[must_use]
    pub fn into_raw(self) -> Item {
        self.0
    }

    /// The item (native code only).
    #[must_use]
    pub fn raw(&self) -> &Item {
        &self.0
    }

    /// Null.
    #[must_use]
    pub const fn null() -> Any {
        Any(Item::Null)
    }

    /// Whether it is Null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.is_null()
    }

    /// As a number.
    #[must_use]
    #[track_caller]
    pub fn as_int(&self) -> Int {
        expect_item(self.0.clone())
    }

    /// As bytes.
    #[must_use]
    #[track_caller]
    pub fn as_bytes(&self) -> Bytes {
        expect_item(self.0.clone())
    }

    /// As text.
    #[must_use]
    #[track_caller]
    pub fn as_text(&self) -> Text {
        expect_item(self.0.clone())
    }

    /// As a truth value.
    #[must_use]
    #[track_caller]
    pub fn as_bool(&self) -> bool {
        expect_item(self.0.clone())
    }

    /// As an Array (of an Array or Struct, shared with it).
    #[must_use]
    #[track_caller]
    pub fn as_array(&self) -> Array<Any> {
        expect_item(self.0.clone())
    }

    /// The bytes of any form, if they are as many.
    #[track_caller]
    fn of_length<T>(&self, length: usize, make: fn(Bytes) -> Option<T>) -> T {
        let bytes = self.0.to_byte_string();
        crate::fault::ok_or_fault(
            bytes.and_then(|b| make(b).ok_or_else(|| Mismatch::length(length))),
        )
    }

    /// As 20 bytes.
    #[must_use]
    #[track_caller]
    pub fn as_hash160(&self) -> Hash160 {
        self.of_length(Hash160::LENGTH, Hash160::of_length)
    }

    /// As 32 bytes.
    #[must_use]
    #[track_caller]
    pub fn as_hash256(&self) -> Hash256 {
        self.of_length(Hash256::LENGTH, Hash256::of_length)
    }

    /// As 33 bytes.
    #[must_use]
    #[track_caller]
    pub fn as_public_key(&self) -> PublicKey {
        self.of_length(PublicKey::LENGTH, PublicKey::of_length)
    }

    /// As 64 bytes.
    #[must_use]
    #[track_caller]
    pub fn as_signature(&self) -> Signature {
        self.of_length(Signature::LENGTH, Signature::of_length)
    }

    /// Whether its type is Integer.
    #[must_use]
    pub fn is_int(&self) -> bool {
        matches!(self.0, Item::Integer(_))
    }

    /// Whether its type is Boolean.
    #[must_use]
    pub fn is_bool(&self) -> bool {
        matches!(self.0, Item::Boolean(_))
    }

    /// Whether its type is ByteString.
    #[must_use]
    pub fn is_bytes(&self) -> bool {
        matches!(self.0, Item::ByteString(_))
    }

    /// Whether its type is Buffer.
    #[must_use]
    pub fn is_buffer(&self) -> bool {
        matches!(self.0, Item::Buffer(_))
    }

    /// Whether its type is Array.
    #[must_use]
    pub fn is_array(&self) -> bool {
        matches!(self.0, Item::Array(_))
    }

    /// Whether its type is Struct.
    #[must_use]
    pub fn is_struct(&self) -> bool {
        matches!(self.0, Item::Struct(_))
    }

    /// Whether its type is Map.
    #[must_use]
    pub fn is_map(&self) -> bool {
        matches!(self.0, Item::Map(_))
    }
}
