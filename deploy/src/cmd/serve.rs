//! `phantasma serve`: the daemon with the service API and the web page, on this machine only.

use std::fs::DirBuilder;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Args;
use neo_client::Hash160;
use phantasma_console::{Config, RelayPlace, Server, Tokens};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::content::Nodes;
use super::context::Context;
use crate::contract::{Params, Program};
use crate::profile::Peer;
use crate::refusal;

/// The daemon's own files, below the profile's folder.
const FOLDER: &str = "serve";

/// The tokens, below that.
const TOKENS: &str = "tokens.toml";

#[derive(Debug, Args)]
pub struct ServeCommand {
    /// Where to listen, TCP: a loopback address. Port 0 takes any free one.
    #[arg(long, default_value = "127.0.0.1:4380", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// File of the tokens, readable by its owner alone; made with a token `console` when absent [default: serve/tokens.toml
    /// in the folder of the profile].
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    #[command(flatten)]
    nodes: Nodes,
    /// The relay whose traffic is shown, <public key>@<host>:<port> [default: `relay` of phantasma.toml].
    #[arg(long, value_name = "RELAY")]
    relay: Option<Peer>,
    /// Where that relay tells its numbers, the address of its --ops.
    #[arg(long, default_value = "http://127.0.0.1:20421", value_name = "URL")]
    relay_ops: String,
    /// A web origin beside the daemon's own page that may use the API, such as http://localhost:8080.
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    allow_origins: Vec<String>,
    /// The largest file that is taken; it waits in the folder of the profile until it is stored.
    #[arg(long, default_value_t = 10_240, value_name = "MIB")]
    max_upload_mib: u32,
    /// Seconds from one look at the stored contents to the next; news of a proof is looked at at once.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=86_400), value_name = "SECONDS")]
    look_every_s: u64,
}

pub(super) async fn run(context: &Context, command: ServeCommand) -> Result<()> {
    start_logs();
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for ctrl-c")?;
    let data = context.global.dir.join(FOLDER);
    let made = DirBuilder::new().recursive(true).mode(0o700).create(&data);
    made.with_context(|| format!("creating {}", data.display()))?;
    let path = command.tokens.clone().unwrap_or_else(|| data.join(TOKENS));
    let tokens = Tokens::open_or_create(&path)?;
    // The first one that may do everything is good for the page.
    let link = tokens.all().first().map(|token| token.secret.clone());
    let relay = command.relay.or_else(|| context.profile.relay.clone());
    let config = Config {
        listen: command.listen,
        keys: context.global.dir.join("keys"),
        data,
        rpc: context.rpc(),
        contract: context.contract()?,
        proofs: context.companion(Program::Proofs).await?,
        account: context.account()?,
        nodes: command.nodes.known(context),
        relay: Some(RelayPlace {
            peer: relay.map(|peer| peer.to_string()),
            ops: Some(command.relay_ops),
        }),
        debug_params: Params::load(None)?.for_owner(&Hash160::ZERO)?,
        allow_origins: command.allow_origins,
        max_upload_bytes: u64::from(command.max_upload_mib) << 20,
        look_every: Duration::from_secs(command.look_every_s),
        plain: refusal::plain,
    };
    let server = Server::start(config, tokens).await?;
    let address = server.local_addr();
    // Programs that start the daemon wait for this line. The secret is for a person's eyes: it stays out of files.
    let shown = std::io::stdout().is_terminal();
    let link = link.filter(|_| shown && !context.global.json);
    let text = match link {
        Some(secret) => format!("ready http={address}\nopen http://{address}/#token={secret}"),
        None => format!("ready http={address}\ntokens are in {}", path.display()),
    };
    context.print(&json!({"http": address.to_string(), "tokens": path}), &text)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping");
    server.shutdown().await;
    Ok(())
}

fn start_logs() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let logs = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // Somebody who uses this library may have logs of their own.
    let _ = logs.try_init();
}
