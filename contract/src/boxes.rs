//! Boxes: an owner, a name, a public key to encrypt to, and a gate.

use neo_framework::prelude::*;
use neo_framework::{crypto, runtime, storage};
use phantasma_vm::core::{Context, check, run_alone};

use crate::{keys, params, token};

/// The answer of `boxInfo`.
#[derive(Clone, Item)]
pub struct BoxRecord {
    /// Its number, from 1.
    pub id: Int,
    /// Whose it is.
    pub owner: Hash160,
    /// Its unique name.
    pub name: Text,
    /// The owner's key, to encrypt to.
    pub public_key: PublicKey,
    /// The script that decides over each access.
    pub gate: Bytes,
    /// How many contents it has.
    pub content_count: Int,
}

/// A box was made.
#[event(name = "BoxCreated")]
pub fn emit_box_created(box_id: Int, owner: Hash160, name: Text) {}

const MAX_NAME: i64 = 32;
/// A gate is loaded on each access, so it is kept short.
const MAX_GATE: i64 = 4096;

// A stored box: owner 20, public key 33, length of the name 1, name, gate.
const OWNER: i64 = 20;
const KEY: i64 = 33;
const NAME_LENGTH: i64 = 53;
const NAME: i64 = 54;

/// Makes a box, paid by its owner, and gives its number.
pub fn create(owner: &Hash160, name: &Text, public_key: &PublicKey, gate: &Bytes) -> Int {
    assert!(
        runtime::check_witness(owner),
        "createBox: no witness of the owner"
    );
    assert!(
        is_name(name),
        "createBox: name must be 1-32 characters of a-z 0-9 _"
    );
    assert!(
        crypto::standard_account(public_key) == *owner,
        "createBox: publicKey is not the owner's"
    );
    assert!(gate.len() <= MAX_GATE, "createBox: gate is over 4096 bytes");
    check(gate);
    let name_key = keys::box_name(name);
    assert!(
        storage::get(&name_key).is_none(),
        "createBox: name is taken"
    );
    token::charge(owner, params::box_fee());
    let id = count() + 1;
    let name_bytes = name.as_bytes();
    let record = owner
        .as_bytes()
        .concat(&public_key.as_bytes())
        .concat(&name.len().to_bytes())
        .concat(&name_bytes)
        .concat(gate);
    storage::put_int(&keys::BOX_COUNT, id);
    storage::put(&keys::box_record(id), &record);
    storage::put_int(&name_key, id);
    storage::put_int(&keys::owned_box(owner, id), id);
    emit_box_created(id, owner.clone(), name.clone());
    id
}

/// What is known of a box.
pub fn info(id: Int) -> BoxRecord {
    let record = load(id);
    let name_length = record.at(NAME_LENGTH);
    BoxRecord {
        id,
        owner: owner_of(&record),
        name: Text::from_bytes(record.slice(NAME, name_length)),
        public_key: PublicKey::from_bytes(record.slice(OWNER, KEY)).unwrap(),
        gate: gate_of(&record),
        content_count: storage::get_int(&keys::content_count(id)),
    }
}

/// The box with that name, or 0.
pub fn find(name: &Text) -> Int {
    if name.len() > MAX_NAME {
        return int(0);
    }
    storage::get_int(&keys::box_name(name))
}

/// The numbers of an owner's boxes.
pub fn of(owner: &Hash160) -> Iterator {
    storage::find(&keys::owned_boxes(owner), storage::VALUES_ONLY)
}

/// How many boxes there are.
pub fn count() -> Int {
    storage::get_int(&keys::BOX_COUNT)
}

/// A stored box; faults if there is none.
pub fn load(id: Int) -> Bytes {
    assert!(id.within(1, keys::NUMBER_LIMIT), "no such box");
    storage::get(&keys::box_record(id)).expect("no such box")
}

/// What the scripts of a box are told when it is entered from outside.
pub fn context(record: &Bytes, id: Int, caller: &Hash160, verb: Int) -> Context {
    Context {
        verb,
        this: id,
        entry: id,
        owner: owner_of(record),
        author: owner_of(record),
        caller: caller.clone(),
    }
}

/// Faults unless the gate leaves true.
pub fn pass_gate(record: &Bytes, context: &Context) {
    let answer = run_alone(&gate_of(record), context);
    assert!(answer.as_bool(), "the gate refuses");
}

fn owner_of(record: &Bytes) -> Hash160 {
    Hash160::from_bytes(record.left(OWNER)).unwrap()
}

fn gate_of(record: &Bytes) -> Bytes {
    record.right(record.len() - NAME - record.at(NAME_LENGTH))
}

fn is_name(name: &Text) -> bool {
    let name = name.as_bytes();
    let len = name.len();
    if !len.within(1, MAX_NAME + 1) {
        return false;
    }
    let mut at = int(0);
    while at < len {
        match name.at(at).small() {
            0x30..=0x39 | 0x5F | 0x61..=0x7A => at += 1,
            _ => return false,
        }
    }
    true
}
