//! What is written to boxes and read from them: contents, each a script of the sub-VM.

use neo_framework::prelude::*;
use neo_framework::{crypto, eval, runtime, storage};
use phantasma_vm::core::item::script_of;
use phantasma_vm::core::{check, ops};

use crate::{boxes, content, keys, script, visit};

/// A content was written.
#[event(name = "ContentWritten")]
pub fn emit_content_written(box_id: Int, index: Int, author: Hash160) {}

/// The latest content of a box was taken off or deleted.
#[event(name = "ContentRemoved")]
pub fn emit_content_removed(box_id: Int, index: Int) {}

/// The class of messages that are meant for the chain.
const ON_CHAIN: i64 = 2;

/// Inputs of `callContent`.
pub const MAX_INPUTS: i64 = 16;

/// Writes a content for a caller who has signed the transaction.
pub fn write(caller: &Hash160, id: Int, content: &Bytes, max_payment: Int) -> Int {
    submit(caller, id, content, max_payment, true)
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
    submit(&account, id, payload, int(0), false)
}

/// The last sequence number of an author in a box.
pub fn last_sequence(id: Int, author: &PublicKey) -> Int {
    assert!(id.within(1, keys::NUMBER_LIMIT), "no such box");
    storage::get_int(&keys::sequence(id, &crypto::standard_account(author)))
}

/// Runs gate and content for a caller who has signed.
pub fn read_at(caller: &Hash160, id: Int, index: Int, max_payment: Int) -> Any {
    call(caller, id, index, &Array::new(), max_payment)
}

/// As `read_at`; the content finds the inputs on its stack.
pub fn call(caller: &Hash160, id: Int, index: Int, inputs: &Array<Any>, max_payment: Int) -> Any {
    let mut visit = visit::enter(
        caller,
        id,
        int(ops::STATE_READ),
        &bytes(b""),
        max_payment,
        true,
    );
    let entry = load(id, index);
    visit::pass(&mut visit);
    let count = inputs.len();
    assert!(count <= MAX_INPUTS, "callContent: over 16 inputs");
    let base = eval::depth();
    let mut at = int(0);
    while at < count {
        eval::push(inputs.get(at));
        at += 1;
    }
    script::execute(&entry, base, &mut visit)
}

/// Runs gate and latest content for a caller who has signed, and takes it off if both let it.
pub fn pull(caller: &Hash160, id: Int, max_payment: Int) -> Any {
    let mut visit = visit::enter(
        caller,
        id,
        int(ops::STATE_READ),
        &bytes(b""),
        max_payment,
        true,
    );
    let answer = visit::pass(&mut visit);
    visit::pull(answer, &mut visit)
}

/// What `pull` would charge.
pub fn inspect(caller: &Hash160, id: Int) -> Int {
    let mut visit = visit::enter(
        caller,
        id,
        int(ops::STATE_INSPECT),
        &bytes(b""),
        int(0),
        false,
    );
    let answer = visit::pass(&mut visit);
    visit::pull(answer, &mut visit);
    visit.left
}

/// Deletes the latest content.
pub fn delete(caller: &Hash160, id: Int) {
    let none = bytes(b"");
    revise(caller, id, &none, &none, int(0));
}

/// Puts a content in place of the latest one.
pub fn replace(caller: &Hash160, id: Int, content: &Bytes, max_payment: Int) {
    let candidate = prepared(content);
    revise(caller, id, content, &candidate, max_payment);
}

fn revise(caller: &Hash160, id: Int, given: &Bytes, candidate: &Bytes, max_payment: Int) {
    let mut visit = visit::enter(
        caller,
        id,
        int(ops::STATE_WRITE),
        candidate,
        max_payment,
        true,
    );
    let done = visit::revise(given, &mut visit);
    assert!(done, "no content, not yours, or the gate refuses");
}

/// A content's script.
pub fn script_at(id: Int, index: Int) -> Bytes {
    boxes::assert_exists(id);
    script_of(&load(id, index))
}

/// A stored content of a box that is there; faults if it has none with this index.
pub fn load(id: Int, index: Int) -> Bytes {
    assert!(index.within(0, keys::NUMBER_LIMIT), "no such content");
    storage::get(&keys::entry(id, index)).expect("no such content")
}

/// How many contents a box has; faults if there is no such box.
pub fn count(id: Int) -> Int {
    boxes::assert_exists(id);
    height(id)
}

/// As [`count`], of a box that is there.
pub fn height(id: Int) -> Int {
    storage::get_int(&keys::content_count(id))
}

/// Changes how many contents a box has.
pub fn set_height(id: Int, count: Int) {
    storage::put_int(&keys::content_count(id), count);
}

/// The script as it is stored: checked, and with `LINK` for `ALLOC`.
pub fn prepared(script: &Bytes) -> Bytes {
    check(script);
    if script.at(0) == ops::ALLOC {
        linked(script)
    } else {
        script.clone()
    }
}

/// A script that starts with `ALLOC`, with `LINK` in its place.
fn linked(script: &Bytes) -> Bytes {
    let ids = blocks(script);
    let rest = script.right(script.len() - 9 - ids * 32);
    bytes(b"\xFB")
        .concat(&root(&script.slice(9, ids * 32), ids))
        .concat(&rest)
}

/// Bytes of content that a script allocates.
pub fn allocated_size(script: &Bytes) -> Int {
    // A zero byte above it keeps the number positive.
    script.slice(1, 8).concat(&bytes(b"\0")).to_int()
}

/// Blocks of content that a script allocates.
fn blocks(script: &Bytes) -> Int {
    (allocated_size(script) + content::BLOCK - 1) / content::BLOCK
}

/// The RFC 6962 root over the roots of whole blocks, of which only the last may be short: neighbours are joined, and
/// one without a neighbour goes up as it is.
fn root(ids: &Bytes, count: Int) -> Bytes {
    let mut level = ids.clone();
    let mut left = count;
    while left > 1 {
        let mut next = bytes(b"");
        let mut at = int(0);
        while at + 1 < left {
            let pair = bytes(b"\x01").concat(&level.slice(at * 32, 64));
            next = next.concat(&crypto::sha256(&pair));
            at += 2;
        }
        if at < left {
            next = next.concat(&level.slice(at * 32, 32));
        }
        level = next;
        left = (left + 1) / 2;
    }
    level
}

/// Writes a content at an index.
pub fn put(id: Int, index: Int, author: &Hash160, script: &Bytes) {
    storage::put(&keys::entry(id, index), &author.as_bytes().concat(script));
    emit_content_written(id, index, author.clone());
}

/// Removes the content at the last index.
pub fn remove(id: Int, index: Int) {
    storage::delete(&keys::entry(id, index));
    set_height(id, index);
    emit_content_removed(id, index);
}

/// Checks the content, asks the gate, stores; gives the index.
fn submit(author: &Hash160, id: Int, content: &Bytes, left: Int, by_signer: bool) -> Int {
    let candidate = prepared(content);
    let mut visit = visit::enter(
        author,
        id,
        int(ops::STATE_WRITE),
        &candidate,
        left,
        by_signer,
    );
    visit::write(content, &mut visit)
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
