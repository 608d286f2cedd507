//! The tutorial: its commands are taken from the page and run, and print what the page says.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use phantasma_tests::{binary, free_port, free_udp_port};

/// A block of commands, and the lines that must be among those that it prints, in this order.
#[derive(Default)]
struct Step {
    commands: String,
    expected: Vec<String>,
}

/// Every `sh` block of a page with the `text` block behind it.
fn steps_of(page: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut fence = None;
    for line in page.lines() {
        match (fence, line.strip_prefix("```")) {
            (None, Some(kind)) => {
                if kind == "sh" {
                    steps.push(Step::default());
                }
                fence = Some(kind);
            }
            (Some(_), Some(_)) => fence = None,
            (Some("sh"), None) => {
                let step = steps.last_mut().unwrap();
                writeln!(step.commands, "{line}").unwrap();
            }
            (Some("text"), None) => steps.last_mut().unwrap().expected.push(line.to_owned()),
            (Some(_) | None, None) => {}
        }
    }
    steps
}

/// The page's ports are free on a reader's machine, but not where tests run side by side.
fn with_free_ports(script: &str) -> String {
    let host = "127.0.0.1:";
    let mut ports = BTreeMap::new();
    let mut out = String::new();
    let mut pieces = script.split(host);
    out.push_str(pieces.next().unwrap());
    for piece in pieces {
        let digits = piece.chars().take_while(char::is_ascii_digit).count();
        let (port, rest) = piece.split_at(digits);
        let tcp_and_udp = || {
            if port == "30333" {
                free_port().unwrap()
            } else {
                free_udp_port()
            }
        };
        let free = *ports.entry(port.to_owned()).or_insert_with(tcp_and_udp);
        write!(out, "{host}{free}{rest}").unwrap();
    }
    let rpc = ports["30333"];
    let up = "phantasma net up\n";
    assert!(out.contains(up), "the tutorial starts no net");
    out.replace(
        up,
        &format!("phantasma net up --rpc-port {rpc} --block-time 300\n"),
    )
}

/// Whether a line has all that stands around the page's `…`, in this order.
fn fits(line: &str, expected: &str) -> bool {
    let mut rest = line;
    expected.split('…').all(|part| match rest.find(part) {
        Some(at) => {
            rest = &rest[at + part.len()..];
            true
        }
        None => false,
    })
}

/// Stops what the script has left when it broke off.
struct Cleanup<'a>(&'a Path);

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let _ = Command::new(binary("phantasma"))
            .args(["net", "down", "--purge"])
            .current_dir(self.0)
            .output();
    }
}

#[test]
fn the_tutorial_does_what_it_says() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tutorial.md");
    let steps = steps_of(&fs::read_to_string(page).unwrap());
    assert!(steps.len() > 8, "{} blocks of commands", steps.len());
    let mut script = String::from("set -eu\ntrap 'kill $(jobs -p) 2>/dev/null || true' EXIT\n");
    for (number, step) in steps.iter().enumerate() {
        write!(script, "echo '@@ {number}'\n{}", step.commands).unwrap();
    }
    script.push_str("echo '@@ end'\n");
    let folder = tempfile::tempdir().unwrap();
    let _cleanup = Cleanup(folder.path());
    let programs = ["phantasma", "phantasma-relay", "phantasma-pdfs"].map(binary);
    let path = format!(
        "{}:{}",
        programs[0].parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    fs::write(folder.path().join("tutorial.sh"), with_free_ports(&script)).unwrap();
    let mut command = Command::new("timeout");
    command.args(["400", "bash", "-c", "exec bash tutorial.sh > said.txt 2>&1"]);
    for name in ["DIR", "RPC", "CONTRACT", "WALLET", "ACCOUNT", "PASSWORD"] {
        command.env_remove(format!("PHANTASMA_{name}"));
    }
    let status = command
        .current_dir(folder.path())
        .env("PATH", path)
        .status()
        .unwrap();
    let said = fs::read_to_string(folder.path().join("said.txt")).unwrap();
    assert!(
        status.success() && said.ends_with("@@ end\n"),
        "{status}: {said}"
    );
    for (number, step) in steps.iter().enumerate() {
        let after = said.split_once(&format!("@@ {number}\n")).unwrap().1;
        let own = after.split_once("@@ ").unwrap().0;
        let mut lines = own.lines();
        for expected in &step.expected {
            assert!(
                lines.any(|line| fits(line, expected)),
                "{expected:?} is not, or not in this place, in:\n{own}"
            );
        }
    }
}

#[test]
fn a_page_that_promises_something_else_is_found_out() {
    let steps = steps_of("a\n```sh\necho 1\n```\n```text\n1\n```\n```bash\nno\n```\n");
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].commands, "echo 1\n");
    assert_eq!(steps[0].expected, ["1"]);
    assert!(fits(
        "content 2 of box 1, transaction 0xab",
        "content 2 of box 1, transaction …"
    ));
    assert!(fits("N1: are you there?", "N…: are you there?"));
    for (line, expected) in [("hello", "hello, world"), ("b then a", "a…b"), ("", "x")] {
        assert!(!fits(line, expected), "{line:?} {expected:?}");
    }
}
