//! `phantasma-relay`: reads its configuration, starts the relay, waits for SIGTERM or ctrl-c, drains. On SIGHUP it takes
//! the limits anew.

use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Parser;
use phantasma_net::Identity;
use phantasma_relay::chain::NeoChain;
use phantasma_relay::config::{Args, ChainId, Config};
use phantasma_relay::server::{Relay, Setup, system_clock};
use phantasma_sdk::neo::RpcClient;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::load(Args::parse()) {
        Ok(config) => config,
        Err(error) => {
            eprintln!("phantasma-relay: {error:#}");
            return ExitCode::from(2);
        }
    };
    start_logs(config.json_logs);
    match run(config).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phantasma-relay: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(config: Config) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for ctrl-c")?;
    let mut hang_up = signal(SignalKind::hangup()).context("waiting for SIGHUP")?;
    let account = config.open_account()?;
    let address = account.script_hash.to_address();
    let identity = Identity::from_scalar(&account.key.to_bytes())?;
    let rpc = RpcClient::new(&config.rpc);
    let network = check_node(&config, &rpc).await?;
    let relay = Relay::start(Setup {
        listen: config.listen,
        ops: config.ops,
        identity,
        chain: Arc::new(NeoChain::new(rpc, config.contract, account)),
        chain_id: ChainId {
            network,
            contract: config.contract.0,
        },
        limits: config.limits,
        log: config.log,
        clock: system_clock(),
        peers: config.peers,
        web: config.web,
    })
    .await?;
    // Programs that start a relay wait for this line and read the addresses from it.
    let mut line = format!(
        "phantasma-relay listening on {} key {} ops {} account {address}",
        relay.local_addr(),
        hex::encode(relay.public_key()),
        relay.ops_addr()
    );
    let others = [
        ("links", relay.links_addr()),
        ("control", relay.control_addr()),
        ("web", relay.web_addr()),
    ];
    for (name, address) in others {
        if let Some(address) = address {
            line += &format!(" {name} {address}");
        }
    }
    println!("{line}");
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = hang_up.recv() => reload(&relay),
        }
    }
    tracing::info!("draining");
    relay.shutdown().await;
    tracing::info!("stopped");
    Ok(())
}

/// Reads the configuration again. One that would not start a relay changes nothing.
fn reload(relay: &Relay) {
    match Config::load(Args::parse()) {
        Ok(config) => {
            let all = relay.set_limits(config.limits);
            tracing::info!("the limits are those of the file now");
            if !all {
                tracing::warn!("chain_queue and [anchor] change with the next start only");
            }
        }
        Err(error) => tracing::error!("the limits stay as they were: {error:#}"),
    }
}

/// The node must be there, on the right network, and know the contract: better said now than with the first message.
async fn check_node(config: &Config, rpc: &RpcClient) -> anyhow::Result<u32> {
    let version = rpc.get_version().await?;
    let network = version.protocol.network;
    if let Some(expected) = config.network
        && expected != network
    {
        bail!(
            "{} is a node of network {network}, not {expected}",
            config.rpc
        );
    }
    let known = rpc.get_contract_state(&config.contract).await?;
    if known.is_none() {
        bail!(
            "{} knows no contract {}: check --contract, and that the node serves the right chain",
            config.rpc,
            config.contract
        );
    }
    Ok(network)
}

fn start_logs(json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    if json {
        logs.json().init()
    } else {
        logs.init()
    }
}
