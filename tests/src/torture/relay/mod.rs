//! `torture relay`: durable messages through a bad network, a relay that is killed again and again, a full disk, and a chain
//! that goes away. What was acknowledged must be there, once, at its position, for a subscriber who resumes and for one who
//! comes later.

pub mod abuse;
mod lossy;
mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use phantasma_net::Identity;
use phantasma_sdk::relay::{Messages, Outcome, RelayClient, RelayClientError, RelayError, Since};
use phantasma_wire::batch::Batch;
use phantasma_wire::message::{Class, Message, Unsigned};

pub use lossy::{Lossy, Weather};
pub use world::{GONE, RelayPlace, World};

use super::Tally;
use super::random::Random;

/// Runs at the same time; each is mostly waiting.
const PARALLEL: usize = 4;

/// One run in so many is without its chain for a while.
const CHAIN_RUNS: usize = 16;

/// How long a run may take to bring everything where it belongs once the weather is good.
const PATIENCE: Duration = Duration::from_secs(90);

/// A file of the relay grows to no more than this on a full disk.
const FULL_KIB: usize = 256;

const CONFIG: &str = "[log]\nmax_mib = 64\n[limits]\ndrain_s = 1\n";

/// What happens in a run.
#[derive(Clone, Debug)]
struct Plan {
    weather: Weather,
    kills: usize,
    full: bool,
    chain: bool,
    /// Sizes of the batches, 1 being a message with its own signature.
    batches: Vec<usize>,
    payload: usize,
}

/// What is published together.
#[derive(Clone, Debug)]
enum Item {
    Alone(Message),
    Together(Batch),
}

/// What the two sides of a run know.
#[derive(Debug, Default)]
struct Known {
    /// Position by sequence.
    acknowledged: Mutex<BTreeMap<u64, u64>>,
    received: Mutex<BTreeMap<u64, u64>>,
    refused: AtomicUsize,
    /// The disk is full, or the chain away: the relay may say no for now.
    may_refuse: AtomicBool,
    over: AtomicBool,
}

/// Runs `count` cases.
pub async fn run(seed: u64, count: usize) -> Tally {
    let world = World::new().await;
    let mut tally = Tally::default();
    let mut index = 0;
    while index < count {
        let chain = index % CHAIN_RUNS == CHAIN_RUNS - 1;
        let until = match chain {
            true => index + 1,
            false => count
                .min(index + PARALLEL)
                .min(index / CHAIN_RUNS * CHAIN_RUNS + CHAIN_RUNS - 1),
        };
        let cases = (index..until).map(|index| one(&world, seed, index, chain));
        for (index, result) in (index..until).zip(futures_util::future::join_all(cases).await) {
            match result {
                Ok(acknowledged) => {
                    tally.passed += 1;
                    tally.halts += acknowledged;
                }
                Err(failure) => tally
                    .failures
                    .push(format!("case {index} of seed {seed}: {failure}")),
            }
        }
        index = until;
    }
    tally
}

impl Plan {
    fn new(random: &mut Random, chain: bool) -> Self {
        let full = !chain && random.one_in(5);
        let batches = (0..random.below(20) + 5).map(|_| match random.below(3) {
            0 => 1 + random.below(40),
            _ => 1,
        });
        let batches = batches.collect();
        Self {
            weather: Weather {
                lost: random.below(100),
                doubled: random.below(100),
                late: random.below(200),
                delay_ms: random.below(60),
            },
            kills: if chain || full { 0 } else { random.below(4) },
            full,
            chain,
            batches,
            payload: if full { 6000 } else { 1 + random.below(1500) },
        }
    }
}

