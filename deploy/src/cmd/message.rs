//! `phantasma message`: publish and listen at a relay.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail};
use clap::{Args, Subcommand, ValueEnum};
use neo_client::{Account, Hash160, Hash256, PublicKey};
use phantasma_net::{Identity, resolve};
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::relay::{ChainId, Outcome, Received, RelayClient, Since, check_anchor};
use phantasma_sdk::{boxes, view};
use phantasma_vm::script_data;
use phantasma_wire::message::Class;
use serde_json::{Value, json};

use super::box_::{find, read_input};
use super::context::Context;
use crate::profile::Peer;

#[derive(Debug, Subcommand)]
pub enum MessageCommand {
    /// Sign a message and publish it through the relay.
    Send {
        /// The box's name or number.
        #[arg(value_name = "BOX")]
        target: String,
        #[command(flatten)]
        content: Content,
        /// What the relay shall do with it besides delivering it.
        #[arg(long, value_enum, default_value_t = Keep::Chain)]
        keep: Keep,
        #[command(flatten)]
        relay: Relay,
    },
    /// Print the messages of a box as they arrive, until interrupted.
    Listen {
        /// The box's name or number.
        #[arg(value_name = "BOX")]
        target: String,
        /// First the messages that the relay has kept, from this position on; 1 is the oldest.
        #[arg(long, value_name = "POSITION")]
        since: Option<u64>,
        /// End after so many messages.
        #[arg(long, value_name = "NUMBER")]
        count: Option<u64>,
        #[command(flatten)]
        relay: Relay,
    },
    /// Check against the chain that the relay had a message that it keeps: follow its path to the relay's anchor.
    Prove {
        /// The box's name or number.
        #[arg(value_name = "BOX")]
        target: String,
        /// The message's position at the relay, as `listen --since` shows it.
        position: u64,
        #[command(flatten)]
        relay: Relay,
    },
}

/// What to send: exactly one of these.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Content {
    /// A text.
    #[arg(long)]
    text: Option<String>,
    /// A file's bytes; - is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// Which relay.
