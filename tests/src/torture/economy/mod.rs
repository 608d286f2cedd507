//! Random sequences of calls on the contract of proofs and the SOUL side, natively, with invariants after every call.
//!
//! Beside the chain runs [`model`], the rules written once more in plain numbers. A call must go through exactly when the
//! model lets it, and everything stored must then be what the model has. A sequence that breaks an [`Invariant`] is cut
//! down to the steps that it needs.

// The small contract that stands in for the one with the SOUL: the native tests' own.
#[allow(unreachable_pub, missing_docs)]
#[path = "../../../../contract/proofs/tests/kit/bank.rs"]
mod bank;
pub mod invariants;
pub mod model;
#[path = "../../../../contract/proofs/tests/kit/twister.rs"]
mod reference;
mod shrink;
pub mod snapshot;
pub mod steps;
#[cfg(test)]
mod tests;
pub mod trees;
pub mod world;

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

pub use invariants::{Invariant, Violation};
use model::{ACTORS, Model, Settings};
use neo_framework::chain::Entries;
use snapshot::Snapshot;
use steps::Step;
use world::{Cast, World};

use super::Tally;
use super::random::Random;

/// Most calls of a sequence.
pub const LONGEST: usize = 300;
/// After so many failures there is nothing more to learn.
const ENOUGH: usize = 10;

/// Calls, and how many went through, by method.
pub type Statistics = BTreeMap<&'static str, (usize, usize)>;

/// A sequence in progress.
pub(crate) struct Run<'a> {
    world: World<'a>,
    model: Model,
    stored: [Entries; 2],
    seen: Snapshot,
    steps: usize,
}

impl<'a> Run<'a> {
    fn new(cast: &'a Cast, seed: u64) -> Result<Run<'a>, Violation> {
        let settings = Settings::random(&mut Random::of_case(seed, 0));
        let (world, model) = World::new(cast, seed, settings);
        let stored = world.storage();
        let seen = read(cast, &stored)?;
        Ok(Run {
            world,
            model,
            stored,
            seen,
            steps: 0,
        })
    }

    /// Does a step and checks everything; whether it went through.
    fn step(&mut self, step: &Step) -> Result<bool, Violation> {
        self.steps += 1;
        let outcome = self.world.perform(step, &self.model);
        invariants::check_outcome(&self.model, step, outcome.as_ref())?;
        let stored = self.world.storage();
        if outcome.as_ref().is_some_and(|outcome| !outcome.is_halt()) {
            if stored != self.stored {
                let detail = "storage is another".to_owned();
                return Err(Violation {
                    invariant: Invariant::Fault,
                    detail,
                });
            }
            return Ok(false);
        }
        self.model.apply(step);
        if let Some(outcome) = &outcome {
            invariants::check_paid(&self.world, &self.model, outcome)?;
        }
        let now = read(self.world.cast, &stored)?;
        invariants::check_stored(&self.seen, &now, &self.model)?;
        invariants::check_role(&self.world, &now, self.steps % ACTORS)?;
        self.seen = now;
        self.stored = stored;
        Ok(true)
    }
}

fn read(cast: &Cast, stored: &[Entries; 2]) -> Result<Snapshot, Violation> {
    snapshot::read(cast, stored).map_err(|detail| Violation {
        invariant: Invariant::Keys,
        detail,
    })
}

/// Does given steps; the error is where an invariant broke.
pub(crate) fn replay(cast: &Cast, seed: u64, steps: &[Step]) -> Result<(), (usize, Violation)> {
    let mut run = Run::new(cast, seed).map_err(|violation| (0, violation))?;
    for (at, step) in steps.iter().enumerate() {
        run.step(step).map_err(|violation| (at, violation))?;
    }
    let last = steps.len().saturating_sub(1);
    invariants::check_views(&run.world, &run.model).map_err(|violation| (last, violation))
}

/// One sequence: what went through, or the failure in words.
fn sequence(cast: &Cast, seed: u64, statistics: &mut Statistics) -> Result<(), String> {
    let mut random = Random::of_case(seed, 1);
    let length = 20 + random.below(LONGEST - 19);
    let mut steps = Vec::with_capacity(length);
    let mut run = Run::new(cast, seed).map_err(|violation| format!("{violation:?}"))?;
    for actor in 0..ACTORS {
        // The last one stays poor.
        let amount = if actor + 1 == ACTORS { 250 } else { 100_000 };
        steps.push(Step::Give { actor, amount });
    }
    for content in 0..model::CONTENTS {
        steps.push(Step::Content {
            content,
            ms: 3_000_000_000,
        });
    }
    for at in 0..length {
        if at == steps.len() {
            steps.push(steps::next(&mut random, &run.model));
        }
        match run.step(&steps[at]) {
            Ok(through) => {
                let (calls, good) = statistics.entry(steps[at].name()).or_default();
                *calls += 1;
                *good += usize::from(through);
            }
            Err(violation) => return Err(shrink::told(cast, seed, &steps[..=at], &violation)),
        }
    }
    invariants::check_views(&run.world, &run.model)
        .map_err(|violation| shrink::told(cast, seed, &steps, &violation))?;
    let rounds = statistics.entry("rounds paid").or_default();
    rounds.0 += run.model.rounds as usize;
    rounds.1 += run.model.rounds as usize;
    Ok(())
}

/// Runs so many sequences on all cores.
pub fn run(seed: u64, count: usize) -> Tally {
    let (tally, statistics) = run_counted(seed, count);
    for (name, (calls, good)) in statistics {
        eprintln!("{name:20} {calls:10} calls, {good:10} went through");
    }
    tally
}

/// The same with what was called how often.
pub fn run_counted(seed: u64, count: usize) -> (Tally, Statistics) {
    let next = AtomicUsize::new(0);
    let found = Mutex::new((Tally::default(), Statistics::new()));
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let part = work(seed, count, &next);
                let mut all = found.lock().expect("no thread broke");
                all.0.add(part.0);
                for (name, (calls, good)) in part.1 {
                    let sum = all.1.entry(name).or_default();
                    sum.0 += calls;
                    sum.1 += good;
                }
            });
        }
    });
    found.into_inner().expect("no thread broke")
}

fn work(seed: u64, count: usize, next: &AtomicUsize) -> (Tally, Statistics) {
    let cast = Cast::new();
    let (mut tally, mut statistics) = (Tally::default(), Statistics::new());
    while tally.failures.len() < ENOUGH {
        let case = next.fetch_add(1, Ordering::Relaxed);
        if case >= count {
            break;
        }
        let case_seed = Random::of_case(seed, case).next_u64();
        match sequence(&cast, case_seed, &mut statistics) {
            Ok(()) => tally.passed += 1,
            Err(told) => tally
                .failures
                .push(format!("sequence {case} of seed {seed}: {told}")),
        }
    }
    let real = statistics
        .iter()
        .filter(|(name, _)| **name != "wait" && **name != "rounds paid");
    for (calls, good) in real.map(|(_, sum)| sum) {
        tally.halts += good;
        tally.faults += calls - good;
    }
    (tally, statistics)
}
