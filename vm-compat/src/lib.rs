//! The sub-VM of Phantasma: gates and contents are small scripts that the contract runs on each access.
//!
//! An instruction that NeoVM has keeps NeoVM's byte, operand and meaning; our own use bytes that NeoVM leaves free.
//! Jumps go forward only, so every script ends. This crate is the instruction table ([`TABLE`]), the validator, the
//! assembler and the script builder for everybody outside of the chain, and in [`core`] the checker and interpreter
//! that the contract contains. It opens no file or socket and has no clock.
//!
//! ```
//! use phantasma_vm::{assemble, data_script, disassemble, validate};
//!
//! let gate = assemble("STATE read\nSTATE own\nBOOLOR")?;
//! validate(&gate)?;
//! assert_eq!(disassemble(&data_script(b"hello")?)?, "    PUSHDATA1 \"hello\"\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod asm;
pub mod bound;
mod build;
pub mod codegen;
pub mod core;
pub mod debug;
mod decimal;
mod disasm;
mod explain;
mod gate_code;
mod gates;
mod layout;
mod script;
mod table;
pub mod trace;
mod validate;

pub use asm::{AsmError, Problem, assemble, label_positions};
pub use build::{BuildError, MAX_DATA_BYTES, ScriptBuilder, data_script, script_data};
pub use disasm::disassemble;
pub use explain::{
    Effect, Explanation, Outcome, Path, Told, Value, Way, explain_content, explain_gate,
};
pub use gates::{
    AccountBytes, Gate, GateError, MAX_GATE_BYTES, free_gate, owner_gate, owner_writes_gate,
};
pub use script::{DecodeError, Step, Steps, steps};
pub use table::{
    ALIASES, BLOCK_BYTES, Flow, Group, HOST_STATES, ID_BYTES, Instr, Operand, STATES, TABLE,
};
pub use validate::{MAX_INSTRUCTIONS, MAX_SCRIPT_BYTES, ScriptError, validate};
