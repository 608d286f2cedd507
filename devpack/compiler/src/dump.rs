//! The script as text, with the source lines it comes from.

use std::fmt::Write as _;

use crate::diagnostic::SourceFile;
use crate::emit::Script;
use crate::ir::Code;

/// One line an instruction: position, name, operand.
pub(crate) fn dump(
    script: &Script,
    codes: &[Code],
    files: &[SourceFile],
    with_source: bool,
) -> String {
    let mut out = String::new();
    let mut order: Vec<(usize, &Code)> = codes.iter().enumerate().collect();
    order.sort_by_key(|(n, _)| script.ranges.get(*n).map(|r| r.start));
    for (n, code) in order {
        let range = script.ranges.get(n).cloned().unwrap_or(0..0);
        let _ = writeln!(out, "{}:", code.name);
        let mut shown = None;
        // Decoded from the start of the script, so that targets are positions in it.
        for i in neo_opcode::decode(&script.bytes).map_while(Result::ok) {
            if !range.contains(&i.position) {
                continue;
            }
            let mark = script
                .marks
                .iter()
                .rev()
                .find(|(at, ..)| *at == i.position)
                .map(|(_, loc, _)| *loc);
            if let Some(loc) = mark.filter(|loc| with_source && shown != Some((loc.file, loc.line)))
            {
                shown = Some((loc.file, loc.line));
                let line = files
                    .get(loc.file)
                    .and_then(|f| f.text.lines().nth(loc.line.checked_sub(1)?))
                    .unwrap_or_default();
                let _ = writeln!(out, "          ; {}: {}", loc.line, line.trim());
            }
            let _ = writeln!(out, "    {:5} {i}", i.position);
        }
    }
    out
}
