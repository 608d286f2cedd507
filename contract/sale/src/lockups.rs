//! Lock-ups: SOUL that lies on the sale's own account until its day.
//!
//! Time runs from the end of the sale. After the cliff and each step then, an equal part is free, until all is.

use neo_framework::prelude::*;
use neo_framework::{runtime, storage};

use crate::{accounts, keys, params, state, tokens};

/// The answer of `lockupInfo`.
#[derive(Clone, Item)]
pub struct LockupRecord {
    /// Days after the end of the sale in which nothing is freed and no step begins.
    pub cliff: Int,
    /// Days from one part to the next.
    pub step: Int,
    /// How many equal parts.
    pub steps: Int,
    /// The most that the administrator may allot under it, smallest units of SOUL.
    pub reserve: Int,
    /// What was allotted until now.
    pub allotted: Int,
}

/// The answer of `lockedOf`. Amounts are in smallest units of SOUL.
#[derive(Clone, Item)]
pub struct LockedRecord {
    /// What the sale still keeps for the account.
    pub amount: Int,
    /// When the next part is free, ms since 1970; 0 if all is. It moves when the end of the sale does.
    pub next: Int,
    /// The part of the amount that `unlockTokens` would pay out now.
    pub due: Int,
}

/// SOUL was locked up for an account.
#[event(name = "Locked")]
pub fn emit_locked(account: Hash160, amount: Int, lockup: Int) {}

/// SOUL was paid out to an account.
#[event(name = "Unlocked")]
pub fn emit_unlocked(account: Hash160, amount: Int) {}

/// A day in ms.
const DAY: i64 = 86_400_000;
/// Cliff and step have at most this many days, ten years.
const MAX_DAYS: i64 = 3650;
/// Most parts.
const MAX_STEPS: i64 = 255;

// The number's bits: reserve 64, cliff 16, step 16, steps 8.
const CLIFF: i64 = 64;
const STEP: i64 = 80;
const STEPS: i64 = 96;

/// Stores a lock-up, from the data of the deployment.
pub fn put(lockup: Int, list: &Array<Any>) {
    assert!(
        list.len() == 4,
        "_deploy: a lockup must be [cliff, step, steps, reserve]"
    );
    let cliff = params::number(list, int(0), int(MAX_DAYS + 1));
    let step = params::number(list, int(1), int(MAX_DAYS + 1));
    let steps = params::number(list, int(2), int(MAX_STEPS + 1));
    let reserve = params::number(list, int(3), int(params::AMOUNT_LIMIT));
    assert!(
        step > 0 && steps > 0,
        "_deploy: a lockup needs a step and steps"
    );
    storage::put_int(
        &keys::lockup(lockup),
        reserve + (cliff << CLIFF) + (step << STEP) + (steps << STEPS),
    );
}

/// The number with a lock-up, for the functions below; faults if there is no such one.
fn load(lockup: Int) -> Int {
    assert!(lockup.within(1, keys::NUMBER_LIMIT), "no such lock-up");
    let times = storage::get_int(&keys::lockup(lockup));
    assert!(times != 0, "no such lock-up");
    times
}

fn reserve(times: Int) -> Int {
    times & ((int(1) << 64) - 1)
}

fn cliff(times: Int) -> Int {
    (times >> CLIFF) & 0xFFFF
}

fn step(times: Int) -> Int {
    (times >> STEP) & 0xFFFF
}

fn steps(times: Int) -> Int {
    times >> STEPS
}

/// A lock-up's times.
pub fn info(lockup: Int) -> LockupRecord {
    let times = load(lockup);
    LockupRecord {
        cliff: cliff(times),
        step: step(times),
        steps: steps(times),
        reserve: reserve(times),
        allotted: storage::get_int(&keys::allotted(lockup)),
    }
}

/// What may still be allotted under a lock-up; faults if there is no such one.
pub fn reserve_left(lockup: Int) -> Int {
    let reserve = reserve(load(lockup));
    reserve - storage::get_int(&keys::allotted(lockup))
}

/// So much more was allotted.
pub fn add_allotted(lockup: Int, amount: Int) {
    let key = keys::allotted(lockup);
    storage::put_int(&key, storage::get_int(&key) + amount);
}

/// How many parts are free so long after the end of the sale (ms, negative before it).
pub fn parts(elapsed: Int, times: Int) -> Int {
    let running = (elapsed - cliff(times) * DAY).max(int(0));
    (running / (step(times) * DAY)).min(steps(times))
}

/// What the sale keeps for an account.
pub fn locked(account: &Hash160) -> LockedRecord {
    let record = accounts::load(account);
    let lockup = accounts::lockup(record);
    if lockup == 0 {
        return LockedRecord {
            amount: int(0),
            next: int(0),
            due: int(0),
        };
    }
    let times = load(lockup);
    let end = state::end(state::load());
    let parts = parts(runtime::time() - end, times);
    let mut next = int(0);
    if parts < steps(times) {
        next = end + (cliff(times) + (parts + 1) * step(times)) * DAY;
    }
    let unlocked = accounts::unlocked(record);
    LockedRecord {
        amount: accounts::locked(record) - unlocked,
        next,
        due: accounts::locked(record) * parts / steps(times) - unlocked,
    }
}

/// Pays out what is free. The account, if it is a contract, is called after all is written down.
pub fn unlock(account: &Hash160) -> Int {
    let due = locked(account).due;
    assert!(due > 0, "unlockTokens: nothing is free yet");
    let record = accounts::load(account);
    accounts::save(account, accounts::with_unlocked(record, due));
    emit_unlocked(account.clone(), due);
    tokens::send(&params::hash(&keys::PHANTASMA), account, due);
    due
}
