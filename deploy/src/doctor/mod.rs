//! Looks at a whole set-up (profile, Neo node, contracts, wallet, disk, clock, ports, relay, storage nodes) and says of
//! each part whether it is fine, or what is wrong, where, and what to do.
//!
//! [`CHECKS`] is the list: one row a check, none of which knows another. They run side by side, since none changes
//! anything: files are read, sockets only asked, and what must be opened to be checked is opened in a scratch copy. Each
//! row has a time limit, so that one dead address does not hold up the rest. No secret is in any finding.

mod chain;
mod databases;
mod disk;
mod held;
mod peers;
mod ports;
mod servers;
mod wallet;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use neo_client::RpcClient;
use serde::Serialize;
use zeroize::Zeroizing;

use crate::cmd::Context;
use crate::profile::FILE;

pub use servers::{NODE, Place, RELAY, Server, ServerKind};

/// A call to the Neo node. One that takes longer is no use to anybody either.
const RPC_TIMEOUT: Duration = Duration::from_secs(5);

/// Files on this machine.
const LOCAL: Duration = Duration::from_secs(10);

/// A few calls to a node, each bounded by [`RPC_TIMEOUT`], and a wait for two blocks of MainNet.
const CHAIN: Duration = Duration::from_secs(45);

/// Two handshakes that are given up after 10 seconds.
const PEERS: Duration = Duration::from_secs(25);

/// Reads all that is kept: 30 seconds are 6 GB of a disk that reads 200 MB a second.
const DATABASE: Duration = Duration::from_secs(30);

/// What the checks look at.
#[derive(Debug)]
pub struct Setup {
    pub context: Context,
    /// Why `phantasma.toml` cannot be read; the context then has an empty profile.
    pub profile_error: Option<String>,
    /// What opens the wallet, if anybody gave it.
    pub password: Option<Zeroizing<String>>,
    pub relay: Server,
    pub node: Server,
}

impl Setup {
    fn rpc(&self) -> RpcClient {
        RpcClient::with_timeout(self.context.rpc().url(), RPC_TIMEOUT)
    }
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "lowercase")]
pub enum Finding {
    Fine {
        what: String,
    },
    /// The first word of `what` is enough to find the cause in docs/operations.md.
    Wrong {
        what: String,
        /// File, address or account.
        place: String,
        advice: String,
    },
    /// There is nothing to look at, or something else that is wrong stands before it.
    Skipped {
        what: String,
    },
}

impl Finding {
    fn fine(what: impl Into<String>) -> Self {
        Self::Fine { what: what.into() }
    }

    fn skipped(what: impl Into<String>) -> Self {
        Self::Skipped { what: what.into() }
    }

    fn wrong(what: impl Into<String>, place: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Wrong {
            what: what.into(),
            place: place.into(),
            advice: advice.into(),
        }
    }

    pub fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong { .. })
    }
}

type Looking = Pin<Box<dyn Future<Output = Finding> + Send>>;

/// One row of the table.
#[derive(Debug)]
pub struct Check {
    pub name: &'static str,
    pub looks_at: &'static str,
    /// After which it is given up.
    limit: Duration,
    look: fn(Arc<Setup>) -> Looking,
}

