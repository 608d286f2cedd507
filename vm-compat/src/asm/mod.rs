//! Text to script. One instruction a line, `name:` sets a label, `;` starts a comment.
//!
//! ```
//! let script = phantasma_vm::assemble(r#"
//!         STATE own        ; the owner comes in,
//!         JMPIFNOT guests  ; everybody else
//!         OK
//! guests: STATE timestamp
//!         PUSH 1800000000  ; from that time on
//!         GE
//! "#)?;
//! phantasma_vm::validate(&script)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Besides the table's names there are `PUSH` (a number, a string, `0x` bytes, `true`, `false`, an account as `@N...`) and
//! `PUSHDATA`, which take the shortest form. A jump's operand is a label, or a signed distance such as `+5`.
//! `const NAME = value` names a value for the lines below; `_` may group digits.

use std::collections::{BTreeMap, HashMap};

mod error;
mod value;

pub use error::{AsmError, Problem};

use crate::build::{push_bytes, push_int_le};
use crate::decimal;
use crate::table::{BLOCK_BYTES, ID_BYTES, Instr, Operand, STATES};
use value::{Constants, Value};

/// A word of a line with its column.
struct Word {
    column: usize,
    text: String,
}

/// A jump whose label has to be found.
struct Fixup {
    position: usize,
    label: String,
    line: usize,
    column: usize,
}

#[derive(Default)]
struct Assembler {
    out: Vec<u8>,
    labels: HashMap<String, usize>,
    constants: Constants,
    fixups: Vec<Fixup>,
}

/// Assembles a text. Only the form is checked; [`crate::validate`] says whether the contract takes the script.
///
/// # Errors
/// The first problem with its line and column.
pub fn assemble(text: &str) -> Result<Vec<u8>, AsmError> {
    read(text)?.finish()
}

/// Where each label of a text stands in its script.
///
/// # Errors
/// The first problem of a line; not whether every jump finds its label.
pub fn label_positions(text: &str) -> Result<BTreeMap<String, usize>, AsmError> {
    Ok(read(text)?.labels.into_iter().collect())
}

fn read(text: &str) -> Result<Assembler, AsmError> {
    let mut assembler = Assembler::default();
    for (number, line) in text.lines().enumerate() {
        let line_number = number + 1;
        let at = |(column, problem)| AsmError {
            line: line_number,
            column,
            problem,
        };
        let words = words(line).map_err(at)?;
        assembler.line(line_number, &words).map_err(at)?;
    }
    Ok(assembler)
}

/// Splits a line at blanks; a string in quotes is one word, a comment none.
fn words(line: &str) -> Result<Vec<Word>, (usize, Problem)> {
    let mut words = Vec::new();
    let mut chars = line.chars().enumerate().peekable();
    while let Some((at, c)) = chars.next() {
        let column = at + 1;
        if c.is_whitespace() {
            continue;
        }
        if c == ';' {
            break;
        }
        let mut text = String::from(c);
        if c == '"' {
            loop {
                let (_, c) = chars.next().ok_or((column, Problem::OpenString))?;
                text.push(c);
                match c {
                    '"' => break,
                    '\\' => text.push(chars.next().ok_or((column, Problem::OpenString))?.1),
                    _ => {}
                }
            }
        } else {
            while let Some((_, c)) = chars.next_if(|(_, c)| !c.is_whitespace() && *c != ';') {
                text.push(c);
            }
        }
        words.push(Word { column, text });
    }
    Ok(words)
}

