//! The storage node: keeps blocks of encrypted contents and serves them to anyone who asks.
//!
//! * [`store`]: where blocks are kept, on disk.

pub mod store;