/// All checks, in the order in which they are shown: what others rest upon comes first.
pub const CHECKS: &[Check] = &[
    Check {
        name: "profile",
        looks_at: "phantasma.toml can be read",
        limit: LOCAL,
        look: |setup| Box::pin(async move { profile(&setup) }),
    },
    Check {
        name: "disk",
        looks_at: "free space and the right to write in the folders of this set-up",
        limit: LOCAL,
        look: |setup| Box::pin(blocking(move || disk::look(&setup))),
    },
    Check {
        name: "ports",
        looks_at: "ports of the private net, the relay and the storage node are free or theirs",
        limit: LOCAL,
        look: |setup| Box::pin(ports::look(setup)),
    },
    Check {
        name: "neo-go",
        looks_at: "the program that a private net runs",
        limit: LOCAL,
        look: |setup| Box::pin(blocking(move || chain::neogo(&setup))),
    },
    Check {
        name: "neo node",
        looks_at: "the JSON-RPC endpoint answers",
        limit: CHAIN,
        look: |setup| Box::pin(async move { chain::node(&setup).await }),
    },
    Check {
        name: "network",
        looks_at: "the node's network magic is the one in phantasma.toml",
        limit: CHAIN,
        look: |setup| Box::pin(async move { chain::network(&setup).await }),
    },
    Check {
        name: "clock",
        looks_at: "this machine's clock beside the chain's, and that blocks come",
        limit: CHAIN,
        look: |setup| Box::pin(async move { chain::clock(&setup).await }),
    },
    Check {
        name: "contracts",
        looks_at: "all three are on the chain and name each other",
        limit: CHAIN,
        look: |setup| Box::pin(async move { chain::contracts(&setup).await }),
    },
    Check {
        name: "wallet",
        looks_at: "the wallet file, and that the password opens the account",
        limit: LOCAL,
        look: |setup| Box::pin(blocking(move || wallet::wallet(&setup))),
    },
    Check {
        name: "GAS",
        looks_at: "the account can pay for a transaction",
        limit: CHAIN,
        look: |setup| Box::pin(async move { wallet::gas(&setup).await }),
    },
    Check {
        name: "SOUL",
        looks_at: "the account can pay for a box",
        limit: CHAIN,
        look: |setup| Box::pin(async move { wallet::soul(&setup).await }),
    },
    Check {
        name: "relay",
        looks_at: "the relay of phantasma.toml answers with its key, on the same chain",
        limit: PEERS,
        look: |setup| Box::pin(async move { peers::relay(&setup).await }),
    },
    Check {
        name: "storage nodes",
        looks_at: "the storage nodes of phantasma.toml answer with their keys",
        limit: PEERS,
        look: |setup| Box::pin(async move { peers::nodes(&setup).await }),
    },
    Check {
        name: "relay database",
        looks_at: "every record that a relay on this machine keeps",
        limit: DATABASE,
        look: |setup| Box::pin(blocking(move || databases::relay(&setup))),
    },
    Check {
        name: "node database",
        looks_at: "every block that a storage node on this machine keeps",
        limit: DATABASE,
        look: |setup| Box::pin(async move { databases::node(&setup).await }),
    },
];

/// A check and what it found.
#[derive(Debug, Serialize)]
pub struct Examined {
    pub name: &'static str,
    pub looks_at: &'static str,
    #[serde(flatten)]
    pub finding: Finding,
}

/// Runs every check, in the order of the table. Takes as long as the slowest.
pub async fn examine(setup: Setup) -> Vec<Examined> {
    let setup = Arc::new(setup);
    let running: Vec<_> = CHECKS
        .iter()
        .map(|check| {
            let looking = (check.look)(setup.clone());
            tokio::spawn(tokio::time::timeout(check.limit, looking))
        })
        .collect();
    let mut found = Vec::new();
    for (check, task) in CHECKS.iter().zip(running) {
        let finding = match task.await {
            Ok(Ok(finding)) => finding,
            Ok(Err(_)) => Finding::skipped(format!(
                "not finished within {} s, given up",
                check.limit.as_secs()
            )),
            // A bug of the check must not hide what the others found.
            Err(error) => Finding::skipped(format!("the check itself failed: {error}")),
        };
        found.push(Examined {
            name: check.name,
            looks_at: check.looks_at,
            finding,
        });
    }
    found
}

/// Work that blocks its thread, on a thread for that.
async fn blocking(work: impl FnOnce() -> Finding + Send + 'static) -> Finding {
    match tokio::task::spawn_blocking(work).await {
        Ok(finding) => finding,
        Err(error) => Finding::skipped(format!("the check itself failed: {error}")),
    }
}

fn profile(setup: &Setup) -> Finding {
    let path = setup.context.global.dir.join(FILE);
    match &setup.profile_error {
        Some(error) => Finding::wrong(
            format!("the profile cannot be read: {error}"),
            path.display().to_string(),
            "put the named line right, or move the file away and begin with `phantasma net up` or `wallet new`",
        ),
        None if path.exists() => Finding::fine(path.display().to_string()),
        None => Finding::skipped(format!("there is no {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_row_has_a_name_of_its_own_and_an_end() {
        let names: HashSet<_> = CHECKS.iter().map(|check| check.name).collect();
        assert_eq!(names.len(), CHECKS.len());
        assert!(CHECKS.iter().all(|check| !check.looks_at.is_empty()));
        assert!(CHECKS.iter().all(|c| c.limit <= Duration::from_secs(60)));
    }
}
