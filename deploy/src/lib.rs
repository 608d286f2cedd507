//! The one command of a user of Phantasma, as a library: private nets, the contract's build and deployment, and each
//! command of the `phantasma` binary.
//!
//! * [`net`]: private Neo nets, for people, tests and the demo.
//! * [`contract`]: compiling and deploying the three contracts.
//! * [`service`]: the servers as child processes; [`demo`]: the whole of it once.
//! * [`doctor`]: what is wrong with a set-up.
//! * [`bench`]: what things cost, beside peers.
//! * [`cmd`]: the command line, one file a noun; [`profile`], [`password`] and [`time`] serve it.
//!
//! Not here: what a program needs to use Phantasma (`phantasma-sdk`) and the servers (`phantasma-relay`,
//! `phantasma-pdfs`), which this crate only starts.

pub mod bench;
pub mod cmd;
pub mod contract;
pub mod demo;
pub mod doctor;
pub mod net;
pub mod password;
pub mod paths;
pub mod profile;
pub mod refusal;
pub mod service;
pub mod time;

/// Token amounts as people write them.
pub use phantasma_sdk::amount;
