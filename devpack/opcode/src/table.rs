//! NeoVM's instructions, one row each.
//!
//! Bytes, operands and prices are those of neo-go 0.120 (`pkg/vm/opcode`, `pkg/core/fee/opcode.go`).

/// What follows an opcode byte. Numbers are little endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operand {
    /// Nothing.
    None,
    /// A signed integer of that many bytes.
    Int(usize),
    /// A signed jump offset of that many bytes, relative to the opcode's own position.
    Offset(usize),
    /// Two signed offsets (catch, finally) of that many bytes each; 0 is absent.
    Try(usize),
    /// A length of that many bytes, then so many bytes.
    Data(usize),
    /// That many plain bytes (slot numbers and counts).
    Raw(usize),
    /// One stack item type byte.
    ItemType,
    /// The four bytes of a system call's id.
    Syscall,
    /// The two-byte number of a method token.
    Token,
}

impl Operand {
    /// Bytes after the opcode when that number is fixed, otherwise bytes of the length prefix.
    pub const fn fixed_size(self) -> usize {
        match self {
            Operand::None => 0,
            Operand::Int(n) | Operand::Offset(n) | Operand::Data(n) | Operand::Raw(n) => n,
            Operand::Try(n) => 2 * n,
            Operand::ItemType => 1,
            Operand::Syscall => 4,
            Operand::Token => 2,
        }
    }
}

/// One row of the instruction table.
#[derive(Clone, Copy, Debug)]
pub struct OpInfo {
    /// The instruction.
    pub op: Op,
    /// Its byte.
    pub byte: u8,
    /// Its name in Neo's documents.
    pub mnemonic: &'static str,
    /// What follows the byte.
    pub operand: Operand,
    /// Price units: multiply by the execution fee factor (30 datoshi by default).
    pub price: u32,
    /// What it does, in a line.
    pub doc: &'static str,
}

macro_rules! instructions {
    ($($name:ident = $byte:literal, $kind:ident $(($size:literal))?, $price:literal, $doc:literal;)*) => {
        /// A NeoVM instruction. Its value is its byte.
        #[allow(non_camel_case_types)] // the names are Neo's own
        #[allow(clippy::upper_case_acronyms)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum Op {
            $(#[doc = $doc] $name = $byte,)*
        }

        /// All instructions, by ascending byte.
        pub static OPCODES: [OpInfo; COUNT] = [
            $(OpInfo {
                op: Op::$name,
                byte: $byte,
                mnemonic: stringify!($name),
                operand: Operand::$kind $(($size))?,
                price: $price,
                doc: $doc,
            },)*
        ];

        const COUNT: usize = [$($byte,)*].len();
    };
}

impl Op {
    /// The instruction with this byte, if there is one.
    pub fn from_byte(byte: u8) -> Option<Op> {
        let at = OPCODES.binary_search_by_key(&byte, |row| row.byte).ok()?;
        OPCODES.get(at).map(|row| row.op)
    }

    /// The instruction with this name.
    pub fn from_mnemonic(name: &str) -> Option<Op> {
        OPCODES
            .iter()
            .find(|row| row.mnemonic == name)
            .map(|row| row.op)
    }

    /// Its byte.
    pub const fn byte(self) -> u8 {
        self as u8
    }

    /// Its row in the table.
    pub fn info(self) -> &'static OpInfo {
        match OPCODES.binary_search_by_key(&self.byte(), |row| row.byte) {
            Ok(at) => &OPCODES[at],
            Err(_) => unreachable!("the enum and the table come from the same rows"),
        }
    }

    /// Its name.
    pub fn mnemonic(self) -> &'static str {
        self.info().mnemonic
    }

    /// Its price in units.
    pub fn price(self) -> u32 {
        self.info().price
    }
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.mnemonic())
    }
}

