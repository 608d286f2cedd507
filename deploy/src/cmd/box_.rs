//! `phantasma box`: hubs of contents with an owner, a name and a gate.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use neo_client::Hash160;
use num_bigint::BigInt;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::estimate::{Access, Question, Subject};
use phantasma_sdk::{boxes, view};
use phantasma_vm::{assemble, data_script, disassemble, free_gate, owner_gate, owner_writes_gate};
use serde_json::{Value, json};

use super::context::{Context, receipt_text};
use crate::amount;

#[derive(Debug, Subcommand)]
pub enum BoxCommand {
    /// Make a box that belongs to the wallet's account.
    Create {
        /// 1 to 32 characters of a-z, 0-9 and _; it cannot be changed later.
        name: String,
        /// Who may read and write.
        #[arg(long, value_enum, default_value_t = Gate::Free)]
        gate: Gate,
        /// A gate of your own: assembler text that leaves true or false.
        #[arg(long, value_name = "FILE", conflicts_with = "gate")]
        gate_file: Option<PathBuf>,
    },
    /// Write a content into a box.
    Write {
        #[arg(value_name = "BOX", help = BOX_HELP)]
        target: String,
        #[command(flatten)]
        content: Content,
        /// The most SOUL that the box's gate and the content may charge.
        #[arg(
            long,
            default_value = "0",
            value_name = "SOUL",
            allow_negative_numbers = true
        )]
        max_payment: String,
    },
    /// Read a content: runs the box's gate and the content, without a transaction.
    Read {
        #[arg(value_name = "BOX", help = BOX_HELP)]
        target: String,
        /// Counted from 0; the newest when absent.
        index: Option<u64>,
        /// Show the stored script instead of running it.
        #[arg(long)]
        script: bool,
    },
    /// List the boxes of an account.
    List {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// Show what is known of a box.
    Info {
        #[arg(value_name = "BOX", help = BOX_HELP)]
        target: String,
    },
}

const BOX_HELP: &str = "The box's name, or its number; name:12 for a box whose name is a number";

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Gate {
    /// Everybody reads and writes.
    Free,
    /// Only the owner reads and writes.
    Owner,
    /// Everybody reads, only the owner writes.
    OwnerWrites,
}

impl Gate {
    fn script(self) -> Vec<u8> {
        match self {
            Self::Free => free_gate(),
            Self::Owner => owner_gate(),
            Self::OwnerWrites => owner_writes_gate(),
        }
    }
}

/// What to write: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Content {
    /// A text.
    #[arg(long)]
    text: Option<String>,
    /// A file's bytes, up to about 60 KiB; - is standard input. Larger ones: `phantasma content put`.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A content that runs when it is read: assembler text.
    #[arg(long, value_name = "FILE")]
    script: Option<PathBuf>,
}

impl Content {
    fn into_script(self) -> Result<Vec<u8>> {
        match (self.text, self.file, self.script) {
            (Some(text), _, _) => Ok(data_script(text.as_bytes())?),
            (_, Some(file), _) => data_script(&read_input(&file)?).with_context(|| {
                format!(
                    "{} does not fit into a box; store it with `phantasma content put`",
                    file.display()
                )
            }),
            (_, _, Some(file)) => assemble_file(&file),
            // clap requires one of the three.
            (None, None, None) => bail!("nothing to write; give --text, --file or --script"),
        }
    }
}

pub(super) async fn run(context: &Context, command: BoxCommand) -> Result<()> {
    let contract = Phantasma::new(context.rpc(), context.contract()?);
    match command {
        BoxCommand::Create {
            name,
            gate,
            gate_file,
        } => {
            let gate = match gate_file {
                Some(file) => assemble_file(&file)?,
                None => gate.script(),
            };
            create(context, &contract, &name, &gate).await
        }
        BoxCommand::Write {
            target,
            content,
            max_payment,
        } => {
            let max_payment = soul(&max_payment)?;
            write(
                context,
                &contract,
                &target,
                &content.into_script()?,
                max_payment,
            )
            .await
        }
        BoxCommand::Read {
            target,
            index,
            script,
        } => read(context, &contract, &target, index, script).await,
        BoxCommand::List { address } => list(context, &contract, address).await,
        BoxCommand::Info { target } => info(context, &contract, &target).await,
    }
}

async fn create(context: &Context, contract: &Phantasma, name: &str, gate: &[u8]) -> Result<()> {
    let account = context.account()?;
    let (id, receipt) = contract.create_box(&account, name, gate).await?;
    let mut data = view::receipt(&receipt);
    data["box"] = id.into();
    data["name"] = name.into();
    context.print(
        &data,
        &format!("box {id} \"{name}\"\n{}", receipt_text(&receipt)),
    )
}

async fn write(
    context: &Context,
    contract: &Phantasma,
    target: &str,
    script: &[u8],
    max_payment: u64,
) -> Result<()> {
    let id = find(contract, target).await?;
    let account = context.account()?;
    say_bound(
        context,
        contract,
        &account.script_hash,
        id,
        script,
        max_payment,
    )
    .await;
    let (index, receipt) = contract
        .write_content(&account, id, script, max_payment)
        .await?;
    let mut data = view::receipt(&receipt);
    data["box"] = id.into();
    data["index"] = index.into();
    context.print(
        &data,
        &format!("content {index} of box {id}\n{}", receipt_text(&receipt)),
    )
}

