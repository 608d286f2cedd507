//! How a block stays on enough nodes: where it goes, who watches it, and what is done when a holder is gone.
//!
//! * [`place`]: which nodes shall hold a block, at distinct endpoints.
//! * [`Watch`]: one node's view of the blocks that it holds and of the other holders. It says whom to ask whether it is
//!   still there, which block to copy to whom, and which one to drop.
//! * [`Load`]: which blocks are asked for too often, so that they go to more nodes and requests to other holders.
//!
//! Not here: clocks, sockets, randomness. The caller tells the time and what it heard, and carries out what comes back.
//! All holders of a block run the same rules on nearly the same view, so they mostly agree without talking about it; when
//! they do not, a block is copied once too often. Only who is not among the best places drops, and only while enough others
//! answer.

mod load;
mod placement;
mod watch;

pub use load::{Answer, Load, LoadPolicy};
pub use placement::{Candidate, Zone, place, rank, zone};
pub use watch::{Action, Watch};

use crate::Hash;

/// A block of a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlockKey {
    pub root: Hash,
    pub block: u32,
}

/// How holders watch and repair. Times in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Each other holder is asked so often whether it still holds.
    pub ask_every_ms: u64,
    /// Silence after which a holder counts as gone while at least `minimum` are surely there.
    pub gone_after_ms: u64,
    /// The same when there are fewer: a copy too many costs less than the block.
    pub urgent_after_ms: u64,
    /// Holders that a block should never be without.
    pub minimum: usize,
    /// Copies that a node sends at once: 4 blocks are 1 MiB of memory.
    pub copies_at_once: usize,
    /// A copy that was not confirmed by then has failed.
    pub copy_timeout_ms: u64,
    /// A node that did not take a copy is not tried again before.
    pub avoid_ms: u64,
    /// More holders than wanted for so long: who is not among the best places drops its copy. Longer than most restarts.
    pub surplus_after_ms: u64,
    /// A holder that is gone is forgotten.
    pub forget_after_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            ask_every_ms: 15_000,
            gone_after_ms: 60_000,
            urgent_after_ms: 35_000,
            minimum: 2,
            copies_at_once: 4,
            copy_timeout_ms: 30_000,
            avoid_ms: 600_000,
            surplus_after_ms: 900_000,
            forget_after_ms: 24 * 3_600_000,
        }
    }
}
