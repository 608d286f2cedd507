//! Values of NeoVM as JSON-RPC shows them.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

use crate::{Hash160, Hash256, PublicKey};

/// Arrays in arrays. serde_json itself stops at 128 levels of JSON, of which an item takes two or more.
const MAX_DEPTH: usize = 64;

/// A value left by a script, told by a notification, or handed to a method.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackItem {
    Null,
    /// An offset in a script.
    Pointer(u64),
    Boolean(bool),
    Integer(BigInt),
    ByteString(Vec<u8>),
    Buffer(Vec<u8>),
    Array(Vec<StackItem>),
    Struct(Vec<StackItem>),
    /// In order of insertion.
    Map(Vec<(StackItem, StackItem)>),
    Interop(Interop),
}

/// A value of the node itself; the only one seen outside is an iterator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Interop {
    /// "IIterator" for an iterator.
    pub interface: String,
    /// To be continued with `traverse_iterator`, when the node keeps sessions.
    pub id: Option<String>,
    /// The first values, from a node without sessions.
    pub values: Vec<StackItem>,
    /// More values were there than the node wanted to send.
    pub truncated: bool,
}

/// Why a value is not what was asked for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemError {
    #[error("expected {expected}, found {found}")]
    Type {
        expected: &'static str,
        found: String,
    },
    #[error("not a stack item: {reason} in {json}")]
    Json { reason: String, json: String },
}

impl StackItem {
    /// Reads `{"type": .., "value": ..}`.
    pub fn from_json(json: &Value) -> Result<Self, ItemError> {
        from_json(json, 0)
    }

    /// The form that [`StackItem::from_json`] reads.
    pub fn to_json(&self) -> Value {
        let list = |items: &[Self]| items.iter().map(Self::to_json).collect::<Vec<_>>();
        match self {
            Self::Null => json!({"type": "Any"}),
            Self::Pointer(offset) => json!({"type": "Pointer", "value": offset.to_string()}),
            Self::Boolean(value) => json!({"type": "Boolean", "value": value}),
            Self::Integer(value) => json!({"type": "Integer", "value": value.to_string()}),
            Self::ByteString(data) => json!({"type": "ByteString", "value": BASE64.encode(data)}),
            Self::Buffer(data) => json!({"type": "Buffer", "value": BASE64.encode(data)}),
            Self::Array(items) => json!({"type": "Array", "value": list(items)}),
            Self::Struct(items) => json!({"type": "Struct", "value": list(items)}),
            Self::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(k, v)| json!({"key": k.to_json(), "value": v.to_json()}));
                json!({"type": "Map", "value": entries.collect::<Vec<_>>()})
            }
            Self::Interop(interop) => {
                let mut json = json!({"type": "InteropInterface", "interface": interop.interface});
                match &interop.id {
                    Some(id) => json["id"] = json!(id),
                    None => {
                        json["iterator"] = json!(list(&interop.values));
                        json["truncated"] = json!(interop.truncated);
                    }
                }
                json
            }
        }
    }

    /// An Integer, or what NeoVM reads as one: a Boolean, a ByteString of up to 32 bytes.
    pub fn as_integer(&self) -> Result<BigInt, ItemError> {
        match self {
            Self::Integer(value) => Ok(value.clone()),
            Self::Boolean(value) => Ok(BigInt::from(u8::from(*value))),
            Self::ByteString(data) if data.len() <= 32 => Ok(BigInt::from_signed_bytes_le(data)),
            other => Err(other.is_not("an integer")),
        }
    }

    /// As [`StackItem::as_integer`], within 64 bits.
    pub fn as_i64(&self) -> Result<i64, ItemError> {
        self.as_integer()?
            .to_i64()
            .ok_or_else(|| self.is_not("an integer of 64 bits"))
    }

    /// As [`StackItem::as_integer`], not negative and within 64 bits.
    pub fn as_u64(&self) -> Result<u64, ItemError> {
        self.as_integer()?
            .to_u64()
            .ok_or_else(|| self.is_not("an integer of 64 bits, not negative"))
    }

    /// A ByteString or Buffer, or an Integer's or Boolean's bytes.
    pub fn as_bytes(&self) -> Result<Vec<u8>, ItemError> {
        match self {
            Self::ByteString(data) | Self::Buffer(data) => Ok(data.clone()),
            Self::Integer(value) if *value == BigInt::ZERO => Ok(Vec::new()),
            Self::Integer(value) => Ok(value.to_signed_bytes_le()),
            Self::Boolean(value) => Ok(vec![u8::from(*value)]),
            other => Err(other.is_not("bytes")),
        }
    }

    /// Bytes that are UTF-8.
    pub fn as_text(&self) -> Result<String, ItemError> {
        String::from_utf8(self.as_bytes()?).map_err(|_| self.is_not("UTF-8 text"))
    }

    /// What NeoVM takes for true: not zero, not empty, every compound.
    pub fn as_bool(&self) -> Result<bool, ItemError> {
        match self {
            Self::Null => Ok(false),
            Self::Boolean(value) => Ok(*value),
            Self::Integer(value) => Ok(*value != BigInt::ZERO),
            Self::ByteString(data) if data.len() > 32 => Err(self.is_not("a boolean")),
            Self::ByteString(data) => Ok(data.iter().any(|byte| *byte != 0)),
            Self::Pointer(_)
            | Self::Buffer(_)
            | Self::Array(_)
            | Self::Struct(_)
            | Self::Map(_)
            | Self::Interop(_) => Ok(true),
        }
    }

    /// Members of an Array or Struct.
    pub fn as_array(&self) -> Result<&[StackItem], ItemError> {
        match self {
            Self::Array(items) | Self::Struct(items) => Ok(items),
            other => Err(other.is_not("an array")),
        }
    }

    /// Entries of a Map.
    pub fn as_map(&self) -> Result<&[(StackItem, StackItem)], ItemError> {
        match self {
            Self::Map(entries) => Ok(entries),
            other => Err(other.is_not("a map")),
        }
    }

    pub fn as_hash160(&self) -> Result<Hash160, ItemError> {
        Hash160::from_slice(&self.as_bytes()?).ok_or_else(|| self.is_not("a hash of 20 bytes"))
    }

    pub fn as_hash256(&self) -> Result<Hash256, ItemError> {
        Hash256::from_slice(&self.as_bytes()?).ok_or_else(|| self.is_not("a hash of 32 bytes"))
    }

    pub fn as_public_key(&self) -> Result<PublicKey, ItemError> {
        PublicKey::from_slice(&self.as_bytes()?)
            .map_err(|_| self.is_not("a public key of 33 bytes"))
    }

    /// An iterator, to be read with `RpcClient::read_iterator`.
    pub fn as_iterator(&self) -> Result<&Interop, ItemError> {
        match self {
            Self::Interop(interop) => Ok(interop),
            other => Err(other.is_not("an iterator")),
        }
    }

    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    fn is_not(&self, expected: &'static str) -> ItemError {
        ItemError::Type {
            expected,
            found: shortened(&self.to_json()),
        }
    }
}

