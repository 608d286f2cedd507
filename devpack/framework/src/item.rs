//! [`Item`]: a stack item of NeoVM as native code sees it.

use std::cell::RefCell;
use std::rc::Rc;

use crate::bytes::{Bytes, Text};
use crate::fault::fault;
use crate::int::{Int, int};
use crate::iterator::Iterator;

/// Longest ByteString or Buffer, and longest serialized item (`MaxSize`).
pub const MAX_ITEM_BYTES: usize = 131_070;
/// Most items in one array and in one serialized item (`MaxStackSize`).
pub const MAX_ITEMS: usize = 2048;
/// Longest map key in bytes.
pub const MAX_MAP_KEY_BYTES: usize = 64;
/// EQUAL compares at most this many bytes.
pub const MAX_COMPARABLE_BYTES: usize = 65_536;

/// Elements of an Array or Struct, shared by reference.
pub type Cells = Rc<RefCell<Vec<Item>>>;
/// Entries of a Map in insertion order, shared by reference.
pub type Entries = Rc<RefCell<Vec<(Item, Item)>>>;

/// A stack item. Cloning shares Buffer, Array, Struct and Map, as DUP does.
///
/// `==` is for tests: it compares deeply by type and value. NeoVM's EQUAL is
/// [`Item::vm_equal`].
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// No value; also what a method without result gives its caller.
    Null,
    /// True or false.
    Boolean(bool),
    /// A 256-bit number.
    Integer(Int),
    /// Immutable bytes.
    ByteString(Bytes),
    /// Mutable bytes.
    Buffer(Rc<RefCell<Vec<u8>>>),
    /// A list, shared by reference.
    Array(Cells),
    /// A list that is copied when stored into another compound.
    Struct(Cells),
    /// Keys and values in insertion order.
    Map(Entries),
    /// A storage iterator (InteropInterface).
    Iterator(Iterator),
}

/// Type bytes of NeoVM.
pub mod item_type {
    /// Any, the type of Null.
    pub const ANY: u8 = 0x00;
    /// Pointer.
    pub const POINTER: u8 = 0x10;
    /// Boolean.
    pub const BOOLEAN: u8 = 0x20;
    /// Integer.
    pub const INTEGER: u8 = 0x21;
    /// ByteString.
    pub const BYTE_STRING: u8 = 0x28;
    /// Buffer.
    pub const BUFFER: u8 = 0x30;
    /// Array.
    pub const ARRAY: u8 = 0x40;
    /// Struct.
    pub const STRUCT: u8 = 0x41;
    /// Map.
    pub const MAP: u8 = 0x48;
    /// InteropInterface.
    pub const INTEROP: u8 = 0x60;
}

impl Item {
    /// An Integer (native shorthand).
    #[must_use]
    pub fn integer(value: i64) -> Item {
        Item::Integer(int(value))
    }

    /// A ByteString (native shorthand).
    #[must_use]
    pub fn bytes(value: &[u8]) -> Item {
        Item::ByteString(Bytes::from(value))
    }

    /// A ByteString of UTF-8 (native shorthand).
    #[must_use]
    pub fn text(value: &str) -> Item {
        Item::bytes(value.as_bytes())
    }

    /// A new Array.
    #[must_use]
    pub fn array(items: Vec<Item>) -> Item {
        Item::Array(Rc::new(RefCell::new(items)))
    }

    /// A new Struct.
    #[must_use]
    pub fn structure(items: Vec<Item>) -> Item {
        Item::Struct(Rc::new(RefCell::new(items)))
    }

    /// A new Map; later entries do not replace earlier ones.
    #[must_use]
    pub fn map(entries: Vec<(Item, Item)>) -> Item {
        Item::Map(Rc::new(RefCell::new(entries)))
    }

    /// A new Buffer.
    #[must_use]
    pub fn buffer(value: Vec<u8>) -> Item {
        Item::Buffer(Rc::new(RefCell::new(value)))
    }

    /// The type byte.
    #[must_use]
    pub fn type_byte(&self) -> u8 {
        match self {
            Item::Null => item_type::ANY,
            Item::Boolean(_) => item_type::BOOLEAN,
            Item::Integer(_) => item_type::INTEGER,
            Item::ByteString(_) => item_type::BYTE_STRING,
            Item::Buffer(_) => item_type::BUFFER,
            Item::Array(_) => item_type::ARRAY,
            Item::Struct(_) => item_type::STRUCT,
            Item::Map(_) => item_type::MAP,
            Item::Iterator(_) => item_type::INTEROP,
        }
    }

