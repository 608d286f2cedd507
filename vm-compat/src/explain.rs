//! Tells in English what a script does.
//!
//! A gate that decides by conditions becomes a short list of who comes in, in order: the first line that fits decides.
//! Any other script is told way by way, with all conditions of each. A script with too many ways, or one that reaches
//! for items by a number that only the run knows, is told instruction by instruction.

use std::fmt;

use crate::validate::{ScriptError, validate};

mod english;
mod lines;
mod paths;
mod values;
mod ways;
mod when;

pub use paths::{Effect, Outcome, Path, Value};
pub use ways::Way;

/// What a script does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A gate: who comes in. No line fits: refused.
    Ways(Vec<Way>),
    /// Every way through the script; exactly one is taken.
    Paths(Vec<Path>),
    /// Each instruction.
    Lines(String),
}

/// A script's meaning; prints as English.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// What it does.
    pub told: Told,
    /// Whether it was explained as a gate.
    pub gate: bool,
    /// Whether it can fail on some way: then the whole transaction is undone.
    pub can_fail: bool,
}

/// Explains a gate.
///
/// # Errors
/// A script that the contract would refuse.
pub fn explain_gate(script: &[u8]) -> Result<Explanation, ScriptError> {
    explain(script, true)
}

/// Explains a content.
///
/// # Errors
/// A script that the contract would refuse.
pub fn explain_content(script: &[u8]) -> Result<Explanation, ScriptError> {
    explain(script, false)
}

fn explain(script: &[u8], gate: bool) -> Result<Explanation, ScriptError> {
    validate(script)?;
    let Some(paths) = paths::paths(script) else {
        return Ok(Explanation {
            told: Told::Lines(lines::lines(script)),
            gate,
            can_fail: true,
        });
    };
    let can_fail = paths.iter().any(|path| path.can_fail);
    let ways = if gate { ways::ways(&paths) } else { None };
    Ok(Explanation {
        told: ways.map_or(Told::Paths(paths), Told::Ways),
        gate,
        can_fail,
    })
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.told {
            Told::Ways(ways) => f.write_str(&english::gate(ways))?,
            Told::Paths(paths) => f.write_str(&english::listing(paths, self.gate))?,
            Told::Lines(text) => return f.write_str(text),
        }
        if self.can_fail {
            f.write_str("\nWhere a value is of the wrong kind, too large or missing, the whole access fails.")?;
        }
        Ok(())
    }
}
