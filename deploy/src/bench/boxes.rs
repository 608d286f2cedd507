//! Phantasma's own contract beside a small box contract in Python.

use anyhow::{Context as _, Result, bail};
use neo_client::ContractParam;
use phantasma_sdk::contract::Phantasma;
use phantasma_vm::{assemble, data_script, free_gate};

use super::chain::{Call, FEE_FACTOR, OnChain};
use super::contract::{BOA_EACH, Bench, Expect, UNITS};
use super::report::Verdict;
use crate::contract::{Artifacts, Params};

/// Of these a write runs 20, together with the two of [`ASK`]: the last is for readers.
const RULES: &str = "
        STATE timestamp
        DUP
        PUSHINT32 1700000000
        GE
        SWAP
        PUSHINT32 2100000000
        LT
        BOOLAND
        STATE this
        DUP
        PUSH1
        GE
        SWAP
        STATE entry
        NUMEQUAL
        BOOLAND
        BOOLAND
        RET
readers: OK";

const ASK: &str = "
        STATE write
        JMPIFNOT readers";

/// As many bytes, of which two instructions are run: what is beside it is the price of 18 instructions, whatever a
/// gate of that length costs to fetch.
const PASS: &str = "
        PUSHT
        RET
        PUSHT
        DROP";

/// A line of text.
const CONTENT_BYTES: usize = 100;

/// What NEF and manifest may take together, in bytes: more does not fit a block of MainNet.
const MAX_BYTES: usize = 19_000;

pub(super) async fn measure(bench: &mut Bench) -> Result<()> {
    let rpc = bench.chain.rpc();
    let account = bench.chain.account.clone();
    let artifacts = Artifacts::compile(None)?;
    let params = Params::load(None)?.for_owner(&account.script_hash)?;
    let (nef, manifest) = (artifacts.parse_nef()?, artifacts.parse_manifest()?);
    let deployed = Phantasma::deploy(rpc.clone(), &account, &nef, &manifest, &params).await;
    let (contract, receipt) = deployed.context("deploying the contract")?;
    let ours = OnChain {
        hash: contract.hash(),
        nef: artifacts.nef.len(),
        manifest: artifacts.manifest.len(),
        gas: receipt.gas_consumed,
    };
    let peers = bench.boa(&["box_cast"], &ContractParam::Any).await?;
    let phantasma = Phantasma::new(rpc, ours.hash);
    let mut calls = Vec::new();
    for (number, gate) in [
        free_gate(),
        assemble(&[PASS, RULES].concat())?,
        assemble(&[ASK, RULES].concat())?,
    ]
    .iter()
    .enumerate()
    {
        let (id, _) = phantasma
            .create_box(&account, &format!("box_{number}"), gate)
            .await?;
        let params = [account.script_hash.into(), gate.as_slice().into()];
        for (_, peer) in &peers {
            bench.chain.send(&peer.hash, "createBox", &params).await?;
        }
        calls.push(writes(bench, &ours, &peers, id).await?);
    }
    let [free, passed, ruled] = &calls[..] else {
        bail!("there are three boxes");
    };
    let units = |some: &Call, more: &Call| (more.method - some.method) as f64 / FEE_FACTOR as f64;
    let (case, gate_case) = ("write 100 bytes into a box", "18 instructions of a gate");
    bench.total(case, &free.0);
    bench.total("the same, gate of 20 instructions", &ruled.0);
    let ours_units = units(&passed.0, &ruled.0);
    match (peers.first(), &free.1, &passed.1, &ruled.1) {
        (Some((name, _)), Some(free_call), Some(passed), Some(ruled)) => {
            bench.execution(case, &free.0, Some((name, free_call)), Some(BOA_EACH));
            let peer = Some((name.as_str(), units(passed, ruled)));
            bench.report.push(
                gate_case,
                "execution",
                UNITS,
                ours_units,
                peer,
                Some(BOA_EACH),
            );
        }
        _ => {
            bench.execution(case, &free.0, None, None);
            bench
                .report
                .push(gate_case, "execution", UNITS, ours_units, None, None);
        }
    }
    whole(bench, &ours);
    Ok(())
}

/// A write into a box, by ours and by the peer if there is one; checked to be the first content.
async fn writes(
    bench: &Bench,
    ours: &OnChain,
    peers: &[(String, OnChain)],
    id: u64,
) -> Result<(Call, Option<Call>)> {
    let account = bench.chain.account.script_hash;
    let content = data_script(&[0x61; CONTENT_BYTES])?;
    let params = [account.into(), id.into(), content.into(), 0.into()];
    let first = Expect::Number(0);
    let write = |contract| bench.checked(contract, "writeContent", &params, &first);
    let peer = match peers.first() {
        Some((_, peer)) => Some(write(peer).await?),
        None => None,
    };
    Ok((write(ours).await?, peer))
}

/// Sizes of the contract, and what deploying it costs.
fn whole(bench: &mut Bench, ours: &OnChain) {
    let case = "Phantasma's contract";
    for (metric, unit, value) in [
        ("nef", "bytes", ours.nef as f64),
        ("manifest", "bytes", ours.manifest as f64),
        ("deploy", "GAS", ours.gas as f64 / 1e8),
    ] {
        bench.report.push(case, metric, unit, value, None, None);
    }
    let bytes = ours.nef + ours.manifest;
    bench.report.summary.push(Verdict {
        text: format!("{case}: {bytes} bytes of NEF and manifest, at most {MAX_BYTES}"),
        met: bytes <= MAX_BYTES,
    });
}