impl Assembler {
    fn line(&mut self, line: usize, mut words: &[Word]) -> Result<(), (usize, Problem)> {
        while let [word, rest @ ..] = words {
            let Some(label) = word
                .text
                .strip_suffix(':')
                .filter(|_| !word.text.starts_with('"'))
            else {
                break;
            };
            if self
                .labels
                .insert(label.to_owned(), self.out.len())
                .is_some()
            {
                return Err((word.column, Problem::LabelTwice(label.to_owned())));
            }
            words = rest;
        }
        let [name, operands @ ..] = words else {
            return Ok(());
        };
        if name.text == "const" {
            return self.constant(name, operands);
        }
        let taken = match (name.text.as_str(), Instr::by_mnemonic(&name.text)) {
            // Without a value `PUSH` is the instruction that writes to a box.
            (pseudo @ ("PUSH" | "PUSHDATA"), instr) if instr.is_none() || !operands.is_empty() => {
                let word = operands.first().ok_or_else(|| missing(name, "a value"))?;
                self.pseudo(pseudo, word)
                    .map_err(|problem| (word.column, problem))?;
                1
            }
            (_, Some(instr)) if matches!(instr.operand, Operand::Blocks | Operand::Locator) => {
                self.out.push(instr.byte);
                self.with_list(name, instr, operands)?
            }
            (_, Some(instr)) if instr.operand == Operand::None => {
                self.out.push(instr.byte);
                0
            }
            (_, Some(instr)) => {
                let word = operands
                    .first()
                    .ok_or_else(|| missing(name, wanted(instr.operand)))?;
                self.with_operand(line, instr, word)
                    .map_err(|problem| (word.column, problem))?;
                1
            }
            (_, None) => return Err((name.column, Problem::UnknownMnemonic(name.text.clone()))),
        };
        match operands.get(taken) {
            None => Ok(()),
            Some(word) => Err((word.column, Problem::TooMuch(word.text.clone()))),
        }
    }

    /// `const NAME = value`.
    fn constant(&mut self, line: &Word, words: &[Word]) -> Result<(), (usize, Problem)> {
        let [name, equals, value] = words else {
            return Err((line.column, Problem::BadConstant));
        };
        let found = self.constants.value(&value.text);
        let value = found
            .map_err(|problem| (value.column, problem))?
            .filter(|_| equals.text == "=")
            .ok_or((value.column, Problem::BadConstant))?;
        let set = self.constants.set(&name.text, value);
        set.map_err(|problem| (name.column, problem))
    }

    fn pseudo(&mut self, name: &str, word: &Word) -> Result<(), Problem> {
        let what = match name {
            "PUSH" => {
                "a number, a string in quotes, bytes as 0x.., an account as @N.., true or false"
            }
            _ => "a string in quotes, bytes as 0x.. or an account as @N..",
        };
        let bad = |what| Problem::BadOperand(word.text.clone(), what);
        match (name, self.constants.value(&word.text)?) {
            (_, Some(Value::Data(data))) => {
                push_bytes(&mut self.out, &data).ok_or_else(|| bad("at most 65535 bytes"))?;
            }
            ("PUSH", Some(Value::Bool(value))) => self.out.push(if value { 0x08 } else { 0x09 }),
            ("PUSH", Some(Value::Number(number))) => push_int_le(&mut self.out, &number),
            _ => return Err(bad(what)),
        }
        Ok(())
    }

    /// A number, or one that a constant names.
    fn number(&self, text: &str) -> Result<Option<[u8; 32]>, Problem> {
        Ok(match self.constants.value(text)? {
            Some(Value::Number(number)) => Some(number),
            _ => None,
        })
    }

    /// Bytes, or those that a constant names.
    fn data(&self, text: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(match self.constants.value(text)? {
            Some(Value::Data(data)) => Some(data),
            _ => None,
        })
    }

    /// An id, or one that a constant names.
    fn id(&self, text: &str) -> Result<Option<Vec<u8>>, Problem> {
        Ok(self.data(text)?.filter(|id| id.len() == ID_BYTES))
    }

