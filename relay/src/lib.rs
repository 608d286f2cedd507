//! The relay: takes signed messages over QUIC and delivers them to whoever listens to their box.
//!
//! * [`server`]: starts and stops everything; [`session`] is one client.
//! * [`intake`]: a message's way in: every check once, then to subscribers, log or chain.
//! * [`hub`]: who listens, and what waits for each reader, in bounded memory; [`parcel`]: live messages, encoded once.
//! * [`log`]: the durable messages on the disk.
//! * [`merge`]: many messages become one transaction, each at most once, over crashes too.
//! * [`anchor`]: the root over what was kept goes to the chain from time to time.
//! * [`chain`], [`cache`], [`gates`]: what is asked of the chain, what is remembered of its answers, and who may write.
//! * [`dedup`]: a message that comes twice is delivered once.
//! * [`peer`]: links to other relays.
//! * [`web`]: the same for browsers, over HTTP and WebSocket.
//! * [`config`], [`metrics`]: for the operator.
//!
//! Not here: what the frames look like (`phantasma-wire`), how they travel (`phantasma-net`), the client
//! (`phantasma_sdk::relay`).

pub mod anchor;
pub mod cache;
pub mod chain;
pub mod config;
pub mod dedup;
pub mod gates;
pub mod hub;
pub mod intake;
pub mod log;
pub mod merge;
pub mod metrics;
pub mod parcel;
pub mod peer;
pub mod server;
mod session;
#[cfg(test)]
mod testing;
pub mod web;

pub use server::{Relay, Setup, StartError};
