//! The storage network's part: a file on three nodes, one of them killed, the file read back.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use phantasma_sdk::content::{self as files, ContentKey, PutOptions, Source};
use phantasma_sdk::contract::{ContentMode, ContentOrder, Phantasma, Priority};
use phantasma_sdk::pdfs::parse_node;
use phantasma_wire::pdfs::NodeAddress;
use rand::{Rng, SeedableRng, rngs::StdRng};

use super::chain::{Chain, soul};
use super::people::{People, Person};
use super::report::Report;
use super::{say, step};
use crate::cmd::storage_client;
use crate::service::{Service, program};

const REPLICAS: usize = 3;
const PERIODS: u32 = 1;

/// A storage node and where it is reached.
struct Node {
    service: Service,
    data: NodeAddress,
    control: String,
}

pub(super) async fn store(
    dir: &Path,
    chain: &Chain,
    contract: &Phantasma,
    people: &People,
    file_bytes: usize,
    pids: &mut Vec<u32>,
    report: &mut Report,
) -> Result<()> {
    let alice = &people.alice.account;
    step("making a file and registering it on the chain");
    let file = dir.join("film.bin");
    let original = make_file(&file, file_bytes)?;
    let key = ContentKey::random();
    let started = Instant::now();
    let prepared = files::prepare(&file, &key).await?;
    report.time("file encrypted and hashed", started);
    let mut order = ContentOrder {
        root: prepared.root(),
        size: prepared.size(),
        mode: ContentMode::ReadOnly,
        priority: Priority::Normal,
        periods: PERIODS,
        max_payment: 0,
    };
    order.max_payment = order
        .fee(&contract.settings().await?)
        .context("the fee is beyond all SOUL there is")?;
    let (root, receipt) = contract.create_content(alice, &order).await?;
    report.cost("createContent", &receipt);
    let info = contract
        .content_info(&root)
        .await?
        .context("the contract does not know the new content")?;
    ensure!(
        info.size == prepared.size() && info.root == prepared.root(),
        "the chain knows another content"
    );
    say(&format!(
        "{} bytes, {} blocks of 256 KiB, for {} SOUL",
        info.size,
        prepared.block_count(),
        soul(order.max_payment)
    ));
    say(&format!("root on the chain {}", hex::encode(root)));

    step("starting three storage nodes");
    let mut nodes = Vec::new();
    for (number, person) in people.nodes.iter().enumerate() {
        let node = start_node(
            dir,
            chain,
            contract,
            people,
            person,
            number + 1,
            nodes.first(),
        )
        .await?;
        pids.push(node.service.pid());
        say(&format!(
            "{} process {} at {}",
            node.service.name(),
            node.service.pid(),
            node.data.address
        ));
        nodes.push(node);
    }

    step(&format!(
        "storing the file's ciphertext with {REPLICAS} replicas"
    ));
    let addresses: Vec<NodeAddress> = nodes.iter().map(|node| node.data.clone()).collect();
    let client = storage_client(alice)?;
    let started = Instant::now();
    let options = PutOptions {
        replicas: REPLICAS,
        ..PutOptions::default()
    };
    let stored = files::upload(
        &client,
        &addresses,
        &file,
        &key,
        &prepared,
        &options,
        &|_| (),
    )
    .await?;
    report.time("file stored 3 times", started);
    say(&format!(
        "{} blocks, {} replicas",
        stored.blocks, stored.replicas
    ));
    client.close().await;

    step("killing one storage node (SIGKILL)");
    let victim = nodes.remove(0);
    let (name, pid) = (victim.service.name().to_owned(), victim.service.pid());
    victim.service.kill()?;
    say(&format!("{name} (process {pid}) is dead"));

    step("reading the file back from what is left, every block checked against the chain's root");
    let copy = dir.join("film.copy.bin");
    // A reader that does not know which nodes live.
    let reader = storage_client(alice)?;
    let source = Source {
        root: info.root,
        size: info.size,
        nodes: addresses,
    };
    let started = Instant::now();
    files::download(&reader, &source, &key, &copy, &|_| ()).await?;
    report.time("file read back", started);
    reader.close().await;
    let read = fs::read(&copy).with_context(|| format!("reading {}", copy.display()))?;
    ensure!(read == original, "the copy differs from the original");
    let again = files::prepare(&copy, &key).await?;
    ensure!(
        again.root() == info.root,
        "the copy's root is not the one on the chain"
    );
    say(&format!(
        "{} bytes, the same byte for byte; root as on the chain",
        read.len()
    ));
    report.fact("file bytes", read.len());
    Ok(())
}

/// Starts a node that knows the first one, if there is one.
async fn start_node(
    dir: &Path,
    chain: &Chain,
    contract: &Phantasma,
    people: &People,
    person: &Person,
    number: usize,
    first: Option<&Node>,
) -> Result<Node> {
    let name = format!("node{number}");
    let mut command = Command::new(program("phantasma-pdfs")?);
    command.env("PHANTASMA_PASSWORD", people.password.as_str());
    command
        .arg("--wallet")
        .arg(&person.wallet)
        .arg("--data")
        .arg(dir.join(&name));
    command.args([
        "--listen",
        "127.0.0.1:0",
        "--control",
        "127.0.0.1:0",
        "--http",
        "127.0.0.1:0",
    ]);
    command.args([
        "--rpc",
        chain.net.rpc_url(),
        "--contract",
        &contract.hash().to_string(),
    ]);
    if let Some(first) = first {
        command.args([
            "--bootstrap",
            &first.control,
            "--join",
            &parse_back(&first.data),
        ]);
    }
    let service = Service::start(&name, &mut command, &dir.join("logs"), "ready ").await?;
    let field = |field: &str| {
        let words = service.ready_line().split_whitespace();
        let value = words
            .filter_map(|word| word.split_once('='))
            .find(|(name, _)| *name == field);
        value
            .map(|(_, value)| value.to_owned())
            .with_context(|| format!("{name} did not say its {field} address"))
    };
    let (data, control) = (parse_node(&field("data")?)?, field("control")?);
    Ok(Node {
        service,
        data,
        control,
    })
}

/// The text that `parse_node` reads.
fn parse_back(node: &NodeAddress) -> String {
    format!("{}@{}", hex::encode(node.public_key), node.address)
}

/// A file that is half text, which repeats, half noise, which does not; not a whole number of chunks.
fn make_file(path: &Path, bytes: usize) -> Result<Vec<u8>> {
    let mut content = Vec::with_capacity(bytes);
    let mut line = 0_u64;
    while content.len() < bytes / 2 {
        content
            .extend_from_slice(format!("line {line} of a file that is worth keeping\n").as_bytes());
        line += 1;
    }
    let mut noise = vec![0; bytes.saturating_sub(content.len())];
    StdRng::seed_from_u64(2026).fill_bytes(&mut noise);
    content.extend_from_slice(&noise);
    fs::write(path, &content).with_context(|| format!("writing {}", path.display()))?;
    Ok(content)
}
