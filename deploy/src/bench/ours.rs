//! Our side: Rust contracts of `benches/contract/ours`, compiled now.

use std::fs;
use std::path::PathBuf;

use anyhow::{Result, anyhow};

use super::Artifact;

/// Sources on disk below a folder.
struct Below(PathBuf);

impl neoc::Sources for Below {
    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }
}

/// Compiles one file of the folder.
pub(super) fn compile(folder: PathBuf, file: &str) -> Result<Artifact> {
    compile_with(folder, file, &[])
}

/// The same with other crates: their names and root files.
pub(super) fn compile_with(
    folder: PathBuf,
    file: &str,
    externs: &[(&str, &str)],
) -> Result<Artifact> {
    let externs: Vec<_> = externs
        .iter()
        .map(|(name, root)| ((*name).to_owned(), (*root).to_owned()))
        .collect();
    let contract = neoc::compile(&Below(folder), file, &externs)
        .map_err(|errors| anyhow!("{file} does not compile:\n{errors}"))?;
    Ok(Artifact {
        nef: contract.nef,
        manifest: contract.manifest,
    })
}
