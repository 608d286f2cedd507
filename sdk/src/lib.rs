//! The user's library of Phantasma: boxes, contents, keys, relay and storage.
//!
//! * [`contract`]: typed calls to the contract on Neo N3; [`sale`] and [`proofs`] to the two beside it.
//! * [`boxes`]: messages in boxes.
//! * [`estimate`]: what a call costs at most, before it is made.
//! * [`content`]: files to encrypted, verifiable blocks and back; [`pdfs`] talks to storage nodes.
//! * [`backend`]: the same contents in folders, at S3 services and on IPFS.
//! * [`relay`]: publish and subscribe at the speed of the network.
//! * [`keys`]: where content keys are kept; [`seal`] gives one to one reader, [`group`] to a group of up to millions.
//! * [`put`]: from a file to a paid content, key first.
//! * [`amount`]: token amounts as people write them; [`view`]: all of it as JSON.
//! * `emulator`, `scene` and `replay` (feature `emulator`): the contract run natively, a gate tried on it, a past
//!   transaction run again.
//!
//! Not here: servers (`phantasma-relay`, `phantasma-pdfs`) and the command line (`phantasma`).

pub mod amount;
pub mod backend;
pub mod boxes;
pub mod content;
pub mod contract;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod estimate;
pub mod group;
pub mod keys;
pub mod method;
pub mod pdfs;
pub mod proofs;
pub mod put;
pub mod relay;
#[cfg(feature = "emulator")]
pub mod replay;
pub mod sale;
#[cfg(feature = "emulator")]
pub mod scene;
pub mod seal;
pub mod view;

/// Neo N3 itself: wallets, transactions, JSON-RPC. Servers reach it through here and so need one arrow less.
pub use neo_client as neo;
