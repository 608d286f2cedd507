//! `phantasma bench`: what things cost, beside peers.

use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand, ValueEnum};

use super::Context;
use crate::bench::{self, Options};

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Gas and bytes of contracts on a real node: ours, neo3-boa's, and written by hand. A missed target is said in the
    /// last line, and is no failure.
    Contract(ContractBench),
    /// How fast the relay is on this machine, beside bare UDP and NATS, what batch signatures save, and how fast durable
    /// messages are. Use a release build. A missed target is said in the last line, and is no failure.
    Relay(RelayBench),
    /// The relay that the bench measures, as a process of its own; ends with its input
    #[command(name = bench::relay::SERVER, hide = true)]
    RelayServer {
        /// For its data.
        folder: PathBuf,
    },
    /// Keys for a group of a million: size of a header, time to make it and to open it, with 1, 100 and 10,000 members
    /// left out.
    Keys,
    /// GAS of a message on the chain on a real node: alone, merged with others, and under an anchor.
    Messages,
    /// Speed and memory of the storage network beside quinn, iroh-blobs, RocksDB and the bare disk. Build in release.
    Pdfs(PdfsBench),
}

#[derive(Debug, Args)]
pub struct RelayBench {
    /// Seconds of each measurement
    #[arg(long, default_value = "2")]
    seconds: f64,
    /// Measurements of each kind, of which the middle one counts
    #[arg(long, default_value = "3")]
    rounds: usize,
}

#[derive(Debug, Args)]
pub struct PdfsBench {
    /// MiB of the contents that are put and read.
    #[arg(long, default_value_t = 1024, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    mib: u64,
    /// MiB of the content in which is sought.
    #[arg(long, default_value_t = 10_240, value_parser = clap::value_parser!(u64).range(1..=65_536))]
    seek_mib: u64,
    /// Contents of 1 KiB that are put.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(10..))]
    small: u64,
    /// Times that each thing is measured, in turn with its peers; the median counts.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=99))]
    runs: u8,
    /// Where to write [default: a folder below target/, removed at the end].
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// The network beside ours; it is built from the registry below target/, once.
    #[arg(long, default_value = "iroh")]
    peer: Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Network {
    /// iroh-blobs.
    Iroh,
    /// None.
    None,
}

#[derive(Debug, Args)]
pub struct ContractBench {
    /// The compiler beside ours; it is installed from PyPI below target/, once.
    #[arg(long, default_value = "boa")]
    peer: Peer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Peer {
    /// neo3-boa, for Python.
    Boa,
    /// The floor alone.
    None,
}

pub(super) async fn run(context: &Context, command: BenchCommand) -> Result<()> {
    // With `--json` standard output is data; what goes wrong must be heard all the same.
    let say = |text: &str| {
        let _ = writeln!(std::io::stderr(), "{text}");
    };
    let (report, text) = match command {
        BenchCommand::Contract(arguments) => {
            let options = Options {
                boa: arguments.peer == Peer::Boa,
            };
            let report = bench::contract(&options, &say).await?;
            let text = report.text();
            (report, text)
        }
        BenchCommand::Relay(arguments) => {
            let options = bench::relay::Options {
                time: Duration::try_from_secs_f64(arguments.seconds).context("--seconds")?,
                rounds: arguments.rounds.max(1),
            };
            let report = bench::relay::run(&options, &say).await?;
            let text = report.text();
            (report, text)
        }
        BenchCommand::RelayServer { folder } => return bench::relay::serve(folder).await,
        BenchCommand::Messages => {
            let report = bench::messages::messages(&say).await?;
            let text = report.text();
            (report, text)
        }
        BenchCommand::Keys => {
            let report = bench::keys::keys(&say)?;
            let text = bench::keys::text(&report);
            (report, text)
        }
        BenchCommand::Pdfs(arguments) => {
            let options = bench::pdfs::Options {
                bytes: arguments.mib << 20,
                seek_bytes: arguments.seek_mib << 20,
                small: arguments.small,
                runs: usize::from(arguments.runs),
                dir: arguments.dir,
                iroh: arguments.peer == Network::Iroh,
            };
            let report = bench::pdfs::run(&options, &say).await?;
            let text = bench::pdfs::text(&report);
            (report, text)
        }
    };
    let text = if context.global.json {
        report.json()?
    } else {
        text
    };
    match writeln!(std::io::stdout(), "{text}") {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}
