//! Stack item types: the operand of `ISTYPE`, `CONVERT` and `NEWARRAY_T`.

/// Null (and "any" in a manifest).
pub const ANY: u8 = 0x00;
/// A pointer made by `PUSHA`.
pub const POINTER: u8 = 0x10;
/// true or false.
pub const BOOLEAN: u8 = 0x20;
/// A signed 256-bit integer.
pub const INTEGER: u8 = 0x21;
/// Immutable bytes.
pub const BYTE_STRING: u8 = 0x28;
/// Mutable bytes.
pub const BUFFER: u8 = 0x30;
/// An array, by reference.
pub const ARRAY: u8 = 0x40;
/// A struct: an array that is copied when stored in another collection.
pub const STRUCT: u8 = 0x41;
/// A map, by reference.
pub const MAP: u8 = 0x48;
/// An object of the node, such as an iterator.
pub const INTEROP: u8 = 0x60;

/// Every type with its name.
pub const ALL: [(u8, &str); 10] = [
    (ANY, "Any"),
    (POINTER, "Pointer"),
    (BOOLEAN, "Boolean"),
    (INTEGER, "Integer"),
    (BYTE_STRING, "ByteString"),
    (BUFFER, "Buffer"),
    (ARRAY, "Array"),
    (STRUCT, "Struct"),
    (MAP, "Map"),
    (INTEROP, "InteropInterface"),
];

/// The name of a type byte.
pub fn name(byte: u8) -> Option<&'static str> {
    ALL.iter().find(|(b, _)| *b == byte).map(|(_, name)| *name)
}