#[derive(Debug, Args)]
pub struct Relay {
    /// The relay, <public key>@<host>:<port> [default: `relay` of phantasma.toml].
    #[arg(long, value_name = "RELAY")]
    relay: Option<Peer>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Keep {
    /// Nothing: only who listens now gets it.
    Nothing,
    /// Keep it on the relay for who comes later.
    Relay,
    /// Write it into the box on the chain.
    Chain,
}

impl From<Keep> for Class {
    fn from(keep: Keep) -> Self {
        match keep {
            Keep::Nothing => Self::Ephemeral,
            Keep::Relay => Self::Durable,
            Keep::Chain => Self::OnChain,
        }
    }
}

pub(super) async fn run(context: &Context, command: MessageCommand) -> Result<()> {
    let contract = Phantasma::new(context.rpc(), context.contract()?);
    match command {
        MessageCommand::Send {
            target,
            content,
            keep,
            relay,
        } => {
            let data = match (content.text, content.file) {
                (Some(text), _) => text.into_bytes(),
                (_, Some(file)) => read_input(&file)?,
                // clap requires one of the two.
                (None, None) => bail!("nothing to send; give --text or --file"),
            };
            send(context, &contract, &target, &data, keep.into(), &relay).await
        }
        MessageCommand::Listen {
            target,
            since,
            count,
            relay,
        } => listen(context, &contract, &target, since, count, &relay).await,
        MessageCommand::Prove {
            target,
            position,
            relay,
        } => prove(context, &contract, &target, position, &relay).await,
    }
}

async fn send(
    context: &Context,
    contract: &Phantasma,
    target: &str,
    data: &[u8],
    class: Class,
    relay: &Relay,
) -> Result<()> {
    let id = find(contract, target).await?;
    let account = context.account()?;
    let client = connect(context, contract, &account, relay).await?;
    // The clock as sequence needs no memory of what was sent; the chain only asks that it rises.
    let time_ms = now_ms()?;
    let last = contract
        .last_sequence(id, &account.key.public_key())
        .await?;
    let sequence = time_ms.max(last.saturating_add(1));
    let message = boxes::sign(contract, &account, id, sequence, time_ms, class, data).await?;
    let outcome = client.publish(message).await?;
    client.close().await;
    let (data, text) = match outcome {
        Outcome::Delivered { subscribers } => (
            json!({"delivered": subscribers}),
            format!("delivered to {subscribers} listeners"),
        ),
        Outcome::Stored { position } => (
            json!({"position": position}),
            format!("kept by the relay at position {position}"),
        ),
        Outcome::OnChain { txid, index } => {
            let txid = Hash256(txid);
            let text = format!("content {index} of box {id}, transaction {txid}");
            (
                json!({"box": id, "index": index, "transaction": txid.to_string()}),
                text,
            )
        }
        other => bail!("the relay answered a publication with {other:?}"),
    };
    context.print(&data, &text)
}

async fn listen(
    context: &Context,
    contract: &Phantasma,
    target: &str,
    since: Option<u64>,
    count: Option<u64>,
    relay: &Relay,
) -> Result<()> {
    let id = find(contract, target).await?;
    let account = context.account()?;
    let client = connect(context, contract, &account, relay).await?;
    let mut messages = client
        .subscribe(id, since.map_or(Since::Now, Since::Position))
        .await?;
    context.say(&format!("listening to box {id}; stop with Ctrl-C"));
    let mut seen = 0;
    while count.is_none_or(|count| seen < count) {
        let next = tokio::select! {
            next = messages.next() => next?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(received) = next else { break };
        let (data, text) = show(&received);
        context.print(&data, &text)?;
        seen += 1;
    }
    client.close().await;
    Ok(())
}

/// How long a kept message may take to arrive.
const KEPT: Duration = Duration::from_secs(10);

async fn prove(
    context: &Context,
    contract: &Phantasma,
    target: &str,
    position: u64,
    relay: &Relay,
) -> Result<()> {
    let id = find(contract, target).await?;
    let account = context.account()?;
    let client = connect(context, contract, &account, relay).await?;
    let mut messages = client.subscribe(id, Since::Position(position)).await?;
    let missing = || format!("the relay keeps no message of box {id} at position {position}");
    let received = tokio::time::timeout(KEPT, messages.next()).await;
    let received = received.with_context(missing)??.with_context(missing)?;
    if received.position != position {
        bail!("{}", missing());
    }
    let proof = client.prove(position).await?;
    check_anchor(contract, &proof, &received.message).await?;
    let relay_key = PublicKey(client.relay_key());
    client.close().await;
    let owner = contract.box_info(proof.box_id).await?;
    if owner.is_none_or(|info| info.owner != relay_key.script_hash()) {
        bail!(
            "the anchor stands in box {}, which does not belong to the relay {}: it binds nobody",
            proof.box_id,
            hex::encode(relay_key.0)
        );
    }
    let txid = Hash256(proof.txid);
    let data = json!({
        "position": position,
        "message": hex::encode(received.message.id()),
        "anchor": {
            "box": proof.box_id,
            "index": proof.index,
            "transaction": txid.to_string(),
            "first": proof.anchor.first,
            "count": proof.anchor.count,
            "root": hex::encode(proof.anchor.root),
        },
        "path": proof.path.iter().map(hex::encode).collect::<Vec<_>>(),
    });
    let text = format!(
        "message {} at position {position} is one of {} under content {} of box {}, transaction {txid}",
        hex::encode(received.message.id()),
        proof.anchor.count,
        proof.index,
        proof.box_id
    );
    context.print(&data, &text)
}

fn show(received: &Received) -> (Value, String) {
    let body = &received.message.body;
    let author = PublicKey(body.author).script_hash();
    let (content, text) = match script_data(&body.payload) {
        Some(data) => view::data(data),
        None => (
            json!({"script": hex::encode(&body.payload)}),
            format!("(script) {}", hex::encode(&body.payload)),
        ),
    };
    let data = json!({
        "box": body.box_id,
        "author": Hash160::to_address(&author),
        "sequence": body.sequence,
        "time_ms": body.time_ms,
        "position": received.position,
        "content": content,
    });
    (data, format!("{}: {text}", author.to_address()))
}

async fn connect(
    context: &Context,
    contract: &Phantasma,
    account: &Account,
    relay: &Relay,
) -> Result<RelayClient> {
    let Some(peer) = relay.relay.as_ref().or(context.profile.relay.as_ref()) else {
        bail!(
            "no relay is known; give --relay <public key>@<host>:<port> or `relay` in phantasma.toml"
        );
    };
    let network = contract.rpc().version().await?.network();
    client(
        peer,
        account,
        ChainId {
            network,
            contract: contract.hash().0,
        },
    )
    .await
}

/// A session at a relay under the account's key.
pub(crate) async fn client(peer: &Peer, account: &Account, chain: ChainId) -> Result<RelayClient> {
    let identity = Identity::from_scalar(&account.key.to_bytes())?;
    let address = resolve(&peer.address).await?;
    let client = RelayClient::connect(address, &identity, Some(peer.key.0), chain).await;
    client.with_context(|| format!("connecting to the relay {peer}"))
}

fn now_ms() -> Result<u64> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock is before 1970")?;
    Ok(u64::try_from(since.as_millis())?)
}
