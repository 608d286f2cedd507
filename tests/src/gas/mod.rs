//! What each call of the three contracts costs on a real node, with few boxes, contents, nodes, proofs and buyers beside it
//! and with many; the page that says so; and whether a call has become dearer than the page says.
//!
//! Accounts, times and the numbers of the blocks are fixed, so each run gives the same.

mod page;
mod proofs;
mod sale;
mod soul;
mod world;

use std::collections::BTreeSet;

use world::World;

use crate::three::{Compiled, compiled};

pub use page::{COMMAND, page};

/// Of everything that is only there to be many: in the first world, in the second.
pub const CROWDS: [usize; 2] = [5, 500];
/// How much dearer than the page says a call may be, in percent.
pub const LEEWAY_PERCENT: i64 = 2;
/// Datoshi of a stored byte.
pub const BYTE: i64 = 100_000;
/// What numbers may grow by when there is more of everything: 5 has one byte, 500 has two, and a call writes at most so
/// many new keys with such a number.
pub const MOST_BYTES: i64 = 4;
/// Called by the other contracts only (names with `_` by the node): their prices are in those of the calls of the sale and the proofs.
const INTERNAL: [&str; 3] = ["mint", "collect", "reward"];
/// The contracts' names, in the order of [`compiled`].
pub const CONTRACTS: [&str; 3] = ["Phantasma", "PhantasmaSale", "PhantasmaProofs"];

/// What a call costs. Amounts are in datoshi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// A place in [`CONTRACTS`].
    pub contract: usize,
    pub method: &'static str,
    /// The call in words, which no other case has.
    pub name: String,
    /// What running it takes: the least system fee.
    pub gas: i64,
    /// With one ordinary signature.
    pub network_fee: i64,
}

/// A case in both worlds.
#[derive(Clone, Debug)]
pub struct Line {
    pub few: Case,
    /// What running it takes among many.
    pub many: i64,
}

/// All that was measured.
#[derive(Clone, Debug)]
pub struct Costs {
    pub lines: Vec<Line>,
    /// NEF bytes, manifest bytes, datoshi of the deployment.
    pub deployed: [(usize, usize, i64); 3],
}

/// Measures everything, on two nodes.
pub async fn measure() -> Costs {
    let few = in_world(CROWDS[0]).await;
    let many = in_world(CROWDS[1]).await;
    let sizes = compiled().each_ref().map(Compiled::bytes);
    let deployed = [0, 1, 2].map(|at| (sizes[at][0], sizes[at][1], few.deployed[at]));
    let pairs = few.found.into_iter().zip(many.found);
    let lines = pairs.map(|(few, many)| {
        assert_eq!(few.name, many.name, "both worlds measure the same");
        let many = many.gas;
        Line { few, many }
    });
    let lines: Vec<Line> = lines.collect();
    check_complete(&lines);
    Costs { lines, deployed }
}

async fn in_world(crowd: usize) -> World {
    let mut world = World::start(crowd).await;
    soul::measure(&mut world).await;
    sale::measure(&mut world).await;
    proofs::measure(&mut world).await;
    // Both wait for what comes later than all the others.
    sale::measure_after_the_end(&mut world).await;
    proofs::measure_after_the_deadline(&mut world).await;
    world
}

/// Each method that a manifest has is measured, and no two cases have one name.
fn check_complete(lines: &[Line]) {
    for (at, contract) in compiled().iter().enumerate() {
        let methods = contract.manifest.abi.methods.iter();
        for method in methods.map(|method| method.name.as_str()) {
            let measured = |line: &Line| line.few.contract == at && line.few.method == method;
            let known =
                INTERNAL.contains(&method) || method.starts_with('_') || lines.iter().any(measured);
            assert!(known, "{method} of {} is not measured", CONTRACTS[at]);
        }
    }
    let names: BTreeSet<&str> = lines.iter().map(|line| line.few.name.as_str()).collect();
    assert_eq!(names.len(), lines.len(), "two cases have one name");
}

/// Which calls grow with how much there is beside them: by more than a few bytes of numbers, or by anything else.
pub fn growing(costs: &Costs) -> Vec<String> {
    let grows = |line: &&Line| {
        let by = line.many - line.few.gas;
        by % BYTE != 0 || !(-MOST_BYTES..=MOST_BYTES).contains(&(by / BYTE))
    };
    let told = |line: &Line| format!("{}: {} and {}", line.few.name, line.few.gas, line.many);
    costs.lines.iter().filter(grows).map(told).collect()
}

/// Which calls are dearer than a page says, or not on it, or on it and gone.
pub fn dearer(costs: &Costs, page: &str) -> Vec<String> {
    let told = page::costs(page);
    let mut found = Vec::new();
    for line in &costs.lines {
        let name = &line.few.name;
        match told.get(name) {
            None => found.push(format!("{name} is not on the page")),
            Some(told) if line.few.gas * 100 > told * (100 + LEEWAY_PERCENT) => {
                found.push(format!(
                    "{name}: {} datoshi, the page says {told}",
                    line.few.gas
                ));
            }
            Some(_) => {}
        }
    }
    let gone = told
        .keys()
        .filter(|name| costs.lines.iter().all(|line| line.few.name != **name));
    found.extend(gone.map(|name| format!("{name} is on the page, and not measured")));
    found
}

/// One JSON object a line, as the benches print them; the peer of a call among many is the same among few.
pub fn json(costs: &Costs) -> String {
    let gas = |datoshi: i64| datoshi as f64 / 1e8;
    let mut out = Vec::new();
    for line in &costs.lines {
        let case = format!("{}: {}", CONTRACTS[line.few.contract], line.few.name);
        let object = |metric: &str, ours: f64, peer: Option<f64>| {
            serde_json::json!({
                "bench": "gas", "case": case, "metric": metric, "unit": "GAS", "ours": ours,
                "peer": peer, "peer_name": peer.map(|_| format!("{} beside it", CROWDS[0])),
                "ratio": peer.map(|peer| ours / peer),
            })
        };
        let few = gas(line.few.gas);
        out.push(object("system fee", few, None));
        out.push(object("network fee", gas(line.few.network_fee), None));
        let metric = format!("system fee, {} beside it", CROWDS[1]);
        out.push(object(&metric, gas(line.many), Some(few)));
    }
    out.iter().map(|line| format!("{line}\n")).collect()
}
