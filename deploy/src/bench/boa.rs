//! The peer: neo3-boa, which compiles Python to NeoVM. Installed from PyPI below `target/`, once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use anyhow::{Context, Result, bail};

use super::Artifact;
use crate::paths;

/// Names a Python to use instead of looking for one.
const PYTHON_ENV: &str = "PHANTASMA_PYTHON";

/// The newest neo3-boa for each Python: its minor versions from and to, and neo3-boa's version. Newest first.
const RELEASES: [(u32, u32, &str); 3] = [(13, 14, "1.5.0"), (12, 12, "1.4.1"), (7, 11, "1.3.0")];

/// An installed neo3-boa.
pub(super) struct Boa {
    program: PathBuf,
    work: PathBuf,
    pub(super) version: &'static str,
}

/// A Python 3 of this machine.
struct Python {
    program: PathBuf,
    minor: u32,
}

impl Boa {
    /// Finds a Python and installs neo3-boa for it if that is not done yet.
    pub(super) fn install(say: &dyn Fn(&str)) -> Result<Self> {
        let Some((python, version)) = newest(candidates().into_iter().filter_map(probe)) else {
            bail!("no Python from 3.7 to 3.14 was found: install one or name it with {PYTHON_ENV}");
        };
        let tools = paths::workspace().join("target/tools");
        let folder = tools.join(format!("neo3-boa-{version}-py3{}", python.minor));
        let boa = Self {
            program: folder.join("bin/neo3-boa"),
            work: folder.join("compiled"),
            version,
        };
        if !boa.program.is_file() {
            say(&format!(
                "installing neo3-boa {version} from PyPI into {} (once)",
                folder.display()
            ));
            make(&python, &folder, version)
                .with_context(|| "installing neo3-boa; needs python3-venv and PyPI")?;
        }
        Ok(boa)
    }

    /// Compiles one file of `benches/contract/boa`.
    pub(super) fn compile(&self, source: &Path) -> Result<Artifact> {
        let stem = source
            .file_stem()
            .and_then(|s| s.to_str())
            .context("a source has a name")?;
        // A folder of this run: boa writes its output beside each other otherwise.
        let folder = self.work.join(std::process::id().to_string());
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        let nef = folder.join(format!("{stem}.nef"));
        let mut command = Command::new(&self.program);
        command.arg("compile").arg(source).arg("-o").arg(&nef);
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let output = run(&mut command)?;
        let artifact = || -> Result<Artifact> {
            Ok(Artifact {
                nef: fs::read(&nef)?,
                manifest: fs::read_to_string(folder.join(format!("{stem}.manifest.json")))?,
            })
        };
        let artifact =
            artifact().with_context(|| format!("{stem}.py does not compile:\n{}", told(&output)));
        let _ = fs::remove_dir_all(&folder);
        artifact
    }
}

fn make(python: &Python, folder: &Path, version: &str) -> Result<()> {
    let output = run(Command::new(&python.program)
        .args(["-m", "venv", "--clear"])
        .arg(folder))?;
    if !output.status.success() {
        bail!("{}", told(&output));
    }
    let package = format!("neo3-boa=={version}");
    let args = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        &package,
    ];
    let output = run(Command::new(folder.join("bin/python")).args(args))?;
    if !output.status.success() {
        bail!("{}", told(&output));
    }
    Ok(())
}

fn run(command: &mut Command) -> Result<Output> {
    command
        .output()
        .with_context(|| format!("starting {}", command.get_program().to_string_lossy()))
}

fn told(output: &Output) -> String {
    let text = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
    String::from_utf8_lossy(&text).trim().to_owned()
}

/// What may be a Python: the named one alone, or the usual names and those of pyenv.
fn candidates() -> Vec<PathBuf> {
    if let Some(path) = std::env::var_os(PYTHON_ENV) {
        return vec![path.into()];
    }
    let mut list: Vec<PathBuf> = ["python3.14", "python3.13", "python3.12", "python3"]
        .map(PathBuf::from)
        .into();
    if let Some(home) = std::env::var_os("HOME") {
        let versions = fs::read_dir(Path::new(&home).join(".pyenv/versions"));
        for entry in versions.into_iter().flatten().flatten() {
            list.push(entry.path().join("bin/python3"));
        }
    }
    list
}

/// Asks a program for its version; None when it is no Python 3.
fn probe(program: PathBuf) -> Option<Python> {
    let output = Command::new(&program).arg("--version").output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut parts = text.trim().strip_prefix("Python 3.")?.split('.');
    let minor = parts.next()?.parse().ok()?;
    Some(Python { program, minor })
}

/// The Python for the newest neo3-boa.
fn newest(pythons: impl Iterator<Item = Python>) -> Option<(Python, &'static str)> {
    pythons
        .filter_map(|python| {
            let rank = RELEASES
                .iter()
                .position(|(from, to, _)| (*from..=*to).contains(&python.minor))?;
            Some((rank, python))
        })
        .min_by_key(|(rank, _)| *rank)
        .and_then(|(rank, python)| Some((python, RELEASES.get(rank)?.2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_release_that_a_python_can_run_is_taken() {
        let pythons = |minors: &[u32]| {
            let list = minors.iter().map(|minor| Python {
                program: PathBuf::from(format!("{minor}")),
                minor: *minor,
            });
            newest(list.collect::<Vec<_>>().into_iter())
                .map(|(python, version)| (python.minor, version))
        };
        assert_eq!(pythons(&[11, 13, 12]), Some((13, "1.5.0")));
        assert_eq!(pythons(&[6, 11]), Some((11, "1.3.0")));
        assert_eq!(pythons(&[6, 20]), None);
    }
}
