//! SOUL in boxes: what a script may take, from whom, and where it goes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;

/// Takes 700 from everybody.
const TOLL: &str = "PUSH 700\nPAY\nOK";
/// Takes 100 from a writer for each byte.
const FUNDED: &str = "STATE write\nJMPIFNOT ok\nSTATE content\nSIZE\nPUSH 100\nMUL\nPAY\nok: OK";

#[test]
fn a_payment_is_split_between_the_box_and_the_pool() {
    let world = World::new();
    let id = world.new_box(&world.alice, "toll", TOLL);
    let (bob, alice) = (
        world.balance(&world.bob.hash),
        world.balance(&world.alice.hash),
    );
    let pool = world.pool();
    let outcome = world.write_for(&world.bob, id, "PUSH \"abc\"", 700);
    let names: Vec<_> = outcome.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(
        names,
        ["Transfer", "transfer", "BoxBalance", "ContentWritten"]
    );
    assert_eq!(
        outcome.events[0].args,
        [
            account(&world.bob),
            bytes(world.hash.as_bytes().as_slice()),
            int(700)
        ]
    );
    assert_eq!(outcome.events[2].args, [int(id), int(560)]);
    assert_eq!(world.balance(&world.bob.hash), bob - 700);
    assert_eq!(world.balance(&world.alice.hash), alice);
    assert_eq!(world.box_balance(id), 560);
    assert_eq!(world.pool(), pool + 140);
    assert_eq!(world.sum_of_balances(), SUPPLY);
    // The part that does not divide is the box's.
    let odd = world.new_box(&world.alice, "odd", "PUSH 3\nPAY\nOK");
    assert!(world.write_for(&world.bob, odd, "PUSH 1", 3).is_halt());
    assert_eq!(world.box_balance(odd), 3);
}

#[test]
fn max_payment_bounds_gate_and_content_together() {
    let world = World::new();
    let id = world.new_box(
        &world.alice,
        "toll",
        "STATE write\nNOT\nJMPIFNOT ok\nPUSH 5\nPAY\nok: OK",
    );
    assert!(
        world
            .write(&world.alice, id, "PUSH 4\nPAY\nPUSH \"worth it\"")
            .is_halt()
    );
    let read = |max| vec![account(&world.bob), int(id), int(0), int(max)];
    for max in [0, 4, 5, 8] {
        world.refused(
            &world.bob,
            "readContentAt",
            read(max),
            "PAY: above maxPayment",
        );
    }
    let before = world.balance(&world.bob.hash);
    for max in [9, 10, i64::MAX] {
        let outcome = world.by(&world.bob, "readContentAt", read(max));
        assert_eq!(outcome.result(), bytes(b"worth it"));
    }
    assert_eq!(world.balance(&world.bob.hash), before - 27);
    assert_eq!(
        world.get("inspectContent", vec![account(&world.bob), int(id)]),
        int(9)
    );
    assert_eq!(
        world.box_balance(id),
        27 - 3,
        "5 and 4 each leave 0 and 0 to the pool"
    );
}

#[test]
fn a_payment_that_is_negative_or_not_covered_faults() {
    let world = World::new();
    let negative = world.new_box(&world.alice, "negative", "PUSH -1\nPAY\nOK");
    let args = |id: i64, max: i64| vec![account(&world.bob), int(id), script("PUSH 1"), int(max)];
    world.refused(
        &world.bob,
        "writeContent",
        args(negative, 9),
        "PAY: negative amount",
    );
    let price = 1000_0000_0001_i64;
    let dear = world.new_box(&world.alice, "dear", &format!("PUSH {price}\nPAY\nOK"));
    world.refused(
        &world.bob,
        "writeContent",
        args(dear, i64::MAX),
        "not enough SOUL to pay the fee",
    );
    let most = world.new_box(&world.alice, "most", "PUSH 1\nPUSHINT256 -1\nPAY\nOK");
    world.refused(
        &world.bob,
        "writeContent",
        args(most, 9),
        "PAY: negative amount",
    );
    // Two payments that are covered one by one only.
    let twice = world.new_box(
        &world.alice,
        "twice",
        "PUSH 60000000000\nPAY\nPUSH 60000000000\nPAY\nOK",
    );
    world.refused(
        &world.bob,
        "writeContent",
        args(twice, i64::MAX),
        "not enough SOUL to pay the fee",
    );
}

