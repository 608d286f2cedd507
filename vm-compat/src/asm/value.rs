//! Values as a text writes them: numbers, strings, bytes, truth, addresses, named constants.

use std::collections::HashMap;

use super::error::Problem;
use crate::decimal;

/// The first byte of what an address of Neo N3 encodes.
const ADDRESS_VERSION: u8 = 0x35;

/// What a word stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// 32 bytes of little-endian two's complement.
    Number([u8; 32]),
    Data(Vec<u8>),
    Bool(bool),
}

/// The values set by `const`.
#[derive(Default)]
pub(super) struct Constants(HashMap<String, Value>);

impl Constants {
    /// Sets `name`, or says why not.
    pub(super) fn set(&mut self, name: &str, value: Value) -> Result<(), Problem> {
        if !is_name(name) || matches!(name, "true" | "false") {
            return Err(Problem::BadConstant);
        }
        match self.0.insert(name.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err(Problem::ConstantTwice(name.to_owned())),
        }
    }

    /// The value of a word; `Ok(None)` when it is none.
    pub(super) fn value(&self, text: &str) -> Result<Option<Value>, Problem> {
        if let Some(address) = text.strip_prefix('@') {
            let hash = account(address).ok_or_else(|| Problem::BadAddress(address.to_owned()))?;
            return Ok(Some(Value::Data(hash)));
        }
        if text == "true" || text == "false" {
            return Ok(Some(Value::Bool(text == "true")));
        }
        if is_name(text) {
            let unknown = || Problem::UnknownConstant(text.to_owned());
            return self.0.get(text).cloned().ok_or_else(unknown).map(Some);
        }
        Ok(number(text)
            .map(Value::Number)
            .or_else(|| data(text).map(Value::Data)))
    }
}

/// The script hash of an address.
fn account(address: &str) -> Option<Vec<u8>> {
    let all = bs58::decode(address)
        .with_check(Some(ADDRESS_VERSION))
        .into_vec()
        .ok()?;
    let (_, hash) = all.split_first()?;
    (hash.len() == 20).then(|| hash.to_vec())
}

/// Digits, which `_` may group.
fn number(text: &str) -> Option<[u8; 32]> {
    let grouped = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    let plain: String = text.chars().filter(|c| *c != '_').collect();
    decimal::parse(&plain).filter(|_| !grouped && !text.starts_with("-_"))
}

fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars
        .next()
        .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// The bytes of `"text"` (escapes `\" \\ \n \t`) or `0x..`.
fn data(text: &str) -> Option<Vec<u8>> {
    if let Some(hex) = text.strip_prefix("0x") {
        return hex_bytes(hex);
    }
    let inner = text.strip_prefix('"')?.strip_suffix('"')?;
    let mut out = String::new();
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.push(match c {
            '\\' => match chars.next()? {
                'n' => '\n',
                't' => '\t',
                c @ ('"' | '\\') => c,
                _ => return None,
            },
            c => c,
        });
    }
    Some(out.into_bytes())
}

fn hex_bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect::<Option<_>>()?;
    digits.len().is_multiple_of(2).then(|| {
        digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |n, d| n << 4 | d))
            .collect()
    })
}
