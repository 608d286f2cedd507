//! Random scripts as gates and contents of the real contract on a node: what each call takes is never above the bound that
//! was computed before.
//!
//! A case makes three boxes, writes to them and then uses the third; all in one transaction, which is only tried. The
//! emulator does the same beside the node, so that each bound is computed from the state that the call finds.

use neo_client::{Hash160, Signer, VmState};
use phantasma_sdk::contract::DeployParams;
use phantasma_sdk::emulator::{Emulator, Outcome, account};
use phantasma_vm::bound::{Bound, Boxes, Fees, Lookup, Method, PartName, Target, call_bound};
use phantasma_vm::{bound, disassemble};
use tokio::task::JoinSet;

use super::phrases;
use super::random::Random;
use super::{PARALLEL, Tally};
use crate::vmcost::meter::{self, Call, Meter};
use crate::vmcost::{call, create};

/// Half the cases must have a bound below so many times of what the node took.
pub const MEDIAN: f64 = 1.5;
/// SOUL that the other account gets, and the most that each call may charge.
const ALLOWANCE: u64 = 1_000_000_000;
const NAMES: [&str; 3] = ["a", "b", "c"];

/// Bounds beside what was taken.
#[derive(Clone, Debug, Default)]
pub struct Ratios {
    /// Whole calls, with the calling script, at Neo's own prices.
    pub calls: Vec<f64>,
    /// Gate and content alone, of calls that returned and whose scripts are known.
    pub scripts: Vec<f64>,
    /// How many of the whole calls run scripts that only the run knows, so that the contract's limits are their bound.
    pub wide: usize,
}

impl Ratios {
    /// Prints the spread of both lists.
    pub fn report(&self) {
        for (what, list) in [
            ("whole call", &self.calls),
            ("scripts alone", &self.scripts),
        ] {
            println!(
                "bound / real GAS, {what}: median {:.3}, p90 {:.3}, max {:.3} of {}",
                percentile(list, 50),
                percentile(list, 90),
                percentile(list, 100),
                list.len()
            );
        }
        println!(
            "{} of the {} whole calls run scripts that only the run knows; the contract's limits bound them",
            self.wide,
            self.calls.len()
        );
    }

    /// A complaint if the middle of either list is above [`MEDIAN`].
    #[must_use]
    pub fn too_wide(&self) -> Option<String> {
        let (calls, scripts) = (percentile(&self.calls, 50), percentile(&self.scripts, 50));
        // Not a number is no success.
        let good = calls <= MEDIAN && scripts <= MEDIAN;
        (!good).then(|| {
            format!("the median bound is {calls:.3} (scripts: {scripts:.3}) times the real GAS")
        })
    }
}

/// Runs `count` cases of a seed.
pub async fn run(seed: u64, count: usize) -> (Tally, Ratios) {
    let (net, deployer) = meter::net().await;
    let contract = meter::deploy(&net, &params(), &deployer).await;
    meter::set_prices(&net).await;
    let meter = Meter::new(&net, contract);
    let mut workers = JoinSet::new();
    for worker in 0..PARALLEL {
        let meter = meter.clone();
        workers.spawn(async move {
            let (mut tally, mut ratios) = (Tally::default(), Ratios::default());
            for index in (worker..count).step_by(PARALLEL) {
                one(&meter, seed, index, &mut tally, &mut ratios).await;
            }
            (tally, ratios)
        });
    }
    let (mut tally, mut ratios) = (Tally::default(), Ratios::default());
    while let Some(part) = workers.join_next().await {
        let (more, part) = part.expect("a worker ends");
        tally.add(more);
        ratios.calls.extend(part.calls);
        ratios.scripts.extend(part.scripts);
        ratios.wide += part.wide;
    }
    ratios.calls.sort_by(f64::total_cmp);
    ratios.scripts.sort_by(f64::total_cmp);
    (tally, ratios)
}

