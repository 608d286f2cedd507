//! What is known of all nodes together, and the arithmetic of reputation. All in one number, so that a proof reads and
//! writes one entry for it.
//!
//! Reputation and average are in millionths of a point: 0 to 1000 points are 0 to 1,000,000,000.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::keys;

/// 1000 points: the most.
pub const FULL: i64 = 1_000_000_000;
/// 500 points: what a node starts with, and the average of a network without proofs.
pub const START: i64 = 500_000_000;

// The number's bits: average 32, nodes 32, last number 32, time of the last change 48, and a 1 on top that keeps its
// length.
const BITS_32: i64 = 0xFFFF_FFFF;
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;

/// The state at deployment.
pub fn begin() {
    save(int(START), int(0), int(0), int(0));
}

/// The number with all of it, for the functions below.
pub fn load() -> Int {
    storage::get_int(&keys::NETWORK)
}

/// The moving average of reputations.
pub fn average(network: Int) -> Int {
    network & BITS_32
}

/// How many nodes are registered.
pub fn count(network: Int) -> Int {
    (network >> 32) & BITS_32
}

/// The number that was given last.
pub fn last_number(network: Int) -> Int {
    (network >> 64) & BITS_32
}

/// When a proof last ended, in ms since 1970; 0 before the first.
pub fn changed(network: Int) -> Int {
    (network >> 96) & BITS_48
}

/// Writes all of it down.
pub fn save(average: Int, count: Int, last_number: Int, changed: Int) {
    let network = average + (count << 32) + (last_number << 64) + (changed << 96) + (int(1) << 144);
    storage::put_int(&keys::NETWORK, network);
}

/// A reputation after a success: nearer to the full by a sixteenth, rounded down.
pub fn raised(reputation: Int) -> Int {
    reputation + (int(FULL) - reputation) / 16
}

/// A reputation after a failure: less by a quarter, rounded down.
pub fn lowered(reputation: Int) -> Int {
    reputation - reputation / 4
}

/// The average after a node has this reputation: nearer by one part in the number of nodes, rounded toward the old one.
pub fn moved(average: Int, reputation: Int, count: Int) -> Int {
    average + (reputation - average) / count.max(1)
}
