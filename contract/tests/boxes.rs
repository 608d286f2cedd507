//! Boxes, gates, contents, signed messages.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Account, Item};
use phantasma_vm::{MAX_SCRIPT_BYTES, data_script};

fn create_args(owner: &Account, name: &[u8], gate: Item) -> Vec<Item> {
    vec![account(owner), bytes(name), key(owner), gate]
}

#[test]
fn a_box_is_found_by_number_name_and_owner() {
    let world = World::new();
    let outcome = world.by(
        &world.alice,
        "createBox",
        create_args(&world.alice, b"news_1", script("PUSHT")),
    );
    assert_eq!(outcome.result(), int(1));
    let event = outcome.events.last().unwrap();
    assert_eq!(event.name, "BoxCreated");
    assert_eq!(
        event.args,
        [int(1), account(&world.alice), bytes(b"news_1")]
    );
    assert_eq!(world.new_box(&world.bob, "b", "PUSHT"), 2);
    assert_eq!(world.new_box(&world.alice, &"z".repeat(32), "STATE own"), 3);

    assert_eq!(world.get("boxCount", vec![]), int(3));
    assert_eq!(world.get("findBox", vec![bytes(b"news_1")]), int(1));
    for unknown in [b"news".to_vec(), vec![], vec![b'a'; 33], vec![b'a'; 100]] {
        assert_eq!(world.get("findBox", vec![bytes(&unknown)]), int(0));
    }
    let info = fields(&world.get("boxInfo", vec![int(1)]));
    let expected = [
        int(1),
        account(&world.alice),
        bytes(b"news_1"),
        key(&world.alice),
        bytes(&[8]),
        int(0),
    ];
    assert_eq!(info, expected);

    let Item::Iterator(iterator) = world.get("boxesOf", vec![account(&world.alice)]) else {
        panic!("no iterator")
    };
    let mut ids = Vec::new();
    while iterator.next() {
        ids.push(as_int(iterator.value().raw()));
    }
    assert_eq!(ids, [1, 3]);
}

#[test]
fn boxes_of_an_owner_come_in_order_beyond_one_byte() {
    let world = World::new();
    let many = 1000_0000_0000 / BOX_FEE;
    for n in 0..many {
        world.new_box(&world.alice, &format!("a{n}"), "PUSHT");
    }
    world.by(
        &world.owner,
        "transfer",
        vec![
            account(&world.owner),
            account(&world.alice),
            int(200 * BOX_FEE),
            Item::Null,
        ],
    );
    for n in many..300 {
        world.new_box(&world.alice, &format!("a{n}"), "PUSHT");
    }
    let Item::Iterator(iterator) = world.get("boxesOf", vec![account(&world.alice)]) else {
        panic!("no iterator")
    };
    let mut ids = Vec::new();
    while iterator.next() {
        ids.push(as_int(iterator.value().raw()));
    }
    assert_eq!(ids, (1..=300).collect::<Vec<_>>());
}

#[test]
fn a_box_costs_its_fee_which_goes_to_the_pool() {
    let world = World::new();
    let outcome = world.by(
        &world.alice,
        "createBox",
        create_args(&world.alice, b"news", script("PUSHT")),
    );
    let names: Vec<_> = outcome.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Transfer", "transfer", "BoxCreated"]);
    assert_eq!(world.balance(&world.alice.hash), 1000_0000_0000 - BOX_FEE);
    assert_eq!(world.balance(&world.hash), BOX_FEE);
    assert_eq!(world.sum_of_balances(), SUPPLY);
    let poor = world.chain.account("poor");
    let args = create_args(&poor, b"other", script("PUSHT"));
    world.refused(&poor, "createBox", args, "not enough SOUL to pay the fee");
}

#[test]
fn a_bad_name_is_refused() {
    let world = World::new();
    let message = "createBox: name must be 1-32 characters of a-z 0-9 _";
    let bad: [&[u8]; 9] = [
        b"",
        b"A",
        b"aA",
        b"\xc3\xa9",
        &[b'a'; 33],
        b"a b",
        b"a-b",
        b"a\0",
        b"`{",
    ];
    for name in bad {
        world.refused(
            &world.alice,
            "createBox",
            create_args(&world.alice, name, script("PUSHT")),
            message,
        );
    }
    world.new_box(&world.alice, "az09_", "PUSHT");
}

