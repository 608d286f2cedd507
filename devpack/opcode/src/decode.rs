//! Reads scripts instruction by instruction.

use std::fmt;

use crate::{Op, Operand, Syscall, item_type};

/// One decoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction<'a> {
    /// Where its opcode is, in bytes from the script's start.
    pub position: usize,
    /// The instruction.
    pub op: Op,
    /// Its operand; for `PUSHDATA` the data without the length.
    pub operand: &'a [u8],
    /// Bytes from the opcode to the next instruction.
    pub size: usize,
}

/// Why a script does not decode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DecodeError {
    /// No instruction has this byte.
    Unknown { position: usize, byte: u8 },
    /// The script ends inside the instruction.
    Truncated { position: usize, op: Op },
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::Unknown { position, byte } => {
                write!(f, "byte {byte:02x} at {position} is no instruction")
            }
            DecodeError::Truncated { position, op } => {
                write!(f, "the script ends inside {op} at {position}")
            }
        }
    }
}

impl std::error::Error for DecodeError {}

/// Iterates over a script's instructions; after an error it ends.
pub fn decode(script: &[u8]) -> Decoder<'_> {
    Decoder {
        script,
        position: 0,
        failed: false,
    }
}

/// See [`decode`].
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    script: &'a [u8],
    position: usize,
    failed: bool,
}

impl<'a> Decoder<'a> {
    fn one(&self) -> Result<Instruction<'a>, DecodeError> {
        let position = self.position;
        let byte = self.script[position];
        let op = Op::from_byte(byte).ok_or(DecodeError::Unknown { position, byte })?;
        let short = || DecodeError::Truncated { position, op };
        let kind = op.info().operand;
        let head = self
            .script
            .get(position + 1..)
            .and_then(|rest| rest.get(..kind.fixed_size()))
            .ok_or_else(short)?;
        let start = position + 1 + head.len();
        let Operand::Data(_) = kind else {
            return Ok(Instruction {
                position,
                op,
                operand: head,
                size: start - position,
            });
        };
        let length = head
            .iter()
            .rev()
            .fold(0usize, |n, b| n << 8 | usize::from(*b));
        let operand = self
            .script
            .get(start..)
            .and_then(|rest| rest.get(..length))
            .ok_or_else(short)?;
        Ok(Instruction {
            position,
            op,
            operand,
            size: start + length - position,
        })
    }
}

impl<'a> Iterator for Decoder<'a> {
    type Item = Result<Instruction<'a>, DecodeError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.position >= self.script.len() {
            return None;
        }
        let one = self.one();
        match &one {
            Ok(instruction) => self.position += instruction.size,
            Err(_) => self.failed = true,
        }
        Some(one)
    }
}

impl Instruction<'_> {
    /// The integer operand, for instructions that have one of up to 8 bytes (also slot numbers and jump offsets).
    pub fn immediate(&self) -> Option<i64> {
        let signed = match self.op.info().operand {
            Operand::Int(n) | Operand::Offset(n) if n <= 8 => true,
            Operand::Raw(_) | Operand::Token | Operand::ItemType => false,
            _ => return None,
        };
        let fill = if signed && self.operand.last().is_some_and(|b| b & 0x80 != 0) {
            0xFF
        } else {
            0
        };
        let mut all = [fill; 8];
        all.get_mut(..self.operand.len())?
            .copy_from_slice(self.operand);
        Some(i64::from_le_bytes(all))
    }

    /// Where a jump or call goes, in bytes from the script's start; may lie outside of it.
    pub fn target(&self) -> Option<i64> {
        match self.op.info().operand {
            Operand::Offset(_) => Some(i64::try_from(self.position).ok()? + self.immediate()?),
            _ => None,
        }
    }
}

