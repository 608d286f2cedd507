//! `phantasma demo`: everything once, for real.

use anyhow::Result;
use clap::Args;

use super::Context;
use crate::demo::{self, Options};

#[derive(Debug, Args)]
pub struct DemoCommand {
    /// Milliseconds between blocks of the private net.
    #[arg(long, default_value_t = 1000, value_name = "MS", value_parser = clap::value_parser!(u32).range(50..=15_000))]
    block_time: u32,
    /// Size of the file that is stored, in bytes.
    #[arg(long, default_value_t = 5_000_001, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    file_bytes: u32,
}

pub(super) async fn run(context: &Context, command: DemoCommand) -> Result<()> {
    let options = Options {
        dir: context.global.dir.join("demo"),
        block_time_ms: command.block_time,
        file_bytes: usize::try_from(command.file_bytes)?,
    };
    demo::run(&options).await
}
