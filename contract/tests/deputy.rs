//! Scripts that try to act as somebody else, to act twice, or to go on for ever.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::Item;

#[test]
fn a_message_gets_nothing_from_whoever_reads_it() {
    let world = World::new();
    let inbox = world.new_box(&world.alice, "inbox", "PUSHT");
    let diary = world.new_box(&world.alice, "diary", "STATE own");
    let open = world.new_box(&world.alice, "open", "PUSHT");
    let lair = world.new_box(&world.bob, "lair", "PUSHT");
    world.write(&world.alice, diary, "PUSH \"secret\"");
    world.write(&world.alice, open, "PUSH \"mine\"");
    let before = world.storage();
    let attempts = [
        format!("PUSH 0x11\nPUSH {diary}\nPUSH"),
        format!("PUSH {diary}\nPULL"),
        format!("PUSH {diary}\nDELETE"),
        format!("PUSH {open}\nDELETE"),
        format!("PUSH 0x11\nPUSH {diary}\nREPLACE"),
        format!("PUSH 0x11\nPUSH {open}\nREPLACE"),
        format!("PUSH 0\nPUSH 0\nPUSH {diary}\nCALL"),
        format!("PUSH {diary}\nINCLUDE"),
        format!("PUSH {open}\nEXCLUDE"),
        format!("PUSH {inbox}\nINCLUDE"),
    ];
    for text in &attempts {
        // CALL reaches older boxes only: it is tried from a younger one.
        let at = if text.contains("CALL") { lair } else { inbox };
        let index = as_int(&world.write(&world.bob, at, text).result());
        let outcome = world.read(&world.alice, at, index);
        assert_eq!(outcome.exception, None, "{text}");
        assert!(outcome.events.is_empty(), "{text}");
        assert_eq!(outcome.result(), Item::Boolean(false), "{text}");
    }
    // It takes from its reader what that allowed, and no more; what it writes down is apart from what Alice keeps.
    world.write(&world.bob, inbox, "PUSH 5\nPAY\nPUSH \"spam\"");
    let index = world.count(inbox) - 1;
    let read = |max| vec![account(&world.alice), int(inbox), int(index), int(max)];
    for max in [0, 4] {
        world.refused(
            &world.alice,
            "readContentAt",
            read(max),
            "PAY: above maxPayment",
        );
    }
    assert!(world.by(&world.alice, "readContentAt", read(9)).is_halt());
    assert_eq!(world.box_balance(inbox), 4, "and the box's owner has it");
    for (key, value) in before {
        if ![0x12, 0x10, 0x05].contains(&key[0]) {
            assert_eq!(world.storage().get(&key), Some(&value));
        }
    }
}

#[test]
fn a_content_in_my_box_pays_nobody_from_it() {
    let world = World::new();
    let shop = world.new_box(
        &world.alice,
        "till",
        "STATE write\nJMPIFNOT ok\nPUSH 1000\nPAY\nok: OK",
    );
    let lair = world.new_box(&world.bob, "lair", "PUSH 300\nPAY\nOK");
    assert!(
        world
            .write_for(&world.bob, lair, "PUSH 300\nPAY\nOK", 300)
            .is_halt()
    );
    for text in [
        format!("PUSH {lair}\nPULL"),
        format!("PUSH 0x11\nPUSH {lair}\nPUSH"),
        format!("PUSH {lair}\nDELETE"),
    ] {
        let index = as_int(&world.write_for(&world.bob, shop, &text, 1000).result());
        for reader in [&world.alice, &world.bob] {
            let args = vec![account(reader), int(shop), int(index), int(i64::MAX)];
            world.refused(
                reader,
                "readContentAt",
                args,
                "PAY: the box does not belong to the author",
            );
        }
    }
    assert_eq!(world.box_balance(shop), 2400);
}

#[test]
fn a_content_that_reads_its_own_box_ends_and_does_nothing_twice() {
    let world = World::new();
    let own = world.new_box(&world.alice, "own", "PUSHT");
    world.write(&world.alice, own, "PUSH \"below\"");
    world.write(&world.alice, own, &format!("PUSH {own}\nPULL"));
    let pull = |id| vec![account(&world.alice), int(id), int(0)];
    world.refused(
        &world.alice,
        "readContent",
        pull(own),
        "script: nested too deep",
    );
    // Two boxes that read each other.
    let [left, right] = ["left", "right"].map(|name| world.new_box(&world.alice, name, "PUSHT"));
    world.write(&world.alice, left, &format!("PUSH {right}\nPULL"));
    world.write(&world.alice, right, &format!("PUSH {left}\nPULL"));
    world.refused(
        &world.alice,
        "readContent",
        pull(left),
        "script: nested too deep",
    );
    // One that reads itself a single time: the inner reading takes it off, the outer one must not take what is below.
    let once = world.new_box(&world.alice, "once", "PUSHT");
    world.write(&world.alice, once, "PUSH \"below\"");
    world.write(
        &world.alice,
        once,
        &format!(
            "PUSH \"k\"\nREAD\nJMPIFNOT first\nPUSH 7\nRET\n\
             first: PUSH 1\nPUSH \"k\"\nWRITE\nPUSH {once}\nPULL"
        ),
    );
    world.refused(
        &world.alice,
        "readContent",
        pull(once),
        "the content changed meanwhile",
    );
    assert_eq!(world.count(once), 2);
    // A gate that takes the latest content off while it is asked whether that may be deleted.
    let gate = world.new_box(&world.alice, "gate", "PUSHT");
    world.write(&world.alice, gate, "PUSH 1");
    world.write(&world.alice, gate, "PUSH 2");
    let args = vec![
        int(gate),
        script(&format!(
            "STATE entry\nSTATE caller\nDROP\nDROP\nSTATE read\nJMPIFNOT pull\nOK\npull: PUSH {gate}\nPULL\nDROP\nOK"
        )),
    ];
    assert!(world.by(&world.alice, "replaceGate", args).is_halt());
    world.refused(
        &world.alice,
        "deleteContent",
        vec![account(&world.alice), int(gate)],
        "the content changed meanwhile",
    );
}

