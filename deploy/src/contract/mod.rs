//! The contracts' artefacts and deployment.
//!
//! * [`Program`]: which three there are; [`Trio`]: something of each.
//! * [`Artifacts`]: NEF, manifest and debug information, compiled by `neoc` or read from a folder.
//! * [`Params`]: what they are deployed with, from one file.
//! * [`deploy`]: puts all three on the chain, or what is missing of them.

mod artifacts;
mod deployment;
mod params;
mod program;

pub use artifacts::Artifacts;
pub use deployment::{Deployed, deploy, hashes, linked};
pub use params::{
    DEFAULT_PARAMS, LocksParam, LockupParams, Moment, Params, ProofsParams, SaleParams, TierParams,
};
pub use program::{Program, Trio};
