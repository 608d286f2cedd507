//! Builds scripts and the ready ones.

use neo_opcode::asm;

use crate::table::Operand;
use crate::validate::{ScriptError, validate};

/// Longest data that one instruction can push.
pub const MAX_DATA_BYTES: usize = u16::MAX as usize;

/// Puts a script together instruction by instruction.
#[derive(Clone, Debug, Default)]
pub struct ScriptBuilder {
    script: Vec<u8>,
    too_long: Option<usize>,
}

impl ScriptBuilder {
    /// An empty script.
    #[must_use]
    pub fn new() -> ScriptBuilder {
        ScriptBuilder::default()
    }

    /// Pushes bytes.
    #[must_use]
    pub fn push_bytes(mut self, data: &[u8]) -> ScriptBuilder {
        if push_bytes(&mut self.script, data).is_none() {
            self.too_long = Some(data.len());
        }
        self
    }

    /// Pushes a number.
    #[must_use]
    pub fn push_int(mut self, value: i128) -> ScriptBuilder {
        push_int_le(&mut self.script, &value.to_le_bytes());
        self
    }

    /// Pushes true or false.
    #[must_use]
    pub fn push_bool(mut self, value: bool) -> ScriptBuilder {
        self.script.push(if value { PUSHT } else { PUSHF });
        self
    }

    /// Appends an instruction that has no operand, by its name; any other name is refused by [`ScriptBuilder::build`]
    /// as an unknown byte.
    #[must_use]
    pub fn op(mut self, mnemonic: &str) -> ScriptBuilder {
        let row = crate::Instr::by_mnemonic(mnemonic).filter(|row| row.operand == Operand::None);
        self.script.push(row.map_or(UNASSIGNED, |row| row.byte));
        self
    }

    /// The script, checked as the contract checks it.
    ///
    /// # Errors
    /// Why the contract would refuse the script.
    pub fn build(self) -> Result<Vec<u8>, ScriptError> {
        if let Some(bytes) = self.too_long {
            return Err(ScriptError::TooLong { bytes });
        }
        validate(&self.script)?;
        Ok(self.script)
    }
}

const PUSHT: u8 = 0x08;
const PUSHF: u8 = 0x09;
/// A byte that neither NeoVM nor the sub-VM will ever give to an instruction without changing this line.
const UNASSIGNED: u8 = 0x07;

/// A gate that lets everybody in.
#[must_use]
pub fn free_gate() -> Vec<u8> {
    vec![PUSHT]
}

/// A gate that lets only the box's owner in.
#[must_use]
pub fn owner_gate() -> Vec<u8> {
    vec![0xEA, 3]
}

/// A gate where everybody reads and only the owner writes.
#[must_use]
pub fn owner_writes_gate() -> Vec<u8> {
    // STATE read, STATE own, BOOLOR
    vec![0xEA, 1, 0xEA, 3, 0xAC]
}

/// A content that is plain data: reading it gives the data.
///
/// # Errors
/// More data than a script can hold.
pub fn data_script(data: &[u8]) -> Result<Vec<u8>, ScriptError> {
    ScriptBuilder::new().push_bytes(data).build()
}

/// The data of a script as [`data_script`] makes it; `None` if the script does anything else.
#[must_use]
pub fn script_data(script: &[u8]) -> Option<&[u8]> {
    let mut steps = crate::script::steps(script);
    let step = steps.next()?.ok()?;
    (matches!(step.instr.operand, Operand::Data(_)) && steps.next().is_none())
        .then_some(step.operand)
}

/// Appends the shortest push of up to [`MAX_DATA_BYTES`]; `None`, appending nothing, above.
pub(crate) fn push_bytes(out: &mut Vec<u8>, data: &[u8]) -> Option<()> {
    (data.len() <= MAX_DATA_BYTES && asm::push_data(out, data)).then_some(())
}

/// Appends the shortest push of a number of at most 32 bytes.
pub(crate) fn push_int_le(out: &mut Vec<u8>, bytes: &[u8]) {
    let fits = asm::push_int_le(out, bytes);
    debug_assert!(fits, "callers give at most 32 bytes");
}
