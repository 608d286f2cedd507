//! Opcodes on bytes. CAT, SUBSTR, LEFT and RIGHT give a Buffer.

use super::{pop_bytes, pop_count, pop_item, push_item};
use crate::fault::{fault, ok_or_fault};
use crate::int::int;
use crate::item::{Item, MAX_ITEM_BYTES, item_type};

/// CAT: ( a b -- ab ).
#[track_caller]
pub fn cat() {
    let (right, left) = (pop_bytes(), pop_bytes());
    let joined = [left.as_slice(), right.as_slice()].concat();
    if joined.len() > MAX_ITEM_BYTES {
        fault(format_args!("too big item: {}", joined.len()));
    }
    push_item(Item::buffer(joined));
}

/// SUBSTR: ( bytes start count -- part ).
#[track_caller]
pub fn substr() {
    let (count, start, bytes) = (pop_count(), pop_count(), pop_bytes());
    let part = start
        .checked_add(count)
        .and_then(|end| bytes.as_slice().get(start..end));
    push_part(part);
}

/// LEFT: ( bytes count -- part ).
#[track_caller]
pub fn left() {
    let (count, bytes) = (pop_count(), pop_bytes());
    push_part(bytes.as_slice().get(..count));
}

/// RIGHT: ( bytes count -- part ).
#[track_caller]
pub fn right() {
    let (count, bytes) = (pop_count(), pop_bytes());
    let start = bytes.as_slice().len().checked_sub(count);
    push_part(start.and_then(|start| bytes.as_slice().get(start..)));
}

#[track_caller]
fn push_part(part: Option<&[u8]>) {
    match part {
        Some(part) => push_item(Item::buffer(part.to_vec())),
        None => fault("part of a byte string is out of range"),
    }
}

/// NEWBUFFER: ( length -- buffer of zeros ).
#[track_caller]
pub fn newbuffer() {
    let length = pop_count();
    if length > MAX_ITEM_BYTES {
        fault(format_args!("too big item: {length}"));
    }
    push_item(Item::buffer(vec![0; length]));
}

/// SIZE: bytes of a primitive, elements of a compound.
#[track_caller]
pub fn size() {
    let item = pop_item();
    let size = match &item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().len(),
        Item::Map(entries) => entries.borrow().len(),
        primitive => ok_or_fault(primitive.to_byte_string()).as_slice().len(),
    };
    push_item(Item::Integer(int(size as i64)));
}

macro_rules! conversion {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name() {
            let item = pop_item();
            push_item(ok_or_fault(item.convert(item_type::$kind)));
        }
    )+};
}

conversion! {
    /// CONVERT to Boolean.
    convert_bool BOOLEAN;
    /// CONVERT to Integer.
    convert_int INTEGER;
    /// CONVERT to ByteString.
    convert_bytes BYTE_STRING;
    /// CONVERT to Buffer.
    convert_buffer BUFFER;
    /// CONVERT to Array.
    convert_array ARRAY;
    /// CONVERT to Struct.
    convert_struct STRUCT;
}

macro_rules! type_test {
    ($($(#[$doc:meta])* $name:ident $kind:ident;)+) => {$(
        $(#[$doc])*
        #[track_caller]
        pub fn $name() {
            let item = pop_item();
            push_item(Item::Boolean(item.type_byte() == item_type::$kind));
        }
    )+};
}

type_test! {
    /// ISTYPE Boolean.
    is_bool BOOLEAN;
    /// ISTYPE Integer.
    is_int INTEGER;
    /// ISTYPE ByteString.
    is_bytes BYTE_STRING;
    /// ISTYPE Buffer.
    is_buffer BUFFER;
    /// ISTYPE Array.
    is_array ARRAY;
    /// ISTYPE Struct.
    is_struct STRUCT;
    /// ISTYPE Map.
    is_map MAP;
}
