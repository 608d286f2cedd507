//! What each instruction does.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{run_script, scripts};
use neo_framework::chain::{Chain, Item};
use phantasma_vm::{HOST_STATES, Operand, STATES, TABLE, assemble, validate};
use proptest::prelude::*;

/// The script's result, or its fault as text.
fn result_of(text: &str) -> Result<Item, String> {
    let script = assemble(text).unwrap();
    validate(&script).unwrap_or_else(|e| panic!("{text}: {e}"));
    let outcome = run_script(&script);
    match &outcome.exception {
        Some(message) => Err(message.clone()),
        None => Ok(outcome.result()),
    }
}

fn gives(text: &str, expected: Item) {
    assert_eq!(result_of(text), Ok(expected), "{text}");
}

fn int(value: i64) -> Item {
    Item::integer(value)
}

fn bytes(value: &[u8]) -> Item {
    Item::bytes(value)
}

/// A script whose result is a Buffer with these bytes.
fn gives_buffer(text: &str, expected: &[u8]) {
    match result_of(text).unwrap() {
        Item::Buffer(buffer) => assert_eq!(*buffer.borrow(), expected, "{text}"),
        other => panic!("{text}: {other:?}"),
    }
}

fn faults(text: &str, expected: &str) {
    let message = result_of(text).unwrap_err();
    assert!(message.contains(expected), "{text}: {message}");
}

#[test]
fn constants() {
    for n in -1..=16 {
        gives(&format!("PUSH {n}"), int(n));
    }
    for n in [
        17,
        -2,
        127,
        -128,
        128,
        -129,
        32767,
        -32768,
        1 << 31,
        i64::MAX,
        i64::MIN,
    ] {
        gives(&format!("PUSH {n}"), int(n));
        gives(&format!("PUSHINT64 {n}"), int(n));
        gives(&format!("PUSHINT128 {n}"), int(n));
        gives(&format!("PUSHINT256 {n}"), int(n));
    }
    gives("PUSHINT8 -5", int(-5));
    gives("PUSHINT16 -5", int(-5));
    gives("PUSHINT32 -5", int(-5));
    gives("PUSHT", Item::Boolean(true));
    gives("PUSHF", Item::Boolean(false));
    gives("PUSHDATA1 \"\"", bytes(b""));
    gives("PUSHDATA1 \"abc\"", bytes(b"abc"));
    gives("PUSHDATA2 \"abc\"", bytes(b"abc"));
    let min = "-57896044618658097711785492504343953926634992332820282019728792003956564819968";
    gives(
        &format!("PUSH {min}\nPUSH {min}\nNUMEQUAL"),
        Item::Boolean(true),
    );
    faults(&format!("PUSH {min}\nDEC"), "");
}

#[test]
fn stack() {
    let three = |op: &str, expected: i64| {
        gives(
            &format!("PUSH 1\nPUSH 2\nPUSH 3\n{op}\nPUSH 10\nMUL\nADD\nPUSH 10\nMUL\nADD"),
            int(expected),
        );
    };
    // Three items a b c are read as a + 10 * (b + 10 * c).
    three("SWAP", 231);
    three("ROT", 132);
    three("REVERSE3", 123);
    three("PUSH 2\nROLL", 132);
    gives("PUSH 1\nPUSH 2\nDROP", int(1));
    gives("PUSH 1\nPUSH 2\nNIP\nPUSH 5\nADD", int(7));
    gives("PUSH 3\nDUP\nMUL", int(9));
    gives("PUSH 8\nPUSH 3\nOVER\nSUB\nSUB", int(13));
    gives("PUSH 8\nPUSH 3\nTUCK\nSUB\nSUB", int(-2));
    gives("PUSH 8\nPUSH 3\nPUSH 1\nPICK", int(8));
    gives("PUSH 8\nPUSH 3\nPUSH 0\nPICK\nSUB", int(0));
}

#[test]
fn pick_and_roll_never_reach_below_the_script() {
    for op in ["PICK", "ROLL"] {
        for n in ["1", "2", "1000000"] {
            faults(
                &format!("PUSH 1\nPUSH {n}\n{op}"),
                "script: stack underflow",
            );
        }
        faults(&format!("PUSH 1\nPUSH -1\n{op}"), "-1 is no valid");
        faults(&format!("PUSH 0\n{op}"), "script: stack underflow");
    }
}

