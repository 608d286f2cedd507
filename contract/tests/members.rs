//! Include lists, gates that are replaced, and what scripts keep.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::Item;

#[test]
fn the_owner_keeps_an_include_list() {
    let world = World::new();
    let id = world.new_box(&world.alice, "club", "STATE member");
    let other = world.new_box(&world.alice, "other", "STATE member");
    let bob = || vec![int(id), account(&world.bob)];
    assert_eq!(world.get("isMember", bob()), Item::Boolean(false));
    for method in ["include", "exclude"] {
        world.refused(&world.bob, method, bob(), "no witness of the owner");
        let nowhere = vec![int(7), account(&world.bob)];
        world.refused(&world.bob, method, nowhere, "no such box");
    }
    world.refused(
        &world.bob,
        "isMember",
        vec![int(7), account(&world.bob)],
        "no such box",
    );
    assert!(!world.write(&world.bob, id, "PUSH 1").is_halt());
    let outcome = world.by(&world.alice, "include", bob());
    assert_eq!(outcome.events[0].name, "Membership");
    assert_eq!(
        outcome.events[0].args,
        [int(id), account(&world.bob), Item::Boolean(true)]
    );
    assert_eq!(world.get("isMember", bob()), Item::Boolean(true));
    assert!(world.write(&world.bob, id, "PUSH 1").is_halt());
    assert!(!world.write(&world.bob, other, "PUSH 1").is_halt());
    assert!(!world.write(&world.alice, id, "PUSH 1").is_halt());
    assert!(world.by(&world.alice, "exclude", bob()).is_halt());
    assert!(!world.write(&world.bob, id, "PUSH 1").is_halt());
    assert_eq!(world.get("isMember", bob()), Item::Boolean(false));
}

#[test]
fn a_gate_lets_its_visitors_join_only_its_owners_box() {
    let world = World::new();
    let club = world.new_box(&world.alice, "club", "STATE member");
    let join = format!("PUSH {club}\nINCLUDE");
    let desk = world.new_box(&world.alice, "desk", &join);
    let fake = world.new_box(&world.bob, "fake", &join);
    let args = vec![account(&world.bob), int(fake), script("PUSH 1"), int(0)];
    world.refused(&world.bob, "writeContent", args, "the gate refuses");
    assert!(world.write(&world.bob, desk, "PUSH 1").is_halt());
    assert_eq!(
        world.get("isMember", vec![int(club), account(&world.bob)]),
        Item::Boolean(true)
    );
    assert!(world.write(&world.bob, club, "PUSH 1").is_halt());
    let leave = world.new_box(&world.alice, "leave", &format!("PUSH {club}\nEXCLUDE"));
    assert!(world.write(&world.bob, leave, "PUSH 1").is_halt());
    assert!(!world.write(&world.bob, club, "PUSH 1").is_halt());
}

#[test]
fn a_gate_is_replaced_by_the_owner_alone_and_the_rest_stays() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    world.write(&world.bob, id, "PUSH 1");
    let before = fields(&world.get("boxInfo", vec![int(id)]));
    let with = |gate: &str| vec![int(id), script(gate)];
    world.refused(
        &world.bob,
        "replaceGate",
        with("STATE own"),
        "no witness of the owner",
    );
    let bad = vec![int(id), bytes(&[0x9E])];
    world.refused(&world.alice, "replaceGate", bad, "script: stack underflow");
    let long = phantasma_vm::data_script(&[0; 4096]).unwrap();
    world.refused(
        &world.alice,
        "replaceGate",
        vec![int(id), bytes(&long)],
        "gate is over 4096 bytes",
    );
    let outcome = world.by(&world.alice, "replaceGate", with("STATE own"));
    assert_eq!(outcome.events[0].name, "GateReplaced");
    assert_eq!(outcome.events[0].args, [int(id)]);
    let after = fields(&world.get("boxInfo", vec![int(id)]));
    assert_eq!(before[..4], after[..4]);
    assert_eq!((&after[4], &after[5]), (&script("STATE own"), &int(1)));
    assert!(!world.write(&world.bob, id, "PUSH 1").is_halt());
    assert!(world.write(&world.alice, id, "PUSH 1").is_halt());
}

