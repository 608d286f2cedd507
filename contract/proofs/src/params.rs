//! What is fixed at deployment: nobody can change it, and nobody can update or destroy the contract.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::{keys, queue};

/// The answer of `settings()`. Amounts are in smallest units of SOUL, times in ms.
#[derive(Clone, Item)]
pub struct Settings {
    /// The contract that has the SOUL and the register of content.
    pub phantasma: Hash160,
    /// What `registerNode` costs.
    pub node_fee: Int,
    /// What `startProof` costs the validator.
    pub validation_fee: Int,
    /// The part of the storage pool that one round pays out, in percent.
    pub pot_share: Int,
    /// Fewest entries in each queue when a round closes.
    pub minimum: Int,
    /// From one round's rewards to the next, at first.
    pub wait: Int,
    /// Longest wait that this grows to.
    pub wait_cap: Int,
    /// A node younger than this is in no queue.
    pub min_age: Int,
    /// After this time without a proof the pair's own reputations decide who validates.
    pub quiet: Int,
    /// A proof must be shown before this time is over.
    pub deadline: Int,
}

// Both numbers are sums of fields; the amounts' bits: node fee 64, validation fee 64, pot share 8, minimum 8; the times
// have 48 bits each.
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;

/// All settings.
pub fn settings() -> Settings {
    let amounts = storage::get_int(&keys::AMOUNTS);
    let times = times();
    Settings {
        phantasma: phantasma(),
        node_fee: amounts & mask_64(),
        validation_fee: (amounts >> 64) & mask_64(),
        pot_share: (amounts >> 128) & 255,
        minimum: (amounts >> 136) & 255,
        wait: first_wait(times),
        wait_cap: wait_cap(times),
        min_age: min_age(times),
        quiet: quiet(times),
        deadline: deadline(times),
    }
}

/// The contract that has the SOUL and the register of content.
pub fn phantasma() -> Hash160 {
    Hash160::from_bytes(storage::get(&keys::PHANTASMA).unwrap()).unwrap()
}

/// What `registerNode` costs.
pub fn node_fee() -> Int {
    storage::get_int(&keys::AMOUNTS) & mask_64()
}

/// What `startProof` costs.
pub fn validation_fee() -> Int {
    (storage::get_int(&keys::AMOUNTS) >> 64) & mask_64()
}

/// The pot's part of the pool in percent.
pub fn pot_share() -> Int {
    (storage::get_int(&keys::AMOUNTS) >> 128) & 255
}

/// Fewest entries in each queue.
pub fn minimum() -> Int {
    (storage::get_int(&keys::AMOUNTS) >> 136) & 255
}

/// All times as one number, for the functions below: one read for all of them.
pub fn times() -> Int {
    storage::get_int(&keys::TIMES)
}

/// The wait at first.
pub fn first_wait(times: Int) -> Int {
    times & BITS_48
}

/// The longest wait.
pub fn wait_cap(times: Int) -> Int {
    (times >> 48) & BITS_48
}

/// Least age of a node in a queue.
pub fn min_age(times: Int) -> Int {
    (times >> 96) & BITS_48
}

/// Time without proofs after which the rule of roles is loosened.
pub fn quiet(times: Int) -> Int {
    (times >> 144) & BITS_48
}

/// Time to show a proof.
pub fn deadline(times: Int) -> Int {
    (times >> 192) & BITS_48
}

/// Stores the parameters.
pub fn deploy(data: Any, update: bool) {
    assert!(!update, "_deploy: this contract cannot be updated");
    let list = data.as_array();
    assert!(
        list.len() == 10,
        "_deploy: data must be [phantasma, nodeFee, validationFee, potShare, minimum, wait, waitCap, minAge, quiet, deadline]"
    );
    let node_fee = amount(&list, int(1));
    let validation_fee = amount(&list, int(2));
    let pot_share = list.get(3).as_int();
    let minimum = list.get(4).as_int();
    assert!(pot_share.within(1, 101), "_deploy: potShare must be 1-100");
    assert!(
        minimum.within(1, queue::MAX + 1),
        "_deploy: minimum must be 1-8"
    );
    let wait = time(&list, int(5));
    let wait_cap = time(&list, int(6));
    assert!(wait <= wait_cap, "_deploy: wait is above waitCap");
    let times = wait
        + (wait_cap << 48)
        + (time(&list, int(7)) << 96)
        + (time(&list, int(8)) << 144)
        + (time(&list, int(9)) << 192);
    storage::put(&keys::PHANTASMA, &list.get(0).as_hash160().as_bytes());
    let amounts = node_fee + (validation_fee << 64) + (pot_share << 128) + (minimum << 136);
    storage::put_int(&keys::AMOUNTS, amounts);
    storage::put_int(&keys::TIMES, times);
    crate::network::begin();
    crate::rounds::begin(wait);
}

fn amount(list: &Array<Any>, index: Int) -> Int {
    let amount = list.get(index).as_int();
    assert!(
        amount.within(0, int(1) << 63),
        "_deploy: amount out of range"
    );
    amount
}

fn time(list: &Array<Any>, index: Int) -> Int {
    let time = list.get(index).as_int();
    assert!(time.within(0, int(1) << 47), "_deploy: time out of range");
    time
}

fn mask_64() -> Int {
    (int(1) << 64) - 1
}
