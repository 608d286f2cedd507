//! SOUL that boxes hold.
//!
//! It lies on the contract's own account, so that all balances of NEP-17 still add up to the supply; a box's part is
//! kept beside it. `keys::BOX_TOTAL` is the sum of those parts, and what the account has beyond it is the pool.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::{boxes, keys, token};

/// What a box holds now.
#[event(name = "BoxBalance")]
pub fn emit_box_balance(box_id: Int, balance: Int) {}

/// What a box holds.
pub fn balance_of(id: Int) -> Int {
    boxes::assert_exists(id);
    storage::get_int(&keys::box_balance(id))
}

/// Gives a box its owner's SOUL back.
pub fn withdraw(id: Int, amount: Int) {
    let owner = boxes::signed_owner(id);
    assert!(amount > 0, "withdraw: amount must be positive");
    debit(id, amount);
    token::pay_out(&owner, amount);
}

/// Adds SOUL that the contract's account has received.
pub fn credit(id: Int, amount: Int) {
    add(id, amount);
}

/// Takes SOUL out of a box, so that it is the pool's until it is given on.
pub fn debit(id: Int, amount: Int) {
    add(id, -amount);
}

fn add(id: Int, amount: Int) {
    let key = keys::box_balance(id);
    let balance = storage::get_int(&key) + amount;
    assert!(balance >= 0, "not enough SOUL in the box");
    if balance == 0 {
        storage::delete(&key);
    } else {
        storage::put_int(&key, balance);
    }
    storage::put_int(
        &keys::BOX_TOTAL,
        storage::get_int(&keys::BOX_TOTAL) + amount,
    );
    emit_box_balance(id, balance);
}
