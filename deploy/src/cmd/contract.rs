//! `phantasma contract`: compile, deploy, look. There are three contracts, which name each other.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use neo_client::{Hash160, RpcClient};
use phantasma_sdk::view;
use serde_json::{Value, json};

use super::context::{Context, receipt_text};
use crate::amount;
use crate::contract::{self, Artifacts, Deployed, Params, Program, Trio};

#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Compile the three contracts from their Rust source.
    Build {
        /// Folder for the NEF, the manifest and the debug information of each [default: contract in --dir].
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Folder of the project's sources [default: where this program was built].
        #[arg(long, value_name = "FOLDER")]
        source: Option<PathBuf>,
    },
    /// Compile and deploy the three contracts; the wallet's account pays. What of them is on the chain is kept.
    Deploy {
        /// Address that receives the initial supply [default: the account itself].
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<String>,
        /// Deployment parameters [default: the project's deploy/params.toml].
        #[arg(long, value_name = "FILE")]
        params: Option<PathBuf>,
        /// Deploy these artefacts of `contract build` instead of compiling.
        #[arg(long, value_name = "FOLDER")]
        artifacts: Option<PathBuf>,
        /// Folder of the project's sources [default: where this program was built].
        #[arg(long, value_name = "FOLDER")]
        source: Option<PathBuf>,
    },
    /// Show the deployed contracts, and whether they name each other.
    Info,
}

pub(super) async fn run(context: &Context, command: ContractCommand) -> Result<()> {
    match command {
        ContractCommand::Build { out, source } => build(context, out, source.as_deref()),
        ContractCommand::Deploy {
            owner,
            params,
            artifacts,
            source,
        } => {
            let artifacts = match artifacts {
                Some(folder) => Artifacts::load_all(&folder)?,
                None => Artifacts::compile_all(source.as_deref())?,
            };
            deploy(context, owner.as_deref(), params.as_deref(), &artifacts).await
        }
        ContractCommand::Info => info(context).await,
    }
}

/// The data of one contract at the top, those of the two beside it below their names.
fn nested(mut data: Trio<Value>) -> Value {
    data.phantasma["sale"] = data.sale;
    data.phantasma["proofs"] = data.proofs;
    data.phantasma
}

fn build(context: &Context, out: Option<PathBuf>, source: Option<&Path>) -> Result<()> {
    let all = Artifacts::compile_all(source)?;
    let folder = out.unwrap_or_else(|| Artifacts::folder(&context.global.dir));
    let mut text = Vec::new();
    let mut built = |program| -> Result<Value> {
        let artifacts = all.get(program);
        let [nef, manifest, debug] = artifacts.save(&folder)?;
        let sizes = (artifacts.nef.len(), artifacts.manifest.len());
        text.push(format!(
            "{} ({} bytes)\n{} ({} bytes)\n{}",
            nef.display(),
            sizes.0,
            manifest.display(),
            sizes.1,
            debug.display()
        ));
        Ok(json!({
            "nef": nef, "nef_bytes": sizes.0, "manifest": manifest, "manifest_bytes": sizes.1, "debug": debug,
        }))
    };
    let data = Trio {
        phantasma: built(Program::Phantasma)?,
        sale: built(Program::Sale)?,
        proofs: built(Program::Proofs)?,
    };
    context.print(&nested(data), &text.join("\n"))
}

async fn deploy(
    context: &Context,
    owner: Option<&str>,
    params: Option<&Path>,
    artifacts: &Trio<Artifacts>,
) -> Result<()> {
    let params = Params::load(params)?;
    let owner = owner
        .map(|text| Hash160::from_address(text).with_context(|| format!("--owner {text}")))
        .transpose()?;
    let actor = context.actor()?;
    let owner = owner.unwrap_or(actor.account().script_hash);
    let deployed = contract::deploy(&actor, artifacts, &owner, &params).await?;
    let hashes = deployed.hashes;
    let network = actor.rpc().version().await?.network();
    context.remember(|profile| {
        profile.network = Some(network);
        profile.contract = Some(hashes.phantasma.to_string());
        profile.sale = Some(hashes.sale.to_string());
        profile.proofs = Some(hashes.proofs.to_string());
    })?;
    // So that a later fault can be shown with its place in the source.
    for program in Program::ALL {
        let folder = Artifacts::folder(&context.global.dir);
        artifacts.get(program).save(&folder)?;
    }
    let data = Trio::try_of(|program| {
        anyhow::Ok(deployed_json(&deployed, artifacts.get(program), &hashes))
    })?;
    let mut data = nested(data);
    data["owner"] = owner.to_address().into();
    let mut text: Vec<String> = [Program::Phantasma, Program::Sale, Program::Proofs]
        .map(|program| deployed_text(&deployed, artifacts.get(program), &hashes))
        .to_vec();
    if deployed.receipts.phantasma.is_some() {
        text.push(format!(
            "initial supply of {} SOUL to {}",
            params.initial_supply,
            owner.to_address()
        ));
    }
    context.print(&data, &text.join("\n"))
}

