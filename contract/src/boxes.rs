//! Boxes: an owner, a name, a public key to encrypt to, and a gate.

use neo_framework::prelude::*;
use neo_framework::{crypto, runtime, storage};
use phantasma_vm::core::check;

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

/// A box has another gate.
#[event(name = "GateReplaced")]
pub fn emit_gate_replaced(box_id: Int) {}

/// An account was put on a box's include list, or taken off it.
#[event(name = "Membership")]
pub fn emit_membership(box_id: Int, account: Hash160, included: bool) {}

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
    check_gate(gate);
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
    BoxRecord {
        id,
        owner: owner_of(&record),
        name: Text::from_bytes(name_of(&record)),
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

/// Faults unless there is a box with this number.
pub fn assert_exists(id: Int) {
    assert!(id.within(1, count() + 1), "no such box");
}

/// A stored box whose owner has signed.
pub fn load_own(id: Int) -> Bytes {
    let record = load(id);
    assert!(
        runtime::check_witness(&owner_of(&record)),
        "no witness of the owner"
    );
    record
}

/// Gives a box another gate.
pub fn replace_gate(id: Int, gate: &Bytes) {
    let record = load_own(id);
    check_gate(gate);
    let kept = record.left(record.at(NAME_LENGTH) + NAME);
    storage::put(&keys::box_record(id), &kept.concat(gate));
    emit_gate_replaced(id);
}

/// As [`set_member`], when the owner of the box has signed.
pub fn change_list(id: Int, account: &Hash160, included: bool) {
    load_own(id);
    set_member(id, account, included);
}

/// Puts an account on a box's include list, or takes it off; the caller has checked who asks.
pub fn set_member(id: Int, account: &Hash160, included: bool) {
    let key = keys::member(id, account);
    if included {
        storage::put_int(&key, 1);
    } else {
        storage::delete(&key);
    }
    emit_membership(id, account.clone(), included);
}

/// Whether an account is on a box's include list.
pub fn is_member(id: Int, account: &Hash160) -> bool {
    assert_exists(id);
    has_member(id, account)
}

/// As [`is_member`], of a box that is known to be there.
pub fn has_member(id: Int, account: &Hash160) -> bool {
    storage::get(&keys::member(id, account)).is_some()
}

/// Whose a stored box is.
pub fn owner_of(record: &Bytes) -> Hash160 {
    Hash160::from_bytes(record.left(OWNER)).unwrap()
}

/// The name of a stored box.
pub fn name_of(record: &Bytes) -> Bytes {
    record.slice(NAME, record.at(NAME_LENGTH))
}

/// The gate of a stored box.
pub fn gate_of(record: &Bytes) -> Bytes {
    record.right(record.len() - NAME - record.at(NAME_LENGTH))
}

fn check_gate(gate: &Bytes) {
    assert!(gate.len() <= MAX_GATE, "gate is over 4096 bytes");
    check(gate);
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
