//! `torture pdfs`: seven storage nodes with three copies of each block, while they are killed, held, cut off, out of room,
//! with wrong clocks, damaged disks and a liar among them, and while somebody puts and gets contents.
//!
//! Laws: what was acknowledged can be read as long as one holder's disk is whole; nothing wrong is ever given out, by no
//! honest node and by no way; [`BOUND`] after the trouble every acknowledged block is on three honest nodes again.

mod ground;
mod laws;
mod liar;
mod place;
mod plan;
mod world;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use phantasma_sdk::content::{self, PutOptions};
use phantasma_sdk::pdfs::{Client, NodeAddress};

pub use ground::inside;
use laws::{Sample, repaired};
use liar::Liar;
use plan::{Fault, Plan};
use world::{Cluster, World};

use super::Tally;
use super::random::Random;

/// Nodes of a cluster, and copies of each block.
const NODES: usize = 7;
const COPIES: usize = 3;

/// Seconds between two questions to another holder: one that is silent for four times as long is gone.
const ASK_EVERY_S: u64 = 1;

/// After the last fault everything that was put is acknowledged, and has its copies, within so long. A holder is gone after
/// 4 s (2.3 s when it was one of two), the third in rank waits 4 s more; connections that died notice it within 10 s, a
/// node that refused a copy is tried again after 40 s.
const BOUND: Duration = Duration::from_secs(60);

/// Runs on one cluster, whose contents stay.
const RUNS: usize = 20;

/// Earlier contents that are looked at again after each run; after the last one all are.
const EARLIER: usize = 3;

/// Those who read at the same time.
const READERS: usize = 2;

/// Runs the cases `first..first + count`. A case is repeated with all that its cluster went through before.
pub async fn run(seed: u64, first: usize, count: usize) -> Tally {
    let world = World::new(ASK_EVERY_S).await;
    if place::clock_library().is_none() {
        println!("no libfaketime (Debian package faketime): clocks do not jump");
    }
    let mut tally = Tally::default();
    let mut used: Option<Used> = None;
    let mut begun = first;
    for index in first..first + count {
        let current = match used.take() {
            Some(used) if used.runs < RUNS => used,
            old => {
                if let Some(old) = old {
                    old.remove();
                }
                begun = index;
                Used::new(&world).await
            }
        };
        let mut current = current;
        current.runs += 1;
        let last = current.runs == RUNS || index + 1 == first + count;
        let mut random = Random::of_case(seed, index);
        let plan = Plan::new(&mut random);
        let start = Instant::now();
        match one(&world, &mut current, &plan, random, last).await {
            Ok(counts) => {
                let s = start.elapsed().as_secs_f64();
                println!("{index}: {plan}: {counts} ({s:.1} s)");
                tally.passed += 1;
                tally.halts += counts.acknowledged;
                tally.faults += counts.unread;
                used = Some(current);
            }
            Err(failure) => {
                let again = format!(
                    "--seed {seed} --first {begun} --count {}",
                    index + 1 - begun
                );
                println!("{index}: {plan}: FAILED {failure}");
                let logs = current.logs();
                tally.failures.push(format!(
                    "case {index} (repeat: {again}): {failure}\n{plan}\n{logs}"
                ));
                current.remove();
            }
        }
    }
    if let Some(used) = used {
        used.remove();
    }
    tally
}

/// A cluster and what it keeps.
struct Used {
    cluster: Arc<Cluster>,
    samples: Vec<Arc<Sample>>,
    files: tempfile::TempDir,
    runs: usize,
}

impl Used {
    async fn new(world: &World) -> Self {
        Self {
            cluster: Cluster::start(&world.told).await,
            samples: Vec::new(),
            files: tempfile::tempdir().unwrap(),
            runs: 0,
        }
    }

    /// The last lines of all nodes, without those that say that all is well.
    fn logs(&self) -> String {
        let last = |n| {
            let log = self.cluster.place(n).log();
            let telling = log
                .lines()
                .filter(|line| !line.contains("looked at everything"));
            let lines: Vec<&str> = telling.rev().take(12).collect();
            let lines: Vec<&str> = lines.into_iter().rev().collect();
            format!("--- node {n}\n{}\n", lines.join("\n"))
        };
        (0..NODES).map(last).collect()
    }

    fn remove(self) {
        if let Ok(cluster) = Arc::try_unwrap(self.cluster) {
            cluster.remove();
        }
    }
}

/// What a run did.
struct Counts {
    acknowledged: usize,
    read: usize,
    /// Reads that found nobody, in the middle of the trouble.
    unread: usize,
    helped: Vec<usize>,
    settled: Duration,
    repaired: Duration,
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{} put, {} read, {} not, helped {:?}, settled in {:.1} s, repaired in {:.1} s",
            self.acknowledged,
            self.read,
            self.unread,
            self.helped,
            self.settled.as_secs_f64(),
            self.repaired.as_secs_f64()
        )
    }
}

/// What the tasks of a run share.
struct Shared {
    client: Client,
    /// Whom the client knows: the liar, too.
    nodes: Vec<NodeAddress>,
    over: AtomicBool,
    read: AtomicUsize,
    unread: AtomicUsize,
}

