//! Where the sale stands: one number, so that a contribution reads and writes one entry for it.

use neo_framework::prelude::*;
use neo_framework::{runtime, storage};

use crate::keys;

/// What the time and the administrator make of the sale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Item)]
pub enum Phase {
    /// The opening has not come.
    Upcoming,
    /// Contributions buy.
    Open,
    /// The administrator has stopped it for a while.
    Paused,
    /// Over for good.
    Ended,
}

/// The answer of `saleInfo`. Amounts are in smallest units of SOUL, times in ms since 1970.
#[derive(Clone, Item)]
pub struct SaleRecord {
    /// See [`Phase`].
    pub phase: Phase,
    /// Contributions buy from then on.
    pub opening: Int,
    /// From then on none does, and lock-ups run.
    pub end: Int,
    /// The most that may be sold, bonus included.
    pub hard_cap: Int,
    /// Sold until now, bonus included.
    pub sold: Int,
}

// The number's bits: sold 64, opening 48, end 48, hard cap 64, paused 1. Each change below is a sum that carries into no
// other field.
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;
const OPENING: i64 = 64;
const END: i64 = 112;
const HARD_CAP: i64 = 160;
const PAUSED: i64 = 224;

/// The state at deployment.
pub fn begin(hard_cap: Int, opening: Int, end: Int) {
    save((opening << OPENING) + (end << END) + (hard_cap << HARD_CAP));
}

/// The number with all of it, for the functions below.
pub fn load() -> Int {
    storage::get_int(&keys::STATE)
}

fn save(state: Int) {
    storage::put_int(&keys::STATE, state);
}

/// Sold until now, bonus included.
pub fn sold(state: Int) -> Int {
    state & ((int(1) << 64) - 1)
}

/// The most that may be sold.
pub fn hard_cap(state: Int) -> Int {
    (state >> HARD_CAP) & ((int(1) << 64) - 1)
}

/// When contributions begin to buy.
pub fn opening(state: Int) -> Int {
    (state >> OPENING) & BITS_48
}

/// When they cease to, and lock-ups begin to run.
pub fn end(state: Int) -> Int {
    (state >> END) & BITS_48
}

/// What the sale does now.
pub fn phase(state: Int) -> Phase {
    let now = runtime::time();
    if now >= end(state) {
        return Phase::Ended;
    }
    if now < opening(state) {
        return Phase::Upcoming;
    }
    if state >> PAUSED == 1 {
        return Phase::Paused;
    }
    Phase::Open
}

/// Faults unless contributions buy now.
pub fn assert_open(state: Int) {
    match phase(state) {
        Phase::Upcoming => panic!("sale: not open yet"),
        Phase::Open => {}
        Phase::Paused => panic!("sale: paused"),
        Phase::Ended => panic!("sale: has ended"),
    }
}

/// Where the sale stands.
pub fn info() -> SaleRecord {
    let state = load();
    SaleRecord {
        phase: phase(state),
        opening: opening(state),
        end: end(state),
        hard_cap: hard_cap(state),
        sold: sold(state),
    }
}

/// So much more was sold.
pub fn add_sold(state: Int, amount: Int) {
    save(state + amount);
}

/// Pauses, or resumes; faults if that changes nothing.
pub fn set_paused(state: Int, paused: Int) {
    assert!(
        state >> PAUSED != paused,
        "sale: paused already, or not paused"
    );
    save(state + (((paused << 1) - 1) << PAUSED));
}

/// Moves the end, and the opening if it has not come, later.
pub fn delay(state: Int, delay: Int) {
    let mut later = state + (delay << END);
    if runtime::time() < opening(state) {
        later += delay << OPENING;
    }
    save(later);
}

/// The end is now.
pub fn finish(state: Int) {
    save(state + ((runtime::time() - end(state)) << END));
}
