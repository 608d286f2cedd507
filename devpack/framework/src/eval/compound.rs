//! Opcodes on Array, Struct and Map.

use super::{pop_count, pop_int, pop_item, push_item, underflow, with};
use crate::fault::{fault, ok_or_fault};
use crate::int::int;
use crate::item::{Item, MAX_ITEM_BYTES, MAX_ITEMS};
use crate::map::checked_key;

/// NEWARRAY0.
#[track_caller]
pub fn newarray0() {
    push_item(Item::array(Vec::new()));
}

/// NEWARRAY: ( n -- array of n Nulls ).
#[track_caller]
pub fn newarray() {
    push_item(Item::array(nulls()));
}

/// NEWSTRUCT0.
#[track_caller]
pub fn newstruct0() {
    push_item(Item::structure(Vec::new()));
}

/// NEWSTRUCT: ( n -- struct of n Nulls ).
#[track_caller]
pub fn newstruct() {
    push_item(Item::structure(nulls()));
}

#[track_caller]
fn nulls() -> Vec<Item> {
    let count = pop_count();
    if count > MAX_ITEMS {
        fault(format_args!("wrong number of elements: {count}"));
    }
    vec![Item::Null; count]
}

/// NEWMAP.
#[track_caller]
pub fn newmap() {
    push_item(Item::map(Vec::new()));
}

/// PACK: ( .. element0 n -- array ); the item under the count is element 0.
#[track_caller]
pub fn pack() {
    push_item(Item::array(packed()));
}

/// PACKSTRUCT.
#[track_caller]
pub fn packstruct() {
    push_item(Item::structure(packed()));
}

#[track_caller]
fn packed() -> Vec<Item> {
    let count = pop_count();
    with(|stack| match stack.len().checked_sub(count) {
        Some(first) => {
            let mut items = stack.split_off(first);
            items.reverse();
            items
        }
        None => underflow(),
    })
}

/// UNPACK: ( compound -- .. element0 n ); of a Map values below their keys.
#[track_caller]
pub fn unpack() {
    let item = pop_item();
    let count = match &item {
        Item::Array(cells) | Item::Struct(cells) => {
            cells
                .borrow()
                .iter()
                .rev()
                .for_each(|cell| push_item(cell.clone()));
            cells.borrow().len()
        }
        Item::Map(entries) => {
            for (key, value) in entries.borrow().iter().rev() {
                push_item(value.clone());
                push_item(key.clone());
            }
            entries.borrow().len()
        }
        other => fault(format_args!("UNPACK of {}", other.type_name())),
    };
    push_item(Item::Integer(int(count as i64)));
}

/// APPEND: ( array item -- ); a Struct is copied.
#[track_caller]
pub fn append() {
    let item = pop_item().copy_if_struct();
    match pop_item() {
        Item::Array(cells) | Item::Struct(cells) if cells.borrow().len() < MAX_ITEMS => {
            cells.borrow_mut().push(item)
        }
        Item::Array(_) | Item::Struct(_) => {
            fault(format_args!("stack is too big: above {MAX_ITEMS} items"))
        }
        other => fault(format_args!("APPEND to {}", other.type_name())),
    }
}

/// PICKITEM: ( compound-or-bytes key -- element ).
#[track_caller]
pub fn pickitem() {
    let key = checked_key(pop_item());
    let found = match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => {
            let index = index_of(&key);
            index.and_then(|index| cells.borrow().get(index).cloned())
        }
        Item::Map(entries) => entries
            .borrow()
            .iter()
            .find(|(present, _)| present.vm_equal(&key))
            .map(|(_, value)| value.clone()),
        primitive => {
            let bytes = ok_or_fault(primitive.to_byte_string());
            let byte = index_of(&key).and_then(|index| bytes.as_slice().get(index).copied());
            byte.map(|byte| Item::Integer(int(i64::from(byte))))
        }
    };
    match found {
        Some(item) => push_item(item),
        None => fault(format_args!("PICKITEM: {key:?} is out of range")),
    }
}

/// SETITEM: ( compound-or-buffer key item -- ); a Struct is copied.
#[track_caller]
pub fn setitem() {
    let item = pop_item().copy_if_struct();
    let key = checked_key(pop_item());
    let out_of_range = || fault(format_args!("SETITEM: {key:?} is out of range"));
    match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => {
            match index_of(&key)
                .and_then(|index| cells.borrow_mut().get_mut(index).map(|cell| *cell = item))
            {
                Some(()) => {}
                None => out_of_range(),
            }
        }
        Item::Map(entries) => {
            let mut entries = entries.borrow_mut();
            match entries
                .iter_mut()
                .find(|(present, _)| present.vm_equal(&key))
            {
                Some(entry) => entry.1 = item,
                None => entries.push((key, item)),
            }
        }
        Item::Buffer(buffer) => {
            let value = ok_or_fault(item.to_integer())
                .to_i64()
                .filter(|value| (-128..=255).contains(value));
            let Some(value) = value else {
                fault("SETITEM: invalid value of a byte")
            };
            match index_of(&key).and_then(|index| {
                buffer
                    .borrow_mut()
                    .get_mut(index)
                    .map(|byte| *byte = value as u8)
            }) {
                Some(()) => {}
                None => out_of_range(),
            }
        }
        other => fault(format_args!("SETITEM on {}", other.type_name())),
    }
}

