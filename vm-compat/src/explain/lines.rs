//! The last resort: each instruction with what it does.

use std::fmt::Write;

use crate::disasm::disassemble;
use crate::script::steps;

pub(crate) fn lines(script: &[u8]) -> String {
    let text = disassemble(script).unwrap_or_default();
    let mut steps = steps(script).flatten();
    let mut out = String::from("Step by step:");
    for line in text.lines() {
        // Labels stand at the left edge, instructions do not.
        match line.strip_prefix("    ").and_then(|_| steps.next()) {
            Some(step) => {
                let _ = write!(out, "\n{line:34} {}", step.instr.doc);
            }
            None => {
                let _ = write!(out, "\n{line}");
            }
        }
    }
    out
}
