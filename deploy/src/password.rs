//! Passwords: from a file, the environment or a prompt; never echoed, never kept longer than needed.

use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use anyhow::{Context, Result, bail};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

/// Names the password in the environment, for scripts.
pub const ENV: &str = "PHANTASMA_PASSWORD";

/// A password longer than this is a file given by mistake.
const MAX_BYTES: usize = 4096;

/// The password for `what`: from the file if one is given, else the environment, else asked on the terminal.
pub fn get(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>> {
    if let Some(path) = file {
        return first_line(path);
    }
    if let Ok(password) = std::env::var(ENV) {
        return Ok(Zeroizing::new(password));
    }
    prompt(&format!("password for {what}: "))
}

/// As [`get`], but a prompt asks twice, since a mistyped new password locks its owner out.
pub fn get_new(file: Option<&Path>, what: &str) -> Result<Zeroizing<String>> {
    let password = get(file, what)?;
    let prompted = file.is_none() && std::env::var_os(ENV).is_none();
    if prompted && *prompt("once more: ")? != *password {
        bail!("the two passwords differ; nothing was written");
    }
    Ok(password)
}

/// A secret that is the first line of a file.
pub fn first_line(path: &Path) -> Result<Zeroizing<String>> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    let text = Zeroizing::new(text);
    if text.len() > MAX_BYTES {
        bail!(
            "{} is longer than {MAX_BYTES} bytes: that is no password or key",
            path.display()
        );
    }
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

/// Asks on the terminal, without echo.
pub fn prompt(question: &str) -> Result<Zeroizing<String>> {
    let terminal = OpenOptions::new().read(true).write(true).open("/dev/tty");
    let Ok(mut terminal) = terminal else {
        bail!(
            "a password is needed and there is no terminal to ask on; set {ENV} or give --password-file"
        );
    };
    terminal.write_all(question.as_bytes())?;
    let silence = Silence::new(&terminal)?;
    let mut line = Zeroizing::new(String::new());
    BufReader::new(&terminal).read_line(&mut line)?;
    drop(silence);
    terminal.write_all(b"\n")?;
    Ok(Zeroizing::new(
        line.trim_end_matches(['\r', '\n']).to_owned(),
    ))
}

/// Keeps the terminal from echoing while it lives.
struct Silence<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Silence<'a> {
    fn new(terminal: &'a File) -> Result<Self> {
        let before = tcgetattr(terminal).context("asking the terminal for its settings")?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(terminal, OptionalActions::Flush, &silent)
            .context("switching the terminal's echo off")?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Silence<'_> {
    fn drop(&mut self) {
        // Nothing better can be done with a terminal that has gone away.
        let _ = tcsetattr(self.terminal, OptionalActions::Flush, &self.before);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_password_file_counts_by_its_first_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        for (text, expected) in [
            ("secret\n", "secret"),
            ("secret", "secret"),
            ("a b \r\nrest", "a b "),
            ("", ""),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(*get(Some(&path), "x").unwrap(), expected, "{text:?}");
        }
    }

    #[test]
    fn a_missing_or_huge_password_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("password");
        assert!(format!("{:#}", get(Some(&path), "x").unwrap_err()).contains("password"));
        std::fs::write(&path, "x".repeat(MAX_BYTES + 1)).unwrap();
        assert!(
            get(Some(&path), "x")
                .unwrap_err()
                .to_string()
                .contains("no password or key")
        );
    }
}
