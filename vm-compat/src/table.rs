//! The sub-VM's instructions, one row each. Everything else follows from the rows: the assembler, both validators, the
//! constants and the arity string of the interpreter (`core/ops.rs` is generated from here), the page `docs/sub-vm.md`.

use neo_opcode::Op;

/// What stands after an opcode byte. Numbers are little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// A signed integer of that many bytes.
    Int(usize),
    /// A length of that many bytes, then so many bytes.
    Data(usize),
    /// One signed byte: the distance from this opcode to the target's opcode.
    Offset,
    /// One byte out of [`STATES`].
    State,
}

impl Operand {
    /// Bytes that always follow the opcode: the operand, of `Data` only the length.
    #[must_use]
    pub const fn fixed_size(self) -> usize {
        match self {
            Operand::None => 0,
            Operand::Int(size) | Operand::Data(size) => size,
            Operand::Offset | Operand::State => 1,
        }
    }
}

/// Where control goes after an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// To the next instruction.
    Next,
    /// To the target or to the next instruction.
    Branch,
    /// To the target.
    Jump,
    /// Nowhere: the script is done, its top item is the result.
    Stop,
    /// Nowhere: the whole transaction faults.
    Fault,
}

/// The groups of the instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Constants.
    Push,
    /// Moving items.
    Stack,
    /// Numbers.
    Arithmetic,
    /// Byte strings.
    String,
    /// Bits, truth, comparison.
    Logic,
    /// Jumps and ends.
    Control,
    /// What the script can know about its invocation.
    State,
    /// Hashes.
    Hash,
}

/// One instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instr {
    /// Its opcode.
    pub byte: u8,
    /// Its name; NeoVM's where NeoVM has the instruction.
    pub mnemonic: &'static str,
    /// What follows the opcode.
    pub operand: Operand,
    /// Items that must be on the stack; `PICK` and `ROLL` may need more, by their count.
    pub pops: u8,
    /// Items that stand in place of those afterwards.
    pub pushes: u8,
    /// Where control goes.
    pub flow: Flow,
    /// Its group.
    pub group: Group,
    /// One line for people.
    pub doc: &'static str,
}

impl Instr {
    /// The row of an opcode byte.
    #[must_use]
    pub fn by_byte(byte: u8) -> Option<&'static Instr> {
        TABLE
            .binary_search_by_key(&byte, |row| row.byte)
            .ok()
            .map(|at| &TABLE[at])
    }

    /// The row of a name, or of one of the white paper's names ([`ALIASES`]).
    #[must_use]
    pub fn by_mnemonic(name: &str) -> Option<&'static Instr> {
        let name = ALIASES
            .iter()
            .find(|(alias, _)| *alias == name)
            .map_or(name, |(_, real)| real);
        TABLE.iter().find(|row| row.mnemonic == name)
    }

    /// NeoVM's instruction with the same byte and meaning, if there is one.
    #[must_use]
    pub fn neo(&self) -> Option<Op> {
        Op::from_byte(self.byte)
    }
}

/// Other names that the assembler takes: the white paper's for the same instructions.
pub const ALIASES: &[(&str, &str)] = &[("SKIP", "JMPIFNOT"), ("LET", "LE"), ("GET", "GE")];

/// What `STATE` can push: operand byte, name, meaning.
pub const STATES: &[(u8, &str, &str)] = &[
    (0, "write", "true while a content is being written"),
    (1, "read", "true while a content is being read"),
    (2, "inspect", "true while the cost of reading is asked for"),
    (3, "own", "true if the caller owns this box"),
    (4, "this", "the number of the box that runs"),
    (5, "entry", "the number of the box where execution began"),
    (6, "timestamp", "the block's time in seconds since 1970"),
    (9, "caller", "the caller's account, 20 bytes"),
];

