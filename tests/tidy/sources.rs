//! Rules 2 and 5, and the habits of the house that a program can see.

use std::fs;

use crate::{files, none, root};

/// Library sources of the pure crates (architecture, rule 2).
const PURE: &[&str] = &[
    "devpack/opcode/src",
    "devpack/compiler/src",
    "vm-compat/src",
    "wire/src",
];

/// What a pure crate may not name.
const IMPURE: &[&str] = &[
    "std::net",
    "std::fs",
    "std::thread",
    "std::time::Instant",
    "SystemTime",
    "tokio::",
    "rand::",
    "std::env",
];

/// Binaries may do what libraries may not.
const BINARIES: &[&str] = &["devpack/compiler/src/main.rs"];

/// Lines after which a file should have become two.
const MAX_LINES: usize = 600;

fn relative(path: &std::path::Path) -> String {
    path.strip_prefix(root())
        .unwrap_or(path)
        .display()
        .to_string()
}

fn code_only(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .take_while(|line| !line.trim_start().starts_with("mod tests"))
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

/// Whether `code` holds `word` as a name of its own and not as the end of a longer one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word)
        .any(|(at, _)| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_'))
}

#[test]
fn pure_crates_touch_no_file_socket_clock_or_random_source() {
    let mut findings = Vec::new();
    for path in PURE
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
    {
        let name = relative(&path);
        if BINARIES.contains(&name.as_str()) {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, code) in code_only(&text) {
            for word in IMPURE.iter().filter(|word| names(code, word)) {
                findings.push(format!("{name}:{}: {word}", line + 1));
            }
        }
    }
    none("pure crates that reach outside", findings);
}

#[test]
fn rocksdb_never_leaves_the_store_of_the_storage_node() {
    let mut findings = Vec::new();
    for path in files(&root(), "rs") {
        let name = relative(&path);
        // The bench measures the store beside RocksDB with bodies.
        let peer = name.starts_with("benches");
        if name.starts_with("pdfs-node/src/store") || name.starts_with("tests/tidy") || peer {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, _) in code_only(&text).filter(|(_, code)| code.contains("rocksdb::")) {
            findings.push(format!("{name}:{}", line + 1));
        }
    }
    none("RocksDB outside pdfs-node/src/store", findings);
}

#[test]
fn no_file_has_grown_into_two() {
    let mut findings = Vec::new();
    for path in files(&root(), "rs") {
        let lines = fs::read_to_string(&path)
            .expect("a source file")
            .lines()
            .count();
        if lines > MAX_LINES {
            findings.push(format!("{}: {lines} lines", relative(&path)));
        }
    }
    none(&format!("files over {MAX_LINES} lines"), findings);
}

#[test]
fn no_test_is_switched_off_and_nothing_is_left_open() {
    let marks = [
        "#[ignore",
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("FIX", "ME"),
    ];
    let mut findings = Vec::new();
    for path in files(&root(), "rs") {
        let name = relative(&path);
        if name.starts_with("tests/tidy") {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, code) in text.lines().enumerate() {
            for mark in marks.iter().filter(|mark| code.contains(**mark)) {
                findings.push(format!("{name}:{}: {mark}", line + 1));
            }
        }
    }
    none("left open", findings);
}

#[test]
fn unsafe_code_is_forbidden_in_every_crate() {
    let mut findings = Vec::new();
    for path in files(&root(), "toml") {
        if path.file_name().and_then(|n| n.to_str()) != Some("Cargo.toml")
            || path == root().join("Cargo.toml")
        {
            continue;
        }
        let text = fs::read_to_string(&path).expect("a manifest");
        // Those are no members of the workspace, and so cannot take its lints.
        let alone = text.contains("\n[workspace]\n");
        if !alone && !text.contains("[lints]\nworkspace = true") {
            findings.push(relative(&path));
        }
    }
    none("manifests without the workspace's lints", findings);
}
