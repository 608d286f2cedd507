//! `phantasma bench relay`: how fast the relay is, beside others on the same machine in the same run.
//!
//! One publisher, sixteen readers, all on loopback. Ours is signed, encrypted and checked at both ends; the peers are bare
//! UDP and NATS, which are neither, and NATS with messages that are signed and checked one by one. Systems take turns in short rounds, and the middle round counts, so that what else runs
//! on the machine hits them alike.

mod durable;
mod load;
mod nats;
mod ours;
mod server;
mod signatures;
mod udp;

use std::time::Duration;

use anyhow::Result;

use super::report::{Line, Report, Verdict, median};
use crate::service::program;
use load::{Load, Measured, SUBSCRIBERS};
use ours::Ours;
use server::Server;
pub(crate) use server::{COMMAND as SERVER, serve};

/// How long and how often to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Of one measurement.
    pub time: Duration,
    /// Measurements of each system, of which the middle one counts.
    pub rounds: usize,
}

/// Payloads that are measured, and how each is sent: messages of a batch, and messages under way. What is under way fits
/// the relay's 256 KiB of datagrams for each reader.
const SIZES: [Load; 2] = [
    Load {
        size: 1024,
        batch: 50,
        window: 150,
        rate: None,
        time: Duration::ZERO,
    },
    Load {
        size: 100,
        batch: 128,
        window: 384,
        rate: None,
        time: Duration::ZERO,
    },
];

/// Milliseconds that 99 of 100 messages must stay below at half load.
const P99_MS: f64 = 5.0;

/// Durable messages in a second that are enough whatever the disk does.
const DURABLE: f64 = 20_000.0;

/// The systems beside each other.
struct Systems {
    server: Server,
    nats: Option<nats::Server>,
}

/// Measures everything.
pub async fn run(options: &Options, say: &dyn Fn(&str)) -> Result<Report> {
    let systems = Systems {
        server: Server::start()?,
        nats: nats::Server::start().await?,
    };
    if systems.nats.is_none() {
        say(&format!(
            "NATS is not installed and not measured; run: {}",
            nats::INSTALL
        ));
    }
    let mut report = Report::default();
    for load in SIZES {
        let load = Load {
            time: options.time,
            ..load
        };
        say(&format!("1 to {SUBSCRIBERS}, {} bytes", load.size));
        fan_out(&systems, load, options, &mut report).await?;
    }
    say("signatures");
    signed(&systems.server, options, &mut report).await?;
    say("durable messages");
    let hands = program(durable::HANDS).ok();
    if hands.is_none() {
        say(&format!(
            "RocksDB is not measured; run: cargo build --release -p {}",
            durable::HANDS
        ));
    }
    kept(&systems.server, hands.as_deref(), options, &mut report).await?;
    Ok(report)
}

/// What one system did in all rounds.
#[derive(Default)]
struct Rounds {
    fast: Vec<Measured>,
    half: Vec<Measured>,
}

impl Rounds {
    fn of(all: &[Measured], value: impl Fn(&Measured) -> f64) -> f64 {
        median(all.iter().map(value)).unwrap_or(f64::NAN)
    }

    fn delivered(&self) -> f64 {
        Self::of(&self.fast, |one| one.delivered)
    }

    fn latency(&self, permille: usize) -> f64 {
        Self::of(&self.half, |one| one.permille(permille))
    }
}

async fn fan_out(
    systems: &Systems,
    load: Load,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    let mut ours = Ours::connect(&systems.server).await?;
    let (mut our, mut udp, mut nats) = (Rounds::default(), Rounds::default(), Rounds::default());
    let mut nats_signed = Rounds::default();
    for _ in 0..options.rounds {
        let fast = ours.run(load).await?;
        let half = half(load, &fast);
        our.half.push(ours.run(half).await?);
        our.fast.push(fast);
        // The others' latency is measured at our half load: with the same messages in a second.
        udp.fast.push(bare_udp(roomy(load)).await?);
        udp.half.push(bare_udp(half).await?);
        if let Some(server) = &systems.nats {
            nats.fast.push(server.run(roomy(load), false).await?);
            nats.half.push(server.run(half, false).await?);
            nats_signed.fast.push(server.run(roomy(load), true).await?);
        }
    }
    ours.close().await?;
    let case = format!("1 to {SUBSCRIBERS}, {} bytes", load.size);
    let mut peers = vec![("bare UDP".to_owned(), &udp)];
    if systems.nats.is_some() {
        peers.push((nats::Server::name(), &nats));
    }
    for (name, peer) in &peers {
        let (ours, theirs) = (our.delivered(), peer.delivered());
        push(
            report,
            &case,
            "delivered",
            "messages/s",
            ours,
            Some((name, theirs)),
        );
    }
    if systems.nats.is_some() {
        let (name, theirs) = (
            format!("{}, signed", nats::Server::name()),
            nats_signed.delivered(),
        );
        let ours = our.delivered();
        push(
            report,
            &case,
            "delivered",
            "messages/s",
            ours,
            Some((&name, theirs)),
        );
    }
    for (permille, metric) in [(500, "p50"), (990, "p99"), (999, "p99.9")] {
        for (name, peer) in &peers {
            let (ours, theirs) = (our.latency(permille), peer.latency(permille));
            push(report, &case, metric, "ms", ours, Some((name, theirs)));
        }
    }
    let arrived = Rounds::of(&our.half, |one| one.arrived);
    push(report, &case, "arrived", "%", arrived * 100.0, None);
    let nats = systems.nats.as_ref().map(|_| (&nats, &nats_signed));
    judge(report, &case, &our, &udp, nats);
    Ok(())
}

