//! The command line of neoc: reads and writes files, everything else is in the library.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use clap::Parser;

/// Compiles a Rust contract to NeoVM.
#[derive(Parser)]
#[command(version)]
struct Args {
    /// The crate's root file, such as src/lib.rs.
    root: String,
    /// Another crate that the contract uses: NAME=ROOT_FILE.
    #[arg(long = "extern", value_name = "NAME=FILE")]
    externs: Vec<String>,
    /// Folder for <Name>.nef, <Name>.manifest.json and <Name>.debug.json.
    #[arg(short, long, default_value = ".")]
    output: PathBuf,
    /// The optimisations that run: `all`, `none`, or names with commas between.
    #[arg(long, value_name = "NAMES", default_value = "all")]
    passes: String,
    /// An optimisation that does not run; may be given several times.
    #[arg(long, value_name = "NAME")]
    no_pass: Vec<String>,
    /// Print the instructions with their source lines.
    #[arg(long)]
    dump: bool,
}

struct Disk;

impl neoc::Sources for Disk {
    fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> anyhow::Result<()> {
    let mut externs = Vec::new();
    for given in &args.externs {
        let Some((name, path)) = given.split_once('=') else {
            bail!("error: `--extern {given}` is not of the form NAME=FILE");
        };
        externs.push((name.to_owned(), path.to_owned()));
    }
    let options = neoc::Options {
        passes: passes(args)?,
    };
    let contract = match neoc::compile_with(&Disk, &args.root, &externs, &options) {
        Ok(contract) => contract,
        Err(errors) => {
            let count = errors.list.len();
            bail!(
                "{errors}\nerror: {count} error{} in {}",
                if count == 1 { "" } else { "s" },
                args.root
            );
        }
    };
    std::fs::create_dir_all(&args.output)
        .with_context(|| format!("cannot make {}", args.output.display()))?;
    let write = |ending: &str, data: &[u8]| {
        let path = Path::new(&args.output).join(format!("{}.{ending}", contract.name));
        std::fs::write(&path, data).with_context(|| format!("cannot write {}", path.display()))
    };
    write("nef", &contract.nef)?;
    write("manifest.json", contract.manifest.as_bytes())?;
    write("debug.json", contract.debug.as_bytes())?;
    if args.dump {
        print!("{}", contract.listing_with_source);
    }
    println!(
        "{}: nef {} bytes, manifest {} bytes",
        contract.name,
        contract.nef.len(),
        contract.manifest.len()
    );
    Ok(())
}

fn passes(args: &Args) -> anyhow::Result<neoc::Passes> {
    let named = |name: &str| {
        neoc::Pass::by_name(name).with_context(|| {
            let known: Vec<_> = neoc::Pass::ALL.iter().map(|p| p.name()).collect();
            format!(
                "error: no pass is called `{name}`; there are {}",
                known.join(", ")
            )
        })
    };
    let mut passes = match args.passes.as_str() {
        "all" => neoc::Passes::all(),
        "none" => neoc::Passes::none(),
        list => list
            .split(',')
            .try_fold(neoc::Passes::none(), |all, name| {
                named(name).map(|pass| all.with(pass))
            })?,
    };
    for name in &args.no_pass {
        passes = passes.without(named(name)?);
    }
    Ok(passes)
}
