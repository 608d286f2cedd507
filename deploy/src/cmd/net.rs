//! `phantasma net`: a private Neo net on this machine.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use neo_client::Hash160;
use serde_json::json;

use super::Context;
use crate::amount;
use crate::net::detached::{self, Status, Up};
use crate::net::{NETWORK_MAGIC, neogo, validator};

#[derive(Debug, Subcommand)]
pub enum Net {
    /// Start the net, or find it running. Fetches neo-go once.
    Up {
        /// Milliseconds between blocks [default: 1000, or as last time].
        #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u32).range(50..=60_000))]
        block_time: Option<u32>,
        /// Port of the JSON-RPC on 127.0.0.1 [default: 30333, or as last time].
        #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
        rpc_port: Option<u16>,
    },
    /// Stop the net; its chain stays unless purged.
    Down {
        /// Remove the chain and everything of the net.
        #[arg(long)]
        purge: bool,
    },
    /// What runs.
    Status,
    /// Send GAS (and NEO) from the net's committee, which owns all of it, to an address.
    Fund {
        /// Who gets it.
        address: String,
        /// Whole GAS or with a point, such as 0.5.
        #[arg(
            long,
            default_value = "1000",
            value_name = "AMOUNT",
            allow_negative_numbers = true
        )]
        gas: String,
        /// Whole NEO.
        #[arg(long, default_value_t = 0, value_name = "AMOUNT")]
        neo: u64,
    },
    /// Fetch the neo-go binary and print where it is.
    Fetch,
}

pub(super) async fn run(context: &Context, command: Net) -> Result<()> {
    match command {
        Net::Up {
            block_time,
            rpc_port,
        } => up(context, block_time, rpc_port).await,
        Net::Down { purge } => down(context, purge),
        Net::Status => {
            let status = detached::status(&dir(context)).await?;
            context.print(&status, &describe(&status))
        }
        Net::Fund { address, gas, neo } => fund(context, &address, &gas, neo).await,
        Net::Fetch => {
            let path = neogo::locate(&|text| context.say(text))?;
            context.print(
                &json!({"neogo": path, "version": neogo::VERSION}),
                &path.display().to_string(),
            )
        }
    }
}

fn dir(context: &Context) -> PathBuf {
    context.global.dir.join("net")
}

async fn up(context: &Context, block_time: Option<u32>, rpc_port: Option<u16>) -> Result<()> {
    let (up, status) = detached::up(&dir(context), rpc_port, block_time, &|text| {
        context.say(text)
    })
    .await?;
    if up == Up::RanAlready {
        context.say("it runs already");
    }
    context.remember(|profile| {
        profile.rpc_url = status.rpc_url.clone();
        profile.network = Some(NETWORK_MAGIC);
    })?;
    context.print(&status, &describe(&status))
}

fn down(context: &Context, purge: bool) -> Result<()> {
    let was_running = detached::down(&dir(context), purge)?;
    let text = match (was_running, purge) {
        (true, false) => "stopped",
        (true, true) => "stopped and removed",
        (false, true) => "was not running; removed",
        (false, false) => "was not running",
    };
    context.print(&json!({"was_running": was_running, "purged": purge}), text)
}

async fn fund(context: &Context, address: &str, gas: &str, neo: u64) -> Result<()> {
    let datoshi = amount::parse(gas, amount::DECIMALS)?;
    let datoshi =
        u64::try_from(&datoshi).with_context(|| format!("{gas} GAS is more than there can be"))?;
    Hash160::from_address(address)?;
    let net = detached::open(&dir(context)).await?;
    let committee = net.committee();
    if datoshi > 0 {
        committee.fund_gas(address, datoshi).await?;
    }
    if neo > 0 {
        committee.fund_neo(address, neo).await?;
    }
    let from = validator::COMMITTEE_ADDRESS;
    context.print(
        &json!({"from": from, "to": address, "gas": gas, "neo": neo}),
        &format!("sent {gas} GAS and {neo} NEO to {address}"),
    )
}

fn describe(status: &Status) -> String {
    let Some(pid) = status.pid else {
        return format!("no net runs in {}", status.dir.display());
    };
    let height = status
        .block_count
        .map_or("no answer".to_owned(), |count| format!("{count} blocks"));
    format!(
        "private net running: {}, {height}, every {} ms, process {pid}, log {}",
        status.rpc_url.as_deref().unwrap_or("?"),
        status.block_time_ms.unwrap_or_default(),
        status.log.display()
    )
}
