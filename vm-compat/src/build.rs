//! Builds scripts instruction by instruction, with labels and blocks.
//!
//! ```
//! use phantasma_vm::ScriptBuilder;
//!
//! let gate = ScriptBuilder::new()
//!     .state("own")
//!     .if_else(|owner| owner.push_bool(true), |other| other.pay(500_000_000).push_bool(true))
//!     .build();
//! # let _ = gate;
//! ```

use neo_opcode::asm;

use crate::layout::{Piece, lay_out};
use crate::table::{Operand, STATES};
use crate::validate::{ScriptError, validate};

/// Longest data that one instruction can push.
pub const MAX_DATA_BYTES: usize = u16::MAX as usize;

/// Why a script cannot be built.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    /// The contract would refuse the script.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// No instruction without operand, and no state, has that name.
    #[error("there is no `{0}`")]
    Unknown(String),
    /// Something is longer than its instruction can hold.
    #[error("{bytes} bytes are more than one instruction takes")]
    TooMuchData {
        /// Its length.
        bytes: usize,
    },
    /// A jump to a label that is not placed after it.
    #[error("the label `{0}` is not placed after the jump to it")]
    NoLabel(String),
    /// The same label twice.
    #[error("the label `{0}` is placed twice")]
    LabelTwice(String),
    /// A jump that cannot reach its label, not even with jumps in between.
    #[error(
        "the label `{0}` is out of reach: a jump goes 127 bytes, and one instruction is longer"
    )]
    TooFar(String),
}

/// Puts a script together. Mistakes are reported by [`ScriptBuilder::build`], the first one first.
#[derive(Clone, Debug, Default)]
pub struct ScriptBuilder {
    pieces: Vec<Piece>,
    blocks: usize,
    error: Option<BuildError>,
}

const PUSHT: u8 = 0x08;
const PUSHF: u8 = 0x09;
const JMP: u8 = 0x22;
const JMPIFNOT: u8 = 0x26;
const STATE: u8 = 0xEA;
const PAY: u8 = 0xED;
const CALL: u8 = 0xF7;
const ALLOC: u8 = 0xFA;
const LINK: u8 = 0xFB;
const ELNK: u8 = 0xFC;
const WRITE: u8 = 0xFE;
const READ: u8 = 0xFF;

impl ScriptBuilder {
    /// An empty script.
    #[must_use]
    pub fn new() -> ScriptBuilder {
        ScriptBuilder::default()
    }

    /// Pushes bytes.
    #[must_use]
    pub fn push_bytes(self, data: &[u8]) -> ScriptBuilder {
        let mut code = Vec::new();
        match push_bytes(&mut code, data) {
            Some(()) => self.code(code),
            None => self.fail(BuildError::TooMuchData { bytes: data.len() }),
        }
    }

    /// Pushes a number.
    #[must_use]
    pub fn push_int(self, value: i128) -> ScriptBuilder {
        let mut code = Vec::new();
        push_int_le(&mut code, &value.to_le_bytes());
        self.code(code)
    }

    /// Pushes true or false.
    #[must_use]
    pub fn push_bool(self, value: bool) -> ScriptBuilder {
        self.code(vec![if value { PUSHT } else { PUSHF }])
    }

    /// Appends an instruction that has no operand, by its name.
    #[must_use]
    pub fn op(self, mnemonic: &str) -> ScriptBuilder {
        match crate::Instr::by_mnemonic(mnemonic).filter(|row| row.operand == Operand::None) {
            Some(row) => self.code(vec![row.byte]),
            None => self.fail(BuildError::Unknown(mnemonic.to_owned())),
        }
    }

    /// Pushes a fact about the invocation, by its name in [`STATES`].
    #[must_use]
    pub fn state(self, name: &str) -> ScriptBuilder {
        match STATES.iter().find(|(_, known, _)| *known == name) {
            Some((byte, ..)) => self.code(vec![STATE, *byte]),
            None => self.fail(BuildError::Unknown(name.to_owned())),
        }
    }

    /// Lets the payer pay so much (smallest units of SOUL) to this box.
    #[must_use]
    pub fn pay(self, amount: u64) -> ScriptBuilder {
        self.push_int(i128::from(amount)).code(vec![PAY])
    }

    /// Runs a content of an older box with the top `inputs` items as its first ones; its result takes their place.
    #[must_use]
    pub fn call(self, box_id: u64, index: u64, inputs: u8) -> ScriptBuilder {
        self.push_int(i128::from(inputs))
            .push_int(i128::from(index))
            .push_int(i128::from(box_id))
            .code(vec![CALL])
    }

