//! The control plane: who holds what, and where they listen.
//!
//! A libp2p node (QUIC, Kademlia in server mode, identify, ping) under the program's Neo key. It keeps two kinds of
//! things in the distributed hash table: *provider records* (this peer holds that content), and each peer's own
//! [`EndpointRecord`], signed with its Neo key, which says where its data plane listens. Nothing large travels here.
//!
//! The node runs in a task of its own; [`ControlHandle`] talks to it through a bounded channel.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use libp2p::PeerId;
use phantasma_wire::codec::DecodeError;
use phantasma_wire::endpoint::EndpointRecord;
use phantasma_wire::{Hash, PublicKey};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::{Identity, NetError};

mod node;
mod swarm;

/// Commands that may wait for the node; callers wait beyond it.
const COMMAND_QUEUE: usize = 128;

/// Holders of one content that a lookup returns at most: Kademlia keeps 20 for each key.
pub const MAX_PROVIDERS: usize = 20;

/// Where the control plane starts.
#[derive(Debug, Clone)]
pub struct ControlConfig {
    /// UDP address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Nodes to meet first. Tried again as long as no node is known.
    pub bootstrap: Vec<Bootstrap>,
    /// Public `host:port` of this node's data plane, as others should dial it. `None`: this node only asks.
    pub data_addr: Option<String>,
    /// Time now, Unix milliseconds; orders the endpoint records of a node that has moved.
    pub time_ms: u64,
}

/// A node to meet first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bootstrap {
    pub address: SocketAddr,
    /// When known, nobody else is accepted there.
    pub public_key: Option<PublicKey>,
}

/// Who holds a content, and where to ask.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProviderInfo {
    pub public_key: PublicKey,
    /// `host:port` of the data plane, from a record that the holder signed.
    pub data_addr: String,
}

/// Why the control plane failed.
#[derive(Debug, thiserror::Error)]
pub enum ControlError {
    #[error("UDP port {} is taken on {}: stop the program that holds it, or use another control address", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on UDP {address}: {reason}")]
    Bind { address: SocketAddr, reason: String },
    #[error("the control plane does not start: {0}")]
    Start(String),
    #[error(transparent)]
    Key(#[from] NetError),
    #[error("own endpoint record: {0}")]
    Record(#[from] DecodeError),
    #[error("the local table is full: {0}")]
    TableFull(String),
    #[error("{max} lookups are running already; try again")]
    Busy { max: usize },
    #[error("the control plane has stopped")]
    Stopped,
}

/// What the handle asks of the node.
#[derive(Debug)]
pub(crate) enum Command {
    Provide {
        key: Hash,
        reply: oneshot::Sender<Result<(), ControlError>>,
    },
    StopProviding {
        key: Hash,
    },
    Providers {
        key: Hash,
        reply: oneshot::Sender<Result<Vec<PeerId>, ControlError>>,
    },
    Endpoint {
        peer: PeerId,
        reply: oneshot::Sender<Result<Option<EndpointRecord>, ControlError>>,
    },
    Peers {
        reply: oneshot::Sender<Vec<PublicKey>>,
    },
    Shutdown {
        reply: oneshot::Sender<()>,
    },
}

/// Starts the node and waits until it listens.
pub async fn start(
    config: ControlConfig,
    identity: &Identity,
) -> Result<(ControlHandle, JoinHandle<()>), ControlError> {
    let (commands, inbox) = mpsc::channel(COMMAND_QUEUE);
    let (node, listen) = node::Node::start(config, identity, inbox).await?;
    let task = tokio::spawn(node.run());
    Ok((
        ControlHandle {
            commands,
            listen,
            public_key: identity.public_key(),
        },
        task,
    ))
}

/// Talks to a running node. Clones talk to the same one; it ends with [`ControlHandle::shutdown`] or the last clone.
#[derive(Debug, Clone)]
pub struct ControlHandle {
    commands: mpsc::Sender<Command>,
    listen: SocketAddr,
    public_key: PublicKey,
}

impl ControlHandle {
    /// The address that was really taken.
    pub fn listen_addr(&self) -> SocketAddr {
        self.listen
    }

    /// This node as a bootstrap peer of others on the same machine or network.
    pub fn as_bootstrap(&self) -> Bootstrap {
        Bootstrap {
            address: self.listen,
            public_key: Some(self.public_key),
        }
    }

    /// Says that this node holds a content, now and again from time to time. Returns when the nodes near the key know,
    /// or when none is known yet (they are told as soon as they are met).
    pub async fn provide(&self, key: Hash) -> Result<(), ControlError> {
        self.ask(|reply| Command::Provide { key, reply }).await?
    }

    /// Stops saying so. Others forget when the record expires.
    pub async fn stop_providing(&self, key: Hash) -> Result<(), ControlError> {
        self.commands
            .send(Command::StopProviding { key })
            .await
            .map_err(|_| ControlError::Stopped)
    }

    /// Who holds a content. Holders without a valid endpoint record are left out; at most [`MAX_PROVIDERS`].
    pub async fn find_providers(&self, key: Hash) -> Result<Vec<ProviderInfo>, ControlError> {
        let peers = self
            .ask(|reply| Command::Providers { key, reply })
            .await??;
        let lookups = peers
            .into_iter()
            .take(MAX_PROVIDERS)
            .map(|peer| self.endpoint_of_peer(peer));
        let mut found = Vec::new();
        for record in join_all(lookups).await {
            if let Some(record) = record? {
                found.push(ProviderInfo {
                    public_key: record.public_key,
                    data_addr: record.address,
                });
            }
        }
        Ok(found)
    }

    /// Where the data plane of the node with this key listens, by its own signed statement.
    pub async fn endpoint_of(
        &self,
        public_key: &PublicKey,
    ) -> Result<Option<String>, ControlError> {
        let peer = swarm::peer_id(public_key).map_err(ControlError::Start)?;
        Ok(self
            .endpoint_of_peer(peer)
            .await?
            .map(|record| record.address))
    }

    /// Keys of the nodes connected now.
    pub async fn peers(&self) -> Result<Vec<PublicKey>, ControlError> {
        self.ask(|reply| Command::Peers { reply }).await
    }

    /// Stops the node and waits for it.
    pub async fn shutdown(&self) {
        // Stopped already is as good.
        let _ = self.ask(|reply| Command::Shutdown { reply }).await;
    }

    async fn endpoint_of_peer(&self, peer: PeerId) -> Result<Option<EndpointRecord>, ControlError> {
        self.ask(|reply| Command::Endpoint { peer, reply }).await?
    }

    async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, ControlError> {
        let (reply, answer) = oneshot::channel();
        self.commands
            .send(command(reply))
            .await
            .map_err(|_| ControlError::Stopped)?;
        answer.await.map_err(|_| ControlError::Stopped)
    }
}

/// A lookup that has found something ends after this, even if some nodes have not answered: dead nodes take 5 s and
/// more to be given up, and who is found first is as good.
const ENOUGH: Duration = Duration::from_millis(1500);
