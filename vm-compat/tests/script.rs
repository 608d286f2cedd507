//! Assembler, disassembler, validator and builder, and that the contract's checker agrees with the validator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{checked_by_contract, instruction, scripts};
use phantasma_vm::*;
use proptest::prelude::*;

fn refused(text: &str, expected: &str) {
    let script = assemble(text).unwrap();
    assert_eq!(
        validate(&script).unwrap_err().to_string(),
        expected,
        "{text}"
    );
}

fn asm_error(text: &str, expected: &str) {
    assert_eq!(assemble(text).unwrap_err().to_string(), expected);
}

#[test]
fn an_unknown_byte_is_refused() {
    for byte in (0..=255).filter(|b| Instr::by_byte(*b).is_none()) {
        let error = validate(&[0x11, byte]).unwrap_err();
        assert_eq!(
            error,
            ScriptError::Decode(DecodeError::Unknown { position: 1, byte })
        );
    }
}

#[test]
fn a_truncated_operand_is_refused_for_every_instruction_that_has_one() {
    for row in TABLE.iter().filter(|row| row.operand != Operand::None) {
        let mut script = vec![row.byte];
        while script.len() <= row.operand.fixed_size() {
            let error = validate(&script).unwrap_err();
            assert_eq!(
                error,
                ScriptError::Decode(DecodeError::Truncated {
                    position: 0,
                    mnemonic: row.mnemonic
                })
            );
            assert!(!checked_by_contract(&script));
            script.push(1);
        }
    }
    assert!(validate(&[0x0C, 3, 1, 2]).is_err());
    assert!(validate(&[0x0D, 1, 1, 2]).is_err());
}

#[test]
fn jumps_that_do_not_go_forward_to_an_instruction_are_refused() {
    refused(
        "PUSH1\nJMP -1",
        "backward jump at byte 1: -1 bytes; jumps only go forward",
    );
    refused(
        "JMP +0",
        "backward jump at byte 0: 0 bytes; jumps only go forward",
    );
    let nowhere =
        "the jump at byte 0 goes into the middle of an instruction or past the end, to byte ";
    refused("JMP +1", &format!("{nowhere}1"));
    refused("JMP +3\nPUSHDATA1 \"a\"", &format!("{nowhere}3"));
    refused("JMP +3\nPUSH1", &format!("{nowhere}3"));
    refused("JMP +127\nPUSH1", &format!("{nowhere}127"));
    validate(&assemble("JMP +2\nPUSH1").unwrap()).unwrap();
}

#[test]
fn too_few_items_on_any_way_are_refused() {
    refused("ADD", "ADD at byte 0 needs 2 items, there may be only 0");
    refused(
        "PUSH1\nADD",
        "ADD at byte 1 needs 2 items, there may be only 1",
    );
    refused(
        "PUSHT\nJMPIFNOT else\nPUSH1\nelse: PUSH2\nADD",
        "ADD at byte 5 needs 2 items, there may be only 1",
    );
    validate(&assemble("PUSHT\nJMPIFNOT else\nPUSH1\nJMP end\nelse: PUSH2\nend: NOT").unwrap())
        .unwrap();
    validate(&assemble("RET\nADD").unwrap()).unwrap();
}

#[test]
fn an_unknown_state_an_empty_and_an_overlong_script_are_refused() {
    assert_eq!(
        validate(&[0xEA, 11]),
        Err(ScriptError::UnknownState {
            position: 0,
            state: 11
        })
    );
    assert_eq!(validate(&[]), Err(ScriptError::Empty));
    let longest = data_script(&vec![1; MAX_SCRIPT_BYTES - 3]).unwrap();
    assert_eq!(
        (longest.len(), checked_by_contract(&longest)),
        (MAX_SCRIPT_BYTES, true)
    );
    let error = data_script(&vec![1; MAX_SCRIPT_BYTES - 2]).unwrap_err();
    assert_eq!(
        error,
        ScriptError::TooLong {
            bytes: MAX_SCRIPT_BYTES + 1
        }
    );
    assert_eq!(
        data_script(&vec![1; 70_000]),
        Err(ScriptError::TooLong { bytes: 70_000 })
    );
    let many = vec![0x11; MAX_INSTRUCTIONS + 1];
    assert_eq!(validate(&many), Err(ScriptError::TooManyInstructions));
    assert!(!checked_by_contract(&many) && checked_by_contract(&many[1..]));
}

