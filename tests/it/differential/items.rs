//! One value in three forms: argument for the node, argument for the native chain, result of either.

use neo_client::{ContractParam, StackItem};
use neo_framework::chain::Item;
use num_bigint::BigInt;

/// An argument.
#[derive(Clone, Debug)]
pub(super) enum Arg {
    Null,
    Bool(bool),
    Int(i128),
    Bytes(Vec<u8>),
    List(Vec<Arg>),
}

impl Arg {
    pub(super) fn for_node(&self) -> ContractParam {
        match self {
            Arg::Null => ContractParam::Any,
            Arg::Bool(value) => ContractParam::Boolean(*value),
            Arg::Int(value) => ContractParam::Integer(BigInt::from(*value)),
            Arg::Bytes(value) => ContractParam::ByteArray(value.clone()),
            Arg::List(items) => ContractParam::Array(items.iter().map(Arg::for_node).collect()),
        }
    }

    pub(super) fn for_native(&self) -> Item {
        match self {
            Arg::Null => Item::Null,
            Arg::Bool(value) => Item::Boolean(*value),
            Arg::Int(value) => Item::Integer(neo_framework::Int::from_i128(*value)),
            Arg::Bytes(value) => Item::bytes(value),
            Arg::List(items) => Item::array(items.iter().map(Arg::for_native).collect()),
        }
    }
}

/// A native item as the node would show it. An iterator is only known to be one.
pub(super) fn as_node_shows(item: &Item) -> StackItem {
    let list =
        |cells: &std::cell::RefCell<Vec<Item>>| cells.borrow().iter().map(as_node_shows).collect();
    match item {
        Item::Null => StackItem::Null,
        Item::Boolean(value) => StackItem::Boolean(*value),
        Item::Integer(value) => {
            StackItem::Integer(BigInt::from_signed_bytes_le(value.to_bytes().as_slice()))
        }
        Item::ByteString(value) => StackItem::ByteString(value.as_slice().to_vec()),
        Item::Buffer(value) => StackItem::Buffer(value.borrow().clone()),
        Item::Array(cells) => StackItem::Array(list(cells)),
        Item::Struct(cells) => StackItem::Struct(list(cells)),
        Item::Map(entries) => {
            let pairs = entries.borrow();
            StackItem::Map(
                pairs
                    .iter()
                    .map(|(k, v)| (as_node_shows(k), as_node_shows(v)))
                    .collect(),
            )
        }
        Item::Iterator(_) => StackItem::Interop(neo_client::Interop::default()),
    }
}

/// The node's result without what a native run cannot have: a session's name for an iterator.
pub(super) fn without_session(item: StackItem) -> StackItem {
    match item {
        StackItem::Interop(_) => StackItem::Interop(neo_client::Interop::default()),
        other => other,
    }
}
