//! How the program is told what to do: flags over environment over a TOML file over defaults.
//!
//! Every setting exists once, in [`Settings`]; the file has the flags' names with `_` for `-`.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, bail, ensure};
use clap::{Args, Parser};
use phantasma_net::{Identity, control::Bootstrap};
use phantasma_sdk::{
    contract::Phantasma,
    neo::{Hash160, RpcClient, Wallet},
    pdfs::{NodeAddress, parse_node},
};
use serde::Deserialize;

use crate::{
    node::{ControlSetup, Setup},
    store::Options,
};

/// Data plane. 4200 is free in IANA's list around it, and the relay is far from it.
const DEFAULT_LISTEN: &str = "0.0.0.0:4200";
/// Control plane: one above the data plane.
const DEFAULT_CONTROL: &str = "0.0.0.0:4201";
/// Only this machine: metrics are nobody else's business unless the operator says so.
const DEFAULT_HTTP: &str = "127.0.0.1:4202";
/// In the working directory, as databases do.
const DEFAULT_DATA: &str = "pdfs-data";
/// What `phantasma net up` starts.
const DEFAULT_RPC: &str = "http://127.0.0.1:30333";
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
    /// JSON-RPC of a Neo N3 node [default: http://127.0.0.1:30333].
    #[arg(long, env = "PHANTASMA_RPC")]
    rpc: Option<String>,
    /// The Phantasma contract: 0x and 40 hex digits.
    #[arg(long, env = "PHANTASMA_CONTRACT")]
    contract: Option<String>,
    /// Largest segment file in MiB [default: 1024].
    #[arg(long, env = "PHANTASMA_PDFS_SEGMENT_MIB")]
    segment_mib: Option<u64>,
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
            rpc: self.rpc.or(below.rpc),
            contract: self.contract.or(below.contract),
            segment_mib: self.segment_mib.or(below.segment_mib),
        }
    }
}

/// Turns what was given into a node's setup. Opens the wallet, which takes a moment.
pub fn setup(cli: Cli) -> anyhow::Result<Setup> {
    let settings = match &cli.config {
        Some(path) => cli.settings.or(read_file(path)?),
        None => cli.settings,
    };
    let contract = settings
        .contract
        .as_deref()
        .context("no contract given: use --contract 0x...")?;
    let contract: Hash160 = contract
        .parse()
        .with_context(|| format!("contract {contract:?}"))?;
    let rpc = RpcClient::new(settings.rpc.as_deref().unwrap_or(DEFAULT_RPC));
    let mut store = Options::new(settings.data.as_deref().unwrap_or(Path::new(DEFAULT_DATA)));
    if let Some(mib) = settings.segment_mib {
        store.max_segment_bytes = mib
            .checked_mul(1 << 20)
            .context("segment_mib is too large")?;
    }
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
    Ok(Setup {
        identity: identity(&settings)?,
        store,
        listen,
        public_address: settings.public_address,
        control: Some(control),
        http: Some(address(settings.http, DEFAULT_HTTP)?),
        join: join?,
        chain: Arc::new(Phantasma::new(rpc, contract)),
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

fn identity(settings: &Settings) -> anyhow::Result<Identity> {
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
    let address = match &settings.account {
        Some(address) => address.clone(),
        None => wallet
            .default_account()
            .context("the wallet has no account")?
            .address
            .clone(),
    };
    let account = wallet.decrypt(&address, password.trim_end_matches(['\r', '\n']))?;
    Ok(Identity::from_scalar(&account.key.to_bytes())?)
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
        let error = setup(cli(&[])).err().unwrap();
        assert!(format!("{error:#}").contains("--contract"), "{error:#}");
        let contract = format!("0x{}", "11".repeat(20));
        let error = setup(cli(&["--contract", &contract])).err().unwrap();
        assert!(
            format!("{error:#}").contains("--public-address"),
            "{error:#}"
        );
        let listen = ["--contract", &contract, "--listen", "127.0.0.1:0"];
        let error = setup(cli(&listen)).err().unwrap();
        assert!(format!("{error:#}").contains("--wallet"), "{error:#}");
    }
}
