//! The `phantasma` command.

use std::process::ExitCode;

use clap::Parser;
use phantasma::cmd::{self, Cli};
use phantasma::contract::{Artifacts, Program};
use phantasma::refusal;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: starting the runtime: {error}");
            return ExitCode::FAILURE;
        }
    };
    let artifacts = Artifacts::folder(&cli.global.dir);
    let ran = runtime.block_on(cmd::run(cli));
    // Work that was given up on its time limit must not keep the command from ending.
    runtime.shutdown_background();
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let told = in_full(&error);
            eprintln!("error: {}", refusal::plain(&told));
            // Known where the contract was built or deployed from this folder.
            let place = Program::ALL.iter().find_map(|program| {
                let artifacts = Artifacts::load_one(*program, &artifacts).ok()?;
                refusal::place(&told, &artifacts)
            });
            if let Some(place) = place {
                eprintln!("  {place}");
            }
            ExitCode::FAILURE
        }
    }
}

/// An error and its causes on one line, without those that an outer one has already told.
fn in_full(error: &anyhow::Error) -> String {
    error
        .chain()
        .map(ToString::to_string)
        .fold(String::new(), |told, cause| match () {
            () if told.contains(&cause) => told,
            () if told.is_empty() => cause,
            () => format!("{told}: {cause}"),
        })
}
