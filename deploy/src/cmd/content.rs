//! `phantasma content`: files on the storage network.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use neo_client::Account;
use phantasma_net::Identity;
use phantasma_sdk::content::{self as files, ContentKey, Progress, PutOptions, Source, UploadLog};
use phantasma_sdk::contract::{ContentInfo, Phantasma, Priority};
use phantasma_sdk::keys::{Keystore, Secret};
use phantasma_sdk::pdfs::Client;
use phantasma_sdk::put::{self, Terms};
use phantasma_sdk::view;
use phantasma_wire::pdfs::NodeAddress;
use serde_json::json;

use super::box_::soul;
use super::context::{Context, receipt_text};
use super::elsewhere::{self, Target};
use super::share;
use crate::amount;
use crate::profile::Peer;

/// Which files were put as which contents, beside the keystores.
const UPLOADS: &str = "uploads.jsonl";

#[derive(Debug, Subcommand)]
pub enum ContentCommand {
    /// Encrypt a file, register it on the chain and store it on several nodes. One that broke off is continued; one that
    /// is there already sends nothing.
    Put {
        /// What to store.
        file: PathBuf,
        #[command(flatten)]
        nodes: Nodes,
        /// Nodes that shall hold each block.
        #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
        replicas: u8,
        /// How long it is paid for, in periods of 30 days.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1200))]
        periods: u32,
        /// The level of its fee: a higher one costs more.
        #[arg(long, value_enum, default_value_t = Level::Normal)]
        priority: Level,
        /// The most SOUL it may cost [default: no limit but the balance].
        #[arg(long, value_name = "SOUL")]
        max_payment: Option<String>,
        /// Keep it elsewhere, and register and pay nothing on the chain: file:FOLDER, s3://BUCKET[/PREFIX] or ipfs:.
        #[arg(long, value_name = "TARGET",
            conflicts_with_all = ["nodes", "replicas", "periods", "priority", "max_payment"])]
        to: Option<Target>,
    },
    /// Read a content back into a file, each block checked against the root on the chain, or in the link.
    Get {
        /// The content's root, 64 hex digits; or a link, as `content put --to` prints it and a box's ELNK gives it (0x...).
        root: String,
        /// Where to put the file; it must not exist yet.
        #[arg(long, short, value_name = "FILE")]
        out: PathBuf,
        #[command(flatten)]
        nodes: Nodes,
    },
    /// Show what the chain knows of a content.
    Info {
        /// The content's root, 64 hex digits.
        root: String,
    },
    /// Give one reader a content's key, sealed to the reader's Neo key. It cannot be taken back.
    Share(share::Share),
    /// Take a key that was given with `content share` or `group share`; `content get` then reads the content.
    Accept {
        /// The file that was received.
        file: PathBuf,
    },
}