#[test]
fn a_taken_name_is_refused_whoever_asks() {
    let world = World::new();
    world.new_box(&world.alice, "news", "PUSHT");
    for who in [&world.alice, &world.bob] {
        let args = create_args(who, b"news", script("PUSHT"));
        world.refused(who, "createBox", args, "createBox: name is taken");
    }
}

#[test]
fn a_box_needs_the_owners_witness_and_key() {
    let world = World::new();
    let args = create_args(&world.alice, b"news", script("PUSHT"));
    world.refused(
        &world.bob,
        "createBox",
        args,
        "createBox: no witness of the owner",
    );
    let mut args = create_args(&world.alice, b"news", script("PUSHT"));
    args[2] = key(&world.bob);
    world.refused(
        &world.alice,
        "createBox",
        args.clone(),
        "createBox: publicKey is not the owner's",
    );
    args[2] = bytes(&[0xFF; 33]);
    world.refused(
        &world.alice,
        "createBox",
        args.clone(),
        "invalid public key",
    );
    args[2] = bytes(&[2; 32]);
    world.refused(&world.alice, "createBox", args, "publicKey: 33 bytes");
}

#[test]
fn a_bad_gate_is_refused_when_the_box_is_made() {
    let world = World::new();
    let cases: [(&[u8], &str); 8] = [
        (&[], "script: empty or too long"),
        (&[0x07], "script: unknown instruction"),
        (&[0x21], "script: unknown instruction"),
        (&[0x0C, 5, 1], "script: truncated operand"),
        (&[0x11, 0x22, 0xFF], "script: backward jump"),
        (
            &[0x22, 0x03, 0x0C, 0x01, 0x41],
            "script: jump into an instruction or past the end",
        ),
        (&[0x9E], "script: stack underflow"),
        (&[0xEA, 11], "script: unknown state"),
    ];
    for (gate, message) in cases {
        world.refused(
            &world.alice,
            "createBox",
            create_args(&world.alice, b"news", bytes(gate)),
            message,
        );
    }
    let long = data_script(&[0; 4096]).unwrap();
    let args = create_args(&world.alice, b"news", bytes(&long));
    world.refused(&world.alice, "createBox", args, "gate is over 4096 bytes");
}

#[test]
fn a_content_is_written_counted_and_read() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    let outcome = world.write(&world.bob, id, "PUSH \"hello\"");
    assert_eq!(outcome.result(), int(0));
    let event = &outcome.events[0];
    assert_eq!(event.name, "ContentWritten");
    assert_eq!(event.args, [int(id), int(0), account(&world.bob)]);
    assert_eq!(
        world
            .write(&world.alice, id, "PUSH 2\nPUSH 3\nADD")
            .result(),
        int(1)
    );

    assert_eq!(world.get("contentCount", vec![int(id)]), int(2));
    assert_eq!(world.read(&world.bob, id, 0).result(), bytes(b"hello"));
    assert_eq!(world.read(&world.bob, id, 1).result(), int(5));
    assert_eq!(
        world.get("contentAt", vec![int(id), int(0)]),
        script("PUSH \"hello\"")
    );
}

#[test]
fn the_gate_decides_over_each_access() {
    let world = World::new();
    let own = world.new_box(&world.alice, "own", "STATE own");
    assert!(world.write(&world.alice, own, "PUSH 1").is_halt());
    world.refused(
        &world.bob,
        "writeContent",
        vec![account(&world.bob), int(own), script("PUSH 1"), int(0)],
        "the gate refuses",
    );
    world.refused(
        &world.bob,
        "readContentAt",
        vec![account(&world.bob), int(own), int(0), int(0)],
        "the gate refuses",
    );
    assert_eq!(world.read(&world.alice, own, 0).result(), int(1));

    let public = world.new_box(&world.alice, "public", "STATE read\nSTATE own\nBOOLOR");
    assert!(world.write(&world.alice, public, "PUSH 1").is_halt());
    assert!(!world.write(&world.bob, public, "PUSH 1").is_halt());
    assert_eq!(world.read(&world.bob, public, 0).result(), int(1));

    for (name, gate) in [
        ("zero", "PUSH 0"),
        ("none", "RET"),
        ("fail", "FAIL"),
        ("throws", "PUSH 1\nTHROW"),
    ] {
        let closed = world.new_box(&world.alice, name, gate);
        assert!(
            !world.write(&world.alice, closed, "PUSH 1").is_halt(),
            "{name}"
        );
    }
}

