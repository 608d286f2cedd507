//! Rules 1 and 4: who may use whom.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::{files, none, root};

/// Package, and the packages of this workspace that it may depend on. `*` is all of them.
const MAY_USE: &[(&str, &[&str])] = &[
    ("neo-opcode", &[]),
    ("neo-framework-macros", &[]),
    ("neo-framework", &["neo-framework-macros"]),
    ("neoc", &["neo-opcode"]),
    ("neo-client", &["neo-opcode"]),
    ("phantasma-vm", &["neo-opcode", "neo-framework"]),
    ("phantasma-contract", &["neo-framework", "phantasma-vm"]),
    ("phantasma-sale", &["neo-framework"]),
    ("phantasma-proofs", &["neo-framework"]),
    ("phantasma-wire", &[]),
    ("phantasma-net", &["phantasma-wire"]),
    (
        "phantasma-sdk",
        &[
            "neo-client",
            "phantasma-wire",
            "phantasma-net",
            "phantasma-vm",
            "phantasma-contract",
            "neo-framework",
        ],
    ),
    (
        "phantasma-relay",
        &["phantasma-wire", "phantasma-net", "phantasma-sdk"],
    ),
    (
        "phantasma-pdfs",
        &["phantasma-wire", "phantasma-net", "phantasma-sdk"],
    ),
    (
        "phantasma-console",
        &["phantasma-net", "phantasma-vm", "phantasma-sdk"],
    ),
    (
        "phantasma-mail",
        &[
            "phantasma-vm",
            "phantasma-wire",
            "phantasma-net",
            "phantasma-sdk",
        ],
    ),
    ("phantasma", &["*"]),
    ("phantasma-pdfs-bench", &["*"]),
    ("phantasma-tests", &["*"]),
];

/// Packages that pure crates must not pull in, however convenient.
const IMPURE: &[&str] = &[
    "tokio",
    "quinn",
    "libp2p",
    "reqwest",
    "hyper",
    "axum",
    "rand",
    "rocksdb",
    "aws-lc-rs",
];
const PURE: &[&str] = &["neo-opcode", "phantasma-wire", "phantasma-vm", "neoc"];

fn packages() -> Vec<Value> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "metadata",
            "--format-version",
            "1",
            "--no-deps",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .expect("cargo metadata runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: Value =
        serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Package name to the names of its normal and build dependencies.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let mut all = BTreeMap::new();
    for package in packages() {
        let name = package["name"].as_str().expect("a name").to_owned();
        let uses = package["dependencies"]
            .as_array()
            .expect("dependencies")
            .iter()
            .filter(|d| d["kind"].as_str() != Some("dev"))
            .filter_map(|d| d["name"].as_str().map(str::to_owned))
            .collect();
        all.insert(name, uses);
    }
    all
}

#[test]
fn every_package_of_the_workspace_has_a_floor() {
    let named: Vec<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    let missing = dependencies()
        .into_keys()
        .filter(|name| !named.contains(&name.as_str()))
        .collect();
    none("packages without a row in MAY_USE", missing);
}

#[test]
fn arrows_go_only_where_the_architecture_says() {
    let all = dependencies();
    let mut findings = Vec::new();
    for (name, may_use) in MAY_USE {
        if may_use.contains(&"*") {
            continue;
        }
        let uses = all
            .get(*name)
            .unwrap_or_else(|| panic!("no package {name}"));
        for used in uses.iter().filter(|used| all.contains_key(*used)) {
            if !may_use.contains(&used.as_str()) {
                findings.push(format!("{name} -> {used}"));
            }
        }
    }
    none("arrows that the architecture does not know", findings);
}

#[test]
fn pure_crates_have_no_sockets_clocks_or_randomness_among_their_dependencies() {
    let all = dependencies();
    let mut findings = Vec::new();
    for name in PURE {
        for used in all
            .get(*name)
            .into_iter()
            .flatten()
            .filter(|used| IMPURE.contains(&used.as_str()))
        {
            findings.push(format!("{name} -> {used}"));
        }
    }
    none("impure dependencies of pure crates", findings);
}

/// Build time is everybody's: what nobody names goes.
#[test]
fn every_dependency_is_named_in_the_sources() {
    let mut findings = Vec::new();
    for package in packages() {
        let manifest =
            std::path::PathBuf::from(package["manifest_path"].as_str().expect("a manifest"));
        let folder = manifest.parent().expect("a folder");
        let sources: String = files(folder, "rs")
            .iter()
            .map(|path| std::fs::read_to_string(path).expect("a source file"))
            .collect();
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let name = dependency["rename"]
                .as_str()
                .or(dependency["name"].as_str())
                .expect("a name");
            if !sources.contains(&name.replace('-', "_")) {
                findings.push(format!(
                    "{}: {name}",
                    package["name"].as_str().unwrap_or_default()
                ));
            }
        }
    }
    none("dependencies that nothing names", findings);
}
