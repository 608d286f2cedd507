use super::{Findings, flood, pdfs, relays};

fn small_network(seed: u64) -> pdfs::Options {
    pdfs::Options {
        minutes: 30,
        ..pdfs::Options::new(120, seed)
    }
}

#[test]
fn a_small_storage_network_keeps_and_finds_every_block() {
    let findings = pdfs::run(&small_network(7));
    assert_eq!(findings.missed, Vec::<String>::new(), "{}", findings.text());
}

/// What cannot be kept must be seen to be lost: more than the whole network every four minutes leaves no time to repair.
#[test]
fn the_simulation_sees_what_is_lost() {
    let options = pdfs::Options {
        churn_percent: 2_000,
        ..small_network(7)
    };
    let findings = pdfs::run(&options);
    let missed = findings.missed.join("\n");
    assert!(missed.contains("blocks lost"), "{}", findings.text());
    assert!(missed.contains("none found"), "{}", findings.text());
}

#[test]
fn a_run_is_repeated_by_its_seed() {
    let text = |seed| pdfs::run(&small_network(seed)).text();
    assert_eq!(text(3), text(3));
    assert_ne!(text(3), text(4));
    let text = |seed| relays::run(&relays::Options::new(60, seed)).text();
    assert_eq!(text(3), text(3));
    assert_ne!(text(3), text(4));
}

#[test]
fn a_few_hundred_relays_get_every_message_about_once() {
    let options = relays::Options {
        messages: 40,
        ..relays::Options::new(300, 7)
    };
    let findings = relays::run(&options);
    assert_eq!(findings.missed, Vec::<String>::new(), "{}", findings.text());
}

#[test]
fn a_block_that_everybody_wants_is_spread_and_taken_back() {
    let mut findings = Findings::default();
    flood::run(300, 7, &mut findings);
    assert_eq!(findings.missed, Vec::<String>::new(), "{}", findings.text());
}
