//! A few of the generated tests that `torture` runs by the thousand. `PHANTASMA_SEED` chooses others.

use phantasma_tests::torture::{self, Tally};

/// The seed of these runs, told so that a failure can be repeated.
fn seed() -> u64 {
    let seed = match std::env::var("PHANTASMA_SEED") {
        Ok(text) => text.parse().expect("PHANTASMA_SEED is a number"),
        Err(_) => 20_261_124,
    };
    eprintln!("seed {seed} (PHANTASMA_SEED)");
    seed
}

fn all_good(tally: &Tally, count: usize) {
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert_eq!(tally.passed, count);
    eprintln!("{} returned, {} faulted", tally.halts, tally.faults);
    // A generator that makes only faults, or none, tests too little.
    assert!(tally.halts > count / 4 && tally.faults > count / 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn scripts_do_the_same_on_the_node_and_in_both_interpreters() {
    let count = 500;
    all_good(&torture::vm::run(seed(), count).await, count);
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_do_the_same_natively_and_compiled() {
    let count = 64;
    all_good(&torture::compiler::run(seed(), count).await, count);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_never_takes_more_than_its_bound() {
    let count = 200;
    let (tally, ratios) = torture::bounds::run(seed(), count).await;
    ratios.report();
    all_good(&tally, count);
    assert_eq!(ratios.too_wide(), None);
}

#[test]
fn sequences_on_all_three_contracts_keep_every_invariant() {
    let count = 1000;
    all_good(&torture::economy::run(seed(), count), count);
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_do_the_same_natively_and_on_a_node() {
    let count = 12;
    let replayed = torture::economy::onchain::run(seed(), count).await;
    eprintln!("{}", replayed.report());
    all_good(&replayed.tally, count);
    assert!(replayed.tally.halts + replayed.tally.faults > 50 * count);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_message_is_lost_or_doubled_by_a_tortured_relay() {
    let tally = torture::relay::run(seed(), 16).await;
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert!(tally.halts > 100, "{} acknowledged", tally.halts);
}

#[test]
fn storage_nodes_in_trouble_lose_nothing_give_nothing_wrong_and_make_good_what_is_lost() {
    // In a process of its own, which puts itself into namespaces.
    let count = 2;
    let run = std::process::Command::new(phantasma_tests::binary("torture"))
        .args(["pdfs", "--count", &count.to_string()])
        .args(["--seed", &seed().to_string()])
        .output()
        .expect("the torture starts");
    let said = String::from_utf8_lossy(&run.stdout);
    let errors = String::from_utf8_lossy(&run.stderr);
    eprintln!("{said}");
    assert!(run.status.success(), "{said}\n{errors}");
    let last = said.lines().last();
    assert_eq!(last, Some(format!("{count} passed, 0 failed").as_str()));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_abused_relay_keeps_its_memory_and_serves_honest_people() {
    let size = torture::relay::abuse::Size::SMALL;
    let phases = torture::relay::abuse::run(size, |phase| eprintln!("{}", phase.line())).await;
    for phase in &phases {
        assert!(phase.failures(false).is_empty(), "{phase:?}");
        // Times of a busy machine say little; that honest messages come at all does.
        assert!(phase.attacked.p50_ms < 1000.0, "{phase:?}");
    }
    assert_eq!(phases.len(), 6);
}
