//! What is fixed at deployment: nobody can change it, and nobody can update or destroy the contract.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::{keys, lockups, state, tiers};

/// The answer of `settings()`.
#[derive(Clone, Item)]
pub struct Settings {
    /// The contract that has the SOUL.
    pub phantasma: Hash160,
    /// Who runs the sale.
    pub administrator: Hash160,
    /// Who gets what is raised.
    pub treasury: Hash160,
    /// The end can be put off until then, ms since 1970.
    pub latest_end: Int,
    /// Tiers are numbered from 1 to this.
    pub tiers: Int,
    /// Lock-ups are numbered from 1 to this.
    pub lockups: Int,
}

/// Amounts of SOUL stay below this, so that sums of all of them have 64 bits: 720 million SOUL.
pub const AMOUNT_LIMIT: i64 = 1 << 56;
/// Times in ms since 1970 stay below this.
pub const TIME_LIMIT: i64 = 1 << 47;

// The bits of the bounds: latest end 48, tiers 8, lock-ups 8.
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;

/// All of it.
pub fn settings() -> Settings {
    let bounds = storage::get_int(&keys::BOUNDS);
    Settings {
        phantasma: hash(&keys::PHANTASMA),
        administrator: hash(&keys::ADMINISTRATOR),
        treasury: hash(&keys::TREASURY),
        latest_end: latest_end(),
        tiers: (bounds >> 48) & 255,
        lockups: bounds >> 56,
    }
}

/// The end can be put off until then.
pub fn latest_end() -> Int {
    storage::get_int(&keys::BOUNDS) & BITS_48
}

/// A hash of the deployment.
pub fn hash(key: &Bytes) -> Hash160 {
    Hash160::from_bytes(storage::get(key).unwrap()).unwrap()
}

/// Stores the parameters.
pub fn deploy(data: Any, update: bool) {
    assert!(!update, "_deploy: this contract cannot be updated");
    let list = data.as_array();
    assert!(
        list.len() == 9,
        "_deploy: data must be [phantasma, administrator, treasury, hardCap, opening, end, latestEnd, tiers, lockups]"
    );
    put_hash(&keys::PHANTASMA, &list, int(0));
    put_hash(&keys::ADMINISTRATOR, &list, int(1));
    put_hash(&keys::TREASURY, &list, int(2));
    let opening = number(&list, int(4), int(TIME_LIMIT));
    let end = number(&list, int(5), int(TIME_LIMIT));
    let latest_end = number(&list, int(6), int(TIME_LIMIT));
    assert!(
        opening < end && end <= latest_end,
        "_deploy: opening, end and latestEnd must come in this order"
    );
    state::begin(number(&list, int(3), int(AMOUNT_LIMIT)), opening, end);
    let lockups = list.get(8).as_array();
    let tiers = list.get(7).as_array();
    assert!(
        lockups.len() < keys::NUMBER_LIMIT && tiers.len() < keys::NUMBER_LIMIT,
        "_deploy: over 16 tiers or lockups"
    );
    for i in range(int(0), lockups.len()) {
        lockups::put(i + 1, &lockups.get(i).as_array());
    }
    for i in range(int(0), tiers.len()) {
        tiers::put(i + 1, &tiers.get(i).as_array(), lockups.len());
    }
    storage::put_int(
        &keys::BOUNDS,
        latest_end + (tiers.len() << 48) + (lockups.len() << 56),
    );
}

fn put_hash(key: &Bytes, list: &Array<Any>, index: Int) {
    storage::put(key, &list.get(index).as_hash160().as_bytes());
}

/// A parameter from 0 to below the limit.
pub fn number(list: &Array<Any>, index: Int, limit: Int) -> Int {
    let value = list.get(index).as_int();
    assert!(value.within(0, limit), "_deploy: number out of range");
    value
}
