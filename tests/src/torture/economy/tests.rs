//! That the generator reaches everything, and that the invariants can break.

use super::steps::{How, SaleStep};
use super::*;

#[test]
fn sequences_hold_and_reach_every_call() {
    let (tally, statistics) = run_counted(7, 100);
    assert!(tally.failures.is_empty(), "{}", tally.failures.join("\n"));
    assert_eq!(tally.passed, 100);
    for (name, (calls, good)) in &statistics {
        let never = ["steal", "start and abort"].contains(name);
        assert_eq!(*good == 0, never, "{name}: {good} of {calls}");
    }
    assert!(statistics["rounds paid"].0 > 20, "{statistics:?}");
}

/// A house of four nodes with a proof that was shown, one that was not, and two that were accepted.
fn house(cast: &Cast) -> Run<'_> {
    let mut run = Run::new(cast, 3, Place::somewhere()).unwrap();
    let s = run.model.settings.clone();
    let mut steps = opening();
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
    steps.extend(market(&s));
    steps.push(Step::Wait {
        ms: s.quiet.max(s.min_age).max(1),
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

/// One who has bought, with a locked bonus, one to whom something was allotted, and one who has paid the box.
fn market(s: &model::Settings) -> Vec<Step> {
    let sale = |signer, step| Step::Sale { signer, step };
    let (first, count) = (0, 1);
    let tier = 2;
    vec![
        sale(OWNER, SaleStep::Whitelist { first, count, tier }),
        Step::Wait {
            ms: s.sale.opens_in,
            blocks: 1,
        },
        sale(
            0,
            SaleStep::Buy {
                actor: 0,
                neo: true,
                amount: 3,
            },
        ),
        sale(
            OWNER,
            SaleStep::Allot {
                first: 1,
                count,
                amount: 700,
                lockup: 2,
            },
        ),
        Step::Soul {
            signer: 3,
            step: SoulStep::Write {
                actor: 3,
                most: 1000,
            },
        },
    ]
}

/// Which contract's storage is damaged.
#[derive(Clone, Copy)]
enum Of {
    Soul,
    Sale,
    Proofs,
}

/// What is found after somebody has changed an entry of a contract's storage.
fn found_after(of: Of, key: &[u8], change: impl Fn(&mut Vec<u8>)) -> Invariant {
    let cast = Cast::new();
    let mut run = house(&cast);
    let place = &run.world.place;
    let hash = [&place.soul, &place.sale, &place.proofs][of as usize];
    let mut value = run.stored[of as usize]
        .get(key)
        .cloned()
        .unwrap_or_default();
    change(&mut value);
    let value = if value.is_empty() { None } else { Some(value) };
    run.world.chain.set_storage(hash, key, value.as_deref());
    let wait = Step::Wait { ms: 1, blocks: 1 };
    run.step(&wait).expect_err("it is found").invariant
}

fn key_of(tag: u8, people: &[usize]) -> Vec<u8> {
    let cast = Cast::new();
    let hashes = people
        .iter()
        .flat_map(|who| cast.people[*who].hash.to_array());
    [tag].into_iter().chain(hashes).collect()
}

fn flip(bit: usize) -> impl Fn(&mut Vec<u8>) {
    move |value| {
        value.resize(value.len().max(bit / 8 + 1), 0);
        value[bit / 8] ^= 1 << (bit % 8);
    }
}

fn content_key(tag: u8) -> Vec<u8> {
    let mut key = vec![tag];
    key.extend(Cast::new().roots[1]);
    key
}

#[test]
fn each_kind_of_damage_of_proofs_is_found() {
    let found = |key: &[u8], change: &dyn Fn(&mut Vec<u8>)| found_after(Of::Proofs, key, change);
    assert_eq!(found(&[0x77], &|v| v.push(1)), Invariant::Keys);
    assert_eq!(found(&[0x02], &flip(0)), Invariant::Settings);
    // A standing: reputation, its top bits, number.
    let standing = key_of(0x11, &[1]);
    assert_eq!(found(&standing, &flip(0)), Invariant::Reputation);
    assert_eq!(found(&standing, &flip(31)), Invariant::Range);
    // The network: average, count, last number.
    assert_eq!(found(&[0x04], &flip(0)), Invariant::Average);
    assert_eq!(found(&[0x04], &flip(32)), Invariant::Count);
    assert_eq!(found(&[0x04], &flip(64)), Invariant::Numbers);
    // A queue: twice the same, somebody too many, nobody.
    let twice = |v: &mut Vec<u8>| *v = vec![1, 0, 0, 0x80, 0];
    assert_eq!(found(&[0x05], &twice), Invariant::Order);
    assert_eq!(found(&[0x05], &|v| *v = vec![4]), Invariant::Waiting);
    assert_eq!(found(&[0x06], &Vec::clear), Invariant::Waiting);
    // Clock; tally; a challenge that is gone.
    assert_eq!(found(&[0x07], &flip(0)), Invariant::Counters);
    assert_eq!(found(&content_key(0x30), &Vec::clear), Invariant::Counters);
    let challenge = key_of(0x20, &[1, 3]);
    assert_eq!(found(&challenge, &Vec::clear), Invariant::Challenges);
}

#[test]
fn each_kind_of_damage_of_soul_is_found() {
    let found = |key: &[u8], change: &dyn Fn(&mut Vec<u8>)| found_after(Of::Soul, key, change);
    let balance = key_of(0x10, &[0]);
    assert_eq!(found(&balance, &|v| v.push(0x80)), Invariant::Balance);
    assert_eq!(found(&balance, &flip(3)), Invariant::Supply);
    assert_eq!(found(&[0x01], &flip(3)), Invariant::Supply);
    assert_eq!(found(&[0x77], &|v| v.push(1)), Invariant::Keys);
    assert_eq!(found(&[0x03], &flip(0)), Invariant::Settings);
    // The box: what it has, what all boxes have, how many contents, its gate.
    assert_eq!(found(&[0x18, 1], &flip(0)), Invariant::Chest);
    assert_eq!(found(&[0x06], &flip(0)), Invariant::Pool);
    assert_eq!(found(&[0x12, 1], &flip(0)), Invariant::Gate);
    assert_eq!(found(&[0x11, 1], &flip(200)), Invariant::Settings);
    // A content: its expiry, and its owner.
    assert_eq!(found(&content_key(0x16), &flip(64)), Invariant::Register);
    assert_eq!(found(&content_key(0x16), &Vec::clear), Invariant::Register);
}

#[test]
fn each_kind_of_damage_of_the_sale_is_found() {
    let found = |key: &[u8], change: &dyn Fn(&mut Vec<u8>)| found_after(Of::Sale, key, change);
    let buyer = key_of(0x20, &[0]);
    assert_eq!(found(&[0x77], &|v| v.push(1)), Invariant::Keys);
    assert_eq!(found(&[0x10, 1], &flip(0)), Invariant::Settings);
    // The state: sold, hard cap, end, paused.
    assert_eq!(found(&[0x04], &flip(0)), Invariant::Unsold);
    assert_eq!(found(&[0x04], &flip(160)), Invariant::Caps);
    assert_eq!(found(&[0x04], &flip(112)), Invariant::Admin);
    assert_eq!(found(&[0x04], &flip(224)), Invariant::Admin);
    // An account: tier, bought beyond the cap, bought, locked, unlocked, lock-up.
    assert_eq!(found(&buyer, &flip(1)), Invariant::Sale);
    assert_eq!(found(&buyer, &flip(8 + 20)), Invariant::Caps);
    assert_eq!(found(&buyer, &flip(8)), Invariant::Sale);
    assert_eq!(found(&buyer, &flip(72)), Invariant::Locked);
    assert_eq!(found(&buyer, &flip(136)), Invariant::Locked);
    assert_eq!(found(&buyer, &flip(200)), Invariant::Locked);
    // What was allotted under a lock-up without a reserve, and with one.
    assert_eq!(found(&[0x12, 1], &flip(0)), Invariant::Unsold);
    assert_eq!(found(&[0x12, 2], &flip(0)), Invariant::Unsold);
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
fn a_purchase_that_should_not_have_gone_through_is_found() {
    let cast = Cast::new();
    let found = |change: &dyn Fn(&mut Model), signer, step| {
        let mut run = house(&cast);
        change(&mut run.model);
        let step = Step::Sale { signer, step };
        run.step(&step).expect_err("it is found").invariant
    };
    let buy = SaleStep::Buy {
        actor: 0,
        neo: false,
        amount: 123_456_789,
    };
    let closed = |m: &mut Model| m.sale.opening = m.time + 1;
    assert_eq!(found(&closed, 0, buy), Invariant::Sale);
    let full = |m: &mut Model| m.settings.soul.max_supply = m.issued;
    assert_eq!(found(&full, 0, buy), Invariant::MaxSupply);
    let other = |m: &mut Model| m.sale.records[0].lockup = 3;
    assert_eq!(found(&other, 0, buy), Invariant::Locked);
    let dearer = |m: &mut Model| m.settings.sale.tiers[1][1] += 1;
    assert_eq!(found(&dearer, 0, buy), Invariant::Refund);
    let ended = |m: &mut Model| m.sale.end = m.time;
    assert_eq!(found(&ended, OWNER, SaleStep::End), Invariant::Admin);
    let allot = SaleStep::Allot {
        first: 2,
        count: 1,
        amount: 1,
        lockup: 3,
    };
    let nothing_left = |m: &mut Model| m.settings.sale.lockups[2][3] = 0;
    assert_eq!(found(&nothing_left, OWNER, allot), Invariant::Reserve);
}

#[test]
fn a_failing_sequence_is_cut_down() {
    let cast = Cast::new();
    let of = |signer, step| Step::Soul { signer, step };
    let give = |from, to, amount| of(from, SoulStep::Transfer { from, to, amount });
    let filler = (0..40).map(|n| give(OWNER, n % ACTORS, 1000));
    let mut steps: Vec<Step> = filler.collect();
    steps.insert(
        20,
        Step::Register {
            actor: 1,
            signer: 1,
            endpoints: 3,
        },
    );
    // A fault that no rule of the model knows.
    steps.push(give(OWNER, 2, -1_000_000));
    let (at, violation) = replay(&cast, 3, &steps).unwrap_err();
    assert_eq!((at, violation.invariant), (41, Invariant::Goes));
    let told = shrink::told(&cast, 3, &steps, &violation);
    assert!(told.contains("1 of 42 steps"), "{told}");
}
