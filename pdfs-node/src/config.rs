//! How the program is told what to do: flags over environment over a TOML file over defaults.
//!
//! Every setting exists once, in [`Settings`]; the file has the flags' names with `_` for `-`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Parser};
use phantasma_net::{Identity, control::Bootstrap};
use phantasma_sdk::{
    contract::Phantasma,
    neo::{Account, Hash160, RpcClient, Wallet},
    pdfs::{NodeAddress, parse_node},
};
use serde::Deserialize;

use crate::{
    chain::CachedChain,
    node::{ControlSetup, Setup},
    proofs::config::ProofSettings,
    replicas::config::ReplicaSettings,
    store::Options,
    tools::Tool,
    upkeep::Upkeep,
};

/// Data plane. 4200 is free in IANA's list around it, and the relay is far from it.
const DEFAULT_LISTEN: &str = "0.0.0.0:4200";
/// Control plane: one above the data plane.
const DEFAULT_CONTROL: &str = "0.0.0.0:4201";
/// Only this machine: metrics are nobody else's business unless the operator says so.
const DEFAULT_HTTP: &str = "127.0.0.1:4202";
/// Upkeep begins no sooner again, whatever is set: a round reads everything.
const SHORTEST_UPKEEP: Duration = Duration::from_secs(1);
/// A store with a quota has so many segments at least.
const QUOTA_SEGMENTS: u64 = 16;
/// In the working directory, as databases do.
const DEFAULT_DATA: &str = "pdfs-data";
/// What `phantasma net up` starts.
const DEFAULT_RPC: &str = "http://127.0.0.1:30333";
/// Shorter tokens are guessed.
const MIN_TOKEN: usize = 16;
/// The wallet's password, for those who do not want it in a file.
const PASSWORD_VARIABLE: &str = "PHANTASMA_PASSWORD";

/// Keeps encrypted blocks for others and serves them over QUIC.
///
/// The wallet's password is read from the file named by --password-file, else from PHANTASMA_PASSWORD.
#[derive(Debug, Parser)]
#[command(name = "phantasma-pdfs", version)]
pub struct Cli {
    /// TOML file with any of the settings below (names with _ instead of -); flags and environment go before it.
    #[arg(long, env = "PHANTASMA_PDFS_CONFIG")]
    config: Option<PathBuf>,
    /// Log as JSON, one object a line.
    #[arg(long)]
    pub log_json: bool,
    #[command(flatten)]
    settings: Settings,
    #[command(subcommand)]
    tool: Option<Tool>,
}

