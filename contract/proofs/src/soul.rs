//! Calls of the contract that has the SOUL and the register of content.

use neo_framework::contracts;
use neo_framework::prelude::*;

use crate::params;

/// Moves a fee from a payer, whose witness was checked, to the storage pool.
pub fn collect(payer: &Hash160, amount: Int) {
    if amount > 0 {
        let arguments = array![Any::from(payer.clone()), Any::null(), Any::from(amount)];
        contracts::call(
            &params::phantasma(),
            &text("collect"),
            contracts::ALL,
            arguments,
        );
    }
}

/// Pays SOUL of the pool to an account.
pub fn reward(to: &Hash160, amount: Int) {
    let arguments = array![Any::from(to.clone()), Any::from(amount)];
    contracts::call(
        &params::phantasma(),
        &text("reward"),
        contracts::ALL,
        arguments,
    );
}

/// SOUL in the pool.
pub fn pool() -> Int {
    contracts::call(
        &params::phantasma(),
        &text("poolBalance"),
        contracts::READ_ONLY,
        array![],
    )
    .as_int()
}

/// Bytes of a content that is paid for now; 0 of any other.
pub fn size_of(root: &Bytes, now: Int) -> Int {
    let info = contracts::call(
        &params::phantasma(),
        &text("contentInfo"),
        contracts::READ_ONLY,
        array![Any::from(root.clone())],
    );
    if info.is_null() {
        return int(0);
    }
    let fields = info.as_array();
    if fields.get(5).as_int() <= now {
        return int(0);
    }
    fields.get(1).as_int()
}
