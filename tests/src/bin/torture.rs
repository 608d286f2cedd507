//! `torture vm|compiler|bounds|economy|relay --count N --seed S`: generated tests, as many as one likes; `economy` natively, the
//! others against a real node.

use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use phantasma_tests::torture::relay::abuse;
use phantasma_tests::torture::{self, Tally};

const USAGE: &str =
    "usage: torture vm|compiler|bounds|economy|relay [--count N] [--seed S], or torture abuse";

struct Args {
    what: String,
    count: usize,
    seed: u64,
}

fn args() -> Result<Args, String> {
    let mut given = std::env::args().skip(1);
    let what = given.next().ok_or(USAGE)?;
    let mut args = Args {
        what,
        count: 1000,
        seed: fresh_seed(),
    };
    while let Some(name) = given.next() {
        let value = given.next().ok_or(USAGE)?;
        let number: u64 = value
            .parse()
            .map_err(|_| format!("{name} {value}: not a number"))?;
        match name.as_str() {
            "--count" => args.count = usize::try_from(number).map_err(|e| e.to_string())?,
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
    if args.what == "abuse" {
        return abuse().await;
    }
    println!(
        "torture {}: {} cases of seed {}",
        args.what, args.count, args.seed
    );
    let start = Instant::now();
    let tally = match args.what.as_str() {
        "vm" => torture::vm::run(args.seed, args.count).await,
        "compiler" => torture::compiler::run(args.seed, args.count).await,
        "economy" => torture::economy::run(args.seed, args.count),
        "relay" => torture::relay::run(args.seed, args.count).await,
        "bounds" => {
            let (mut tally, ratios) = torture::bounds::run(args.seed, args.count).await;
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

/// Prints each phase beside the calm one.
async fn abuse() -> ExitCode {
    let phases = abuse::run(abuse::Size::FULL).await;
    let calm = phases.first().map_or(f64::NAN, |phase| phase.p99_ms);
    let mut failed = false;
    for phase in &phases {
        let slower = phase.p99_ms / calm;
        let held = phase.rss_mib <= phase.bound_mib;
        failed |= !held;
        println!(
            "{:<20} p50 {:>8.2} ms, p99 {:>8.2} ms ({slower:.2} of calm, at most 2), {:>7.1} MiB of at most {:.0}{} {}",
            phase.name,
            phase.p50_ms,
            phase.p99_ms,
            phase.rss_mib,
            phase.bound_mib,
            if held { "" } else { " EXCEEDED" },
            phase.note,
        );
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
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