/// REMOVE: ( compound key -- ); an absent key of a Map is nothing.
#[track_caller]
pub fn remove() {
    let key = checked_key(pop_item());
    match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => {
            let length = cells.borrow().len();
            match index_of(&key).filter(|index| *index < length) {
                Some(index) => std::mem::drop(cells.borrow_mut().remove(index)),
                None => fault("REMOVE: invalid index"),
            }
        }
        Item::Map(entries) => entries
            .borrow_mut()
            .retain(|(present, _)| !present.vm_equal(&key)),
        other => fault(format_args!("REMOVE from {}", other.type_name())),
    }
}

/// HASKEY: ( compound key -- whether it has it ); an index is in 0..131070.
#[track_caller]
pub fn haskey() {
    let key = checked_key(pop_item());
    let has = match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => has_index(&key, cells.borrow().len()),
        Item::Buffer(buffer) => has_index(&key, buffer.borrow().len()),
        Item::ByteString(bytes) => has_index(&key, bytes.as_slice().len()),
        Item::Map(entries) => entries
            .borrow()
            .iter()
            .any(|(present, _)| present.vm_equal(&key)),
        other => fault(format_args!("HASKEY of {}", other.type_name())),
    };
    push_item(Item::Boolean(has));
}

#[track_caller]
fn has_index(key: &Item, length: usize) -> bool {
    // Gorgon and later: an index that no item can have is a fault.
    match index_of(key) {
        Some(index) if index < MAX_ITEM_BYTES => index < length,
        _ => fault("HASKEY: negative or too large index"),
    }
}

#[track_caller]
fn index_of(key: &Item) -> Option<usize> {
    ok_or_fault(key.to_integer()).to_index()
}

/// KEYS: ( map -- array of its keys ).
#[track_caller]
pub fn keys() {
    match pop_item() {
        Item::Map(entries) => {
            push_item(Item::array(
                entries
                    .borrow()
                    .iter()
                    .map(|(key, _)| key.clone())
                    .collect(),
            ));
        }
        other => fault(format_args!("KEYS of {}", other.type_name())),
    }
}

/// VALUES: ( compound -- array of its values ); Structs are copied.
#[track_caller]
pub fn values() {
    let values = match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => {
            cells.borrow().iter().map(Item::copy_if_struct).collect()
        }
        Item::Map(entries) => entries
            .borrow()
            .iter()
            .map(|(_, value)| value.copy_if_struct())
            .collect(),
        other => fault(format_args!("VALUES of {}", other.type_name())),
    };
    push_item(Item::array(values));
}

/// CLEARITEMS: ( compound -- ).
#[track_caller]
pub fn clearitems() {
    match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow_mut().clear(),
        Item::Map(entries) => entries.borrow_mut().clear(),
        other => fault(format_args!("CLEARITEMS of {}", other.type_name())),
    }
}

/// POPITEM: ( array -- its last element ).
#[track_caller]
pub fn popitem() {
    let last = match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow_mut().pop(),
        other => fault(format_args!("POPITEM of {}", other.type_name())),
    };
    match last {
        Some(item) => push_item(item),
        None => fault("POPITEM of an empty array"),
    }
}

/// REVERSEITEMS: ( array-or-buffer -- ).
#[track_caller]
pub fn reverseitems() {
    match pop_item() {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow_mut().reverse(),
        Item::Buffer(buffer) => buffer.borrow_mut().reverse(),
        other => fault(format_args!("REVERSEITEMS of {}", other.type_name())),
    }
}

/// MEMCPY: ( buffer destination source-bytes start count -- ).
#[track_caller]
pub fn memcpy() {
    let count = pop_count();
    let start = pop_count();
    let source = super::pop_bytes();
    let to = pop_int().to_index();
    let Item::Buffer(buffer) = pop_item() else {
        fault("MEMCPY: the destination is no Buffer")
    };
    let mut buffer = buffer.borrow_mut();
    let part = start
        .checked_add(count)
        .and_then(|end| source.as_slice().get(start..end));
    let place = to.and_then(|to| buffer.get_mut(to..to.checked_add(count)?));
    match part.zip(place) {
        Some((part, place)) => place.copy_from_slice(part),
        None => fault("MEMCPY: size is too big"),
    }
}
