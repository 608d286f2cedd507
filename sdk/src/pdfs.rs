//! The client of storage nodes: one request and one answer at a time to a node known by its key.
//!
//! Connections are kept and shared. A node that failed or lied is remembered for a while, so that
//! [`Client::is_suspect`] lets callers ask others first; nothing here decides whether a block is right:
//! that is [`crate::content`]'s work.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use phantasma_net::{Connection, Endpoint, Identity, NetError, Protocol, resolve};
use phantasma_wire::{
    Hash, PublicKey,
    pdfs::{BlockRange, MAX_ADDRESS, Refusal, Request, Response},
};
use tokio::sync::Mutex;

pub use phantasma_wire::pdfs::NodeAddress;

/// A node that does not finish a handshake in this time is taken for dead: ten round trips around the world.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// A block of 256 KiB takes this long at 200 kbit/s; slower nodes are no use when others hold the block.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a node that failed is asked last: a restart of a node takes less. Each further time is twice as long.
const SUSPECT_FOR: Duration = Duration::from_secs(30);

/// Doublings at most: 16 minutes. A node that has been good for as long again starts anew.
const MAX_DOUBLINGS: u32 = 5;

/// Connections kept. A content's holders are a few; the least recently made is dropped.
const MAX_CONNECTIONS: usize = 256;

/// Why a storage node did not do it.
#[derive(Debug, thiserror::Error)]
pub enum PdfsError {
    #[error("node {}: {error}", .node.address)]
    Net {
        node: Box<NodeAddress>,
        error: NetError,
    },
    #[error("node {} refuses {request} ({code:?}): {reason}", .node.address)]
    Refused {
        node: Box<NodeAddress>,
        request: &'static str,
        code: Refusal,
        reason: String,
    },
    #[error("node {} did not answer {request} within {seconds} s", .node.address)]
    Timeout {
        node: Box<NodeAddress>,
        request: &'static str,
        seconds: u64,
    },
    #[error("node {} answers {request} with another kind of answer", .node.address)]
    Unexpected {
        node: Box<NodeAddress>,
        request: &'static str,
    },
    #[error(transparent)]
    Local(#[from] NetError),
    #[error("{0:?} is not PUBLICKEY@HOST:PORT (66 hex digits, then where the node listens)")]
    Address(String),
}

impl PdfsError {
    /// What the node said, when it was the node that refused.
    pub fn refusal(&self) -> Option<Refusal> {
        match self {
            Self::Refused { code, .. } => Some(*code),
            Self::Net { .. }
            | Self::Timeout { .. }
            | Self::Unexpected { .. }
            | Self::Local(_)
            | Self::Address(_) => None,
        }
    }
}

/// Reads `PUBLICKEY@HOST:PORT`.
pub fn parse_node(text: &str) -> Result<NodeAddress, PdfsError> {
    let wrong = || PdfsError::Address(text.to_owned());
    let (key, address) = text.split_once('@').ok_or_else(wrong)?;
    let mut public_key: PublicKey = [0; 33];
    hex::decode_to_slice(key, &mut public_key).map_err(|_| wrong())?;
    let port_follows = address
        .rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    if !port_follows || address.len() > MAX_ADDRESS {
        return Err(wrong());
    }
    Ok(NodeAddress {
        public_key,
        address: address.to_owned(),
    })
}

/// A node's answer to a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Unverified: check data and path against the root.
    Block { path: Vec<Hash>, data: Bytes },
    /// Not there, perhaps at one of these.
    Elsewhere(Vec<NodeAddress>),
}

/// What a node holds of a content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// Bytes of the content as the node believes; 0 when it does not know the content.
    pub size: u64,
    pub ranges: Vec<BlockRange>,
    /// There are more ranges after the last one.
    pub more: bool,
    pub holders: Vec<NodeAddress>,
}

/// Talks to any number of nodes under one key. Clones share connections.
#[derive(Debug, Clone)]
pub struct Client {
    endpoint: Endpoint,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    connections: HashMap<PublicKey, (Connection, Instant)>,
    /// Until when, and how often before.
    suspects: HashMap<PublicKey, (Instant, u32)>,
    /// Nodes that are being dialled now; whoever holds the lock dials.
    dialling: HashMap<PublicKey, Arc<Mutex<()>>>,
}

