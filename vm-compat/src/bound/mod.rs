//! What a call of the contract can take at most: steps, GAS, storage, SOUL, computed before it runs.
//!
//! A script's jumps go forward only, so all its ways are walked at once ([`call_bound`]), with what is known of the stack:
//! constants, limits of numbers, lengths of byte strings. Prices are measured on a node ([`prices()`]). What the chain has,
//! the caller answers by [`Boxes`]; a box that is only known while the script runs is bounded by the contract's limits.
//!
//! ```
//! use phantasma_vm::assemble;
//! use phantasma_vm::bound::{Call, Fees, Method, NoBoxes, Target, call_bound};
//!
//! let gate = assemble("STATE own\nJMPIFNOT pay\nOK\npay: PUSH 5_00000000\nPAY\nOK")?;
//! let call = Call {
//!     target: Target { gate, ..Target::default() },
//!     method: Method::ReadAt { content: Some(vec![8]) },
//!     max_payment: 100_00000000,
//!     ..Call::default()
//! };
//! let bound = call_bound(&call, &Fees::default(), &NoBoxes)?;
//! assert_eq!(bound.total.soul, 5_00000000);
//! assert!(bound.total.gas_datoshi() < 2000_0000);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod boxes;
mod call;
mod check;
mod compute;
mod cost;
mod host;
pub mod prices;
mod script;
mod stack;
mod table;
mod value;

pub use boxes::{BoxFacts, Boxes, Lookup, Missing, MissingSet, NoBoxes};
pub use call::{Bound, BoundError, Call, Method, Part, PartName, Target, call_bound, entry_units};
pub use cost::{Cost, Fees, overwritten};
pub use script::{Turn, WorstWay};

/// The measured prices.
#[must_use]
pub fn prices() -> &'static prices::Prices {
    static PRICES: prices::Prices = table::PRICES;
    &PRICES
}
