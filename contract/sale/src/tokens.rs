//! Calls of the contracts that have SOUL, NEO and GAS.

use neo_framework::prelude::*;
use neo_framework::{contracts, runtime};

use crate::{keys, params};

/// Creates SOUL for an account; a receiving contract is not called.
pub fn mint(to: &Hash160, amount: Int) {
    if amount > 0 {
        let arguments = array![Any::from(to.clone()), Any::from(amount)];
        contracts::call(
            &params::hash(&keys::PHANTASMA),
            &text("mint"),
            contracts::ALL,
            arguments,
        );
    }
}

/// Sends a token from the sale's own account. A receiving contract is called and can call back, so all must be written
/// down before.
pub fn send(token: &Hash160, to: &Hash160, amount: Int) {
    if amount > 0 {
        let arguments = array![
            Any::from(runtime::executing_script_hash()),
            Any::from(to.clone()),
            Any::from(amount),
            Any::null()
        ];
        let sent = contracts::call(token, &text("transfer"), contracts::ALL, arguments);
        assert!(sent.as_bool(), "the token refused the transfer");
    }
}
