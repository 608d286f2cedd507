//! The command line, `phantasma <noun> <verb>`: one file a noun.

mod bench;
mod box_;
mod content;
mod context;
mod contract;
mod demo;
mod doctor;
mod elsewhere;
mod gate;
mod group;
mod mail;
mod mail_read;
mod mail_send;
mod mail_serve;
mod message;
mod net;
mod node;
mod proof;
mod reference;
mod rewards;
mod sale;
mod serve;
mod share;
mod wallet;

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

pub(crate) use content::client as storage_client;
pub use context::Context;
pub(crate) use message::client as relay_client;

/// Boxes, messages and contents on Neo N3.
#[derive(Debug, Parser)]
#[command(
    name = "phantasma",
    version,
    about,
    after_help = reference::EXIT_CODES,
    max_term_width = 100,
    disable_help_subcommand = true
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

/// What any command may be told. The command line comes first, then the environment, then `phantasma.toml`.
#[derive(Clone, Debug, Args)]
pub struct Global {
    /// Folder of the profile (phantasma.toml), keys and the private net.
    #[arg(
        long,
        global = true,
        env = "PHANTASMA_DIR",
        default_value = ".phantasma",
        value_name = "FOLDER"
    )]
    pub dir: PathBuf,
    /// Profile of phantasma.toml to use: mainnet, testnet, private, or the name of a table [profiles.NAME].
    #[arg(long, global = true, env = "PHANTASMA_PROFILE", value_name = "NAME")]
    pub profile: Option<String>,
    /// JSON-RPC endpoint of a Neo node.
    #[arg(long, global = true, env = "PHANTASMA_RPC", value_name = "URL")]
    pub rpc: Option<String>,
    /// Hash of the deployed contract Phantasma, 0x…; the two beside it are found through it.
    #[arg(long, global = true, env = "PHANTASMA_CONTRACT", value_name = "HASH")]
    pub contract: Option<String>,
    /// NEP-6 wallet file.
    #[arg(
        long,
        short,
        global = true,
        env = "PHANTASMA_WALLET",
        value_name = "FILE"
    )]
    pub wallet: Option<PathBuf>,
    /// Address of the account to use; the wallet's default account otherwise.
    #[arg(
        long,
        short,
        global = true,
        env = "PHANTASMA_ACCOUNT",
        value_name = "ADDRESS"
    )]
    pub account: Option<String>,
    /// File whose first line is the wallet's password. Otherwise PHANTASMA_PASSWORD, otherwise a prompt.
    #[arg(long, global = true, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    pub json: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// A private Neo net on this machine.
    #[command(subcommand)]
    Net(net::Net),
    /// The contract: compile, deploy, look.
    #[command(subcommand)]
    Contract(contract::ContractCommand),
    /// Boxes: hubs of contents with an owner, a name and a gate.
    #[command(subcommand)]
    Box(box_::BoxCommand),
    /// Scripts of gates and contents: assemble, look, step through them.
    #[command(subcommand)]
    Gate(gate::GateCommand),
    /// Files on the storage network.
    #[command(subcommand)]
    Content(content::ContentCommand),
    /// Groups: one key for all members of a box's include list, of whom any can be left out later.
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Signed messages through a relay.
    #[command(subcommand)]
    Message(message::MessageCommand),
    /// Mailboxes: a box with an address, SMTP and IMAP for mail programs on this machine.
    #[command(subcommand)]
    Mail(mail::MailCommand),
    /// The sale of SOUL: buy, look, unlock; and what its administrator may do.
    #[command(subcommand)]
    Sale(sale::SaleCommand),
    /// The register of storage nodes.
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Proofs that a content is there.
    #[command(subcommand)]
    Proof(proof::ProofCommand),
    /// Rewards of storage nodes.
    #[command(subcommand)]
    Rewards(rewards::RewardsCommand),
    /// What things cost, beside peers.
    #[command(subcommand)]
    Bench(bench::BenchCommand),
    /// The daemon: a service API and a web page for boxes, gates, files, nodes and rewards, on this machine only.
    Serve(serve::ServeCommand),
    /// The main job once, for real, on this machine: net, contract, SOUL, box, message, file.
    Demo(demo::DemoCommand),
    /// Look at the whole set-up and say what is wrong, where, and what to do. Changes nothing.
    Doctor(doctor::DoctorCommand),
    /// Print the script with which a shell completes these commands.
    Completions(reference::CompletionsCommand),
    /// Print the man page, or write one for each command.
    Man(reference::ManCommand),
    /// Wallets: NEP-6 files, as other Neo programs read and write them.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
}

/// Runs one command.
pub async fn run(cli: Cli) -> Result<()> {
    // The last few need no profile that can be read, and so no context.
    let context = || Context::new(cli.global.clone());
    match cli.command {
        Command::Net(command) => net::run(&context()?, command).await,
        Command::Contract(command) => contract::run(&context()?, command).await,
        Command::Box(command) => box_::run(&context()?, command).await,
        Command::Gate(command) => gate::run(&context()?, command).await,
        Command::Content(command) => content::run(&context()?, command).await,
        Command::Group(command) => group::run(&context()?, command).await,
        Command::Message(command) => message::run(&context()?, command).await,
        Command::Mail(command) => mail::run(&context()?, command).await,
        Command::Sale(command) => sale::run(&context()?, command).await,
        Command::Node(command) => node::run(&context()?, command).await,
        Command::Proof(command) => proof::run(&context()?, command).await,
        Command::Rewards(command) => rewards::run(&context()?, command).await,
        Command::Bench(command) => bench::run(&context()?, command).await,
        Command::Serve(command) => serve::run(&context()?, command).await,
        Command::Demo(command) => demo::run(&context()?, command).await,
        Command::Wallet(command) => wallet::run(&context()?, command).await,
        Command::Doctor(command) => doctor::run(cli.global, command).await,
        Command::Completions(command) => reference::completions(&command),
        Command::Man(command) => reference::man(&command),
    }
}
