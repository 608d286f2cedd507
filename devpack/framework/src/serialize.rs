//! NeoVM's binary format of items, as `StdLib.serialize` writes it into
//! storage: a type byte, then the value; lengths are Neo's variable integers.

use std::fmt;
use std::rc::Rc;

use crate::bytes::Bytes;
use crate::int::{Int, MAX_INT_BYTES};
use crate::item::{Item, MAX_ITEM_BYTES, MAX_ITEMS, item_type};

/// Why an item has no bytes, or bytes no item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SerializeError {
    /// The item contains itself.
    Recursive,
    /// An iterator has no bytes.
    Interop,
    /// More than 131070 bytes.
    TooBig,
    /// More than 2048 items.
    TooManyItems,
    /// The bytes end inside an item.
    Truncated,
    /// A length above its limit.
    Length(u64),
    /// No type has this byte.
    Type(u8),
    /// A compound cannot be a map key.
    Key,
}

impl fmt::Display for SerializeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SerializeError::Recursive => f.write_str("recursive structures can't be serialized"),
            SerializeError::Interop => f.write_str("interop item can't be serialized"),
            SerializeError::TooBig => f.write_str("serialized item is above 131070 bytes"),
            SerializeError::TooManyItems => f.write_str("too many elements: above 2048"),
            SerializeError::Truncated => f.write_str("serialized item ends too early"),
            SerializeError::Length(length) => write!(f, "length {length} is too big"),
            SerializeError::Type(byte) => write!(f, "unknown item type {byte:#04x}"),
            SerializeError::Key => f.write_str("a compound item cannot be a map key"),
        }
    }
}

impl std::error::Error for SerializeError {}

/// The bytes of an item.
pub fn serialize(item: &Item) -> Result<Vec<u8>, SerializeError> {
    let mut writer = Writer {
        out: Vec::new(),
        items_left: MAX_ITEMS,
        open: Vec::new(),
    };
    writer.item(item)?;
    Ok(writer.out)
}

/// The item of the bytes; what follows it is ignored, as the node does.
pub fn deserialize(bytes: &[u8]) -> Result<Item, SerializeError> {
    if bytes.len() > MAX_ITEM_BYTES {
        return Err(SerializeError::TooBig);
    }
    Reader {
        rest: bytes,
        items_left: MAX_ITEMS,
    }
    .item()
}

struct Writer {
    out: Vec<u8>,
    items_left: usize,
    /// Addresses of the compounds around the current item.
    open: Vec<usize>,
}

impl Writer {
    fn item(&mut self, item: &Item) -> Result<(), SerializeError> {
        self.items_left = self
            .items_left
            .checked_sub(1)
            .ok_or(SerializeError::TooManyItems)?;
        self.out.push(item.type_byte());
        match item {
            Item::Null => {}
            Item::Boolean(value) => self.out.push(u8::from(*value)),
            Item::Integer(value) => self.var_bytes(&value.to_minimal_bytes()),
            Item::ByteString(bytes) => self.var_bytes(bytes.as_slice()),
            Item::Buffer(buffer) => self.var_bytes(&buffer.borrow()),
            Item::Array(cells) | Item::Struct(cells) => {
                self.enter(Rc::as_ptr(cells) as usize)?;
                let cells = cells.borrow();
                self.var_uint(cells.len());
                cells.iter().try_for_each(|cell| self.item(cell))?;
                self.open.pop();
            }
            Item::Map(entries) => {
                self.enter(Rc::as_ptr(entries) as usize)?;
                let entries = entries.borrow();
                self.var_uint(entries.len());
                for (key, value) in entries.iter() {
                    self.item(key)?;
                    self.item(value)?;
                }
                self.open.pop();
            }
            Item::Iterator(_) => return Err(SerializeError::Interop),
        }
        if self.out.len() > MAX_ITEM_BYTES {
            Err(SerializeError::TooBig)
        } else {
            Ok(())
        }
    }