    /// The name of the type, for messages.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Item::Null => "Null",
            Item::Boolean(_) => "Boolean",
            Item::Integer(_) => "Integer",
            Item::ByteString(_) => "ByteString",
            Item::Buffer(_) => "Buffer",
            Item::Array(_) => "Array",
            Item::Struct(_) => "Struct",
            Item::Map(_) => "Map",
            Item::Iterator(_) => "InteropInterface",
        }
    }

    /// Whether it is Null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self, Item::Null)
    }

    /// The text of a ByteString or Buffer, for tests and messages.
    #[must_use]
    pub fn to_text(&self) -> Option<Text> {
        match self {
            Item::ByteString(bytes) => Some(Text::from_bytes(bytes.clone())),
            Item::Buffer(buffer) => Some(Text::from_bytes(buffer.borrow().clone().into())),
            _ => None,
        }
    }

    /// EQUAL: by type and value; Buffer, Array, Map by reference; Struct by
    /// value. A ByteString above 65536 bytes is a fault.
    #[must_use]
    #[track_caller]
    pub fn vm_equal(&self, other: &Item) -> bool {
        let mut bytes_left = MAX_COMPARABLE_BYTES;
        let mut items_left = MAX_ITEMS;
        equal(self, other, &mut bytes_left, &mut items_left)
    }

    /// The copy that SETITEM, APPEND and VALUES make: a Struct is cloned with
    /// its inner Structs, everything else is shared.
    #[must_use]
    pub fn copy_if_struct(&self) -> Item {
        let mut items_left = MAX_ITEMS;
        copy_struct(self, &mut items_left)
    }

    /// A faithful deep copy: nothing mutable is shared with the original.
    #[must_use]
    pub fn deep_copy(&self) -> Item {
        let copy_all = |cells: &Cells| cells.borrow().iter().map(Item::deep_copy).collect();
        match self {
            Item::Buffer(buffer) => Item::buffer(buffer.borrow().clone()),
            Item::Array(cells) => Item::array(copy_all(cells)),
            Item::Struct(cells) => Item::structure(copy_all(cells)),
            Item::Map(entries) => Item::map(
                entries
                    .borrow()
                    .iter()
                    .map(|(key, value)| (key.clone(), value.deep_copy()))
                    .collect(),
            ),
            Item::Null
            | Item::Boolean(_)
            | Item::Integer(_)
            | Item::ByteString(_)
            | Item::Iterator(_) => self.clone(),
        }
    }
}

fn copy_struct(item: &Item, items_left: &mut usize) -> Item {
    let Item::Struct(cells) = item else {
        return item.clone();
    };
    let cells = cells.borrow();
    let copies = cells.iter().map(|cell| {
        let Some(left) = items_left.checked_sub(1) else {
            fault("too many items to copy a struct")
        };
        *items_left = left;
        copy_struct(cell, items_left)
    });
    Item::structure(copies.collect())
}

#[track_caller]
fn equal(left: &Item, right: &Item, bytes_left: &mut usize, items_left: &mut usize) -> bool {
    match (left, right) {
        (Item::ByteString(a), other) => {
            let b = match other {
                Item::ByteString(b) => Some(b.as_slice()),
                _ => None,
            };
            let longest = a.as_slice().len().max(b.map_or(0, <[u8]>::len));
            if longest > *bytes_left || *bytes_left == 0 {
                fault("too big to compare: above 65536 bytes");
            }
            *bytes_left -= if b.is_some() { longest.max(1) } else { 1 };
            b.is_some_and(|b| a.as_slice() == b)
        }
        (Item::Null, Item::Null) => true,
        (Item::Boolean(a), Item::Boolean(b)) => a == b,
        (Item::Integer(a), Item::Integer(b)) => a == b,
        (Item::Buffer(a), Item::Buffer(b)) => Rc::ptr_eq(a, b),
        (Item::Array(a), Item::Array(b)) => Rc::ptr_eq(a, b),
        (Item::Map(a), Item::Map(b)) => Rc::ptr_eq(a, b),
        (Item::Iterator(a), Item::Iterator(b)) => a == b,
        (Item::Struct(a), Item::Struct(b)) => {
            if Rc::ptr_eq(a, b) {
                return true;
            }
            let (a, b) = (a.borrow(), b.borrow());
            a.len() == b.len()
                && a.iter().zip(b.iter()).all(|(a, b)| {
                    let Some(left) = items_left.checked_sub(1) else {
                        fault("too many elements to compare")
                    };
                    *items_left = left;
                    equal(a, b, bytes_left, items_left)
                })
        }
        _ => false,
    }
}
