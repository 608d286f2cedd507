//! Answers as text.

use std::fmt::Write;

use neo_framework::{Hash160, Item};

use super::{Answer, Breakpoint, Debugger, End, HELP, instruction};
use crate::disasm::disassemble;
use crate::script::steps;
use crate::table::STATES;
use crate::trace::{Run, Step, Verb};

/// Bytes of an item that are shown.
const MAX_SHOWN_BYTES: usize = 40;
/// Items of a stack that are shown on one line.
const MAX_SHOWN_ITEMS: usize = 8;
/// Where the stack begins on the line of a place.
const STACK_COLUMN: usize = 34;

impl Debugger {
    /// The answer to a command, without a line end.
    #[must_use]
    pub fn render(&self, answer: Answer) -> String {
        match answer {
            Answer::Place => self.place(),
            Answer::Stack => self.stack(),
            Answer::States => self.states(),
            Answer::List => self.list(),
            Answer::Calls => self.calls(),
            Answer::Cost => self.cost_text(),
            Answer::Breakpoints => self.breakpoints_text(),
            Answer::NowhereToStop => {
                "no script that ran has such a place; `list` shows labels and bytes".to_owned()
            }
            Answer::Help => HELP.to_owned(),
            Answer::Quit => String::new(),
        }
    }

    /// A step's instruction as the disassembler writes it.
    #[must_use]
    pub fn instruction_text(&self, step: &Step) -> String {
        let run = self.recording.runs.get(step.run);
        run.map_or_else(String::new, |run| line_at(run, step.position))
    }

    fn place(&self) -> String {
        let (Some(step), Some(run)) = (self.step(), self.run()) else {
            return self.end_text();
        };
        let mut text = String::new();
        if step.position == 0 {
            let _ = writeln!(text, "{}", self.title(run));
        }
        let indent = "  ".repeat(run.level);
        let code = line_at(run, step.position);
        let left = format!("{indent}{:>4}  {code}", step.position);
        let _ = write!(text, "{left:<STACK_COLUMN$} [{}]", stack_line(step));
        text
    }

    fn end_text(&self) -> String {
        let cut = if self.recording.truncated {
            " (more steps than are recorded)"
        } else {
            ""
        };
        match &self.end {
            End::Halt(result) => format!("end: HALT, result {}{cut}", show(result)),
            End::Fault(message) => format!("end: FAULT, {message}{cut}"),
        }
    }

    /// Which script it is.
    fn title(&self, run: &Run) -> String {
        let facts = &run.facts;
        format!(
            "{}-- box {}, {}, asked by {}",
            "  ".repeat(run.level),
            facts.this,
            facts.verb.name(),
            self.account(&facts.caller)
        )
    }

    fn stack(&self) -> String {
        let Some(step) = self.step() else {
            return "the scripts have ended".to_owned();
        };
        if step.stack.is_empty() {
            return "the stack is empty".to_owned();
        }
        let items = step.stack.iter().rev().enumerate();
        let mut lines: Vec<String> = items
            .map(|(n, item)| format!("{n:>4}  {:<10}  {}", item.type_name(), show(item)))
            .collect();
        if step.omitted > 0 {
            lines.push(format!("      and {} items below", step.omitted));
        }
        lines.join("\n")
    }

    fn states(&self) -> String {
        let Some(run) = self.run() else {
            return "the scripts have ended".to_owned();
        };
        let facts = &run.facts;
        let truth = |value: bool| Some(value.to_string());
        let lines = STATES.iter().filter_map(|(_, name, _)| {
            let value = match *name {
                "write" => truth(facts.verb == Verb::Write),
                "read" => truth(facts.verb == Verb::Read),
                "inspect" => truth(facts.verb == Verb::Inspect),
                "own" => truth(facts.caller == facts.owner),
                "this" => Some(facts.this.to_string()),
                "entry" => Some(facts.entry.to_string()),
                "timestamp" => self.time_ms.map(|time| (time / 1000).to_string()),
                "caller" => Some(self.account(&facts.caller)),
                // The others are known when the script asks: they lie on the stack then.
                _ => None,
            }?;
            Some(format!("{name:<10} {value}"))
        });
        let mut lines: Vec<String> = lines.collect();
        lines.push(format!("{:<10} {}", "(owner)", self.account(&facts.owner)));
        lines.push(format!(
            "{:<10} {}",
            "(author)",
            self.account(&facts.author)
        ));
        lines.join("\n")
    }

