//! Random programs of the contract subset: what rustc's program gives natively is what the node must give for `neoc`'s,
//! with every optimisation on and with all of them off.

mod batch;
mod expr;
mod generate;
mod native;
mod program;
mod shrink;
mod stmt;
mod writer;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use neo_client::Account;
use tokio::task::JoinSet;

use self::batch::{Given, Group, Pair, Refused};
use self::native::Toolchain;
use self::program::Program;
use super::Tally;
use crate::{PrivateNetConfig, TestNet};

/// Programs that are built into one native program.
const BATCH: usize = 192;
/// Programs of one contract, if its size allows.
const GROUP: usize = 16;
/// A contract costs about 15 GAS.
const DEPLOYER_GAS: u64 = 1_000_000;
/// More blocks a second: each holds one deployment.
const BLOCK_TIME_MS: u32 = 100;
/// Failures that are made smaller; it takes seconds each.
const MAX_SHRUNK: usize = 3;
/// What the node bounds and the native chain does not measure.
const UNMEASURED: &[&str] = &[
    "gas limit",
    "GAS limit",
    "stack is too big",
    "insufficient gas",
];

/// Everything a run needs.
pub(super) struct Bench {
    net: TestNet,
    deployer: Account,
    tools: Toolchain,
    /// Contracts named so far: the node takes none twice.
    names: AtomicUsize,
}

/// How one program did.
#[derive(Clone, Debug, Default)]
struct Judged {
    program: Option<Program>,
    halts: usize,
    faults: usize,
    differences: Vec<String>,
}

/// Runs the programs `0..count` of a seed.
pub async fn run(seed: u64, count: usize) -> Tally {
    let config = PrivateNetConfig {
        block_time_ms: BLOCK_TIME_MS,
        ..PrivateNetConfig::default()
    };
    let (net, tools) = tokio::join!(TestNet::with(config), Toolchain::find());
    let deployer = net.funded_account(DEPLOYER_GAS).await;
    let bench = Arc::new(Bench {
        net,
        deployer,
        tools,
        names: AtomicUsize::new(0),
    });
    let mut tally = Tally::default();
    let mut shrunk = 0;
    let mut starts = (0..count).step_by(BATCH);
    let mut open = JoinSet::new();
    loop {
        // Two at a time: rustc builds one while the node takes the other.
        while open.len() < 2
            && let Some(start) = starts.next()
        {
            let bench = Arc::clone(&bench);
            let programs = start..count.min(start + BATCH);
            let programs = programs
                .map(|index| generate::program(seed, index))
                .collect();
            open.spawn(async move { judge(&bench, programs).await });
        }
        let Some(judged) = open.join_next().await else {
            break;
        };
        let judged = judged.expect("a batch ends");
        for one in judged {
            tally.halts += one.halts;
            tally.faults += one.faults;
            if one.differences.is_empty() {
                tally.passed += 1;
                continue;
            }
            let Some(mut program) = one.program else {
                continue;
            };
            let mut differences = one.differences;
            if shrunk < MAX_SHRUNK {
                shrunk += 1;
                (program, differences) = shrink::smaller(&bench, program, differences).await;
            }
            let text = report(seed, &program, &differences);
            let file = bench
                .tools
                .folder()
                .join(format!("failure-{seed}-{}.txt", program.index));
            std::fs::write(&file, &text).expect("a report can be written");
            println!("FAILED {text}");
            tally.failures.push(format!(
                "program {} of seed {seed}: {}",
                program.index,
                file.display()
            ));
        }
        println!(
            "{} of {count} programs: {} passed, {} failed, {} calls returned, {} faulted",
            tally.passed + tally.failures.len(),
            tally.passed,
            tally.failures.len(),
            tally.halts,
            tally.faults
        );
    }
    tally
}

/// The source of the contract that holds the program `index` of a seed.
pub fn source(seed: u64, index: usize) -> String {
    let programs = vec![generate::program(seed, index)];
    let name = "Alone".to_owned();
    Group { name, programs }.source()
}

fn report(seed: u64, program: &Program, differences: &[String]) -> String {
    format!(
        "program {} of seed {seed}\n{}\n{}\n",
        program.index,
        program.source(),
        differences.join("\n")
    )
}