#[test]
fn arithmetic() {
    gives("PUSH 7\nPUSH -2\nADD", int(5));
    gives("PUSH 7\nPUSH -2\nSUB", int(9));
    gives("PUSH 7\nPUSH -2\nMUL", int(-14));
    gives("PUSH -7\nPUSH 2\nDIV", int(-3));
    gives("PUSH -7\nPUSH 2\nMOD", int(-1));
    gives("PUSH 7\nPUSH -2\nMIN", int(-2));
    gives("PUSH 7\nPUSH -2\nMAX", int(7));
    gives("PUSH 7\nNEGATE", int(-7));
    gives("PUSH -7\nABS", int(7));
    gives("PUSH -7\nSIGN", int(-1));
    gives("PUSH 7\nINC", int(8));
    gives("PUSH 7\nDEC", int(6));
    for (x, inside) in [(1, false), (2, true), (4, true), (5, false)] {
        gives(
            &format!("PUSH {x}\nPUSH 2\nPUSH 5\nWITHIN"),
            Item::Boolean(inside),
        );
    }
    faults("PUSH 1\nPUSH 0\nDIV", "");
    faults("PUSH 1\nPUSH 0\nMOD", "");
    gives("PUSHT\nPUSHDATA1 0xff01\nADD", int(0x1FF + 1));
    faults("PUSHDATA1 \"a\"\nPUSHDATA1 \"b\"\nCAT\nINC", "");
}

#[test]
fn strings() {
    gives_buffer("PUSH \"ab\"\nPUSH \"cd\"\nCAT", b"abcd");
    gives_buffer("PUSH \"abcd\"\nPUSH 1\nPUSH 2\nSUBSTR", b"bc");
    gives_buffer("PUSH \"abcd\"\nPUSH 3\nLEFT", b"abc");
    gives_buffer("PUSH \"abcd\"\nPUSH 3\nRIGHT", b"bcd");
    gives("PUSH \"abcd\"\nSIZE", int(4));
    faults("PUSH \"abcd\"\nPUSH 5\nLEFT", "");
    faults("PUSH \"abcd\"\nPUSH -1\nRIGHT", "");
    faults("PUSH \"abcd\"\nPUSH 3\nPUSH 2\nSUBSTR", "");
}

#[test]
fn logic() {
    gives("PUSH 5\nINVERT", int(-6));
    gives("PUSH 12\nPUSH 10\nAND", int(8));
    gives("PUSH 12\nPUSH 10\nOR", int(14));
    gives("PUSH 12\nPUSH 10\nXOR", int(6));
    gives("PUSH 5\nNOT", Item::Boolean(false));
    gives("PUSHT\nPUSHF\nBOOLAND", Item::Boolean(false));
    gives("PUSHT\nPUSHF\nBOOLOR", Item::Boolean(true));
    gives("PUSH 1\nPUSHT\nEQUAL", Item::Boolean(false));
    gives("PUSH \"a\"\nPUSH \"a\"\nEQUAL", Item::Boolean(true));
    gives("PUSH 1\nPUSHT\nNUMEQUAL", Item::Boolean(true));
    for (op, less, same, more) in [
        ("LT", true, false, false),
        ("LE", true, true, false),
        ("GT", false, false, true),
        ("GE", false, true, true),
    ] {
        for (a, expected) in [(1, less), (2, same), (3, more)] {
            gives(&format!("PUSH {a}\nPUSH 2\n{op}"), Item::Boolean(expected));
        }
    }
}

#[test]
fn control() {
    for (condition, expected) in [("PUSHT", 1), ("PUSHF", 2), ("PUSH 0", 2), ("PUSH \"x\"", 1)] {
        let text =
            format!("{condition}\nJMPIFNOT else\nPUSH 1\nJMP end\nelse: PUSH 2\nend: PUSH 0\nADD");
        gives(&text, int(expected));
    }
    gives("PUSH 1\nRET\nPUSH 2", int(1));
    gives("RET", Item::Null);
    gives("PUSH 5\nOK\nPUSH 2", Item::Boolean(true));
    gives("PUSH 5\nFAIL\nPUSH 2", Item::Boolean(false));
    gives("PUSH 5\nDROP", Item::Null);
    faults("PUSH \"why\"\nTHROW", "script: thrown");
}

