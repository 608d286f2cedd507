//! SOUL by NEP-17, and by NEP-5 for those who still speak it: both events on every movement.

use neo_framework::prelude::*;
use neo_framework::{contracts, management, runtime, storage};

use crate::{keys, params};

/// NEP-17's event.
#[event(name = "Transfer")]
pub fn emit_transfer(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

/// NEP-5's event.
#[event(name = "transfer")]
pub fn emit_transfer_nep5(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

/// SOUL was burned here, to be had again where `target` says.
#[event(name = "SwapOut")]
pub fn emit_swap_out(from: Hash160, amount: Int, target: Bytes) {}

/// All there is.
pub fn total_supply() -> Int {
    storage::get_int(&keys::SUPPLY)
}

/// What an account has.
pub fn balance_of(account: &Hash160) -> Int {
    storage::get_int(&keys::balance(account))
}

/// Moves SOUL with the sender's witness, and tells a receiving contract. False without witness or enough balance.
pub fn transfer(from: &Hash160, to: &Hash160, amount: Int, data: Any) -> bool {
    assert!(amount >= 0, "transfer: negative amount");
    if !runtime::check_witness(from) || !add(from, -amount) {
        return false;
    }
    add(to, amount);
    announce(Some(from.clone()), Some(to.clone()), amount);
    if management::is_contract(to) {
        let arguments = array![Any::from(from.clone()), Any::from(amount), data];
        contracts::call(to, &text("onNEP17Payment"), contracts::ALL, arguments);
    }
    true
}

/// Creates SOUL for the contract of the sale, which calls.
pub fn mint(to: &Hash160, amount: Int) {
    assert_called_by(&keys::SALE);
    create(to, amount);
}

/// Creates SOUL, never more than there may be; the caller has checked who asks.
pub fn create(to: &Hash160, amount: Int) {
    assert!(
        amount.within(0, params::max_supply() - total_supply() + 1),
        "mint: above maxSupply"
    );
    issue(to, amount);
    announce(None, Some(to.clone()), amount);
}

/// Burns SOUL of an account that has signed.
pub fn swap_out(from: &Hash160, amount: Int, target: &Bytes) {
    assert_signed(from);
    assert!(amount > 0, "swapOut: amount must be positive");
    issue(from, -amount);
    announce(Some(from.clone()), None, amount);
    emit_swap_out(from.clone(), amount, target.clone());
}

/// Changes what an account has and what there is by the same.
fn issue(account: &Hash160, amount: Int) {
    storage::put_int(&keys::SUPPLY, total_supply() + amount);
    change(account, amount);
}

/// Faults unless an account has signed.
pub fn assert_signed(account: &Hash160) {
    assert!(runtime::check_witness(account), "no witness of the account");
}

/// Takes SOUL for the contract of the proofs, which calls and has checked the payer's witness: the pool gets its
/// share and the target the rest, or the pool all.
pub fn collect(payer: &Hash160, target: Option<Hash160>, amount: Int) {
    assert_called_by(&keys::PROOFS);
    let mut rest = amount;
    if let Some(target) = target {
        rest = amount * params::pool_share() / 100;
        pay(payer, &target, amount - rest);
    }
    charge(payer, rest);
}

/// Pays SOUL of the pool for the contract of the proofs, which calls.
pub fn reward(to: &Hash160, amount: Int) {
    assert_called_by(&keys::PROOFS);
    assert!(amount <= pool(), "reward: above the pool");
    pay_out(to, amount);
}

/// SOUL of the contract's account that no box holds.
pub fn pool() -> Int {
    balance_of(&runtime::executing_script_hash()) - storage::get_int(&keys::BOX_TOTAL)
}

/// Moves a fee to the pool, which is the contract's own account. The caller has checked the payer's witness.
pub fn charge(payer: &Hash160, amount: Int) {
    pay(payer, &runtime::executing_script_hash(), amount);
}

/// Gives SOUL that the contract holds to an account.
pub fn pay_out(to: &Hash160, amount: Int) {
    pay(&runtime::executing_script_hash(), to, amount);
}

/// Moves SOUL, if the amount is positive; the caller has checked who asks.
fn pay(from: &Hash160, to: &Hash160, amount: Int) {
    if amount > 0 {
        change(from, -amount);
        add(to, amount);
        announce(Some(from.clone()), Some(to.clone()), amount);
    }
}

/// Faults unless the contract whose hash this key holds calls.
fn assert_called_by(key: &Bytes) {
    assert!(
        Some(runtime::calling_script_hash().as_bytes()) == storage::get(key),
        "not for you"
    );
}

/// Changes what an account has; faults if there is not enough.
fn change(account: &Hash160, amount: Int) {
    assert!(add(account, amount), "not enough SOUL to pay the fee");
}

/// Changes what an account has; false, changing nothing, if there is not enough. An account without SOUL has no entry.
fn add(account: &Hash160, amount: Int) -> bool {
    let key = keys::balance(account);
    let balance = storage::get_int(&key) + amount;
    if balance < 0 {
        return false;
    }
    if balance == 0 {
        storage::delete(&key);
    } else {
        storage::put_int(&key, balance);
    }
    true
}

fn announce(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {
    emit_transfer(from.clone(), to.clone(), amount);
    emit_transfer_nep5(from, to, amount);
}
