//! That the generator reaches everything, and that the invariants can break.

use super::steps::How;
use super::*;

#[test]
fn sequences_hold_and_reach_every_call() {
    let (tally, statistics) = run_counted(7, 60);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert_eq!(tally.passed, 60);
    for (name, (calls, good)) in &statistics {
        let never = ["steal", "start and abort"].contains(name);
        assert_eq!(*good == 0, never, "{name}: {good} of {calls}");
    }
    assert!(statistics["rounds paid"].0 > 20, "{statistics:?}");
}

/// A house of four nodes with a proof that was shown, one that was not, and two that were accepted.
fn house(cast: &Cast) -> Run<'_> {
    let mut run = Run::new(cast, 3).unwrap();
    let s = run.model.settings.clone();
    let mut steps: Vec<Step> = (0..ACTORS)
        .map(|actor| Step::Give {
            actor,
            amount: 10_000,
        })
        .collect();
    steps.push(Step::Fill { amount: 10_000 });
    steps.push(Step::Content {
        content: 1,
        ms: 400_000_000,
    });
    for actor in 0..4 {
        steps.push(Step::Register {
            actor,
            signer: actor,
            endpoints: 5,
        });
        steps.push(Step::Offer {
            actor,
            signer: actor,
            content: 1,
        });
    }
    steps.push(Step::Wait {
        ms: s.quiet.max(s.min_age),
        blocks: 1,
    });
    let pairs = [(0, 1), (2, 3), (0, 2), (1, 3)];
    steps.extend(pairs.map(|(v, p)| Step::Start {
        v,
        p,
        signer: v,
        content: 1,
        block: -1,
    }));
    steps.push(Step::Wait { ms: 1, blocks: 2 });
    let shown = &pairs[..3];
    steps.extend(shown.iter().map(|(v, p)| Step::Show {
        v: *v,
        p: *p,
        signer: *p,
        how: How::Right,
    }));
    steps.extend(shown[..2].iter().map(|(v, p)| Step::Accept {
        v: *v,
        p: *p,
        signer: 5,
    }));
    for step in &steps {
        assert_eq!(run.step(step), Ok(true), "{step:?}");
    }
    run
}

/// What is found after somebody has changed an entry of the storage of proofs (0) or of the SOUL side (1).
fn found_after(which: usize, key: &[u8], change: impl Fn(&mut Vec<u8>)) -> Invariant {
    let cast = Cast::new();
    let mut run = house(&cast);
    let hash = [&run.world.proofs, &run.world.bank][which];
    let mut value = run.stored[which].get(key).cloned().unwrap_or_default();
    change(&mut value);
    let value = if value.is_empty() { None } else { Some(value) };
    run.world.chain.set_storage(hash, key, value.as_deref());
    let wait = Step::Wait { ms: 0, blocks: 0 };
    run.step(&wait).expect_err("it is found").invariant
}

fn key_of(tag: u8, actors: &[usize]) -> Vec<u8> {
    let cast = Cast::new();
    let hashes = actors
        .iter()
        .flat_map(|actor| cast.actors[*actor].hash.to_array());
    [tag].into_iter().chain(hashes).collect()
}

