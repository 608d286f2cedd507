//! Values of the node's and of the native kind, into each other.

use std::cell::RefCell;

use neo_client::{ContractParam, Interop, StackItem};
use neo_framework::Int;
use neo_framework::chain::Item;
use num_bigint::BigInt;

/// An argument as the contract receives it. A number beyond 256 bits has none on any chain and becomes Null.
pub(super) fn from_param(param: &ContractParam) -> Item {
    match param {
        ContractParam::Any => Item::Null,
        ContractParam::Boolean(value) => Item::Boolean(*value),
        ContractParam::Integer(value) => {
            let number = Int::from_le_bytes(&value.to_signed_bytes_le());
            number.map_or(Item::Null, Item::Integer)
        }
        ContractParam::ByteArray(bytes) => Item::bytes(bytes),
        ContractParam::String(text) => Item::text(text),
        ContractParam::Hash160(hash) => Item::bytes(&hash.0),
        ContractParam::Hash256(hash) => Item::bytes(&hash.0),
        ContractParam::PublicKey(key) => Item::bytes(&key.0),
        ContractParam::Signature(signature) => Item::bytes(signature),
        ContractParam::Array(items) => Item::array(items.iter().map(from_param).collect()),
        ContractParam::Map(entries) => {
            let entries = entries.iter().map(|(k, v)| (from_param(k), from_param(v)));
            Item::map(entries.collect())
        }
    }
}

/// A native item as a node would show it; of an iterator only that it is one.
#[must_use]
pub fn to_stack_item(item: &Item) -> StackItem {
    let list = |cells: &RefCell<Vec<Item>>| cells.borrow().iter().map(to_stack_item).collect();
    match item {
        Item::Null => StackItem::Null,
        Item::Boolean(value) => StackItem::Boolean(*value),
        Item::Integer(value) => {
            StackItem::Integer(BigInt::from_signed_bytes_le(&value.to_minimal_bytes()))
        }
        Item::ByteString(bytes) => StackItem::ByteString(bytes.as_slice().to_vec()),
        Item::Buffer(bytes) => StackItem::Buffer(bytes.borrow().clone()),
        Item::Array(cells) => StackItem::Array(list(cells)),
        Item::Struct(cells) => StackItem::Struct(list(cells)),
        Item::Map(entries) => {
            let entries = entries.borrow();
            let pairs = entries
                .iter()
                .map(|(k, v)| (to_stack_item(k), to_stack_item(v)));
            StackItem::Map(pairs.collect())
        }
        Item::Iterator(_) => StackItem::Interop(Interop::default()),
    }
}