macro_rules! rows {
    ($($group:ident { $($byte:literal $name:ident $operand:expr, $pops:literal $pushes:literal $flow:ident $doc:literal;)+ })+) => {
        &[$($(Instr {
            byte: $byte,
            mnemonic: stringify!($name),
            operand: $operand,
            pops: $pops,
            pushes: $pushes,
            flow: Flow::$flow,
            group: Group::$group,
            doc: $doc,
        },)+)+]
    };
}

use Operand::{Data, Int, None, Offset, State};

/// All instructions in the order of their bytes: byte, name, operand, pops, pushes, flow, meaning.
#[rustfmt::skip]
pub const TABLE: &[Instr] = rows! {
    Push {
        0x00 PUSHINT8   Int(1),  0 1 Next "push a signed integer of 1 byte";
        0x01 PUSHINT16  Int(2),  0 1 Next "push a signed integer of 2 bytes";
        0x02 PUSHINT32  Int(4),  0 1 Next "push a signed integer of 4 bytes";
        0x03 PUSHINT64  Int(8),  0 1 Next "push a signed integer of 8 bytes";
        0x04 PUSHINT128 Int(16), 0 1 Next "push a signed integer of 16 bytes";
        0x05 PUSHINT256 Int(32), 0 1 Next "push a signed integer of 32 bytes";
        0x08 PUSHT      None,    0 1 Next "push true";
        0x09 PUSHF      None,    0 1 Next "push false";
        0x0C PUSHDATA1  Data(1), 0 1 Next "push up to 255 bytes";
        0x0D PUSHDATA2  Data(2), 0 1 Next "push up to 65535 bytes";
        0x0F PUSHM1     None,    0 1 Next "push -1";
        0x10 PUSH0      None,    0 1 Next "push 0";
        0x11 PUSH1      None,    0 1 Next "push 1";
        0x12 PUSH2      None,    0 1 Next "push 2";
        0x13 PUSH3      None,    0 1 Next "push 3";
        0x14 PUSH4      None,    0 1 Next "push 4";
        0x15 PUSH5      None,    0 1 Next "push 5";
        0x16 PUSH6      None,    0 1 Next "push 6";
        0x17 PUSH7      None,    0 1 Next "push 7";
        0x18 PUSH8      None,    0 1 Next "push 8";
        0x19 PUSH9      None,    0 1 Next "push 9";
        0x1A PUSH10     None,    0 1 Next "push 10";
        0x1B PUSH11     None,    0 1 Next "push 11";
        0x1C PUSH12     None,    0 1 Next "push 12";
        0x1D PUSH13     None,    0 1 Next "push 13";
        0x1E PUSH14     None,    0 1 Next "push 14";
        0x1F PUSH15     None,    0 1 Next "push 15";
        0x20 PUSH16     None,    0 1 Next "push 16";
    }
    Control {
        0x22 JMP        Offset,  0 0 Jump "jump forward";
        0x26 JMPIFNOT   Offset,  1 0 Branch "pop a condition, jump forward when it is false";
        0x3A THROW      None,    1 0 Fault "pop a value and give up: the whole transaction faults";
        0x40 RET        None,    0 0 Stop "stop; the top item, if any, is the result";
    }
    Stack {
        0x45 DROP       None,    1 0 Next "remove the top item";
        0x46 NIP        None,    2 1 Next "remove the item below the top";
        0x4A DUP        None,    1 2 Next "copy the top item";
        0x4B OVER       None,    2 3 Next "copy the item below the top";
        0x4D PICK       None,    2 2 Next "pop n, copy the item n below the top";
        0x4E TUCK       None,    2 3 Next "copy the top item below the second";
        0x50 SWAP       None,    2 2 Next "exchange the two top items";
        0x51 ROT        None,    3 3 Next "move the third item to the top";
        0x52 ROLL       None,    2 1 Next "pop n, move the item n below the top to the top";
        0x53 REVERSE3   None,    3 3 Next "reverse the three top items";
    }
    String {
        0x8B CAT        None,    2 1 Next "join two byte strings (the result is a Buffer)";
        0x8C SUBSTR     None,    3 1 Next "pop count, index and bytes, push that part (a Buffer)";
        0x8D LEFT       None,    2 1 Next "pop count and bytes, push the first bytes (a Buffer)";
        0x8E RIGHT      None,    2 1 Next "pop count and bytes, push the last bytes (a Buffer)";
    }
    Logic {
        0x90 INVERT     None,    1 1 Next "flip all bits";
        0x91 AND        None,    2 1 Next "bitwise and";
        0x92 OR         None,    2 1 Next "bitwise or";
        0x93 XOR        None,    2 1 Next "bitwise exclusive or";
        0x97 EQUAL      None,    2 1 Next "compare type and value";
    }
    Arithmetic {
        0x99 SIGN       None,    1 1 Next "-1, 0 or 1";
        0x9A ABS        None,    1 1 Next "absolute value";
        0x9B NEGATE     None,    1 1 Next "change the sign";
        0x9C INC        None,    1 1 Next "add 1";
        0x9D DEC        None,    1 1 Next "subtract 1";
        0x9E ADD        None,    2 1 Next "a + b";
        0x9F SUB        None,    2 1 Next "a - b";
        0xA0 MUL        None,    2 1 Next "a * b";
        0xA1 DIV        None,    2 1 Next "a / b, truncated toward zero";
        0xA2 MOD        None,    2 1 Next "remainder of a / b, with the sign of a";
    }
    Logic {
        0xAA NOT        None,    1 1 Next "logical not";
        0xAB BOOLAND    None,    2 1 Next "logical and";
        0xAC BOOLOR     None,    2 1 Next "logical or";
        0xB3 NUMEQUAL   None,    2 1 Next "equal as numbers";
        0xB5 LT         None,    2 1 Next "a < b";
        0xB6 LE         None,    2 1 Next "a <= b";
        0xB7 GT         None,    2 1 Next "a > b";
        0xB8 GE         None,    2 1 Next "a >= b";
    }
    Arithmetic {
        0xB9 MIN        None,    2 1 Next "the smaller number";
        0xBA MAX        None,    2 1 Next "the larger number";
        0xBB WITHIN     None,    3 1 Next "pop high, low and x: low <= x < high";
    }
    String {
        0xCA SIZE       None,    1 1 Next "the number of bytes";
    }
    Control {
        0xE8 OK         None,    0 1 Stop "stop with true";
        0xE9 FAIL       None,    0 1 Stop "stop with false";
    }
    State {
        0xEA STATE      State,   0 1 Next "push one fact about this invocation";
    }
    Hash {
        0xEB SHA256     None,    1 1 Next "the SHA-256 of a byte string";
    }
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_byte_order_with_unique_names() {
        assert!(TABLE.windows(2).all(|w| w[0].byte < w[1].byte));
        for row in TABLE {
            assert_eq!(Instr::by_byte(row.byte), Some(row));
            assert_eq!(Instr::by_mnemonic(row.mnemonic), Some(row));
        }
        assert!(STATES.windows(2).all(|w| w[0].0 < w[1].0));
    }

    #[test]
    fn an_instruction_of_neovm_has_neovms_name_and_operand_size() {
        for row in TABLE {
            match row.neo() {
                Some(op) => {
                    assert_eq!(op.mnemonic(), row.mnemonic);
                    assert_eq!(
                        op.info().operand.fixed_size(),
                        row.operand.fixed_size(),
                        "{op}"
                    );
                }
                Option::None => assert!(
                    row.byte >= 0xE8,
                    "{} takes a byte from NeoVM's range",
                    row.mnemonic
                ),
            }
        }
    }

    #[test]
    fn pops_and_pushes_fit_the_four_bits_of_the_arity_string() {
        assert!(TABLE.iter().all(|row| row.pops < 15 && row.pushes < 15));
    }
}