/// Of a sorted list, the value that so many percent are not above.
#[must_use]
pub fn percentile(sorted: &[f64], percent: usize) -> f64 {
    let at = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

fn params() -> DeployParams {
    DeployParams {
        owner: account("owner").hash,
        initial_supply: 10_000_000_000_000_000,
        box_fee: 1_000_000,
        content_base_fee: 1000,
        pool_share: 20,
        max_supply: 10_000_000_000_000_000,
        sale: Hash160::ZERO,
        proofs: Hash160::ZERO,
    }
}

/// One call, and what is known of it beforehand.
struct Planned {
    call: Call,
    caller: Hash160,
    /// Index in [`NAMES`]; none for what is not measured.
    target: Option<usize>,
    kind: Kind,
}

#[derive(Clone)]
enum Kind {
    Setup,
    Create(Vec<u8>),
    Write(Vec<u8>),
    Replace(Vec<u8>),
    ReadAt,
    Inputs(u64),
    Read,
    Inspect,
    Delete,
}

fn plan(random: &mut Random) -> Vec<Planned> {
    let (owner, other) = (account("owner"), account("other"));
    let mut plan = vec![Planned {
        call: call(
            "transfer",
            vec![
                owner.hash.into(),
                other.hash.into(),
                (ALLOWANCE * 10).into(),
                0u64.into(),
            ],
        ),
        caller: owner.hash,
        target: None,
        kind: Kind::Setup,
    }];
    let random_gate = random.below(3) < 2;
    for (at, name) in NAMES.iter().enumerate() {
        let last = at + 1 == NAMES.len();
        let gate = if last && random_gate || random.one_in(4) {
            phrases::script(random, at.max(1))
        } else {
            vec![0x08]
        };
        let keeper = if random.one_in(3) { other } else { owner };
        plan.push(Planned {
            call: create(&keeper, name, &gate),
            caller: keeper.hash,
            target: Some(at),
            kind: Kind::Create(gate),
        });
        let wild = last && (!random_gate || random.one_in(2));
        let content = content(random, wild);
        let author = if random.one_in(3) {
            other.hash
        } else {
            owner.hash
        };
        plan.push(write(author, at, content));
    }
    let caller = if random.one_in(3) {
        other.hash
    } else {
        owner.hash
    };
    let id = NAMES.len() as u64;
    let (method, params, kind) = match random.below(8) {
        0 => (
            "readContent",
            vec![caller.into(), id.into(), ALLOWANCE.into()],
            Kind::Read,
        ),
        1 => (
            "inspectContent",
            vec![caller.into(), id.into()],
            Kind::Inspect,
        ),
        2 => (
            "deleteContent",
            vec![caller.into(), id.into()],
            Kind::Delete,
        ),
        3 => {
            let content = content(random, true);
            let params = vec![
                caller.into(),
                id.into(),
                content[..].into(),
                ALLOWANCE.into(),
            ];
            ("replaceContent", params, Kind::Replace(content))
        }
        4 => {
            let inputs = random.below(4);
            let list = neo_client::ContractParam::Array(vec![3u64.into(); inputs]);
            let params = vec![
                caller.into(),
                id.into(),
                0u64.into(),
                list,
                ALLOWANCE.into(),
            ];
            ("callContent", params, Kind::Inputs(inputs as u64))
        }
        _ => {
            let params = vec![caller.into(), id.into(), 0u64.into(), ALLOWANCE.into()];
            ("readContentAt", params, Kind::ReadAt)
        }
    };
    plan.push(Planned {
        call: call(method, params),
        caller,
        target: Some(NAMES.len() - 1),
        kind,
    });
    plan
}

fn write(author: Hash160, at: usize, content: Vec<u8>) -> Planned {
    let params = vec![
        author.into(),
        (at as u64 + 1).into(),
        content[..].into(),
        ALLOWANCE.into(),
    ];
    Planned {
        call: call("writeContent", params),
        caller: author,
        target: Some(at),
        kind: Kind::Write(content),
    }
}

fn content(random: &mut Random, wild: bool) -> Vec<u8> {
    if !wild {
        return vec![0x08];
    }
    let script = phrases::script(random, NAMES.len());
    if !random.one_in(12) {
        return script;
    }
    // Up to 6 blocks; the last may be short.
    let blocks = random.below(6) + 1;
    let size = (blocks as u64 * 262_144 - random.below(9) as u64).to_le_bytes();
    [&[0xFA][..], &size, &random.bytes(32 * blocks), &script].concat()
}

async fn one(meter: &Meter, seed: u64, index: usize, tally: &mut Tally, ratios: &mut Ratios) {
    let mut random = Random::of_case(seed, index);
    let plan = plan(&mut random);
    let balances: Vec<Call> = [meter.owner, meter.other]
        .map(|who| call("balanceOf", vec![who.hash.into()]))
        .to_vec();
    let mut calls = Vec::new();
    for planned in &plan {
        calls.extend(balances.clone());
        calls.push(planned.call.clone());
    }
    calls.extend(balances);
    let taken = meter.run(&calls).await;
    let emulated = emulate(&plan);
    let mut problems = Vec::new();
    for (at, (planned, before)) in plan.iter().zip(&emulated).enumerate() {
        let (Some(bound), Some(price)) = (&before.bound, taken.prices.get(at * 3 + 2)) else {
            continue;
        };
        let entry = meter.entry_units(&planned.call) as u64;
        let real = bound::Cost::of(*price, &Fees::default());
        let mut say = |what: &str, most: u128, found: u128| {
            if found > most {
                problems.push(format!(
                    "{} took {found} {what}, the bound is {most}",
                    planned.call.method
                ));
            }
        };
        let total = &bound.total;
        say("units", total.units.into(), price.units.into());
        say("bytes", total.bytes.into(), price.bytes.into());
        say("picoGAS", total.gas_pico, real.gas_pico);
        say("steps", total.steps.into(), before.steps as u128);
        say("nested scripts", total.nested.into(), before.nested as u128);
        let who = usize::from(planned.caller == meter.other.hash);
        let balance = |at: usize| taken.results.get(at * 3 + who)?.as_u64().ok();
        if let (Some(old), Some(new)) = (balance(at), balance(at + 1)) {
            say("SOUL", total.soul, old.saturating_sub(new).into());
        }
        let faulted = at * 3 + 3 == taken.prices.len() && taken.fault.is_some();
        match &planned.kind {
            Kind::Setup | Kind::Create(_) => {}
            // One trivial script behind another says nothing about the analysis.
            _ if !before.is_random => {}
            _ => count(bound, &real, entry, faulted, ratios),
        }
    }
    match taken.fault {
        Some(_) => tally.faults += 1,
        None => tally.halts += 1,
    }
    if problems.is_empty() {
        tally.passed += 1;
        return;
    }
    let scripts = plan
        .iter()
        .map(|planned| show(planned.call.method, &planned.kind));
    tally.failures.push(format!(
        "case {index} of seed {seed}, {:?}:\n{}\n{}",
        taken.fault,
        scripts.collect::<String>(),
        problems.join("\n")
    ));
}

fn count(bound: &Bound, real: &bound::Cost, entry: u64, faulted: bool, ratios: &mut Ratios) {
    let price = bound::prices::Price {
        units: entry,
        bytes: 0,
    };
    let entry = bound::Cost::of(price, &Fees::default()).gas_pico;
    let ratio = |most: u128, found: u128| most as f64 / found.max(1) as f64;
    ratios
        .calls
        .push(ratio(bound.total.gas_pico + entry, real.gas_pico + entry));
    ratios.wide += usize::from(bound.wide);
    if faulted || bound.wide {
        return;
    }
    let scripts = |name| matches!(name, PartName::Gate | PartName::Content);
    let parts = bound.parts.iter();
    let rest: u128 = parts
        .filter(|part| !scripts(part.name))
        .map(|part| part.cost.gas_pico)
        .sum();
    // Where the method itself took less than its bound, this counts against the scripts.
    if real.gas_pico > rest {
        let most = bound.total.gas_pico - rest;
        ratios.scripts.push(ratio(most, real.gas_pico - rest));
    }
}

fn show(method: &str, kind: &Kind) -> String {
    match kind {
        Kind::Create(script) | Kind::Write(script) | Kind::Replace(script) => {
            let text = disassemble(script).unwrap_or_else(|e| e.to_string());
            format!("  {method} {}\n{text}", hex::encode(script))
        }
        _ => format!("  {method}\n"),
    }
}

/// What was known before a call, and what the emulator then did.
struct Before {
    bound: Option<Bound>,
    /// Whether a random script takes part.
    is_random: bool,
    steps: usize,
    nested: usize,
}

/// Does the same in the emulator, up to the first call that faults, and computes each bound before its call.
fn emulate(plan: &[Planned]) -> Vec<Before> {
    let emulator = Emulator::new(&params()).expect("the contract can be deployed");
    let signers = [account("owner"), account("other")].map(|who| Signer::new(who.hash));
    let mut all = Vec::new();
    for planned in plan {
        let (bound, is_random) = match call_of(&emulator, planned) {
            Some(call) => {
                let bound = call_bound(&call, &Fees::default(), &emulator);
                (Some(bound.expect("valid scripts")), is_random(&call))
            }
            None => (None, false),
        };
        let outcome: Outcome = emulator
            .call(&signers, planned.call.method, &planned.call.params)
            .expect("a call of the contract");
        let runs = &outcome.recording.runs;
        all.push(Before {
            bound,
            is_random,
            steps: outcome.recording.steps.len(),
            nested: runs.iter().filter(|run| run.level > 0).count(),
        });
        if outcome.state == VmState::Fault {
            break;
        }
    }
    all
}

fn is_random(call: &bound::Call) -> bool {
    let content = match &call.method {
        Method::ReadAt { content }
        | Method::Call { content, .. }
        | Method::Read { content }
        | Method::Inspect { content } => content.as_deref(),
        Method::Create { .. } | Method::Delete | Method::Write { .. } | Method::Replace { .. } => {
            None
        }
    };
    call.target.gate.len() > 1 || content.is_some_and(|content| content.len() > 1)
}

fn call_of(emulator: &Emulator, planned: &Planned) -> Option<bound::Call> {
    let id = planned.target? as u64 + 1;
    let mut target = match emulator.facts(id) {
        Lookup::Found(facts) => Target {
            id: Some(id),
            owner: Some(facts.owner),
            gate: facts.gate,
            contents: Some(facts.contents),
        },
        Lookup::Absent | Lookup::Unknown => Target::default(),
    };
    let stored = |index: u64| match emulator.content(id, index) {
        Lookup::Found(script) => Some(script),
        Lookup::Absent | Lookup::Unknown => None,
    };
    let latest = || stored(target.contents.unwrap_or(0).wrapping_sub(1));
    let method = match &planned.kind {
        Kind::Setup => return None,
        Kind::Create(gate) => {
            target.gate.clone_from(gate);
            target.owner = Some(planned.caller.0);
            Method::Create { name_bytes: 1 }
        }
        Kind::Write(content) => Method::Write {
            content: content.clone(),
        },
        Kind::Replace(content) => Method::Replace {
            content: content.clone(),
            old_bytes: latest().map(|script| script.len() as u64),
        },
        Kind::ReadAt => Method::ReadAt { content: stored(0) },
        Kind::Inputs(inputs) => Method::Call {
            content: stored(0),
            inputs: *inputs,
        },
        Kind::Read => Method::Read { content: latest() },
        Kind::Inspect => Method::Inspect { content: latest() },
        Kind::Delete => Method::Delete,
    };
    Some(bound::Call {
        target,
        method,
        caller: Some(planned.caller.0),
        max_payment: ALLOWANCE,
        content_base_fee: Some(params().content_base_fee),
        box_fee: Some(params().box_fee),
        entry_units: 0,
    })
}
