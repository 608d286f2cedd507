//! `phantasma net`: a private net that outlives its command.

use std::path::Path;
use std::process::{Command, Output};

use phantasma::net::process::exists;
use phantasma_tests::{binary, free_port};
use serde_json::Value;

/// Stops the net of a folder, also when the test fails.
struct Down<'a>(&'a Path);

impl Drop for Down<'_> {
    fn drop(&mut self) {
        phantasma(self.0, &["net", "down", "--purge"]);
    }
}

fn phantasma(dir: &Path, args: &[&str]) -> Output {
    Command::new(binary("phantasma"))
        .args(args)
        .args(["--json", "--dir"])
        .arg(dir)
        .output()
        .unwrap()
}

fn json(dir: &Path, args: &[&str]) -> Value {
    let output = phantasma(dir, args);
    assert!(
        output.status.success(),
        "{args:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

fn refusal(dir: &Path, args: &[&str]) -> String {
    let output = phantasma(dir, args);
    assert_eq!(output.status.code(), Some(1), "{args:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn pid(status: &Value) -> u32 {
    status["pid"].as_u64().unwrap().try_into().unwrap()
}

#[test]
fn a_net_goes_up_once_stays_goes_down_and_comes_back_with_its_chain() {
    let root = tempfile::tempdir().unwrap();
    let dir = root.path();
    let _down = Down(dir);
    let port = free_port().unwrap().to_string();
    let first = json(
        dir,
        &["net", "up", "--rpc-port", &port, "--block-time", "100"],
    );
    assert_eq!(first["running"], true);
    let again = json(dir, &["net", "up"]);
    assert_eq!(pid(&again), pid(&first));
    let other = free_port().unwrap().to_string();
    assert!(refusal(dir, &["net", "up", "--rpc-port", &other]).contains("runs already"));
    json(
        dir,
        &[
            "net",
            "fund",
            "NLUvZoejBgEN23eVkjne1RVo5MEXAWjrQU",
            "--gas",
            "1.5",
        ],
    );
    let blocks = json(dir, &["net", "status"])["block_count"]
        .as_u64()
        .unwrap();

    assert_eq!(json(dir, &["net", "down"])["was_running"], true);
    assert!(!exists(pid(&first)));
    assert_eq!(json(dir, &["net", "down"])["was_running"], false);
    assert_eq!(json(dir, &["net", "status"])["running"], false);
    assert!(
        refusal(dir, &["net", "fund", "NLUvZoejBgEN23eVkjne1RVo5MEXAWjrQU"]).contains("net up")
    );

    let back = json(dir, &["net", "up"]);
    assert_ne!(pid(&back), pid(&first));
    assert!(back["block_count"].as_u64().unwrap() >= blocks);
    let balance = json(
        dir,
        &["wallet", "balance", "NLUvZoejBgEN23eVkjne1RVo5MEXAWjrQU"],
    );
    assert_eq!(balance["balance"]["GAS"], "1.5");
    assert!(refusal(dir, &["net", "up", "--block-time", "200"]).contains("runs already"));
    json(dir, &["net", "down"]);
    assert!(refusal(dir, &["net", "up", "--block-time", "200"]).contains("--purge"));
    json(dir, &["net", "down", "--purge"]);
    assert!(!dir.join("net").exists());
}

#[test]
fn a_stale_pid_of_another_program_is_not_stopped() {
    let root = tempfile::tempdir().unwrap();
    let net = root.path().join("net");
    std::fs::create_dir_all(&net).unwrap();
    let mut other = Command::new("sleep").arg("60").spawn().unwrap();
    std::fs::write(net.join("node.pid"), other.id().to_string()).unwrap();
    assert_eq!(json(root.path(), &["net", "status"])["running"], false);
    assert_eq!(json(root.path(), &["net", "down"])["was_running"], false);
    assert!(other.try_wait().unwrap().is_none(), "it was stopped");
    other.kill().unwrap();
    other.wait().unwrap();
}

#[test]
fn a_taken_port_and_a_damaged_state_are_named() {
    let root = tempfile::tempdir().unwrap();
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = holder.local_addr().unwrap().port().to_string();
    let error = refusal(root.path(), &["net", "up", "--rpc-port", &port]);
    assert!(
        error.contains(&format!("port {port} on 127.0.0.1 is taken")),
        "{error}"
    );
    std::fs::write(root.path().join("net/net.toml"), "rpc_port = \"x\"").unwrap();
    let error = refusal(root.path(), &["net", "up"]);
    assert!(error.contains("net.toml is damaged"), "{error}");
}
