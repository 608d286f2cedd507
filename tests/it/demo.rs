//! The demo: its end, its second run, and that an interrupt leaves nothing running.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use phantasma_tests::binary;

/// A demo with quick blocks and a small file.
fn demo(dir: &Path) -> Command {
    let mut command = Command::new(binary("phantasma"));
    command
        .args([
            "demo",
            "--block-time",
            "200",
            "--file-bytes",
            "700001",
            "--dir",
        ])
        .arg(dir);
    command
}

/// Processes whose command line names a file below `dir`.
fn processes_of(dir: &Path) -> Vec<String> {
    let dir = dir.to_string_lossy().into_owned();
    let all = fs::read_dir("/proc")
        .unwrap()
        .filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    all.map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .filter(|line| line.contains(&dir))
        .collect()
}

#[test]
fn the_demo_ends_with_its_table_and_can_be_run_again() {
    for program in ["phantasma-relay", "phantasma-pdfs"] {
        binary(program);
    }
    let root = tempfile::tempdir().unwrap();
    for run in 1..=2 {
        let output = demo(root.path()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "run {run}: {text}\n{}",
            String::from_utf8_lossy(&output.stderr)
        );
        for expected in [
            "contract   ",
            "NEF bytes",
            "deploy cost in GAS",
            "createBox",
            "createContent",
            "byte for byte",
        ] {
            assert!(text.contains(expected), "run {run}: {expected:?} in {text}");
        }
        assert_eq!(text.lines().last(), Some("demo: ok"));
        assert_eq!(processes_of(root.path()), Vec::<String>::new());
    }
}

#[test]
fn an_interrupted_demo_leaves_nothing_running() {
    let root = tempfile::tempdir().unwrap();
    let mut child = demo(root.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let started = Instant::now();
    // In the middle: the chain and the first servers run.
    while !root.path().join("demo/logs/node1.out").exists() {
        assert!(
            child.try_wait().unwrap().is_none(),
            "the demo ended too soon"
        );
        assert!(
            started.elapsed() < Duration::from_secs(120),
            "the demo does not come to its storage nodes"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(processes_of(root.path()).len() > 1);
    let interrupt = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -INT {}", child.id()))
        .status()
        .unwrap();
    assert!(interrupt.success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("interrupted"));
    assert_eq!(processes_of(root.path()), Vec::<String>::new());
}
