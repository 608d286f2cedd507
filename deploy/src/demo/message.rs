//! The relay's part: a signed message, delivered and written to the chain.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use neo_client::{Account, Hash256};
use phantasma_sdk::boxes;
use phantasma_sdk::contract::Phantasma;
use phantasma_sdk::relay::{ChainId, Outcome, RelayClient, Since};
use phantasma_vm::script_data;
use phantasma_wire::message::Class;

use super::chain::Chain;
use super::people::People;
use super::report::Report;
use super::{say, step};
use crate::cmd::relay_client;
use crate::profile::Peer;
use crate::service::{Service, program};

const TEXT: &str = "Hello Bob, this goes by UDP and stays on the chain.";

/// Blocks come every second; a slow machine may need several.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(60);

pub(super) async fn publish(
    dir: &Path,
    chain: &Chain,
    contract: &Phantasma,
    people: &People,
    box_id: u64,
    pids: &mut Vec<u32>,
    report: &mut Report,
) -> Result<()> {
    step("starting a relay (UDP, QUIC under its Neo key)");
    let (relay, peer) = start_relay(dir, chain, contract, people).await?;
    pids.push(relay.pid());
    say(&format!("process {} at {peer}", relay.pid()));

    step("Bob subscribes to the box at the relay; Alice publishes a signed message for the chain");
    let bob = connect(&peer, chain, contract, &people.bob.account).await?;
    let mut letters = bob.subscribe(box_id, Since::Now).await?;
    let alice_client = connect(&peer, chain, contract, &people.alice.account).await?;
    let alice = &people.alice.account;
    let sequence = contract
        .last_sequence(box_id, &alice.key.public_key())
        .await?
        + 1;
    let message = boxes::sign(
        contract,
        alice,
        box_id,
        sequence,
        now_ms()?,
        Class::OnChain,
        TEXT.as_bytes(),
    )
    .await?;
    let sent = Instant::now();
    let (outcome, letter) = tokio::join!(alice_client.publish(message.clone()), async {
        let letter = tokio::time::timeout(DELIVERY_TIMEOUT, letters.next()).await;
        report.time("message delivered to Bob", sent);
        letter
    });
    report.time("message in a block", sent);
    let letter = letter
        .context("the relay did not deliver the message")??
        .context("the subscription ended")?;
    ensure!(
        letter.message == message,
        "another message was delivered than was published"
    );
    let text = script_data(&letter.message.body.payload)
        .map(String::from_utf8_lossy)
        .unwrap_or_default();
    say(&format!("delivered to Bob, signature checked: \"{text}\""));
    let (txid, index) = match outcome? {
        Outcome::OnChain { txid, index } => (Hash256(txid), index),
        other => bail!("the relay did not write the message to the chain: {other:?}"),
    };
    say(&format!(
        "on the chain by the relay: transaction {txid}, content {index} of box {box_id}"
    ));
    let log = chain
        .rpc
        .get_application_log(&txid)
        .await?
        .context("the transaction is not on the chain")?;
    let execution = log
        .executions
        .first()
        .context("the transaction did not run")?;
    report.cost_of("writeSigned (by the relay)", execution.gas_consumed);

    step("Bob reads the message back from the chain (gate and content run by the contract)");
    let item = contract
        .read_content_at(&people.bob.account.script_hash, box_id, index, 0)
        .await?;
    ensure!(
        item.as_bytes()? == TEXT.as_bytes(),
        "the chain gives another text"
    );
    say(&format!("content {index} of box {box_id}: \"{TEXT}\""));
    alice_client.close().await;
    bob.close().await;

    step("Alice writes a second content directly, without a relay");
    let (index, receipt) = boxes::post(contract, alice, box_id, b"written without a relay").await?;
    report.cost("writeContent", &receipt);
    say(&format!(
        "content {index} of box {box_id} in block {}",
        receipt.block_index
    ));
    Ok(())
}

async fn connect(
    peer: &Peer,
    chain: &Chain,
    contract: &Phantasma,
    account: &Account,
) -> Result<RelayClient> {
    let network = chain.rpc.version().await?.network();
    relay_client(
        peer,
        account,
        ChainId {
            network,
            contract: contract.hash().0,
        },
    )
    .await
}

fn now_ms() -> Result<u64> {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .context("this machine's clock is before 1970")?;
    Ok(u64::try_from(since.as_millis())?)
}

/// The relay, and where it is reached.
async fn start_relay(
    dir: &Path,
    chain: &Chain,
    contract: &Phantasma,
    people: &People,
) -> Result<(Service, Peer)> {
    let mut command = Command::new(program("phantasma-relay")?);
    command.env("PHANTASMA_PASSWORD", people.password.as_str());
    command
        .arg("--wallet")
        .arg(&people.relay.wallet)
        .arg("--data")
        .arg(dir.join("relay"));
    command.args(["--listen", "127.0.0.1:0", "--ops", "127.0.0.1:0"]);
    command.args([
        "--rpc",
        chain.net.rpc_url(),
        "--contract",
        &contract.hash().to_string(),
    ]);
    let service = Service::start(
        "relay",
        &mut command,
        &dir.join("logs"),
        "phantasma-relay listening on ",
    )
    .await?;
    let mut words = service.ready_line().split_whitespace().skip(3);
    let (address, key) = (words.next(), words.nth(1));
    let text = format!(
        "{}@{}",
        key.context("the relay did not say its key")?,
        address.context("nor its address")?
    );
    let peer = text.parse().map_err(anyhow::Error::msg)?;
    Ok((service, peer))
}
