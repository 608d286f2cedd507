//! Messages that are signed alone, and a batch of them.

use neo_client::PrivateKey;
use phantasma_vm::data_script;
use phantasma_wire::Hash;
use phantasma_wire::batch::Batch;
use phantasma_wire::codec::Frame as _;
use phantasma_wire::message::{Class, Message, Unsigned};
use serde_json::{Value, json};

use super::{key, signature, verify};

const NETWORK: u32 = 860_833_102;
const CONTRACT: [u8; 20] = [0xC0; 20];

pub(super) fn made(old: &Value) -> Value {
    let author = key(7);
    let single = |(at, body): (usize, Unsigned)| {
        let old = &old["messages"][at]["signature"];
        let message = body
            .sign(|bytes| signature(old, &author, bytes))
            .expect("a payload that is not too long");
        assert!(message.is_signed(verify));
        told(&message)
    };
    let messages: Vec<Value> = singles(&author)
        .into_iter()
        .enumerate()
        .map(single)
        .collect();
    json!({ "messages": messages, "batch": batch(&author, &old["batch"]["signature"]) })
}

fn singles(author: &PrivateKey) -> Vec<Unsigned> {
    let text = data_script(b"hello").expect("a short text");
    let long = data_script(&[0xAA; 300]).expect("a short text");
    vec![
        unsigned(
            author,
            1,
            1,
            1_700_000_000_000,
            Class::Ephemeral,
            text.clone(),
        ),
        unsigned(
            author,
            77,
            1_000_000,
            1_700_000_000_123,
            Class::Durable,
            long,
        ),
        unsigned(author, u64::MAX, u64::MAX, u64::MAX, Class::OnChain, text),
        unsigned(author, 2, 3, 0, Class::Ephemeral, Vec::new()),
    ]
}

fn unsigned(
    author: &PrivateKey,
    box_id: u64,
    sequence: u64,
    time_ms: u64,
    class: Class,
    payload: Vec<u8>,
) -> Unsigned {
    Unsigned {
        network: NETWORK,
        contract: CONTRACT,
        author: author.public_key().0,
        box_id,
        sequence,
        time_ms,
        class,
        payload: payload.into(),
    }
}

fn told(message: &Message) -> Value {
    let body = &message.body;
    json!({
        "network": body.network,
        "contract": hex::encode(body.contract),
        "author": hex::encode(body.author),
        "box": body.box_id.to_string(),
        "sequence": body.sequence.to_string(),
        "time_ms": body.time_ms.to_string(),
        "class": body.class.to_byte(),
        "payload": hex::encode(&body.payload),
        "signed_bytes": hex::encode(body.signing_bytes()),
        "id": hex::encode(message.id()),
        "signature": hex::encode(message.signature),
        "encoded": hex::encode(message.encode()),
    })
}

/// Five messages: a tree that is not full.
fn batch(author: &PrivateKey, old: &Value) -> Value {
    let body = |n: u8| {
        let payload = data_script(&[n; 3]).expect("a short text");
        unsigned(
            author,
            5,
            10 + u64::from(n),
            1_700_000_000_500,
            Class::Durable,
            payload,
        )
    };
    let mut signed = Vec::new();
    let sign = |bytes: &[u8]| {
        signed = bytes.to_vec();
        signature(old, author, bytes)
    };
    let batch = Batch::sign((0..5).map(body).collect(), sign).expect("a batch");
    let encoded = batch.encode();
    let messages = batch.into_messages(verify).expect("a signature that holds");
    let first = messages.first().expect("a message").1.clone();
    let placed = |(id, message): &(Hash, Message)| {
        let place = message.batch.as_ref().expect("a place");
        assert!(message.is_signed(verify));
        let mut told = told(message);
        told["index"] = json!(place.index());
        told["count"] = json!(place.count());
        told["id"] = json!(hex::encode(id));
        told
    };
    json!({
        "count": messages.len(),
        "root": hex::encode(&signed[6..]),
        "signed_bytes": hex::encode(&signed),
        "signature": hex::encode(first.signature),
        "encoded": hex::encode(encoded),
        "messages": messages.iter().map(placed).collect::<Vec<_>>(),
    })
}