    fn list(&self) -> String {
        let (Some(step), Some(run)) = (self.step(), self.run()) else {
            return "the scripts have ended".to_owned();
        };
        let lines = lines(run).into_iter().map(|(position, label, code)| {
            let here = if position == step.position { '>' } else { ' ' };
            let name = instruction(&run.script, position).map_or("", |row| row.mnemonic);
            let stops = |stop| self.is_at(stop, run, position, name);
            let stop = if self.breakpoints.iter().any(stops) {
                '*'
            } else {
                ' '
            };
            let label = self.source_label(run, position).or(label);
            let label = label.map_or(String::new(), |label| format!("{label}:"));
            format!("{here}{stop} {position:>4}  {label:<10} {code}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// The scripts from the outermost to the one that runs.
    fn calls(&self) -> String {
        let Some(step) = self.step() else {
            return "the scripts have ended".to_owned();
        };
        let mut chain = Vec::new();
        let mut next = Some(step.run);
        while let Some(run) = next.and_then(|index| self.recording.runs.get(index)) {
            chain.push(self.title(run));
            next = run.parent;
        }
        chain.reverse();
        chain.join("\n")
    }

    fn cost_text(&self) -> String {
        let cost = self.cost();
        format!(
            "{} instructions, {} units, {} of SOUL's smallest unit",
            cost.steps, cost.units, cost.soul
        )
    }

    fn breakpoints_text(&self) -> String {
        if self.breakpoints.is_empty() {
            return "no breakpoints".to_owned();
        }
        let stops = self.breakpoints.iter().map(|stop| match stop {
            Breakpoint::Position(position) => format!("stops at byte {position}"),
            Breakpoint::Instruction(name) => format!("stops at each {name}"),
            Breakpoint::Label(label) => format!("stops at {label}"),
        });
        stops.collect::<Vec<_>>().join("\n")
    }

    fn account(&self, account: &Hash160) -> String {
        (self.account_name)(&account.to_array())
    }

    /// The label that the source has at a position.
    fn source_label(&self, run: &Run, position: usize) -> Option<String> {
        let (script, labels) = self.labels.as_ref()?;
        if script.as_slice() != run.script.as_slice() {
            return None;
        }
        let found = labels.iter().find(|(_, at)| **at == position)?;
        Some(found.0.clone())
    }
}

/// An item in a few characters: numbers as they are, bytes as text where they are text.
#[must_use]
pub fn show(item: &Item) -> String {
    match item {
        Item::Null => "null".to_owned(),
        Item::Boolean(value) => value.to_string(),
        Item::Integer(value) => value.to_string(),
        Item::ByteString(bytes) => show_bytes(bytes.as_slice()),
        Item::Buffer(bytes) => format!("Buffer {}", show_bytes(&bytes.borrow())),
        Item::Array(_) | Item::Struct(_) | Item::Map(_) | Item::Iterator(_) => {
            item.type_name().to_owned()
        }
    }
}

fn show_bytes(bytes: &[u8]) -> String {
    let shown = bytes.get(..MAX_SHOWN_BYTES).unwrap_or(bytes);
    let plain = shown
        .iter()
        .all(|b| matches!(b, 0x20..=0x7E) && !matches!(b, b'"' | b'\\'));
    let mut text = if plain {
        format!("\"{}\"", String::from_utf8_lossy(shown))
    } else {
        shown.iter().fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    };
    if shown.len() < bytes.len() {
        let _ = write!(text, ".. ({} bytes)", bytes.len());
    }
    text
}

/// The top items, top last.
fn stack_line(step: &Step) -> String {
    let hidden = step.stack.len().saturating_sub(MAX_SHOWN_ITEMS);
    let below = hidden + step.omitted;
    let mut shown: Vec<String> = step.stack.iter().skip(hidden).map(show).collect();
    if below > 0 {
        shown.insert(0, format!("{below} more"));
    }
    shown.join(", ")
}

/// Position, label and text of each instruction of a script.
fn lines(run: &Run) -> Vec<(usize, Option<String>, String)> {
    let text = disassemble(run.script.as_slice()).unwrap_or_default();
    let mut positions = steps(run.script.as_slice()).flatten();
    let mut label = None;
    let mut all = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(name) = line.strip_suffix(':') {
            label = Some(name.to_owned());
        } else if let Some(step) = positions.next() {
            all.push((step.position, label.take(), line.to_owned()));
        }
    }
    all
}

fn line_at(run: &Run, position: usize) -> String {
    let found = lines(run).into_iter().find(|(at, ..)| *at == position);
    found.map_or_else(String::new, |(.., code)| code)
}

/// `0x` and the bytes in the order in which tools show a hash.
pub(super) fn hex_account(account: &[u8; 20]) -> String {
    account
        .iter()
        .rev()
        .fold("0x".to_owned(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}
