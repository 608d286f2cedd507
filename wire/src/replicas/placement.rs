//! Which nodes shall hold a block.

use core::net::IpAddr;

use sha2::{Digest as _, Sha256};

use super::BlockKey;
use crate::{Hash, PublicKey};

/// Nodes of one zone fall together: one machine, one house, one rack.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Zone(String);

/// A node that could hold blocks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    pub public_key: PublicKey,
    pub zone: Zone,
}

/// The zone of an address `host:port`: the /24 of an IPv4 address, the /48 of an IPv6 address, otherwise the host's name.
/// The port never counts.
pub fn zone(address: &str) -> Zone {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    Zone(match bare.parse() {
        Ok(IpAddr::V4(ip)) => {
            let [a, b, c, _] = ip.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        Ok(IpAddr::V6(ip)) => {
            let [a, b, c, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}::/48")
        }
        Err(_) => bare.to_ascii_lowercase(),
    })
}

/// A node's place in the order of a block's nodes; lower is earlier. The same for everybody, even over all blocks, and
/// when a node comes or goes the order of the others stays (rendezvous hashing).
pub fn rank(key: &BlockKey, node: &PublicKey) -> Hash {
    Sha256::new()
        .chain_update(key.root)
        .chain_update(u64::from(key.block).to_be_bytes())
        .chain_update(node)
        .finalize()
        .into()
}

/// Up to `count` nodes for a block that `holders` hold already, best rank first. No two of them share a zone with each
/// other or with a holder as long as there are enough zones; then the rest goes by rank alone, since a copy next door is
/// better than none.
pub fn place<'a>(
    key: &BlockKey,
    candidates: impl IntoIterator<Item = &'a Candidate>,
    holders: &[Candidate],
    count: usize,
) -> Vec<&'a Candidate> {
    let holds = |c: &Candidate| holders.iter().any(|h| h.public_key == c.public_key);
    let mut ranked: Vec<(Hash, &Candidate)> = candidates
        .into_iter()
        .filter(|candidate| !holds(candidate))
        .map(|candidate| (rank(key, &candidate.public_key), candidate))
        .collect();
    ranked.sort_unstable_by_key(|(rank, _)| *rank);
    ranked.dedup_by_key(|(rank, _)| *rank);
    let mut chosen: Vec<&Candidate> = Vec::new();
    let mut next_door = Vec::new();
    for (_, candidate) in ranked {
        if chosen.len() == count {
            break;
        }
        let taken = holders.iter().chain(chosen.iter().copied());
        if taken.into_iter().any(|other| other.zone == candidate.zone) {
            next_door.push(candidate);
        } else {
            chosen.push(candidate);
        }
    }
    let missing = count - chosen.len();
    chosen.extend(next_door.into_iter().take(missing));
    chosen
}
