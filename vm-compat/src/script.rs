//! Reads a script instruction by instruction.

use crate::table::{BLOCK_BYTES, Flow, ID_BYTES, Instr, Operand};

/// One decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Where its opcode is, in bytes from the script's start.
    pub position: usize,
    /// Its row.
    pub instr: &'static Instr,
    /// Its operand; of `PUSHDATA` and `ELNK` the data without the length, of `ALLOC` everything.
    pub operand: &'a [u8],
    /// Where the next instruction starts.
    pub next: usize,
}

impl Step<'_> {
    /// Where a jump goes; may lie outside of the script. `None` for what does not jump.
    #[must_use]
    pub fn target(&self) -> Option<i64> {
        match (self.instr.flow, self.operand) {
            (Flow::Jump | Flow::Branch, [offset]) => {
                Some(i64::try_from(self.position).ok()? + i64::from(offset.cast_signed()))
            }
            _ => None,
        }
    }
}

/// Why the next instruction cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// No instruction has this byte.
    #[error("unknown instruction {byte:#04x} at byte {position}")]
    Unknown {
        /// Where the byte is.
        position: usize,
        /// The byte.
        byte: u8,
    },
    /// The script ends inside the instruction.
    #[error("truncated operand: the script ends inside {mnemonic} at byte {position}")]
    Truncated {
        /// Where the opcode is.
        position: usize,
        /// Its name.
        mnemonic: &'static str,
    },
    /// An `ALLOC` of no bytes or an `ELNK` to nowhere.
    #[error("empty operand: {mnemonic} at byte {position} names nothing")]
    Nothing {
        /// Where the opcode is.
        position: usize,
        /// Its name.
        mnemonic: &'static str,
    },
}

/// Iterates over a script's instructions; after an error it ends. Any bytes may be given.
#[must_use]
pub fn steps(script: &[u8]) -> Steps<'_> {
    Steps {
        script,
        position: 0,
        failed: false,
    }
}

/// See [`steps`].
#[derive(Clone, Debug)]
pub struct Steps<'a> {
    script: &'a [u8],
    position: usize,
    failed: bool,
}

impl<'a> Steps<'a> {
    fn one(&self, byte: u8) -> Result<Step<'a>, DecodeError> {
        let position = self.position;
        let instr = Instr::by_byte(byte).ok_or(DecodeError::Unknown { position, byte })?;
        let truncated = DecodeError::Truncated {
            position,
            mnemonic: instr.mnemonic,
        };
        let start = position + 1;
        let head_end = start + instr.operand.fixed_size();
        let head = self.script.get(start..head_end).ok_or(truncated)?;
        let number = head.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
        let tail = match instr.operand {
            Operand::Data(_) | Operand::Locator => Some(number),
            Operand::Blocks => number.div_ceil(BLOCK_BYTES).checked_mul(ID_BYTES as u64),
            _ => Some(0),
        };
        let next = tail
            .and_then(|tail| usize::try_from(tail).ok())
            .and_then(|tail| head_end.checked_add(tail))
            .ok_or(truncated)?;
        let from = match instr.operand {
            Operand::Data(_) | Operand::Locator => head_end,
            _ => start,
        };
        let operand = self.script.get(from..next).ok_or(truncated)?;
        if tail == Some(0) && matches!(instr.operand, Operand::Locator | Operand::Blocks) {
            return Err(DecodeError::Nothing {
                position,
                mnemonic: instr.mnemonic,
            });
        }
        Ok(Step {
            position,
            instr,
            operand,
            next,
        })
    }
}

impl<'a> Iterator for Steps<'a> {
    type Item = Result<Step<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let step = self.one(*self.script.get(self.position)?);
        match &step {
            Ok(step) => self.position = step.next,
            Err(_) => self.failed = true,
        }
        Some(step)
    }
}