/// All settings; what is not given is looked for one level down.
#[derive(Debug, Clone, Default, Args, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Settings {
    /// NEP-6 wallet whose key is the node's identity.
    #[arg(long, env = "PHANTASMA_PDFS_WALLET")]
    wallet: Option<PathBuf>,
    /// Account in the wallet [default: the wallet's default account].
    #[arg(long, env = "PHANTASMA_PDFS_ACCOUNT")]
    account: Option<String>,
    /// File with the wallet's password (a trailing line end is dropped).
    #[arg(long, env = "PHANTASMA_PDFS_PASSWORD_FILE")]
    password_file: Option<PathBuf>,
    /// Folder for blocks and index [default: pdfs-data].
    #[arg(long, env = "PHANTASMA_PDFS_DATA")]
    data: Option<PathBuf>,
    /// UDP address of the data plane [default: 0.0.0.0:4200].
    #[arg(long, env = "PHANTASMA_PDFS_LISTEN")]
    listen: Option<SocketAddr>,
    /// host:port at which others reach the data plane [default: the listen address].
    #[arg(long, env = "PHANTASMA_PDFS_PUBLIC_ADDRESS")]
    public_address: Option<String>,
    /// UDP address of the control plane (DHT) [default: 0.0.0.0:4201].
    #[arg(long, env = "PHANTASMA_PDFS_CONTROL")]
    control: Option<SocketAddr>,
    /// Control planes to meet first: PUBLICKEY@IP:PORT, several by comma.
    #[arg(long, env = "PHANTASMA_PDFS_BOOTSTRAP", value_delimiter = ',')]
    bootstrap: Vec<String>,
    /// Nodes to tell about this one: PUBLICKEY@HOST:PORT of their data planes, several by comma.
    #[arg(long, env = "PHANTASMA_PDFS_JOIN", value_delimiter = ',')]
    join: Vec<String>,
    /// TCP address of /healthz, /metrics and /content [default: 127.0.0.1:4202].
    #[arg(long, env = "PHANTASMA_PDFS_HTTP")]
    http: Option<SocketAddr>,
    /// File with the token that a gateway's user shows to have plain bytes for a key [default: nobody may].
    #[arg(long, env = "PHANTASMA_PDFS_GATEWAY_TOKEN_FILE")]
    gateway_token_file: Option<PathBuf>,
    /// JSON-RPC of a Neo N3 node [default: http://127.0.0.1:30333].
    #[arg(long, env = "PHANTASMA_RPC")]
    rpc: Option<String>,
    /// The Phantasma contract: 0x and 40 hex digits.
    #[arg(long, env = "PHANTASMA_CONTRACT")]
    contract: Option<String>,
    /// Largest segment file in MiB [default: 1024].
    #[arg(long, env = "PHANTASMA_PDFS_SEGMENT_MIB")]
    segment_mib: Option<u64>,
    /// Most MiB of segments that are kept; more is refused [default: what the disk has].
    #[arg(long, env = "PHANTASMA_PDFS_QUOTA_MIB")]
    quota_mib: Option<u64>,
    /// MiB a second that the scrub reads, 0 for none [default: 8].
    #[arg(long, env = "PHANTASMA_PDFS_SCRUB_MIB_S")]
    scrub_mib_s: Option<u64>,
    /// MiB a second that are moved to empty segments, 0 for no limit [default: 16].
    #[arg(long, env = "PHANTASMA_PDFS_COMPACT_MIB_S")]
    compact_mib_s: Option<u64>,
    /// Minutes between two rounds of upkeep, also a part of one [default: 60].
    #[arg(long, env = "PHANTASMA_PDFS_UPKEEP_MINUTES")]
    upkeep_minutes: Option<f64>,
    #[command(flatten)]
    proofs: ProofSettings,
    #[command(flatten)]
    replicas: ReplicaSettings,
}

impl Settings {
    /// These settings, and `below` where they say nothing.
    fn or(self, below: Self) -> Self {
        let list = |above: Vec<String>, below| if above.is_empty() { below } else { above };
        Self {
            wallet: self.wallet.or(below.wallet),
            account: self.account.or(below.account),
            password_file: self.password_file.or(below.password_file),
            data: self.data.or(below.data),
            listen: self.listen.or(below.listen),
            public_address: self.public_address.or(below.public_address),
            control: self.control.or(below.control),
            bootstrap: list(self.bootstrap, below.bootstrap),
            join: list(self.join, below.join),
            http: self.http.or(below.http),
            gateway_token_file: self.gateway_token_file.or(below.gateway_token_file),
            rpc: self.rpc.or(below.rpc),
            contract: self.contract.or(below.contract),
            segment_mib: self.segment_mib.or(below.segment_mib),
            quota_mib: self.quota_mib.or(below.quota_mib),
            scrub_mib_s: self.scrub_mib_s.or(below.scrub_mib_s),
            compact_mib_s: self.compact_mib_s.or(below.compact_mib_s),
            upkeep_minutes: self.upkeep_minutes.or(below.upkeep_minutes),
            proofs: self.proofs.or(below.proofs),
            replicas: self.replicas.or(below.replicas),
        }
    }
}

/// What the program is to do.
pub enum Task {
    Node(Box<Setup>),
    Tool {
        tool: Tool,
        data: PathBuf,
        /// Only with a contract.
        chain: Option<CachedChain>,
    },
}

