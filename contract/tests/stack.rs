//! The stack of a box: what takes its contents off, replaces them and calls them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::Item;

const REFUSED: &str = "no content, not yours, or the gate refuses";

#[test]
fn reading_takes_off_when_gate_and_content_let_it() {
    let world = World::new();
    // Gate, who reads, content, what it gives, whether it is gone.
    let cases = [
        ("PUSHT", false, "PUSH \"x\"", bytes(b"x"), false),
        ("PUSHT", true, "PUSH \"x\"", bytes(b"x"), true),
        ("PUSH 2", false, "PUSH \"x\"", bytes(b"x"), true),
        ("PUSH 2", false, "FAIL", Item::Boolean(false), false),
        ("PUSHT", true, "FAIL", Item::Boolean(false), false),
        ("PUSH 2", false, "PUSH 0", int(0), true),
        ("PUSH 2", false, "PUSH \"\"", bytes(b""), true),
        ("PUSH 2", false, "RET", Item::Null, true),
        ("PUSH 3", false, "PUSH 1", int(1), false),
        ("PUSH 0x02", false, "PUSH 1", int(1), false),
    ];
    for (at, (gate, own, content, gives, gone)) in cases.into_iter().enumerate() {
        let id = world.new_box(&world.alice, &format!("box_{at}"), gate);
        world.write(&world.bob, id, "PUSH \"below\"");
        world.write(&world.bob, id, content);
        let reader = if own { &world.alice } else { &world.bob };
        let outcome = world.pull(reader, id, 0);
        let last = outcome
            .events
            .last()
            .map(|e| (e.name.clone(), e.args.clone()));
        assert_eq!(outcome.result(), gives, "{gate}, {content}");
        assert_eq!(
            world.count(id),
            if gone { 1 } else { 2 },
            "{gate}, {content}"
        );
        let removed = ("ContentRemoved".to_owned(), vec![int(id), int(1)]);
        assert_eq!(last, gone.then_some(removed));
        // Reading by number never takes off.
        assert!(world.read(reader, id, 0).is_halt());
        assert_eq!(world.count(id), if gone { 1 } else { 2 });
    }
}

#[test]
fn a_box_is_read_down_to_its_last_content_and_filled_again() {
    let world = World::new();
    let id = world.new_box(&world.alice, "stack", "PUSHT");
    let empty = || vec![account(&world.alice), int(id), int(0)];
    world.refused(&world.alice, "readContent", empty(), "no such content");
    for n in 1..4 {
        assert_eq!(
            world.write(&world.bob, id, &format!("PUSH {n}")).result(),
            int(n - 1)
        );
    }
    for n in [3, 2, 1] {
        assert_eq!(world.pull(&world.alice, id, 0).result(), int(n));
    }
    world.refused(&world.alice, "readContent", empty(), "no such content");
    world.refused(
        &world.alice,
        "contentAt",
        vec![int(id), int(0)],
        "no such content",
    );
    assert_eq!(world.write(&world.bob, id, "PUSH 9").result(), int(0));
    assert_eq!(world.pull(&world.alice, id, 0).result(), int(9));
}

