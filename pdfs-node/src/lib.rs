//! The storage node: keeps blocks of encrypted contents and serves them to anyone who asks.
//!
//! * [`node`]: a whole node, started and stopped; [`config`]: how its program is told what to do.
//! * [`store`]: where blocks are kept, on disk.
//! * [`chain`]: which contents are paid for.
//! * [`upkeep`]: what a node does to its store by itself; [`tools`]: what its operator does.
//! * [`proofs`]: proofs and rewards, without anyone's help.
//! * [`replicas`]: enough copies of what is held; `mend`: what was damaged is fetched again.
//! * `server`, `state` and `limits`: the data plane; `announce`: the control plane; `gateway` and `metrics`: HTTP.
//!
//! Not here: keys of contents (nodes see ciphertext only), and cutting and encrypting of files (`phantasma-sdk`).

mod announce;
pub mod chain;
pub mod config;
mod gateway;
mod limits;
mod mend;
mod metrics;
pub mod node;
mod peers;
pub mod proofs;
pub mod replicas;
mod server;
mod state;
pub mod store;
pub mod tools;
pub mod upkeep;