/// Turns what was given into what is to do. For a node that opens the wallet, which takes a moment.
pub fn task(cli: Cli) -> anyhow::Result<Task> {
    let settings = match &cli.config {
        Some(path) => cli.settings.or(read_file(path)?),
        None => cli.settings,
    };
    let Some(tool) = cli.tool else {
        return Ok(Task::Node(Box::new(setup(&settings)?)));
    };
    let chain = match settings.contract {
        Some(_) => Some(CachedChain::new(Arc::new(contract(&settings)?))),
        None => None,
    };
    Ok(Task::Tool {
        tool,
        data: data(&settings).to_owned(),
        chain,
    })
}

fn data(settings: &Settings) -> &Path {
    settings.data.as_deref().unwrap_or(Path::new(DEFAULT_DATA))
}

fn contract(settings: &Settings) -> anyhow::Result<Phantasma> {
    let contract = settings
        .contract
        .as_deref()
        .context("no contract given: use --contract 0x...")?;
    let contract: Hash160 = contract
        .parse()
        .with_context(|| format!("contract {contract:?}"))?;
    Ok(Phantasma::new(rpc(settings), contract))
}

fn rpc(settings: &Settings) -> RpcClient {
    RpcClient::new(settings.rpc.as_deref().unwrap_or(DEFAULT_RPC))
}

/// `given` MiB in bytes, or `default` bytes.
fn mib(name: &str, given: Option<u64>, default: u64) -> anyhow::Result<u64> {
    match given {
        Some(mib) => mib
            .checked_mul(1 << 20)
            .with_context(|| format!("{name} is too large")),
        None => Ok(default),
    }
}

fn upkeep(settings: &Settings) -> anyhow::Result<Upkeep> {
    let usual = Upkeep::default();
    let (scrub, compact) = (usual.scrub_bytes_per_s, usual.compact_bytes_per_s);
    Ok(Upkeep {
        every: match settings.upkeep_minutes {
            Some(minutes) => Duration::try_from_secs_f64(60.0 * minutes)
                .context("upkeep_minutes")?
                .max(SHORTEST_UPKEEP),
            None => usual.every,
        },
        scrub_bytes_per_s: mib("scrub_mib_s", settings.scrub_mib_s, scrub)?,
        compact_bytes_per_s: mib("compact_mib_s", settings.compact_mib_s, compact)?,
    })
}

fn setup(settings: &Settings) -> anyhow::Result<Setup> {
    let chain = Arc::new(contract(settings)?);
    let mut store = Options::new(data(settings));
    store.max_segment_bytes = mib("segment_mib", settings.segment_mib, store.max_segment_bytes)?;
    store.quota_bytes = mib("quota_mib", settings.quota_mib, store.quota_bytes)?;
    // Space is won back segment by segment, and not from the last one.
    store.max_segment_bytes = store
        .max_segment_bytes
        .min(store.quota_bytes / QUOTA_SEGMENTS)
        .max(1 << 20);
    let listen = address(settings.listen, DEFAULT_LISTEN)?;
    if let Some(public) = &settings.public_address {
        ensure!(
            crate::peers::is_dialable(public),
            "public_address {public:?} is not host:port"
        );
    }
    if listen.ip().is_unspecified() && settings.public_address.is_none() {
        bail!(
            "listening on {listen} needs --public-address HOST:PORT, at which other nodes reach this one"
        );
    }
    let control = ControlSetup {
        listen: address(settings.control, DEFAULT_CONTROL)?,
        bootstrap: settings
            .bootstrap
            .iter()
            .map(|text| bootstrap(text))
            .collect::<Result<_, _>>()?,
    };
    let join: Result<Vec<NodeAddress>, _> =
        settings.join.iter().map(|text| parse_node(text)).collect();
    let usual = settings.account.as_ref();
    let proofs = settings
        .proofs
        .setup(rpc(settings), data(settings), |own| {
            account(settings, own.or(usual))
        })?;
    Ok(Setup {
        identity: Identity::from_scalar(&account(settings, usual)?.key.to_bytes())?,
        store,
        listen,
        public_address: settings.public_address.clone(),
        control: Some(control),
        http: Some(address(settings.http, DEFAULT_HTTP)?),
        gateway_token: token(settings.gateway_token_file.as_deref())?,
        join: join?,
        chain,
        upkeep: upkeep(settings)?,
        proofs,
        replicas: settings.replicas.setup(),
    })
}

