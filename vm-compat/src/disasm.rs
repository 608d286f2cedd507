//! Script to text: [`crate::assemble`] makes the same bytes of it again.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::decimal;
use crate::script::{DecodeError, Step, steps};
use crate::table::{ID_BYTES, Operand, STATES};

/// The text of a script, one instruction a line, jump targets as labels `L<byte>`.
///
/// # Errors
/// An unknown byte or a cut operand. Jumps that go nowhere are written as distances.
pub fn disassemble(script: &[u8]) -> Result<String, DecodeError> {
    let all: Vec<_> = steps(script).collect::<Result<_, _>>()?;
    let starts: BTreeSet<i64> = all
        .iter()
        .filter_map(|step| i64::try_from(step.position).ok())
        .collect();
    let targets: BTreeSet<i64> = all
        .iter()
        .filter_map(Step::target)
        .filter(|t| starts.contains(t))
        .collect();
    let mut text = String::new();
    for step in &all {
        if targets
            .iter()
            .any(|target| usize::try_from(*target) == Ok(step.position))
        {
            let _ = writeln!(text, "L{}:", step.position);
        }
        let _ = writeln!(text, "    {}", line(step, &targets));
    }
    Ok(text)
}

fn line(step: &Step<'_>, targets: &BTreeSet<i64>) -> String {
    let name = step.instr.mnemonic;
    match step.instr.operand {
        Operand::None => name.to_owned(),
        Operand::Int(_) => format!("{name} {}", decimal::print(step.operand)),
        Operand::Data(_) => format!("{name} {}", data(step.operand)),
        Operand::Offset => match step.target() {
            Some(target) if targets.contains(&target) => format!("{name} L{target}"),
            _ => {
                let offset = step.operand.first().map_or(0, |b| b.cast_signed());
                format!("{name} {offset:+}")
            }
        },
        Operand::Id => format!("{name} {}", hex(step.operand)),
        Operand::Locator => {
            let (service, place) = step.operand.split_first().unwrap_or((&0, &[]));
            format!("{name} {service} {}", data(place))
        }
        Operand::Blocks => {
            let (size, ids) = step.operand.split_at(step.operand.len().min(8));
            let size = size.iter().rev().fold(0, |n, b| n << 8 | u64::from(*b));
            ids.chunks(ID_BYTES)
                .fold(format!("{name} {size}"), |text, id| text + " " + &hex(id))
        }
        Operand::State => {
            let known = STATES.iter().find(|(byte, ..)| step.operand == [*byte]);
            format!("{name} {}", known.map_or("?", |(_, state, _)| state))
        }
    }
}

/// As text where it is plain text, else as hex.
fn data(bytes: &[u8]) -> String {
    let plain = bytes
        .iter()
        .all(|b| matches!(b, 0x20..=0x7E) && !matches!(b, b'"' | b'\\'));
    if plain {
        return format!("\"{}\"", String::from_utf8_lossy(bytes));
    }
    hex(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("0x".to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
