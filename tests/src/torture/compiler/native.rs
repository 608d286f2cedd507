//! Programs built by rustc and run in a process of their own.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value as Json;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::batch::Group;

/// A process that runs longer has been caught in a loop.
const PATIENCE: Duration = Duration::from_secs(120);

/// How rustc finds the framework.
#[derive(Clone, Debug)]
pub(super) struct Toolchain {
    rlib: PathBuf,
    folder: PathBuf,
}

impl Toolchain {
    /// Asks cargo where the framework's library is, which this program itself uses.
    pub(super) async fn find() -> Self {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let output = Command::new(cargo)
            .args(["build", "--offline", "-p", "phantasma-tests", "--lib"])
            .args(["--message-format", "json"])
            .current_dir(&root)
            .stderr(Stdio::inherit())
            .output()
            .await
            .expect("cargo runs");
        let text = String::from_utf8_lossy(&output.stdout);
        let rlib = text.lines().find_map(|line| {
            let message: Json = serde_json::from_str(line).ok()?;
            let is_it = message["target"]["name"] == "neo_framework";
            let files = message["filenames"].as_array().filter(|_| is_it)?;
            let names = files.iter().filter_map(Json::as_str);
            names
                .into_iter()
                .find(|name| name.ends_with(".rlib"))
                .map(PathBuf::from)
        });
        let rlib = rlib.expect("cargo builds the framework");
        let work = rlib
            .ancestors()
            .nth(3)
            .expect("target/<profile>/deps")
            .join("torture");
        Self { rlib, folder: work }
    }

    /// Where work files and reports go.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What rustc says against some sources: line of a group's source, message.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) group: usize,
    pub(super) line: usize,
    pub(super) message: String,
}

/// A built batch; its folder goes with it.
#[derive(Debug)]
pub(super) struct Built {
    folder: tempfile::TempDir,
}

/// Builds all groups into one program.
pub(super) async fn build(tools: &Toolchain, groups: &[Group]) -> Result<Built, Vec<Refusal>> {
    std::fs::create_dir_all(&tools.folder).expect("a folder in target");
    let folder = tempfile::tempdir_in(&tools.folder).expect("a work folder");
    let mut main = "#![allow(warnings)]\n".to_owned();
    for (at, group) in groups.iter().enumerate() {
        std::fs::write(folder.path().join(format!("c{at}.rs")), group.source()).expect("written");
        main += &format!("mod c{at};\n");
    }
    let all: Vec<_> = (0..groups.len())
        .map(|at| format!("c{at}::methods::CONTRACT"))
        .collect();
    main += &format!(
        "const CONTRACTS: &[neo_framework::ContractInfo] = &[{}];\n{}",
        all.join(", "),
        include_str!("runner.rs")
    );
    std::fs::write(folder.path().join("main.rs"), main).expect("written");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let deps = tools.rlib.parent().expect("a library lies in a folder");
    let output = Command::new(rustc)
        .args([
            "--edition",
            "2024",
            "--crate-name",
            "batch",
            "main.rs",
            "-o",
            "batch",
        ])
        .args([
            "-C",
            "opt-level=0",
            "-C",
            "debuginfo=0",
            "--error-format",
            "short",
        ])
        .arg("--extern")
        .arg(format!("neo_framework={}", tools.rlib.display()))
        .arg("-L")
        .arg(format!("dependency={}", deps.display()))
        .current_dir(folder.path())
        .output()
        .await
        .expect("rustc runs");
    if output.status.success() {
        return Ok(Built { folder });
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let refusals: Vec<_> = said.lines().filter_map(refusal).collect();
    assert!(!refusals.is_empty(), "rustc fails: {said}");
    Err(refusals)
}

/// `c3.rs:12:5: error[E0382]: …`
fn refusal(line: &str) -> Option<Refusal> {
    let (file, rest) = line.split_once(".rs:")?;
    let (number, message) = rest.split_once(':')?;
    if !message.contains("error") {
        return None;
    }
    Some(Refusal {
        group: file.strip_prefix('c')?.parse().ok()?,
        line: number.parse().ok()?,
        message: message.to_owned(),
    })
}

/// The outcomes of all calls, `group method arguments..`, in order; fewer if the process died.
pub(super) async fn run(built: &Built, calls: &[String]) -> Vec<String> {
    let mut child = Command::new(built.folder.path().join("batch"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the built program starts");
    let mut input = child.stdin.take().expect("a pipe");
    let text = calls.join("\n") + "\n";
    let writer = tokio::spawn(async move {
        // A process that dies early closes the pipe; the missing outcomes tell.
        let _ = input.write_all(text.as_bytes()).await;
    });
    let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
    writer.abort();
    match output {
        Ok(output) => {
            let output = output.expect("its output");
            let text = String::from_utf8_lossy(&output.stdout);
            text.lines().map(str::to_owned).collect()
        }
        Err(_) => Vec::new(),
    }
}