#[test]
fn owner_and_author_delete_and_replace_the_latest_content() {
    let world = World::new();
    let carol = world.chain.account("carol");
    let id = world.new_box(&world.alice, "news", "PUSHT");
    let delete = |who| vec![account(who), int(id)];
    let replace = |who, text: &str| vec![account(who), int(id), script(text), int(0)];
    world.refused(&world.alice, "deleteContent", delete(&world.alice), REFUSED);
    world.refused(
        &world.alice,
        "replaceContent",
        replace(&world.alice, "PUSH 1"),
        REFUSED,
    );
    world.write(&world.bob, id, "PUSH 1");
    world.write(&world.bob, id, "PUSH 2");
    world.refused(&carol, "deleteContent", delete(&carol), REFUSED);
    world.refused(&carol, "replaceContent", replace(&carol, "PUSH 9"), REFUSED);
    world.refused(
        &carol,
        "deleteContent",
        delete(&world.bob),
        "no witness of the caller",
    );
    world.refused(
        &world.bob,
        "replaceContent",
        vec![account(&world.bob), int(id), bytes(b""), int(0)],
        "script: empty or too long",
    );
    let outcome = world.by(&world.bob, "replaceContent", replace(&world.bob, "PUSH 3"));
    assert_eq!(outcome.events[0].name, "ContentWritten");
    assert_eq!(world.read(&carol, id, 1).result(), int(3));
    // Now it is Alice's, and Bob has no say in it.
    assert!(
        world
            .by(
                &world.alice,
                "replaceContent",
                replace(&world.alice, "PUSH 4")
            )
            .is_halt()
    );
    world.refused(&world.bob, "deleteContent", delete(&world.bob), REFUSED);
    assert!(
        world
            .by(&world.alice, "deleteContent", delete(&world.alice))
            .is_halt()
    );
    assert!(
        world
            .by(&world.bob, "deleteContent", delete(&world.bob))
            .is_halt()
    );
    assert_eq!(world.count(id), 0);
    // The gate has to agree, whoever asks.
    let shut = world.new_box(
        &world.alice,
        "once",
        &format!("PUSH {}\nCOUNT\nNOT", id + 1),
    );
    assert!(world.write(&world.alice, shut, "PUSH 1").is_halt());
    let args = vec![account(&world.alice), int(shut)];
    world.refused(&world.alice, "deleteContent", args, REFUSED);
}

#[test]
fn a_content_is_called_with_inputs() {
    let world = World::new();
    let id = world.new_box(&world.alice, "lib", "PUSHT");
    world.write(&world.alice, id, "PUSH 0\nPICK\nPUSH 2\nPICK\nSUB");
    world.write(&world.alice, id, "STATE caller");
    let two = || vec![int(30), int(12)];
    assert_eq!(world.call(&world.bob, id, 0, two()).result(), int(-18));
    assert!(!world.call(&world.bob, id, 0, vec![int(1)]).is_halt());
    assert_eq!(
        world.call(&world.bob, id, 1, two()).result(),
        account(&world.bob)
    );
    assert!(world.call(&world.bob, id, 1, vec![int(1); 16]).is_halt());
    let outcome = world.call(&world.bob, id, 1, vec![int(1); 17]);
    assert_eq!(
        outcome.exception.as_deref(),
        Some("callContent: over 16 inputs")
    );
    // From a script: in a younger box only, as its author.
    let app = world.new_box(&world.bob, "app", "PUSHT");
    let call = |inputs: &str, n: i64, index: i64, id: i64| {
        format!("PUSH 99\n{inputs}PUSH {n}\nPUSH {index}\nPUSH {id}\nCALL")
    };
    for (text, expected) in [
        (call("PUSH 30\nPUSH 12\n", 2, 0, id), Ok(int(-18))),
        (call("", 0, 1, id), Ok(account(&world.bob))),
        (call("", 1, 1, id), Ok(account(&world.bob))),
        (call("", 1, 0, id), Err("script: stack underflow")),
        (call("", 2, 1, id), Err("CALL: wrong number of inputs")),
        (call("", -1, 1, id), Err("CALL: wrong number of inputs")),
        (
            call(&"PUSH 1\n".repeat(17), 17, 1, id),
            Err("CALL: wrong number of inputs"),
        ),
        (call("", 0, 2, id), Err("no such content")),
        (call("", 0, 0, app), Err("CALL: the box is not older")),
        (call("", 0, 0, app + 1), Err("CALL: the box is not older")),
        (call("", 0, 0, 0), Err("no such box")),
    ] {
        let index = as_int(&world.write(&world.bob, app, &text).result());
        let outcome = world.read(&world.alice, app, index);
        match expected {
            Ok(item) => assert_eq!(outcome.result(), item, "{text}"),
            Err(message) => assert_eq!(outcome.exception.as_deref(), Some(message), "{text}"),
        }
    }
}

