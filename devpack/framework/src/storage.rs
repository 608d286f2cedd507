//! The contract's own storage (`System.Storage.Local.*`).
//!
//! Keys have at most 64 bytes, values at most 65535; more is a fault.

use crate::bytes::Bytes;
use crate::chain::current::{self, CallFlags};
use crate::convert::expect_item;
use crate::fault::{fault, ok_or_fault};
use crate::int::Int;
use crate::item::Item;
use crate::iterator::Iterator;
use crate::serialize;

/// Longest key in bytes.
pub const MAX_KEY_BYTES: usize = 64;
/// Longest value in bytes.
pub const MAX_VALUE_BYTES: usize = 65_535;

/// `find`: entries are Structs of key and value.
pub const NONE: i64 = 0;
/// `find`: entries are keys.
pub const KEYS_ONLY: i64 = 1;
/// `find`: keys come without the prefix.
pub const REMOVE_PREFIX: i64 = 2;
/// `find`: entries are values.
pub const VALUES_ONLY: i64 = 4;
/// `find`: values are deserialized.
pub const DESERIALIZE_VALUES: i64 = 8;
/// `find`: of each deserialized value the field 0.
pub const PICK_FIELD0: i64 = 16;
/// `find`: of each deserialized value the field 1.
pub const PICK_FIELD1: i64 = 32;
/// `find`: greatest key first.
pub const BACKWARDS: i64 = 128;

/// The value of the key.
#[must_use]
#[track_caller]
pub fn get(key: &Bytes) -> Option<Bytes> {
    checked_key(key);
    current::with(CallFlags::READ_STATES, |state| {
        let contract = state.frame().contract.clone();
        state
            .storage
            .read(&contract, key.as_slice())
            .map(Bytes::from)
    })
}

/// Sets the value of the key.
#[track_caller]
pub fn put(key: &Bytes, value: &Bytes) {
    checked_key(key);
    if value.as_slice().len() > MAX_VALUE_BYTES {
        fault(format_args!(
            "storage value of {} bytes is above {MAX_VALUE_BYTES}",
            value.len()
        ));
    }
    current::with(CallFlags::WRITE_STATES, |state| {
        let contract = state.frame().contract.clone();
        state
            .storage
            .set(&contract, key.as_slice(), Some(value.as_slice().to_vec()));
    });
}

/// Removes the key, if it is there.
#[track_caller]
pub fn delete(key: &Bytes) {
    checked_key(key);
    current::with(CallFlags::WRITE_STATES, |state| {
        let contract = state.frame().contract.clone();
        state.storage.set(&contract, key.as_slice(), None);
    });
}

/// The value of the key as a number, 0 if absent.
#[must_use]
#[track_caller]
pub fn get_int(key: &Bytes) -> Int {
    get(key).map_or(Int::ZERO, |value| value.to_int())
}

/// Sets the value of the key to the bytes of a number.
#[track_caller]
pub fn put_int(key: &Bytes, value: impl Into<Int>) {
    put(key, &value.into().to_bytes());
}

/// The entries whose key starts with `prefix`, in byte order of the keys, as
/// they are now. `options` is a sum of the constants of this module; one that
/// contradicts itself is a fault.
#[must_use]
#[track_caller]
pub fn find(prefix: &Bytes, options: impl Into<Int>) -> Iterator {
    checked_key(prefix);
    let options = checked_options(options.into());
    let entries = current::with(CallFlags::READ_STATES, |state| {
        let contract = state.frame().contract.clone();
        state.storage.with_prefix(&contract, prefix.as_slice())
    });
    let prefix_length = prefix.as_slice().len();
    let mut items: Vec<Item> = entries
        .into_iter()
        .map(|(key, value)| entry(options, prefix_length, &key, &value))
        .collect();
    if options & BACKWARDS != 0 {
        items.reverse();
    }
    Iterator::over(items)
}

fn entry(options: i64, prefix_length: usize, key: &[u8], value: &[u8]) -> Item {
    let skipped = if options & REMOVE_PREFIX != 0 {
        prefix_length
    } else {
        0
    };
    let key = Item::bytes(key.get(skipped..).unwrap_or_default());
    if options & KEYS_ONLY != 0 {
        return key;
    }
    let mut value = Item::bytes(value);
    if options & DESERIALIZE_VALUES != 0 {
        value = ok_or_fault(
            value
                .to_byte_string()
                .map(|bytes| ok_or_fault(serialize::deserialize(bytes.as_slice()))),
        );
    }
    let field = match options & (PICK_FIELD0 | PICK_FIELD1) {
        0 => None,
        PICK_FIELD0 => Some(0),
        _ => Some(1),
    };
    if let Some(field) = field {
        let fields: crate::Array<crate::Any> = expect_item(value);
        value = fields.get(field).into_raw();
    }
    if options & VALUES_ONLY != 0 {
        value
    } else {
        Item::structure(vec![key, value])
    }
}

#[track_caller]
fn checked_key(key: &Bytes) {
    if key.as_slice().len() > MAX_KEY_BYTES {
        fault(format_args!(
            "storage key of {} bytes is above {MAX_KEY_BYTES}",
            key.len()
        ));
    }
}

/// The rules of `System.Storage.Find` for its options.
#[track_caller]
fn checked_options(options: Int) -> i64 {
    const ALL: i64 = KEYS_ONLY
        | REMOVE_PREFIX
        | VALUES_ONLY
        | DESERIALIZE_VALUES
        | PICK_FIELD0
        | PICK_FIELD1
        | BACKWARDS;
    let bits = options.small();
    let has = |flag: i64| bits & flag != 0;
    let contradiction = bits & !ALL != 0
        || (has(KEYS_ONLY)
            && (has(VALUES_ONLY)
                || has(DESERIALIZE_VALUES)
                || has(PICK_FIELD0)
                || has(PICK_FIELD1)))
        || (has(VALUES_ONLY) && (has(KEYS_ONLY) || has(REMOVE_PREFIX)))
        || (has(PICK_FIELD0) && has(PICK_FIELD1))
        || ((has(PICK_FIELD0) || has(PICK_FIELD1)) && !has(DESERIALIZE_VALUES));
    if contradiction {
        fault(format_args!("invalid Find options {options}"));
    }
    bits
}