instructions! {
    PUSHINT8 = 0x00, Int(1), 1, "push a signed 1-byte integer";
    PUSHINT16 = 0x01, Int(2), 1, "push a signed 2-byte integer";
    PUSHINT32 = 0x02, Int(4), 1, "push a signed 4-byte integer";
    PUSHINT64 = 0x03, Int(8), 1, "push a signed 8-byte integer";
    PUSHINT128 = 0x04, Int(16), 4, "push a signed 16-byte integer";
    PUSHINT256 = 0x05, Int(32), 4, "push a signed 32-byte integer";
    PUSHT = 0x08, None, 1, "push true";
    PUSHF = 0x09, None, 1, "push false";
    PUSHA = 0x0A, Offset(4), 4, "push a pointer to an instruction of this script";
    PUSHNULL = 0x0B, None, 1, "push null";
    PUSHDATA1 = 0x0C, Data(1), 8, "push up to 255 bytes";
    PUSHDATA2 = 0x0D, Data(2), 512, "push up to 65535 bytes";
    PUSHDATA4 = 0x0E, Data(4), 4096, "push up to 131070 bytes";
    PUSHM1 = 0x0F, None, 1, "push -1";
    PUSH0 = 0x10, None, 1, "push 0";
    PUSH1 = 0x11, None, 1, "push 1";
    PUSH2 = 0x12, None, 1, "push 2";
    PUSH3 = 0x13, None, 1, "push 3";
    PUSH4 = 0x14, None, 1, "push 4";
    PUSH5 = 0x15, None, 1, "push 5";
    PUSH6 = 0x16, None, 1, "push 6";
    PUSH7 = 0x17, None, 1, "push 7";
    PUSH8 = 0x18, None, 1, "push 8";
    PUSH9 = 0x19, None, 1, "push 9";
    PUSH10 = 0x1A, None, 1, "push 10";
    PUSH11 = 0x1B, None, 1, "push 11";
    PUSH12 = 0x1C, None, 1, "push 12";
    PUSH13 = 0x1D, None, 1, "push 13";
    PUSH14 = 0x1E, None, 1, "push 14";
    PUSH15 = 0x1F, None, 1, "push 15";
    PUSH16 = 0x20, None, 1, "push 16";
    NOP = 0x21, None, 1, "do nothing";
    JMP = 0x22, Offset(1), 2, "jump";
    JMP_L = 0x23, Offset(4), 2, "jump; 4-byte offset";
    JMPIF = 0x24, Offset(1), 2, "pop a condition, jump when it is true";
    JMPIF_L = 0x25, Offset(4), 2, "pop a condition, jump when it is true; 4-byte offset";
    JMPIFNOT = 0x26, Offset(1), 2, "pop a condition, jump when it is false";
    JMPIFNOT_L = 0x27, Offset(4), 2, "pop a condition, jump when it is false; 4-byte offset";
    JMPEQ = 0x28, Offset(1), 2, "pop b and a, jump when a = b as numbers";
    JMPEQ_L = 0x29, Offset(4), 2, "pop b and a, jump when a = b as numbers; 4-byte offset";
    JMPNE = 0x2A, Offset(1), 2, "pop b and a, jump when a and b differ as numbers";
    JMPNE_L = 0x2B, Offset(4), 2, "pop b and a, jump when a and b differ as numbers; 4-byte offset";
    JMPGT = 0x2C, Offset(1), 2, "pop b and a, jump when a > b";
    JMPGT_L = 0x2D, Offset(4), 2, "pop b and a, jump when a > b; 4-byte offset";
    JMPGE = 0x2E, Offset(1), 2, "pop b and a, jump when a >= b";
    JMPGE_L = 0x2F, Offset(4), 2, "pop b and a, jump when a >= b; 4-byte offset";
    JMPLT = 0x30, Offset(1), 2, "pop b and a, jump when a < b";
    JMPLT_L = 0x31, Offset(4), 2, "pop b and a, jump when a < b; 4-byte offset";
    JMPLE = 0x32, Offset(1), 2, "pop b and a, jump when a <= b";
    JMPLE_L = 0x33, Offset(4), 2, "pop b and a, jump when a <= b; 4-byte offset";
    CALL = 0x34, Offset(1), 512, "call a function of this script in a new frame";
    CALL_L = 0x35, Offset(4), 512, "call a function of this script in a new frame; 4-byte offset";
    CALLA = 0x36, None, 512, "pop a pointer and call it";
    CALLT = 0x37, Token, 32768, "call another contract through a method token of the NEF";
    ABORT = 0x38, None, 0, "stop with a fault that nothing catches";
    ASSERT = 0x39, None, 1, "pop a condition, fault when it is false";
    THROW = 0x3A, None, 512, "pop a value and throw it";
    TRY = 0x3B, Try(1), 4, "open a try block: offsets of catch and finally, 0 for none";
    TRY_L = 0x3C, Try(4), 4, "open a try block: offsets of catch and finally, 0 for none; 4-byte offset";
    ENDTRY = 0x3D, Offset(1), 4, "leave a try block and jump";
    ENDTRY_L = 0x3E, Offset(4), 4, "leave a try block and jump; 4-byte offset";
    ENDFINALLY = 0x3F, None, 4, "end a finally block, throw again what is pending";
    RET = 0x40, None, 0, "return to the calling frame";
    SYSCALL = 0x41, Syscall, 0, "call a service of the node";
    DEPTH = 0x43, None, 2, "push the number of items on the stack";
    DROP = 0x45, None, 2, "remove the top item";
    NIP = 0x46, None, 2, "remove the item below the top";
    XDROP = 0x48, None, 16, "pop n, remove the item n below the top";
    CLEAR = 0x49, None, 16, "remove all items of the stack";
    DUP = 0x4A, None, 2, "copy the top item";
    OVER = 0x4B, None, 2, "copy the item below the top";
    PICK = 0x4D, None, 2, "pop n, copy the item n below the top";
    TUCK = 0x4E, None, 2, "copy the top item below the second";
    SWAP = 0x50, None, 2, "exchange the two top items";
    ROT = 0x51, None, 2, "move the third item to the top";
    ROLL = 0x52, None, 16, "pop n, move the item n below the top to the top";
    REVERSE3 = 0x53, None, 2, "reverse the three top items";
    REVERSE4 = 0x54, None, 2, "reverse the four top items";
    REVERSEN = 0x55, None, 16, "pop n, reverse the n top items";
    INITSSLOT = 0x56, Raw(1), 16, "make n static slots";
    INITSLOT = 0x57, Raw(2), 64, "make l local slots and take a arguments from the stack";
    LDSFLD0 = 0x58, None, 2, "push static slot 0";
    LDSFLD1 = 0x59, None, 2, "push static slot 1";
    LDSFLD2 = 0x5A, None, 2, "push static slot 2";
    LDSFLD3 = 0x5B, None, 2, "push static slot 3";
    LDSFLD4 = 0x5C, None, 2, "push static slot 4";
    LDSFLD5 = 0x5D, None, 2, "push static slot 5";
    LDSFLD6 = 0x5E, None, 2, "push static slot 6";
    LDSFLD = 0x5F, Raw(1), 2, "push a static slot";
    STSFLD0 = 0x60, None, 2, "pop into static slot 0";
    STSFLD1 = 0x61, None, 2, "pop into static slot 1";
    STSFLD2 = 0x62, None, 2, "pop into static slot 2";
    STSFLD3 = 0x63, None, 2, "pop into static slot 3";
    STSFLD4 = 0x64, None, 2, "pop into static slot 4";
    STSFLD5 = 0x65, None, 2, "pop into static slot 5";
    STSFLD6 = 0x66, None, 2, "pop into static slot 6";
    STSFLD = 0x67, Raw(1), 2, "pop into a static slot";
    LDLOC0 = 0x68, None, 2, "push local slot 0";
    LDLOC1 = 0x69, None, 2, "push local slot 1";
    LDLOC2 = 0x6A, None, 2, "push local slot 2";
    LDLOC3 = 0x6B, None, 2, "push local slot 3";
    LDLOC4 = 0x6C, None, 2, "push local slot 4";
    LDLOC5 = 0x6D, None, 2, "push local slot 5";
    LDLOC6 = 0x6E, None, 2, "push local slot 6";
    LDLOC = 0x6F, Raw(1), 2, "push a local slot";
    STLOC0 = 0x70, None, 2, "pop into local slot 0";
    STLOC1 = 0x71, None, 2, "pop into local slot 1";
    STLOC2 = 0x72, None, 2, "pop into local slot 2";
    STLOC3 = 0x73, None, 2, "pop into local slot 3";
    STLOC4 = 0x74, None, 2, "pop into local slot 4";
    STLOC5 = 0x75, None, 2, "pop into local slot 5";
    STLOC6 = 0x76, None, 2, "pop into local slot 6";
    STLOC = 0x77, Raw(1), 2, "pop into a local slot";
    LDARG0 = 0x78, None, 2, "push argument slot 0";
    LDARG1 = 0x79, None, 2, "push argument slot 1";
    LDARG2 = 0x7A, None, 2, "push argument slot 2";
    LDARG3 = 0x7B, None, 2, "push argument slot 3";
    LDARG4 = 0x7C, None, 2, "push argument slot 4";
    LDARG5 = 0x7D, None, 2, "push argument slot 5";
    LDARG6 = 0x7E, None, 2, "push argument slot 6";
    LDARG = 0x7F, Raw(1), 2, "push an argument slot";
    STARG0 = 0x80, None, 2, "pop into argument slot 0";
    STARG1 = 0x81, None, 2, "pop into argument slot 1";
    STARG2 = 0x82, None, 2, "pop into argument slot 2";
    STARG3 = 0x83, None, 2, "pop into argument slot 3";
    STARG4 = 0x84, None, 2, "pop into argument slot 4";
    STARG5 = 0x85, None, 2, "pop into argument slot 5";
    STARG6 = 0x86, None, 2, "pop into argument slot 6";
    STARG = 0x87, Raw(1), 2, "pop into an argument slot";
    NEWBUFFER = 0x88, None, 256, "pop n, push a Buffer of n zero bytes";
    MEMCPY = 0x89, None, 2048, "copy bytes into a Buffer";
    CAT = 0x8B, None, 2048, "join two byte strings into a Buffer";
    SUBSTR = 0x8C, None, 2048, "pop count, index and bytes, push that part as a Buffer";
    LEFT = 0x8D, None, 2048, "pop count and bytes, push the first bytes as a Buffer";
    RIGHT = 0x8E, None, 2048, "pop count and bytes, push the last bytes as a Buffer";
    INVERT = 0x90, None, 4, "flip all bits";
    AND = 0x91, None, 8, "bitwise and";
    OR = 0x92, None, 8, "bitwise or";
    XOR = 0x93, None, 8, "bitwise exclusive or";
    EQUAL = 0x97, None, 32, "compare type and value";
    NOTEQUAL = 0x98, None, 32, "compare type and value, negated";
    SIGN = 0x99, None, 4, "push -1, 0 or 1";
    ABS = 0x9A, None, 4, "absolute value";
    NEGATE = 0x9B, None, 4, "change the sign";
    INC = 0x9C, None, 4, "add 1";
    DEC = 0x9D, None, 4, "subtract 1";
    ADD = 0x9E, None, 8, "a + b";
    SUB = 0x9F, None, 8, "a - b";
    MUL = 0xA0, None, 8, "a * b";
    DIV = 0xA1, None, 8, "a / b, truncated toward zero";
    MOD = 0xA2, None, 8, "remainder of a / b, with the sign of a";
    POW = 0xA3, None, 64, "a to the power of b";
    SQRT = 0xA4, None, 64, "integer square root";
    MODMUL = 0xA5, None, 32, "a * b modulo c";
    MODPOW = 0xA6, None, 2048, "a to the power of b modulo c, inverse for b = -1";
    SHL = 0xA8, None, 8, "shift left";
    SHR = 0xA9, None, 8, "shift right, rounding down";
    NOT = 0xAA, None, 4, "logical not";
    BOOLAND = 0xAB, None, 8, "logical and";
    BOOLOR = 0xAC, None, 8, "logical or";
    NZ = 0xB1, None, 4, "true unless the number is 0";
    NUMEQUAL = 0xB3, None, 8, "equal as numbers";
    NUMNOTEQUAL = 0xB4, None, 8, "different as numbers";
    LT = 0xB5, None, 8, "a < b";
    LE = 0xB6, None, 8, "a <= b";
    GT = 0xB7, None, 8, "a > b";
    GE = 0xB8, None, 8, "a >= b";
    MIN = 0xB9, None, 8, "the smaller number";
    MAX = 0xBA, None, 8, "the larger number";
    WITHIN = 0xBB, None, 8, "low <= x < high";
    PACKMAP = 0xBE, None, 2048, "pop n and n key/value pairs, push a Map";
    PACKSTRUCT = 0xBF, None, 2048, "pop n and n items, push a Struct";
    PACK = 0xC0, None, 2048, "pop n and n items, push an Array; the item under n becomes element 0";
    UNPACK = 0xC1, None, 2048, "push all elements and their number";
    NEWARRAY0 = 0xC2, None, 16, "push an empty Array";
    NEWARRAY = 0xC3, None, 512, "pop n, push an Array of n nulls";
    NEWARRAY_T = 0xC4, ItemType, 512, "pop n, push an Array of n defaults of a type";
    NEWSTRUCT0 = 0xC5, None, 16, "push an empty Struct";
    NEWSTRUCT = 0xC6, None, 512, "pop n, push a Struct of n nulls";
    NEWMAP = 0xC8, None, 8, "push an empty Map";
    SIZE = 0xCA, None, 4, "push the length of bytes or a collection";
    HASKEY = 0xCB, None, 64, "whether a key or index exists";
    KEYS = 0xCC, None, 16, "push the keys of a Map";
    VALUES = 0xCD, None, 8192, "push a copy of the values, Structs copied";
    PICKITEM = 0xCE, None, 64, "push an element, by key or index";
    APPEND = 0xCF, None, 8192, "append to an Array, Structs copied";
    SETITEM = 0xD0, None, 8192, "set an element, Structs copied";
    REVERSEITEMS = 0xD1, None, 8192, "reverse the elements in place";
    REMOVE = 0xD2, None, 16, "remove an element";
    CLEARITEMS = 0xD3, None, 16, "remove all elements";
    POPITEM = 0xD4, None, 16, "remove and push the last element";
    ISNULL = 0xD8, None, 2, "whether the item is null";
    ISTYPE = 0xD9, ItemType, 2, "whether the item has a type";
    CONVERT = 0xDB, ItemType, 8192, "convert the item to a type";
    ABORTMSG = 0xE0, None, 0, "pop a message, stop with a fault that shows it";
    ASSERTMSG = 0xE1, None, 1, "pop a message and a condition, fault with the message when the condition is false";
}
