//! The contract natively and compiled on a real node: generated calls must give the same results, events, faults and
//! storage. The node's blocks decide the order and the time; the native chain follows them.
//!
//! `PHANTASMA_SEED` repeats a run; the seed is printed.

mod bad_input;
mod calls;
mod items;
mod oracle;
mod random;
mod sides;

use calls::Generator;
use sides::Sides;

/// Sequences of calls, each with the storage compared at its end.
const SEQUENCES: usize = 12;
/// Calls of a sequence. Together with [`SEQUENCES`] the suite makes 600 calls.
const CALLS: usize = 50;

#[tokio::test]
async fn generated_calls_do_the_same_natively_and_on_a_node() {
    let seed = seed();
    let mut sides = Sides::start().await;
    let mut generator = Generator::new(seed, sides.hash);
    sides.perform(&generator.funding()).await;
    // One after another, in blocks of their own: each needs what the ones before did.
    for call in generator.opening() {
        sides.perform(std::slice::from_ref(&call)).await;
    }
    sides.compare_storage().await;
    for sequence in 0..SEQUENCES {
        let calls: Vec<_> = (0..CALLS).map(|_| generator.call(sequence)).collect();
        sides.perform(&calls).await;
        sides.compare_storage().await;
        sides.compare_iterators().await;
    }
    for (method, (calls, halts)) in &sides.tally {
        eprintln!("{calls:4} {method}, {halts} without fault");
    }
    // A generator that only makes faults, or none, or leaves a method out, tests too little.
    let all: usize = sides.tally.values().map(|(calls, _)| calls).sum();
    assert!(all >= SEQUENCES * CALLS);
    for method in [
        "transfer",
        "createBox",
        "writeContent",
        "readContentAt",
        "writeSigned",
        "createContent",
        "readContent",
        "inspectContent",
        "deleteContent",
        "replaceContent",
        "callContent",
        "replaceGate",
        "include",
        "exclude",
        "withdraw",
    ] {
        let (calls, halts) = sides.tally.get(method).copied().unwrap_or_default();
        assert!(
            halts > 0 && halts < calls,
            "{method}: {halts} of {calls} calls without fault"
        );
    }
}

/// The seed of this run, told so that a failure can be repeated.
fn seed() -> u64 {
    let seed = match std::env::var("PHANTASMA_SEED") {
        Ok(text) => text.parse().expect("PHANTASMA_SEED is a number"),
        Err(_) => 20_261_123,
    };
    eprintln!("seed {seed} (PHANTASMA_SEED)");
    seed
}
