//! What it costs to check a script when it is written, and to store it.

use std::collections::BTreeSet;

use super::prices::{Price, Prices, Row};
use crate::script::steps;
use crate::table::{ID_BYTES, Operand, TABLE};
use crate::validate::MAX_INSTRUCTIONS;

/// Bytes of an `ALLOC` without its ids, and of the `LINK` that takes its place.
const ALLOC_BYTES: u64 = 9;
const LINK_BYTES: u64 = 1 + ID_BYTES as u64;

/// A script that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    /// Checking it, and paying for what it allocates.
    pub(super) price: Price,
    /// Bytes that are stored.
    pub(super) bytes: u64,
    /// Blocks of content that it allocates, each for 12 periods at priority 1.
    pub(super) blocks: u64,
}

/// The row of an instruction.
pub(super) fn row(prices: &Prices, byte: u8) -> Row {
    let at = TABLE.binary_search_by_key(&byte, |row| row.byte).ok();
    at.and_then(|at| prices.rows.get(at))
        .copied()
        .unwrap_or_default()
}

/// A script that is known and valid.
pub(super) fn known(prices: &Prices, script: &[u8]) -> Candidate {
    let mut units = 0;
    let mut pending = BTreeSet::new();
    let mut blocks = 0;
    for step in steps(script).map_while(Result::ok) {
        if !pending.is_empty() {
            units += prices.check_waiting;
            if pending.remove(&step.position) {
                units += prices.check_target;
            }
        }
        units += row(prices, step.instr.byte).check;
        let target = step
            .target()
            .and_then(|target| usize::try_from(target).ok());
        pending.extend(target);
        if step.instr.operand == Operand::Blocks {
            blocks = (step.operand.len().saturating_sub(8) / ID_BYTES) as u64;
        }
    }
    let mut candidate = Candidate {
        price: Price { units, bytes: 0 },
        bytes: script.len() as u64,
        blocks,
    };
    if blocks > 0 {
        candidate.bytes = candidate.bytes + LINK_BYTES - ALLOC_BYTES - blocks * ID_BYTES as u64;
        candidate.price.units += prices.alloc.units + root(prices, blocks);
        candidate.price.bytes += prices.alloc.bytes;
    }
    candidate
}

/// Any script of up to so many bytes.
pub(super) fn unknown(prices: &Prices, bytes: u64) -> Candidate {
    let dearest = prices.rows.iter().map(|row| row.check).max().unwrap_or(0);
    let each = dearest + prices.check_waiting + prices.check_target;
    let mut candidate = Candidate {
        price: Price {
            units: each * bytes.min(MAX_INSTRUCTIONS as u64 + 1),
            bytes: 0,
        },
        bytes,
        blocks: bytes.saturating_sub(ALLOC_BYTES) / ID_BYTES as u64,
    };
    if candidate.blocks > 0 {
        candidate.price.units += prices.alloc.units + root(prices, candidate.blocks);
        candidate.price.bytes += prices.alloc.bytes;
    }
    candidate
}

/// The tree over so many ids, beyond that of one.
fn root(prices: &Prices, ids: u64) -> u64 {
    let (mut units, mut left) = (0, ids);
    while left > 1 {
        units += prices.root_level + left / 2 * prices.root_pair + left % 2 * prices.root_odd;
        left = left.div_ceil(2);
    }
    units
}
