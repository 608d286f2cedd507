//! `phantasma mail`: mailboxes, and mail without a mail program.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicU64;

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand};
use neo_client::{Account, Hash160};
use phantasma_mail::address::Mailbox;
use phantasma_mail::login;
use phantasma_mail::policy::{Policy, Strangers};
use phantasma_mail::post::{Post, RelayPeer, Terms, box_of};
use phantasma_mail::postage::soul as shown;
use phantasma_mail::responder::Responder;
use phantasma_sdk::{contract::Phantasma, view};
use phantasma_wire::pdfs::NodeAddress;
use serde_json::json;

use super::box_::soul;
use super::context::{Context, receipt_text};
use super::mail_read::{self, ListMails, ReadMail};
use super::mail_send::{self, SendMail};
use super::mail_serve::{self, Serve};
use crate::profile::Peer;

#[derive(Debug, Subcommand)]
pub enum MailCommand {
    /// Make a mailbox: a box of this name, whose address is NAME@phantasma.alt, and a folder for its mails.
    Create {
        /// 1 to 32 characters of a-z, 0-9 and _; it cannot be changed later.
        name: String,
        #[command(flatten)]
        strangers: StrangersFlags,
    },
    /// Let somebody write for nothing: onto the allow-list of the mailbox, which everybody can see.
    Allow {
        #[command(flatten)]
        of: OfMailbox,
        /// Mail address, or address of a Neo account.
        who: String,
    },
    /// Keep somebody out, whatever they pay, and take them off the allow-list.
    Deny {
        #[command(flatten)]
        of: OfMailbox,
        /// Mail address, or address of a Neo account.
        who: String,
    },
    /// Say what strangers pay, who are not on the allow-list.
    Price {
        #[command(flatten)]
        of: OfMailbox,
        #[command(flatten)]
        strangers: StrangersFlags,
    },
    /// Send a mail. It is with the relay, or on the chain if it has to be paid for, when the command ends.
    Send(Box<SendMail>),
    /// List the mails of a folder.
    List(ListMails),
    /// Show a mail.
    Read(ReadMail),
    /// Answer everybody who writes, once a week each, for as long as this stands.
    #[command(group = clap::ArgGroup::new("answer").required(true))]
    Respond {
        #[command(flatten)]
        of: OfMailbox,
        /// The answer.
        #[arg(long, group = "answer", value_name = "TEXT")]
        text: Option<String>,
        /// No answers any more.
        #[arg(long, group = "answer")]
        off: bool,
    },
    /// Show the password for mail programs.
    Password {
        #[command(flatten)]
        of: OfMailbox,
    },
    /// Serve the mailbox to mail programs on this machine: SMTP and IMAP. Sends and receives until SIGTERM or Ctrl-C.
    Serve(Box<Serve>),
}

/// What a stranger has to do; nothing without any of these.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub struct StrangersFlags {
    /// Strangers pay so much for each mail.
    #[arg(long, value_name = "SOUL")]
    each: Option<String>,
    /// Strangers pay so much once, and are on the allow-list from then on.
    #[arg(long, value_name = "SOUL")]
    once: Option<String>,
    /// Strangers cannot write.
    #[arg(long)]
    closed: bool,
}

impl StrangersFlags {
    fn strangers(&self) -> Result<Strangers> {
        Ok(match (&self.each, &self.once, self.closed) {
            (Some(price), _, _) => Strangers::Each(soul(price)?),
            (_, Some(price), _) => Strangers::Once(soul(price)?),
            (_, _, true) => Strangers::Refused,
            (None, None, false) => Strangers::Free,
        })
    }
}

/// Which of one's mailboxes.
#[derive(Clone, Debug, Default, Args)]
pub struct OfMailbox {
    /// The mailbox's name [default: the only one in the folder].
    #[arg(
        id = "mailbox",
        long = "mailbox",
        short = 'm',
        env = "PHANTASMA_MAILBOX",
        value_name = "NAME"
    )]
    name: Option<String>,
}

