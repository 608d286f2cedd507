//! Random sequences of calls on the three contracts, natively, with invariants after every call.
//!
//! Beside the chain runs [`model`], the rules written once more in plain numbers. A call must go through exactly when the
//! model lets it, and everything stored must then be what the model has. A sequence that breaks an [`Invariant`] is cut
//! down to the steps that it needs.

pub mod calls;
pub mod choose;
pub mod invariants;
pub mod model;
pub mod onchain;
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
use model::{ACTORS, CONTENTS, Model, OWNER, Settings};
use neo_framework::chain::Outcome;
use snapshot::Snapshot;
use steps::{SoulStep, Step};
use world::{Cast, Place, Stored, World};

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
    stored: Stored,
    seen: Snapshot,
    steps: usize,
}

impl<'a> Run<'a> {
    fn new(cast: &'a Cast, seed: u64, place: Place) -> Result<Run<'a>, Violation> {
        let settings = Settings::random(&mut Random::of_case(seed, 0));
        let (world, model) = World::new(cast, seed, settings, place);
        let stored = world.storage();
        let seen = read(&world, &stored)?;
        let run = Run {
            world,
            model,
            stored,
            seen,
            steps: 0,
        };
        invariants::check_stored(&run.seen, &run.seen, &run.model)?;
        Ok(run)
    }

    /// Does a step and checks everything; whether it went through.
    fn step(&mut self, step: &Step) -> Result<bool, Violation> {
        self.perform(step).map(|(through, _)| through)
    }

    /// The same with what the call did.
    fn perform(&mut self, step: &Step) -> Result<(bool, Option<Outcome>), Violation> {
        self.steps += 1;
        let quoted = invariants::quote(&self.world, &self.model, step);
        let outcome = self.world.perform(step, &self.model);
        invariants::check_outcome(&self.model, step, outcome.as_ref())?;
        let stored = self.world.storage();
        let through = |outcome: &Outcome| invariants::went_through(step, outcome);
        if !outcome.as_ref().is_none_or(through) {
            if stored != self.stored {
                let detail = "storage is another".to_owned();
                return Err(Violation {
                    invariant: Invariant::Fault,
                    detail,
                });
            }
            return Ok((false, outcome));
        }
        self.model.apply(step);
        if let Some(outcome) = &outcome {
            invariants::check_paid(&self.world, &self.model, outcome)?;
            invariants::check_money(&self.world, &self.model, step, outcome, quoted)?;
        }
        let now = read(&self.world, &stored)?;
        invariants::check_stored(&self.seen, &now, &self.model)?;
        let who = self.steps / 2 % ACTORS;
        if self.steps.is_multiple_of(2) {
            invariants::check_role(&self.world, &now, who)?;
        } else {
            invariants::check_locked(&self.world, &self.model, who)?;
        }
        self.seen = now;
        self.stored = stored;
        Ok((true, outcome))
    }
}

fn read(world: &World<'_>, stored: &Stored) -> Result<Snapshot, Violation> {
    snapshot::read(world.cast, &world.place, stored).map_err(|detail| Violation {
        invariant: Invariant::Keys,
        detail,
    })
}

/// Does given steps; the error is where an invariant broke.
pub(crate) fn replay(cast: &Cast, seed: u64, steps: &[Step]) -> Result<(), (usize, Violation)> {
    let run = Run::new(cast, seed, Place::somewhere());
    let mut run = run.map_err(|violation| (0, violation))?;
    for (at, step) in steps.iter().enumerate() {
        run.step(step).map_err(|violation| (at, violation))?;
    }
    let last = steps.len().saturating_sub(1);
    invariants::check_views(&run.world, &run.model).map_err(|violation| (last, violation))
}

/// How a sequence begins: most have SOUL, and everything is in the register.
fn opening() -> Vec<Step> {
    let give = |to: usize| {
        // The last one stays poor.
        let amount = if to + 1 == ACTORS { 250 } else { 100_000 };
        SoulStep::Transfer {
            from: OWNER,
            to,
            amount,
        }
    };
    let register = |content| SoulStep::Create {
        actor: OWNER,
        content,
        periods: 2,
    };
    let all = (0..ACTORS).map(give).chain((0..CONTENTS).map(register));
    let signer = OWNER;
    all.map(|step| Step::Soul { signer, step }).collect()
}

/// How many steps a sequence has, and what chooses those after its opening.
fn plan(seed: u64) -> (usize, Random) {
    let mut random = Random::of_case(seed, 1);
    (20 + random.below(LONGEST - 19), random)
}

/// One sequence: its steps, or the failure in words.
fn sequence(cast: &Cast, seed: u64, statistics: &mut Statistics) -> Result<Vec<Step>, String> {
    let (length, mut random) = plan(seed);
    let mut steps = opening();
    let run = Run::new(cast, seed, Place::somewhere());
    let mut run = run.map_err(|violation| format!("{violation:?}"))?;
    for at in 0..length {
        if at == steps.len() {
            steps.push(choose::next(&mut random, &run.model));
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
    Ok(steps)
}

/// The steps of a sequence, which must go well natively.
pub(crate) fn steps_of(cast: &Cast, seed: u64) -> Result<Vec<Step>, String> {
    let mut nothing = Statistics::new();
    sequence(cast, seed, &mut nothing)
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
            Ok(_) => tally.passed += 1,
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