/// One run; how many messages were acknowledged.
async fn one(world: &World, seed: u64, index: usize, chain: bool) -> Result<usize, String> {
    let mut random = Random::of_case(seed, index);
    let plan = Plan::new(&mut random, chain);
    let mut place = world.place(CONFIG);
    world.start(&mut place, plan.full.then_some(FULL_KIB));
    let path = Lossy::start(
        place.address(),
        plan.weather,
        Random::new(random.next_u64()),
    )
    .await;
    let key = place.key;
    let known = Known::default();
    let author = Identity::random().unwrap();
    let items = items(world, &author, &plan);
    let place = Mutex::new(place);
    let all = async {
        let publishing = publish(world, key, &path, &items, &known);
        let (published, troubled) = tokio::join!(
            publishing,
            trouble(world, &place, &plan, &path, &known, random)
        );
        known.over.store(true, Ordering::Relaxed);
        published.and(troubled)
    };
    let both = async {
        let (all, received) = tokio::join!(all, subscribe(world, key, &path, &known));
        all.and(received)
    };
    match tokio::time::timeout(PATIENCE, both).await {
        Ok(result) => result.map_err(|error| format!("{error}\n{plan:?}"))?,
        Err(_) => {
            let errors = place.lock().unwrap().errors();
            let missing = missing(&known);
            return Err(format!(
                "not done in {PATIENCE:?}; missing {missing:?}\n{plan:?}\n{errors}"
            ));
        }
    }
    // And once more from the disk, for somebody who has never been here.
    let mut place = place.into_inner().unwrap();
    place.kill();
    world.start(&mut place, None);
    let read = tokio::time::timeout(PATIENCE, read_again(world, &place, &known));
    read.await
        .unwrap_or_else(|_| Err("the history did not come".into()))
        .map_err(|error| format!("{error}\n{plan:?}"))?;
    Ok(known.acknowledged.lock().unwrap().len())
}

fn items(world: &World, author: &Identity, plan: &Plan) -> Vec<Item> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let served = world.served();
    let mut sequence = 0;
    let mut body = || {
        sequence += 1;
        Unsigned {
            network: served.network,
            contract: served.contract,
            author: author.public_key(),
            box_id: world.box_id,
            sequence,
            time_ms: now.as_millis() as u64,
            class: Class::Durable,
            payload: vec![sequence as u8; plan.payload].into(),
        }
    };
    let sign = |bytes: &[u8]| author.sign(bytes).unwrap();
    let mut items = Vec::new();
    for count in &plan.batches {
        let most = 61_000 / (plan.payload + 90);
        items.push(match count {
            1 => Item::Alone(body().sign(sign).unwrap()),
            count => {
                let bodies = (0..(*count).min(most)).map(|_| body()).collect();
                Item::Together(Batch::sign(bodies, sign).unwrap())
            }
        });
    }
    items
}

