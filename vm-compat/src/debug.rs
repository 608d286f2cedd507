//! The step debugger: moves over a recorded invocation, forward and back.
//!
//! [`Debugger::apply`] takes a [`Command`] and gives an [`Answer`]; both are data. [`Command::parse`] reads the words
//! that people type, [`Debugger::render`] writes the answer for them. Nothing is executed here: see [`crate::trace`].

mod command;
mod text;

use std::collections::BTreeMap;

use neo_framework::{Bytes, Item};

pub use command::{Command, HELP, ParseError};
pub use text::show;

use crate::script::steps;
use crate::table::Instr;
use crate::trace::{Recording, Run, Step};

/// How the invocation ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// With this result.
    Halt(Item),
    /// With this message; nothing was changed.
    Fault(String),
}

/// Where to stop.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Breakpoint {
    /// At the instruction at that byte of any script.
    Position(usize),
    /// At each instruction of that name.
    Instruction(&'static str),
    /// At a label of the source, or `L<byte>` as the disassembler names jump targets.
    Label(String),
}

/// What a command shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Where the debugger is now.
    Place,
    /// The items of the script, one a line.
    Stack,
    /// What the script can know.
    States,
    /// The script around the place.
    List,
    /// The scripts that wait for this one.
    Calls,
    /// What was spent up to here.
    Cost,
    /// The breakpoints.
    Breakpoints,
    /// There is no such thing to stop at in any script that ran.
    NowhereToStop,
    /// The commands.
    Help,
    /// The end of the session.
    Quit,
}

/// What was spent up to a place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Instructions done.
    pub steps: usize,
    /// Their price in units, without the contract's own work.
    pub units: u64,
    /// SOUL that the scripts charged to who signed, in smallest units.
    pub soul: i128,
}

/// A recording and a place in it.
#[derive(Clone, Debug)]
pub struct Debugger {
    recording: Recording,
    end: End,
    /// Index of the instruction that is next; the number of steps at the end.
    at: usize,
    breakpoints: Vec<Breakpoint>,
    /// Labels of a source, for the script that was made of it.
    labels: Option<(Vec<u8>, BTreeMap<String, usize>)>,
    price: fn(&Instr) -> u64,
    account_name: fn(&[u8; 20]) -> String,
    time_ms: Option<i64>,
}

impl Debugger {
    /// At the first instruction.
    #[must_use]
    pub fn new(recording: Recording, end: End) -> Debugger {
        Debugger {
            recording,
            end,
            at: 0,
            breakpoints: Vec::new(),
            labels: None,
            price: neo_price,
            account_name: text::hex_account,
            time_ms: None,
        }
    }

    /// Knows the labels of a script's source.
    #[must_use]
    pub fn with_labels(mut self, script: &[u8], labels: BTreeMap<String, usize>) -> Debugger {
        self.labels = Some((script.to_vec(), labels));
        self
    }

    /// Shows accounts as this function writes them; `0x..` otherwise.
    #[must_use]
    pub fn with_account_names(mut self, name: fn(&[u8; 20]) -> String) -> Debugger {
        self.account_name = name;
        self
    }

    /// Knows the block's time.
    #[must_use]
    pub fn at_time(mut self, time_ms: i64) -> Debugger {
        self.time_ms = Some(time_ms);
        self
    }

    /// What was recorded.
    #[must_use]
    pub fn recording(&self) -> &Recording {
        &self.recording
    }

    /// How it ended.
    #[must_use]
    pub fn end(&self) -> &End {
        &self.end
    }

    /// Index of the instruction that is next; the number of steps at the end.
    #[must_use]
    pub fn at(&self) -> usize {
        self.at
    }

    /// The instruction that is next; none at the end.
    #[must_use]
    pub fn step(&self) -> Option<&Step> {
        self.recording.steps.get(self.at)
    }

    /// The script of the instruction that is next.
    #[must_use]
    pub fn run(&self) -> Option<&Run> {
        self.recording.runs.get(self.step()?.run)
    }

    /// Does what the command says.
    pub fn apply(&mut self, command: &Command) -> Answer {
        match command {
            Command::Step => self.go(self.at.saturating_add(1)),
            Command::Back => self.go(self.at.saturating_sub(1)),
            Command::Over => self.go(self.over()),
            Command::Out => self.go(self.out()),
            Command::Continue => self.go(self.next_stop()),
            Command::Rewind => self.go(0),
            Command::Break(place) => return self.add(place),
            Command::Clear => {
                self.breakpoints.clear();
                return Answer::Breakpoints;
            }
            Command::Breakpoints => return Answer::Breakpoints,
            Command::Where => {}
            Command::Stack => return Answer::Stack,
            Command::States => return Answer::States,
            Command::List => return Answer::List,
            Command::Calls => return Answer::Calls,
            Command::Cost => return Answer::Cost,
            Command::Help => return Answer::Help,
            Command::Quit => return Answer::Quit,
        }
        Answer::Place
    }