pub(super) async fn run(context: &Context, command: MailCommand) -> Result<()> {
    match command {
        MailCommand::Create { name, strangers } => create(context, &name, &strangers).await,
        MailCommand::Allow { of, who } => allow(context, &of, &who).await,
        MailCommand::Deny { of, who } => deny(context, &of, &who).await,
        MailCommand::Price { of, strangers } => price(context, &of, &strangers).await,
        MailCommand::Send(order) => mail_send::run(context, *order).await,
        MailCommand::List(order) => mail_read::list(context, &order),
        MailCommand::Read(order) => mail_read::read(context, &order),
        MailCommand::Respond { of, text, .. } => {
            let own = of.find(context)?;
            let responder = text.map(|text| Responder { text });
            Responder::save(&folder(context, &own), responder.as_ref())?;
            let told = match &responder {
                Some(_) => format!("{own} answers everybody once a week"),
                None => format!("{own} answers nobody"),
            };
            context.print(&json!({"answers": responder.is_some()}), &told)
        }
        MailCommand::Password { of } => {
            let password = login::password(&folder(context, &of.find(context)?))?;
            context.print(&json!({"password": *password}), &password)
        }
        MailCommand::Serve(order) => mail_serve::run(context, *order).await,
    }
}

impl OfMailbox {
    /// The mailbox meant.
    pub(super) fn find(&self, context: &Context) -> Result<Mailbox> {
        if let Some(name) = &self.name {
            let name = name.split('@').next().unwrap_or_default();
            return Ok(Mailbox::of_box(name)?);
        }
        let root = context.global.dir.join("mail");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&root).into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            names.extend(Mailbox::of_box(&name));
        }
        match &names[..] {
            [only] => Ok(only.clone()),
            [] => bail!(
                "there is no mailbox below {}; make one with `phantasma mail create NAME`",
                root.display()
            ),
            _ => bail!(
                "there are {} mailboxes below {}; say which with --mailbox",
                names.len(),
                root.display()
            ),
        }
    }
}

/// Where a mailbox keeps its things.
pub(super) fn folder(context: &Context, own: &Mailbox) -> PathBuf {
    context.global.dir.join("mail").join(own.name())
}

fn chain(context: &Context) -> Result<Phantasma> {
    Ok(Phantasma::new(context.rpc(), context.contract()?))
}

async fn create(context: &Context, name: &str, strangers: &StrangersFlags) -> Result<()> {
    let own = Mailbox::of_box(name)?;
    let policy = Policy {
        strangers: strangers.strangers()?,
        denied: Vec::new(),
    };
    let (contract, account) = (chain(context)?, context.account()?);
    let folder = folder(context, &own);
    make(&folder)?;
    let mut data = json!({"address": own.to_string(), "folder": folder});
    let paid = match box_of(&contract, &own).await? {
        // A create that broke off after the box was made, or a box that is to become a mailbox.
        Some(info) if info.owner == account.script_hash => {
            contract
                .replace_gate(&account, info.id, &policy.gate()?)
                .await?
        }
        Some(info) => bail!("{own} belongs to {} already", info.owner.to_address()),
        None => {
            let (_, receipt) = contract.create_box(&account, name, &policy.gate()?).await?;
            receipt
        }
    };
    policy.save(&folder)?;
    login::password(&folder)?;
    if let (Some(data), serde_json::Value::Object(more)) =
        (data.as_object_mut(), view::receipt(&paid))
    {
        data.extend(more);
    }
    let text = format!(
        "{own}: serve it to mail programs with `phantasma mail serve`; `phantasma mail password` shows their password\n{}",
        receipt_text(&paid)
    );
    context.print(&data, &text)
}

fn make(folder: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)
        .with_context(|| format!("creating {}", folder.display()))
}

/// The account of a mail address or of a Neo address.
async fn account_of(contract: &Phantasma, who: &str) -> Result<Hash160> {
    if !who.contains('@')
        && let Ok(account) = Hash160::from_address(who)
    {
        return Ok(account);
    }
    let mailbox: Mailbox = match who.contains('@') {
        true => who.parse()?,
        false => Mailbox::of_box(who)?,
    };
    match box_of(contract, &mailbox).await? {
        Some(info) => Ok(info.owner),
        None => bail!("there is no mailbox {mailbox}"),
    }
}

