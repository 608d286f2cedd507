//! The relay that is measured: the real one, as a process of its own, over a chain on which every box exists. What is
//! measured here never asks the chain twice.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result};
use phantasma_net::Identity;
use phantasma_relay::chain::{Answer, Chain, ChainError, Events, Fate, Ready, Sent};
use phantasma_relay::config::{ChainId, Limits};
use phantasma_relay::log::LogConfig;
use phantasma_relay::server::{Relay, Setup, system_clock};
use phantasma_sdk::relay::{ChainId as Served, RelayClient};
use phantasma_vm::free_gate;
use phantasma_wire::PublicKey;
use phantasma_wire::message::Message;
use tempfile::TempDir;

/// Which chain the relay pretends to serve.
pub(super) const SERVED: Served = Served {
    network: 0x4245_4e43,
    contract: [0xbe; 20],
};

/// The hidden command that is this process.
pub(crate) const COMMAND: &str = "relay-server";

/// A relay in a process of its own, which ends with this.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    /// The process ends when this is closed.
    _stdin: Option<ChildStdin>,
    address: SocketAddr,
    key: PublicKey,
    _folder: TempDir,
}

impl Server {
    /// Starts this program once more.
    pub(super) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = std::env::current_exe().context("finding this program")?;
        let mut child = Command::new(program)
            .args(["bench", COMMAND])
            .arg(folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("starting a relay")?;
        let stdin = child.stdin.take();
        let mut line = String::new();
        let stdout = child.stdout.take().context("no output of the relay")?;
        BufReader::new(stdout).read_line(&mut line)?;
        let mut words = line.split_whitespace();
        let (address, key) = words
            .next()
            .zip(words.next())
            .context("the relay did not start")?;
        let key = hex::decode(key)?;
        Ok(Self {
            child,
            _stdin: stdin,
            address: address.parse()?,
            key: key
                .try_into()
                .ok()
                .context("the relay's key is not 33 bytes")?,
            _folder: folder,
        })
    }

    pub(super) async fn client(&self) -> Result<RelayClient> {
        let identity = Identity::random()?;
        Ok(RelayClient::connect(self.address, &identity, Some(self.key), SERVED).await?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The other side of [`Server::start`]: says where it listens, and serves until its input ends.
pub(crate) async fn serve(folder: std::path::PathBuf) -> Result<()> {
    let relay = Relay::start(Setup {
        listen: "127.0.0.1:0".parse()?,
        ops: "127.0.0.1:0".parse()?,
        identity: Identity::random()?,
        chain: Arc::new(EveryBox),
        chain_id: ChainId {
            network: SERVED.network,
            contract: SERVED.contract,
        },
        limits: Limits::default(),
        log: LogConfig {
            folder,
            max_bytes: 8 << 30,
            segment_bytes: 256 << 20,
            keep_ms: 3_600_000,
        },
        clock: system_clock(),
        peers: None,
        web: None,
    })
    .await?;
    println!("{} {}", relay.local_addr(), hex::encode(relay.public_key()));
    let end_of_input = || std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
    tokio::task::spawn_blocking(end_of_input).await??;
    relay.shutdown().await;
    Ok(())
}

#[derive(Debug)]
struct EveryBox;

impl Chain for EveryBox {
    fn box_exists(&self, _: u64) -> Answer<'_, bool> {
        Box::pin(async { Ok(true) })
    }

    /// Nobody's box, with a gate that lets everybody in, whatever is asked for.
    fn stored<'a>(&'a self, _: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async { Ok(Some([vec![0; 20], free_gate()].concat())) })
    }

    fn watch(&self) -> Answer<'_, Box<dyn Events>> {
        Box::pin(async { Err(no_chain()) })
    }

    fn prepare<'a>(&'a self, _: &'a [Message]) -> Answer<'a, Ready> {
        Box::pin(async { Err(no_chain()) })
    }

    fn prepare_content<'a>(&'a self, _: u64, _: &'a [u8]) -> Answer<'a, Ready> {
        Box::pin(async { Err(no_chain()) })
    }

    fn send<'a>(&'a self, _: &'a Ready) -> Answer<'a, ()> {
        Box::pin(async { Err(no_chain()) })
    }

    fn look(&self, _: Sent) -> Answer<'_, Option<Fate>> {
        Box::pin(async { Err(no_chain()) })
    }
}

fn no_chain() -> ChainError {
    ChainError::Unreachable("this relay has no chain".into())
}
