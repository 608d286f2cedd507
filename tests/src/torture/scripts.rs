//! Random sub-VM scripts.

use phantasma_vm::{Flow, ID_BYTES, Instr, Operand, STATES, TABLE, validate};

use super::random::Random;

/// A valid script of instructions that NeoVM has too.
pub fn neo_script(random: &mut Random) -> Vec<u8> {
    let rows: Vec<Instr> = TABLE
        .iter()
        .filter(|row| row.neo().is_some())
        .copied()
        .collect();
    let length = if random.one_in(2) { 8 } else { 40 };
    script_of(random, &rows, length)
}

/// Random instructions, up to `length` of them, of which those are kept that leave the script valid.
pub fn script_of(random: &mut Random, rows: &[Instr], length: usize) -> Vec<u8> {
    let is_push = |row: &&Instr| row.pops == 0 && row.flow == Flow::Next;
    let pushes: Vec<Instr> = rows.iter().filter(is_push).copied().collect();
    let mut script = vec![0x12, 0x13];
    for _ in 0..random.below(length) {
        let list = if random.one_in(3) { &pushes } else { rows };
        let row = random.pick(list);
        let longer = [script.clone(), instruction(random, row)].concat();
        let padded = [longer.clone(), vec![0x11, 0x11]].concat();
        if validate(&longer).is_ok() {
            script = longer;
        } else if validate(&padded).is_ok() {
            script = padded;
        }
    }
    script
}

pub(super) fn instruction(random: &mut Random, row: Instr) -> Vec<u8> {
    let operand = match row.operand {
        Operand::None => vec![],
        Operand::Int(size) => number(random, size),
        Operand::Data(size) => {
            let length = if random.one_in(8) {
                33
            } else {
                random.below(6)
            };
            let data = random.bytes(length);
            [&data.len().to_le_bytes()[..size], &data].concat()
        }
        Operand::Offset => vec![2 + random.below(2) as u8],
        Operand::State => vec![random.pick(STATES).0],
        Operand::Id => random.bytes(ID_BYTES),
        Operand::Locator => [vec![3], random.bytes(3)].concat(),
        // One block.
        Operand::Blocks => [vec![9, 0, 0, 0, 0, 0, 0, 0], random.bytes(ID_BYTES)].concat(),
    };
    [vec![row.byte], operand].concat()
}

/// An operand of so many bytes: anything, something small, or the ends of the range.
fn number(random: &mut Random, size: usize) -> Vec<u8> {
    let mut bytes = vec![0; size];
    match random.below(4) {
        0 => bytes = random.bytes(size),
        1 => bytes[0] = random.below(5) as u8,
        2 => bytes[size - 1] = 0x80,
        _ => {
            bytes.fill(0xFF);
            bytes[size - 1] = if random.one_in(2) { 0x7F } else { 0xFF };
        }
    }
    bytes
}

/// The script as the contract keeps it, behind an author.
pub(crate) fn stored(script: &[u8]) -> Vec<u8> {
    [&[0xA5; 20], script].concat()
}
