//! The hands of `phantasma bench pdfs` and, for one peer, of `phantasma bench relay`: each command measures one thing in a process of its own, so that memory is that
//! thing's too, and prints one JSON object. What is compared with what, and the table, are the caller's.

mod batches;
mod client;
mod disk;
mod pipeline;
mod raw;
mod serve;
mod store;

use std::{io::Write as _, path::PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use serde_json::Value;

/// One measurement.
#[derive(Debug, Parser)]
#[command(name = "phantasma-pdfs-bench", version)]
enum Command {
    /// Writes a file and makes it durable once, at the end.
    Disk { file: PathBuf, bytes: u64 },
    /// Puts blocks of 256 KiB from eight writers, each acknowledged when durable.
    Store {
        kind: store::Kind,
        dir: PathBuf,
        bytes: u64,
    },
    /// Puts messages into RocksDB, so many in each synced batch, for so many seconds.
    Batches {
        dir: PathBuf,
        size: usize,
        group: usize,
        seconds: f64,
    },
    /// AES-256-CTR alone and SHA-256 alone on one core, and our encryption and tree over a file on all.
    Pipeline { file: PathBuf },
    /// Makes a file: of random bytes, or of a hole, which reads as zeros and takes no room.
    Make {
        file: PathBuf,
        bytes: u64,
        #[arg(long)]
        hole: bool,
    },
    /// A whole storage node, for which every content is paid and has this size. Says `ready NODE`.
    Serve { dir: PathBuf, size: u64 },
    /// Encrypts, hashes and stores a file on one node.
    Put { node: String, file: PathBuf },
    /// Reads a content verified and decrypted, into a file or nowhere.
    Get {
        #[command(flatten)]
        content: client::Content,
        #[arg(long)]
        out: Option<PathBuf>,
    },
    /// Time to the first byte at random places of a content, over a connection that stands.
    Seek {
        #[command(flatten)]
        content: client::Content,
        count: u32,
    },
    /// Puts many contents of 1 KiB on one node.
    Small { node: String, count: u64 },
    /// Sends bytes on one quinn stream to whoever connects. Says `ready ADDRESS CERTIFICATE`.
    RawServe { bytes: u64 },
    /// Takes them.
    RawGet {
        address: String,
        certificate: String,
    },
}

fn main() -> Result<()> {
    let command = Command::parse();
    let runtime = tokio::runtime::Runtime::new().context("start the runtime")?;
    let found = match command {
        Command::Disk { file, bytes } => disk::write(&file, bytes)?,
        Command::Store { kind, dir, bytes } => store::measure(kind, &dir, bytes, &runtime)?,
        Command::Batches {
            dir,
            size,
            group,
            seconds,
        } => batches::measure(&dir, size, group, seconds)?,
        Command::Pipeline { file } => runtime.block_on(pipeline::measure(&file))?,
        Command::Make { file, bytes, hole } => disk::make(&file, bytes, hole)?,
        Command::Serve { dir, size } => runtime.block_on(serve::run(dir, size))?,
        Command::Put { node, file } => runtime.block_on(client::put(&node, &file))?,
        Command::Get { content, out } => runtime.block_on(client::get(&content, out))?,
        Command::Seek { content, count } => runtime.block_on(client::seek(&content, count))?,
        Command::Small { node, count } => runtime.block_on(client::small(&node, count))?,
        Command::RawServe { bytes } => runtime.block_on(raw::serve(bytes))?,
        Command::RawGet {
            address,
            certificate,
        } => runtime.block_on(raw::get(&address, &certificate))?,
    };
    say(&found.to_string())
}

/// One line on standard output, at once.
fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{line}").context("write to standard output")?;
    out.flush().context("write to standard output")
}

/// The most memory that this process has had, in KiB.
fn peak_kib() -> Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status").context("read /proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let text = line.context("no VmHWM in /proc/self/status")?;
    Ok(text.trim().trim_end_matches(" kB").parse()?)
}

/// What a command without a result prints.
const NOTHING: Value = Value::Null;