impl fmt::Display for Instruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.op.mnemonic())?;
        match self.op.info().operand {
            Operand::None => Ok(()),
            Operand::Offset(_) => write!(f, " {}", self.target().unwrap_or_default()),
            Operand::Syscall => match <[u8; 4]>::try_from(self.operand)
                .ok()
                .and_then(Syscall::by_id)
            {
                Some(call) => write!(f, " {}", call.name),
                None => hex(f, self.operand),
            },
            Operand::ItemType => match self.operand.first().and_then(|b| item_type::name(*b)) {
                Some(name) => write!(f, " {name}"),
                None => hex(f, self.operand),
            },
            Operand::Data(_) if is_text(self.operand) => {
                write!(f, " {:?}", String::from_utf8_lossy(self.operand))
            }
            Operand::Raw(2) => write!(f, " {} {}", self.operand[0], self.operand[1]),
            _ => match self.immediate() {
                Some(n) => write!(f, " {n}"),
                None => hex(f, self.operand),
            },
        }
    }
}

fn is_text(data: &[u8]) -> bool {
    !data.is_empty() && data.iter().all(|b| (0x20..0x7F).contains(b))
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    f.write_str(" 0x")?;
    bytes.iter().try_for_each(|b| write!(f, "{b:02x}"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{OPCODES, SYSCALLS, asm};

    #[test]
    fn the_table_has_196_rows_in_byte_order_with_unique_names() {
        assert_eq!(OPCODES.len(), 196);
        assert!(OPCODES.windows(2).all(|w| w[0].byte < w[1].byte));
        for row in &OPCODES {
            assert_eq!(row.op.byte(), row.byte);
            assert_eq!(Op::from_byte(row.byte), Some(row.op));
            assert_eq!(Op::from_mnemonic(row.mnemonic), Some(row.op));
            assert!(!row.doc.is_empty());
        }
    }

    #[test]
    fn long_jumps_follow_their_short_form() {
        for row in OPCODES
            .iter()
            .filter(|row| row.operand == Operand::Offset(4) && row.op != Op::PUSHA)
        {
            let short = Op::from_byte(row.byte - 1).unwrap();
            assert_eq!(format!("{}_L", short.mnemonic()), row.mnemonic);
            assert_eq!(short.price(), row.price);
        }
    }

    #[test]
    fn every_instruction_decodes_with_its_operand_and_not_without() {
        for row in &OPCODES {
            let mut script = Vec::new();
            asm::op_with(&mut script, row.op, &vec![0; row.operand.fixed_size()]);
            let one = decode(&script).next().unwrap().unwrap();
            assert_eq!((one.op, one.size), (row.op, script.len()));
            if script.len() > 1 {
                script.pop();
                assert_eq!(
                    decode(&script).next(),
                    Some(Err(DecodeError::Truncated {
                        position: 0,
                        op: row.op
                    }))
                );
            }
        }
    }

    #[test]
    fn every_other_byte_is_unknown() {
        for byte in (0..=255).filter(|b| OPCODES.iter().all(|row| row.byte != *b)) {
            let script = [byte, byte];
            let all: Vec<_> = decode(&script).collect();
            assert_eq!(all, [Err(DecodeError::Unknown { position: 0, byte })]);
        }
    }

    #[test]
    fn every_syscall_is_found_by_id_and_name() {
        for call in SYSCALLS {
            assert_eq!(Syscall::by_id(call.id), Some(call));
            assert_eq!(Syscall::by_name(call.name), Some(call));
        }
    }

    #[test]
    fn instructions_print_like_neo_writes_them() {
        let script = [
            0x22, 0x03, 0x21, 0x41, 0x62, 0x7d, 0x5b, 0x52, 0xDB, 0x28, 0x0C, 2, b'h', b'i', 0x57,
            1, 2,
        ];
        let text: Vec<_> = decode(&script).map(|i| i.unwrap().to_string()).collect();
        let expected = [
            "JMP 3",
            "NOP",
            "SYSCALL System.Contract.Call",
            "CONVERT ByteString",
            "PUSHDATA1 \"hi\"",
            "INITSLOT 1 2",
        ];
        assert_eq!(text, expected);
    }
}