/// Builds, runs and compares programs.
async fn judge(bench: &Bench, programs: Vec<Program>) -> Vec<Judged> {
    let mut groups: Vec<Group> = programs
        .chunks(GROUP)
        .map(|programs| Group {
            name: format!("T{}x", bench.names.fetch_add(1, Ordering::Relaxed)),
            programs: programs.to_vec(),
        })
        .collect();
    let mut judged = Vec::new();
    // A program that rustc refuses is the generator's mistake, not the compiler's: it is said, and counts as failed.
    let built = loop {
        groups.retain(|group| !group.programs.is_empty());
        let refusals = match native::build(&bench.tools, &groups).await {
            Ok(built) => break built,
            Err(refusals) => refusals,
        };
        for (at, group) in groups.iter_mut().enumerate() {
            let mut gone = BTreeSet::new();
            for refusal in refusals.iter().filter(|r| r.group == at) {
                let program = group.program_at(refusal.line).unwrap_or(0);
                if gone.insert(program) {
                    let source = group.source();
                    let line = source.lines().nth(refusal.line - 1).unwrap_or_default();
                    judged.push(Judged {
                        program: Some(group.programs[program].clone()),
                        differences: vec![format!("rustc refuses: {}\n{line}", refusal.message)],
                        ..Judged::default()
                    });
                }
            }
            *group = group.without(&gone);
        }
    };
    let mut refused = Vec::new();
    let contracts: Vec<_> = groups.iter().enumerate().collect();
    let pairs: Vec<(usize, Pair)> = contracts
        .iter()
        .flat_map(|(at, group)| {
            let pairs = (*group).clone().compiled(&mut refused);
            pairs
                .into_iter()
                .map(|pair| (*at, pair))
                .collect::<Vec<_>>()
        })
        .collect();
    judged.extend(refused.into_iter().map(|Refused { program, why }| Judged {
        program: Some(program),
        differences: vec![format!("neoc refuses: {why}")],
        ..Judged::default()
    }));
    let mut calls = Vec::new();
    for (at, pair) in &pairs {
        for program in &pair.group.programs {
            for args in &program.calls {
                let args: Vec<_> = args.iter().map(|arg| arg.for_native()).collect();
                calls.push(format!("{at} {} {}", program.method, args.join(" ")));
            }
        }
    }
    let on_node = async {
        let mut plain = Vec::new();
        let mut optimised = Vec::new();
        for (_, pair) in &pairs {
            let [first, second] = pair.deploy(&bench.net, &bench.deployer).await;
            plain.extend(pair.call(&bench.net, first).await);
            optimised.extend(pair.call(&bench.net, second).await);
        }
        (plain, optimised)
    };
    let (native, (plain, optimised)) = tokio::join!(native::run(&built, &calls), on_node);
    let mut at = 0;
    for (_, pair) in &pairs {
        for program in &pair.group.programs {
            let mut one = Judged {
                program: Some(program.clone()),
                ..Judged::default()
            };
            for args in &program.calls {
                let call = format!("{}({args:?})", program.method);
                compare(&mut one, &call, native.get(at), &plain[at], &optimised[at]);
                at += 1;
            }
            judged.push(one);
        }
    }
    judged
}

/// Compares one call's three outcomes.
fn compare(
    one: &mut Judged,
    call: &str,
    native: Option<&String>,
    plain: &Given,
    optimised: &Given,
) {
    let native = native.map_or("(the native program died)", String::as_str);
    let agrees = |given: &Given| match given {
        Given::Value(value) => value == native,
        Given::Fault(message) => {
            native.starts_with('!') && same_words(native, message)
                || UNMEASURED.iter().any(|words| message.contains(words))
        }
    };
    if agrees(plain) && agrees(optimised) {
        match plain {
            Given::Value(_) => one.halts += 1,
            Given::Fault(_) => one.faults += 1,
        }
        return;
    }
    one.differences.push(format!(
        "{call}\n  natively:  {native}\n  plain:     {plain:?}\n  optimised: {optimised:?}"
    ));
}

/// What a program itself says when it gives up, it says everywhere.
fn same_words(native: &str, node: &str) -> bool {
    let own = ["refused", "seven"];
    own.iter()
        .all(|word| (native == format!("!{word}")) == node.contains(*word))
}
