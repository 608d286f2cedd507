//! Arguments of contract methods.

use num_bigint::BigInt;

use crate::{Hash160, Hash256, PublicKey, StackItem};

/// An argument, by the type names of the manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ContractParam {
    /// Null.
    Any,
    Boolean(bool),
    Integer(BigInt),
    ByteArray(Vec<u8>),
    String(String),
    Hash160(Hash160),
    Hash256(Hash256),
    PublicKey(PublicKey),
    Signature([u8; 64]),
    Array(Vec<ContractParam>),
    Map(Vec<(ContractParam, ContractParam)>),
}

impl ContractParam {
    /// Bytes of any length.
    pub fn bytes(data: impl Into<Vec<u8>>) -> Self {
        Self::ByteArray(data.into())
    }
}

macro_rules! from {
    ($($kind:ident: $($source:ty),+;)+) => {$($(
        impl From<$source> for ContractParam {
            fn from(value: $source) -> Self {
                Self::$kind(value.into())
            }
        }
    )+)+};
}

from! {
    Boolean: bool;
    Integer: i32, i64, i128, u8, u16, u32, u64, u128, BigInt;
    ByteArray: Vec<u8>, &[u8];
    String: &str, String;
    Hash160: Hash160;
    Hash256: Hash256;
    PublicKey: PublicKey;
    Signature: [u8; 64];
    Array: Vec<ContractParam>;
}

impl From<usize> for ContractParam {
    fn from(value: usize) -> Self {
        Self::Integer(BigInt::from(value))
    }
}

impl From<&BigInt> for ContractParam {
    fn from(value: &BigInt) -> Self {
        Self::Integer(value.clone())
    }
}

impl<T: Into<ContractParam>> From<Option<T>> for ContractParam {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Any, Into::into)
    }
}

/// A result of one call as argument of the next. Iterators and pointers cannot be passed: they become Null.
impl From<StackItem> for ContractParam {
    fn from(item: StackItem) -> Self {
        match item {
            StackItem::Null | StackItem::Pointer(_) | StackItem::Interop(_) => Self::Any,
            StackItem::Boolean(value) => Self::Boolean(value),
            StackItem::Integer(value) => Self::Integer(value),
            StackItem::ByteString(data) | StackItem::Buffer(data) => Self::ByteArray(data),
            StackItem::Array(items) | StackItem::Struct(items) => {
                Self::Array(items.into_iter().map(Into::into).collect())
            }
            StackItem::Map(entries) => Self::Map(
                entries
                    .into_iter()
                    .map(|(k, v)| (k.into(), v.into()))
                    .collect(),
            ),
        }
    }
}
