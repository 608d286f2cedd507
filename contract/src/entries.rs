//! What is written to boxes and read from them: contents, each a script of the sub-VM.

use neo_framework::prelude::*;
use neo_framework::{crypto, runtime, storage};
use phantasma_vm::core::{check, ops, run_alone};

use crate::{boxes, keys};

/// A content was written.
#[event(name = "ContentWritten")]
pub fn emit_content_written(box_id: Int, index: Int, author: Hash160) {}

/// The class of messages that are meant for the chain.
const ON_CHAIN: i64 = 2;

// A stored content: author 20, script.
const AUTHOR: i64 = 20;

/// Writes a content for a caller who has signed the transaction.
pub fn write(caller: &Hash160, id: Int, content: &Bytes, max_payment: Int) -> Int {
    assert!(
        runtime::check_witness(caller),
        "writeContent: no witness of the caller"
    );
    assert!(max_payment >= 0, "writeContent: negative maxPayment");
    append(caller, id, content)
}

/// Writes a content that its author signed off the chain (see `wire::message` for the signed bytes).
pub fn write_signed(
    author: &PublicKey,
    id: Int,
    sequence: Int,
    time: Int,
    class: Int,
    payload: &Bytes,
    signature: &Signature,
) -> Int {
    let limit = int(1) << 64;
    assert!(
        sequence.within(1, limit) && time.within(0, limit),
        "writeSigned: sequence or time out of range"
    );
    assert!(id.within(1, keys::NUMBER_LIMIT), "no such box");
    // Other classes are between the author and the relay; the author did not ask for the chain.
    assert!(class == ON_CHAIN, "writeSigned: class must be 2");
    let account = crypto::standard_account(author);
    let sequence_key = keys::sequence(id, &account);
    assert!(
        sequence > storage::get_int(&sequence_key),
        "writeSigned: sequence is not above the last one"
    );
    let message = signed_bytes(author, id, sequence, time, class, payload);
    let valid = crypto::verify_with_ecdsa(&message, author, signature, crypto::SECP256R1_SHA256);
    assert!(valid, "writeSigned: wrong signature");
    storage::put_int(&sequence_key, sequence);
    append(&account, id, payload)
}

/// The last sequence number of an author in a box.
pub fn last_sequence(id: Int, author: &PublicKey) -> Int {
    assert!(id.within(1, keys::NUMBER_LIMIT), "no such box");
    storage::get_int(&keys::sequence(id, &crypto::standard_account(author)))
}

/// Runs gate and content for a caller who has signed.
pub fn read_at(caller: &Hash160, id: Int, index: Int, max_payment: Int) -> Any {
    assert!(
        runtime::check_witness(caller),
        "readContentAt: no witness of the caller"
    );
    assert!(max_payment >= 0, "readContentAt: negative maxPayment");
    let record = boxes::load(id);
    let context = boxes::context(&record, id, caller, int(ops::STATE_READ));
    let script = script_at(id, index);
    boxes::pass_gate(&record, &context);
    run_alone(&script, &context)
}

/// A content's script.
pub fn script_at(id: Int, index: Int) -> Bytes {
    assert!(index.within(0, count(id)), "no such content");
    let entry = storage::get(&keys::entry(id, index)).expect("no such content");
    entry.right(entry.len() - AUTHOR)
}

/// How many contents a box has; faults if there is no such box.
pub fn count(id: Int) -> Int {
    assert!(id.within(1, boxes::count() + 1), "no such box");
    storage::get_int(&keys::content_count(id))
}

/// Checks the content, asks the gate, stores.
fn append(author: &Hash160, id: Int, content: &Bytes) -> Int {
    let record = boxes::load(id);
    check(content);
    boxes::pass_gate(
        &record,
        &boxes::context(&record, id, author, int(ops::STATE_WRITE)),
    );
    let count_key = keys::content_count(id);
    let index = storage::get_int(&count_key);
    storage::put_int(&count_key, index + 1);
    storage::put(&keys::entry(id, index), &author.as_bytes().concat(content));
    emit_content_written(id, index, author.clone());
    index
}

/// "PHM1", network 4, contract 20, author 33, box 8, sequence 8, time 8, class 1, payload; numbers little endian.
fn signed_bytes(
    author: &PublicKey,
    id: Int,
    sequence: Int,
    time: Int,
    class: Int,
    payload: &Bytes,
) -> Bytes {
    // One number of 25 bytes, and a 1 on top that keeps its length.
    let numbers = id + (sequence << 64) + (time << 128) + (class << 192) + (int(1) << 200);
    let network = runtime::network() + (int(1) << 32);
    bytes(b"PHM1")
        .concat(&network.to_bytes().left(4))
        .concat(&runtime::executing_script_hash().as_bytes())
        .concat(&author.as_bytes())
        .concat(&numbers.to_bytes().left(25))
        .concat(payload)
}
