//! Facts about contracts on the native chain.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    unreachable_pub
)]

mod calls;
mod coercion;
mod serialize;
mod signatures;
mod storage;
mod token;
mod types;