/// Says what writing can take, before it is sent: one request to the node. Not knowing it is no reason not to write.
async fn say_bound(
    context: &Context,
    contract: &Phantasma,
    caller: &Hash160,
    id: u64,
    script: &[u8],
    max_payment: u64,
) {
    let question = Question {
        subject: Subject::Box(id),
        access: Access::Write(script.to_vec()),
        caller: Some(*caller),
        max_payment,
        follow: false,
    };
    if let Ok(estimate) = contract.estimate(&question).await
        && !estimate.bound.wide
    {
        let total = &estimate.bound.total;
        let shown = |units: u128| amount::show(&BigInt::from(units), amount::DECIMALS);
        context.say(&format!(
            "at most {} GAS to run and {} SOUL",
            shown(total.gas_datoshi()),
            shown(total.soul)
        ));
    }
}

async fn read(
    context: &Context,
    contract: &Phantasma,
    target: &str,
    index: Option<u64>,
    script: bool,
) -> Result<()> {
    let id = find(contract, target).await?;
    let count = contract.content_count(id).await?;
    let index = match (index, count.checked_sub(1)) {
        (_, None) => bail!("box {id} has no content yet"),
        (Some(index), Some(last)) if index > last => {
            bail!("box {id} has contents 0 to {last}, not {index}")
        }
        (Some(index), Some(_)) => index,
        (None, Some(last)) => last,
    };
    if script {
        let bytes = contract.content_at(id, index).await?;
        let text = disassemble(&bytes)?;
        let data =
            json!({"box": id, "index": index, "script": hex::encode(&bytes), "assembler": text});
        return context.print(&data, text.trim_end());
    }
    // The gate sees who asks, and the asker is not proved in a test run: the address alone is enough to look.
    let caller = match context.wallet().and_then(|wallet| context.address(&wallet)) {
        Ok(address) => Hash160::from_address(&address)?,
        Err(_) => Hash160::ZERO,
    };
    let item = contract.read_content_at(&caller, id, index, 0).await?;
    let (value, text) = view::value(&item);
    context.print(&json!({"box": id, "index": index, "value": value}), &text)
}

async fn list(context: &Context, contract: &Phantasma, address: Option<String>) -> Result<()> {
    let address = match address {
        Some(address) => address,
        None => context.address(&context.wallet()?)?,
    };
    let mut boxes = Vec::new();
    for id in contract.boxes_of(&Hash160::from_address(&address)?).await? {
        boxes.extend(contract.box_info(id).await?);
    }
    let lines: Vec<String> = boxes
        .iter()
        .map(|info| {
            format!(
                "{:>6}  {:32}  {} contents",
                info.id, info.name, info.content_count
            )
        })
        .collect();
    let data: Vec<Value> = boxes.iter().map(view::box_info).collect();
    let text = if lines.is_empty() {
        format!("{address} has no box")
    } else {
        lines.join("\n")
    };
    context.print(&json!({"address": address, "boxes": data}), &text)
}

async fn info(context: &Context, contract: &Phantasma, target: &str) -> Result<()> {
    let id = find(contract, target).await?;
    let Some(info) = contract.box_info(id).await? else {
        bail!("there is no box {id}")
    };
    let gate = disassemble(&info.gate).unwrap_or_else(|error| format!("({error})"));
    let text = format!(
        "box {id} \"{}\"\nowner {}\npublic key {}\ncontents {}\ngate\n{}",
        info.name,
        info.owner.to_address(),
        hex::encode(info.public_key.0),
        info.content_count,
        gate.trim_end()
    );
    context.print(&view::box_info(&info), &text)
}

/// The number of a box by name or number.
pub(super) async fn find(contract: &Phantasma, target: &str) -> Result<u64> {
    match (boxes::find(contract, target).await?, target.parse::<u64>()) {
        (Some(id), _) => Ok(id),
        (None, Ok(id)) => bail!("there is no box {id}"),
        (None, Err(_)) => {
            let name = target.strip_prefix("name:").unwrap_or(target);
            bail!("there is no box \"{name}\"; make it with `phantasma box create {name}`")
        }
    }
}

/// An amount of SOUL in smallest units.
pub(super) fn soul(text: &str) -> Result<u64> {
    let units = amount::parse(text, amount::DECIMALS)?;
    u64::try_from(&units).with_context(|| format!("{text} SOUL is more than there can be"))
}

fn assemble_file(path: &Path) -> Result<Vec<u8>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    assemble(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))
}

pub(super) fn read_input(path: &Path) -> Result<Vec<u8>> {
    if path == Path::new("-") {
        let mut bytes = Vec::new();
        // One byte over what a content can hold is enough to refuse it.
        let limit = phantasma_vm::MAX_DATA_BYTES as u64 + 1;
        std::io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .context("reading standard input")?;
        return Ok(bytes);
    }
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}
