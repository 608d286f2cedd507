//! `phantasma gate`: the scripts of gates and contents: writing, reading, stepping through them.

mod emulate;
mod estimate;
mod explain;
mod replay;
mod session;

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Subcommand;
use phantasma_vm::{assemble, disassemble, validate};
use serde_json::json;

use super::context::Context;

#[derive(Debug, Subcommand)]
pub enum GateCommand {
    /// Turn assembler text into a script, as hex or into a file.
    Assemble {
        /// Assembler text; - is standard input.
        file: PathBuf,
        /// Where to write the script's bytes.
        #[arg(long, short, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Turn a script into assembler text.
    Disassemble {
        #[arg(value_name = "SCRIPT", help = SCRIPT_HELP)]
        script: String,
    },
    /// Tell in English what a gate or a content does.
    Explain(explain::ExplainArgs),
    /// Tell what an access takes at most: steps, GAS, SOUL.
    Estimate(estimate::EstimateArgs),
    /// Step through a gate, and the content behind it, without a transaction.
    Debug(emulate::DebugArgs),
    /// Step through what a past transaction did.
    Replay(replay::ReplayArgs),
}

const SCRIPT_HELP: &str = "A file with assembler text, hex or a script's bytes; or hex itself";

pub(super) async fn run(context: &Context, command: GateCommand) -> Result<()> {
    match command {
        GateCommand::Assemble { file, out } => assemble_to(context, &file, out.as_deref()),
        GateCommand::Disassemble { script } => show_text(context, &script),
        GateCommand::Explain(args) => explain::run(context, args).await,
        GateCommand::Estimate(args) => estimate::run(context, args).await,
        GateCommand::Debug(args) => emulate::run(context, args).await,
        GateCommand::Replay(args) => replay::run(context, args).await,
    }
}

fn assemble_to(context: &Context, file: &Path, out: Option<&Path>) -> Result<()> {
    let bytes = super::box_::read_input(file)?;
    let text = String::from_utf8(bytes)
        .with_context(|| format!("{} is no text; assemble takes text", file.display()))?;
    let script = assemble(&text).with_context(|| file.display().to_string())?;
    let hex = hex::encode(&script);
    // A script that the contract refuses is still worth seeing, but nobody should find it out on the chain.
    if let Err(error) = validate(&script) {
        bail!("{}: the contract would refuse it: {error}", file.display());
    }
    let mut data = json!({"script": hex, "bytes": script.len()});
    let text = match out {
        Some(out) => {
            std::fs::write(out, &script).with_context(|| format!("writing {}", out.display()))?;
            data["file"] = out.display().to_string().into();
            format!("{} bytes in {}", script.len(), out.display())
        }
        None => hex,
    };
    context.print(&data, &text)
}

fn show_text(context: &Context, script: &str) -> Result<()> {
    let script = Source::read(script)?.script;
    let text = disassemble(&script)?;
    let refusal = validate(&script).err().map(|error| error.to_string());
    if let Some(refusal) = &refusal {
        context.say(&format!("the contract would refuse it: {refusal}"));
    }
    let data = json!({"script": hex::encode(&script), "assembler": text, "refusal": refusal});
    context.print(&data, text.trim_end())
}

/// A script from the command line.
pub(super) struct Source {
    pub(super) script: Vec<u8>,
    /// The assembler text that it came from.
    pub(super) text: Option<String>,
}

impl Source {
    /// A file's name or hex.
    pub(super) fn read(argument: &str) -> Result<Self> {
        let path = Path::new(argument);
        if !path.exists() && argument != "-" {
            return match hex_script(argument) {
                Some(script) => Ok(Self { script, text: None }),
                None => bail!("{argument} is neither a file nor a script in hex"),
            };
        }
        let bytes = super::box_::read_input(path)?;
        let text = std::str::from_utf8(&bytes).ok();
        let is_control = |c: char| c.is_control() && !c.is_whitespace();
        let Some(text) = text.filter(|text| !text.contains(is_control)) else {
            let script = bytes;
            return Ok(Self { script, text: None });
        };
        if let Some(script) = hex_script(text.trim()) {
            return Ok(Self { script, text: None });
        }
        let script = assemble(text).with_context(|| argument.to_owned())?;
        Ok(Self {
            script,
            text: Some(text.to_owned()),
        })
    }
}

fn hex_script(text: &str) -> Option<Vec<u8>> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    hex::decode(digits).ok().filter(|script| !script.is_empty())
}
