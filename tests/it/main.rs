//! Whole-system tests: a real neo-go, the real programs, several processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod client;
mod contract;
mod compiler;
mod differential;
mod foreign_wallet;
mod private_net;
mod relay;
