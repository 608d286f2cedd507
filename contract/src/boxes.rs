//! Boxes: an owner, a name, a public key to encrypt to, and a gate.

use neo_framework::prelude::*;
use neo_framework::{crypto, runtime, storage};
use phantasma_vm::core::item::{author_of, script_of};
use phantasma_vm::core::{check, ops};

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

// A box's label: public key 33, name. It is not needed when a gate runs, so it has a key of its own.
const KEY: i64 = 33;

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
    let label = public_key.as_bytes().concat(&name.as_bytes());
    storage::put_int(&keys::BOX_COUNT, id);
    put_gate(id, owner, gate);
    storage::put(&keys::box_label(id), &label);
    storage::put_int(&name_key, id);
    storage::put_int(&keys::owned_box(owner, id), id);
    emit_box_created(id, owner.clone(), name.clone());
    id
}

/// What is known of a box.
pub fn info(id: Int) -> BoxRecord {
    let label = load_label(id);
    let gate = load(id);
    BoxRecord {
        id,
        owner: author_of(&gate),
        name: Text::from_bytes(label.right(label.len() - KEY)),
        public_key: PublicKey::from_bytes(label.left(KEY)).unwrap(),
        gate: script_of(&gate),
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

/// A box's gate as it is stored, behind its owner; faults if there is no such box.
pub fn load(id: Int) -> Bytes {
    let gate = if id >> keys::NUMBER_BITS == 0 {
        storage::get(&keys::box_record(id))
    } else {
        None
    };
    gate.expect("no such box")
}

/// Faults unless there is a box with this number.
pub fn assert_exists(id: Int) {
    assert!(id.within(1, count() + 1), "no such box");
}

/// The owner of a box, who has signed.
pub fn signed_owner(id: Int) -> Hash160 {
    let owner = author_of(&load(id));
    assert!(runtime::check_witness(&owner), "no witness of the owner");
    owner
}

/// Gives a box another gate.
pub fn replace_gate(id: Int, gate: &Bytes) {
    let owner = signed_owner(id);
    check_gate(gate);
    put_gate(id, &owner, gate);
    emit_gate_replaced(id);
}

/// As [`set_member`], when the owner of the box has signed.
pub fn change_list(id: Int, account: &Hash160, included: bool) {
    signed_owner(id);
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

/// The name of a box; faults if there is no such box.
pub fn name_of(id: Int) -> Bytes {
    let label = load_label(id);
    label.right(label.len() - KEY)
}

fn load_label(id: Int) -> Bytes {
    assert!(id >> keys::NUMBER_BITS == 0, "no such box");
    storage::get(&keys::box_label(id)).expect("no such box")
}

fn put_gate(id: Int, owner: &Hash160, gate: &Bytes) {
    storage::put(&keys::box_record(id), &owner.as_bytes().concat(gate));
}

fn check_gate(gate: &Bytes) {
    assert!(gate.len() <= MAX_GATE, "gate is over 4096 bytes");
    check(gate);
    // It is a content's: when one is stored, `LINK` takes its place.
    assert!(gate.at(0) != ops::ALLOC, "a gate cannot allocate");
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
