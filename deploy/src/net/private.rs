//! A private net that lives as long as a value: for tests and the demo.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Child;

use super::committee::Committee;
use super::config::{MAX_GAS_INVOKE, NodeConfig, Store};
use super::error::NetError;
use super::process::{self, NodeFiles};
use super::{neogo, ready, validator};

/// Quick enough for tests, slow enough that two cores keep up with several nets.
pub const TEST_BLOCK_TIME_MS: u32 = 200;

/// Another process may take the free port between its choice and the node's start.
const START_ATTEMPTS: u32 = 5;

/// How to start a [`PrivateNet`].
#[derive(Clone, Debug)]
pub struct PrivateNetConfig {
    /// Folder of the node, made if missing; a fresh temporary one, removed at the end, when `None`.
    pub dir: Option<PathBuf>,
    /// A free one when `None`.
    pub rpc_port: Option<u16>,
    pub block_time_ms: u32,
    pub store: Store,
    /// Limit of a test invocation, in GAS.
    pub max_gas_invoke: u32,
}

impl Default for PrivateNetConfig {
    fn default() -> Self {
        Self {
            dir: None,
            rpc_port: None,
            block_time_ms: TEST_BLOCK_TIME_MS,
            store: Store::Memory,
            max_gas_invoke: MAX_GAS_INVOKE,
        }
    }
}

/// A running neo-go validator with every hardfork on and MainNet's limits. Stops when dropped.
#[derive(Debug)]
pub struct PrivateNet {
    node: Child,
    files: NodeFiles,
    neogo: PathBuf,
    rpc_url: String,
    remove_dir: bool,
}

impl PrivateNet {
    /// Starts a node and waits for its first block: some 0.3 s on an idle machine.
    pub async fn start(config: PrivateNetConfig) -> Result<Self, NetError> {
        let neogo = neogo::locate(&|_| ())?;
        let remove_dir = config.dir.is_none();
        let dir = config.dir.clone().unwrap_or_else(fresh_dir);
        fs::create_dir_all(&dir).map_err(NetError::file("creating", &dir))?;
        let dir = dir
            .canonicalize()
            .map_err(NetError::file("finding", &dir))?;
        let mut attempt = 1;
        loop {
            match Self::attempt(&config, &neogo, &dir, remove_dir).await {
                Err(NetError::NodeDied { tail, .. })
                    if config.rpc_port.is_none()
                        && attempt < START_ATTEMPTS
                        && tail.contains("address already in use") =>
                {
                    attempt += 1;
                }
                other => return other,
            }
        }
    }

    async fn attempt(
        config: &PrivateNetConfig,
        neogo: &Path,
        dir: &Path,
        remove_dir: bool,
    ) -> Result<Self, NetError> {
        let rpc_port = match config.rpc_port {
            Some(port) => {
                check_free(port)?;
                port
            }
            None => free_port()?,
        };
        let node = NodeConfig {
            dir: dir.to_path_buf(),
            rpc_port,
            block_time_ms: config.block_time_ms,
            store: config.store,
            max_gas_invoke: config.max_gas_invoke,
        };
        let files = write_files(&node)?;
        let mut net = Self {
            node: process::spawn(neogo, &files, false)?,
            neogo: neogo.to_path_buf(),
            rpc_url: rpc_url(rpc_port),
            remove_dir,
            files,
        };
        let log = net.files.log();
        let child = &mut net.node;
        ready::wait(&net.rpc_url, config.block_time_ms, &log, || {
            exit_status(child)
        })
        .await?;
        Ok(net)
    }

    /// `http://127.0.0.1:<port>`.
    pub fn rpc_url(&self) -> &str {
        &self.rpc_url
    }

    /// `ws://127.0.0.1:<port>/ws`.
    pub fn ws_url(&self) -> String {
        format!("{}/ws", self.rpc_url.replacen("http", "ws", 1))
    }

    pub fn dir(&self) -> &Path {
        &self.files.dir
    }

    pub fn log_path(&self) -> PathBuf {
        self.files.log()
    }

    /// The neo-go binary, which is also a wallet and a contract tool.
    pub fn neogo(&self) -> &Path {
        &self.neogo
    }

    /// The node's process id.
    pub fn pid(&self) -> u32 {
        self.node.id()
    }

    /// Sends GAS from the committee's account to an address and waits for the block. `datoshi` are 10^-8 GAS.
    pub async fn fund_gas(&self, address: &str, datoshi: u64) -> Result<(), NetError> {
        self.committee().fund_gas(address, datoshi).await
    }

    /// Sends whole NEO from the committee's account to an address and waits for the block.
    pub async fn fund_neo(&self, address: &str, amount: u64) -> Result<(), NetError> {
        self.committee().fund_neo(address, amount).await
    }

    fn committee(&self) -> Committee<'_> {
        Committee {
            neogo: &self.neogo,
            dir: &self.files.dir,
            rpc_url: &self.rpc_url,
        }
    }
}

impl Drop for PrivateNet {
    fn drop(&mut self) {
        process::stop_child(&mut self.node);
        if self.remove_dir {
            // A folder in the system's temporary space: not worth an error.
            let _ = fs::remove_dir_all(&self.files.dir);
        }
    }
}

/// A port of 127.0.0.1 that nobody listens on now.
pub fn free_port() -> Result<u16, NetError> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    let port = listener
        .and_then(|l| l.local_addr())
        .map(|address| address.port());
    port.map_err(|e| NetError::Rpc {
        url: "127.0.0.1:0".into(),
        reason: e.to_string(),
    })
}

/// Fails clearly when something listens on the port already.
pub(super) fn check_free(port: u16) -> Result<(), NetError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map(drop)
        .map_err(|_| NetError::PortTaken { port })
}

pub(super) fn rpc_url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Configuration and wallet of a node in its folder.
pub(super) fn write_files(node: &NodeConfig) -> Result<NodeFiles, NetError> {
    let files = NodeFiles {
        dir: node.dir.clone(),
    };
    validator::write(&node.dir)?;
    let config = files.config();
    fs::write(&config, node.to_yaml()).map_err(NetError::file("writing", &config))?;
    Ok(files)
}

/// How a child ended; `None` while it runs.
pub(super) fn exit_status(child: &mut Child) -> Option<String> {
    match child.try_wait() {
        Ok(None) => None,
        Ok(Some(status)) => Some(status.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

fn fresh_dir() -> PathBuf {
    std::env::temp_dir().join(format!(
        "phantasma-net-{}-{:08x}",
        std::process::id(),
        rand::random::<u32>()
    ))
}