fn deployed_json(deployed: &Deployed, artifacts: &Artifacts, hashes: &Trio<Hash160>) -> Value {
    let program = artifacts.program;
    let receipt = deployed.receipts.get(program).as_ref();
    let mut data = receipt.map_or_else(|| json!({}), view::receipt);
    data["contract"] = hashes.get(program).to_string().into();
    data["nef_bytes"] = artifacts.nef.len().into();
    data["manifest_bytes"] = artifacts.manifest.len().into();
    data["kept"] = receipt.is_none().into();
    data
}

fn deployed_text(deployed: &Deployed, artifacts: &Artifacts, hashes: &Trio<Hash160>) -> String {
    let program = artifacts.program;
    let label = match program {
        Program::Phantasma => "contract",
        Program::Sale => "sale",
        Program::Proofs => "proofs",
    };
    let hash = hashes.get(program);
    let Some(receipt) = deployed.receipts.get(program) else {
        return format!("{label} {hash}\n  was on the chain already");
    };
    format!(
        "{label} {hash}\n  NEF {} bytes, manifest {} bytes, {} GAS\n  {}",
        artifacts.nef.len(),
        artifacts.manifest.len(),
        amount::gas(receipt.gas_consumed),
        receipt_text(receipt),
    )
}

async fn info(context: &Context) -> Result<()> {
    let hash = context.contract()?;
    let rpc = context.rpc();
    let (mut data, mut text) = one_info(&rpc, &hash).await?;
    let mut hashes = Trio {
        phantasma: hash,
        sale: Hash160::ZERO,
        proofs: Hash160::ZERO,
    };
    for (program, key) in [(Program::Sale, "sale"), (Program::Proofs, "proofs")] {
        let Ok(companion) = context.companion(program).await else {
            text += &format!("\n\nno {program}");
            continue;
        };
        hashes.set(program, companion);
        match one_info(&rpc, &companion).await {
            Ok((its_data, its_text)) => {
                data[key] = its_data;
                text += &format!("\n\n{its_text}");
            }
            Err(error) => text += &format!("\n\n{program}: {error:#}"),
        }
    }
    let linked = contract::linked(&rpc, &hashes).await?;
    data["linked"] = linked.into();
    text += match linked {
        true => "\n\nall three are on the chain and name each other",
        false => {
            "\n\nnot all three are on the chain and name each other; `phantasma contract deploy` adds what is missing"
        }
    };
    context.print(&data, &text)
}

/// What the chain says of one contract.
async fn one_info(rpc: &RpcClient, hash: &Hash160) -> Result<(Value, String)> {
    let Some(state) = rpc.get_contract_state(hash).await? else {
        bail!("there is no contract {hash} on {}", rpc.url());
    };
    let methods: Vec<String> = state.manifest.abi.methods.iter().map(signature).collect();
    let nef_bytes = state.nef.to_bytes().len();
    let data = json!({
        "contract": hash.to_string(),
        "name": state.manifest.name,
        "id": state.id,
        "nef_bytes": nef_bytes,
        "compiler": state.nef.compiler,
        "standards": state.manifest.supported_standards,
        "methods": methods,
    });
    let text = format!(
        "{} {hash}\nNEF {nef_bytes} bytes by {}\n{}",
        state.manifest.name,
        state.nef.compiler,
        methods.join("\n")
    );
    Ok((data, text))
}

/// `transfer(from Hash160, …) → Boolean`
fn signature(method: &neo_client::manifest::Method) -> String {
    let parameters: Vec<String> = method
        .parameters
        .iter()
        .map(|p| format!("{} {}", p.name, p.kind))
        .collect();
    let safe = if method.safe { " safe" } else { "" };
    format!(
        "{}({}) → {}{safe}",
        method.name,
        parameters.join(", "),
        method.return_type
    )
}
