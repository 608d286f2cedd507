//! What whole-system tests share: a private net, funded accounts, a deployed contract, the built programs.
//!
//! Every test starts a chain of its own (about a third of a second) on free ports and in a folder of its own, so tests
//! run side by side. [`TestNet::travel_to`] moves a chain's clock, so that months take no time. A [`TestNet`] and a
//! [`ProcessGuard`] stop what they started when dropped, also on a panic.

// A harness fails a test by panicking.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blocks;
pub mod browser;
pub mod fuzzing;
pub mod gas;
pub mod mail_fuzzing;
mod process;
pub mod quiet;
pub mod scenario;
pub mod simulate;
mod testnet;
pub mod three;
pub mod torture;
pub mod vectors;
pub mod vmcost;

pub use blocks::OwnBlock;
pub use phantasma::net::{NETWORK_MAGIC, PrivateNet, PrivateNetConfig, Store, free_port};
pub use phantasma_mail::syntax;
pub use process::{ProcessGuard, binary, free_udp_port};
pub use testnet::{DeployedPhantasma, TestNet, all_artifacts, phantasma_artifacts};
