//! Keys, accounts, addresses, and a signature of each key.

use neo_client::Account;
use serde_json::{Value, json};

use super::{key, signature};

pub(super) fn made(old: &Value) -> Value {
    let account = |(at, byte): (usize, u8)| {
        let key = key(byte);
        let account = Account::new(key.clone());
        let message = format!("signed by the key of {byte:02x}");
        let signature = signature(&old["accounts"][at]["signature"], &key, message.as_bytes());
        json!({
            "private_key": hex::encode(key.to_bytes().as_slice()),
            "wif": key.to_wif().as_str(),
            "public_key": hex::encode(key.public_key().0),
            "verification_script": hex::encode(account.verification_script()),
            "script_hash": hex::encode(account.script_hash.0),
            "address": account.address,
            "message": hex::encode(message),
            "signature": hex::encode(signature),
        })
    };
    let accounts: Vec<Value> = [1, 7, 9, 0x42]
        .into_iter()
        .enumerate()
        .map(account)
        .collect();
    json!({ "accounts": accounts })
}
