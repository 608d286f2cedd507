//! `phantasma doctor`: what is wrong with a set-up, where, and what to do.

use std::io::IsTerminal;
use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::Args;
use serde_json::json;
use zeroize::Zeroizing;

use super::{Context, Global};
use crate::doctor::{self, Examined, Finding, NODE, Place, RELAY, Server, Setup};
use crate::password;
use crate::profile::Profile;

#[derive(Debug, Args)]
pub struct DoctorCommand {
    /// TOML file of a relay on this machine [default: PHANTASMA_RELAY_CONFIG].
    #[arg(long, value_name = "FILE")]
    relay_config: Option<PathBuf>,
    /// Data folder of a relay on this machine [default: the relay's own setting, else relay-data].
    #[arg(long, value_name = "FOLDER")]
    relay_data: Option<PathBuf>,
    /// TOML file of a storage node on this machine [default: PHANTASMA_PDFS_CONFIG].
    #[arg(long, value_name = "FILE")]
    node_config: Option<PathBuf>,
    /// Data folder of a storage node on this machine [default: the node's own setting, else pdfs-data].
    #[arg(long, value_name = "FOLDER")]
    node_data: Option<PathBuf>,
}

/// Unlike the other commands it does not need a profile that can be read: that is one of its checks.
pub(super) async fn run(global: Global, command: DoctorCommand) -> Result<()> {
    let (profile, profile_error) = match load(&global) {
        Ok(profile) => (profile, None),
        Err(error) => (Profile::default(), Some(format!("{error:#}"))),
    };
    let context = Context { global, profile };
    let variable = |name: &str| std::env::var(name).ok();
    let relay = Place {
        config: command.relay_config,
        data: command.relay_data,
    };
    let node = Place {
        config: command.node_config,
        data: command.node_data,
    };
    let output = Context {
        global: context.global.clone(),
        profile: Profile::default(),
    };
    let found = doctor::examine(Setup {
        password: password(&context)?,
        context,
        profile_error,
        relay: Server::find(&RELAY, relay, variable),
        node: Server::find(&NODE, node, variable),
    })
    .await;
    let wrong = found.iter().filter(|e| e.finding.is_wrong()).count();
    output.print(
        &json!({"fine": wrong == 0, "wrong": wrong, "checks": found}),
        &found.iter().map(line).collect::<Vec<_>>().join("\n"),
    )?;
    if wrong > 0 {
        bail!("{wrong} of {} checks found something wrong", found.len());
    }
    Ok(())
}

fn load(global: &Global) -> Result<Profile> {
    Profile::load(&global.dir)?.named(global.profile.as_deref())
}

/// What was given; a person at a terminal is asked, a script is not.
fn password(context: &Context) -> Result<Option<Zeroizing<String>>> {
    let file = context.global.password_file.as_deref();
    let given = file.is_some() || std::env::var_os(password::ENV).is_some();
    let person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if given || (person && context.wallet_path().exists()) {
        return password::get(file, "the wallet").map(Some);
    }
    Ok(None)
}

fn line(examined: &Examined) -> String {
    let name = examined.name;
    match &examined.finding {
        Finding::Fine { what } => format!("fine   {name}: {what}"),
        Finding::Skipped { what } => format!("-      {name}: {what}"),
        Finding::Wrong {
            what,
            place,
            advice,
        } => format!("WRONG  {name}: {what}\n       where: {place}\n       do: {advice}"),
    }
}
