//! The daemon `phantasma serve` and its page, against a real chain, a relay and three storage nodes.

mod api;
mod browser;
mod world;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs")
}

/// The metrics that the dashboard asks for.
fn dashboard_metrics() -> BTreeSet<String> {
    let text = std::fs::read_to_string(docs().join("grafana/phantasma.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let mut expressions = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            expressions.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = expressions
        .iter()
        .flat_map(|text| text.split(|c| !is_name(c)));
    let ours = words.filter(|word| word.starts_with("phantasma_"));
    ours.map(str::to_owned).collect()
}
