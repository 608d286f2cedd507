//! Test vectors for others who write SDKs: `tests/vectors/*.json`, made from the code that they describe.
//!
//! Signatures, sealed secrets and salts are random, so a file is made anew from the old one: what is random stays as
//! it is while it still fits everything around it. Its fields are explained in `tests/vectors/README.md`.

mod accounts;
mod anchors;
mod merkle;
mod messages;
mod scripts;
mod secrets;

use neo_client::{PrivateKey, PublicKey};
use serde_json::{Value, json};

/// The kinds of vectors; each is a file of this name with `.json` behind it.
pub const KINDS: [&str; 8] = [
    "accounts",
    "scripts",
    "merkle",
    "messages",
    "anchors",
    "encryption",
    "sealed",
    "groups",
];

/// A kind's file. `old` is what stands in it now, null when there is none.
pub fn made(kind: &str, old: &Value) -> Value {
    let mut made = match kind {
        "accounts" => accounts::made(old),
        "scripts" => scripts::made(),
        "merkle" => merkle::made(),
        "messages" => messages::made(old),
        "anchors" => anchors::made(),
        "encryption" => secrets::encryption(),
        "sealed" => secrets::sealed(old),
        "groups" => secrets::groups(old),
        other => panic!("no vectors of the kind {other}"),
    };
    made["kind"] = json!(kind);
    made
}

/// A key that everybody knows: 32 times the same byte.
fn key(byte: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[byte; 32]).expect("a scalar of the curve")
}

/// The old signature if it is one of these bytes, else a new one.
fn signature(old: &Value, key: &PrivateKey, bytes: &[u8]) -> [u8; 64] {
    bytes_of(old)
        .and_then(|old| old.try_into().ok())
        .filter(|old| key.public_key().verify(bytes, old))
        .unwrap_or_else(|| key.sign(bytes))
}

fn verify(key: &[u8; 33], bytes: &[u8], signature: &[u8; 64]) -> bool {
    PublicKey(*key).verify(bytes, signature)
}

fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    hex::decode(value.as_str()?).ok()
}

fn hexes<T: AsRef<[u8]>>(all: &[T]) -> Vec<String> {
    all.iter().map(hex::encode).collect()
}

/// Bytes that follow from their place alone: byte i is (7 i + i / 1024 + i / 262144) mod 256.
fn pattern(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| (7 * i + i / 1024 + i / 262_144) as u8)
        .collect()
}