    /// What the steps before the place cost.
    #[must_use]
    pub fn cost(&self) -> Cost {
        let mut cost = Cost::default();
        for step in self.recording.steps.iter().take(self.at) {
            let Some(run) = self.recording.runs.get(step.run) else {
                continue;
            };
            let Some(instr) = instruction(&run.script, step.position) else {
                continue;
            };
            cost.steps += 1;
            cost.units += (self.price)(instr);
            // A nested script's payments come from the box that runs it.
            if instr.mnemonic == "PAY" && run.level == 0 {
                let amount = step.stack.last().and_then(|item| item.to_integer().ok());
                cost.soul += amount.and_then(|amount| amount.to_i128()).unwrap_or(0);
            }
        }
        cost
    }

    fn go(&mut self, to: usize) {
        self.at = to.min(self.recording.steps.len());
    }

    fn level(&self, step: &Step) -> usize {
        let run = self.recording.runs.get(step.run);
        run.map_or(0, |run| run.level)
    }

    /// The first step after this one that no script below it does.
    fn over(&self) -> usize {
        let Some(level) = self.step().map(|step| self.level(step)) else {
            return self.at;
        };
        self.first(|step| self.level(step) <= level)
    }

    /// The first step after this script; of an outermost one, the next outermost script.
    fn out(&self) -> usize {
        let Some((run, level)) = self.step().map(|step| (step.run, self.level(step))) else {
            return self.at;
        };
        self.first(|step| {
            self.level(step) < level || (level == 0 && step.run != run && self.level(step) == 0)
        })
    }

    fn next_stop(&self) -> usize {
        self.first(|step| self.breakpoints.iter().any(|stop| self.stops(stop, step)))
    }

    /// Index of the first step behind the place that fits; the end if there is none.
    fn first(&self, fits: impl Fn(&Step) -> bool) -> usize {
        let steps = &self.recording.steps;
        let behind = self.at.saturating_add(1);
        let found = steps.iter().skip(behind).position(fits);
        found.map_or(steps.len(), |found| behind + found)
    }

    fn add(&mut self, place: &Breakpoint) -> Answer {
        let known = self.recording.runs.iter().any(|run| {
            let mut all = steps(run.script.as_slice()).flatten();
            all.any(|step| self.is_at(place, run, step.position, step.instr.mnemonic))
        });
        if !known {
            return Answer::NowhereToStop;
        }
        if !self.breakpoints.contains(place) {
            self.breakpoints.push(place.clone());
        }
        Answer::Breakpoints
    }

    fn stops(&self, stop: &Breakpoint, step: &Step) -> bool {
        let run = self.recording.runs.get(step.run);
        run.is_some_and(|run| {
            let instr = instruction(&run.script, step.position);
            instr.is_some_and(|instr| self.is_at(stop, run, step.position, instr.mnemonic))
        })
    }

    fn is_at(&self, stop: &Breakpoint, run: &Run, position: usize, mnemonic: &str) -> bool {
        match stop {
            Breakpoint::Position(wanted) => *wanted == position,
            Breakpoint::Instruction(wanted) => *wanted == mnemonic,
            Breakpoint::Label(label) => self.label_position(label, run) == Some(position),
        }
    }

    /// Where a label is in a script.
    fn label_position(&self, label: &str, run: &Run) -> Option<usize> {
        if let Some((script, labels)) = &self.labels
            && script.as_slice() == run.script.as_slice()
            && let Some(position) = labels.get(label)
        {
            return Some(*position);
        }
        let position = label.strip_prefix('L')?.parse().ok()?;
        let targets = steps(run.script.as_slice())
            .flatten()
            .filter_map(|step| step.target());
        let is_target = targets
            .map(usize::try_from)
            .any(|target| target == Ok(position));
        is_target.then_some(position)
    }
}

/// The row of the instruction at a position.
pub(crate) fn instruction(script: &Bytes, position: usize) -> Option<&'static Instr> {
    Instr::by_byte(*script.as_slice().get(position)?)
}

/// NeoVM's own price of the instruction; none of ours has one.
fn neo_price(instr: &Instr) -> u64 {
    instr.neo().map_or(0, |op| op.info().price.into())
}

#[cfg(test)]
#[path = "debug/tests.rs"]
mod tests;
