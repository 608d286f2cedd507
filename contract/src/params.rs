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
    let list = data.as_array();
    assert!(
        !update && list.len() == 8,
        "_deploy: takes 8 values, and no update"
    );
    // The keys of these are the numbers of their places, and of the later ones two more.
    for i in 2..5 {
        put_amount(&list, int(i), int(i));
    }
    put_amount(&list, int(5), int(7));
    for i in 6..8 {
        let hash = list.get(int(i)).as_hash160();
        storage::put(&(int(i) + 2).to_bytes(), &hash.as_bytes());
    }
    assert!(pool_share() <= 100, "_deploy: poolShare must be 0-100");
    token::create(&list.get(0).as_hash160(), list.get(1).as_int());
}

fn put_amount(list: &Array<Any>, place: Int, tag: Int) {
    let amount = list.get(place).as_int();
    assert!(amount >= 0, "_deploy: negative amount");
    storage::put_int(&tag.to_bytes(), amount);
}