impl Client {
    /// A client on a free UDP port, over IPv4 or IPv6 as `local` is. Must be called inside a tokio runtime.
    pub fn bind(local: SocketAddr, identity: &Identity) -> Result<Self, NetError> {
        Ok(Self::over(Endpoint::bind(
            local,
            identity,
            Protocol::pdfs(),
        )?))
    }

    /// A client that shares the socket of a node.
    pub fn over(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            state: Arc::default(),
        }
    }

    /// Asks for a block's bytes.
    pub async fn query(
        &self,
        node: &NodeAddress,
        root: &Hash,
        block: u32,
    ) -> Result<Fetched, PdfsError> {
        let request = Request::Query { root: *root, block };
        match self.ask(node, &request).await? {
            Response::Block { path, data } => Ok(Fetched::Block { path, data }),
            Response::NotFound { holders } => Ok(Fetched::Elsewhere(holders)),
            other => Err(refused(node, &request, other)),
        }
    }

    /// Asks which blocks from `from` on the node holds, and who else holds some.
    pub async fn info(
        &self,
        node: &NodeAddress,
        root: &Hash,
        from: u32,
    ) -> Result<Holding, PdfsError> {
        let request = Request::Info { root: *root, from };
        match self.ask(node, &request).await? {
            Response::Info {
                size,
                ranges,
                more,
                holders,
            } => Ok(Holding {
                size,
                ranges,
                more,
                holders,
            }),
            other => Err(refused(node, &request, other)),
        }
    }

    /// Stores a block; the node has it durably when this returns.
    pub async fn upload(
        &self,
        node: &NodeAddress,
        root: &Hash,
        block: u32,
        path: Vec<Hash>,
        data: Bytes,
    ) -> Result<(), PdfsError> {
        let request = Request::Upload {
            root: *root,
            block,
            path,
            data,
        };
        self.done(node, request).await
    }

    /// Asks for the nodes of the network. A node gives the `host:port` at which it listens; a mere reader gives none.
    pub async fn join(
        &self,
        node: &NodeAddress,
        address: Option<String>,
    ) -> Result<Vec<NodeAddress>, PdfsError> {
        let request = Request::Join {
            address: address.unwrap_or_default(),
        };
        match self.ask(node, &request).await? {
            Response::Map { nodes } => Ok(nodes),
            other => Err(refused(node, &request, other)),
        }
    }

    /// Hangs the node of this client's key on `node`, which from then on names it as a holder.
    pub async fn attach(&self, node: &NodeAddress, address: String) -> Result<(), PdfsError> {
        self.done(node, Request::Attach { address }).await
    }

    /// Ends [`Client::attach`].
    pub async fn detach(&self, node: &NodeAddress) -> Result<(), PdfsError> {
        self.done(node, Request::Detach).await
    }

    /// Remembers that a node failed or lied. What fails while it is suspect already is the same failure.
    pub async fn suspect(&self, key: &PublicKey) {
        let mut state = self.state.lock().await;
        let now = Instant::now();
        let longest = SUSPECT_FOR * 2_u32.pow(MAX_DOUBLINGS);
        state
            .suspects
            .retain(|_, (until, _)| now < *until + longest);
        let (until, times) = state.suspects.entry(*key).or_insert((now, 0));
        if *until <= now {
            *until = now + SUSPECT_FOR * 2_u32.pow((*times).min(MAX_DOUBLINGS));
            *times += 1;
        }
    }

    /// Whether a node failed or lied a short while ago.
    pub async fn is_suspect(&self, key: &PublicKey) -> bool {
        let state = self.state.lock().await;
        let suspect = state.suspects.get(key);
        suspect.is_some_and(|(until, _)| Instant::now() < *until)
    }

    /// Ends all connections.
    pub async fn close(&self) {
        self.endpoint.close("done", Duration::from_secs(1)).await;
    }

    async fn done(&self, node: &NodeAddress, request: Request) -> Result<(), PdfsError> {
        match self.ask(node, &request).await? {
            Response::Done => Ok(()),
            other => Err(refused(node, &request, other)),
        }
    }

    /// One exchange. A connection that turns out to be gone is made anew once.
    async fn ask(&self, node: &NodeAddress, request: &Request) -> Result<Response, PdfsError> {
        let failed = |error| PdfsError::Net {
            node: Box::new(node.clone()),
            error,
        };
        let timeout = |after: Duration| PdfsError::Timeout {
            node: Box::new(node.clone()),
            request: request.name(),
            seconds: after.as_secs(),
        };
        for fresh in [false, true] {
            let connecting = tokio::time::timeout(CONNECT_TIMEOUT, self.connection(node));
            let (connection, reused) = match connecting.await {
                Ok(connection) => connection.map_err(failed)?,
                Err(_) => return Err(timeout(CONNECT_TIMEOUT)),
            };
            let answer = tokio::time::timeout(ANSWER_TIMEOUT, connection.request(request)).await;
            match answer {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(NetError::ConnectionLost(_))) if reused && !fresh => self.forget(node).await,
                Ok(Err(error)) => {
                    self.forget(node).await;
                    return Err(failed(error));
                }
                Err(_) => {
                    self.forget(node).await;
                    return Err(timeout(ANSWER_TIMEOUT));
                }
            }
        }
        Err(failed(NetError::UnexpectedEnd))
    }

    /// A connection to the node, and whether it was there before. A burst of requests shares one: nodes refuse a key that
    /// comes with many.
    async fn connection(&self, node: &NodeAddress) -> Result<(Connection, bool), NetError> {
        if let Some(connection) = self.connected(node).await {
            return Ok((connection, true));
        }
        let turn = self
            .state
            .lock()
            .await
            .dialling
            .entry(node.public_key)
            .or_default()
            .clone();
        let _dialling = turn.lock().await;
        if let Some(connection) = self.connected(node).await {
            return Ok((connection, true));
        }
        let dialled = self.dial(node).await;
        let mut state = self.state.lock().await;
        state.dialling.remove(&node.public_key);
        let connection = dialled?;
        if state.connections.len() >= MAX_CONNECTIONS {
            let oldest = state
                .connections
                .iter()
                .min_by_key(|(_, (_, since))| *since);
            if let Some(key) = oldest.map(|(key, _)| *key) {
                state.connections.remove(&key);
            }
        }
        state
            .connections
            .insert(node.public_key, (connection.clone(), Instant::now()));
        Ok((connection, false))
    }

    async fn connected(&self, node: &NodeAddress) -> Option<Connection> {
        let state = self.state.lock().await;
        let (connection, _) = state.connections.get(&node.public_key)?;
        (!connection.is_closed()).then(|| connection.clone())
    }

    async fn dial(&self, node: &NodeAddress) -> Result<Connection, NetError> {
        let address = resolve(&node.address).await?;
        self.endpoint.connect(address, Some(node.public_key)).await
    }

    async fn forget(&self, node: &NodeAddress) {
        self.state.lock().await.connections.remove(&node.public_key);
    }
}

fn refused(node: &NodeAddress, request: &Request, response: Response) -> PdfsError {
    let node = Box::new(node.clone());
    match response {
        Response::Refused { code, reason } => PdfsError::Refused {
            node,
            request: request.name(),
            code,
            reason,
        },
        _ => PdfsError::Unexpected {
            node,
            request: request.name(),
        },
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_written_as_key_and_address() {
        let key = format!("02{}", "ab".repeat(32));
        let node = parse_node(&format!("{key}@example.org:4200")).unwrap();
        assert_eq!(node.address, "example.org:4200");
        assert_eq!(hex::encode(node.public_key), key);
        for wrong in [
            "",
            "@",
            "x@a:1",
            &key,
            &format!("{key}@"),
            &format!("{key}@host"),
            &format!("{key}@:1"),
            &format!("{key}@h:99999"),
        ] {
            assert!(matches!(parse_node(wrong), Err(PdfsError::Address(t)) if t == wrong));
        }
    }
}