#[test]
fn the_assembler_says_where_a_text_is_wrong() {
    asm_error(
        "PUSH1\n  PUSH 1 2",
        "line 2, column 10: `2` is more than the instruction takes",
    );
    asm_error(
        "PUSH1\n\n    FROB 1 ; x",
        "line 3, column 5: unknown instruction `FROB`",
    );
    asm_error(
        "add",
        "line 1, column 1: unknown instruction `add`; did you mean `ADD`?",
    );
    asm_error(
        "PUSHINT8",
        "line 1, column 1: `PUSHINT8` needs an operand: a number of this instruction's size",
    );
    asm_error(
        "PUSHINT8 128",
        "line 1, column 10: `128` is not a number of this instruction's size",
    );
    asm_error(
        "PUSHDATA \"abc",
        "line 1, column 10: the string does not end on this line; a quote inside of a string is written \\\"",
    );
    asm_error(
        "PUSHDATA 0xabc",
        "line 1, column 10: `0xabc` is not a string in quotes, bytes as 0x.. or an account as @N..",
    );
    asm_error(
        "JMP there",
        "line 1, column 5: there is no label `there`; set it with `there:` below the jump",
    );
    asm_error(
        "a: PUSH1\na: PUSH1",
        "line 2, column 1: the label `a` is already set",
    );
    asm_error(
        "STATE moon",
        "line 1, column 7: `moon` is not write, read, inspect, own, this, entry, timestamp, consensus, member, caller or content",
    );
    let far = format!("JMP end\n{}end: RET", "PUSH1\n".repeat(126));
    asm_error(
        &far,
        "line 1, column 5: the label `end` is 128 bytes away; a jump reaches -128 to 127; jump to a `JMP` halfway",
    );
}

#[test]
fn the_assembler_takes_the_shortest_form_and_the_papers_names() {
    let script = assemble(
        "PUSH -1\nPUSH 16\nPUSH 17\nPUSH -129\nPUSH true\nPUSH \"a;\\n\"\nPUSHDATA 0xff00",
    )
    .unwrap();
    assert_eq!(
        script,
        [
            0x0F, 0x20, 0x00, 17, 0x01, 0x7F, 0xFF, 0x08, 0x0C, 3, b'a', b';', b'\n', 0x0C, 2,
            0xFF, 0
        ]
    );
    assert_eq!(
        assemble("SKIP +2\nLET\nGET").unwrap(),
        [0x26, 2, 0xB6, 0xB8]
    );
}

#[test]
fn constants_name_values_and_accounts() {
    let text = "const PRICE = 5_00000000 ; SOUL\nconst owner = @NQEhrZECnwE7rbR6SSBCNPUkSLVqiYDf13\n\
                const FREE = true\nconst COPY = PRICE\nPUSH PRICE\nPUSHINT64 COPY\nPUSH owner\nPUSH FREE\nPUSHDATA owner";
    let account = "0x2f6b9bd4a4a1b0e1b8a4b0a4fb6e1ab6bd0f3f2e";
    let plain =
        format!("PUSH 500000000\nPUSHINT64 500000000\nPUSH {account}\nPUSH true\nPUSH {account}");
    assert_eq!(assemble(text).unwrap(), assemble(&plain).unwrap());
    asm_error(
        "PUSH PRICE\nconst PRICE = 1",
        "line 1, column 6: there is no constant `PRICE`; set it above: const PRICE = ...",
    );
    asm_error(
        "const A = 1\nconst A = 2",
        "line 2, column 7: the constant `A` is already set",
    );
    for text in [
        "const A",
        "const A 1",
        "const 1A = 1",
        "const A = 1 2",
        "const true = 1",
    ] {
        let error = assemble(text).unwrap_err();
        assert_eq!(error.problem, Problem::BadConstant, "{text}");
    }
    asm_error(
        "PUSH @NQEhrZECnwE7rbR6SSBCNPUkSLVqiYDf11",
        "line 1, column 6: `NQEhrZECnwE7rbR6SSBCNPUkSLVqiYDf11` is not an address of Neo N3; \
         an address starts with N and has 34 characters",
    );
}

#[test]
fn stored_content_has_its_own_operands() {
    let id = format!("0x{}", "0a".repeat(32));
    let text = format!("const ID = {id}\nALLOC 262_145 ID {id}\nLINK ID\nELNK 3 \"Qm\"\nPUSH");
    let script = assemble(&text).unwrap();
    let blocks = [&[0xFA, 1, 0, 4, 0, 0, 0, 0, 0][..], &[0x0A; 64]].concat();
    let rest = [&[0xFB][..], &[0x0A; 32], &[0xFC, 3, 3, b'Q', b'm', 0xF2]].concat();
    assert_eq!(script, [blocks, rest].concat());
    validate(&script).unwrap();
    asm_error(
        &format!("ALLOC 262145 {id}"),
        "line 1, column 7: a size of 262145 bytes has 2 blocks of 262144, but there are 1 ids",
    );
    asm_error(
        "LINK 0x00",
        "line 1, column 6: `0x00` is not an id: 0x and 64 digits",
    );
    refused(
        &format!("PUSH1\nALLOC 1 {id}"),
        "ALLOC at byte 1: it may only be the first instruction",
    );
    assert!(validate(&[0xFC, 0]).is_err() && !checked_by_contract(&[0xFC, 0]));
    let none = [&[0xFA][..], &[0; 8]].concat();
    assert!(validate(&none).is_err() && !checked_by_contract(&none));
}