impl<'de> Deserialize<'de> for StackItem {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Self::from_json(&Value::deserialize(input)?).map_err(D::Error::custom)
    }
}

fn from_json(json: &Value, depth: usize) -> Result<StackItem, ItemError> {
    let wrong = |reason: &str| ItemError::Json {
        reason: reason.to_owned(),
        json: shortened(json),
    };
    if depth > MAX_DEPTH {
        return Err(wrong("nested too deeply"));
    }
    let kind = json
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| wrong("no type"))?;
    let value = json.get("value").unwrap_or(&Value::Null);
    let list = |value: &Value| -> Result<Vec<StackItem>, ItemError> {
        let items = value.as_array().ok_or_else(|| wrong("no array"))?;
        items
            .iter()
            .map(|item| from_json(item, depth + 1))
            .collect()
    };
    let bytes = || {
        let text = value.as_str().ok_or_else(|| wrong("no base64 text"))?;
        BASE64.decode(text).map_err(|_| wrong("bad base64"))
    };
    match kind {
        "Any" => Ok(StackItem::Null),
        "Boolean" => value
            .as_bool()
            .map(StackItem::Boolean)
            .ok_or_else(|| wrong("no boolean")),
        "Integer" => integer(value)
            .map(StackItem::Integer)
            .ok_or_else(|| wrong("no integer")),
        "Pointer" => {
            let offset = integer(value).and_then(|offset| offset.to_u64());
            offset
                .map(StackItem::Pointer)
                .ok_or_else(|| wrong("no offset"))
        }
        "ByteString" => bytes().map(StackItem::ByteString),
        "Buffer" => bytes().map(StackItem::Buffer),
        "Array" => list(value).map(StackItem::Array),
        "Struct" => list(value).map(StackItem::Struct),
        "Map" => {
            let entries = value.as_array().ok_or_else(|| wrong("no entries"))?;
            let entry = |entry: &Value| {
                let part = |name| {
                    entry
                        .get(name)
                        .ok_or_else(|| wrong("an entry without key or value"))
                };
                Ok((
                    from_json(part("key")?, depth + 1)?,
                    from_json(part("value")?, depth + 1)?,
                ))
            };
            entries
                .iter()
                .map(entry)
                .collect::<Result<_, _>>()
                .map(StackItem::Map)
        }
        "InteropInterface" => Ok(StackItem::Interop(Interop {
            interface: json
                .get("interface")
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned(),
            id: json.get("id").and_then(Value::as_str).map(str::to_owned),
            values: json.get("iterator").map_or(Ok(Vec::new()), list)?,
            truncated: json
                .get("truncated")
                .and_then(Value::as_bool)
                .unwrap_or(false),
        })),
        _ => Err(wrong("unknown type")),
    }
}

