//! `torture vm|compiler|bounds|economy|relay --count N --seed S`: generated tests, as many as one likes; `economy` natively, the
//! others against a real node. `torture economy --replay N` runs so many of the same sequences on a real node, too. `torture scenario`
//! runs the economy once on a real node, and prints who has what. `torture gas` measures what each call costs, and writes the
//! page that says so. `torture simulate-pdfs|simulate-relays [--count NODES] --seed S`: a network
//! of 2,000 nodes, as a table. `torture abuse`: a relay under attack. `torture pdfs --count N --seed S [--first CASE]`: a cluster of
//! storage nodes in trouble.

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use phantasma_tests::gas;
use phantasma_tests::simulate::{self, Findings};
use phantasma_tests::torture::relay::abuse;
use phantasma_tests::torture::{self, Tally};

const USAGE: &str =
    "usage: torture vm|compiler|bounds|economy|relay|simulate-pdfs|simulate-relays [--count N] [--seed S]
       torture pdfs [--count N] [--seed S] [--first CASE]
       torture economy --replay N [--seed S]
       torture scenario
       torture abuse [--small] [--garbage|--rate|--spoofed|--slow|--idle|--forged|--honest|--windows N]
       torture gas [--write FILE] [--json]";

struct Args {
    what: String,
    count: Option<usize>,
    seed: u64,
    /// Sequences of the economy that run on a node.
    replay: Option<usize>,
    /// The first case of storage nodes.
    first: usize,
    write: Option<String>,
    json: bool,
    /// How much of everything is done to a relay.
    abuse: abuse::Size,
}

fn args() -> Result<Args, String> {
    let mut given = std::env::args().skip(1);
    let what = given.next().ok_or(USAGE)?;
    let mut args = Args {
        what,
        count: None,
        seed: fresh_seed(),
        replay: None,
        first: 0,
        write: None,
        json: false,
        abuse: abuse::Size::FULL,
    };
    while let Some(name) = given.next() {
        if name == "--json" {
            args.json = true;
            continue;
        }
        if name == "--small" {
            args.abuse = abuse::Size::SMALL;
            continue;
        }
        let value = given.next().ok_or(USAGE)?;
        if name == "--write" {
            args.write = Some(value);
            continue;
        }
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{name} {value}: not a number"))?;
        match name.as_str() {
            "--count" => args.count = Some(usize::try_from(number).map_err(|e| e.to_string())?),
            "--seed" => args.seed = number,
            "--replay" => args.replay = usize::try_from(number).ok(),
            "--first" => args.first = usize::try_from(number).map_err(|e| e.to_string())?,
            other => {
                let number = usize::try_from(number).map_err(|e| e.to_string())?;
                let known = other.strip_prefix("--");
                if !known.is_some_and(|name| args.abuse.set(name, number)) {
                    return Err(USAGE.to_owned());
                }
            }
        }
    }
    Ok(args)
}

fn fresh_seed() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |time| time.as_micros() as u64 % 1_000_000_000)
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = match args() {
        Ok(args) => args,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    if args.what == "gas" {
        return measure_gas(&args).await;
    }
    if args.what == "scenario" {
        phantasma_tests::scenario::run().await;
        return ExitCode::SUCCESS;
    }
    if args.what == "abuse" {
        return abuse(args.abuse).await;
    }
    if args.what == "pdfs"
        && let Some(code) = torture::pdfs::inside(args.seed)
    {
        return code;
    }
    let start = Instant::now();
    let nodes = args.count.unwrap_or(simulate::NODES).max(2);
    match args.what.as_str() {
        "simulate-pdfs" => {
            let options = simulate::pdfs::Options::new(nodes, args.seed);
            let mut findings = simulate::pdfs::run(&options);
            simulate::flood::run(nodes, args.seed, &mut findings);
            return show(&findings, start);
        }
        "simulate-relays" => {
            let options = simulate::relays::Options::new(nodes, args.seed);
            return show(&simulate::relays::run(&options), start);
        }
        _ => {}
    }
    let count = args.replay.or(args.count).unwrap_or(1000);
    println!("torture {}: {count} cases of seed {}", args.what, args.seed);
    let tally = match args.what.as_str() {
        "vm" => torture::vm::run(args.seed, count).await,
        "compiler" => torture::compiler::run(args.seed, count).await,
        "economy" => match args.replay {
            Some(count) => {
                let replayed = torture::economy::onchain::run(args.seed, count).await;
                println!("{}", replayed.report());
                replayed.tally
            }
            None => torture::economy::run(args.seed, count),
        },
        "relay" => torture::relay::run(args.seed, count).await,
        "pdfs" => torture::pdfs::run(args.seed, args.first, count).await,
        "bounds" => {
            let (mut tally, ratios) = torture::bounds::run(args.seed, count).await;
            ratios.report();
            tally.failures.extend(ratios.too_wide());
            tally
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    report(&tally, start)
}

/// Prints what each call costs, and writes the page if asked.
async fn measure_gas(args: &Args) -> ExitCode {
    let costs = gas::measure().await;
    let page = gas::page(&costs);
    match (args.json, &args.write) {
        (true, _) => print!("{}", gas::json(&costs)),
        (false, None) => print!("{page}"),
        (false, Some(_)) => {}
    }
    if let Some(path) = &args.write {
        if let Err(error) = std::fs::write(path, &page) {
            eprintln!("writing {path}: {error}");
            return ExitCode::FAILURE;
        }
        eprintln!("{} calls written to {path}", costs.lines.len());
    }
    let growing = gas::growing(&costs);
    for told in &growing {
        eprintln!("GROWS {told}");
    }
    if growing.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn show(findings: &Findings, start: Instant) -> ExitCode {
    println!("{}", findings.text());
    for missed in &findings.missed {
        println!("MISSED {missed}");
    }
    println!("{:.0} s", start.elapsed().as_secs_f64());
    if findings.missed.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Prints each phase beside calm.
async fn abuse(size: abuse::Size) -> ExitCode {
    println!("{size:?}\n{}", abuse::HEAD);
    let phases = abuse::run(size, |phase| println!("{}", phase.line())).await;
    let failures = phases.iter().flat_map(|phase| {
        let told = move |failure| format!("{}: {failure}", phase.name);
        phase.failures(true).into_iter().map(told)
    });
    let failures: Vec<String> = failures.collect();
    for failure in &failures {
        println!("FAILED {failure}");
    }
    match failures.is_empty() {
        true => {
            println!("abuse: ok");
            ExitCode::SUCCESS
        }
        false => ExitCode::FAILURE,
    }
}

fn report(tally: &Tally, start: Instant) -> ExitCode {
    for failure in &tally.failures {
        println!("FAILED {failure}\n");
    }
    println!(
        "{} executions returned, {} faulted, {:.0} s",
        tally.halts,
        tally.faults,
        start.elapsed().as_secs_f64()
    );
    println!("{} passed, {} failed", tally.passed, tally.failures.len());
    if tally.failures.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