#[test]
fn a_time_limited_gate_opens_at_its_time() {
    let world = World::new();
    let id = world.new_box(
        &world.alice,
        "later",
        "STATE timestamp\nPUSH 1800000000\nGE",
    );
    assert!(!world.write(&world.bob, id, "PUSH 1").is_halt());
    world.chain.set_time(1_800_000_000_000);
    assert!(world.write(&world.bob, id, "PUSH 1").is_halt());
}

#[test]
fn a_content_that_faults_faults_the_reading_and_knows_its_reader() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    world.write(&world.alice, id, "PUSH \"no\"\nTHROW");
    world.write(&world.alice, id, "PUSH 1\nPUSH 0\nDIV");
    world.write(&world.alice, id, "STATE caller");
    world.write(&world.alice, id, "STATE this");
    world.write(&world.alice, id, "RET");
    let read = |index| vec![account(&world.bob), int(id), int(index), int(0)];
    world.refused(&world.bob, "readContentAt", read(0), "script: thrown");
    assert!(!world.read(&world.bob, id, 1).is_halt());
    assert_eq!(world.read(&world.bob, id, 2).result(), account(&world.bob));
    assert_eq!(world.read(&world.bob, id, 3).result(), int(id));
    assert_eq!(world.read(&world.bob, id, 4).result(), Item::Null);
}

#[test]
fn writing_and_reading_need_a_witness_a_box_and_a_content() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    world.write(&world.alice, id, "PUSH 1");
    let write =
        |who: &Account, id: i64, max: i64| vec![account(who), int(id), script("PUSH 1"), int(max)];
    let read = |who: &Account, id: i64, index: i64, max: i64| {
        vec![account(who), int(id), int(index), int(max)]
    };
    let (alice, bob) = (&world.alice, &world.bob);
    world.refused(
        bob,
        "writeContent",
        write(alice, id, 0),
        "no witness of the caller",
    );
    world.refused(
        bob,
        "writeContent",
        write(bob, id, -1),
        "negative maxPayment",
    );
    world.refused(
        bob,
        "readContentAt",
        read(alice, id, 0, 0),
        "no witness of the caller",
    );
    world.refused(
        bob,
        "readContentAt",
        read(bob, id, 0, -1),
        "negative maxPayment",
    );
    for none in [0, -1, 2, 1 << 32, (1 << 32) + 1, i64::MAX] {
        world.refused(bob, "writeContent", write(bob, none, 0), "no such box");
        world.refused(bob, "readContentAt", read(bob, none, 0, 0), "no such box");
        world.refused(bob, "boxInfo", vec![int(none)], "no such box");
        world.refused(bob, "contentCount", vec![int(none)], "no such box");
        world.refused(bob, "contentAt", vec![int(none), int(0)], "no such box");
    }
    for none in [-1, 1, 1 << 32, i64::MAX] {
        world.refused(
            bob,
            "readContentAt",
            read(bob, id, none, 0),
            "no such content",
        );
        world.refused(
            bob,
            "contentAt",
            vec![int(id), int(none)],
            "no such content",
        );
    }
}

#[test]
fn a_bad_content_is_refused_when_it_is_written() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    let cases: [(&[u8], &str); 4] = [
        (&[0x0D, 5, 0, 1], "script: truncated operand"),
        (&[0x11, 0x22, 0xFE], "script: backward jump"),
        (&[0x22, 0x00], "script: backward jump"),
        (&[], "script: empty or too long"),
    ];
    for (content, message) in cases {
        let args = vec![account(&world.bob), int(id), bytes(content), int(0)];
        world.refused(&world.bob, "writeContent", args, message);
    }
    let longest = data_script(&vec![9; MAX_SCRIPT_BYTES - 3]).unwrap();
    let args = |script: &[u8]| vec![account(&world.bob), int(id), bytes(script), int(0)];
    assert_eq!(
        world
            .by(&world.bob, "writeContent", args(&longest))
            .result(),
        int(0)
    );
    assert_eq!(
        world.read(&world.bob, id, 0).result(),
        bytes(&vec![9; MAX_SCRIPT_BYTES - 3])
    );
    let longer = [longest, vec![0x45]].concat();
    world.refused(
        &world.bob,
        "writeContent",
        args(&longer),
        "script: empty or too long",
    );
}

/// The bytes that an author signs, as `wire::message` has them.
fn signing_bytes(
    world: &World,
    author: &Account,
    id: u64,
    sequence: u64,
    time: u64,
    class: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut out = b"PHM1".to_vec();
    out.extend(world.chain.network().to_le_bytes());
    out.extend(world.hash.as_bytes().as_slice());
    out.extend(author.public_key.as_bytes().as_slice());
    out.extend([id.to_le_bytes(), sequence.to_le_bytes(), time.to_le_bytes()].concat());
    out.push(class);
    out.extend(payload);
    out
}

