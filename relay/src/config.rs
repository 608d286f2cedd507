//! What a relay is told: flags, then environment variables, then a TOML file, then the defaults of this page.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Parser;
use phantasma_sdk::neo::{Account, Hash160, Wallet};
use phantasma_wire::message::MAX_PAYLOAD;
use phantasma_wire::relay::RelayError;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::anchor::AnchorLimits;
use crate::cache::CacheTimes;
use crate::dedup::Refusal;
use crate::hub::HubLimits;
use crate::log::LogConfig;
use crate::merge::MergeLimits;
use crate::peer::{PeerArgs, PeerSettings, PeersTable};
use crate::web::{WebArgs, WebSettings, WebTable};

/// Environment variable of the wallet's password. There is no flag for it: other users of a machine see flags.
pub const PASSWORD_VAR: &str = "PHANTASMA_PASSWORD";

/// UDP, all interfaces: a relay is there to be reached. The port is one that IANA gives to nobody.
pub const DEFAULT_LISTEN: &str = "0.0.0.0:20420";

/// `/healthz` and `/metrics`, for this machine only: they tell about the relay's users.
pub const DEFAULT_OPS: &str = "127.0.0.1:20421";

/// Beside the working directory, so that a first try needs no rights.
pub const DEFAULT_DATA: &str = "relay-data";

/// Two weeks of holidays, during which a subscriber misses nothing.
pub const DEFAULT_KEEP_HOURS: u64 = 14 * 24;

/// A million messages of 1 KiB; the index in memory takes at most a tenth.
pub const DEFAULT_LOG_MIB: u64 = 1024;

/// Expiry goes by segments: with 64 of them at most 1/64 of the log is kept longer than asked for.
const SEGMENTS: u64 = 64;

/// Clocks of phones are minutes off at worst; the memory for duplicates has to cover twice this time.
pub const DEFAULT_TIME_WINDOW: Duration = Duration::from_secs(300);

/// Each about 200 bytes: 13 MiB. Covers the time window of ±5 minutes at 100 messages a second.
pub const DEFAULT_DEDUP: usize = 65_536;

/// Each about 50 KiB when idle, measured with 10,000 over loopback with its large packets: 50 MiB.
pub const DEFAULT_SESSIONS: usize = 1000;

/// Enough for a person's mailboxes and feeds.
pub const DEFAULT_SUBSCRIPTIONS: usize = 256;

/// Live messages that wait for one reader: 256 KiB × 1,000 sessions are 250 MiB in the worst case.
pub const DEFAULT_QUEUE_BYTES: usize = 256 << 10;
pub const DEFAULT_QUEUE_ITEMS: usize = 1024;

/// Writes that wait for the chain: 62 MiB of the longest messages.
pub const DEFAULT_CHAIN_QUEUE: usize = 1024;

/// Messages in one transaction. Short ones cost about 0.23 GAS each, so the fees below are reached before.
pub const DEFAULT_BATCH_MESSAGES: usize = 200;

/// What one transaction may cost, in GAS: half of what a block of MainNet takes in system fees.
pub const DEFAULT_BATCH_GAS: f64 = 10.0;

/// MainNet makes a block in 15 seconds (3 with later settings); eight of them without success are a failure.
pub const DEFAULT_CHAIN_TIMEOUT: Duration = Duration::from_secs(120);

/// Between two anchors: an anchor costs 0.12 GAS, so half a GAS an hour at most.
pub const DEFAULT_ANCHOR_EVERY: Duration = Duration::from_secs(900);

/// A box's existence never ends; asked again so that a chain that was replaced (a test net) is noticed.
pub const DEFAULT_KNOWN: Duration = Duration::from_secs(3600);

/// About one block: somebody who has just created a box does not wait long.
pub const DEFAULT_UNKNOWN: Duration = Duration::from_secs(2);

/// A box's gate is read again so often though no event told of a change: one question a minute for a box in use.
pub const DEFAULT_GATE: Duration = Duration::from_secs(60);

