//! The peer: iroh-blobs, in a small program of its own (`benches/iroh`), built from the registry below `target/`, once.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::paths;

/// What it is called in the table.
pub(super) const NAME: &str = "iroh-blobs 0.104";

/// Builds the peer and gives its program.
pub(super) fn install(say: &dyn Fn(&str)) -> Result<PathBuf> {
    let source = paths::workspace().join("benches/iroh");
    let target = paths::workspace().join("target/iroh");
    let program = target.join("release/iroh-peer");
    if program.is_file() && !newer(&source.join("src/main.rs"), &program) {
        return Ok(program);
    }
    say("building iroh-blobs from the registry (once, some minutes)");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["build", "--release", "--locked"])
        .current_dir(&source)
        .env("CARGO_TARGET_DIR", &target)
        .output()
        .context("starting cargo")?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(program)
}

fn newer(source: &Path, program: &Path) -> bool {
    let time = |path: &Path| path.metadata().and_then(|meta| meta.modified()).ok();
    time(source) > time(program)
}
