//! Errors that point at the source: what is wrong, where, and what to write instead.

use std::fmt::Write as _;

/// A range of source text. Lines count from 1, columns (characters) from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Loc {
    /// Index into the list of files.
    pub file: usize,
    /// First line.
    pub line: usize,
    /// First column.
    pub column: usize,
    /// Last line.
    pub end_line: usize,
    /// Column behind the last character.
    pub end_column: usize,
}

/// A file that was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As given to [`crate::Sources`].
    pub path: String,
    /// Its text.
    pub text: String,
}

/// One error.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Diagnostic {
    /// Where.
    pub loc: Loc,
    /// What is wrong.
    pub message: String,
    /// What to do instead.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The error as rustc would print it.
    pub fn render(&self, files: &[SourceFile]) -> String {
        let mut out = format!("error: {}\n", self.message);
        let Some(file) = files.get(self.loc.file) else {
            return out;
        };
        let number = self.loc.line.to_string();
        let pad = " ".repeat(number.len());
        let _ = writeln!(
            out,
            "{pad}--> {}:{}:{}",
            file.path,
            self.loc.line,
            self.loc.column + 1
        );
        if let Some(line) = file.text.lines().nth(self.loc.line.wrapping_sub(1)) {
            let width = line.chars().count();
            let end = if self.loc.end_line == self.loc.line {
                self.loc.end_column
            } else {
                width
            };
            let carets = "^".repeat(end.saturating_sub(self.loc.column).max(1));
            let _ = writeln!(out, "{pad} |\n{number} | {line}");
            let _ = writeln!(out, "{pad} | {}{carets}", " ".repeat(self.loc.column));
        }
        if let Some(help) = &self.help {
            let _ = writeln!(out, "{pad} = help: {help}");
        }
        out
    }
}

/// All errors of a compilation, with the files they point into.
#[derive(Clone, Debug)]
pub struct Errors {
    /// By position, without repetitions.
    pub list: Vec<Diagnostic>,
    /// What [`Loc::file`] counts.
    pub files: Vec<SourceFile>,
}

impl std::fmt::Display for Errors {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (n, error) in self.list.iter().enumerate() {
            if n > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&error.render(&self.files))?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}