#[test]
fn state_and_hash() {
    gives("STATE write", Item::Boolean(false));
    gives("STATE read", Item::Boolean(true));
    gives("STATE inspect", Item::Boolean(false));
    gives("STATE own", Item::Boolean(false));
    gives("STATE this", int(7));
    gives("STATE entry", int(5));
    gives("STATE timestamp", int(1_767_225_600));
    gives(
        "STATE caller",
        bytes(Chain::new().account("caller").hash.as_bytes().as_slice()),
    );
    let abc = b"\xba\x78\x16\xbf\x8f\x01\xcf\xea\x41\x41\x40\xde\x5d\xae\x22\x23\xb0\x03\x61\xa3\x96\x17\x7a\x9c\xb4\x10\xff\x61\xf2\x00\x15\xad";
    gives("PUSH \"abc\"\nSHA256", bytes(abc));
    gives("PUSH \"a\"\nPUSH \"bc\"\nCAT\nSHA256", bytes(abc));
}

#[test]
fn the_interpreter_does_every_instruction_or_hands_it_to_the_contract() {
    let needs_the_contract = |script: &[u8]| {
        validate(script).unwrap();
        let outcome = run_script(script);
        outcome.exception.as_deref() == Some("script: this instruction needs the contract")
    };
    for row in TABLE {
        let operand = match row.operand {
            // A jump to itself would never end.
            Operand::Offset => vec![2],
            Operand::Locator => vec![1, 7],
            Operand::Blocks => [vec![1, 0, 0, 0, 0, 0, 0, 0], vec![5; 32]].concat(),
            operand => vec![0; operand.fixed_size()],
        };
        // Enough items below, where it may stand behind something.
        let below = vec![0x11; 3 * usize::from(row.operand != Operand::Blocks)];
        let short = [below, vec![row.byte], operand, vec![0x11]].concat();
        let long = [short.clone(), vec![0x11; 31]].concat();
        for script in [short, long] {
            assert_eq!(needs_the_contract(&script), row.host, "{}", row.mnemonic);
        }
    }
    for (state, name, _) in STATES {
        let short = vec![0xEA, *state];
        let long = [short.clone(), vec![0x11; 31]].concat();
        for script in [short, long] {
            assert_eq!(
                needs_the_contract(&script),
                HOST_STATES.contains(state),
                "{name}"
            );
        }
    }
}

#[test]
fn links_and_locators_give_their_bytes() {
    let id = "0x".to_owned() + &"5a".repeat(32);
    gives(&format!("LINK {id}"), bytes(&[0x5A; 32]));
    gives("ELNK 3 \"Qm\"", bytes(b"\x03Qm"));
    gives("PUSH 5\nELNK 3 0x\nSIZE\nADD", int(6));
}

proptest! {
    #[test]
    fn a_valid_script_ends_and_leaves_the_stack_as_it_was(script in scripts()) {
        // The chain itself faults when a method leaves items behind; any other end is the script's own fault.
        let outcome = run_script(&script);
        let message = outcome.exception.unwrap_or_default();
        prop_assert!(!message.contains("left"), "{}", message);
        prop_assert!(!message.contains("underflow") || message == "script: stack underflow", "{}", message);
    }

    #[test]
    fn a_script_does_the_same_as_a_word_and_byte_by_byte(script in scripts()) {
        // What follows the RET is never reached: it makes the script too long for a word.
        let long = [script.clone(), vec![0x40], vec![0x11; 31]].concat();
        prop_assume!(script.len() <= 31);
        let (word, byte) = (run_script(&script), run_script(&long));
        prop_assert_eq!(word.exception.clone(), byte.exception.clone());
        if word.exception.is_none() {
            prop_assert_eq!(word.result(), byte.result());
        }
    }
}
