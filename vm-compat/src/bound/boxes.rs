//! What the bound needs to know of the chain.

use std::collections::BTreeSet;

/// What is known of a box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoxFacts {
    /// Whose it is.
    pub owner: [u8; 20],
    /// Its gate's script.
    pub gate: Vec<u8>,
    /// How many contents it has.
    pub contents: u64,
}

/// An answer about the chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// There is such a thing.
    Found(T),
    /// There is none.
    Absent,
    /// Nobody has looked yet. The bound is then one for anything that could be there, and names what it asked for.
    Unknown,
}

/// The boxes of a chain, from wherever they are known.
pub trait Boxes {
    /// A box by its number.
    fn facts(&self, id: u64) -> Lookup<BoxFacts>;
    /// A content's script as it is stored; `index` counts from 0.
    fn content(&self, id: u64, index: u64) -> Lookup<Vec<u8>>;
}

/// No box is known.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBoxes;

impl Boxes for NoBoxes {
    fn facts(&self, _id: u64) -> Lookup<BoxFacts> {
        Lookup::Unknown
    }

    fn content(&self, _id: u64, _index: u64) -> Lookup<Vec<u8>> {
        Lookup::Unknown
    }
}

/// Something that was asked for and is unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Missing {
    /// The box with this number.
    Box(u64),
    /// A content: the box's number, and the index.
    Content(u64, u64),
}

/// Everything that was asked for in vain.
pub type MissingSet = BTreeSet<Missing>;
