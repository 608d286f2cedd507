//! Puts the three contracts on the chain. Each is deployed with the hashes of the others, which are known beforehand:
//! they follow from who deploys, the code and the name.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use neo_client::{Actor, ContractParam, Hash160, Receipt, RpcClient};
use phantasma_sdk::contract::{DeployParams, Phantasma};
use phantasma_sdk::proofs::Proofs;
use phantasma_sdk::sale::Sale;

use super::Artifacts;
use super::params::Params;
use super::program::{Program, Trio};

/// The contracts on the chain.
#[derive(Clone, Debug)]
pub struct Deployed {
    pub hashes: Trio<Hash160>,
    /// None where the contract was on the chain before.
    pub receipts: Trio<Option<Receipt>>,
}

/// The hashes that the contracts have, or will have, when this account deploys them.
pub fn hashes(artifacts: &Trio<Artifacts>, deployer: &Hash160) -> Result<Trio<Hash160>> {
    Trio::try_of(|program| artifacts.get(program).hash_by(deployer))
}

/// Deploys all three with the actor's account, which pays; the initial supply goes to `owner`, who is the sale's treasury
/// unless the parameters name another. A contract that is on the chain already is kept, so that a deployment that was
/// broken off goes on; if it names others than these, nothing is deployed.
pub async fn deploy(
    actor: &Actor,
    artifacts: &Trio<Artifacts>,
    owner: &Hash160,
    params: &Params,
) -> Result<Deployed> {
    let hashes = hashes(artifacts, &actor.account().script_hash)?;
    let rpc = actor.rpc();
    let mut missing = Vec::new();
    for program in Program::ALL {
        let hash = hashes.get(program);
        if rpc.get_contract_state(hash).await?.is_none() {
            missing.push(program);
        } else {
            check_links(rpc, program, &hashes).await?;
        }
    }
    let mut receipts = Trio {
        phantasma: None,
        sale: None,
        proofs: None,
    };
    let administrator = actor.account().script_hash;
    let data = Data {
        hashes,
        owner: *owner,
        administrator,
        now_ms: now_ms(rpc).await?,
        params,
    };
    for program in missing {
        let artifacts = artifacts.get(program);
        let (nef, manifest) = (artifacts.parse_nef()?, artifacts.parse_manifest()?);
        let deployed = actor.deploy(&nef, &manifest, data.of(program)?).await;
        let (hash, receipt) = deployed.with_context(|| {
            format!(
                "deploying {program}; what is on the chain by then stays, the same command goes on"
            )
        })?;
        ensure!(
            hash == *hashes.get(program),
            "{program} has the hash {hash} and not {}, which the others were given",
            hashes.get(program)
        );
        receipts.set(program, Some(receipt));
    }
    Ok(Deployed { hashes, receipts })
}

/// What `_deploy` of each is given.
struct Data<'a> {
    hashes: Trio<Hash160>,
    owner: Hash160,
    administrator: Hash160,
    now_ms: u64,
    params: &'a Params,
}

impl Data<'_> {
    fn of(&self, program: Program) -> Result<ContractParam> {
        let hashes = &self.hashes;
        Ok(match program {
            Program::Phantasma => ContractParam::from(&DeployParams {
                sale: hashes.sale,
                proofs: hashes.proofs,
                ..self.params.for_owner(&self.owner)?
            }),
            Program::Sale => {
                let sale = &self.params.sale;
                ContractParam::from(&sale.deploy_params(
                    &hashes.phantasma,
                    &self.administrator,
                    &self.owner,
                    self.now_ms,
                )?)
            }
            Program::Proofs => {
                ContractParam::from(&self.params.proofs.deploy_params(&hashes.phantasma)?)
            }
        })
    }
}

/// Later than this the next block is. A private net's clock may be ahead of this machine's.
async fn now_ms(rpc: &RpcClient) -> Result<u64> {
    let last = rpc.get_block_count().await?.saturating_sub(1);
    let header = rpc.get_block_header(last).await?;
    let here = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    Ok(header.time_ms.max(u64::try_from(here)?))
}

/// Faults if a contract that is on the chain names others than these.
async fn check_links(rpc: &RpcClient, program: Program, hashes: &Trio<Hash160>) -> Result<()> {
    for (other, named) in named_by(rpc, program, hashes.get(program)).await? {
        let wanted = hashes.get(other);
        if named != *wanted {
            bail!(
                "{program} is on the chain as {}, but names {named} as {other} and not {wanted}; nobody can change \
                 that, so deploy with another account",
                hashes.get(program)
            );
        }
    }
    Ok(())
}

/// Whether all three are on the chain and name each other.
pub async fn linked(rpc: &RpcClient, hashes: &Trio<Hash160>) -> Result<bool> {
    for program in Program::ALL {
        if rpc.get_contract_state(hashes.get(program)).await?.is_none() {
            return Ok(false);
        }
        for (other, named) in named_by(rpc, program, hashes.get(program)).await? {
            if named != *hashes.get(other) {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Which contracts a deployed one names.
async fn named_by(
    rpc: &RpcClient,
    program: Program,
    hash: &Hash160,
) -> Result<Vec<(Program, Hash160)>> {
    Ok(match program {
        Program::Phantasma => {
            let settings = Phantasma::new(rpc.clone(), *hash).settings().await?;
            vec![
                (Program::Sale, settings.sale),
                (Program::Proofs, settings.proofs),
            ]
        }
        Program::Sale => {
            let settings = Sale::new(rpc.clone(), *hash).settings().await?;
            vec![(Program::Phantasma, settings.phantasma)]
        }
        Program::Proofs => {
            let settings = Proofs::new(rpc.clone(), *hash).settings().await?;
            vec![(Program::Phantasma, settings.phantasma)]
        }
    })
}
