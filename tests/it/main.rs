//! Whole-system tests: a real neo-go, the real programs, several processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod agents;
mod backends;
mod bench;
mod bindings;
mod browser;
mod cli;
mod cli_net;
mod cli_nodes;
mod cli_sale;
mod client;
mod compiler;
mod console;
mod contract;
mod debug;
mod demo;
mod deployment;
mod differential;
mod doctor;
mod estimate;
mod faults;
mod film;
mod foreign_wallet;
mod fuzzing;
mod gas;
mod gateway;
mod mail;
mod pdfs;
mod private_net;
mod proofs;
mod relay;
mod relay_examples;
mod replicas;
mod sale;
mod scenario;
mod sharing;
mod torture;
mod tutorial;
mod vectors;
mod vmcost;
