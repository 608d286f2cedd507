//! The native contract StdLib.

use crate::any::Any;
use crate::bytes::{Bytes, Text};
use crate::chain::current;
use crate::fault::{fault, ok_or_fault};
use crate::hash::{Hash160, hash160};
use crate::int::{Int, int};
use crate::item::MAX_ITEM_BYTES;
use crate::serialize as binary;

/// The contract, in script order.
pub const HASH: Hash160 =
    hash160(b"\xc0\xef\x39\xce\xe0\xe4\xe9\x25\xc6\xc2\xa0\x6a\x79\xe1\x44\x0d\xd8\x6f\xce\xac");

/// Longest text that StdLib takes.
pub const MAX_INPUT_BYTES: usize = 1024;

/// NeoVM's binary format of the item.
#[must_use]
#[track_caller]
pub fn serialize(item: &Any) -> Bytes {
    current::require_call();
    Bytes::from(ok_or_fault(binary::serialize(item.raw())))
}

/// The item of its binary format.
#[must_use]
#[track_caller]
pub fn deserialize(bytes: &Bytes) -> Any {
    current::require_call();
    Any::of(ok_or_fault(binary::deserialize(bytes.as_slice())))
}

/// The number in decimal.
#[must_use]
#[track_caller]
pub fn itoa(value: impl Into<Int>) -> Text {
    current::require_call();
    Text::from(value.into().to_string().as_str())
}

/// The number of decimal digits with an optional sign; anything else is a fault.
#[must_use]
#[track_caller]
pub fn atoi(digits: &Text) -> Int {
    current::require_call();
    let input = checked_input(&digits.as_bytes());
    let (negative, digits) = match input.as_slice() {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        fault(format_args!(
            "invalid number {:?}",
            String::from_utf8_lossy(&input)
        ));
    }
    // Counting down reaches -2^255, which counting up does not.
    let value = digits.iter().fold(Int::ZERO, |value, digit| {
        value * 10 - i64::from(digit - b'0')
    });
    if negative { value } else { -value }
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 with padding.
#[must_use]
#[track_caller]
pub fn base64_encode(bytes: &Bytes) -> Text {
    current::require_call();
    let input = checked_input(bytes);
    let mut out = Vec::with_capacity(input.len().div_ceil(3) * 4);
    for chunk in input.chunks(3) {
        let group = chunk
            .iter()
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = (group >> (18 - 6 * at)) & 63;
            out.push(if at <= chunk.len() {
                ALPHABET[digit as usize]
            } else {
                b'='
            });
        }
    }
    Text::from_bytes(Bytes::from(out))
}

/// The bytes of Base64 with padding; anything else is a fault.
#[must_use]
#[track_caller]
pub fn base64_decode(digits: &Text) -> Bytes {
    current::require_call();
    let input = checked_input(&digits.as_bytes());
    // The node's decoder skips line ends.
    let input: Vec<u8> = input
        .into_iter()
        .filter(|byte| !matches!(byte, b'\r' | b'\n'))
        .collect();
    let padding = input.iter().rev().take_while(|byte| **byte == b'=').count();
    if !input.len().is_multiple_of(4) || padding > 2 {
        fault("invalid base64");
    }
    let mut out = Vec::with_capacity(input.len() / 4 * 3);
    let body = &input[..input.len() - padding];
    for chunk in body.chunks(4) {
        let group = chunk.iter().fold(0u32, |group, digit| {
            match ALPHABET.iter().position(|known| known == digit) {
                Some(value) => group << 6 | value as u32,
                None => fault("invalid base64"),
            }
        }) << (6 * (4 - chunk.len()));
        out.extend_from_slice(&group.to_be_bytes()[1..chunk.len()]);
    }
    Bytes::from(out)
}

#[track_caller]
fn checked_input(bytes: &Bytes) -> Vec<u8> {
    // serialize and deserialize have the item limit; these have their own.
    const { assert!(MAX_INPUT_BYTES < MAX_ITEM_BYTES) };
    if bytes.len() > int(MAX_INPUT_BYTES as i64) {
        fault(format_args!(
            "input of {} bytes is above {MAX_INPUT_BYTES}",
            bytes.len()
        ));
    }
    bytes.as_slice().to_vec()
}
