//! The node of a run, and what a call costs on it.

use anyhow::{Context, Result, ensure};
use neo_client::{
    Account, Actor, ContractParam, Hash160, InvokeResult, Manifest, Nef, RpcClient, ScriptBuilder,
    flags,
};
use neo_opcode::{Syscall, decode};

use super::Artifact;
use crate::net::{PrivateNet, PrivateNetConfig};

/// What a price unit costs by Neo's default, in datoshi.
pub(super) const FEE_FACTOR: i64 = 30;

/// Two dozen deployments of 10 GAS, and some hundred calls.
const GAS: u64 = 2000_0000_0000;

/// A private net with one rich account.
pub(super) struct Chain {
    net: PrivateNet,
    pub(super) actor: Actor,
    pub(super) account: Account,
}

/// What a call cost, and what it did.
#[derive(Debug)]
pub(super) struct Call {
    /// All of it, in datoshi: what a transaction would be charged for running.
    pub(super) gas: i64,
    /// The method alone, without the instructions of the script that calls it.
    pub(super) method: i64,
    pub(super) result: InvokeResult,
}

/// A contract on the net.
#[derive(Clone, Debug)]
pub(super) struct OnChain {
    pub(super) hash: Hash160,
    pub(super) nef: usize,
    pub(super) manifest: usize,
    /// What deploying it cost to run, in datoshi.
    pub(super) gas: i64,
}

impl Chain {
    pub(super) async fn start() -> Result<Self> {
        let net = PrivateNet::start(PrivateNetConfig::default()).await?;
        let account = Account::random()?;
        net.fund_gas(&account.address, GAS).await?;
        let rpc = RpcClient::new(net.rpc_url());
        Ok(Self {
            actor: Actor::new(rpc, account.clone()),
            account,
            net,
        })
    }

    pub(super) fn rpc(&self) -> RpcClient {
        RpcClient::new(self.net.rpc_url())
    }

    pub(super) async fn deploy(&self, artifact: &Artifact, data: ContractParam) -> Result<OnChain> {
        let nef = Nef::from_bytes(&artifact.nef)?;
        // Counted as the node does: as the client writes it, without blanks.
        let manifest = Manifest::from_json(&artifact.manifest)?;
        let bytes = manifest.to_json()?.len();
        let name = manifest.name.clone();
        let (hash, receipt) = self
            .actor
            .deploy(&nef, &manifest, data)
            .await
            .with_context(|| format!("deploying {name}"))?;
        Ok(OnChain {
            hash,
            nef: artifact.nef.len(),
            manifest: bytes,
            gas: receipt.gas_consumed,
        })
    }

    /// Tries a call, changing nothing.
    pub(super) async fn call(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<Call> {
        let result = self.actor.test(contract, method, params).await?;
        Ok(Call {
            gas: result.gas_consumed,
            method: result.gas_consumed - entry_cost(contract, method, params)?,
            result,
        })
    }

    /// Sends a call and waits for its block.
    pub(super) async fn send(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<()> {
        self.actor.invoke(contract, method, params).await?;
        Ok(())
    }

    /// Checks on the node that a method that does nothing costs nothing once its caller's instructions are taken off.
    pub(super) async fn calibrate(&self, nothing: &Hash160) -> Result<()> {
        let call = self.call(nothing, "nothing", &[1.into()]).await?;
        ensure!(
            call.method == 0,
            "the node charges {} datoshi for a method without instructions: its prices are not Neo's",
            call.method
        );
        Ok(())
    }
}

/// What the instructions of a calling script cost: each runs once.
fn entry_cost(contract: &Hash160, method: &str, params: &[ContractParam]) -> Result<i64> {
    let mut script = ScriptBuilder::new();
    script.call(contract, method, flags::ALL, params);
    let mut units = 0;
    for instruction in decode(&script.build()?) {
        let instruction = instruction.map_err(|e| anyhow::anyhow!("the calling script: {e}"))?;
        units += i64::from(instruction.op.info().price);
        if let Ok(id) = <[u8; 4]>::try_from(instruction.operand)
            && let Some(call) = Syscall::by_id(id)
        {
            units += i64::from(call.price);
        }
    }
    Ok(units * FEE_FACTOR)
}
