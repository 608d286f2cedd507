//! What the contracts and nodes say, as JSON for programs: the same from `phantasma … --json` and from the daemon.
//!
//! Amounts are decimal texts in whole tokens, so that no program rounds them; times are Unix milliseconds; scripts, keys
//! and roots are hex without prefix, contracts and transactions as Neo writes them.

use num_bigint::BigInt;
use phantasma_vm::bound::{Cost, PartName, WorstWay};
use serde_json::{Map, Value, json};

use crate::amount;
use crate::contract::{BoxInfo, ContentInfo, ContentMode, Priority};
use crate::estimate::Estimate;
use crate::neo::{Receipt, StackItem};
use crate::proofs::{ContentProofs, NodeInfo, RewardInfo, Role, Settings};

/// What a transaction cost and where it is.
#[must_use]
pub fn receipt(receipt: &Receipt) -> Value {
    json!({
        "transaction": receipt.txid.to_string(),
        "block": receipt.block_index,
        "gas": amount::gas(receipt.gas_consumed),
        "system_fee_gas": amount::gas(receipt.system_fee),
        "network_fee_gas": amount::gas(receipt.network_fee),
    })
}

/// A box.
#[must_use]
pub fn box_info(info: &BoxInfo) -> Value {
    json!({
        "box": info.id,
        "name": info.name,
        "owner": info.owner.to_address(),
        "public_key": hex::encode(info.public_key.0),
        "gate": hex::encode(&info.gate),
        "contents": info.content_count,
    })
}

/// A stored content.
#[must_use]
pub fn content_info(info: &ContentInfo) -> Value {
    json!({
        "root": hex::encode(info.root),
        "size": info.size,
        "owner": info.owner.to_address(),
        "mode": mode(info.mode),
        "priority": priority(info.priority),
        "expiry_ms": info.expiry_ms,
        "created_ms": info.created_ms,
    })
}

/// A content's mode in a word.
#[must_use]
pub fn mode(mode: ContentMode) -> &'static str {
    match mode {
        ContentMode::ReadOnly => "read-only",
        ContentMode::Writable => "writable",
    }
}

/// A content's priority in a word.
#[must_use]
pub fn priority(priority: Priority) -> &'static str {
    match priority {
        Priority::Low => "low",
        Priority::Normal => "normal",
        Priority::High => "high",
    }
}

/// A node's role in a word.
#[must_use]
pub fn role(role: Role) -> &'static str {
    match role {
        Role::Observer => "observer",
        Role::Prover => "prover",
        Role::Validator => "validator",
    }
}

/// A registered storage node.
#[must_use]
pub fn node(node: &NodeInfo, average_reputation: u64) -> Value {
    json!({
        "address": node.account.to_address(),
        "public_key": hex::encode(node.public_key.0),
        "endpoints": node.endpoints,
        "number": node.number,
        "reputation": amount::reputation(node.reputation),
        "average_reputation": amount::reputation(average_reputation),
        "registered_ms": node.registered_ms,
        "role": role(node.role),
    })
}

/// How the proofs of a content went; `confidence` is between 0 and 1.
#[must_use]
pub fn proofs(proofs: &ContentProofs) -> Value {
    json!({
        "challenges": proofs.challenges,
        "shown": proofs.shown,
        "failures": proofs.failures,
        "confidence": amount::with_decimals(proofs.confidence, 6),
    })
}

/// Where the rewards stand.
#[must_use]
pub fn rewards(info: &RewardInfo, settings: &Settings) -> Value {
    json!({
        "rounds": info.rounds,
        "next_ms": info.next_ms,
        "minimum": settings.minimum,
        "validators": info.validators,
        "provers": info.provers,
        "pot": amount::soul(info.pot),
        "draw": info.draw,
        "closed_validators": info.closed_validators,
        "closed_provers": info.closed_provers,
    })
}

/// What a content left, as data and for people.
#[must_use]
pub fn value(item: &StackItem) -> (Value, String) {
    match item {
        StackItem::Null => (Value::Null, "(nothing)".to_owned()),
        StackItem::Boolean(value) => ((*value).into(), value.to_string()),
        StackItem::Integer(value) => (value.to_string().into(), value.to_string()),
        StackItem::ByteString(bytes) | StackItem::Buffer(bytes) => data(bytes),
        other => (other.to_json(), other.to_json().to_string()),
    }
}

/// Bytes, as text where they are text: as data and for people.
#[must_use]
pub fn data(bytes: &[u8]) -> (Value, String) {
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.chars().any(|c| c.is_control() && !c.is_whitespace()) => {
            (json!({"text": text}), text.to_owned())
        }
        _ => (json!({"hex": hex::encode(bytes)}), hex::encode(bytes)),
    }
}

