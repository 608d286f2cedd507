//! SOUL by NEP-17, and by NEP-5 for those who still speak it: both events on every movement.

use neo_framework::prelude::*;
use neo_framework::{contracts, management, runtime, storage};

use crate::keys;

/// NEP-17's event.
#[event(name = "Transfer")]
pub fn emit_transfer(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

/// NEP-5's event.
#[event(name = "transfer")]
pub fn emit_transfer_nep5(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

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
    if !runtime::check_witness(from) || !moved(from, to, amount) {
        return false;
    }
    announce(Some(from.clone()), to, amount);
    if management::is_contract(to) {
        let arguments = array![Any::from(from.clone()), Any::from(amount), data];
        contracts::call(to, &text("onNEP17Payment"), contracts::ALL, arguments);
    }
    true
}

/// Creates the supply. Runs once, while the contract is deployed.
pub fn mint(to: &Hash160, amount: Int) {
    storage::put_int(&keys::SUPPLY, amount);
    set_balance(&keys::balance(to), amount);
    announce(None, to, amount);
}

/// Moves a fee to the pool, which is the contract's own account. The caller has checked the payer's witness.
pub fn charge(payer: &Hash160, amount: Int) {
    if amount > 0 {
        let pool = runtime::executing_script_hash();
        assert!(
            moved(payer, &pool, amount),
            "not enough SOUL to pay the fee"
        );
        announce(Some(payer.clone()), &pool, amount);
    }
}

/// Gives SOUL that the contract holds to an account.
pub fn pay_out(to: &Hash160, amount: Int) {
    let pool = runtime::executing_script_hash();
    assert!(moved(&pool, to, amount), "the contract has too little");
    announce(Some(pool), to, amount);
}

/// Moves an amount that is not negative; false, changing nothing, if there is not enough.
fn moved(from: &Hash160, to: &Hash160, amount: Int) -> bool {
    let from_key = keys::balance(from);
    let available = storage::get_int(&from_key);
    if available < amount {
        return false;
    }
    if amount > 0 && from != to {
        let to_key = keys::balance(to);
        set_balance(&from_key, available - amount);
        set_balance(&to_key, storage::get_int(&to_key) + amount);
    }
    true
}

/// An account without SOUL has no entry.
fn set_balance(key: &Bytes, amount: Int) {
    if amount == 0 {
        storage::delete(key);
    } else {
        storage::put_int(key, amount);
    }
}

fn announce(from: Option<Hash160>, to: &Hash160, amount: Int) {
    emit_transfer(from.clone(), Some(to.clone()), amount);
    emit_transfer_nep5(from, Some(to.clone()), amount);
}
