//! What the contract contains of the sub-VM: the checker of scripts and the interpreter. In the contract subset, and
//! nothing but `neo_framework`.

// In a contract a panic is a fault: the way to refuse.
#![allow(clippy::panic, clippy::unwrap_used)]

mod check;
mod interpreter;
pub mod item;
pub mod ops;

pub use check::check;
#[cfg(not(neo))]
pub(crate) use interpreter::position;
pub use interpreter::{Visit, first_word, run, run_alone, take_result};