fn read_file(path: &Path) -> anyhow::Result<Settings> {
    let text = std::fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("settings in {}", path.display()))
}

fn address(given: Option<SocketAddr>, default: &str) -> anyhow::Result<SocketAddr> {
    match given {
        Some(address) => Ok(address),
        None => default
            .parse()
            .with_context(|| format!("default address {default}")),
    }
}

/// The token in a file; an empty one would let everybody in.
fn token(path: Option<&Path>) -> anyhow::Result<Option<String>> {
    let Some(path) = path else {
        return Ok(None);
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("read the gateway's token in {}", path.display()))?;
    let token = text.trim();
    ensure!(
        token.len() >= MIN_TOKEN,
        "the gateway's token in {} has fewer than {MIN_TOKEN} characters",
        path.display()
    );
    Ok(Some(token.to_owned()))
}

fn bootstrap(text: &str) -> anyhow::Result<Bootstrap> {
    let node = parse_node(text)?;
    let address = node
        .address
        .parse()
        .with_context(|| format!("bootstrap {text:?}: an IP address and port after @"))?;
    Ok(Bootstrap {
        address,
        public_key: Some(node.public_key),
    })
}

/// An account of the wallet with its key; `None`: the wallet's default.
fn account(settings: &Settings, address: Option<&String>) -> anyhow::Result<Account> {
    let path = settings
        .wallet
        .as_deref()
        .context("no wallet given: use --wallet FILE (NEP-6)")?;
    let password = match &settings.password_file {
        Some(file) => std::fs::read_to_string(file)
            .with_context(|| format!("read the password in {}", file.display()))?,
        None => std::env::var(PASSWORD_VARIABLE).with_context(|| {
            format!("no password: use --password-file FILE or set {PASSWORD_VARIABLE}")
        })?,
    };
    let wallet =
        Wallet::open(path).with_context(|| format!("open the wallet {}", path.display()))?;
    let address = match address {
        Some(address) => address.clone(),
        None => wallet
            .default_account()
            .context("the wallet has no account")?
            .address
            .clone(),
    };
    Ok(wallet.decrypt(&address, password.trim_end_matches(['\r', '\n']))?)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn cli(args: &[&str]) -> Cli {
        Cli::try_parse_from([&["phantasma-pdfs"], args].concat()).unwrap()
    }

    #[test]
    fn flags_go_before_the_file() {
        let file: Settings =
            toml::from_str("data = \"/a\"\nrpc = \"http://file\"\njoin = [\"x\"]").unwrap();
        let merged = cli(&["--data", "/b", "--listen", "127.0.0.1:1"])
            .settings
            .or(file);
        assert_eq!(merged.data.unwrap(), Path::new("/b"));
        assert_eq!(merged.rpc.unwrap(), "http://file");
        assert_eq!(merged.join, ["x"]);
    }

    #[test]
    fn a_misspelt_setting_in_the_file_is_an_error() {
        let error = toml::from_str::<Settings>("lisen = \"127.0.0.1:1\"").unwrap_err();
        assert!(
            error.to_string().contains("unknown field `lisen`"),
            "{error}"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = setup(&cli(&[]).settings).err().unwrap();
        assert!(format!("{error:#}").contains("--contract"), "{error:#}");
        let contract = format!("0x{}", "11".repeat(20));
        let error = setup(&cli(&["--contract", &contract]).settings)
            .err()
            .unwrap();
        assert!(
            format!("{error:#}").contains("--public-address"),
            "{error:#}"
        );
        let listen = ["--contract", &contract, "--listen", "127.0.0.1:0"];
        let error = setup(&cli(&listen).settings).err().unwrap();
        assert!(format!("{error:#}").contains("--wallet"), "{error:#}");
    }
}
