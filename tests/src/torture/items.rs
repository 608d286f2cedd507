//! A native item as the node would show it.

use std::cell::RefCell;

use neo_client::{Interop, StackItem};
use neo_framework::chain::Item;
use num_bigint::BigInt;

/// The same value as the node's JSON would bring it. An iterator is only known to be one.
pub fn as_node_shows(item: &Item) -> StackItem {
    let list = |cells: &RefCell<Vec<Item>>| cells.borrow().iter().map(as_node_shows).collect();
    match item {
        Item::Null => StackItem::Null,
        Item::Boolean(value) => StackItem::Boolean(*value),
        Item::Integer(value) => {
            StackItem::Integer(BigInt::from_signed_bytes_le(&value.to_minimal_bytes()))
        }
        Item::ByteString(value) => StackItem::ByteString(value.as_slice().to_vec()),
        Item::Buffer(value) => StackItem::Buffer(value.borrow().clone()),
        Item::Array(cells) => StackItem::Array(list(cells)),
        Item::Struct(cells) => StackItem::Struct(list(cells)),
        Item::Map(entries) => {
            let pairs = entries.borrow();
            let shown = pairs
                .iter()
                .map(|(k, v)| (as_node_shows(k), as_node_shows(v)));
            StackItem::Map(shown.collect())
        }
        Item::Iterator(_) => StackItem::Interop(Interop::default()),
    }
}
