//! The user's library of Phantasma: boxes, contents, keys, relay and storage.

pub mod boxes;
pub mod content;
pub mod contract;
pub mod keys;
pub mod pdfs;
pub mod relay;