fn signed_args(
    world: &World,
    author: &Account,
    id: u64,
    sequence: u64,
    class: u8,
    payload: &[u8],
) -> Vec<Item> {
    let time = 1_767_225_600_123;
    let signature = author.sign(&signing_bytes(
        world, author, id, sequence, time, class, payload,
    ));
    let number = |n: u64| Item::Integer(neo_framework::Int::from_u64(n));
    vec![
        key(author),
        number(id),
        number(sequence),
        number(time),
        int(i64::from(class)),
        bytes(payload),
        bytes(signature.as_bytes().as_slice()),
    ]
}

#[test]
fn a_signed_message_is_written_by_anybody_once_and_in_order() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    let payload = data_script(b"from afar").unwrap();
    let args = signed_args(&world, &world.bob, 1, 7, 2, &payload);
    assert_eq!(
        world.by(&world.alice, "writeSigned", args.clone()).result(),
        int(0)
    );
    assert_eq!(
        world.read(&world.alice, id, 0).result(),
        bytes(b"from afar")
    );
    assert_eq!(
        world.get("lastSequence", vec![int(id), key(&world.bob)]),
        int(7)
    );
    assert_eq!(
        world.get("lastSequence", vec![int(id), key(&world.alice)]),
        int(0)
    );

    let again = "writeSigned: sequence is not above the last one";
    world.refused(&world.alice, "writeSigned", args, again);
    world.refused(
        &world.alice,
        "writeSigned",
        signed_args(&world, &world.bob, 1, 6, 2, &payload),
        again,
    );
    for (sequence, index) in [(8, 1), (u64::MAX, 2)] {
        let args = signed_args(&world, &world.bob, 1, sequence, 2, &payload);
        assert_eq!(
            world.by(&world.alice, "writeSigned", args).result(),
            int(index)
        );
    }
}

#[test]
fn a_signed_message_with_any_change_is_refused() {
    let world = World::new();
    world.new_box(&world.alice, "news", "PUSHT");
    world.new_box(&world.alice, "other", "PUSHT");
    let payload = data_script(b"from afar").unwrap();
    let good = signed_args(&world, &world.bob, 1, 7, 2, &payload);
    let changes: [(usize, Item); 6] = [
        (0, key(&world.alice)),
        (1, int(2)),
        (2, int(8)),
        (3, int(1)),
        (5, bytes(&data_script(b"from Afar").unwrap())),
        (6, bytes(&[1; 64])),
    ];
    for (at, item) in changes {
        let mut args = good.clone();
        args[at] = item;
        world.refused(
            &world.alice,
            "writeSigned",
            args,
            "writeSigned: wrong signature",
        );
    }
    for (at, item, message) in [
        (2, int(0), "writeSigned: sequence or time out of range"),
        (2, int(-1), "writeSigned: sequence or time out of range"),
        (3, int(-1), "writeSigned: sequence or time out of range"),
        (4, int(0), "writeSigned: class must be 2"),
        (4, int(1), "writeSigned: class must be 2"),
        (4, int(3), "writeSigned: class must be 2"),
        (6, bytes(&[1; 63]), "signature: 64 bytes"),
    ] {
        let mut args = good.clone();
        args[at] = item;
        world.refused(&world.alice, "writeSigned", args, message);
    }
    let ephemeral = signed_args(&world, &world.bob, 1, 7, 0, &payload);
    world.refused(
        &world.alice,
        "writeSigned",
        ephemeral,
        "writeSigned: class must be 2",
    );
    let nowhere = signed_args(&world, &world.bob, 3, 7, 2, &payload);
    world.refused(&world.alice, "writeSigned", nowhere, "no such box");
}

#[test]
fn a_signed_message_passes_the_gate_as_its_author() {
    let world = World::new();
    world.new_box(&world.alice, "own", "STATE own");
    let payload = data_script(b"x").unwrap();
    let from_bob = signed_args(&world, &world.bob, 1, 1, 2, &payload);
    world.refused(&world.alice, "writeSigned", from_bob, "the gate refuses");
    let from_alice = signed_args(&world, &world.alice, 1, 1, 2, &payload);
    assert_eq!(
        world.by(&world.bob, "writeSigned", from_alice).result(),
        int(0)
    );
}
