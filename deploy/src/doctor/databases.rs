//! What a relay and a storage node of this machine keep: every record is read, by their own code, on a scratch copy.
//!
//! The copy is cheap: what is only read is linked, and what opening may put right (the newest file) is copied. So the
//! servers may run, and nothing of theirs is changed.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use phantasma_relay::log::{Log, LogConfig};
use tempfile::TempDir;
use tokio::process::Command;

use super::held::is_locked;
use super::servers::Server;
use super::{Finding, Setup};
use crate::service;

/// A file may be removed by the running server between two looks; then a second look is right.
const LOOKS: u32 = 2;

const RELAY_ADVICE: &str = "stop the relay, keep a copy of the folder, and restore the named file from a backup; what is \
                            moved away is lost to subscribers who have not read it";

const NODE_ADVICE: &str = "stop the node and run `phantasma-pdfs --data FOLDER fsck`: damaged blocks are no longer offered \
                           and come back from other nodes; then look at the disk (`smartctl -a`)";

/// The relay's log, its journal of transactions and its anchors.
pub(super) fn relay(setup: &Setup) -> Finding {
    let server = &setup.relay;
    if let Err(finding) = there(server) {
        return finding;
    }
    let mut finding = Finding::skipped("not looked at");
    for _ in 0..LOOKS {
        finding = relay_once(&server.data).unwrap_or_else(|error| unreadable(server, &error));
        if !finding.is_wrong() {
            break;
        }
    }
    finding
}

fn relay_once(data: &Path) -> io::Result<Finding> {
    let scratch = tempfile::tempdir()?;
    mirror(data, scratch.path(), "log")?;
    let place = data.display().to_string();
    let config = LogConfig {
        folder: scratch.path().to_path_buf(),
        max_bytes: u64::MAX,
        segment_bytes: u64::MAX,
        keep_ms: u64::MAX,
    };
    let recovered = match Log::open(config, u64::MAX, Box::new(|_| ())) {
        Ok((log, recovered)) => {
            log.close();
            recovered
        }
        Err(error) => {
            let told = in_place(&error.to_string(), &scratch, data);
            return Ok(Finding::wrong(
                format!("corrupted database: {told}"),
                place,
                RELAY_ADVICE,
            ));
        }
    };
    if recovered.torn_bytes > 0 {
        return Ok(Finding::wrong(
            format!(
                "corrupted database: {} bytes at the end of the newest segment are no whole record",
                recovered.torn_bytes
            ),
            place,
            "a crash leaves that, and the next start of the relay cuts it off; without a crash the disk has damaged \
             records: keep a copy of the folder before that start",
        ));
    }
    for folder in ["chain", "anchors"] {
        if let Some((path, reason)) = damaged_toml(&data.join(folder))? {
            return Ok(Finding::wrong(
                format!("corrupted database: {reason}"),
                path.display().to_string(),
                RELAY_ADVICE,
            ));
        }
    }
    Ok(Finding::fine(format!(
        "{} messages in {place} are whole",
        recovered.records
    )))
}

/// The first file of a folder that is no TOML.
fn damaged_toml(folder: &Path) -> io::Result<Option<(PathBuf, String)>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|kind| kind == "toml") {
            let parsed = String::from_utf8(fs::read(&path)?)
                .map_err(|error| error.to_string())
                .and_then(|text| {
                    let table: Result<toml::Table, _> = toml::from_str(&text);
                    table.map_err(|error| error.message().to_owned())
                });
            if let Err(reason) = parsed {
                return Ok(Some((path, reason)));
            }
        }
    }
    Ok(None)
}

/// The storage node's blocks and, while it does not run, its index.
pub(super) async fn node(setup: &Setup) -> Finding {
    let server = &setup.node;
    if let Err(finding) = there(server) {
        return finding;
    }
    let Ok(program) = service::program(server.kind.program) else {
        return Finding::skipped(format!(
            "the program {} that can read {} is not installed",
            server.kind.program,
            server.data.display()
        ));
    };
    let mut finding = Finding::skipped("not looked at");
    for _ in 0..LOOKS {
        let looked = node_once(&program, server).await;
        finding = looked.unwrap_or_else(|error| unreadable(server, &error));
        if !finding.is_wrong() {
            break;
        }
    }
    finding
}

async fn node_once(program: &Path, server: &Server) -> io::Result<Finding> {
    let data = &server.data;
    let scratch = tempfile::tempdir()?;
    let segments = scratch.path().join("segments");
    fs::create_dir(&segments)?;
    mirror(&data.join("segments"), &segments, "seg")?;
    // A running node changes its index all the time; it is built anew from the segments then.
    let index = data.join("index");
    if index.is_dir() && !is_locked(&data.join(server.kind.lock)) {
        let copy = scratch.path().join("index");
        fs::create_dir(&copy)?;
        mirror_index(&index, &copy)?;
    }
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("PHANTASMA_") {
            command.env_remove(name);
        }
    }
    command
        .env("RUST_LOG", "off")
        .arg("--data")
        .arg(scratch.path())
        .arg("fsck")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await?;
    let told = if output.status.success() {
        &output.stdout
    } else {
        &output.stderr
    };
    let told = in_place(String::from_utf8_lossy(told).trim(), &scratch, data);
    Ok(match output.status.success() {
        true => Finding::fine(format!("{}: {told}", data.display())),
        false => Finding::wrong(
            format!("corrupted database: {told}"),
            data.display().to_string(),
            NODE_ADVICE,
        ),
    })
}

fn there(server: &Server) -> Result<(), Finding> {
    match server.data.is_dir() {
        true => Ok(()),
        false => Err(Finding::skipped(format!(
            "no {} here: there is no {}",
            server.kind.program,
            server.data.display()
        ))),
    }
}

fn unreadable(server: &Server, error: &io::Error) -> Finding {
    Finding::skipped(format!(
        "{} could not be copied to be looked at: {error}",
        server.data.display()
    ))
}

/// Links the files of a kind, and copies the last by name, which opening may cut.
fn mirror(from: &Path, to: &Path, extension: &str) -> io::Result<()> {
    let from = fs::canonicalize(from)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(&from)? {
        let name = entry?.file_name();
        if Path::new(&name).extension().is_some_and(|e| e == extension) {
            names.push(name);
        }
    }
    names.sort();
    let last = names.pop();
    for name in &names {
        symlink(from.join(name), to.join(name))?;
    }
    if let Some(name) = last {
        fs::copy(from.join(&name), to.join(&name))?;
    }
    Ok(())
}

/// RocksDB never changes a table once it is written, so tables are linked; its few small other files are copied.
fn mirror_index(from: &Path, to: &Path) -> io::Result<()> {
    let from = fs::canonicalize(from)?;
    for entry in fs::read_dir(&from)? {
        let entry = entry?;
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.extension().is_some_and(|kind| kind == "sst") {
            symlink(path, copy)?;
        } else if entry.file_type()?.is_file() {
            fs::copy(path, copy)?;
        }
    }
    Ok(())
}

/// What was said of the copy, as if said of the original.
fn in_place(text: &str, scratch: &TempDir, data: &Path) -> String {
    let copy = scratch.path().display().to_string();
    text.replace(&copy, &data.display().to_string())
}
