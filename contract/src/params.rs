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
    /// The most SOUL that there may be.
    pub max_supply: Int,
    /// The contract that may mint; zero if there is none.
    pub sale: Hash160,
    /// The contract that may collect and reward; zero if there is none.
    pub proofs: Hash160,
}

/// The current settings.
pub fn settings() -> Settings {
    Settings {
        box_fee: box_fee(),
        content_base_fee: content_base_fee(),
        pool_share: pool_share(),
        max_supply: max_supply(),
        sale: contract(&keys::SALE),
        proofs: contract(&keys::PROOFS),
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

/// The most SOUL that there may be.
pub fn max_supply() -> Int {
    storage::get_int(&keys::MAX_SUPPLY)
}

fn contract(key: &Bytes) -> Hash160 {
    Hash160::from_bytes(storage::get(key).unwrap()).unwrap()
}

/// Stores the parameters and gives the whole supply to the owner.
pub fn deploy(data: Any, update: bool) {
    assert!(!update, "_deploy: this contract cannot be updated");
    let list = data.as_array();
    assert!(
        list.len() == 8,
        "_deploy: data must be [owner, initialSupply, boxFee, contentBaseFee, poolShare, maxSupply, sale, proofs]"
    );
    let owner = list.get(0).as_hash160();
    let supply = list.get(1).as_int();
    let box_fee = list.get(2).as_int();
    let content_base_fee = list.get(3).as_int();
    let pool_share = list.get(4).as_int();
    let max_supply = list.get(5).as_int();
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
    assert!(
        supply <= max_supply,
        "_deploy: initialSupply is above maxSupply"
    );
    storage::put_int(&keys::MAX_SUPPLY, max_supply);
    storage::put(&keys::SALE, &list.get(6).as_hash160().as_bytes());
    storage::put(&keys::PROOFS, &list.get(7).as_hash160().as_bytes());
    token::create(&owner, supply);
}
