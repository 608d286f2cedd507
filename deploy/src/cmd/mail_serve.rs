//! `phantasma mail serve`: the daemon, and what it is told: flags, then environment variables, then a TOML file, then
//! the defaults of `phantasma-mail`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use clap::Args;
use phantasma_mail::bridge::Bridge;
use phantasma_mail::daemon::{Addresses, Limits, Running};
use phantasma_mail::login::{self, Login};
use phantasma_mail::post::Terms;
use serde::Deserialize;
use tokio::signal::unix::{SignalKind, signal};

use super::box_::soul;
use super::context::Context;
use super::mail::{OfMailbox, post};
use crate::profile::Peer;

/// Where mail programs look when they are told nothing else, and no other mail server is: 1587 and 1143 for those of
/// submission and IMAP, which need rights.
const DEFAULT_SMTP: &str = "127.0.0.1:1587";
const DEFAULT_IMAP: &str = "127.0.0.1:1143";
const DEFAULT_OPS: &str = "127.0.0.1:20431";

#[derive(Debug, Args)]
pub struct Serve {
    #[command(flatten)]
    of: OfMailbox,
    #[command(flatten)]
    settings: Settings,
    /// TOML file with the options below, by the same names with underscores.
    #[arg(long, env = "PHANTASMA_MAIL_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Each of these may stand in the file, too. Unknown names in it are errors.
#[derive(Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Settings {
    /// TCP address of SMTP, on this machine [default: 127.0.0.1:1587]
    #[arg(long, env = "PHANTASMA_MAIL_SMTP", value_name = "ADDRESS")]
    smtp: Option<SocketAddr>,
    /// TCP address of IMAP, on this machine [default: 127.0.0.1:1143]
    #[arg(long, env = "PHANTASMA_MAIL_IMAP", value_name = "ADDRESS")]
    imap: Option<SocketAddr>,
    /// TCP address of /healthz and /metrics, on this machine [default: 127.0.0.1:20431]
    #[arg(long, env = "PHANTASMA_MAIL_OPS", value_name = "ADDRESS")]
    ops: Option<SocketAddr>,
    /// File whose first line is the password of mail programs [default: made with the mailbox]
    #[arg(long, env = "PHANTASMA_MAIL_LOGIN_FILE", value_name = "FILE")]
    login_file: Option<PathBuf>,
    /// In the file a table of its own.
    #[command(flatten)]
    terms: TermsFlags,
    /// The longest mail in MiB [default: 64]
    #[arg(long, env = "PHANTASMA_MAIL_MAX_MESSAGE_MIB", value_name = "MIB")]
    max_message_mib: Option<u64>,
    /// Clients of each server at once [default: 64]
    #[arg(long, env = "PHANTASMA_MAIL_SESSIONS", value_name = "NUMBER")]
    sessions: Option<usize>,
    /// Hours for which a mail is tried before its sender is told that it was given up [default: 48]
    #[arg(long, env = "PHANTASMA_MAIL_GIVE_UP_HOURS", value_name = "HOURS")]
    give_up_hours: Option<u64>,
    /// Only in the file: the mailbox is a bridge to mail servers outside.
    #[arg(skip)]
    bridge: Option<BridgeTable>,
    /// The relay, <public key>@<host>:<port> [default: `relay` of phantasma.toml]
    #[arg(long, value_name = "RELAY")]
    relay: Option<Peer>,
    /// A storage node, <public key>@<host>:<port>; may be given several times [default: `nodes` of phantasma.toml]
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<Peer>,
}

/// How a bridge reaches the outside.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BridgeTable {
    domain: String,
    smarthost: SocketAddr,
    listen: SocketAddr,
    providers: Vec<String>,
}

/// What to pay.
#[derive(Clone, Debug, Default, Args, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct TermsFlags {
    /// The most that a reader's mailbox may charge for one mail [default: 0]
    #[arg(long, env = "PHANTASMA_MAIL_MAX_POSTAGE", value_name = "SOUL")]
    max_postage: Option<String>,
    /// The most that keeping one long mail on the storage network may cost [default: 5]
    #[arg(long, env = "PHANTASMA_MAIL_MAX_STORAGE", value_name = "SOUL")]
    max_storage: Option<String>,
    /// How long a long mail is kept there, in periods of 30 days [default: 3]
    #[arg(long, env = "PHANTASMA_MAIL_PERIODS", value_name = "NUMBER")]
    periods: Option<u32>,
    /// Storage nodes that shall hold it [default: 2]
    #[arg(long, env = "PHANTASMA_MAIL_REPLICAS", value_name = "NUMBER")]
    replicas: Option<usize>,
}

