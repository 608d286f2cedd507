//! `phantasma bench`: what things cost, each beside a peer in the same run.
//!
//! [`pdfs`] measures the storage network's speed and memory, each thing in processes of its own (`benches/pdfs`), beside
//! quinn, iroh-blobs (`benches/iroh`), RocksDB and the bare disk.
//!
//! [`contract`] measures gas and bytes on one real node: contracts that `neoc` compiled from Rust (`benches/contract/ours`
//! and Phantasma's own), the same written in Python for neo3-boa (`benches/contract/boa`), and by hand in NeoVM's
//! instructions (`benches/contract/floor`). Gas is counted, not timed: a run gives the same numbers everywhere.
//!
//! [`relay`] measures times and rates, which are this machine's; what counts there is the ratio to the peers of the run.
//! [`messages`] counts what messages cost on the chain, merged and anchored. [`keys`] times keys for groups; it has no peer.

mod boa;
mod boxes;
mod chain;
pub mod contract;
mod floor;
mod interpreter;
mod iroh;
pub mod keys;
pub mod messages;
mod ours;
pub mod pdfs;
pub mod relay;
pub mod report;
mod small;
mod token;

pub use contract::{Options, run as contract};
pub use report::Report;

/// A compiled contract.
#[derive(Clone, Debug)]
struct Artifact {
    nef: Vec<u8>,
    manifest: String,
}
