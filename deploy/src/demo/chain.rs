//! The chain's part: the private net, the contract, SOUL, a box.

use std::path::Path;
use std::time::Instant;

use anyhow::{Result, ensure};
use neo_client::{Actor, RpcClient};
use num_bigint::BigInt;
use phantasma_sdk::contract::Phantasma;
use phantasma_vm::free_gate;

use super::people::People;
use super::report::Report;
use super::{say, step};
use crate::amount;
use crate::contract::{self, Artifacts, Params, Program};
use crate::net::{PrivateNet, PrivateNetConfig, Store};

/// What Alice gets: a box and a file cost about 2.
const SOUL_FOR_ALICE: u64 = 100_0000_0000;

/// The private net and a client of it.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) net: PrivateNet,
    pub(super) rpc: RpcClient,
}

pub(super) async fn start(
    dir: &Path,
    block_time_ms: u32,
    pids: &mut Vec<u32>,
    report: &mut Report,
) -> Result<Chain> {
    step(&format!(
        "starting a private Neo N3 net (neo-go, all hardforks, MainNet's limits, {block_time_ms} ms blocks)"
    ));
    let started = Instant::now();
    let config = PrivateNetConfig {
        dir: Some(dir.join("net")),
        rpc_port: None,
        block_time_ms,
        store: Store::Disk,
        ..PrivateNetConfig::default()
    };
    let net = PrivateNet::start(config).await?;
    pids.push(net.pid());
    report.time("private net started", started);
    say(&format!(
        "JSON-RPC at {}, log {}",
        net.rpc_url(),
        net.log_path().display()
    ));
    let rpc = RpcClient::new(net.rpc_url());
    Ok(Chain { net, rpc })
}

pub(super) async fn deploy(
    chain: &Chain,
    people: &People,
    report: &mut Report,
) -> Result<Phantasma> {
    step("compiling the three Rust contracts to NeoVM and deploying them");
    let started = Instant::now();
    let artifacts = Artifacts::compile_all(None)?;
    report.time("contracts compiled", started);
    let params = Params::load(None)?;
    let owner = &people.owner.account;
    let actor = Actor::new(chain.rpc.clone(), owner.clone());
    let started = Instant::now();
    let deployed = contract::deploy(&actor, &artifacts, &owner.script_hash, &params).await?;
    report.time("contracts deployed", started);
    let mut gas = 0;
    for program in Program::ALL {
        let hash = deployed.hashes.get(program);
        let artifacts = artifacts.get(program);
        let (nef, manifest) = (artifacts.nef.len(), artifacts.manifest.len());
        say(&format!(
            "{program} {hash}, NEF {nef} bytes, manifest {manifest} bytes"
        ));
        if let Some(receipt) = deployed.receipts.get(program) {
            report.cost(&format!("deployment of {program}"), receipt);
            gas += receipt.gas_consumed;
        }
    }
    report.fact("contract", deployed.hashes.phantasma);
    report.fact("contract of the sale", deployed.hashes.sale);
    report.fact("contract of the proofs", deployed.hashes.proofs);
    report.fact("deploy cost in GAS", amount::gas(gas));
    report.fact("NEF bytes", artifacts.phantasma.nef.len());
    report.fact("manifest bytes", artifacts.phantasma.manifest.len());
    Ok(Phantasma::new(chain.rpc.clone(), deployed.hashes.phantasma))
}

pub(super) async fn move_soul(
    contract: &Phantasma,
    people: &People,
    report: &mut Report,
) -> Result<()> {
    step("moving SOUL from the owner's wallet to Alice's");
    let (owner, alice) = (&people.owner.account, &people.alice.account);
    let started = Instant::now();
    let receipt = contract
        .transfer(owner, &alice.script_hash, SOUL_FOR_ALICE)
        .await?;
    report.time("SOUL transfer in a block", started);
    report.cost("transfer (new account)", &receipt);
    let held = contract.balance_of(&alice.script_hash).await?;
    ensure!(
        held == SOUL_FOR_ALICE,
        "Alice holds {held}, expected {SOUL_FOR_ALICE}"
    );
    say(&format!(
        "Alice holds {} SOUL (transaction {})",
        soul(held),
        receipt.txid
    ));
    let again = contract.transfer(owner, &alice.script_hash, 1).await?;
    report.cost("transfer (existing account)", &again);
    Ok(())
}

pub(super) async fn create_box(
    contract: &Phantasma,
    people: &People,
    report: &mut Report,
) -> Result<u64> {
    step("creating a box");
    let alice = &people.alice.account;
    let started = Instant::now();
    let (id, receipt) = contract.create_box(alice, "lobby", &free_gate()).await?;
    report.time("box created", started);
    report.cost("createBox", &receipt);
    ensure!(
        contract.find_box("lobby").await? == Some(id),
        "the new box is not found by its name"
    );
    say(&format!("box {id} \"lobby\" belongs to {}", alice.address));
    Ok(id)
}

/// An amount of SOUL for people.
pub(super) fn soul(units: u64) -> String {
    amount::show(&BigInt::from(units), amount::DECIMALS)
}
