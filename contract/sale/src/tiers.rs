//! Tiers: on what terms an account on the whitelist buys.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::{keys, params};

/// The answer of `tierInfo`. Amounts are in smallest units of SOUL.
#[derive(Clone, Item)]
pub struct TierRecord {
    /// SOUL for one NEO; 0 if the tier does not take NEO.
    pub rate_neo: Int,
    /// SOUL for one GAS; 0 if the tier does not take GAS.
    pub rate_gas: Int,
    /// Given on top, in percent.
    pub bonus: Int,
    /// The most that one account buys, without bonus.
    pub cap: Int,
    /// The lock-up of what is locked; 0 if there is none.
    pub lockup: Int,
    /// What is locked: 0 nothing, 1 the bonus, 2 all.
    pub locks: Int,
}

/// The bonus is at most ten times what is bought.
const MAX_BONUS: i64 = 1000;

// The number's bits: both rates and the cap 64 each, bonus 16, lock-up 8, locks 8; the last is above the others.
const BITS_64: i64 = 64;

/// Stores the terms of a tier, from the data of the deployment.
pub fn put(tier: Int, list: &Array<Any>, lockups: Int) {
    assert!(
        list.len() == 6,
        "_deploy: a tier must be [rateNeo, rateGas, bonus, cap, lockup, locks]"
    );
    let amounts = params::number(list, int(0), int(params::AMOUNT_LIMIT))
        + (params::number(list, int(1), int(params::AMOUNT_LIMIT)) << BITS_64)
        + (params::number(list, int(3), int(params::AMOUNT_LIMIT)) << 128);
    let bonus = params::number(list, int(2), int(MAX_BONUS + 1));
    let lockup = params::number(list, int(4), lockups + 1);
    let locks = params::number(list, int(5), int(3));
    assert!(
        (lockup == 0) == (locks == 0),
        "_deploy: a tier has a lockup and locks, or neither"
    );
    // One more than the lock-up, so that no tier is the number 0.
    storage::put_int(
        &keys::tier(tier),
        amounts + (bonus << 192) + ((lockup + 1) << 208) + (locks << 216),
    );
}

/// The number with a tier's terms, for the functions below; faults if there is no such tier.
pub fn load(tier: Int) -> Int {
    assert!(tier.within(1, keys::NUMBER_LIMIT), "no such tier");
    let terms = storage::get_int(&keys::tier(tier));
    assert!(terms != 0, "no such tier");
    terms
}

/// SOUL for one NEO.
pub fn rate_neo(terms: Int) -> Int {
    low_64(terms)
}

/// SOUL for one GAS.
pub fn rate_gas(terms: Int) -> Int {
    low_64(terms >> BITS_64)
}

/// The most that one account buys.
pub fn cap(terms: Int) -> Int {
    low_64(terms >> 128)
}

/// Percent on top.
pub fn bonus(terms: Int) -> Int {
    (terms >> 192) & 0xFFFF
}

/// The lock-up, or 0.
pub fn lockup(terms: Int) -> Int {
    ((terms >> 208) & 255) - 1
}

/// What is locked.
fn locks(terms: Int) -> Int {
    terms >> 216
}

/// The part of a purchase that is locked.
pub fn locked_part(terms: Int, base: Int, bonus: Int) -> Int {
    match locks(terms).small() {
        0 => int(0),
        1 => bonus,
        _ => base + bonus,
    }
}

/// The terms of a tier.
pub fn info(tier: Int) -> TierRecord {
    let terms = load(tier);
    TierRecord {
        rate_neo: rate_neo(terms),
        rate_gas: rate_gas(terms),
        bonus: bonus(terms),
        cap: cap(terms),
        lockup: lockup(terms),
        locks: locks(terms),
    }
}

fn low_64(number: Int) -> Int {
    number & ((int(1) << 64) - 1)
}