#[test]
fn each_kind_of_damage_is_found() {
    let flip = |bit: usize| move |value: &mut Vec<u8>| value[bit / 8] ^= 1 << (bit % 8);
    // Balance below 0; more SOUL than issued; an entry that nobody makes.
    assert_eq!(
        found_after(1, &key_of(0x10, &[0]), |v| v.push(0x80)),
        Invariant::Balance
    );
    assert_eq!(
        found_after(1, &key_of(0x10, &[0]), flip(3)),
        Invariant::Supply
    );
    assert_eq!(found_after(0, &[0x77], |v| v.push(1)), Invariant::Keys);
    assert_eq!(found_after(0, &[0x02], flip(0)), Invariant::Settings);
    // A standing: reputation, its top bits, number.
    assert_eq!(
        found_after(0, &key_of(0x11, &[1]), flip(0)),
        Invariant::Reputation
    );
    assert_eq!(
        found_after(0, &key_of(0x11, &[1]), flip(31)),
        Invariant::Range
    );
    // The network: average, count, last number.
    assert_eq!(found_after(0, &[0x04], flip(0)), Invariant::Average);
    assert_eq!(found_after(0, &[0x04], flip(32)), Invariant::Count);
    assert_eq!(found_after(0, &[0x04], flip(64)), Invariant::Numbers);
    // A queue: twice the same, somebody too many, nobody.
    assert_eq!(
        found_after(0, &[0x05], |v| *v = vec![1, 0, 0, 0x80, 0]),
        Invariant::Order
    );
    assert_eq!(
        found_after(0, &[0x05], |v| *v = vec![4]),
        Invariant::Waiting
    );
    assert_eq!(found_after(0, &[0x06], Vec::clear), Invariant::Waiting);
    // Clock; tally; a challenge that is gone.
    assert_eq!(found_after(0, &[0x07], flip(0)), Invariant::Counters);
    let mut tally = vec![0x30];
    tally.extend(Cast::new().roots[1]);
    assert_eq!(found_after(0, &tally, Vec::clear), Invariant::Counters);
    assert_eq!(
        found_after(0, &key_of(0x20, &[1, 3]), Vec::clear),
        Invariant::Challenges
    );
}

#[test]
fn a_call_that_should_not_have_gone_through_is_found() {
    let cast = Cast::new();
    let refused = |change: &dyn Fn(&mut Model), step: Step| {
        let mut run = house(&cast);
        change(&mut run.model);
        run.step(&step).expect_err("it is found").invariant
    };
    // The model is told something else, so that the contract seems to be wrong.
    let accept = Step::Accept {
        v: 0,
        p: 2,
        signer: 5,
    };
    assert_eq!(
        refused(&|m| m.open.retain(|pair, _| *pair != (0, 2)), accept),
        Invariant::Accepted
    );
    let show = Step::Show {
        v: 1,
        p: 3,
        signer: 3,
        how: How::Right,
    };
    assert_eq!(
        refused(&|m| m.settings.deadline = 0, show),
        Invariant::Shown
    );
    let wrong = Step::Show {
        v: 1,
        p: 3,
        signer: 3,
        how: How::FlippedPath,
    };
    assert_eq!(refused(&|m| m.seed += 1, show), Invariant::Goes);
    let mut run = house(&cast);
    assert_eq!(run.step(&wrong), Ok(false));
    assert_eq!(run.step(&show), Ok(true));
    let start = Step::Start {
        v: 0,
        p: 1,
        signer: 0,
        content: 1,
        block: 0,
    };
    let ms = run.model.settings.quiet;
    assert_eq!(run.step(&Step::Wait { ms, blocks: 1 }), Ok(true));
    run.model.changed = run.model.time + 1;
    run.model.settings.quiet = 0;
    let found = run.step(&start).expect_err("it is found");
    assert_eq!(found.invariant, Invariant::Roles);
}

#[test]
fn a_failing_sequence_is_cut_down() {
    let cast = Cast::new();
    // More endpoints than the chain takes at all: a fault that no rule of the model knows.
    let filler = (0..40).map(|n| Step::Give {
        actor: n % ACTORS,
        amount: 1000,
    });
    let mut steps: Vec<Step> = filler.collect();
    steps.insert(
        20,
        Step::Register {
            actor: 1,
            signer: 1,
            endpoints: 3,
        },
    );
    steps.push(Step::Give {
        actor: 2,
        amount: -1_000_000,
    });
    let (at, violation) = replay(&cast, 3, &steps).unwrap_err();
    assert_eq!((at, violation.invariant), (41, Invariant::Balance));
    let told = shrink::told(&cast, 3, &steps, &violation);
    assert!(told.contains("1 of 42 steps"), "{told}");
}
