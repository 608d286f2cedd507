//! What people type.

use super::Breakpoint;
use crate::table::Instr;

/// Something to do or to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To the next instruction, into a nested script.
    Step,
    /// To the instruction before.
    Back,
    /// To the next instruction of this script or one above it.
    Over,
    /// To where this script returns to.
    Out,
    /// To the next breakpoint, or the end.
    Continue,
    /// To the first instruction.
    Rewind,
    /// Sets a breakpoint.
    Break(Breakpoint),
    /// Forgets all breakpoints.
    Clear,
    /// Shows the breakpoints.
    Breakpoints,
    /// Shows the place.
    Where,
    /// Shows the script's items.
    Stack,
    /// Shows what the script can know.
    States,
    /// Shows the script.
    List,
    /// Shows the scripts above this one.
    Calls,
    /// Shows what was spent.
    Cost,
    /// Shows the commands.
    Help,
    /// Ends.
    Quit,
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    /// No command has this name.
    #[error("\"{0}\" is no command; `help` lists them")]
    Unknown(String),
    /// `break` without a place.
    #[error("break where? `break guests`, `break 12` or `break PAY`")]
    NoPlace,
    /// More words than the command takes.
    #[error("{0} takes nothing behind it")]
    TooMuch(String),
}

/// The commands, for people.
pub const HELP: &str = "\
s, step         do one instruction; goes into a nested script
n, over         do one instruction with all that it starts
o, out          do the rest of this script
c, continue     go to the next breakpoint, or to the end
b, back         undo one instruction
r, rewind       undo everything
break PLACE     stop at a label, a byte of a script, or each instruction of a name
breaks, clear   show or forget the breakpoints
where, stack, states, list, calls, cost
                show the place, the items, what the script can know, the script,
                the scripts that wait for this one, what was spent so far
h, help         show this
q, quit         end";

const NAMES: &[(&str, &str, Command)] = &[
    ("s", "step", Command::Step),
    ("b", "back", Command::Back),
    ("n", "over", Command::Over),
    ("o", "out", Command::Out),
    ("c", "continue", Command::Continue),
    ("r", "rewind", Command::Rewind),
    ("", "clear", Command::Clear),
    ("", "breaks", Command::Breakpoints),
    ("w", "where", Command::Where),
    ("", "stack", Command::Stack),
    ("", "states", Command::States),
    ("l", "list", Command::List),
    ("", "calls", Command::Calls),
    ("", "cost", Command::Cost),
    ("h", "help", Command::Help),
    ("q", "quit", Command::Quit),
];

impl Command {
    /// One command; none for an empty line.
    ///
    /// # Errors
    /// What is wrong with the line, and what to type instead.
    pub fn parse(line: &str) -> Result<Option<Command>, ParseError> {
        let mut words = line.split_whitespace();
        let Some(name) = words.next() else {
            return Ok(None);
        };
        let argument = words.next();
        if words.next().is_some() {
            return Err(ParseError::TooMuch(name.to_owned()));
        }
        if name == "break" {
            let place = argument.ok_or(ParseError::NoPlace)?;
            return Ok(Some(Command::Break(Breakpoint::parse(place))));
        }
        let found = NAMES
            .iter()
            .find(|(short, long, _)| name == *long || (!short.is_empty() && name == *short));
        match (found, argument) {
            (None, _) => Err(ParseError::Unknown(name.to_owned())),
            (Some(_), Some(_)) => Err(ParseError::TooMuch(name.to_owned())),
            (Some((.., command)), None) => Ok(Some(command.clone())),
        }
    }
}

impl Breakpoint {
    fn parse(text: &str) -> Breakpoint {
        if let Ok(position) = text.parse() {
            return Breakpoint::Position(position);
        }
        match Instr::by_mnemonic(text) {
            Some(row) => Breakpoint::Instruction(row.mnemonic),
            None => Breakpoint::Label(text.to_owned()),
        }
    }
}