#[test]
fn trees_of_calls_are_cut() {
    let world = World::new();
    let leaf = world.new_box(&world.bob, "leaf", "PUSHT");
    world.write(&world.bob, leaf, "PUSH 1");
    let mut last = leaf;
    for depth in 0..4 {
        let id = world.new_box(&world.bob, &format!("level_{depth}"), "PUSHT");
        let call = format!("PUSH 0\nPUSH 0\nPUSH {last}\nCALL\nDROP\n");
        assert!(
            world
                .write(&world.bob, id, &format!("{}PUSH 9", call.repeat(3)))
                .is_halt()
        );
        last = id;
    }
    let read = |id: i64| vec![account(&world.alice), int(id), int(0), int(0)];
    // 3 + 9 + 27 calls of a gate and a content each are above 64.
    assert_eq!(world.read(&world.alice, leaf + 2, 0).result(), int(9));
    world.refused(
        &world.alice,
        "readContentAt",
        read(leaf + 3),
        "script: too many nested runs",
    );
    world.refused(
        &world.alice,
        "readContentAt",
        read(last),
        "script: too many nested runs",
    );
    // A chain of nine is too deep, one of eight is not.
    let mut chain = leaf;
    let mut ids = Vec::new();
    for n in 0..9 {
        let id = world.new_box(&world.alice, &format!("chain_{n}"), "PUSHT");
        world.write(
            &world.alice,
            id,
            &format!("PUSH 0\nPUSH 0\nPUSH {chain}\nCALL"),
        );
        chain = id;
        ids.push(id);
    }
    assert_eq!(world.read(&world.bob, ids[7], 0).result(), int(1));
    world.refused(
        &world.bob,
        "readContentAt",
        read_as(&world, ids[8]),
        "script: nested too deep",
    );
}

fn read_as(world: &World, id: i64) -> Vec<Item> {
    vec![account(&world.bob), int(id), int(0), int(0)]
}

#[test]
fn names_and_keys_that_join_alike_keep_apart() {
    let world = World::new();
    let [a, a1] = ["a", "a1"].map(|name| world.new_box(&world.alice, name, "PUSHT"));
    // Box `a` with key `1x`, box `a1` with key `x`.
    for (id, name, value) in [(a, "1x", "in a"), (a1, "x", "in a1")] {
        world.write(
            &world.alice,
            id,
            &format!("PUSH \"{value}\"\nPUSH \"{name}\"\nWRITE"),
        );
        assert!(world.read(&world.alice, id, 0).is_halt());
    }
    let looks = [
        (a, "1x", "in a"),
        (a, "x", ""),
        (a, "", ""),
        (a1, "x", "in a1"),
        (a1, "1x", ""),
        (a1, "", ""),
    ];
    for (id, name, value) in looks {
        let index = world.count(id);
        world.write(&world.alice, id, &format!("PUSH \"{name}\"\nREAD"));
        assert_eq!(
            world.read(&world.bob, id, index).result(),
            bytes(value.as_bytes())
        );
    }
    // A key that looks like another author's name before it: Bob's key of 38 bytes starts with no one's account.
    let id = world.new_box(&world.alice, "open", "PUSHT");
    world.write(&world.alice, id, "PUSH \"mine\"\nPUSH \"k\"\nWRITE");
    assert!(world.read(&world.bob, id, 0).is_halt());
    let alice: String = world
        .alice
        .hash
        .as_bytes()
        .as_slice()
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    for name in [alice.clone(), format!("{alice}6b"), "6b".to_owned()] {
        let index = world.count(id);
        world.write(&world.bob, id, &format!("PUSH 0x{name}\nREAD"));
        assert_eq!(world.read(&world.bob, id, index).result(), bytes(b""));
    }
}

#[test]
fn a_gate_over_the_limits_is_refused() {
    let world = World::new();
    let args = |gate: Vec<u8>| {
        vec![
            account(&world.alice),
            Item::text("big"),
            key(&world.alice),
            bytes(&gate),
        ]
    };
    let many = [vec![0x11; 1024], vec![0x45]].concat();
    world.refused(
        &world.alice,
        "createBox",
        args(many),
        "script: too many instructions",
    );
    let long = phantasma_vm::data_script(&[1; 4094]).unwrap();
    world.refused(
        &world.alice,
        "createBox",
        args(long),
        "gate is over 4096 bytes",
    );
}

/// `ALLOC` stands only in what is written as a content, where `LINK` takes its place. A gate that kept it would hand the
/// contract an instruction that it has no meaning for, and go on inside of its operand.
#[test]
fn a_gate_cannot_allocate() {
    let world = World::new();
    let id = world.new_box(&world.alice, "shop", "OK");
    let alloc = script(&format!("ALLOC 1 0x{}\nOK", "ff".repeat(32)));
    let create = vec![
        account(&world.alice),
        Item::text("other"),
        key(&world.alice),
        alloc.clone(),
    ];
    let refusal = "a gate cannot allocate";
    world.refused(&world.alice, "createBox", create, refusal);
    let replace = vec![Item::Integer(neo_framework::int(id)), alloc];
    world.refused(&world.alice, "replaceGate", replace, refusal);
}
