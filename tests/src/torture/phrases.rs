//! Random scripts with all of the sub-VM's instructions, in which those that act on boxes often find what they want.

use phantasma_vm::{Flow, Instr, Operand, TABLE, data_script, validate};

use super::random::Random;
use super::scripts::instruction;

const MNEMONICS: [&str; 18] = [
    "PAY", "WRITE", "READ", "BALANCE", "COUNT", "NAME", "FIND", "CSIZE", "TIME", "INCLUDE",
    "EXCLUDE", "PUSH", "PULL", "INSPECT", "DELETE", "REPLACE", "CALL", "STATE",
];

/// A valid script, which as a gate often lets in. It does not start with `ALLOC`.
pub(super) fn script(random: &mut Random, boxes: usize) -> Vec<u8> {
    let rows: Vec<Instr> = TABLE
        .iter()
        .filter(|row| row.operand != Operand::Blocks)
        .copied()
        .collect();
    let quiet: Vec<Instr> = rows
        .iter()
        .filter(|row| matches!(row.flow, Flow::Next | Flow::Branch))
        .copied()
        .collect();
    let length = if random.one_in(2) { 5 } else { 25 };
    let mut script = vec![0x12, 0x13];
    for _ in 0..random.below(length) + 1 {
        let piece = match random.below(6) {
            0 | 1 => phrase(random, boxes),
            2 => branch(random, boxes),
            // A wild instruction: often one that faults.
            3 if random.one_in(4) => {
                let row = random.pick(&rows);
                instruction(random, row)
            }
            _ => harmless(random, &quiet),
        };
        let longer = [script.clone(), piece].concat();
        if validate(&longer).is_ok() {
            script = longer;
        }
    }
    match random.below(4) {
        0 => {}
        1 => script.push(0x08),
        2 => script.push(0xE8),
        _ => script.extend([0x12, 0x40]),
    }
    if validate(&script).is_err() {
        script = vec![0x08];
    }
    script
}

/// Pushes and arithmetic on what was pushed, which cannot fault.
fn harmless(random: &mut Random, rows: &[Instr]) -> Vec<u8> {
    let row = random.pick(rows);
    let pushes = row.pops == 0 && !row.host && row.flow == Flow::Next;
    let numbers = matches!(row.byte, 0x90..=0x93 | 0x99..=0x9F | 0xAA..=0xAC | 0xB3..=0xBB);
    let moves = matches!(row.byte, 0x45..=0x4B | 0x4E..=0x51 | 0x53);
    if pushes {
        return instruction(random, row);
    }
    let small = |random: &mut Random| 0x10 + random.below(17) as u8;
    let mut code = Vec::new();
    if numbers || moves {
        for _ in 0..row.pops {
            code.push(small(random));
        }
        code.push(row.byte);
    } else {
        code.extend([small(random), 0x4A, 0x9E]);
    }
    code
}

/// A condition and what it skips.
fn branch(random: &mut Random, boxes: usize) -> Vec<u8> {
    let skipped = phrase(random, boxes);
    let condition = match random.below(4) {
        0 => vec![0xEA, random.below(4) as u8],
        1 => vec![0xEA, 8],
        // Whether a box has an odd number of contents: known to both sides, but not before the run.
        2 => vec![0x11 + random.below(boxes) as u8, 0xEF, 0x12, 0xA2],
        _ => vec![0x08 + random.below(2) as u8],
    };
    if skipped.len() > 120 {
        return skipped;
    }
    // What is skipped leaves at most one item, which is dropped when it is there.
    let jump = [0x26, skipped.len() as u8 + 2];
    [&condition[..], &jump, &skipped, &[0x11]].concat()
}

/// An instruction that the contract does, with operands that are often right.
fn phrase(random: &mut Random, boxes: usize) -> Vec<u8> {
    let name = random.pick(&MNEMONICS);
    let row = Instr::by_mnemonic(name).expect("a name of the table");
    let target = box_number(random, boxes);
    let before = match name {
        "PAY" => match random.below(4) {
            0 => vec![0x10],
            1 => vec![0x02, 0, 0, random.below(128) as u8, 0],
            2 => vec![0xEA, 6],
            _ => vec![0x11 + random.below(16) as u8],
        },
        "WRITE" => [data(random), data(random)].concat(),
        "READ" | "FIND" => data(random),
        "CSIZE" => {
            let row = Instr::by_mnemonic("LINK").expect("a name of the table");
            instruction(random, *row)
        }
        "TIME" => vec![],
        "STATE" => return instruction(random, *row),
        "PUSH" | "REPLACE" => {
            let script = match random.below(3) {
                0 => vec![0x08],
                1 => data_script(&random.bytes(20)).expect("20 bytes"),
                _ => vec![0x26, 3, 0x11],
            };
            let given = if random.one_in(6) {
                // What is being written is written elsewhere too.
                vec![0xEA, 10]
            } else {
                [&[0x0C, script.len() as u8][..], &script].concat()
            };
            [given, target].concat()
        }
        "CALL" => {
            let inputs = random.below(3);
            let all = vec![0x13; inputs];
            [all, vec![0x10 + inputs as u8, 0x10], target].concat()
        }
        _ => target,
    };
    [before, vec![row.byte]].concat()
}

fn data(random: &mut Random) -> Vec<u8> {
    if random.one_in(2) {
        return vec![0x0C, 1, random.pick(b"abc")];
    }
    let length = random.below(34);
    [vec![0x0C, length as u8], random.bytes(length)].concat()
}

/// A box: mostly one that is there and known, sometimes one that only the run knows.
fn box_number(random: &mut Random, boxes: usize) -> Vec<u8> {
    match random.below(16) {
        0 => vec![0xEA, 4],
        1 => vec![0x10 + boxes as u8 + 1],
        // The number of this box's contents.
        2 => vec![0xEA, 4, 0xEF],
        3 => [&[0x0C, 1][..], b"a", &[0xF1]].concat(),
        _ => vec![0x11 + random.below(boxes) as u8],
    }
}
