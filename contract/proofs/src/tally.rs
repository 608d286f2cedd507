//! How the proofs of a content went, and how sure that makes its owner.
//!
//! Only draws over the whole content count. A challenge counts from its start on, as one that fails until its proof is
//! there: who leaves unlucky draws unanswered, and calls nobody to see them, gains nothing.

use neo_framework::prelude::*;
use neo_framework::storage;

use crate::keys;

/// The answer of `contentProofs`.
#[derive(Clone, Item)]
pub struct TallyRecord {
    /// Proofs that were asked for.
    pub challenges: Int,
    /// Proofs that were shown.
    pub shown: Int,
    /// Challenges that were declared failed.
    pub failures: Int,
    /// Millionths: how sure it is that at least 99 % of the chunks are there, rounded down.
    pub confidence: Int,
}

// The number's bits: challenges 32, shown 32, failures 32.
const BITS_32: i64 = 0xFFFF_FFFF;
const SHOWN: i64 = 0x1_0000_0000;

/// What 1 is in the arithmetic of [`confidence`], as a power of two.
const ONE_BITS: i64 = 96;
const MILLION: i64 = 1_000_000;
/// With more unanswered challenges than this there is no confidence to speak of, and no long sum.
const MOST_MISSED: i64 = 32;
/// More challenges than this are taken as this many: 0.99 to that power is still above the arithmetic's last bit.
const MOST: i64 = 6000;

/// One more challenge.
pub fn started(root: &Bytes) {
    add(root, int(1));
}

/// One more proof.
pub fn shown(root: &Bytes) {
    add(root, int(SHOWN));
}

/// One more failure.
pub fn failed(root: &Bytes) {
    add(root, int(1) << 64);
}

fn add(root: &Bytes, amount: Int) {
    let key = keys::tally(root);
    storage::put_int(&key, storage::get_int(&key) + amount);
}

/// What is known of a content's proofs.
pub fn info(root: &Bytes) -> TallyRecord {
    let tally = storage::get_int(&keys::tally(root));
    let challenges = tally & BITS_32;
    let shown = (tally >> 32) & BITS_32;
    TallyRecord {
        challenges,
        shown,
        failures: tally >> 64,
        confidence: confidence(challenges, challenges - shown),
    }
}

/// One less the chance that `missed` or fewer of so many random chunks are missing when 1 % of all are; so
/// 1 - 0.99^challenges when none was missed. In millionths, rounded down.
pub fn confidence(challenges: Int, missed: Int) -> Int {
    if missed > MOST_MISSED {
        return int(0);
    }
    let challenges = challenges.min(MOST);
    let mut term = power(challenges);
    let mut sum = term;
    for i in range(0, missed) {
        // One more missing: (n - i) / (i + 1) times the ways, and 1 % in place of 99 %. Rounded up.
        term = term * (challenges - i) / ((i + 1) * 99) + 1;
        sum += term;
    }
    let doubt = ((sum * MILLION) >> ONE_BITS) + 1;
    (int(MILLION) - doubt).max(0)
}

/// 0.99 to a power, in parts of 2^96, rounded up.
fn power(exponent: Int) -> Int {
    let mut result = int(1) << ONE_BITS;
    let mut square = (int(99) << ONE_BITS) / 100 + 1;
    let mut rest = exponent;
    while rest > 0 {
        if rest & 1 == 1 {
            result = ((result * square) >> ONE_BITS) + 1;
        }
        square = ((square * square) >> ONE_BITS) + 1;
        rest >>= 1;
    }
    result
}