/// Numbers come as decimal text; small ones may be plain.
fn integer(value: &Value) -> Option<BigInt> {
    match value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.as_i64().map(BigInt::from),
        _ => None,
    }
}

/// JSON for a message: at most 200 characters.
fn shortened(json: &Value) -> String {
    let text = json.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item() -> impl Strategy<Value = StackItem> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..40);
        let leaf = prop_oneof![
            Just(StackItem::Null),
            any::<u64>().prop_map(StackItem::Pointer),
            any::<bool>().prop_map(StackItem::Boolean),
            prop::collection::vec(any::<u8>(), 0..33)
                .prop_map(|b| StackItem::Integer(BigInt::from_signed_bytes_le(&b))),
            bytes().prop_map(StackItem::ByteString),
            bytes().prop_map(StackItem::Buffer),
            "[a-f0-9-]{1,36}".prop_map(|id| StackItem::Interop(Interop {
                interface: "IIterator".into(),
                id: Some(id),
                ..Interop::default()
            })),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            let list = || prop::collection::vec(inner.clone(), 0..5);
            prop_oneof![
                list().prop_map(StackItem::Array),
                list().prop_map(StackItem::Struct),
                prop::collection::vec((inner.clone(), inner.clone()), 0..4)
                    .prop_map(StackItem::Map),
                list().prop_map(|values| StackItem::Interop(Interop {
                    values,
                    ..Interop::default()
                })),
            ]
        })
    }

    fn json() -> impl Strategy<Value = Value> {
        let name = || {
            prop::sample::select(vec![
                "type",
                "value",
                "key",
                "id",
                "iterator",
                "interface",
                "x",
            ])
        };
        let kind = prop::sample::select(vec![
            "Any",
            "Integer",
            "Array",
            "Map",
            "Buffer",
            "InteropInterface",
            "Zip",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            kind.prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(6, 64, 6, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::hash_map(name().prop_map(str::to_owned), inner, 0..5)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    #[test]
    fn a_nested_answer_of_a_node_is_read() {
        let item = StackItem::from_json(&json!({"type": "Struct", "value": [
            {"type": "Integer", "value": "57896044618658097711785492504343953926634992332820282019728792003956564819967"},
            {"type": "Map", "value": [{"key": {"type": "ByteString", "value": "YQ=="}, "value": {"type": "Any"}}]},
        ]}));
        let item = item.unwrap();
        let members = item.as_array().unwrap();
        assert_eq!(
            members[0].as_integer().unwrap(),
            (BigInt::from(1) << 255) - 1
        );
        assert_eq!(members[1].as_map().unwrap()[0].0.as_text().unwrap(), "a");
        assert!(members[1].as_map().unwrap()[0].1.is_null());
    }

    #[test]
    fn a_wrong_type_says_what_was_there() {
        let error = StackItem::Null.as_integer().unwrap_err().to_string();
        assert_eq!(error, r#"expected an integer, found {"type":"Any"}"#);
        assert!(StackItem::Integer((-1).into()).as_u64().is_err());
        assert!(StackItem::ByteString(vec![0; 33]).as_integer().is_err());
    }

    #[test]
    fn nesting_without_end_is_refused() {
        let mut json = json!({"type": "Any"});
        for _ in 0..MAX_DEPTH + 1 {
            json = json!({"type": "Array", "value": [json]});
        }
        assert!(
            StackItem::from_json(&json)
                .unwrap_err()
                .to_string()
                .contains("deep")
        );
    }

    proptest! {
        #[test]
        fn items_survive_json(item in item()) {
            prop_assert_eq!(StackItem::from_json(&item.to_json()).unwrap(), item);
        }

        #[test]
        fn arbitrary_json_never_panics(json in json()) {
            if let Ok(item) = StackItem::from_json(&json) {
                let _ = (item.as_integer(), item.as_text(), item.as_bool(), item.as_hash160(), item.as_public_key());
            }
        }
    }
}
