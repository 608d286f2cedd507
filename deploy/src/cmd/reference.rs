//! `phantasma completions` and `phantasma man`: what the shell, `man` and docs/cli.md know of the commands, from their one
//! definition.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::generate;

use super::Cli;

/// Shown by `--help`, in the man page and in docs/cli.md.
pub(super) const EXIT_CODES: &str =
    "Exit codes: 0 done, 1 refused or failed (doctor: something is wrong), 2 wrong usage.";

#[derive(Debug, Args)]
pub struct CompletionsCommand {
    /// For which shell.
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Shell {
    /// source <(phantasma completions bash)
    Bash,
    /// phantasma completions zsh > FOLDER_OF_FPATH/_phantasma
    Zsh,
    /// phantasma completions fish > ~/.config/fish/completions/phantasma.fish
    Fish,
}

impl From<Shell> for clap_complete::Shell {
    fn from(shell: Shell) -> Self {
        match shell {
            Shell::Bash => Self::Bash,
            Shell::Zsh => Self::Zsh,
            Shell::Fish => Self::Fish,
        }
    }
}

#[derive(Debug, Args)]
pub struct ManCommand {
    /// Write a page for each command into this folder, such as ~/.local/share/man/man1.
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
    /// Print all commands as one Markdown page instead: docs/cli.md.
    #[arg(long, conflicts_with = "out")]
    markdown: bool,
}

/// A script for the shell on standard output.
pub(super) fn completions(command: &CompletionsCommand) -> Result<()> {
    let mut script = Vec::new();
    let shell = clap_complete::Shell::from(command.shell);
    generate(shell, &mut Cli::command(), "phantasma", &mut script);
    print(&script)
}

/// Man pages into a folder, or the first of them on standard output.
pub(super) fn man(command: &ManCommand) -> Result<()> {
    if command.markdown {
        return print(markdown().as_bytes());
    }
    let Some(folder) = &command.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page)?;
        return print(&page);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    clap_mangen::generate_to(Cli::command(), folder)
        .with_context(|| format!("writing into {}", folder.display()))
}

fn print(text: &[u8]) -> Result<()> {
    match std::io::stdout().write_all(text) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// All commands with what they do and take.
fn markdown() -> String {
    let mut root = Cli::command();
    root.build();
    let mut out = format!(
        "# Commands\n\nMade by `phantasma man --markdown`; a test says whether it is current. `phantasma COMMAND --help` \
         tells more.\n\n{EXIT_CODES} Results go to standard output, all else to standard error.\n\n## Options of every \
         command\n\n{}",
        table(root.get_arguments().filter(|arg| arg.is_global_set()))
    );
    for command in root.get_subcommands().filter(|c| !c.is_hide_set()) {
        let _ = write!(out, "\n## {}\n", command.get_name());
        describe(&mut out, command, "phantasma");
    }
    out
}

fn describe(out: &mut String, command: &clap::Command, above: &str) {
    let name = format!("{above} {}", command.get_name());
    let about = command.get_about().map(ToString::to_string);
    if command.has_subcommands() {
        let _ = write!(out, "\n{}.\n", about.unwrap_or_default());
        for below in command.get_subcommands().filter(|c| !c.is_hide_set()) {
            describe(out, below, &name);
        }
        return;
    }
    let positional: String = command
        .get_positionals()
        .map(|arg| format!(" {arg}"))
        .collect();
    let _ = write!(
        out,
        "\n**`{name}{positional}`**: {}.\n",
        about.unwrap_or_default()
    );
    let own = command
        .get_arguments()
        .filter(|arg| !arg.is_global_set() && arg.get_id() != "help");
    let rows = table(own);
    if !rows.is_empty() {
        let _ = write!(out, "\n{rows}");
    }
}

fn table<'a>(arguments: impl Iterator<Item = &'a clap::Arg>) -> String {
    let mut out = String::new();
    for argument in arguments {
        if out.is_empty() {
            out += "| argument | meaning |\n|---|---|\n";
        }
        let help = argument.get_help().map(ToString::to_string);
        let help = help.unwrap_or_default().replace('|', "\\|");
        let _ = writeln!(
            out,
            "| `{}` | {help} |",
            argument.to_string().replace('|', "\\|")
        );
    }
    out
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// Every command at the end of a path that people see, with the words to it.
    fn leaves(command: &clap::Command, path: &str) -> Vec<(String, clap::Command)> {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        if !command.has_subcommands() {
            return vec![(path, command.clone())];
        }
        let below = command.get_subcommands().filter(|c| !c.is_hide_set());
        below.flat_map(|command| leaves(command, &path)).collect()
    }

    fn built() -> clap::Command {
        let mut root = Cli::command();
        root.build();
        root
    }

    #[test]
    fn the_definition_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_says_what_it_does_and_takes_json() {
        let all = leaves(&built(), "");
        assert!(all.len() > 50, "{}", all.len());
        for (path, command) in all {
            let about = command.get_about().map(ToString::to_string);
            assert!(
                about.is_some_and(|text| text.len() > 8),
                "{path} has no help"
            );
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{path} {arg} has no help");
            }
            let takes = |name: &str| command.get_arguments().any(|arg| arg.get_id() == name);
            assert!(takes("json"), "{path} takes no --json");
        }
    }

    #[test]
    fn every_noun_says_what_it_is() {
        for noun in built().get_subcommands() {
            assert!(noun.get_about().is_some(), "{}", noun.get_name());
        }
    }

    #[test]
    fn the_page_of_commands_is_current() {
        let path = crate::paths::workspace().join("docs/cli.md");
        let there = std::fs::read_to_string(path).unwrap_or_default();
        assert!(
            there == markdown(),
            "docs/cli.md is old: phantasma man --markdown > docs/cli.md"
        );
    }

    #[test]
    fn bash_completes_a_command_and_an_option() {
        let mut script = Vec::new();
        generate(
            clap_complete::Shell::Bash,
            &mut Cli::command(),
            "phantasma",
            &mut script,
        );
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("completions");
        std::fs::write(&path, script).unwrap();
        for (words, expected) in [
            ("phantasma doc", "doctor"),
            ("phantasma net up --rpc-p", "--rpc-port"),
        ] {
            let last = words.split(' ').count() - 1;
            let ask = format!(
                "source '{}'; COMP_WORDS=({words}); COMP_CWORD={last}; \
                 _phantasma phantasma \"${{COMP_WORDS[$COMP_CWORD]}}\"; echo \"${{COMPREPLY[@]}}\"",
                path.display()
            );
            let output = std::process::Command::new("bash")
                .args(["-c", &ask])
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
            assert_eq!(
                said,
                expected,
                "{}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }

    #[test]
    fn each_command_has_a_man_page() {
        let dir = tempfile::tempdir().unwrap();
        man(&ManCommand {
            out: Some(dir.path().to_path_buf()),
            markdown: false,
        })
        .unwrap();
        let page = std::fs::read_to_string(dir.path().join("phantasma.1")).unwrap();
        assert!(
            page.contains(".TH phantasma 1") && page.contains("Exit codes"),
            "{page}"
        );
        for (path, _) in leaves(&built(), "") {
            let file = dir.path().join(format!("{}.1", path.replace(' ', "-")));
            assert!(file.is_file(), "{}", file.display());
        }
    }
}