async fn allow(context: &Context, of: &OfMailbox, who: &str) -> Result<()> {
    let (contract, account, own) = (chain(context)?, context.account()?, of.find(context)?);
    let info = Post::find_own(&contract, &account, &own).await?;
    let friend = account_of(&contract, who).await?;
    let folder = folder(context, &own);
    let mut policy = Policy::load(&folder)?;
    let address = friend.to_address();
    if policy.denied.contains(&address) {
        policy.denied.retain(|denied| *denied != address);
        contract
            .replace_gate(&account, info.id, &policy.gate()?)
            .await?;
        policy.save(&folder)?;
    }
    let receipt = contract.include(&account, info.id, &friend).await?;
    let text = format!("{address} writes to {own} for nothing");
    context.print_done(json!({"allowed": address}), &text, &receipt)
}

async fn deny(context: &Context, of: &OfMailbox, who: &str) -> Result<()> {
    let (contract, account, own) = (chain(context)?, context.account()?, of.find(context)?);
    let info = Post::find_own(&contract, &account, &own).await?;
    let enemy = account_of(&contract, who).await?;
    let folder = folder(context, &own);
    let mut policy = Policy::load(&folder)?;
    let address = enemy.to_address();
    if !policy.denied.contains(&address) {
        policy.denied.push(address.clone());
    }
    let receipt = contract
        .replace_gate(&account, info.id, &policy.gate()?)
        .await?;
    policy.save(&folder)?;
    if contract.is_member(info.id, &enemy).await? {
        contract.exclude(&account, info.id, &enemy).await?;
    }
    let text = format!("{address} cannot write to {own}");
    context.print_done(json!({"denied": address}), &text, &receipt)
}

async fn price(context: &Context, of: &OfMailbox, strangers: &StrangersFlags) -> Result<()> {
    let (contract, account, own) = (chain(context)?, context.account()?, of.find(context)?);
    let info = Post::find_own(&contract, &account, &own).await?;
    let folder = folder(context, &own);
    make(&folder)?;
    let mut policy = Policy::load(&folder)?;
    policy.strangers = strangers.strangers()?;
    let receipt = contract
        .replace_gate(&account, info.id, &policy.gate()?)
        .await?;
    policy.save(&folder)?;
    let text = match policy.strangers {
        Strangers::Free => format!("anybody writes to {own} for nothing"),
        Strangers::Each(price) => format!("strangers pay {} for each mail to {own}", shown(price)),
        Strangers::Once(price) => format!("strangers pay {} once to write to {own}", shown(price)),
        Strangers::Refused => format!("only the allow-list writes to {own}"),
    };
    context.print_done(json!({"strangers": policy.strangers}), &text, &receipt)
}

/// The mailbox with all that it needs to send and receive.
pub(super) async fn post(
    context: &Context,
    own: Mailbox,
    account: Account,
    relay: Option<&Peer>,
    nodes: &[Peer],
    terms: Terms,
) -> Result<Post> {
    let contract = chain(context)?;
    let info = Post::find_own(&contract, &account, &own).await?;
    let Some(relay) = relay.or(context.profile.relay.as_ref()) else {
        bail!(
            "no relay is known; give --relay <public key>@<host>:<port> or `relay` in phantasma.toml"
        );
    };
    let nodes = if nodes.is_empty() {
        &context.profile.nodes
    } else {
        nodes
    };
    let folder = folder(context, &own);
    make(&folder)?;
    Ok(Post {
        folder,
        contract,
        account,
        box_id: info.id,
        own,
        relay: RelayPeer {
            key: relay.key.0,
            address: relay.address.clone(),
        },
        nodes: nodes.iter().map(node_address).collect(),
        terms,
        sequence: AtomicU64::new(0),
    })
}

fn node_address(peer: &Peer) -> NodeAddress {
    NodeAddress {
        public_key: peer.key.0,
        address: peer.address.clone(),
    }
}