/// NATS comes as it is, and signed.
fn judge(
    report: &mut Report,
    case: &str,
    our: &Rounds,
    udp: &Rounds,
    nats: Option<(&Rounds, &Rounds)>,
) {
    let by_udp = our.delivered() / udp.delivered();
    verdict(
        report,
        format!("{case}: {by_udp:.2} of bare UDP, at least 0.4"),
        by_udp >= 0.4,
    );
    if let Some((plain, signed)) = nats {
        for (peer, what) in [(plain, "NATS, unsigned"), (signed, "NATS, signed")] {
            let ratio = our.delivered() / peer.delivered();
            verdict(
                report,
                format!("{case}: {ratio:.2} of {what}, above 1"),
                ratio > 1.0,
            );
        }
    }
    let p99 = our.latency(990);
    verdict(
        report,
        format!("{case}: p99 {p99:.2} ms at half load, under {P99_MS}"),
        p99 < P99_MS,
    );
}

/// Peers whose queues hold more may have more under way.
fn roomy(load: Load) -> Load {
    Load {
        window: 4 * load.window,
        ..load
    }
}

fn half(load: Load, fast: &Measured) -> Load {
    let published = fast.delivered / SUBSCRIBERS as f64;
    Load {
        rate: Some(published / 2.0),
        ..load
    }
}

async fn bare_udp(load: Load) -> Result<Measured> {
    tokio::task::spawn_blocking(move || udp::run(load)).await?
}

async fn signed(server: &Server, options: &Options, report: &mut Report) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..options.rounds {
        all.push(signatures::run(server, 100, options.time).await?);
    }
    let middle = |value: fn(&signatures::Rates) -> f64| median(all.iter().map(value));
    let (Some(single), Some(checked), Some(published)) = (
        middle(|one| one.single),
        middle(|one| one.checked),
        middle(|one| one.published),
    ) else {
        return Ok(());
    };
    let case = format!("batches of {}, 100 bytes", signatures::largest(100));
    let bound = Some(("a signature a message", single));
    push(report, &case, "checked", "messages/s", checked, bound);
    push(report, &case, "published", "messages/s", published, bound);
    let by_bound = published / single;
    verdict(
        report,
        format!(
            "{case}: published {by_bound:.1} times the bound of single signatures, at least 10"
        ),
        by_bound >= 10.0,
    );
    Ok(())
}

async fn kept(
    server: &Server,
    hands: Option<&std::path::Path>,
    options: &Options,
    report: &mut Report,
) -> Result<()> {
    for size in [1024, 100] {
        let (mut ours, mut disk, mut rocksdb) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..options.rounds {
            ours.push(durable::ours(server, size, options.time).await?);
            let time = options.time;
            disk.push(tokio::task::spawn_blocking(move || durable::disk(size, time)).await??);
            if let Some(hands) = hands.map(std::path::Path::to_path_buf) {
                let measure = move || durable::rocksdb(&hands, size, time);
                rocksdb.push(tokio::task::spawn_blocking(measure).await??);
            }
        }
        let (Some(ours), Some(disk)) = (median(ours.into_iter()), median(disk.into_iter())) else {
            continue;
        };
        let case = format!("durable, {size} bytes");
        let peer = Some(("the disk alone", disk));
        push(report, &case, "acknowledged", "messages/s", ours, peer);
        let rocksdb = median(rocksdb.into_iter());
        let mut peer = format!("{:.2} of the disk", ours / disk);
        if let Some(rocksdb) = rocksdb {
            let beside = Some(("RocksDB alone", rocksdb));
            push(report, &case, "acknowledged", "messages/s", ours, beside);
            peer += &format!(", {:.2} of RocksDB", ours / rocksdb);
        }
        let half = 0.5 * rocksdb.unwrap_or(disk);
        verdict(
            report,
            format!("{case}: {ours:.0} messages/s, {peer}; at least {DURABLE}, or 0.5 of RocksDB"),
            ours >= DURABLE || ours >= half,
        );
    }
    Ok(())
}

fn push(
    report: &mut Report,
    case: &str,
    metric: &'static str,
    unit: &'static str,
    ours: f64,
    peer: Option<(&str, f64)>,
) {
    report.lines.push(Line {
        bench: "relay",
        case: case.to_owned(),
        metric,
        unit,
        ours,
        peer: peer.map(|(_, value)| value),
        peer_name: peer.map(|(name, _)| name.to_owned()),
        ratio: peer.map(|(_, value)| ours / value),
        limit: None,
        least: None,
    });
}

fn verdict(report: &mut Report, text: String, met: bool) {
    report.summary.push(Verdict { text, met });
}