/// Publishes everything, each item until all of it is acknowledged.
async fn publish(
    world: &World,
    key: [u8; 33],
    path: &Lossy,
    items: &[Item],
    known: &Known,
) -> Result<(), String> {
    let mut client = None;
    for item in items {
        loop {
            let connected = match client.take() {
                Some(connected) => connected,
                None => match world.connect_to(path.address(), key).await {
                    Ok(connected) => connected,
                    Err(_) => continue,
                },
            };
            let sent = tokio::time::timeout(GONE, send(&connected, item)).await;
            let Ok(Ok(outcomes)) = sent else {
                // No answer, or the connection is gone: connect anew and send the same again.
                continue;
            };
            client = Some(connected);
            if note(item, outcomes, known)? {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    Ok(())
}

type Outcomes = Vec<Result<Outcome, RelayClientError>>;

async fn send(client: &RelayClient, item: &Item) -> Result<Outcomes, RelayClientError> {
    let outcomes = match item {
        Item::Alone(message) => vec![client.publish(message.clone()).await],
        Item::Together(batch) => client.publish_batch(batch.clone()).await?,
    };
    match outcomes.iter().find_map(gone) {
        Some(error) => Err(error),
        None => Ok(outcomes),
    }
}

fn gone(outcome: &Result<Outcome, RelayClientError>) -> Option<RelayClientError> {
    match outcome {
        Ok(_) | Err(RelayClientError::Refused { .. }) => None,
        Err(error) => Some(error.clone()),
    }
}

/// Writes down what was acknowledged; whether that is all of the item.
fn note(item: &Item, outcomes: Outcomes, known: &Known) -> Result<bool, String> {
    let sequences: Vec<u64> = match item {
        Item::Alone(message) => vec![message.body.sequence],
        Item::Together(batch) => batch.bodies().iter().map(|body| body.sequence).collect(),
    };
    let mut all = true;
    for (sequence, outcome) in sequences.into_iter().zip(outcomes) {
        match outcome {
            Ok(Outcome::Stored { position }) => {
                let before = known
                    .acknowledged
                    .lock()
                    .unwrap()
                    .insert(sequence, position);
                if before.is_some_and(|before| before != position) {
                    return Err(format!("{sequence} is at {position} and at {before:?}"));
                }
            }
            Ok(other) => return Err(format!("{sequence}: {other:?}")),
            Err(RelayClientError::Refused {
                error: RelayError::Limit | RelayError::Internal | RelayError::Closing,
                ..
            }) => {
                known.refused.fetch_add(1, Ordering::Relaxed);
                all = false;
            }
            Err(error) => return Err(format!("{sequence}: {error}")),
        }
    }
    if !all && !known.may_refuse.load(Ordering::Relaxed) {
        return Err("refused although nothing is wrong".into());
    }
    Ok(all)
}

/// Kills, fills and takes away, and leaves everything well at the end.
async fn trouble(
    world: &World,
    place: &Mutex<RelayPlace>,
    plan: &Plan,
    path: &Lossy,
    known: &Known,
    mut random: Random,
) -> Result<(), String> {
    known
        .may_refuse
        .store(plan.full || plan.chain, Ordering::Relaxed);
    for _ in 0..plan.kills {
        tokio::time::sleep(Duration::from_millis(random.below(400) as u64)).await;
        restart(world, place, random.below(200) as u64).await;
    }
    if plan.full {
        let start = Instant::now();
        while known.refused.load(Ordering::Relaxed) == 0 && start.elapsed() < PATIENCE / 3 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        restart(world, place, 0).await;
        known.may_refuse.store(false, Ordering::Relaxed);
    }
    if plan.chain {
        world.stop_chain();
        tokio::time::sleep(Duration::from_millis(random.below(1500) as u64)).await;
        world.start_chain().await;
    }
    path.set(Weather::default());
    Ok(())
}

async fn restart(world: &World, place: &Mutex<RelayPlace>, pause_ms: u64) {
    place.lock().unwrap().kill();
    tokio::time::sleep(Duration::from_millis(pause_ms)).await;
    let mut place = place.lock().unwrap();
    tokio::task::block_in_place(|| world.start(&mut place, None));
}

/// Listens and resumes until it has all that was acknowledged.
async fn subscribe(
    world: &World,
    key: [u8; 33],
    path: &Lossy,
    known: &Known,
) -> Result<(), String> {
    let mut last = 0;
    loop {
        if known.over.load(Ordering::Relaxed) && missing(known).is_empty() {
            return Ok(());
        }
        let Ok(client) = world.connect_to(path.address(), key).await else {
            continue;
        };
        let subscribing = client.subscribe(world.box_id, Since::Position(last + 1));
        let Ok(Ok(mut messages)) = tokio::time::timeout(GONE, subscribing).await else {
            continue;
        };
        // Silence for so long may be the end of the connection: look, and resume.
        while let Ok(Ok(Some(received))) = tokio::time::timeout(GONE, messages.next()).await {
            let (position, sequence) = (received.position, received.message.body.sequence);
            if position <= last {
                return Err(format!("position {position} after {last}"));
            }
            last = position;
            let before = known.received.lock().unwrap().insert(sequence, position);
            if let Some(before) = before {
                return Err(format!(
                    "{sequence} came at {before} and again at {position}"
                ));
            }
            if known.over.load(Ordering::Relaxed) && missing(known).is_empty() {
                break;
            }
        }
    }
}

/// Acknowledged messages that have not come, or have come from elsewhere.
fn missing(known: &Known) -> Vec<u64> {
    let received = known.received.lock().unwrap();
    let acknowledged = known.acknowledged.lock().unwrap();
    let missing = acknowledged
        .iter()
        .filter(|(sequence, position)| received.get(sequence) != Some(position));
    missing.map(|(sequence, _)| *sequence).collect()
}

async fn read_again(world: &World, place: &RelayPlace, known: &Known) -> Result<(), String> {
    let expected = known.received.lock().unwrap().clone();
    // A machine that is busy with other runs may take long; the caller's patience ends it.
    let client = loop {
        if let Ok(client) = world.connect(place).await {
            break client;
        }
    };
    let subscribed = client.subscribe(world.box_id, Since::Position(1)).await;
    let mut messages: Messages = subscribed.map_err(|error| error.to_string())?;
    let mut found = BTreeMap::new();
    while found.len() < expected.len() {
        let next = messages.next().await.map_err(|error| error.to_string())?;
        let received = next.ok_or("the relay ended the subscription")?;
        let sequence = received.message.body.sequence;
        if found.insert(sequence, received.position).is_some() {
            return Err(format!("{sequence} is in the log twice"));
        }
    }
    match found == expected {
        true => Ok(()),
        false => Err(format!(
            "the log has {found:?}, the subscriber {expected:?}"
        )),
    }
}
