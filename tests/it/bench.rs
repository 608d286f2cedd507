//! `phantasma bench contract`, without the peer that has to be installed: gas is exact, so this guards against the compiler
//! and the contract becoming dearer.

use std::process::Command;

use phantasma_tests::binary;
use serde_json::Value;

/// Ours beside what the same costs written by hand, at most.
const LIMITS: [(&str, f64); 6] = [
    ("transfer to a new account", 1.15),
    ("transfer to an existing account", 1.15),
    ("balanceOf", 1.15),
    ("counter in storage", 1.15),
    ("check a name of 32 bytes", 1.6),
    ("sum 1..1000", 1.6),
];

#[test]
fn gas_stays_within_reach_of_the_floor_and_is_printed_as_json() {
    let output = Command::new(binary("phantasma"))
        .args(["--json", "bench", "contract", "--peer", "none"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let lines: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
        .collect();
    for line in &lines {
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        let mut expected = [
            "bench",
            "case",
            "metric",
            "unit",
            "ours",
            "peer",
            "peer_name",
            "ratio",
        ];
        expected.sort_unstable();
        assert_eq!(keys, expected, "{line}");
        assert_eq!(line["bench"], "contract");
    }
    for (case, limit) in LIMITS {
        let line = lines
            .iter()
            .find(|l| l["case"] == case && l["metric"] == "execution" && l["peer_name"] == "floor")
            .unwrap_or_else(|| panic!("no line for {case}: {text}"));
        let (ours, floor) = (
            line["ours"].as_f64().unwrap(),
            line["peer"].as_f64().unwrap(),
        );
        assert!(floor > 1000.0, "{line}");
        assert!(ours <= floor * limit, "{line} is over {limit}");
    }
    let of = |case: &str, metric: &str| {
        let line = lines
            .iter()
            .find(|l| l["case"] == case && l["metric"] == metric);
        line.unwrap_or_else(|| panic!("no {metric} of {case}: {text}"))["ours"]
            .as_f64()
            .unwrap()
    };
    let bytes = of("Phantasma's contract", "nef") + of("Phantasma's contract", "manifest");
    assert!(bytes <= 19_000.0, "{bytes} bytes");
    for (case, limit) in [
        ("interpreter, up to 12 bytes", 75.0),
        ("interpreter, longer scripts", 130.0),
    ] {
        let units = of(case, "overhead");
        assert!(units > 0.0 && units <= limit, "{case}: {units}");
    }
}
