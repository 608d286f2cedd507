//! A debugger's session: at a terminal, from `--commands`, from standard input, or the whole record as JSON.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::Result;
use clap::Args;
use neo_client::Hash160;
use phantasma_sdk::view;
use phantasma_vm::debug::{Answer, Command, Debugger};
use serde_json::Value;

use super::super::context::Context;

/// Lines that are read from a standard input that is no terminal.
const MAX_LINES: usize = 100_000;

#[derive(Debug, Args)]
pub(super) struct SessionArgs {
    /// Debugger commands with ; between them, such as "s; s; stack"; `help` lists them. Without this they come from
    /// standard input.
    #[arg(long, value_name = "COMMANDS")]
    commands: Option<String>,
}

/// Lets people move over the record; with `--json` prints it, under `facts`.
pub(super) fn run(
    context: &Context,
    args: &SessionArgs,
    debugger: Debugger,
    mut facts: Value,
) -> Result<()> {
    let mut debugger = debugger.with_account_names(|account| Hash160(*account).to_address());
    if context.global.json {
        view::extend(&mut facts, view::recording(&debugger));
        return context.print(&facts, "");
    }
    let mut out = std::io::stdout().lock();
    let result = match &args.commands {
        Some(commands) => scripted(
            &mut debugger,
            &mut commands.split(';').map(str::to_owned),
            &mut out,
        ),
        None if std::io::stdin().is_terminal() => interactive(&mut debugger, &mut out),
        None => {
            let lines = std::io::stdin().lock().lines().map_while(Result::ok);
            scripted(&mut debugger, &mut lines.take(MAX_LINES), &mut out)
        }
    };
    match result {
        // `phantasma … | head` closes the pipe when it has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => Ok(result?),
    }
}

/// Each command is shown before its answer, so that the output reads like a session.
fn scripted(
    debugger: &mut Debugger,
    lines: &mut dyn Iterator<Item = String>,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    writeln!(out, "{}", debugger.render(Answer::Place))?;
    for line in lines {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        writeln!(out, "> {line}")?;
        if !answer(debugger, line, out)? {
            break;
        }
    }
    Ok(())
}

fn interactive(debugger: &mut Debugger, out: &mut dyn Write) -> std::io::Result<()> {
    writeln!(out, "{}", debugger.render(Answer::Place))?;
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    loop {
        write!(out, "> ")?;
        out.flush()?;
        line.clear();
        if input.read_line(&mut line)? == 0 {
            return writeln!(out);
        }
        if !answer(debugger, line.trim(), out)? {
            return Ok(());
        }
    }
}

/// False when the session is over.
fn answer(debugger: &mut Debugger, line: &str, out: &mut dyn Write) -> std::io::Result<bool> {
    match Command::parse(line) {
        Ok(None) => {}
        Ok(Some(command)) => match debugger.apply(&command) {
            Answer::Quit => return Ok(false),
            answer => writeln!(out, "{}", debugger.render(answer))?,
        },
        Err(error) => writeln!(out, "{error}")?,
    }
    Ok(true)
}
