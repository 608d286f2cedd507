//! Answers of a node. Fees are datoshi (10⁻⁸ GAS); unknown fields are passed over.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use num_bigint::BigInt;
use num_traits::ToPrimitive;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

use crate::{Hash160, Hash256, Manifest, MethodToken, Nef, StackItem};

/// How a script ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum VmState {
    /// With a result.
    Halt,
    /// With an error; nothing was changed.
    Fault,
}

impl<'de> Deserialize<'de> for VmState {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        match String::deserialize(input)?.as_str() {
            "HALT" => Ok(Self::Halt),
            "FAULT" => Ok(Self::Fault),
            other => Err(D::Error::custom(format!(
                "VM state \"{other}\" is neither HALT nor FAULT"
            ))),
        }
    }
}

/// The node and the network it is on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Version {
    #[serde(rename = "useragent", default)]
    pub user_agent: String,
    pub protocol: Protocol,
    #[serde(default)]
    pub rpc: RpcSettings,
}

/// Rules of the network.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Protocol {
    /// The magic number that every signature covers.
    pub network: u32,
    #[serde(rename = "msperblock")]
    pub ms_per_block: u64,
    #[serde(rename = "maxvaliduntilblockincrement", default)]
    pub max_valid_until_block_increment: u32,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct RpcSettings {
    /// Values in one answer of an iterator.
    #[serde(rename = "maxiteratorresultitems", default)]
    pub max_iterator_items: usize,
    #[serde(rename = "sessionenabled", default)]
    pub sessions: bool,
}

impl Version {
    pub fn network(&self) -> u32 {
        self.protocol.network
    }
}

/// A block without its transactions.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct BlockHeader {
    pub hash: Hash256,
    pub index: u32,
    /// Milliseconds since 1970.
    #[serde(rename = "time")]
    pub time_ms: u64,
    #[serde(rename = "previousblockhash")]
    pub previous: Hash256,
    #[serde(rename = "merkleroot")]
    pub merkle_root: Hash256,
}

/// An event of a contract.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Notification {
    pub contract: Hash160,
    #[serde(rename = "eventname")]
    pub name: String,
    /// An Array of the event's arguments.
    pub state: StackItem,
}

impl Notification {
    /// The event's arguments; empty when the state is no Array.
    pub fn args(&self) -> &[StackItem] {
        self.state.as_array().unwrap_or_default()
    }
}

/// Result of a test run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct InvokeResult {
    pub state: VmState,
    #[serde(rename = "gasconsumed", deserialize_with = "datoshi")]
    pub gas_consumed: i64,
    #[serde(default)]
    pub exception: Option<String>,
    #[serde(default)]
    pub stack: Vec<StackItem>,
    #[serde(default)]
    pub notifications: Vec<Notification>,
    /// For iterators in the stack.
    #[serde(default)]
    pub session: Option<String>,
}

/// What happened in a transaction or block.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct ApplicationLog {
    #[serde(rename = "txid", default)]
    pub txid: Option<Hash256>,
    #[serde(rename = "blockhash", default)]
    pub block: Option<Hash256>,
    pub executions: Vec<Execution>,
}

/// One script's run on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Execution {
    /// Application, OnPersist, PostPersist or Verification.
    pub trigger: String,
    #[serde(rename = "vmstate")]
    pub state: VmState,
    #[serde(default)]
    pub exception: Option<String>,
    #[serde(rename = "gasconsumed", deserialize_with = "datoshi")]
    pub gas_consumed: i64,
    #[serde(default)]
    pub stack: Vec<StackItem>,
    #[serde(default)]
    pub notifications: Vec<Notification>,
    /// The transaction, in events of a subscription.
    #[serde(default)]
    pub container: Option<Hash256>,
}

/// A transaction in the chain or waiting.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TransactionInfo {
    pub hash: Hash256,
    #[serde(rename = "sysfee", deserialize_with = "datoshi")]
    pub system_fee: i64,
    #[serde(rename = "netfee", deserialize_with = "datoshi")]
    pub network_fee: i64,
    #[serde(rename = "validuntilblock")]
    pub valid_until_block: u32,
    /// Absent while it waits.
    #[serde(rename = "blockhash", default)]
    pub block: Option<Hash256>,
    #[serde(rename = "blocktime", default)]
    pub block_time_ms: Option<u64>,
}

/// A deployed contract.
#[derive(Clone, Debug, PartialEq)]
pub struct ContractState {
    pub id: i64,
    pub hash: Hash160,
    pub update_counter: u32,
    pub nef: Nef,
    pub manifest: Manifest,
}

#[derive(Deserialize)]
struct RawContract {
    id: i64,
    hash: Hash160,
    #[serde(rename = "updatecounter", default)]
    update_counter: u32,
    nef: RawNef,
    manifest: Manifest,
}

#[derive(Deserialize)]
struct RawNef {
    #[serde(default)]
    compiler: String,
    #[serde(default)]
    source: String,
    #[serde(default)]
    tokens: Vec<RawToken>,
    #[serde(deserialize_with = "base64")]
    script: Vec<u8>,
}

#[derive(Deserialize)]
struct RawToken {
    hash: Hash160,
    method: String,
    #[serde(rename = "paramcount")]
    parameter_count: u16,
    #[serde(rename = "hasreturnvalue")]
    has_return_value: bool,
    #[serde(rename = "callflags")]
    call_flags: Value,
}