async fn one(
    world: &World,
    used: &mut Used,
    plan: &Plan,
    mut random: Random,
    last: bool,
) -> Result<Counts, String> {
    let cluster = used.cluster.clone();
    let liar = match plan.liar {
        true => {
            let address = cluster.ground.strange_address();
            let own = Random::new(random.next_u64());
            Some(Liar::start(address, &cluster.nodes(), own).await)
        }
        false => None,
    };
    let mut nodes = cluster.nodes();
    nodes.extend(liar.iter().map(|liar| liar.node.clone()));
    let mut fresh = Vec::new();
    for (size, after_ms) in &plan.contents {
        let sample = Sample::new(used.files.path(), *size, &mut random).await;
        fresh.push((Arc::new(sample), *after_ms));
    }
    let creating = fresh
        .iter()
        .map(|(sample, _)| world.create(sample.prepared.root(), sample.prepared.size()));
    futures_util::future::join_all(creating).await;
    let earlier = used.samples.len();
    used.samples
        .extend(fresh.iter().map(|(sample, _)| sample.clone()));

    let shared = Arc::new(Shared {
        client: world.client(),
        nodes,
        over: AtomicBool::new(false),
        read: AtomicUsize::new(0),
        unread: AtomicUsize::new(0),
    });
    let putting: Vec<_> = fresh
        .iter()
        .map(|(sample, after_ms)| tokio::spawn(put(shared.clone(), sample.clone(), *after_ms)))
        .collect();
    let reading: Vec<_> = (0..READERS)
        .map(|_| {
            let own = Random::new(random.next_u64());
            tokio::spawn(read(shared.clone(), used.samples.clone(), own))
        })
        .collect();
    let suffering: Vec<_> = plan
        .events
        .iter()
        .map(|event| {
            let own = Random::new(random.next_u64());
            tokio::spawn(cluster.clone().suffer(event.clone(), own))
        })
        .collect();
    let mut outcome = Ok(());
    for task in suffering {
        outcome = outcome.and(task.await.map_err(|error| error.to_string())?);
    }
    shared.over.store(true, Ordering::Relaxed);
    let over = Instant::now();
    outcome?;
    let mut helped = cluster.attend().await?;
    for task in putting {
        task.await.map_err(|error| error.to_string())??;
    }
    for task in reading {
        task.await.map_err(|error| error.to_string())??;
    }
    let settled = over.elapsed();
    helped.extend(cluster.attend().await?);

    let mut looked: Vec<&Sample> = used.samples[earlier..].iter().map(|s| &**s).collect();
    match last {
        true => looked.extend(used.samples[..earlier].iter().map(|s| &**s)),
        false if earlier > 0 => {
            for _ in 0..EARLIER {
                looked.push(&used.samples[random.below(earlier)]);
            }
        }
        false => {}
    }
    // Who has come only now knows nothing of earlier trouble.
    let client = world.client();
    let left = BOUND.saturating_sub(over.elapsed());
    let repaired = repaired(&client, &looked, &cluster.running(), COPIES, left).await?;
    let reading = looked.iter().map(|sample| {
        let http = cluster.place(random.below(NODES)).http();
        let (client, nodes) = (&client, &shared.nodes);
        async move {
            let read = sample.read(client, nodes).await?;
            read.map_err(|error| format!("lost: {error}"))?;
            sample.gateway(&http).await
        }
    });
    for read in futures_util::future::join_all(reading).await {
        read?;
    }
    if let Some(liar) = liar {
        liar.leave().await;
    }
    if plan.events.iter().any(|event| event.fault == Fault::Gone) {
        cluster.bring_back().await?;
    }
    if let Some(log) = cluster.panicked() {
        return Err(format!("a node panicked:\n{log}"));
    }
    Ok(Counts {
        acknowledged: fresh.len(),
        read: shared.read.load(Ordering::Relaxed),
        unread: shared.unread.load(Ordering::Relaxed),
        helped,
        settled,
        repaired,
    })
}

/// Puts a content, again and again until it is acknowledged.
async fn put(shared: Arc<Shared>, sample: Arc<Sample>, after_ms: u64) -> Result<(), String> {
    tokio::time::sleep(Duration::from_millis(after_ms)).await;
    let mut over: Option<Instant> = None;
    loop {
        let options = PutOptions::default();
        let Shared { client, nodes, .. } = &*shared;
        let put = content::upload(
            client,
            nodes,
            &sample.path,
            &sample.key,
            &sample.prepared,
            &options,
            &|_| (),
        );
        let error = match put.await {
            Ok(_) => {
                sample.acknowledged.store(true, Ordering::Relaxed);
                return Ok(());
            }
            Err(error) => error.to_string(),
        };
        if shared.over.load(Ordering::Relaxed) {
            let since = *over.get_or_insert_with(Instant::now);
            if since.elapsed() > BOUND {
                return Err(format!("not put within {BOUND:?}: {error}"));
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Reads what has been acknowledged, as long as there is trouble.
async fn read(
    shared: Arc<Shared>,
    samples: Vec<Arc<Sample>>,
    mut random: Random,
) -> Result<(), String> {
    while !shared.over.load(Ordering::Relaxed) {
        let sample = random.pick(&samples);
        if sample.is_acknowledged() {
            match sample.read(&shared.client, &shared.nodes).await? {
                Ok(()) => shared.read.fetch_add(1, Ordering::Relaxed),
                Err(_) => shared.unread.fetch_add(1, Ordering::Relaxed),
            };
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    Ok(())
}