#[test]
fn a_signed_message_is_never_charged() {
    let world = World::new();
    let id = world.new_box(&world.alice, "toll", "PUSH 1\nPAY\nOK");
    let payload = phantasma_vm::data_script(b"x").unwrap();
    let mut message = b"PHM1".to_vec();
    message.extend(world.chain.network().to_le_bytes());
    message.extend(world.hash.as_bytes().as_slice());
    message.extend(world.bob.public_key.as_bytes().as_slice());
    for number in [id as u64, 1, 1] {
        message.extend(number.to_le_bytes());
    }
    message.push(2);
    message.extend(&payload);
    let signature = world.bob.sign(&message);
    let args = vec![
        key(&world.bob),
        int(id),
        int(1),
        int(1),
        int(2),
        bytes(&payload),
        bytes(signature.as_bytes().as_slice()),
    ];
    world.refused(&world.bob, "writeSigned", args, "PAY: above maxPayment");
}

#[test]
fn the_owner_alone_withdraws_and_never_more_than_is_there() {
    let world = World::new();
    let id = world.new_box(&world.alice, "toll", TOLL);
    world.write_for(&world.bob, id, "PUSH \"abc\"", 700);
    world.refused(
        &world.bob,
        "withdraw",
        vec![int(id), int(1)],
        "no witness of the owner",
    );
    for (amount, message) in [
        (561, "not enough SOUL in the box"),
        (i64::MAX, "not enough SOUL in the box"),
        (0, "withdraw: amount must be positive"),
        (-5, "withdraw: amount must be positive"),
    ] {
        world.refused(
            &world.alice,
            "withdraw",
            vec![int(id), int(amount)],
            message,
        );
    }
    world.refused(
        &world.alice,
        "withdraw",
        vec![int(9), int(1)],
        "no such box",
    );
    let (alice, pool) = (world.balance(&world.alice.hash), world.pool());
    let outcome = world.by(&world.alice, "withdraw", vec![int(id), int(500)]);
    let names: Vec<_> = outcome.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["BoxBalance", "Transfer", "transfer"]);
    assert_eq!(world.balance(&world.alice.hash), alice + 500);
    assert_eq!((world.box_balance(id), world.pool()), (60, pool));
    assert!(
        world
            .by(&world.alice, "withdraw", vec![int(id), int(60)])
            .is_halt()
    );
    assert!(world.storage().keys().all(|key| key[0] != 0x18));
    assert_eq!(world.sum_of_balances(), SUPPLY);
}

#[test]
fn time_counts_from_the_callers_last_payment_to_this_box() {
    let world = World::new();
    // A subscription: 10 for a day.
    let gate = "STATE write\nJMPIFNOT read\nOK\n\
                read: TIME\nPUSH 86400\nGT\nJMPIFNOT paid\nPUSH 10\nPAY\npaid: OK";
    let id = world.new_box(&world.alice, "daily", gate);
    let other = world.new_box(&world.alice, "other", gate);
    for id in [id, other] {
        world.write(&world.alice, id, "TIME");
    }
    let read = |who, id| {
        let max = int(10);
        world.by(
            who,
            "readContentAt",
            vec![account(who), int(id), int(0), max],
        )
    };
    let start = 1_800_000_000_i64;
    world.chain.set_time(start * 1000);
    assert_eq!(read(&world.bob, id).result(), int(0));
    world.chain.set_time((start + 86_400) * 1000);
    assert_eq!(read(&world.bob, id).result(), int(86_400));
    assert_eq!(world.box_balance(id), 8);
    world.chain.set_time((start + 86_401) * 1000);
    assert_eq!(read(&world.bob, id).result(), int(0));
    assert_eq!(world.box_balance(id), 16);
    // Neither another box nor another reader is paid for.
    assert_eq!(read(&world.bob, other).result(), int(0));
    assert_eq!(world.box_balance(other), 8);
    assert_eq!(read(&world.alice, id).result(), int(0));
    assert_eq!(world.box_balance(id), 24);
}

