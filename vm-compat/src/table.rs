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
    /// A content's id: 32 bytes.
    Id,
    /// A length byte, then so many bytes, at least one: which service holds the content, and where.
    Locator,
    /// A size of 8 bytes without a sign, then an id of 32 bytes for every started [`BLOCK_BYTES`] of it, at least one.
    Blocks,
}

/// Bytes of a content's id.
pub const ID_BYTES: usize = 32;

/// Bytes of a block of stored content; only the last one may be shorter.
pub const BLOCK_BYTES: u64 = 262_144;

impl Operand {
    /// Bytes that always follow the opcode: the operand, of `Data`, `Locator` and `Blocks` only the length.
    #[must_use]
    pub const fn fixed_size(self) -> usize {
        match self {
            Operand::None => 0,
            Operand::Int(size) | Operand::Data(size) => size,
            Operand::Offset | Operand::State | Operand::Locator => 1,
            Operand::Blocks => 8,
            Operand::Id => ID_BYTES,
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
    /// SOUL.
    Payments,
    /// Other boxes.
    Boxes,
    /// Stored content, and what a box remembers.
    Storage,
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
    /// Items that must be on the stack. `PICK`, `ROLL` and `CALL` reach further down, by a number on the stack; that is
    /// checked while they run.
    pub pops: u8,
    /// Items that stand in place of those afterwards.
    pub pushes: u8,
    /// Whether the interpreter hands it to the contract, which alone knows boxes, balances and storage.
    pub host: bool,
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

    /// The least number of items that can be there afterwards, when at least `depth` were there before; `None` if that
    /// may be too few. `PICK` and `ROLL` show by succeeding that there was an item to reach, `CALL` takes a number of
    /// inputs that only the run knows, so that all that is sure is its result.
    #[must_use]
    pub fn depth_after(&self, depth: usize) -> Option<usize> {
        let after = depth.checked_sub(usize::from(self.pops))? + usize::from(self.pushes);
        Some(match self.byte {
            PICK => after.max(2),
            ROLL => after.max(1),
            CALL => 1,
            _ => after,
        })
    }

    /// NeoVM's instruction with the same byte and meaning, if there is one.
    #[must_use]
    pub fn neo(&self) -> Option<Op> {
        Op::from_byte(self.byte)
    }
}

const PICK: u8 = 0x4D;
const ROLL: u8 = 0x52;
const CALL: u8 = 0xF7;

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
    (
        7,
        "consensus",
        "the block's random number, another one at each use",
    ),
    (
        8,
        "member",
        "true if the caller is on this box's include list",
    ),
    (9, "caller", "the caller's account, 20 bytes"),
    (
        10,
        "content",
        "the script that is being written; empty when none is",
    ),
];

/// Those of [`STATES`] that the interpreter hands to the contract.
pub const HOST_STATES: &[u8] = &[8];

macro_rules! rows {
    ($($group:ident { $($byte:literal $name:ident $operand:expr, $pops:literal $pushes:literal $flow:ident $by:ident $doc:literal;)+ })+) => {
        &[$($(Instr {
            byte: $byte,
            mnemonic: stringify!($name),
            operand: $operand,
            pops: $pops,
            pushes: $pushes,
            host: $by,
            flow: Flow::$flow,
            group: Group::$group,
            doc: $doc,
        },)+)+]
    };
}

use Operand::{Blocks, Data, Id, Int, Locator, None, Offset, State};

/// The marks of the column that says who does an instruction.
#[expect(non_upper_case_globals, reason = "they are read as words of the table")]
const ours: bool = false;
#[expect(non_upper_case_globals, reason = "they are read as words of the table")]
const host: bool = true;

/// All instructions in the order of their bytes: byte, name, operand, pops, pushes, flow, done by the interpreter (ours)
/// or the contract (host), meaning.
#[rustfmt::skip]
pub const TABLE: &[Instr] = rows! {
    Push {
        0x00 PUSHINT8   Int(1),  0 1 Next ours "push a signed integer of 1 byte";
        0x01 PUSHINT16  Int(2),  0 1 Next ours "push a signed integer of 2 bytes";
        0x02 PUSHINT32  Int(4),  0 1 Next ours "push a signed integer of 4 bytes";
        0x03 PUSHINT64  Int(8),  0 1 Next ours "push a signed integer of 8 bytes";
        0x04 PUSHINT128 Int(16), 0 1 Next ours "push a signed integer of 16 bytes";
        0x05 PUSHINT256 Int(32), 0 1 Next ours "push a signed integer of 32 bytes";
        0x08 PUSHT      None,    0 1 Next ours "push true";
        0x09 PUSHF      None,    0 1 Next ours "push false";
        0x0C PUSHDATA1  Data(1), 0 1 Next ours "push up to 255 bytes";
        0x0D PUSHDATA2  Data(2), 0 1 Next ours "push up to 65535 bytes";
        0x0F PUSHM1     None,    0 1 Next ours "push -1";
        0x10 PUSH0      None,    0 1 Next ours "push 0";
        0x11 PUSH1      None,    0 1 Next ours "push 1";
        0x12 PUSH2      None,    0 1 Next ours "push 2";
        0x13 PUSH3      None,    0 1 Next ours "push 3";
        0x14 PUSH4      None,    0 1 Next ours "push 4";
        0x15 PUSH5      None,    0 1 Next ours "push 5";
        0x16 PUSH6      None,    0 1 Next ours "push 6";
        0x17 PUSH7      None,    0 1 Next ours "push 7";
        0x18 PUSH8      None,    0 1 Next ours "push 8";
        0x19 PUSH9      None,    0 1 Next ours "push 9";
        0x1A PUSH10     None,    0 1 Next ours "push 10";
        0x1B PUSH11     None,    0 1 Next ours "push 11";
        0x1C PUSH12     None,    0 1 Next ours "push 12";
        0x1D PUSH13     None,    0 1 Next ours "push 13";
        0x1E PUSH14     None,    0 1 Next ours "push 14";
        0x1F PUSH15     None,    0 1 Next ours "push 15";
        0x20 PUSH16     None,    0 1 Next ours "push 16";
    }
    Control {
        0x22 JMP        Offset,  0 0 Jump ours "jump forward";
        0x26 JMPIFNOT   Offset,  1 0 Branch ours "pop a condition, jump forward when it is false";
        0x3A THROW      None,    1 0 Fault ours "pop a value and give up: the whole transaction faults";
        0x40 RET        None,    0 0 Stop ours "stop; the top item, if any, is the result";
    }
    Stack {
        0x45 DROP       None,    1 0 Next ours "remove the top item";
        0x46 NIP        None,    2 1 Next ours "remove the item below the top";
        0x4A DUP        None,    1 2 Next ours "copy the top item";
        0x4B OVER       None,    2 3 Next ours "copy the item below the top";
        0x4D PICK       None,    1 1 Next ours "pop n, copy the item n below the top";
        0x4E TUCK       None,    2 3 Next ours "copy the top item below the second";
        0x50 SWAP       None,    2 2 Next ours "exchange the two top items";
        0x51 ROT        None,    3 3 Next ours "move the third item to the top";
        0x52 ROLL       None,    1 0 Next ours "pop n, move the item n below the top to the top";
        0x53 REVERSE3   None,    3 3 Next ours "reverse the three top items";
    }
    String {
        0x8B CAT        None,    2 1 Next ours "join two byte strings (the result is a Buffer)";
        0x8C SUBSTR     None,    3 1 Next ours "pop count, index and bytes, push that part (a Buffer)";
        0x8D LEFT       None,    2 1 Next ours "pop count and bytes, push the first bytes (a Buffer)";
        0x8E RIGHT      None,    2 1 Next ours "pop count and bytes, push the last bytes (a Buffer)";
    }
    Logic {
        0x90 INVERT     None,    1 1 Next ours "flip all bits";
        0x91 AND        None,    2 1 Next ours "bitwise and";
        0x92 OR         None,    2 1 Next ours "bitwise or";
        0x93 XOR        None,    2 1 Next ours "bitwise exclusive or";
        0x97 EQUAL      None,    2 1 Next ours "compare type and value";
    }
    Arithmetic {
        0x99 SIGN       None,    1 1 Next ours "-1, 0 or 1";
        0x9A ABS        None,    1 1 Next ours "absolute value";
        0x9B NEGATE     None,    1 1 Next ours "change the sign";
        0x9C INC        None,    1 1 Next ours "add 1";
        0x9D DEC        None,    1 1 Next ours "subtract 1";
        0x9E ADD        None,    2 1 Next ours "a + b";
        0x9F SUB        None,    2 1 Next ours "a - b";
        0xA0 MUL        None,    2 1 Next ours "a * b";
        0xA1 DIV        None,    2 1 Next ours "a / b, truncated toward zero";
        0xA2 MOD        None,    2 1 Next ours "remainder of a / b, with the sign of a";
    }
    Logic {
        0xAA NOT        None,    1 1 Next ours "logical not";
        0xAB BOOLAND    None,    2 1 Next ours "logical and";
        0xAC BOOLOR     None,    2 1 Next ours "logical or";
        0xB3 NUMEQUAL   None,    2 1 Next ours "equal as numbers";
        0xB5 LT         None,    2 1 Next ours "a < b";
        0xB6 LE         None,    2 1 Next ours "a <= b";
        0xB7 GT         None,    2 1 Next ours "a > b";
        0xB8 GE         None,    2 1 Next ours "a >= b";
    }
    Arithmetic {
        0xB9 MIN        None,    2 1 Next ours "the smaller number";
        0xBA MAX        None,    2 1 Next ours "the larger number";
        0xBB WITHIN     None,    3 1 Next ours "pop high, low and x: low <= x < high";
    }
    String {
        0xCA SIZE       None,    1 1 Next ours "the number of bytes";
    }
    Control {
        0xE8 OK         None,    0 1 Stop ours "stop with true";
        0xE9 FAIL       None,    0 1 Stop ours "stop with false";
    }
    State {
        0xEA STATE      State,   0 1 Next ours "push one fact about this invocation";
    }
    Hash {
        0xEB SHA256     None,    1 1 Next ours "the SHA-256 of a byte string";
    }
    Payments {
        0xEC BALANCE    None,    1 1 Next host "pop a box, push the SOUL that it holds";
        0xED PAY        None,    1 0 Next host "pop an amount, move it from the payer to this box";
        0xEE TIME       None,    0 1 Next host "seconds since the caller last paid this box, since 1970 if never";
    }
    Boxes {
        0xEF COUNT      None,    1 1 Next host "pop a box, push how many contents it has";
        0xF0 NAME       None,    1 1 Next host "pop a box, push its name";
        0xF1 FIND       None,    1 1 Next host "pop a name, push the number of that box, 0 if there is none";
        0xF2 PUSH       None,    2 1 Next host "pop a box and a content, write it there; whether the gate agreed";
        0xF3 PULL       None,    1 1 Next host "pop a box, read its latest content, which is taken off if allowed";
        0xF4 INSPECT    None,    1 1 Next host "pop a box, push what reading it would cost";
        0xF5 DELETE     None,    1 1 Next host "pop a box, remove its latest content; whether that was allowed";
        0xF6 REPLACE    None,    2 1 Next host "pop a box and a content, put it in place of the latest; whether that was allowed";
        0xF7 CALL       None,    3 1 Next host "pop an older box, an index, n and n inputs; run that content on them";
        0xF8 INCLUDE    None,    1 1 Next host "pop a box, put the caller on its include list; whether that was allowed";
        0xF9 EXCLUDE    None,    1 1 Next host "pop a box, take the caller off its include list; whether that was allowed";
    }
    Storage {
        0xFA ALLOC      Blocks,  0 1 Next host "register content; only first in a content, and stored as `LINK`";
        0xFB LINK       Id,      0 1 Next ours "push the id of stored content";
        0xFC ELNK       Locator, 0 1 Next ours "push where content is held by another service";
        0xFD CSIZE      None,    1 1 Next host "pop an id, push that content's size, 0 if unknown or expired";
        0xFE WRITE      None,    2 0 Next host "pop a key and a value, remember it in this box";
        0xFF READ       None,    1 1 Next host "pop a key, push what this box remembers, empty if nothing";
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
