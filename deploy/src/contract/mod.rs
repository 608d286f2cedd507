//! The contract's artefacts and deployment.
//!
//! * [`Artifacts`]: NEF, manifest and debug information, compiled by `neoc` or read from a folder.
//! * [`Params`]: what it is deployed with, from one file.
//! * [`deploy`]: puts it on the chain.

mod artifacts;
mod params;

use anyhow::{Context, Result};
use neo_client::{Actor, Hash160, Receipt};
use phantasma_sdk::contract::Phantasma;

pub use artifacts::{Artifacts, NAME};
pub use params::{DEFAULT_PARAMS, Params};

/// A contract on the chain.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub hash: Hash160,
    pub receipt: Receipt,
}

/// Deploys with the actor's account, which pays; the initial supply goes to `owner`.
pub async fn deploy(
    actor: &Actor,
    artifacts: &Artifacts,
    owner: &Hash160,
    params: &Params,
) -> Result<Deployed> {
    let (nef, manifest) = (artifacts.parse_nef()?, artifacts.parse_manifest()?);
    let params = params.for_owner(owner)?;
    let deployed = Phantasma::deploy(
        actor.rpc().clone(),
        actor.account(),
        &nef,
        &manifest,
        &params,
    )
    .await;
    let (contract, receipt) = deployed.context("deploying the contract")?;
    Ok(Deployed {
        hash: contract.hash(),
        receipt,
    })
}