#[test]
fn what_a_called_content_reaches_may_lie_below_its_own_items() {
    for text in [
        "PUSH0\nPICK",
        "PUSH0\nPICK\nADD",
        "PUSH0\nROLL\nNOT",
        "PUSH0\nPUSH0\nPUSH1\nCALL\nDROP",
    ] {
        validate(&assemble(text).unwrap()).unwrap();
    }
    refused("PICK", "PICK at byte 0 needs 1 items, there may be only 0");
    refused(
        "PUSH0\nROLL\nADD",
        "ADD at byte 2 needs 2 items, there may be only 1",
    );
    // What was below the inputs of a CALL may be among them.
    refused(
        "PUSH1\nPUSH0\nPUSH0\nPUSH1\nCALL\nADD",
        "ADD at byte 5 needs 2 items, there may be only 1",
    );
}

#[test]
fn the_ready_scripts_are_valid_and_data_comes_back() {
    for gate in [free_gate(), owner_gate(), owner_writes_gate()] {
        validate(&gate).unwrap();
    }
    assert_eq!(
        owner_writes_gate(),
        assemble("STATE own\nSTATE write\nGE").unwrap()
    );
    for size in [0, 1, 255, 256, 60_000] {
        let data = vec![7; size];
        assert_eq!(
            script_data(&data_script(&data).unwrap()),
            Some(data.as_slice())
        );
    }
    assert_eq!(script_data(&free_gate()), None);
    assert_eq!(script_data(&[0x0C, 1, 1, 0x11]), None);
    let built = ScriptBuilder::new()
        .push_int(2)
        .push_int(-3000)
        .op("ADD")
        .push_bool(true)
        .push_bytes(b"x")
        .build();
    assert_eq!(
        built.unwrap(),
        assemble("PUSH 2\nPUSH -3000\nADD\nPUSH true\nPUSH \"x\"").unwrap()
    );
    assert!(ScriptBuilder::new().op("NOPE").build().is_err());
    assert!(ScriptBuilder::new().op("PUSHINT8").build().is_err());
}

proptest! {
    #[test]
    fn a_valid_script_disassembles_to_text_that_assembles_to_it(script in scripts()) {
        let text = disassemble(&script).unwrap();
        prop_assert_eq!(assemble(&text).unwrap(), script, "{}", text);
    }

    #[test]
    fn any_sequence_of_instructions_survives_text(parts in prop::collection::vec(instruction(), 0..20)) {
        let script = parts.concat();
        let text = disassemble(&script).unwrap();
        prop_assert_eq!(assemble(&text).unwrap(), script, "{}", text);
    }

    #[test]
    fn the_contracts_checker_agrees_on_random_bytes(script in prop::collection::vec(any::<u8>(), 0..12)) {
        prop_assert_eq!(checked_by_contract(&script), validate(&script).is_ok());
    }

    #[test]
    fn the_contracts_checker_agrees_on_random_instructions(parts in prop::collection::vec(instruction(), 1..12)) {
        let script = parts.concat();
        prop_assert_eq!(checked_by_contract(&script), validate(&script).is_ok(), "{:?}", validate(&script));
    }

    #[test]
    fn the_contracts_checker_agrees_on_valid_scripts_cut_or_with_a_flipped_bit(
        script in scripts(), cut in any::<prop::sample::Index>(), bit in 0..8u8,
    ) {
        prop_assert!(checked_by_contract(&script), "{}", disassemble(&script).unwrap());
        let at = cut.index(script.len());
        let short = &script[..at];
        prop_assert_eq!(checked_by_contract(short), validate(short).is_ok());
        let mut flipped = script.clone();
        flipped[at] ^= 1 << bit;
        prop_assert_eq!(checked_by_contract(&flipped), validate(&flipped).is_ok());
        let _ = disassemble(&flipped);
        let _ = disassemble(short);
    }

    #[test]
    fn no_text_makes_the_assembler_panic(text in "[A-Z0-9 \"\\\\:;+x\n-]{0,40}") {
        let _ = assemble(&text);
    }
}
