//! Relay and storage nodes that the profile names: asked under a key made for this once.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use neo_client::Hash160;
use phantasma_net::Identity;
use phantasma_sdk::pdfs::{Client, NodeAddress};
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError};

use super::chain::answering;
use super::{Finding, Setup};
use crate::profile::{FILE, Peer};

/// A handshake takes three round trips; who needs longer is not there.
const ANSWER: Duration = Duration::from_secs(8);

pub(super) async fn relay(setup: &Setup) -> Finding {
    let Some(peer) = &setup.context.profile.relay else {
        return Finding::skipped(format!("{FILE} names no relay"));
    };
    let address = match resolve(peer).await {
        Ok(address) => address,
        Err(error) => return unreachable("relay", peer, &error),
    };
    // Without the chain the relay is still asked, and says that it serves another: it is there then.
    let chain = chain(setup).await;
    let identity = match Identity::random() {
        Ok(identity) => identity,
        Err(error) => return Finding::skipped(error.to_string()),
    };
    let asked = chain.unwrap_or(ChainId {
        network: 0,
        contract: Hash160::ZERO.0,
    });
    let connect = RelayClient::connect(address, &identity, Some(peer.key.0), asked);
    match tokio::time::timeout(ANSWER, connect).await {
        Ok(Ok(_)) => Finding::fine(format!("{peer} answers")),
        Ok(Err(RelayClientError::Refused { text, .. })) if chain.is_some() => Finding::wrong(
            format!("the relay answers and refuses: {text}"),
            peer.to_string(),
            format!("use a relay of your contract and network: relay in {FILE}"),
        ),
        Ok(Err(RelayClientError::Refused { .. })) => Finding::fine(format!(
            "{peer} answers; whether it serves the same chain is not known without one"
        )),
        Ok(Err(error)) => unreachable("relay", peer, &error.to_string()),
        Err(_) => unreachable("relay", peer, &no_answer()),
    }
}

pub(super) async fn nodes(setup: &Setup) -> Finding {
    let peers = &setup.context.profile.nodes;
    if peers.is_empty() {
        return Finding::skipped(format!("{FILE} names no storage nodes"));
    }
    let client = Identity::random()
        .and_then(|identity| Client::bind((Ipv4Addr::UNSPECIFIED, 0).into(), &identity));
    let client = match client {
        Ok(client) => client,
        Err(error) => return Finding::skipped(error.to_string()),
    };
    // Side by side, so that several dead ones take no longer than one.
    let answers = futures(peers, &client).await;
    client.close().await;
    let mut dead = Vec::new();
    for (peer, answer) in peers.iter().zip(answers) {
        if let Err(error) = answer {
            dead.push((peer, error));
        }
    }
    match dead.first() {
        None => Finding::fine(format!("{} answer", peers.len())),
        Some((peer, error)) => {
            let how_many = format!("{} of {} storage nodes", dead.len(), peers.len());
            unreachable(&how_many, peer, error)
        }
    }
}

/// What each node says to a question about a content that nobody has.
async fn futures(peers: &[Peer], client: &Client) -> Vec<Result<(), String>> {
    let asking: Vec<_> = peers
        .iter()
        .map(|peer| {
            let client = client.clone();
            let node = NodeAddress {
                public_key: peer.key.0,
                address: peer.address.clone(),
            };
            tokio::spawn(async move {
                let root = [0; 32];
                match tokio::time::timeout(ANSWER, client.info(&node, &root, 0)).await {
                    Ok(Ok(_)) => Ok(()),
                    // A node that refuses is there.
                    Ok(Err(error)) if error.refusal().is_some() => Ok(()),
                    Ok(Err(error)) => Err(error.to_string()),
                    Err(_) => Err(no_answer()),
                }
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in asking {
        answers.push(task.await.unwrap_or_else(|error| Err(error.to_string())));
    }
    answers
}

fn no_answer() -> String {
    format!("no answer within {} s", ANSWER.as_secs())
}

fn unreachable(who: &str, peer: &Peer, reason: &str) -> Finding {
    Finding::wrong(
        format!("{who} unreachable: {reason}"),
        peer.to_string(),
        format!(
            "start it, open its UDP port in the firewall, or correct key and address in {FILE} (its ready line says both)"
        ),
    )
}

async fn resolve(peer: &Peer) -> Result<SocketAddr, String> {
    let found = tokio::net::lookup_host(&peer.address).await;
    let mut found =
        found.map_err(|error| format!("no address found for {}: {error}", peer.address))?;
    found
        .next()
        .ok_or_else(|| format!("no address found for {}", peer.address))
}

async fn chain(setup: &Setup) -> Option<ChainId> {
    let contract = setup.context.contract().ok()?;
    let rpc = answering(setup).await.ok()?;
    Some(ChainId {
        network: rpc.version().await.ok()?.network(),
        contract: contract.0,
    })
}
