//! The program of a storage node, and the tools for its store.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use phantasma_pdfs::{
    config::{self, Cli, Task},
    node::Node,
    tools,
};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    start_logs(cli.log_json);
    match start(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phantasma-pdfs: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start_logs(json: bool) {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,libp2p=warn"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match json {
        true => log.json().init(),
        false => log.init(),
    }
}

fn start(cli: Cli) -> anyhow::Result<()> {
    let task = config::task(cli)?;
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    match task {
        Task::Node(setup) => runtime.block_on(run(*setup)),
        Task::Tool { tool, data, chain } => {
            let found = runtime.block_on(tools::run(tool, &data, chain))?;
            writeln!(std::io::stdout(), "{found}").context("say what was done")
        }
    }
}

async fn run(setup: phantasma_pdfs::node::Setup) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut int = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let node = Node::start(setup).await?;
    let recovery = node.recovery();
    if recovery != Default::default() {
        tracing::warn!(
            ?recovery,
            "the last run did not end well; the store was put right"
        );
    }
    let address = node.address();
    let key = hex::encode(address.public_key);
    // For scripts and people: one line when everything is up. `parse_node` reads the value of `data`.
    let mut ready = format!("ready data={key}@{}", address.address);
    if let Some(bootstrap) = node.as_bootstrap() {
        ready += &format!(" control={key}@{}", bootstrap.address);
    }
    if let Some(http) = node.http_addr() {
        ready += &format!(" http={http}");
    }
    writeln!(std::io::stdout(), "{ready}").context("say that the node is ready")?;
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    tracing::info!("stopping");
    node.shutdown().await;
    Ok(())
}
