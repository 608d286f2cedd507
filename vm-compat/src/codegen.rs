//! Writes `core/ops.rs` from the table, as the compiler of the contract does not expand macros, and the tables of the
//! documentation.

use std::fmt::Write;

use crate::table::{Instr, Operand, STATES, TABLE};

/// In the arity string: no instruction has this byte.
pub const UNKNOWN: u8 = 0xFF;

/// The text of `core/ops.rs`.
#[must_use]
pub fn ops_source() -> String {
    let mut text = String::from(
        "//! Generated from `table.rs`; `UPDATE=1 cargo test -p phantasma-vm --test generated` writes it anew.\n\n\
         use neo_framework::prelude::*;\n\n",
    );
    for row in TABLE {
        let _ = writeln!(text, "/// {}.", capital(row.doc));
        let _ = writeln!(text, "pub const {}: i64 = {:#04x};", row.mnemonic, row.byte);
    }
    for pair in TABLE.windows(2) {
        if let [row, next] = pair
            && row.byte + 1 < next.byte
        {
            let (name, end) = (row.mnemonic, next.byte - 1);
            let _ = writeln!(text, "/// The last byte after `{name}` that is free.");
            let _ = writeln!(text, "pub const {name}_END: i64 = {end:#04x};");
        }
    }
    for (byte, name, doc) in STATES {
        let _ = writeln!(text, "/// `STATE {name}`: {doc}.");
        let _ = writeln!(
            text,
            "pub const STATE_{}: i64 = {byte};",
            name.to_uppercase()
        );
    }
    let _ = writeln!(
        text,
        "/// The arity of the last byte, FF, as in [`ARITY`].\n\
         pub const ARITY_LAST: i64 = {:#04x};\n\
         /// At each byte but the last: pops * 16 + pushes; {UNKNOWN} for what is no instruction. 255 bytes cost 8 units \
         to\n/// load, 256 bytes 512.",
        arity(u8::MAX)
    );
    let _ = write!(text, "pub const ARITY: Bytes = bytes(\n    b\"\\");
    let all: Vec<u8> = (0..u8::MAX).map(arity).collect();
    for row in all.chunks(16) {
        text.push_str("\n      ");
        for byte in row {
            let _ = write!(text, "\\x{byte:02x}");
        }
        text.push('\\');
    }
    text.push_str("\n\",\n);\n");
    text
}

/// The tables of `docs/sub-vm.md`: instructions and states.
#[must_use]
pub fn tables_markdown() -> String {
    let mut text =
        String::from("| byte | name | operand | stack | done by | |\n|---|---|---|---|---|---|\n");
    for row in TABLE {
        let (byte, name, doc) = (row.byte, row.mnemonic, row.doc);
        let operand = match row.operand {
            Operand::None => String::new(),
            Operand::Int(size) => format!("number of {size}"),
            Operand::Data(size) => format!("length of {size}, bytes"),
            Operand::Offset => "distance of 1".to_owned(),
            Operand::State => "state of 1".to_owned(),
            Operand::Id => "id of 32".to_owned(),
            Operand::Locator => "length of 1, bytes".to_owned(),
            Operand::Blocks => "size of 8, ids of 32".to_owned(),
        };
        let by = if row.host { "contract" } else { "" };
        let _ = writeln!(
            text,
            "| {byte:02X} | `{name}` | {operand} | {} → {} | {by} | {doc} |",
            row.pops, row.pushes
        );
    }
    text.push_str("\n| `STATE` | pushes |\n|---|---|\n");
    for (byte, name, doc) in STATES {
        let _ = writeln!(text, "| {byte} `{name}` | {doc} |");
    }
    text
}

/// The arity byte of an opcode byte.
#[must_use]
pub fn arity(byte: u8) -> u8 {
    Instr::by_byte(byte).map_or(UNKNOWN, |row| row.pops * 16 + row.pushes)
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(chars).collect()
    })
}