/// How long a stop waits for what is in flight; a block of MainNet fits in.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(20);

/// GAS in its smallest unit (10⁻⁸).
fn datoshi(gas: f64) -> i64 {
    // A fraction of a datoshi, or more than there can be, is no matter here.
    (gas * 1e8) as i64
}

/// Which contract on which chain a relay serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainId {
    pub network: u32,
    /// Script order.
    pub contract: [u8; 20],
}

impl ChainId {
    /// Refuses what is meant for another chain or contract.
    pub fn check(&self, network: u32, contract: &[u8; 20]) -> Result<(), Refusal> {
        if (network, contract) == (self.network, &self.contract) {
            return Ok(());
        }
        let text = format!(
            "this relay serves contract {} on network {}, not {} on {network}",
            Hash160(self.contract),
            self.network,
            Hash160(*contract)
        );
        Err(Refusal::new(RelayError::WrongChain, text))
    }
}

/// Bounds, each with its reason at the default above.
#[derive(Debug, Clone)]
pub struct Limits {
    pub max_payload: usize,
    pub time_window: Duration,
    pub dedup: usize,
    pub chain_queue: usize,
    pub chain_timeout: Duration,
    pub merge: MergeLimits,
    pub anchor: AnchorLimits,
    pub drain: Duration,
    pub hub: HubLimits,
    pub cache: CacheTimes,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_payload: MAX_PAYLOAD,
            time_window: DEFAULT_TIME_WINDOW,
            dedup: DEFAULT_DEDUP,
            chain_queue: DEFAULT_CHAIN_QUEUE,
            chain_timeout: DEFAULT_CHAIN_TIMEOUT,
            merge: MergeLimits {
                messages: DEFAULT_BATCH_MESSAGES,
                fees: datoshi(DEFAULT_BATCH_GAS),
            },
            anchor: AnchorLimits {
                box_id: None,
                every: DEFAULT_ANCHOR_EVERY,
            },
            drain: DEFAULT_DRAIN,
            hub: HubLimits {
                max_sessions: DEFAULT_SESSIONS,
                max_subscriptions: DEFAULT_SUBSCRIPTIONS,
                queue_items: DEFAULT_QUEUE_ITEMS,
                queue_bytes: DEFAULT_QUEUE_BYTES,
            },
            cache: CacheTimes {
                known: DEFAULT_KNOWN,
                unknown: DEFAULT_UNKNOWN,
                gate: DEFAULT_GATE,
            },
        }
    }
}

/// Limits that may change while the relay runs.
#[derive(Debug)]
pub struct LiveLimits(RwLock<Arc<Limits>>);

impl LiveLimits {
    pub fn new(limits: Limits) -> Self {
        Self(RwLock::new(Arc::new(limits)))
    }

    /// As they are now.
    pub fn now(&self) -> Arc<Limits> {
        let limits = self.0.read().unwrap_or_else(PoisonError::into_inner);
        limits.clone()
    }

    pub fn set(&self, limits: Limits) {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(limits);
    }
}

/// Everything a relay needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub ops: SocketAddr,
    pub rpc: String,
    pub contract: Hash160,
    /// Checked against the node; asked from it when not given.
    pub network: Option<u32>,
    pub wallet: PathBuf,
    /// The wallet's default account when not given.
    pub account: Option<String>,
    pub password_file: Option<PathBuf>,
    pub log: LogConfig,
    pub limits: Limits,
    /// `None`: no links to other relays.
    pub peers: Option<PeerSettings>,
    /// `None`: nothing for browsers.
    pub web: Option<WebSettings>,
    pub json_logs: bool,
}

