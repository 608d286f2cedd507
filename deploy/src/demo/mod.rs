//! `phantasma demo`: the main job once, for real, on this machine.
//!
//! A private Neo net, the contract compiled and deployed, SOUL moved by a wallet, a box, a signed message through a
//! relay onto the chain, a file encrypted on three storage nodes, one of them killed, the file read back and compared.
//! Everything it starts hangs on values that stop it when they go, also on an error or an interrupt.

mod chain;
mod message;
mod people;
mod report;
mod storage;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::net::process::exists;
use report::Report;

/// Marks a folder that a demo made and the next one may remove.
const MARKER: &str = ".phantasma-demo";

/// How the demo is run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Folder of the demo, emptied first if an earlier demo made it.
    pub dir: PathBuf,
    pub block_time_ms: u32,
    /// Size of the file that is stored.
    pub file_bytes: usize,
}

/// Runs the demo to its end, or until it is interrupted. Prints what it does.
pub async fn run(options: &Options) -> Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listening for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listening for SIGINT")?;
    let mut pids = Vec::new();
    let result = tokio::select! {
        result = scenario(options, &mut pids) => result,
        _ = terminate.recv() => Err(anyhow::anyhow!("stopped by SIGTERM; everything was shut down")),
        _ = interrupt.recv() => Err(anyhow::anyhow!("interrupted; everything was shut down")),
    };
    // By now the scenario's values are gone, and with them all its processes.
    let left: Vec<String> = pids
        .iter()
        .filter(|pid| exists(**pid))
        .map(u32::to_string)
        .collect();
    if !left.is_empty() {
        bail!("processes still running: {}", left.join(", "));
    }
    let report = result?;
    println!("{report}");
    println!("demo: ok");
    Ok(())
}

async fn scenario(options: &Options, pids: &mut Vec<u32>) -> Result<Report> {
    let started = Instant::now();
    let mut report = Report::default();
    let dir = fresh_dir(&options.dir)?;

    let chain = chain::start(&dir, options.block_time_ms, pids, &mut report).await?;
    let people = people::make(&dir, &chain, &mut report).await?;
    let contract = chain::deploy(&chain, &people, &mut report).await?;
    chain::move_soul(&contract, &people, &mut report).await?;
    let box_id = chain::create_box(&contract, &people, &mut report).await?;
    message::publish(&dir, &chain, &contract, &people, box_id, pids, &mut report).await?;
    storage::store(
        &dir,
        &chain,
        &contract,
        &people,
        options.file_bytes,
        pids,
        &mut report,
    )
    .await?;

    step("stopping everything");
    drop(chain);
    report.time("in all", started);
    Ok(report)
}

/// Says what is being done now.
fn step(text: &str) {
    println!("\n==> {text}");
}

/// Says what came of it.
fn say(text: &str) {
    println!("    {text}");
}

/// An empty folder. One that no demo made is left alone.
fn fresh_dir(dir: &Path) -> Result<PathBuf> {
    let marker = dir.join(MARKER);
    if marker.is_file() {
        fs::remove_dir_all(dir)
            .with_context(|| format!("removing the last demo in {}", dir.display()))?;
    } else if dir.exists() && fs::read_dir(dir)?.next().is_some() {
        bail!(
            "{} is not empty and no demo made it; choose another folder with --dir",
            dir.display()
        );
    }
    fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
    fs::write(
        &marker,
        "made by `phantasma demo`, removed by the next one\n",
    )?;
    dir.canonicalize()
        .with_context(|| format!("finding {}", dir.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_a_folder_of_an_earlier_demo_is_emptied() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("demo");
        fresh_dir(&dir).unwrap();
        fs::write(dir.join("old"), "x").unwrap();
        fresh_dir(&dir).unwrap();
        assert!(!dir.join("old").exists());
        let foreign = root.path().join("foreign");
        fs::create_dir(&foreign).unwrap();
        fs::write(foreign.join("thesis.txt"), "x").unwrap();
        assert!(
            fresh_dir(&foreign)
                .unwrap_err()
                .to_string()
                .contains("no demo made it")
        );
        assert!(foreign.join("thesis.txt").exists());
    }
}