/// Where to store and look.
#[derive(Debug, Args)]
pub struct Nodes {
    /// A storage node, <public key>@<host>:<port>; may be given several times [default: `nodes` of phantasma.toml].
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<Peer>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Level {
    Low,
    Normal,
    High,
}

impl From<Level> for Priority {
    fn from(level: Level) -> Self {
        match level {
            Level::Low => Self::Low,
            Level::Normal => Self::Normal,
            Level::High => Self::High,
        }
    }
}

pub(super) async fn run(context: &Context, command: ContentCommand) -> Result<()> {
    match command {
        ContentCommand::Put {
            file,
            nodes,
            replicas,
            periods,
            priority,
            max_payment,
            to,
        } => {
            if let Some(target) = to {
                return elsewhere::put(context, &file, &target).await;
            }
            let nodes = addresses(context, &nodes)?;
            if nodes.len() < usize::from(replicas) {
                bail!(
                    "{replicas} replicas need as many nodes, {} given; add --node or lower --replicas",
                    nodes.len()
                );
            }
            let max_payment = max_payment.as_deref().map(soul).transpose()?;
            let terms = Terms {
                replicas: replicas.into(),
                periods,
                priority: priority.into(),
                max_payment,
            };
            put(context, &chain(context)?, &file, &nodes, &terms).await
        }
        ContentCommand::Get { root, out, nodes } => {
            if let Some(link) = elsewhere::parse_link(&root) {
                return elsewhere::get(context, &link?, &out).await;
            }
            let nodes = addresses(context, &nodes)?;
            get(context, &chain(context)?, &parse_root(&root)?, &out, nodes).await
        }
        ContentCommand::Info { root } => info(context, &chain(context)?, &parse_root(&root)?).await,
        ContentCommand::Share(order) => share::share(context, &order),
        ContentCommand::Accept { file } => share::accept(context, &file),
    }
}

fn chain(context: &Context) -> Result<Phantasma> {
    Ok(Phantasma::new(context.rpc(), context.contract()?))
}

async fn put(
    context: &Context,
    contract: &Phantasma,
    file: &Path,
    nodes: &[NodeAddress],
    terms: &Terms,
) -> Result<()> {
    let account = context.account()?;
    let mut keystore = keystore(context, &account)?;
    let mut uploads = UploadLog::open(context.global.dir.join("keys").join(UPLOADS))?;
    let put = put::begin(contract, &keystore, &uploads, file).await?;
    let (root, size) = (put.prepared.root(), put.prepared.size());
    let mut data = json!({"root": hex::encode(root), "size": size, "resumed": put.resumed});
    let mut paid = String::from("registered and paid for already");
    if !put.resumed {
        let order = put::order(contract, &put.prepared, terms).await?;
        let fee = amount::soul(order.max_payment);
        context.say(&format!(
            "registering {} ({size} bytes) for {fee} SOUL",
            hex::encode(root)
        ));
        let receipt = put::register(
            contract,
            &account,
            &mut keystore,
            &mut uploads,
            file,
            &put,
            &order,
        )
        .await?;
        view::extend(&mut data, view::receipt(&receipt));
        paid = format!("{fee} SOUL\n{}", receipt_text(&receipt));
        data["fee_soul"] = fee.into();
    }
    let client = client(&account)?;
    let bar = bar(context, size, "storing");
    let options = PutOptions {
        replicas: terms.replicas,
        // A content whose key was made a moment ago is nowhere yet.
        ask_first: put.resumed,
        ..PutOptions::default()
    };
    let stored = files::upload(
        &client,
        nodes,
        file,
        &put.key,
        &put.prepared,
        &options,
        &|p| advance(&bar, p),
    )
    .await?;
    bar.finish_and_clear();
    client.close().await;
    data["blocks"] = stored.blocks.into();
    data["replicas"] = stored.replicas.into();
    data["sent"] = stored.sent.into();
    let text = format!(
        "{}\n{size} bytes in {} blocks, {} replicas, {} of them sent now; {paid}",
        hex::encode(root),
        stored.blocks,
        stored.replicas,
        stored.sent,
    );
    context.print(&data, &text)
}

async fn get(
    context: &Context,
    contract: &Phantasma,
    root: &[u8; 32],
    out: &Path,
    nodes: Vec<NodeAddress>,
) -> Result<()> {
    let info = known(contract, root).await?;
    if out.exists() {
        bail!(
            "{} exists already and is left as it is; choose another name with --out",
            out.display()
        );
    }
    let account = context.account()?;
    let keystore = keystore(context, &account)?;
    let Some(key) = keystore.get(root) else {
        bail!(
            "{} has no key for this content; only who put it, and who was given the key (`phantasma content accept`), can read it",
            keystore.path().display()
        );
    };
    let key = ContentKey::from_bytes(*key);
    let client = client(&account)?;
    let bar = bar(context, info.size, "reading");
    let source = Source {
        root: *root,
        size: info.size,
        nodes,
    };
    files::download(&client, &source, &key, out, &|p| advance(&bar, p)).await?;
    bar.finish_and_clear();
    client.close().await;
    let data = json!({"root": hex::encode(root), "file": out, "size": info.size});
    context.print(
        &data,
        &format!(
            "{} ({} bytes), every block checked against the chain's root",
            out.display(),
            info.size
        ),
    )
}

async fn info(context: &Context, contract: &Phantasma, root: &[u8; 32]) -> Result<()> {
    let info = known(contract, root).await?;
    let text = format!(
        "content {}\nsize {} bytes\nowner {}\n{}, {} priority\npaid until {} (Unix milliseconds)",
        hex::encode(root),
        info.size,
        info.owner.to_address(),
        view::mode(info.mode),
        view::priority(info.priority),
        info.expiry_ms
    );
    context.print(&view::content_info(&info), &text)
}

async fn known(contract: &Phantasma, root: &[u8; 32]) -> Result<ContentInfo> {
    match contract.content_info(root).await? {
        Some(info) => Ok(info),
        None => bail!(
            "content {} is not on the chain (contract {})",
            hex::encode(root),
            contract.hash()
        ),
    }
}

pub(super) fn parse_root(text: &str) -> Result<[u8; 32]> {
    let bytes = hex::decode(text)
        .ok()
        .and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
    bytes.with_context(|| format!("\"{text}\" is not a content's root: 64 hex digits"))
}

impl Nodes {
    /// Those of the command line, else those of the profile.
    pub(super) fn known(&self, context: &Context) -> Vec<NodeAddress> {
        let peers = match self.nodes.is_empty() {
            true => &context.profile.nodes,
            false => &self.nodes,
        };
        let address = |peer: &Peer| NodeAddress {
            public_key: peer.key.0,
            address: peer.address.clone(),
        };
        peers.iter().map(address).collect()
    }
}

fn addresses(context: &Context, nodes: &Nodes) -> Result<Vec<NodeAddress>> {
    let known = nodes.known(context);
    if known.is_empty() {
        bail!(
            "no storage node is known; give --node <public key>@<host>:<port> or `nodes` in phantasma.toml"
        );
    }
    Ok(known)
}

/// The account's content keys, sealed with its own key.
pub(super) fn keystore(context: &Context, account: &Account) -> Result<Keystore> {
    let folder = context.global.dir.join("keys");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let path = folder.join(format!("{}.json", account.address));
    Ok(Keystore::open_or_create(
        path,
        &Secret::Wallet(&account.key),
    )?)
}

/// A client of storage nodes whose identity is the account's key.
pub(crate) fn client(account: &Account) -> Result<Client> {
    let identity = Identity::from_scalar(&account.key.to_bytes())?;
    Ok(Client::bind(
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        &identity,
    )?)
}

pub(super) fn bar(context: &Context, bytes: u64, what: &'static str) -> ProgressBar {
    if !context.interactive() {
        return ProgressBar::hidden();
    }
    let style =
        ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
    let bar = ProgressBar::new(bytes).with_message(what);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

pub(super) fn advance(bar: &ProgressBar, progress: Progress) {
    bar.set_position(progress.done_bytes);
    let ahead = progress.stored_bytes.saturating_sub(progress.done_bytes);
    if ahead > 0 {
        bar.set_message(format!("storing (+{} KiB on the first node)", ahead >> 10));
    }
}
