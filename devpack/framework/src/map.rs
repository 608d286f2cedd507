//! [`Map`]: NeoVM's Map, which keeps the order of insertion.

use std::cell::RefCell;
use std::fmt;
use std::marker::PhantomData;
use std::rc::Rc;

use crate::any::Any;
use crate::array::Array;
use crate::bytes::{Bytes, Text};
use crate::convert::{FromItem, IntoItem, ItemType, Mismatch, expect_item};
use crate::fault::fault;
use crate::hash::{Hash160, Hash256, PublicKey};
use crate::int::{Int, int};
use crate::item::{Entries, Item, MAX_ITEMS, MAX_MAP_KEY_BYTES};

/// A type that can be a key: its item is a Boolean, Integer or ByteString.
pub trait MapKey: IntoItem + FromItem + Clone {}

impl MapKey for Int {}
impl MapKey for bool {}
impl MapKey for Bytes {}
impl MapKey for Text {}
impl MapKey for Hash160 {}
impl MapKey for Hash256 {}
impl MapKey for PublicKey {}

/// Keys and values in order of insertion; replacing a value keeps its place.
pub struct Map<K, V> {
    entries: Entries,
    types: PhantomData<(K, V)>,
}

impl<K: MapKey, V: IntoItem + FromItem> Map<K, V> {
    /// An empty map.
    #[must_use]
    #[allow(clippy::new_without_default)]
    pub fn new() -> Map<K, V> {
        Map {
            entries: Entries::default(),
            types: PhantomData,
        }
    }

    /// Number of entries.
    #[must_use]
    pub fn len(&self) -> Int {
        int(self.entries.borrow().len() as i64)
    }

    /// True without any entry.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.borrow().is_empty()
    }

    /// A copy of the value of the key.
    #[must_use]
    #[track_caller]
    pub fn get(&self, key: &K) -> Option<V>
    where
        V: Clone,
    {
        let at = self.position(key)?;
        let item = self.entries.borrow()[at].1.clone();
        Some(expect_item::<V>(item).clone())
    }

    /// Whether there is such a key.
    #[must_use]
    #[track_caller]
    pub fn has(&self, key: &K) -> bool {
        self.position(key).is_some()
    }

    /// Sets the value of the key; a fault for keys above 64 bytes and above
    /// 2048 items (a key and a value each count).
    #[track_caller]
    pub fn set(&mut self, key: K, value: V) {
        let item = value.into_item().copy_if_struct();
        match self.position(&key) {
            Some(at) => self.entries.borrow_mut()[at].1 = item,
            None if self.entries.borrow().len() >= MAX_ITEMS / 2 => {
                fault(format_args!("stack is too big: above {MAX_ITEMS} items"))
            }
            None => self.entries.borrow_mut().push((key.into_item(), item)),
        }
    }

    /// Removes the key, if it is there.
    #[track_caller]
    pub fn remove(&mut self, key: &K) {
        if let Some(at) = self.position(key) {
            self.entries.borrow_mut().remove(at);
        }
    }

    /// The keys in order.
    #[must_use]
    pub fn keys(&self) -> Array<K> {
        let keys = self
            .entries
            .borrow()
            .iter()
            .map(|(key, _)| key.clone())
            .collect();
        expect_item(Item::array(keys))
    }

    /// The values in order; structs are copied.
    #[must_use]
    pub fn values(&self) -> Array<V> {
        let values = self
            .entries
            .borrow()
            .iter()
            .map(|(_, value)| value.copy_if_struct())
            .collect();
        expect_item(Item::array(values))
    }

    #[track_caller]
    fn position(&self, key: &K) -> Option<usize> {
        let key = checked_key(key.clone().into_item());
        self.entries
            .borrow()
            .iter()
            .position(|(present, _)| present.vm_equal(&key))
    }
}

/// The item if it may be a key of a Map, else a fault.
#[track_caller]
pub(crate) fn checked_key(key: Item) -> Item {
    match &key {
        Item::Boolean(_) | Item::Integer(_) => key,
        Item::ByteString(bytes) if bytes.as_slice().len() <= MAX_MAP_KEY_BYTES => key,
        Item::ByteString(bytes) => fault(format_args!(
            "map key of {} bytes is above {MAX_MAP_KEY_BYTES}",
            bytes.len()
        )),
        other => fault(format_args!("{} cannot be a map key", other.type_name())),
    }
}

impl<K: MapKey, V: IntoItem + FromItem + Clone> Clone for Map<K, V> {
    fn clone(&self) -> Map<K, V> {
        let entries = self.entries.borrow();
        let copies = entries.iter().map(|(key, value)| {
            let original: V = expect_item(value.clone());
            (key.clone(), original.clone().into_item())
        });
        Map {
            entries: Rc::new(RefCell::new(copies.collect())),
            types: PhantomData,
        }
    }
}

impl<K, V> fmt::Debug for Map<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(
                self.entries
                    .borrow()
                    .iter()
                    .map(|(key, value)| (key, value)),
            )
            .finish()
    }
}

impl<K, V> ItemType for Map<K, V> {
    const TYPE: &'static str = "Map";
}

impl<K, V> IntoItem for Map<K, V> {
    fn into_item(self) -> Item {
        Item::Map(self.entries)
    }
}

impl<K, V> FromItem for Map<K, V> {
    fn from_item(item: Item) -> Result<Map<K, V>, Mismatch> {
        match item {
            Item::Map(entries) => Ok(Map {
                entries,
                types: PhantomData,
            }),
            other => Err(Mismatch::new("Map", &other)),
        }
    }
}

impl<K, V> From<Map<K, V>> for Any {
    fn from(value: Map<K, V>) -> Any {
        Any::of(value.into_item())
    }
}
