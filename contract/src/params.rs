//! What is fixed at deployment: nobody can change it, and nobody can update or destroy the contract.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::{keys, token};

/// The answer of `settings()`. Amounts are in smallest units of SOUL.
#[derive(Clone, Item)]
pub struct Settings {
    /// What `createBox` costs.
    pub box_fee: Int,
    /// What one block of 256 KiB costs in one period of 30 days, read-only, at priority 0.
    pub content_base_fee: Int,
    /// The storage pool's share of payments to a target, in percent.
    pub pool_share: Int,
}

/// The current settings.
pub fn settings() -> Settings {
    Settings {
        box_fee: box_fee(),
        content_base_fee: content_base_fee(),
        pool_share: pool_share(),
    }
}

/// What `createBox` costs.
pub fn box_fee() -> Int {
    storage::get_int(&keys::BOX_FEE)
}

/// What a block costs a period.
pub fn content_base_fee() -> Int {
    storage::get_int(&keys::CONTENT_BASE_FEE)
}

/// The pool's share of payments to a target, in percent.
pub fn pool_share() -> Int {
    storage::get_int(&keys::POOL_SHARE)
}

/// Stores the parameters and gives the whole supply to the owner.
pub fn deploy(data: Any, update: bool) {
    assert!(!update, "_deploy: this contract cannot be updated");
    let list = data.as_array();
    assert!(
        list.len() == 5,
        "_deploy: data must be [owner, initialSupply, boxFee, contentBaseFee, poolShare]"
    );
    let owner = list.get(0).as_hash160();
    let supply = list.get(1).as_int();
    let box_fee = list.get(2).as_int();
    let content_base_fee = list.get(3).as_int();
    let pool_share = list.get(4).as_int();
    assert!(
        supply >= 0 && box_fee >= 0 && content_base_fee >= 0,
        "_deploy: negative amount"
    );
    assert!(
        pool_share.within(0, 101),
        "_deploy: poolShare must be 0-100"
    );
    storage::put_int(&keys::BOX_FEE, box_fee);
    storage::put_int(&keys::CONTENT_BASE_FEE, content_base_fee);
    storage::put_int(&keys::POOL_SHARE, pool_share);
    token::mint(&owner, supply);
}