#[test]
fn what_a_script_keeps_is_its_authors_in_that_box() {
    let world = World::new();
    // Counts its visitors; a stranger's content with the same key sees nothing of it.
    let gate = "PUSH \"n\"\nREAD\nINC\nPUSH \"n\"\nWRITE\nOK";
    let id = world.new_box(&world.alice, "counter", gate);
    let twin = world.new_box(&world.alice, "twin", "PUSHT");
    let look = "PUSH \"n\"\nREAD";
    for (who, at) in [(&world.alice, id), (&world.bob, id), (&world.alice, twin)] {
        assert!(world.write(who, at, look).is_halt());
    }
    let number = |item: Item| as_int(&item);
    assert_eq!(number(world.read(&world.bob, id, 0).result()), 3);
    assert_eq!(world.read(&world.bob, id, 1).result(), bytes(b""));
    assert_eq!(world.read(&world.bob, twin, 0).result(), bytes(b""));
    // What is empty leaves no entry.
    let held = world.storage().len();
    let keep = |value: &str| {
        format!("PUSH \"{value}\"\nPUSH \"a long name, of all thirty-eight bytes.\"\nWRITE")
    };
    assert!(world.write(&world.bob, twin, &keep("v")).is_halt());
    assert!(
        !world.read(&world.bob, twin, 1).is_halt(),
        "40 bytes of a name"
    );
    let keep = keep("v").replace("a long", "long");
    assert!(world.write(&world.bob, twin, &keep).is_halt());
    assert!(world.read(&world.bob, twin, 2).is_halt());
    let kept = world.storage().len();
    assert_eq!(kept, held + 3);
    assert!(
        world
            .write(&world.bob, twin, &keep.replace("\"v\"", "\"\""))
            .is_halt()
    );
    assert!(world.read(&world.bob, twin, 3).is_halt());
    assert_eq!(world.storage().len(), kept);
}

#[test]
fn a_script_asks_what_is_known_of_boxes_and_contents() {
    let world = World::new();
    let id = world.new_box(&world.alice, "news", "PUSHT");
    assert!(
        world
            .content(&world.alice, &[7; 32], [5, 0, 0, 1, 1 << 40])
            .is_halt()
    );
    let root = "0x".to_owned() + &"07".repeat(32);
    let asks = [
        (format!("PUSH {id}\nCOUNT"), int(0)),
        (format!("PUSH {id}\nNAME"), bytes(b"news")),
        ("PUSH \"news\"\nFIND".to_owned(), int(id)),
        ("PUSH \"none\"\nFIND".to_owned(), int(0)),
        (format!("PUSH {id}\nBALANCE"), int(0)),
        (format!("PUSH {root}\nCSIZE"), int(5)),
        (format!("PUSH {root}\nSHA256\nCSIZE"), int(0)),
        ("STATE content".to_owned(), bytes(b"")),
    ];
    for (at, (text, expected)) in asks.into_iter().enumerate() {
        let at = i64::try_from(at).unwrap();
        assert!(world.write(&world.bob, id, &text).is_halt());
        let answer = world.read(&world.bob, id, at).result();
        let expected = if at == 0 { int(1) } else { expected };
        let same = match (&answer, &expected) {
            (Item::Buffer(found), Item::ByteString(wanted)) => *found.borrow() == wanted.as_slice(),
            _ => answer == expected,
        };
        assert!(same, "{text}: {answer:?}");
    }
    world.chain.advance(31 * 24 * 3600 * 1000);
    assert_eq!(world.read(&world.bob, id, 5).result(), int(0));
    for text in [
        "PUSH 9\nCOUNT",
        "PUSH 9\nNAME",
        "PUSH -1\nBALANCE",
        "PUSH 0x07\nCSIZE",
    ] {
        world.write(&world.bob, id, text);
        assert!(
            !world.read(&world.bob, id, world.count(id) - 1).is_halt(),
            "{text}"
        );
    }
}
