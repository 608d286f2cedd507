//! `phantasma contract`: compile, deploy, look.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use neo_client::Hash160;
use serde_json::json;

use super::context::{Context, receipt_json, receipt_text};
use crate::amount;
use crate::contract::{self, Artifacts, Params};

#[derive(Debug, Subcommand)]
pub enum ContractCommand {
    /// Compile the contract from its Rust source.
    Build {
        /// Folder for the NEF, the manifest and the debug information [default: contract in --dir].
        #[arg(long, value_name = "FOLDER")]
        out: Option<PathBuf>,
        /// Folder of the project's sources [default: where this program was built].
        #[arg(long, value_name = "FOLDER")]
        source: Option<PathBuf>,
    },
    /// Compile and deploy; the wallet's account pays.
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
    /// Show the deployed contract.
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
                Some(folder) => Artifacts::load(&folder)?,
                None => Artifacts::compile(source.as_deref())?,
            };
            deploy(context, owner.as_deref(), params.as_deref(), &artifacts).await
        }
        ContractCommand::Info => info(context).await,
    }
}

fn build(context: &Context, out: Option<PathBuf>, source: Option<&Path>) -> Result<()> {
    let artifacts = Artifacts::compile(source)?;
    let folder = out.unwrap_or_else(|| Artifacts::folder(&context.global.dir));
    let [nef, manifest, debug] = artifacts.save(&folder)?;
    let sizes = (artifacts.nef.len(), artifacts.manifest.len());
    let text = format!(
        "{} ({} bytes)\n{} ({} bytes)\n{}",
        nef.display(),
        sizes.0,
        manifest.display(),
        sizes.1,
        debug.display()
    );
    let data = json!({
        "nef": nef, "nef_bytes": sizes.0, "manifest": manifest, "manifest_bytes": sizes.1, "debug": debug,
    });
    context.print(&data, &text)
}

async fn deploy(
    context: &Context,
    owner: Option<&str>,
    params: Option<&Path>,
    artifacts: &Artifacts,
) -> Result<()> {
    let params = Params::load(params)?;
    let owner = owner
        .map(|text| Hash160::from_address(text).with_context(|| format!("--owner {text}")))
        .transpose()?;
    let actor = context.actor()?;
    let owner = owner.unwrap_or(actor.account().script_hash);
    let deployed = contract::deploy(&actor, artifacts, &owner, &params).await?;
    let hash = deployed.hash.to_string();
    context.remember(|profile| profile.contract = Some(hash.clone()))?;
    // So that a later fault can be shown with its place in the source.
    artifacts.save(&Artifacts::folder(&context.global.dir))?;
    let mut data = receipt_json(&deployed.receipt);
    data["contract"] = hash.clone().into();
    data["nef_bytes"] = artifacts.nef.len().into();
    data["manifest_bytes"] = artifacts.manifest.len().into();
    data["owner"] = owner.to_address().into();
    let text = format!(
        "contract {hash}\nNEF {} bytes, manifest {} bytes, {} GAS\ninitial supply of {} SOUL to {}\n{}",
        artifacts.nef.len(),
        artifacts.manifest.len(),
        amount::gas(deployed.receipt.gas_consumed),
        params.initial_supply,
        owner.to_address(),
        receipt_text(&deployed.receipt),
    );
    context.print(&data, &text)
}

async fn info(context: &Context) -> Result<()> {
    let hash = context.contract()?;
    let rpc = context.rpc();
    let Some(state) = rpc.get_contract_state(&hash).await? else {
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
    context.print(&data, &text)
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
