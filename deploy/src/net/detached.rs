//! A private net that outlives the command that started it, kept in a folder.
//!
//! The folder holds the node's configuration, wallet, log, chain, pid file and `net.toml` with the settings in force.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::committee::Committee;
use super::config::{MAX_GAS_INVOKE, NodeConfig, Store};
use super::error::NetError;
use super::private::{check_free, exit_status, rpc_url, write_files};
use super::process::{self, NodeFiles};
use super::{neogo, ready};

/// neo-go's own number for the RPC of a private net.
pub const DEFAULT_RPC_PORT: u16 = 30333;

/// A second: lively to work with, and a day's chain stays small.
pub const DEFAULT_BLOCK_TIME_MS: u32 = 1000;

/// The settings of the chain in a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    rpc_port: u16,
    block_time_ms: u32,
}

impl std::fmt::Display for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "RPC port {} and {} ms blocks",
            self.rpc_port, self.block_time_ms
        )
    }
}

/// What `status` tells.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub running: bool,
    pub pid: Option<u32>,
    pub rpc_url: Option<String>,
    pub block_time_ms: Option<u32>,
    /// Blocks made so far, genesis included; `None` when the node is stopped or does not answer.
    pub block_count: Option<u64>,
    pub dir: PathBuf,
    pub log: PathBuf,
}

/// Whether `up` had to start the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Up {
    Started,
    RanAlready,
}

/// Starts the net of a folder, or finds it running. What is not given comes from the last time, else the defaults.
pub async fn up(
    dir: &Path,
    rpc_port: Option<u16>,
    block_time_ms: Option<u32>,
    say: &dyn Fn(&str),
) -> Result<(Up, Status), NetError> {
    fs::create_dir_all(dir).map_err(NetError::file("creating", dir))?;
    let dir = dir.canonicalize().map_err(NetError::file("finding", dir))?;
    let files = NodeFiles { dir: dir.clone() };
    let last = read_settings(&dir)?;
    let settings = Settings {
        rpc_port: rpc_port
            .or(last.map(|s| s.rpc_port))
            .unwrap_or(DEFAULT_RPC_PORT),
        block_time_ms: block_time_ms
            .or(last.map(|s| s.block_time_ms))
            .unwrap_or(DEFAULT_BLOCK_TIME_MS),
    };
    if process::running(&files).is_some() {
        return match last {
            Some(last) if last != settings => Err(NetError::OtherSettings {
                dir,
                running: last.to_string(),
            }),
            _ => Ok((Up::RanAlready, status(&dir).await?)),
        };
    }
    // The block time is part of the genesis block, the port is not.
    if let Some(last) = last.filter(|last| last.block_time_ms != settings.block_time_ms) {
        return Err(NetError::OtherChain {
            dir,
            existing: last.to_string(),
        });
    }
    start(&files, settings, say).await?;
    Ok((Up::Started, status(&dir).await?))
}

async fn start(files: &NodeFiles, settings: Settings, say: &dyn Fn(&str)) -> Result<(), NetError> {
    check_free(settings.rpc_port)?;
    let neogo = neogo::locate(say)?;
    let Settings {
        rpc_port,
        block_time_ms,
    } = settings;
    write_files(&NodeConfig {
        dir: files.dir.clone(),
        rpc_port,
        block_time_ms,
        store: Store::Disk,
        max_gas_invoke: MAX_GAS_INVOKE,
    })?;
    write_settings(&files.dir, settings)?;
    say(&format!(
        "starting neo-go, log in {}",
        files.log().display()
    ));
    let mut child = process::spawn(&neogo, files, true)?;
    let pid = files.pid();
    let started =
        match fs::write(&pid, child.id().to_string()).map_err(NetError::file("writing", &pid)) {
            Ok(()) => {
                ready::wait(&rpc_url(rpc_port), block_time_ms, &files.log(), || {
                    exit_status(&mut child)
                })
                .await
            }
            Err(error) => Err(error),
        };
    if started.is_err() {
        process::stop_child(&mut child);
        let _ = fs::remove_file(&pid);
    }
    started
}

/// Stops the net of a folder; with `purge` removes its data too. Says whether a node was running.
pub fn down(dir: &Path, purge: bool) -> Result<bool, NetError> {
    let Ok(dir) = dir.canonicalize() else {
        return Ok(false);
    };
    let files = NodeFiles { dir: dir.clone() };
    let running = process::running(&files);
    if let Some(pid) = running
        && !process::stop(pid, || !process::is_ours(pid, &files))
    {
        return Err(NetError::WillNotStop { pid, dir });
    }
    remove_if_there(&files.pid())?;
    // Only a folder that `up` made: a slip in --dir must not cost somebody a folder of theirs.
    if purge && settings_file(&dir).is_file() {
        fs::remove_dir_all(&dir).map_err(NetError::file("removing", &dir))?;
    }
    Ok(running.is_some())
}

/// A running net of a folder, for gifts from its committee.
#[derive(Clone, Debug)]
pub struct Running {
    neogo: PathBuf,
    dir: PathBuf,
    rpc_url: String,
}

impl Running {
    pub fn committee(&self) -> Committee<'_> {
        Committee {
            neogo: &self.neogo,
            dir: &self.dir,
            rpc_url: &self.rpc_url,
        }
    }
}

/// The net of a folder, which must be running.
pub async fn open(dir: &Path) -> Result<Running, NetError> {
    match status(dir).await? {
        Status {
            running: true,
            rpc_url: Some(rpc_url),
            dir,
            ..
        } => Ok(Running {
            neogo: neogo::locate(&|_| ())?,
            dir,
            rpc_url,
        }),
        Status { dir, .. } => Err(NetError::NotRunning { dir }),
    }
}

/// What runs in a folder.
pub async fn status(dir: &Path) -> Result<Status, NetError> {
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_path_buf());
    let files = NodeFiles { dir: dir.clone() };
    let pid = process::running(&files);
    let settings = read_settings(&dir)?;
    let url = settings.map(|s| rpc_url(s.rpc_port));
    let block_count = match (&url, pid) {
        (Some(url), Some(_)) => ready::block_count(&ready::local_client()?, url).await.ok(),
        _ => None,
    };
    Ok(Status {
        running: pid.is_some(),
        pid,
        rpc_url: url,
        block_time_ms: settings.map(|s| s.block_time_ms),
        block_count,
        log: files.log(),
        dir,
    })
}

fn settings_file(dir: &Path) -> PathBuf {
    dir.join("net.toml")
}

fn read_settings(dir: &Path) -> Result<Option<Settings>, NetError> {
    let path = settings_file(dir);
    if !path.exists() {
        return Ok(None);
    }
    let text = fs::read_to_string(&path).map_err(NetError::file("reading", &path))?;
    toml::from_str(&text)
        .map(Some)
        .map_err(|e| NetError::DamagedState {
            path,
            reason: e.message().to_owned(),
        })
}

fn write_settings(dir: &Path, settings: Settings) -> Result<(), NetError> {
    let path = settings_file(dir);
    let text = format!(
        "rpc_port = {}\nblock_time_ms = {}\n",
        settings.rpc_port, settings.block_time_ms
    );
    fs::write(&path, text).map_err(NetError::file("writing", &path))
}

fn remove_if_there(path: &Path) -> Result<(), NetError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(NetError::file("removing", path)(error))
        }
        _ => Ok(()),
    }
}