impl TermsFlags {
    /// These, then the others, then the defaults.
    pub(super) fn terms(&self, others: &Self) -> Result<Terms> {
        let base = Terms::default();
        let amount = |one: &Option<String>, other: &Option<String>, base: u64| {
            let text = one.as_deref().or(other.as_deref());
            text.map_or(Ok(base), soul)
        };
        let terms = Terms {
            max_postage: amount(&self.max_postage, &others.max_postage, base.max_postage)?,
            max_storage: amount(&self.max_storage, &others.max_storage, base.max_storage)?,
            periods: self.periods.or(others.periods).unwrap_or(base.periods),
            replicas: self.replicas.or(others.replicas).unwrap_or(base.replicas),
        };
        if !(1..=1200).contains(&terms.periods) || !(1..=16).contains(&terms.replicas) {
            bail!("periods must be 1 to 1200, and replicas 1 to 16");
        }
        Ok(terms)
    }
}

fn read_file(path: &Path) -> Result<Settings> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))
}

fn address(given: Option<SocketAddr>, other: Option<SocketAddr>, base: &str) -> Result<SocketAddr> {
    match given.or(other) {
        Some(address) => Ok(address),
        None => base
            .parse()
            .with_context(|| format!("default address {base}")),
    }
}

pub(super) async fn run(context: &Context, order: Serve) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for ctrl-c")?;
    let (flags, file) = (
        order.settings,
        order
            .config
            .as_deref()
            .map(read_file)
            .transpose()?
            .unwrap_or_default(),
    );
    let base = Limits::default();
    let mib = flags.max_message_mib.or(file.max_message_mib);
    let hours = flags.give_up_hours.or(file.give_up_hours);
    let limits = Limits {
        max_message: mib.map_or(base.max_message, |mib| mib.saturating_mul(1 << 20)),
        sessions: flags.sessions.or(file.sessions).unwrap_or(base.sessions),
        give_up: hours.map_or(base.give_up, |hours| {
            std::time::Duration::from_secs(hours.saturating_mul(3600))
        }),
        ..base
    };
    if limits.max_message == 0 || limits.sessions == 0 {
        bail!("max_message_mib and sessions must be at least 1");
    }
    let addresses = Addresses {
        smtp: address(flags.smtp, file.smtp, DEFAULT_SMTP)?,
        imap: address(flags.imap, file.imap, DEFAULT_IMAP)?,
        ops: address(flags.ops, file.ops, DEFAULT_OPS)?,
    };
    let own = order.of.find(context)?;
    let terms = flags.terms.terms(&file.terms)?;
    let relay = flags.relay.or(file.relay);
    let nodes = if flags.nodes.is_empty() {
        file.nodes
    } else {
        flags.nodes
    };
    start_logs();
    let account = context.account()?;
    let post = post(context, own, account, relay.as_ref(), &nodes, terms).await?;
    let password = match flags.login_file.or(file.login_file) {
        Some(path) => crate::password::first_line(&path)?,
        None => login::password(&post.folder)?,
    };
    let login = Login::new(post.own.clone(), &password);
    let own = post.own.clone();
    let bridge = file.bridge.map(|table| Bridge {
        domain: table.domain,
        smarthost: table.smarthost,
        listen: table.listen,
        providers: table.providers,
    });
    let running = Running::start(Arc::new(post), login, addresses, limits, bridge).await?;
    // Programs that start a daemon wait for this line and read the addresses from it.
    let text = format!(
        "mail for {own} smtp {} imap {} ops {}",
        running.smtp,
        running.imap,
        running.ops_addr()
    );
    let text = match running.outside {
        Some(outside) => format!("{text} bridge {outside}"),
        None => text,
    };
    let data = serde_json::json!({
        "bridge": running.outside,
        "address": own.to_string(),
        "smtp": running.smtp,
        "imap": running.imap,
        "ops": running.ops_addr(),
    });
    context.print(&data, &text)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    running.shutdown().await;
    Ok(())
}

fn start_logs() {
    use std::io::IsTerminal as _;
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second start in one process keeps the first one's.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}
