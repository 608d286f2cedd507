//! `phantasma node`: the register of storage nodes. The servers are `phantasma-pdfs`'s.

use anyhow::{Result, bail};
use clap::Subcommand;
use phantasma_sdk::proofs::Proofs;
use phantasma_sdk::view;
use serde_json::json;

use super::context::Context;
use crate::amount::{reputation, soul};
use crate::contract::Program;
use crate::time::show_utc;

#[derive(Debug, Subcommand)]
pub enum NodeCommand {
    /// Register the wallet's account as a storage node, or give a registered one other endpoints, which costs nothing.
    Register {
        /// Where the node is reached, such as 203.0.113.7:4200; 1 to 256 bytes.
        endpoints: String,
    },
    /// Show a node, or what registering would cost.
    Info {
        /// The wallet's account when absent.
        address: Option<String>,
    },
    /// List all nodes.
    List,
    /// Take the wallet's account off the register; what waits for a reward is still paid.
    Leave,
}

pub(super) async fn run(context: &Context, command: NodeCommand) -> Result<()> {
    let hash = context.companion(Program::Proofs).await?;
    let proofs = Proofs::new(context.rpc(), hash);
    match command {
        NodeCommand::Register { endpoints } => register(context, &proofs, &endpoints).await,
        NodeCommand::Info { address } => info(context, &proofs, address.as_deref()).await,
        NodeCommand::List => list(context, &proofs).await,
        NodeCommand::Leave => {
            let account = context.account()?;
            let receipt = proofs.leave(&account).await?;
            let text = format!("{} is no storage node any more", account.address);
            context.print_done(json!({"address": account.address}), &text, &receipt)
        }
    }
}

async fn register(context: &Context, proofs: &Proofs, endpoints: &str) -> Result<()> {
    let node = context.account()?;
    let fee = proofs.quote_register_node(&node.script_hash).await?;
    let (number, receipt) = proofs.register_node(&node, endpoints).await?;
    let address = &node.address;
    let data =
        json!({"address": address, "number": number, "endpoints": endpoints, "fee": soul(fee)});
    let fee = soul(fee);
    let text = format!("{address} is storage node {number} at {endpoints}, for {fee} SOUL");
    context.print_done(data, &text, &receipt)
}

async fn info(context: &Context, proofs: &Proofs, address: Option<&str>) -> Result<()> {
    let account = context.account_or(address)?;
    let address = account.to_address();
    let Some(node) = proofs.node_info(&account).await? else {
        let fee = soul(proofs.quote_register_node(&account).await?);
        bail!(
            "{address} is no storage node; `phantasma node register` makes it one, for {fee} SOUL"
        );
    };
    let average = proofs.average_reputation().await?;
    let data = view::node(&node, average);
    let text = format!(
        "node {} {address}\nkey {}\nat {}\n{}, reputation {} (average {})\nregistered {}",
        node.number,
        hex::encode(node.public_key.0),
        node.endpoints,
        view::role(node.role),
        reputation(node.reputation),
        reputation(average),
        show_utc(node.registered_ms)
    );
    context.print(&data, &text)
}

async fn list(context: &Context, proofs: &Proofs) -> Result<()> {
    let nodes = proofs.nodes().await?;
    let average = reputation(proofs.average_reputation().await?);
    let mut lines = vec![format!("{} nodes, average {average}", nodes.len())];
    let mut rows = Vec::new();
    for node in nodes {
        let address = node.account.to_address();
        let key = hex::encode(node.public_key.0);
        lines.push(format!("{address} {key} {}", node.endpoints));
        rows.push(json!({"address": address, "public_key": key, "endpoints": node.endpoints}));
    }
    let data = json!({"average_reputation": average, "nodes": rows});
    context.print(&data, &lines.join("\n"))
}
