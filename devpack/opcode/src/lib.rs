//! What NeoVM understands, as data: every instruction and every system call in one table row each, and what follows
//! from the rows: encoding, decoding, prices.
//!
//! It does not run anything and knows nothing of contracts, files or networks.
//!
//! ```
//! use neo_opcode::{Op, asm, decode};
//!
//! let mut script = Vec::new();
//! asm::push_int(&mut script, 21);
//! asm::op(&mut script, Op::INC);
//! let names: Vec<_> = decode(&script).map(|i| i.map(|i| i.op.mnemonic())).collect::<Result<_, _>>()?;
//! assert_eq!(names, ["PUSHINT8", "INC"]);
//! # Ok::<(), neo_opcode::DecodeError>(())
//! ```

pub mod asm;
mod decode;
pub mod item_type;
pub mod syscall;
mod table;

pub use decode::{DecodeError, Decoder, Instruction, decode};
pub use syscall::{SYSCALLS, Syscall};
pub use table::{OPCODES, Op, OpInfo, Operand};

/// The longest byte string or script, in bytes (`MaxItemSize` of NeoVM).
pub const MAX_ITEM_SIZE: usize = 131_070;