/// What an access takes at most; `limit` is the most that the caller lets it charge, if there is one.
#[must_use]
pub fn estimate(estimate: &Estimate, limit: Option<u64>) -> Value {
    let bound = &estimate.bound;
    let parts = bound.parts.iter();
    let parts: Map<_, _> = parts
        .map(|part| (part_name(part.name).to_owned(), cost(&part.cost, None)))
        .collect();
    json!({
        "method": estimate.method,
        "at_most": cost(&bound.total, limit),
        "parts": parts,
        "gate_way": way(&bound.gate_way),
        "content_way": bound.content_way.as_ref().map(way),
        "only_limits": bound.wide,
        "fees": {
            "unit_pico_gas": estimate.fees.unit_pico,
            "byte_datoshi": estimate.fees.byte_datoshi,
        },
    })
}

fn cost(cost: &Cost, limit: Option<u64>) -> Value {
    json!({
        "steps": cost.steps,
        "units": cost.units,
        "bytes": cost.bytes,
        "gas": cost_gas(cost),
        "soul": cost_soul(cost.soul, limit),
        "soul_of_boxes": cost_soul(cost.box_soul, None),
        "nested_scripts": cost.nested,
    })
}

fn way(way: &WorstWay) -> Value {
    let turns = way.turns.iter();
    let turns = turns.map(|turn| json!({"position": turn.position, "jumps": turn.jumps}));
    json!({"turns": turns.collect::<Vec<_>>(), "end": way.end})
}

/// A part of an access in a word.
#[must_use]
pub fn part_name(part: PartName) -> &'static str {
    match part {
        PartName::Entry => "transaction",
        PartName::Method => "method",
        PartName::Check => "check",
        PartName::Gate => "gate",
        PartName::Content => "content",
        PartName::Limits => "limits",
    }
}

/// GAS of a cost.
#[must_use]
pub fn cost_gas(cost: &Cost) -> String {
    amount::show(&BigInt::from(cost.gas_datoshi()), amount::DECIMALS)
}

/// SOUL of a cost; None if there is no bound.
#[must_use]
pub fn cost_soul(units: u128, limit: Option<u64>) -> Option<String> {
    let none = units == u128::MAX || (limit.is_none() && units == u128::from(u64::MAX));
    (!none).then(|| amount::show(&BigInt::from(units), amount::DECIMALS))
}

/// Every script and every step of a recording, how it ended and what it cost.
#[cfg(feature = "emulator")]
#[must_use]
pub fn recording(debugger: &phantasma_vm::debug::Debugger) -> Value {
    use crate::emulator::to_stack_item;
    use phantasma_vm::debug::{Command, End};

    let address = |account: &[u8; 20]| crate::neo::Hash160(*account).to_address();
    let recording = debugger.recording();
    let scripts = recording.runs.iter().map(|run| {
        let known = &run.facts;
        json!({
            "script": hex::encode(run.script.as_slice()),
            "box": known.this.to_string(),
            "entry": known.entry.to_string(),
            "verb": known.verb.name(),
            "owner": address(&known.owner.to_array()),
            "author": address(&known.author.to_array()),
            "caller": address(&known.caller.to_array()),
            "parent": run.parent,
            "level": run.level,
            "ended": run.left.is_some(),
        })
    });
    let steps = recording.steps.iter().map(|step| {
        let stack = step.stack.iter();
        let stack: Vec<_> = stack.map(|item| to_stack_item(item).to_json()).collect();
        json!({
            "script": step.run,
            "position": step.position,
            "instruction": debugger.instruction_text(step),
            "stack": stack,
            "stack_omitted": step.omitted,
        })
    });
    let mut whole = debugger.clone();
    whole.apply(&Command::Clear);
    whole.apply(&Command::Continue);
    let cost = whole.cost();
    let outcome = match debugger.end() {
        End::Halt(result) => json!({"state": "HALT", "result": to_stack_item(result).to_json()}),
        End::Fault(message) => json!({"state": "FAULT", "exception": message}),
    };
    json!({
        "outcome": outcome,
        "cost": {
            "instructions": cost.steps,
            "units": cost.units,
            "soul": cost.soul.to_string(),
        },
        "truncated": recording.truncated,
        "scripts": scripts.collect::<Vec<_>>(),
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// Adds the fields of one object to another.
pub fn extend(data: &mut Value, more: Value) {
    if let (Value::Object(data), Value::Object(more)) = (data, more) {
        data.extend(more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_text_only_where_people_can_read_them() {
        assert_eq!(data(b"hello\n").0, json!({"text": "hello\n"}));
        assert_eq!(data(&[0, 1]).0, json!({"hex": "0001"}));
        assert_eq!(data(&[0xFF]).1, "ff");
        assert_eq!(value(&StackItem::Null).0, Value::Null);
    }

    #[test]
    fn an_object_takes_the_fields_of_another() {
        let mut all = json!({"a": 1});
        extend(&mut all, json!({"b": 2}));
        assert_eq!(all, json!({"a": 1, "b": 2}));
    }
}
