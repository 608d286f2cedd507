//! What the sale knows of an account: one number, so that a contribution reads and writes one entry for it.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::keys;

/// The answer of `accountInfo`. Amounts are in smallest units of SOUL.
#[derive(Clone, Item)]
pub struct AccountRecord {
    /// 0 if it is not on the whitelist.
    pub tier: Int,
    /// Bought, without bonus.
    pub bought: Int,
    /// The lock-up of what was locked; 0 if nothing was.
    pub lockup: Int,
    /// Locked in all, also what is paid out by now.
    pub locked: Int,
    /// Paid out of it.
    pub unlocked: Int,
}

// The number's bits: tier 8, bought 64, locked 64, unlocked 64, lock-up 8. Each change below is a sum that carries into
// no other field.
const BOUGHT: i64 = 8;
const LOCKED: i64 = 72;
const UNLOCKED: i64 = 136;
const LOCKUP: i64 = 200;

/// The number with all of it, for the functions below.
pub fn load(account: &Hash160) -> Int {
    storage::get_int(&keys::account(account))
}

/// Writes it down; an account that nothing is known of has no entry.
pub fn save(account: &Hash160, record: Int) {
    let key = keys::account(account);
    if record == 0 {
        storage::delete(&key);
    } else {
        storage::put_int(&key, record);
    }
}

/// The tier, 0 if it is not on the whitelist.
pub fn tier(record: Int) -> Int {
    record & 255
}

/// Bought, without bonus.
pub fn bought(record: Int) -> Int {
    amount(record, int(BOUGHT))
}

/// Locked in all.
pub fn locked(record: Int) -> Int {
    amount(record, int(LOCKED))
}

/// Paid out of what was locked.
pub fn unlocked(record: Int) -> Int {
    amount(record, int(UNLOCKED))
}

/// The lock-up, 0 if nothing was locked.
pub fn lockup(record: Int) -> Int {
    record >> LOCKUP
}

/// The record under another tier.
pub fn with_tier(record: Int, new: Int) -> Int {
    record - tier(record) + new
}

/// The record after a purchase.
pub fn with_bought(record: Int, base: Int) -> Int {
    record + (base << BOUGHT)
}

/// The record with more locked. What is locked for one account has one lock-up, so that one entry is enough.
pub fn with_locked(record: Int, amount: Int, new: Int) -> Int {
    assert_same_lockup(record, new);
    let mut changed = record + (amount << LOCKED);
    if lockup(record) == 0 {
        changed += new << LOCKUP;
    }
    changed
}

/// Faults if what an account has is locked up otherwise.
pub fn assert_same_lockup(record: Int, new: Int) {
    let old = lockup(record);
    assert!(
        old == 0 || old == new,
        "this account has another lock-up already"
    );
}

/// The record after a payment out of what is locked.
pub fn with_unlocked(record: Int, amount: Int) -> Int {
    record + (amount << UNLOCKED)
}

/// What is known of an account.
pub fn info(account: &Hash160) -> AccountRecord {
    let record = load(account);
    AccountRecord {
        tier: tier(record),
        bought: bought(record),
        lockup: lockup(record),
        locked: locked(record),
        unlocked: unlocked(record),
    }
}

fn amount(record: Int, bits: Int) -> Int {
    (record >> bits) & ((int(1) << 64) - 1)
}
