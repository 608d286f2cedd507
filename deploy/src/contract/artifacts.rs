//! The compiled contract: NEF, manifest, debug information.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use neo_client::{Manifest, Nef};

use crate::paths;

/// The contract's name, which its files carry too.
pub const NAME: &str = "Phantasma";

/// Root files relative to the workspace, so that debug information is the same wherever it was compiled.
const ROOT: &str = "contract/src/lib.rs";
const EXTERNS: [(&str, &str); 1] = [("phantasma_vm", "vm-compat/src/lib.rs")];

/// What deployment needs, and debug information for people.
#[derive(Clone, Debug)]
pub struct Artifacts {
    pub nef: Vec<u8>,
    pub manifest: String,
    pub debug: String,
}

/// Sources on disk below a folder.
struct Below(PathBuf);

impl neoc::Sources for Below {
    fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.0.join(path)).ok()
    }
}

impl Artifacts {
    /// Compiles the contract of a workspace (this one when `None`).
    pub fn compile(workspace: Option<&Path>) -> Result<Self> {
        let workspace = workspace.map_or_else(paths::workspace, Path::to_path_buf);
        let root = workspace.join(ROOT);
        if !root.is_file() {
            return Err(anyhow!(
                "there is no contract source {}; name the project's folder with --source",
                root.display()
            ));
        }
        let externs: Vec<_> = EXTERNS
            .iter()
            .map(|(name, file)| ((*name).to_owned(), (*file).to_owned()))
            .collect();
        let contract = neoc::compile(&Below(workspace), ROOT, &externs)
            .map_err(|errors| anyhow!("the contract does not compile:\n{errors}"))?;
        Ok(Self {
            nef: contract.nef,
            manifest: contract.manifest,
            debug: contract.debug,
        })
    }

    /// Where the artefacts are below the folder of a profile.
    pub fn folder(profile: &Path) -> PathBuf {
        profile.join("contract")
    }

    /// Reads what [`Self::save`] wrote.
    pub fn load(folder: &Path) -> Result<Self> {
        let text = |path: PathBuf| {
            fs::read_to_string(&path).with_context(|| {
                format!("reading {}; run `phantasma contract build`", path.display())
            })
        };
        let [nef, manifest, debug] = Self::files(folder);
        let nef = fs::read(&nef).with_context(|| {
            format!("reading {}; run `phantasma contract build`", nef.display())
        })?;
        Ok(Self {
            nef,
            manifest: text(manifest)?,
            debug: text(debug)?,
        })
    }

    /// Writes the three files into a folder, made if missing; gives their paths.
    pub fn save(&self, folder: &Path) -> Result<[PathBuf; 3]> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let files = Self::files(folder);
        for (path, content) in files.iter().zip([
            self.nef.as_slice(),
            self.manifest.as_bytes(),
            self.debug.as_bytes(),
        ]) {
            fs::write(path, content).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(files)
    }

    fn files(folder: &Path) -> [PathBuf; 3] {
        [".nef", ".manifest.json", ".debug.json"].map(|end| folder.join(format!("{NAME}{end}")))
    }

    pub fn parse_nef(&self) -> Result<Nef> {
        Nef::from_bytes(&self.nef).context("the contract's NEF file")
    }

    pub fn parse_manifest(&self) -> Result<Manifest> {
        Manifest::from_json(&self.manifest).context("the contract's manifest")
    }
}