/// Phantasma's relay: takes signed messages over QUIC (UDP), delivers them at once, keeps them or writes them to the
/// chain.
///
/// Every option may also stand in the file given with --config, by the same name with underscores. The wallet's
/// password comes from the password file, else from the environment variable PHANTASMA_PASSWORD.
#[derive(Debug, Default, Parser)]
#[command(name = "phantasma-relay", version)]
pub struct Args {
    /// TOML file with the options below and the tables [log], [anchor], [peers], [web] and [limits]
    #[arg(long, env = "PHANTASMA_RELAY_CONFIG")]
    pub config: Option<PathBuf>,
    /// UDP address to listen on [default: 0.0.0.0:20420]
    #[arg(long, env = "PHANTASMA_RELAY_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// TCP address of /healthz and /metrics [default: 127.0.0.1:20421]
    #[arg(long, env = "PHANTASMA_RELAY_OPS")]
    pub ops: Option<SocketAddr>,
    /// JSON-RPC address of a Neo N3 node, such as http://127.0.0.1:30333
    #[arg(long, env = "PHANTASMA_RELAY_RPC")]
    pub rpc: Option<String>,
    /// Hash of the contract (0x and 40 hex digits)
    #[arg(long, env = "PHANTASMA_RELAY_CONTRACT")]
    pub contract: Option<String>,
    /// Network magic that the node must have [default: the node's]
    #[arg(long, env = "PHANTASMA_RELAY_NETWORK")]
    pub network: Option<u32>,
    /// NEP-6 wallet: its account is the relay's identity and pays for writes to the chain
    #[arg(long, env = "PHANTASMA_RELAY_WALLET")]
    pub wallet: Option<PathBuf>,
    /// Address of the account in the wallet [default: the wallet's default account]
    #[arg(long, env = "PHANTASMA_RELAY_ACCOUNT")]
    pub account: Option<String>,
    /// File whose first line is the wallet's password
    #[arg(long, env = "PHANTASMA_RELAY_PASSWORD_FILE")]
    pub password_file: Option<PathBuf>,
    /// Folder of the durable messages [default: relay-data]
    #[arg(long, env = "PHANTASMA_RELAY_DATA")]
    pub data: Option<PathBuf>,
    /// Number of a box that the account may write to: the root over the kept messages goes there from time to time
    #[arg(long, env = "PHANTASMA_RELAY_ANCHOR_BOX")]
    pub anchor_box: Option<u64>,
    #[command(flatten)]
    pub peers: PeerArgs,
    #[command(flatten)]
    pub web: WebArgs,
    /// Write logs as JSON, one object a line
    #[arg(long, env = "PHANTASMA_RELAY_JSON_LOGS")]
    pub json_logs: bool,
}