impl<'de> Deserialize<'de> for ContractState {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let raw = RawContract::deserialize(input)?;
        let token = |token: RawToken| {
            let call_flags = call_flags(&token.call_flags).ok_or_else(|| {
                D::Error::custom(format!("call flags {} are unknown", token.call_flags))
            })?;
            let RawToken {
                hash: contract,
                method,
                parameter_count,
                has_return_value,
                ..
            } = token;
            Ok(MethodToken {
                contract,
                method,
                parameter_count,
                has_return_value,
                call_flags,
            })
        };
        let tokens = raw
            .nef
            .tokens
            .into_iter()
            .map(token)
            .collect::<Result<_, D::Error>>()?;
        let nef = Nef {
            compiler: raw.nef.compiler,
            source: raw.nef.source,
            tokens,
            script: raw.nef.script,
        };
        Ok(Self {
            id: raw.id,
            hash: raw.hash,
            update_counter: raw.update_counter,
            nef,
            manifest: raw.manifest,
        })
    }
}

/// Flags as a number, or as names: "ReadStates, AllowCall".
fn call_flags(json: &Value) -> Option<u8> {
    use crate::script::flags;
    if let Some(number) = json.as_u64() {
        return u8::try_from(number).ok();
    }
    let one = |name: &str| match name.trim() {
        "None" => Some(0),
        "ReadStates" => Some(flags::READ_STATES),
        "WriteStates" => Some(flags::WRITE_STATES),
        "AllowCall" => Some(flags::ALLOW_CALL),
        "AllowNotify" => Some(flags::ALLOW_NOTIFY),
        "States" => Some(flags::READ_STATES | flags::WRITE_STATES),
        "ReadOnly" => Some(flags::READ_ONLY),
        "All" => Some(flags::ALL),
        _ => None,
    };
    json.as_str()?
        .split(',')
        .try_fold(0, |all, name| Some(all | one(name)?))
}

/// A page of a contract's storage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct FoundStorage {
    #[serde(rename = "results", default)]
    pub entries: Vec<StorageEntry>,
    /// Where the next page starts.
    #[serde(default)]
    pub next: u64,
    /// Whether there is a next page.
    #[serde(default)]
    pub truncated: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct StorageEntry {
    #[serde(deserialize_with = "base64")]
    pub key: Vec<u8>,
    #[serde(deserialize_with = "base64")]
    pub value: Vec<u8>,
}

/// What an account holds of one token.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Balance {
    #[serde(rename = "assethash")]
    pub token: Hash160,
    #[serde(default)]
    pub symbol: String,
    /// In the token's smallest unit.
    #[serde(deserialize_with = "big")]
    pub amount: BigInt,
    #[serde(rename = "lastupdatedblock", default)]
    pub last_updated_block: u32,
}

/// An account's movements in a span of time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transfers {
    pub sent: Vec<Transfer>,
    pub received: Vec<Transfer>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Transfer {
    #[serde(rename = "timestamp")]
    pub time_ms: u64,
    #[serde(rename = "assethash")]
    pub token: Hash160,
    /// The other side; absent when minted or burned.
    #[serde(rename = "transferaddress", default)]
    pub other: Option<String>,
    #[serde(deserialize_with = "big")]
    pub amount: BigInt,
    #[serde(rename = "blockindex")]
    pub block_index: u32,
    #[serde(rename = "txhash")]
    pub txid: Hash256,
}

/// An amount in datoshi as text or number; never a fraction.
pub(crate) fn datoshi<'de, D: Deserializer<'de>>(input: D) -> Result<i64, D::Error> {
    let value = big(input)?;
    value
        .to_i64()
        .ok_or_else(|| D::Error::custom(format!("{value} does not fit 64 bits")))
}

pub(crate) fn big<'de, D: Deserializer<'de>>(input: D) -> Result<BigInt, D::Error> {
    let value = Value::deserialize(input)?;
    let number = match &value {
        Value::String(text) => text.parse().ok(),
        Value::Number(number) => number.to_string().parse().ok(),
        _ => None,
    };
    number.ok_or_else(|| D::Error::custom(format!("{value} is no whole number")))
}

pub(crate) fn base64<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<u8>, D::Error> {
    BASE64
        .decode(String::deserialize(input)?)
        .map_err(D::Error::custom)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_version_without_seeds_is_read() {
        let version: Version = serde_json::from_value(json!({
            "useragent": "/NEO-GO:0.120.0/", "tcpport": 0, "rpc": {"maxiteratorresultitems": 100, "sessionenabled": true},
            "protocol": {"network": 5_000, "msperblock": 200, "maxvaliduntilblockincrement": 5760, "seedlist": null},
        }))
        .unwrap();
        assert_eq!(
            (
                version.network(),
                version.protocol.ms_per_block,
                version.rpc.sessions
            ),
            (5_000, 200, true)
        );
    }

    #[test]
    fn fees_are_read_as_text_and_as_number_and_never_as_fraction() {
        let run = |gas: Value| {
            serde_json::from_value::<InvokeResult>(
                json!({"state": "HALT", "gasconsumed": gas, "exception": null, "stack": []}),
            )
        };
        assert_eq!(run(json!("984060")).unwrap().gas_consumed, 984_060);
        assert_eq!(run(json!(984_060)).unwrap().gas_consumed, 984_060);
        assert!(
            run(json!("0.98")).is_err()
                && run(json!(0.98)).is_err()
                && run(json!("9".repeat(30))).is_err()
        );
    }

    #[test]
    fn call_flags_come_as_number_or_names() {
        assert_eq!(call_flags(&json!("ReadStates, AllowCall")), Some(5));
        assert_eq!(call_flags(&json!("All")), Some(15));
        assert_eq!(call_flags(&json!(15)), Some(15));
        assert_eq!(call_flags(&json!("Everything")), None);
    }
}