#[test]
fn a_refusing_gate_is_an_answer_unless_it_has_changed_something() {
    let world = World::new();
    let shut = world.new_box(&world.alice, "shut", "STATE own");
    world.write(&world.alice, shut, "PUSH 5");
    let desk = world.new_box(&world.bob, "desk", "PUSHT");
    for op in ["PULL", "INSPECT", "DELETE"] {
        let index = world.count(desk);
        world.write(&world.bob, desk, &format!("PUSH {shut}\n{op}"));
        assert_eq!(
            world.read(&world.bob, desk, index).result(),
            Item::Boolean(false),
            "{op}"
        );
    }
    for op in ["PUSH", "REPLACE"] {
        let index = world.count(desk);
        world.write(&world.bob, desk, &format!("PUSH 0x11\nPUSH {shut}\n{op}"));
        assert_eq!(
            world.read(&world.bob, desk, index).result(),
            Item::Boolean(false),
            "{op}"
        );
    }
    let index = world.count(desk);
    world.write(
        &world.bob,
        desk,
        &format!("PUSH 77\nPUSH 1\nPUSH 0\nPUSH {shut}\nCALL"),
    );
    assert_eq!(
        world.read(&world.bob, desk, index).result(),
        Item::Boolean(false)
    );
    // Alice's own script may.
    let index = world.count(desk);
    world.write(&world.alice, desk, &format!("PUSH {shut}\nPULL"));
    assert_eq!(world.read(&world.bob, desk, index).result(), int(5));
    assert_eq!(world.count(shut), 0);
    // A gate that writes down its visitor and then refuses.
    let trap = world.new_box(&world.alice, "trap", "PUSH 1\nPUSH \"k\"\nWRITE\nFAIL");
    let index = world.count(desk);
    world.write(&world.bob, desk, &format!("PUSH 0x11\nPUSH {trap}\nPUSH"));
    let read = vec![account(&world.bob), int(desk), int(index), int(0)];
    world.refused(
        &world.bob,
        "readContentAt",
        read,
        "the gate refuses what it has changed",
    );
}

#[test]
fn a_script_writes_and_reads_other_boxes_as_its_author() {
    let world = World::new();
    let target = world.new_box(&world.alice, "target", "PUSHT");
    let desk = world.new_box(&world.alice, "desk", "PUSHT");
    world.write(
        &world.bob,
        desk,
        &format!("PUSH 0xeA09\nPUSH {target}\nPUSH"),
    );
    let outcome = world.read(&world.alice, desk, 0);
    let event = &outcome.events[0];
    assert_eq!(
        (event.name.as_str(), &event.args),
        (
            "ContentWritten",
            &vec![int(target), int(0), account(&world.bob)]
        )
    );
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(
        world.read(&world.alice, target, 0).result(),
        account(&world.alice)
    );
    // Bob's script reads it as Bob, and does not take it off: the box is Alice's.
    world.write(&world.bob, desk, &format!("PUSH {target}\nPULL"));
    assert_eq!(
        world.read(&world.alice, desk, 1).result(),
        account(&world.bob)
    );
    assert_eq!(world.count(target), 1);
    world.write(
        &world.bob,
        desk,
        &format!("PUSH 0x11\nPUSH {target}\nREPLACE"),
    );
    assert_eq!(
        world.read(&world.alice, desk, 2).result(),
        Item::Boolean(true)
    );
    assert_eq!(world.read(&world.alice, target, 0).result(), int(1));
    world.write(&world.bob, desk, &format!("PUSH {target}\nDELETE"));
    assert_eq!(
        world.read(&world.alice, desk, 3).result(),
        Item::Boolean(true)
    );
    assert_eq!(world.count(target), 0);
}