#[test]
fn asking_what_reading_costs_needs_no_witness_and_changes_nothing() {
    let world = World::new();
    let id = world.new_box(
        &world.alice,
        "toll",
        "STATE write\nJMPIFNOT pay\nOK\npay: PUSH 5\nPAY\nOK",
    );
    let sink = world.new_box(&world.alice, "sink", "PUSHT");
    world.write(&world.alice, sink, "PUSH \"keep\"");
    world.write(
        &world.alice,
        id,
        &format!(
            "PUSH 30\nPAY\nPUSH \"v\"\nPUSH \"k\"\nWRITE\nPUSH 0x11\nPUSH {sink}\nPUSH\nDROP\n\
             PUSH {sink}\nPULL\nDROP\nPUSH {sink}\nDELETE\nDROP\nPUSH 0x11\nPUSH {sink}\nREPLACE\nDROP\n\
             PUSH {sink}\nINCLUDE\nDROP\nPUSH {sink}\nEXCLUDE\nDROP\nFAIL"
        ),
    );
    let before = world.storage();
    let asked = world.signed(&[], "inspectContent", vec![account(&world.bob), int(id)]);
    assert_eq!(asked.result(), int(35));
    assert!(asked.events.is_empty());
    assert_eq!(world.storage(), before);
    let closed = world.new_box(&world.alice, "closed", "STATE own");
    world.write(&world.alice, closed, "PUSH 1");
    world.refused(
        &world.bob,
        "inspectContent",
        vec![account(&world.bob), int(closed)],
        "the gate refuses",
    );
    let empty = world.new_box(&world.alice, "empty", "PUSHT");
    world.refused(
        &world.bob,
        "inspectContent",
        vec![account(&world.bob), int(empty)],
        "no such content",
    );
}

#[test]
fn inside_another_box_the_box_pays_and_only_for_its_owner() {
    let world = World::new();
    let shop = world.new_box(
        &world.bob,
        "shop",
        "STATE read\nJMPIFNOT ok\nPUSH 50\nPAY\nok: OK",
    );
    world.write(&world.bob, shop, "PUSH \"goods\"");
    let id = world.new_box(&world.alice, "reseller", FUNDED);
    // Twenty bytes of content are 2000.
    assert!(
        world
            .write_for(&world.alice, id, "PUSH \"012345678901234567\"", 2000)
            .is_halt()
    );
    assert_eq!(world.box_balance(id), 1600);
    let buy = format!("PUSH {shop}\nPULL");
    assert!(world.write_for(&world.alice, id, &buy, 9000).is_halt());
    let held = world.box_balance(id);
    let bob = world.balance(&world.bob.hash);
    // The reader pays nothing, Alice's box does, for what Alice wrote.
    assert_eq!(world.read(&world.bob, id, 1).result(), bytes(b"goods"));
    assert_eq!(world.box_balance(id), held - 50);
    assert_eq!(world.box_balance(shop), 40);
    assert_eq!(world.balance(&world.bob.hash), bob);
    // What a stranger wrote must not spend it.
    assert!(world.write_for(&world.bob, id, &buy, 9000).is_halt());
    let read = |index: i64| vec![account(&world.bob), int(id), int(index), int(10_000)];
    world.refused(
        &world.bob,
        "readContentAt",
        read(2),
        "PAY: the box does not belong to the author",
    );
    // Nor can a box pay what it does not have.
    let left = world.box_balance(id);
    assert!(
        world
            .by(&world.alice, "withdraw", vec![int(id), int(left - 49)])
            .is_halt()
    );
    world.refused(
        &world.bob,
        "readContentAt",
        read(1),
        "not enough SOUL in the box",
    );
    assert_eq!(world.sum_of_balances(), SUPPLY);
}