    fn with_operand(&mut self, line: usize, instr: &Instr, word: &Word) -> Result<(), Problem> {
        let text = word.text.as_str();
        let bad = || Problem::BadOperand(text.to_owned(), wanted(instr.operand));
        let position = self.out.len();
        self.out.push(instr.byte);
        match instr.operand {
            Operand::None => {}
            Operand::Int(size) => {
                let number = self.number(text)?.ok_or_else(bad)?;
                self.out
                    .extend(decimal::resize(&number, size).ok_or_else(bad)?);
            }
            Operand::Data(size) => {
                let data = self.data(text)?.ok_or_else(bad)?;
                let length = data.len().to_le_bytes();
                let (head, tail) = length.split_at(size);
                if tail.iter().any(|b| *b != 0) {
                    return Err(Problem::BadOperand(
                        text.to_owned(),
                        "short enough for this instruction",
                    ));
                }
                self.out.extend(head);
                self.out.extend(data);
            }
            Operand::State => {
                let state = STATES
                    .iter()
                    .find(|(_, name, _)| *name == text)
                    .ok_or_else(bad)?;
                self.out.push(state.0);
            }
            Operand::Id => self.out.extend(self.id(text)?.ok_or_else(bad)?),
            // These take several words: `with_list`.
            Operand::Blocks | Operand::Locator => {}
            Operand::Offset if text.starts_with(['+', '-']) => {
                self.out
                    .push(text.parse::<i8>().map_err(|_| bad())?.cast_unsigned());
            }
            Operand::Offset => {
                self.out.push(0);
                self.fixups.push(Fixup {
                    position,
                    label: text.to_owned(),
                    line,
                    column: word.column,
                });
            }
        }
        Ok(())
    }

    /// The operand of `ALLOC` and `ELNK`, which is a number and something after it; how many words that were.
    fn with_list(
        &mut self,
        name: &Word,
        instr: &Instr,
        words: &[Word],
    ) -> Result<usize, (usize, Problem)> {
        let what = wanted(instr.operand);
        let bad = |word: &Word| (word.column, Problem::BadOperand(word.text.clone(), what));
        let [first, rest @ ..] = words else {
            return Err(missing(name, what));
        };
        let at = |word: &Word| {
            let column = word.column;
            move |problem| (column, problem)
        };
        let number = self.number(&first.text).map_err(at(first))?;
        let number = number
            .and_then(|number| decimal::to_u64(&number))
            .ok_or_else(|| bad(first))?;
        if instr.operand == Operand::Locator {
            let word = rest.first().ok_or_else(|| missing(name, what))?;
            let service = u8::try_from(number).map_err(|_| bad(first))?;
            let data = self.data(&word.text).map_err(at(word))?;
            let data = data.ok_or_else(|| bad(word))?;
            let length = u8::try_from(data.len() + 1).map_err(|_| bad(word))?;
            self.out.extend([length, service]);
            self.out.extend(data);
            return Ok(2);
        }
        self.out.extend(number.to_le_bytes());
        for word in rest {
            let id = self.id(&word.text).map_err(at(word))?;
            self.out.extend(id.ok_or_else(|| bad(word))?);
        }
        let count = number.div_ceil(BLOCK_BYTES);
        if rest.len() as u64 != count || count == 0 {
            let problem = Problem::BlockCount(number, count, rest.len());
            return Err((first.column, problem));
        }
        Ok(words.len())
    }

    fn finish(mut self) -> Result<Vec<u8>, AsmError> {
        for Fixup {
            position,
            label,
            line,
            column,
        } in self.fixups
        {
            let fail = |problem| AsmError {
                line,
                column,
                problem,
            };
            let target = self
                .labels
                .get(&label)
                .ok_or_else(|| fail(Problem::UnknownLabel(label.clone())))?;
            let distance = *target as i64 - position as i64;
            let offset = i8::try_from(distance)
                .map_err(|_| fail(Problem::TooFar(label.clone(), distance)))?;
            if let Some(operand) = self.out.get_mut(position + 1) {
                *operand = offset.cast_unsigned();
            }
        }
        Ok(self.out)
    }
}

fn missing(name: &Word, what: &'static str) -> (usize, Problem) {
    (
        name.column,
        Problem::MissingOperand(name.text.clone(), what),
    )
}

fn wanted(operand: Operand) -> &'static str {
    match operand {
        Operand::None => "nothing",
        Operand::Int(_) => "a number of this instruction's size",
        Operand::Data(_) => "a string in quotes or bytes as 0x..",
        Operand::Offset => "a label or a distance such as +5",
        Operand::State => {
            "write, read, inspect, own, this, entry, timestamp, consensus, member, caller or content"
        }
        Operand::Id => "an id: 0x and 64 digits",
        Operand::Locator => "a service's number up to 255 and up to 254 bytes of data",
        Operand::Blocks => {
            "a size in bytes and an id (0x and 64 digits) for each block of 262144 bytes"
        }
    }
}