    fn enter(&mut self, address: usize) -> Result<(), SerializeError> {
        if self.open.contains(&address) {
            return Err(SerializeError::Recursive);
        }
        self.open.push(address);
        Ok(())
    }

    fn var_bytes(&mut self, bytes: &[u8]) {
        self.var_uint(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    fn var_uint(&mut self, value: usize) {
        match value {
            0..=0xfc => self.out.push(value as u8),
            0xfd..=0xffff => {
                self.out.push(0xfd);
                self.out.extend_from_slice(&(value as u16).to_le_bytes());
            }
            _ => {
                self.out.push(0xfe);
                self.out.extend_from_slice(&(value as u32).to_le_bytes());
            }
        }
    }
}

struct Reader<'a> {
    rest: &'a [u8],
    items_left: usize,
}

impl<'a> Reader<'a> {
    fn item(&mut self) -> Result<Item, SerializeError> {
        self.items_left = self
            .items_left
            .checked_sub(1)
            .ok_or(SerializeError::TooManyItems)?;
        let [kind] = *self.array::<1>()?;
        match kind {
            item_type::ANY => Ok(Item::Null),
            item_type::BOOLEAN => Ok(Item::Boolean(*self.array::<1>()? != [0])),
            item_type::INTEGER => {
                let bytes = self.var_bytes(MAX_INT_BYTES)?;
                Int::from_le_bytes(bytes)
                    .map(Item::Integer)
                    .ok_or(SerializeError::Length(bytes.len() as u64))
            }
            item_type::BYTE_STRING => Ok(Item::ByteString(Bytes::from(
                self.var_bytes(MAX_ITEM_BYTES)?,
            ))),
            item_type::BUFFER => Ok(Item::buffer(self.var_bytes(MAX_ITEM_BYTES)?.to_vec())),
            item_type::ARRAY => self.items().map(Item::array),
            item_type::STRUCT => self.items().map(Item::structure),
            item_type::MAP => self.map(),
            other => Err(SerializeError::Type(other)),
        }
    }

    fn items(&mut self) -> Result<Vec<Item>, SerializeError> {
        let count = self.length(MAX_ITEMS)?;
        (0..count).map(|_| self.item()).collect()
    }

    fn map(&mut self) -> Result<Item, SerializeError> {
        let count = self.length(MAX_ITEMS)?;
        let mut entries: Vec<(Item, Item)> = Vec::new();
        for _ in 0..count {
            let key = self.item()?;
            let fits = match &key {
                Item::Boolean(_) | Item::Integer(_) => true,
                Item::ByteString(bytes) => bytes.as_slice().len() <= crate::item::MAX_MAP_KEY_BYTES,
                _ => false,
            };
            if !fits {
                return Err(SerializeError::Key);
            }
            let value = self.item()?;
            match entries.iter_mut().find(|(present, _)| *present == key) {
                Some(entry) => entry.1 = value,
                None => entries.push((key, value)),
            }
        }
        Ok(Item::map(entries))
    }

    fn var_bytes(&mut self, limit: usize) -> Result<&'a [u8], SerializeError> {
        let length = self.length(limit)?;
        let (taken, rest) = self
            .rest
            .split_at_checked(length)
            .ok_or(SerializeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn length(&mut self, limit: usize) -> Result<usize, SerializeError> {
        let [first] = *self.array::<1>()?;
        let value = match first {
            0xfd => u64::from(u16::from_le_bytes(*self.array()?)),
            0xfe => u64::from(u32::from_le_bytes(*self.array()?)),
            0xff => u64::from_le_bytes(*self.array()?),
            small => u64::from(small),
        };
        match usize::try_from(value) {
            Ok(length) if length <= limit => Ok(length),
            _ => Err(SerializeError::Length(value)),
        }
    }

    fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], SerializeError> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(SerializeError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }
}
