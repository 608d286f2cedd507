//! `torture vm|compiler|bounds|economy --count N --seed S`: generated tests, as many as one likes; `economy` natively, the
//! others against a real node. `torture simulate-pdfs|simulate-relays [--count NODES] --seed S`: a network of 2,000 nodes,
//! as a table.

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use phantasma_tests::simulate::{self, Findings};
use phantasma_tests::torture::{self, Tally};

const USAGE: &str = "usage: torture vm|compiler|bounds|economy|simulate-pdfs|simulate-relays [--count N] [--seed S]";

struct Args {
    what: String,
    count: Option<usize>,
    seed: u64,
}

fn args() -> Result<Args, String> {
    let mut given = std::env::args().skip(1);
    let what = given.next().ok_or(USAGE)?;
    let mut args = Args {
        what,
        count: None,
        seed: fresh_seed(),
    };
    while let Some(name) = given.next() {
        let value = given.next().ok_or(USAGE)?;
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{name} {value}: not a number"))?;
        match name.as_str() {
            "--count" => args.count = Some(usize::try_from(number).map_err(|e| e.to_string())?),
            "--seed" => args.seed = number,
            _ => return Err(USAGE.to_owned()),
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
    let count = args.count.unwrap_or(1000);
    println!("torture {}: {count} cases of seed {}", args.what, args.seed);
    let tally = match args.what.as_str() {
        "vm" => torture::vm::run(args.seed, count).await,
        "compiler" => torture::compiler::run(args.seed, count).await,
        "economy" => torture::economy::run(args.seed, count),
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
