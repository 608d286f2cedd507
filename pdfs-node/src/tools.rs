//! `phantasma-pdfs fsck`, `gc` and `backup`: what an operator does to a store.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Subcommand;

use crate::{
    chain::CachedChain,
    state::now_ms,
    store::{self, Options, Recovery, Store},
    upkeep,
};

/// Works on a store and ends. The settings above it say which one (`--data`).
#[derive(Debug, Clone, Subcommand)]
pub enum Tool {
    /// Read and verify everything that is held, with the node stopped. Damaged blocks are no longer offered afterwards.
    /// The exit status is 1 if anything is damaged or missing.
    Fsck,
    /// Forget contents whose time is over by the chain and take their space back, with the node stopped; a running node
    /// does that by itself. Needs --contract and --rpc.
    Gc,
    /// Copy the store to another folder; the node may run. Into the folder of an earlier backup only what is new is
    /// copied. To go back, start a node with `--data` on the copy.
    Backup {
        /// Folder of the copy.
        #[arg(long, value_name = "FOLDER")]
        to: PathBuf,
    },
}

/// Runs one. What it found is printed.
///
/// # Errors
/// The store cannot be opened or read; with `fsck` also damage.
pub async fn run(tool: Tool, data: &Path, chain: Option<CachedChain>) -> Result<String> {
    match tool {
        Tool::Fsck => fsck(data).await,
        Tool::Gc => {
            let chain = chain.context("gc asks the chain: give --contract 0x... and --rpc")?;
            let (store, _) = open(data)?;
            let (contents, reclaimed) = upkeep::collect(&store, &chain, now_ms(), 0).await?;
            store.close().await;
            Ok(format!(
                "{contents} contents over, {} blocks forgotten, {} segments removed, {} bytes freed, {} bytes moved",
                reclaimed.blocks, reclaimed.segments, reclaimed.freed_bytes, reclaimed.moved_bytes
            ))
        }
        Tool::Backup { to } => {
            must_exist(data)?;
            let data = data.to_owned();
            let copied = tokio::task::spawn_blocking(move || store::backup(&data, &to)).await??;
            Ok(format!(
                "{} segments, {} bytes copied now, {} old segments removed",
                copied.segments, copied.bytes, copied.removed
            ))
        }
    }
}

async fn fsck(data: &Path) -> Result<String> {
    let (store, recovery) = open(data)?;
    let health = store.scrub(0).await?;
    store.close().await;
    let text = format!(
        "{} blocks good ({} bytes), {} damaged, {} places without their block; on opening {} records indexed again, {} \
         torn bytes cut off, {} damaged bytes stepped over",
        health.good_blocks,
        health.good_bytes,
        health.damaged_blocks,
        health.missing_places,
        recovery.reindexed,
        recovery.torn_bytes,
        recovery.damaged_bytes
    );
    match health.is_good() && recovery.damaged_bytes == 0 {
        true => Ok(text),
        false => bail!("{text}"),
    }
}

fn open(data: &Path) -> Result<(Store, Recovery)> {
    must_exist(data)?;
    Ok(Store::open(&Options::new(data))?)
}

/// A misspelt folder must not become a new store.
fn must_exist(data: &Path) -> Result<()> {
    if !data.join("segments").is_dir() {
        bail!(
            "{} is no store: give its folder with --data",
            data.display()
        );
    }
    Ok(())
}