/// The file. Unknown names are errors: a misspelt limit must not be ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FileConfig {
    listen: Option<SocketAddr>,
    ops: Option<SocketAddr>,
    rpc: Option<String>,
    contract: Option<String>,
    network: Option<u32>,
    wallet: Option<PathBuf>,
    account: Option<String>,
    password_file: Option<PathBuf>,
    data: Option<PathBuf>,
    json_logs: bool,
    log: LogTable,
    limits: LimitsTable,
    anchor: AnchorTable,
    peers: PeersTable,
    web: WebTable,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LogTable {
    max_mib: Option<u64>,
    keep_hours: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct AnchorTable {
    box_id: Option<u64>,
    every_s: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct LimitsTable {
    max_payload: Option<usize>,
    time_window_s: Option<u64>,
    dedup_messages: Option<usize>,
    sessions: Option<usize>,
    subscriptions_per_session: Option<usize>,
    queue_bytes: Option<usize>,
    queue_messages: Option<usize>,
    chain_queue: Option<usize>,
    chain_timeout_s: Option<u64>,
    batch_messages: Option<usize>,
    batch_gas: Option<f64>,
    drain_s: Option<u64>,
}

impl Config {
    /// Reads the file, if there is one, and puts flags and environment over it.
    pub fn load(args: Args) -> anyhow::Result<Self> {
        let file = match &args.config {
            Some(path) => read_file(path)?,
            None => FileConfig::default(),
        };
        Self::resolve(args, file)
    }

    fn resolve(args: Args, file: FileConfig) -> anyhow::Result<Self> {
        let missing = |name: &str| {
            format!("{name} is not given: use --{name}, or {name} = ... in the file of --config")
        };
        let contract = args
            .contract
            .or(file.contract)
            .with_context(|| missing("contract"))?;
        let contract: Hash160 = contract.parse().context("contract")?;
        let max_bytes = file
            .log
            .max_mib
            .unwrap_or(DEFAULT_LOG_MIB)
            .saturating_mul(1 << 20);
        let keep_hours = file.log.keep_hours.unwrap_or(DEFAULT_KEEP_HOURS);
        let config = Self {
            listen: address(args.listen.or(file.listen), DEFAULT_LISTEN)?,
            ops: address(args.ops.or(file.ops), DEFAULT_OPS)?,
            rpc: args.rpc.or(file.rpc).with_context(|| missing("rpc"))?,
            contract,
            network: args.network.or(file.network),
            wallet: args
                .wallet
                .or(file.wallet)
                .with_context(|| missing("wallet"))?,
            account: args.account.or(file.account),
            password_file: args.password_file.or(file.password_file),
            log: LogConfig {
                folder: args
                    .data
                    .or(file.data)
                    .unwrap_or_else(|| DEFAULT_DATA.into()),
                max_bytes,
                segment_bytes: (max_bytes / SEGMENTS).clamp(1 << 20, 256 << 20),
                keep_ms: keep_hours.saturating_mul(3_600_000),
            },
            limits: Limits {
                anchor: file.anchor.into_limits(args.anchor_box),
                ..file.limits.into_limits()
            },
            peers: file.peers.resolve(args.peers)?,
            web: file.web.resolve(args.web)?,
            json_logs: args.json_logs || file.json_logs,
        };
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> anyhow::Result<()> {
        let limits = &self.limits;
        if !(1..=MAX_PAYLOAD).contains(&limits.max_payload) {
            bail!(
                "limits.max_payload is {}; it must be 1 to {MAX_PAYLOAD}",
                limits.max_payload
            );
        }
        if self.log.max_bytes < 2 << 20 {
            bail!(
                "log.max_mib must be at least 2: a log has at least one full and one open segment"
            );
        }
        let positive = [
            ("dedup_messages", limits.dedup),
            ("sessions", limits.hub.max_sessions),
            ("subscriptions_per_session", limits.hub.max_subscriptions),
            ("queue_bytes", limits.hub.queue_bytes),
            ("queue_messages", limits.hub.queue_items),
            ("chain_queue", limits.chain_queue),
            ("anchor.every_s", limits.anchor.every.as_secs() as usize),
            ("batch_messages", limits.merge.messages),
            (
                "batch_gas",
                usize::try_from(limits.merge.fees).unwrap_or_default(),
            ),
        ];
        match positive.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => bail!("limits.{name} is 0; it must be at least 1"),
            None => Ok(()),
        }
    }

    /// Opens the relay's account with the password from the environment or the file.
    pub fn open_account(&self) -> anyhow::Result<Account> {
        let wallet = Wallet::open(&self.wallet)?;
        let address = match &self.account {
            Some(address) => address.clone(),
            None => {
                let account = wallet.default_account();
                let account =
                    account.with_context(|| format!("{} has no account", self.wallet.display()))?;
                account.address.clone()
            }
        };
        Ok(wallet.decrypt(&address, &self.password()?)?)
    }

    fn password(&self) -> anyhow::Result<Zeroizing<String>> {
        let Some(path) = &self.password_file else {
            let password = std::env::var(PASSWORD_VAR).with_context(|| {
                format!(
                    "no password for {}: set {PASSWORD_VAR} or use --password-file",
                    self.wallet.display()
                )
            })?;
            return Ok(Zeroizing::new(password));
        };
        let text =
            std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let text = Zeroizing::new(text);
        Ok(Zeroizing::new(
            text.lines().next().unwrap_or_default().to_owned(),
        ))
    }
}

impl AnchorTable {
    fn into_limits(self, flag: Option<u64>) -> AnchorLimits {
        AnchorLimits {
            box_id: flag.or(self.box_id),
            every: self
                .every_s
                .map_or(DEFAULT_ANCHOR_EVERY, Duration::from_secs),
        }
    }
}

impl LimitsTable {
    fn into_limits(self) -> Limits {
        let base = Limits::default();
        let seconds = |value: Option<u64>, base| value.map_or(base, Duration::from_secs);
        Limits {
            max_payload: self.max_payload.unwrap_or(base.max_payload),
            time_window: seconds(self.time_window_s, base.time_window),
            dedup: self.dedup_messages.unwrap_or(base.dedup),
            chain_queue: self.chain_queue.unwrap_or(base.chain_queue),
            chain_timeout: seconds(self.chain_timeout_s, base.chain_timeout),
            merge: MergeLimits {
                messages: self.batch_messages.unwrap_or(base.merge.messages),
                fees: self.batch_gas.map_or(base.merge.fees, datoshi),
            },
            anchor: base.anchor,
            drain: seconds(self.drain_s, base.drain),
            hub: HubLimits {
                max_sessions: self.sessions.unwrap_or(base.hub.max_sessions),
                max_subscriptions: self
                    .subscriptions_per_session
                    .unwrap_or(base.hub.max_subscriptions),
                queue_items: self.queue_messages.unwrap_or(base.hub.queue_items),
                queue_bytes: self.queue_bytes.unwrap_or(base.hub.queue_bytes),
            },
            cache: base.cache,
        }
    }
}

fn address(given: Option<SocketAddr>, default: &str) -> anyhow::Result<SocketAddr> {
    match given {
        Some(address) => Ok(address),
        None => default
            .parse()
            .with_context(|| format!("default address {default}")),
    }
}

fn read_file(path: &Path) -> anyhow::Result<FileConfig> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is not understood", path.display()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        rpc = "http://node:1"
        contract = "0x0102030405060708090a0b0c0d0e0f1011121314"
        wallet = "w.json"
        listen = "127.0.0.1:1"
        [log]
        max_mib = 64
        [limits]
        sessions = 5
    "#;

    fn resolve(args: Args, file: &str) -> anyhow::Result<Config> {
        Config::resolve(args, toml::from_str(file)?)
    }

    #[test]
    fn flags_go_over_the_file_and_the_file_over_the_defaults() {
        let args = Args {
            listen: Some("127.0.0.1:2".parse().unwrap()),
            ..Args::default()
        };
        let config = resolve(args, FILE).unwrap();
        assert_eq!(config.listen.port(), 2);
        assert_eq!(config.rpc, "http://node:1");
        assert_eq!(config.ops.to_string(), DEFAULT_OPS);
        assert_eq!(
            (config.log.max_bytes, config.log.segment_bytes),
            (64 << 20, 1 << 20)
        );
        assert_eq!(
            (config.limits.hub.max_sessions, config.limits.dedup),
            (5, DEFAULT_DEDUP)
        );
        assert_eq!(
            config.contract.to_string(),
            "0x0102030405060708090a0b0c0d0e0f1011121314"
        );
    }

    #[test]
    fn a_missing_or_misspelt_or_senseless_option_is_named() {
        let error = |file: &str| format!("{:#}", resolve(Args::default(), file).unwrap_err());
        assert!(error(&FILE.replace("rpc =", "rcp =")).contains("rcp"));
        assert!(error(&FILE.replace("rpc = \"http://node:1\"", "")).contains("--rpc"));
        assert!(error(&FILE.replace("sessions = 5", "sessions = 0")).contains("limits.sessions"));
        assert!(error(&FILE.replace("sessions = 5", "max_payload = 100000")).contains("61440"));
        assert!(error(&FILE.replace("max_mib = 64", "max_mib = 1")).contains("at least 2"));
        assert!(error(&FILE.replace("1314\"", "13\"")).contains("contract"));
    }

    #[test]
    fn the_flags_are_consistent() {
        use clap::CommandFactory;
        Args::command().debug_assert();
    }
}
