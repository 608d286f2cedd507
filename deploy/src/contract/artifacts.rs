//! The compiled contracts: NEF, manifest, debug information.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use neo_client::{Hash160, Manifest, Nef, contract_hash};

use super::program::{Program, Trio};
use crate::paths;

/// What deployment of one contract needs, and debug information for people.
#[derive(Clone, Debug)]
pub struct Artifacts {
    pub program: Program,
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
    /// Compiles the contract `Phantasma` of a workspace (this one when `None`).
    pub fn compile(workspace: Option<&Path>) -> Result<Self> {
        Self::compile_one(Program::Phantasma, workspace)
    }

    /// Compiles all three contracts of a workspace.
    pub fn compile_all(workspace: Option<&Path>) -> Result<Trio<Self>> {
        Trio::try_of(|program| Self::compile_one(program, workspace))
    }

    fn compile_one(program: Program, workspace: Option<&Path>) -> Result<Self> {
        let workspace = workspace.map_or_else(paths::workspace, Path::to_path_buf);
        let (root, name) = (program.root(), program.name());
        let file = workspace.join(root);
        if !file.is_file() {
            return Err(anyhow!(
                "there is no contract source {}; name the project's folder with --source",
                file.display()
            ));
        }
        let externs: Vec<_> = program
            .externs()
            .iter()
            .map(|(name, file)| ((*name).to_owned(), (*file).to_owned()))
            .collect();
        let contract = neoc::compile(&Below(workspace), root, &externs)
            .map_err(|errors| anyhow!("the contract {name} does not compile:\n{errors}"))?;
        Ok(Self {
            program,
            nef: contract.nef,
            manifest: contract.manifest,
            debug: contract.debug,
        })
    }

    /// Where the artefacts are below the folder of a profile.
    pub fn folder(profile: &Path) -> PathBuf {
        profile.join("contract")
    }

    /// Reads what [`Self::save`] wrote of `Phantasma`.
    pub fn load(folder: &Path) -> Result<Self> {
        Self::load_one(Program::Phantasma, folder)
    }

    /// Reads what [`Self::save`] wrote of all three.
    pub fn load_all(folder: &Path) -> Result<Trio<Self>> {
        Trio::try_of(|program| Self::load_one(program, folder))
    }

    /// Reads what [`Self::save`] wrote of one contract.
    pub fn load_one(program: Program, folder: &Path) -> Result<Self> {
        let text = |path: PathBuf| {
            fs::read_to_string(&path).with_context(|| {
                format!("reading {}; run `phantasma contract build`", path.display())
            })
        };
        let [nef, manifest, debug] = Self::files(program, folder);
        let nef = fs::read(&nef).with_context(|| {
            format!("reading {}; run `phantasma contract build`", nef.display())
        })?;
        Ok(Self {
            program,
            nef,
            manifest: text(manifest)?,
            debug: text(debug)?,
        })
    }

    /// Writes the three files into a folder, made if missing; gives their paths.
    pub fn save(&self, folder: &Path) -> Result<[PathBuf; 3]> {
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let files = Self::files(self.program, folder);
        for (path, content) in files.iter().zip([
            self.nef.as_slice(),
            self.manifest.as_bytes(),
            self.debug.as_bytes(),
        ]) {
            fs::write(path, content).with_context(|| format!("writing {}", path.display()))?;
        }
        Ok(files)
    }

    fn files(program: Program, folder: &Path) -> [PathBuf; 3] {
        let name = program.name();
        [".nef", ".manifest.json", ".debug.json"].map(|end| folder.join(format!("{name}{end}")))
    }

    pub fn parse_nef(&self) -> Result<Nef> {
        Nef::from_bytes(&self.nef).with_context(|| format!("the NEF file of {}", self.program))
    }

    pub fn parse_manifest(&self) -> Result<Manifest> {
        Manifest::from_json(&self.manifest)
            .with_context(|| format!("the manifest of {}", self.program))
    }

    /// The hash that the contract has, or will have, when this account deploys it.
    pub fn hash_by(&self, deployer: &Hash160) -> Result<Hash160> {
        let (nef, manifest) = (self.parse_nef()?, self.parse_manifest()?);
        Ok(contract_hash(deployer, nef.checksum(), &manifest.name))
    }
}
