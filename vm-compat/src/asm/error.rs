//! What can be wrong with a text, and what to do about it.

use crate::table::TABLE;

/// What is wrong with a text, and where. Lines and columns count from 1, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsmError {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
    /// What is wrong.
    pub problem: Problem,
}

impl std::error::Error for AsmError {}

impl std::fmt::Display for AsmError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let AsmError {
            line,
            column,
            problem,
        } = self;
        write!(f, "line {line}, column {column}: {problem}")?;
        match problem.hint() {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

/// See [`AsmError`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// No instruction of that name.
    #[error("unknown instruction `{0}`")]
    UnknownMnemonic(String),
    /// The instruction needs an operand.
    #[error("`{0}` needs an operand: {1}")]
    MissingOperand(String, &'static str),
    /// The operand does not fit the instruction.
    #[error("`{0}` is not {1}")]
    BadOperand(String, &'static str),
    /// A name that no `const` line has set.
    #[error("there is no constant `{0}`")]
    UnknownConstant(String),
    /// A `const` line that is not `const NAME = value`.
    #[error("this is not `const NAME = value`")]
    BadConstant,
    /// The same constant twice.
    #[error("the constant `{0}` is already set")]
    ConstantTwice(String),
    /// An address that is mistyped, or of another chain.
    #[error("`{0}` is not an address of Neo N3")]
    BadAddress(String),
    /// An `ALLOC` with another number of ids than its size has blocks.
    #[error("a size of {0} bytes has {1} blocks of 262144, but there are {2} ids")]
    BlockCount(u64, u64, usize),
    /// Something after the instruction.
    #[error("`{0}` is more than the instruction takes")]
    TooMuch(String),
    /// A string without its closing quote.
    #[error("the string does not end on this line")]
    OpenString,
    /// A jump to a label that is nowhere.
    #[error("there is no label `{0}`")]
    UnknownLabel(String),
    /// The same label twice.
    #[error("the label `{0}` is already set")]
    LabelTwice(String),
    /// A label farther than a jump reaches.
    #[error("the label `{0}` is {1} bytes away; a jump reaches -128 to 127")]
    TooFar(String, i64),
}

impl Problem {
    /// What to do about it, where that can be said.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Problem::UnknownMnemonic(name) => format!("did you mean `{}`?", nearest(name)?),
            Problem::UnknownConstant(name) => format!("set it above: const {name} = ..."),
            Problem::BadAddress(_) => "an address starts with N and has 34 characters".to_owned(),
            Problem::UnknownLabel(name) => format!("set it with `{name}:` below the jump"),
            Problem::TooFar(..) => "jump to a `JMP` halfway".to_owned(),
            Problem::OpenString => "a quote inside of a string is written \\\"".to_owned(),
            _ => return None,
        })
    }
}

/// The instruction whose name differs least, if that is by little.
fn nearest(name: &str) -> Option<&'static str> {
    let upper = name.to_uppercase();
    TABLE
        .iter()
        .map(|row| (distance(&upper, row.mnemonic), row.mnemonic))
        .min()
        .filter(|(distance, _)| distance * 3 <= upper.len())
        .map(|(_, mnemonic)| mnemonic)
}

/// How many characters to insert, remove or change to make the one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let mut row: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut left = i + 1;
        let mut next = vec![left];
        for (y, pair) in b.chars().zip(row.windows(2)) {
            if let [diagonal, above] = *pair {
                left = (diagonal + usize::from(x != y)).min(above.min(left) + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}