    /// Keeps a value under a key of the box.
    #[must_use]
    pub fn store(self, key: &[u8], value: &[u8]) -> ScriptBuilder {
        self.push_bytes(value).push_bytes(key).code(vec![WRITE])
    }

    /// Pushes what is kept under a key of the box.
    #[must_use]
    pub fn load(self, key: &[u8]) -> ScriptBuilder {
        self.push_bytes(key).code(vec![READ])
    }

    /// Registers stored content of `size` bytes when the script is written: `ids` are the roots of its blocks.
    #[must_use]
    pub fn alloc(self, size: u64, ids: &[[u8; 32]]) -> ScriptBuilder {
        let mut code = vec![ALLOC];
        code.extend(size.to_le_bytes());
        code.extend(ids.as_flattened());
        self.code(code)
    }

    /// Pushes the id of stored content.
    #[must_use]
    pub fn link(self, id: &[u8; 32]) -> ScriptBuilder {
        let mut code = vec![LINK];
        code.extend(id);
        self.code(code)
    }

    /// Pushes a link into another service: its number, then what that service understands.
    #[must_use]
    pub fn external_link(self, service: u8, data: &[u8]) -> ScriptBuilder {
        let Ok(length) = u8::try_from(data.len() + 1) else {
            return self.fail(BuildError::TooMuchData { bytes: data.len() });
        };
        let mut code = vec![ELNK, length, service];
        code.extend(data);
        self.code(code)
    }

    /// Places a label here; jumps to it stand before it.
    #[must_use]
    pub fn label(mut self, name: &str) -> ScriptBuilder {
        self.pieces.push(Piece::Label(name.to_owned()));
        self
    }

    /// Jumps forward to a label. Where a jump does not reach that far, jumps in between are added.
    #[must_use]
    pub fn jump(mut self, label: &str) -> ScriptBuilder {
        self.pieces.push(Piece::Jump(JMP, label.to_owned()));
        self
    }

    /// Pops a condition and jumps forward to a label when it is false.
    #[must_use]
    pub fn jump_if_not(mut self, label: &str) -> ScriptBuilder {
        self.pieces.push(Piece::Jump(JMPIFNOT, label.to_owned()));
        self
    }

    /// Pops a condition and does the one thing or the other.
    #[must_use]
    pub fn if_else(
        mut self,
        then: impl FnOnce(ScriptBuilder) -> ScriptBuilder,
        otherwise: impl FnOnce(ScriptBuilder) -> ScriptBuilder,
    ) -> ScriptBuilder {
        let (other, end) = (self.fresh("else"), self.fresh("end"));
        let built = then(self.jump_if_not(&other)).jump(&end).label(&other);
        otherwise(built).label(&end)
    }

    /// Pops a condition and does something only if it is true.
    #[must_use]
    pub fn when(mut self, then: impl FnOnce(ScriptBuilder) -> ScriptBuilder) -> ScriptBuilder {
        let end = self.fresh("end");
        then(self.jump_if_not(&end)).label(&end)
    }

    /// The script, checked as the contract checks it.
    ///
    /// # Errors
    /// The first mistake, or why the contract would refuse the script.
    pub fn build(self) -> Result<Vec<u8>, BuildError> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let script = lay_out(self.pieces)?;
        validate(&script)?;
        Ok(script)
    }

    /// Appends whole instructions as bytes.
    pub(crate) fn code(mut self, bytes: Vec<u8>) -> ScriptBuilder {
        self.pieces.push(Piece::Code(bytes));
        self
    }

    /// A label that no caller can have.
    pub(crate) fn fresh(&mut self, what: &str) -> String {
        self.blocks += 1;
        format!("{what} #{}", self.blocks)
    }

    fn fail(mut self, error: BuildError) -> ScriptBuilder {
        self.error.get_or_insert(error);
        self
    }
}

/// A content that is plain data: reading it gives the data.
///
/// # Errors
/// More data than a script can hold.
pub fn data_script(data: &[u8]) -> Result<Vec<u8>, ScriptError> {
    let mut script = Vec::new();
    push_bytes(&mut script, data).ok_or(ScriptError::TooLong { bytes: data.len() })?;
    validate(&script)?;
    Ok(script)
}

/// The data of a script as [`data_script`] makes it; `None` if the script does anything else.
#[must_use]
pub fn script_data(script: &[u8]) -> Option<&[u8]> {
    let mut steps = crate::script::steps(script);
    let step = steps.next()?.ok()?;
    let push = matches!(step.instr.byte, 0x0C | 0x0D);
    (push && steps.next().is_none()).then_some(step.operand)
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
