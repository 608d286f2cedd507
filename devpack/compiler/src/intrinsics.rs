//! The framework as the compiler knows it: one row an item.
//!
//! A row has the item's path, its signature and its code. In signatures `~` after a type says that the item may be
//! any form of bytes on NeoVM (ByteString, Buffer or Integer) instead of a ByteString; `T`, `K`, `V` stand for types
//! of the receiver; `*` is any type. An `Int` parameter also takes an `i64` literal or constant.
//!
//! Code is a list of words: instruction names (operand byte after `:`, in hex), `INT:n` pushes a number,
//! `SYS:name` a system call, `NATIVE:Contract.method:flags` a call through a method token, `HELPER:name` a shared
//! function. A leading `rev` wants the arguments with the first one on top. `@name` is done by name in `lower`.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::types::Ty;

mod rows;

/// A parameter of an intrinsic.
#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub ty: Ty,
    /// Takes any form of bytes.
    pub raw: bool,
    /// Takes any type.
    pub any: bool,
}

/// A row, with its signature read.
#[derive(Clone, Debug)]
pub(crate) struct Intrinsic {
    pub path: &'static str,
    pub params: Vec<Param>,
    pub result: Ty,
    /// Gives any form of bytes.
    pub raw: bool,
    pub reversed: bool,
    pub code: Vec<&'static str>,
}

impl Intrinsic {
    /// Whether the item works on the evaluation stack itself.
    pub(crate) fn is_eval(&self) -> bool {
        self.path.starts_with("eval::")
    }

    /// The name after `@`, for what is not a fixed list of instructions.
    pub(crate) fn special(&self) -> Option<&'static str> {
        self.code.first().and_then(|word| word.strip_prefix('@'))
    }
}

/// The row of a path such as `storage::get` or `Int::min`.
pub(crate) fn find(path: &str) -> Option<&'static Intrinsic> {
    table().get(path)
}

/// The value of a constant such as `storage::KEYS_ONLY`.
pub(crate) fn constant(path: &str) -> Option<&'static rows::Constant> {
    rows::CONSTANTS
        .iter()
        .find(|(p, _)| *p == path)
        .map(|(_, c)| c)
}

pub(crate) use rows::{Constant, native_hash};

/// Paths of all rows, for tests and "did you mean".
pub(crate) fn paths() -> impl Iterator<Item = &'static str> {
    table().keys().copied()
}

/// The framework item `name` below `path`, if there is one.
pub(crate) fn child(path: &str, name: &str) -> Option<String> {
    if path.is_empty() && name == "prelude" {
        return Some(String::new());
    }
    let full = if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}::{name}")
    };
    let inside = format!("{full}::");
    let known = find(&full).is_some()
        || constant(&full).is_some()
        || (path.is_empty() && Ty::by_name(name).is_some())
        || rows::OTHER_NAMES.contains(&full.as_str())
        || paths().any(|p| p.starts_with(&inside))
        || rows::CONSTANTS.iter().any(|(p, _)| p.starts_with(&inside));
    known.then_some(full)
}

fn table() -> &'static HashMap<&'static str, Intrinsic> {
    static TABLE: OnceLock<HashMap<&'static str, Intrinsic>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let eval = rows::EVAL.iter().map(|(path, op)| (*path, "() -> ()", *op));
        rows::ROWS
            .iter()
            .copied()
            .chain(eval)
            .map(|(path, sig, code)| (path, read(path, sig, code)))
            .collect()
    })
}

fn read(path: &'static str, sig: &str, code: &'static str) -> Intrinsic {
    let (params, result) = sig.split_once(" -> ").unwrap_or((sig, "()"));
    let inner = params.trim().trim_start_matches('(').trim_end_matches(')');
    let mut words: Vec<_> = code.split_whitespace().collect();
    let reversed = words.first() == Some(&"rev");
    if reversed {
        words.remove(0);
    }
    let (result, raw) = type_of(result);
    Intrinsic {
        path,
        params: inner
            .split(';')
            .map(str::trim)
            .filter(|p| !p.is_empty())
            .map(|p| {
                let (ty, raw) = type_of(p);
                Param {
                    ty,
                    raw,
                    any: p == "*",
                }
            })
            .collect(),
        result,
        raw,
        reversed,
        code: words,
    }
}

fn type_of(text: &str) -> (Ty, bool) {
    let (text, raw) = match text.strip_suffix('~') {
        Some(rest) => (rest, true),
        None => (text, false),
    };
    let argument = |head: &str| {
        text.strip_prefix(head)?
            .strip_prefix('<')?
            .strip_suffix('>')
            .map(|t| type_of(t).0)
    };
    let ty = if text == "()" {
        Ty::Unit
    } else if text == "*" {
        Ty::Any
    } else if let Some(t) = argument("Option") {
        Ty::option(t)
    } else if let Some(t) = argument("Array") {
        Ty::array(t)
    } else if text == "Result<T,E>" {
        Ty::result(Ty::Param('T'), Ty::Param('E'))
    } else if text == "Map<K,V>" {
        Ty::Map(std::sync::Arc::new((Ty::Param('K'), Ty::Param('V'))))
    } else if let Some(t) = Ty::by_name(text) {
        t
    } else {
        match text {
            "Small" => Ty::Small,
            "Slice" => Ty::Slice,
            "T" => Ty::Param('T'),
            "E" => Ty::Param('E'),
            "K" => Ty::Param('K'),
            "V" => Ty::Param('V'),
            _ => Ty::Err,
        }
    };
    (ty, raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use neo_opcode::{Op, Syscall};

    #[test]
    fn every_row_reads_and_names_real_instructions() {
        for path in paths() {
            let row = find(path).unwrap_or_else(|| unreachable!());
            assert!(
                row.result != Ty::Err && row.params.iter().all(|p| p.ty != Ty::Err),
                "{path}"
            );
            for word in &row.code {
                let ok = match word.split_once(':') {
                    Some(("SYS", name)) => Syscall::by_name(name).is_some(),
                    Some(("NATIVE", rest)) => rest
                        .split_once('.')
                        .is_some_and(|(c, _)| native_hash(c).is_some()),
                    Some(("HELPER", name)) => crate::lower::HELPERS.contains(&name),
                    Some(("INT", n)) => n.parse::<i64>().is_ok(),
                    Some((op, byte)) => {
                        Op::from_mnemonic(op).is_some() && u8::from_str_radix(byte, 16).is_ok()
                    }
                    None => word.starts_with('@') || Op::from_mnemonic(word).is_some(),
                };
                assert!(ok, "{path}: {word}");
            }
        }
    }
}
