//! A whole node: store, data plane, control plane, HTTP; started together, stopped together.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::Router;
use phantasma_net::{
    Endpoint, Identity, NetError, Protocol,
    control::{self, Bootstrap, ControlConfig, ControlError, ControlHandle},
    http::{HttpError, HttpServer},
};
use phantasma_sdk::pdfs::{Client, NodeAddress};
use phantasma_wire::{PublicKey, replicas::LoadPolicy};
use tokio::{
    sync::{Notify, mpsc},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::{
    announce,
    chain::{CachedChain, Chain},
    gateway, mend,
    metrics::Metrics,
    peers::Peers,
    proofs,
    replicas::{self, Evicted, Heat},
    server,
    state::{State, now_ms},
    store::{Options, Recovery, Store, StoreError},
    upkeep::{self, Upkeep},
};

/// Peers get so long to take note of the end of their connections.
const CLOSE_GRACE: Duration = Duration::from_secs(2);

/// Nodes to join are asked again after this long while they do not answer.
const JOIN_AGAIN: Duration = Duration::from_secs(5);

/// Everything a node is made of.
pub struct Setup {
    pub identity: Identity,
    pub store: Options,
    /// UDP address of the data plane; port 0 takes a free one.
    pub listen: SocketAddr,
    /// `host:port` of the data plane as others dial it. `None`: the address that was taken.
    pub public_address: Option<String>,
    /// `None`: no control plane; the node is then found only by those who know it.
    pub control: Option<ControlSetup>,
    /// TCP address of `/healthz`, `/metrics` and the gateway.
    pub http: Option<SocketAddr>,
    /// Who shows it to the gateway may have plain bytes for a key; `None`: nobody.
    pub gateway_token: Option<String>,
    /// Nodes to tell about this one.
    pub join: Vec<NodeAddress>,
    pub chain: Arc<dyn Chain>,
    pub upkeep: Upkeep,
    /// `None`: the node takes no part in proofs.
    pub proofs: Option<proofs::Setup>,
    /// `None`: nobody is watched, lost copies are not made good.
    pub replicas: Option<replicas::Setup>,
}

/// The node's place in the DHT.
#[derive(Debug, Clone)]
pub struct ControlSetup {
    /// UDP address; port 0 takes a free one.
    pub listen: SocketAddr,
    pub bootstrap: Vec<Bootstrap>,
}

/// Why a node does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("data plane: {0}")]
    Net(#[from] NetError),
    #[error("store: {0}")]
    Store(#[from] StoreError),
    #[error("control plane: {0}")]
    Control(#[from] ControlError),
    #[error("HTTP: {0}")]
    Http(#[from] HttpError),
    #[error("the thread that opens the store ended: {0}")]
    Task(String),
}

/// A running node. Dropping it without [`Node::shutdown`] leaves its tasks running.
pub struct Node {
    state: Arc<State>,
    endpoint: Endpoint,
    control: Option<(ControlHandle, JoinHandle<()>)>,
    http: Option<HttpServer>,
    recovery: Recovery,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Node {
    /// Starts everything; ports are taken first, so that a second node on them fails before it touches the store.
    pub async fn start(setup: Setup) -> Result<Self, StartError> {
        let endpoint = Endpoint::bind(setup.listen, &setup.identity, Protocol::pdfs())?;
        let address = match setup.public_address {
            Some(address) => address,
            None => endpoint.local_addr()?.to_string(),
        };
        let options = setup.store;
        let opening = tokio::task::spawn_blocking(move || Store::open(&options));
        let (store, recovery) = opening
            .await
            .map_err(|error| StartError::Task(error.to_string()))??;
        let control = match setup.control {
            Some(control) => Some(start_control(control, &setup.identity, address.clone()).await?),
            None => None,
        };
        let (announce, fresh) = mpsc::channel(announce::QUEUE);
        let me = NodeAddress {
            public_key: setup.identity.public_key(),
            address,
        };
        let state = Arc::new(State {
            me,
            store: Arc::new(store),
            chain: Arc::new(CachedChain::new(setup.chain)),
            control: control.as_ref().map(|(handle, _)| handle.clone()),
            peers: Peers::default(),
            metrics: Metrics::default(),
            announce,
            mend: Notify::new(),
            heat: Heat::new(LoadPolicy::default()),
            evicted: Evicted::default(),
        });
        let client = Client::over(endpoint.clone());
        let http = match setup.http {
            Some(address) => {
                let routes = gateway::routes(state.clone(), client.clone(), setup.gateway_token);
                Some(start_http(address, &state, routes).await?)
            }
            None => None,
        };
        let stop = CancellationToken::new();
        let mut tasks = vec![tokio::spawn(server::run(
            endpoint.clone(),
            state.clone(),
            stop.clone(),
        ))];
        if let Some((handle, _)) = &control {
            let announcer = announce::run(handle.clone(), state.clone(), fresh, stop.clone());
            tasks.push(tokio::spawn(announcer));
        }
        let upkeep = upkeep::run(state.clone(), setup.upkeep, stop.clone());
        tasks.push(tokio::spawn(upkeep));
        if let Some(setup) = setup.proofs {
            let agent = proofs::run(setup, state.clone(), stop.clone());
            tasks.push(tokio::spawn(agent));
        }
        let mending = mend::run(client.clone(), state.clone(), stop.clone());
        tasks.push(tokio::spawn(mending));
        if let Some(setup) = setup.replicas {
            let watch = replicas::run(setup, client.clone(), state.clone(), stop.clone());
            tasks.push(tokio::spawn(watch));
        }
        tasks.push(tokio::spawn(join(
            client,
            setup.join,
            state.clone(),
            stop.clone(),
        )));
        Ok(Self {
            state,
            endpoint,
            control,
            http,
            recovery,
            stop,
            tasks,
        })
    }

    /// The node's key and where others reach it.
    pub fn address(&self) -> NodeAddress {
        self.state.me.clone()
    }

    pub fn public_key(&self) -> PublicKey {
        self.state.me.public_key
    }

    /// The control plane's address, for nodes that start after this one.
    pub fn as_bootstrap(&self) -> Option<Bootstrap> {
        self.control
            .as_ref()
            .map(|(handle, _)| handle.as_bootstrap())
    }

    pub fn http_addr(&self) -> Option<SocketAddr> {
        self.http.as_ref().map(HttpServer::local_addr)
    }

    /// What opening the store put right.
    pub fn recovery(&self) -> Recovery {
        self.recovery
    }

    /// Takes nothing new, finishes what runs, and closes the store.
    pub async fn shutdown(self) {
        self.stop.cancel();
        for task in self.tasks {
            let _ = task.await;
        }
        self.endpoint.close("the node stops", CLOSE_GRACE).await;
        if let Some(http) = self.http {
            http.shutdown().await;
        }
        if let Some((handle, task)) = self.control {
            handle.shutdown().await;
            let _ = task.await;
        }
        self.state.store.close().await;
    }
}

async fn start_control(
    setup: ControlSetup,
    identity: &Identity,
    data_addr: String,
) -> Result<(ControlHandle, JoinHandle<()>), ControlError> {
    let config = ControlConfig {
        listen: setup.listen,
        bootstrap: setup.bootstrap,
        data_addr: Some(data_addr),
        time_ms: now_ms(),
    };
    control::start(config, identity).await
}

async fn start_http(
    address: SocketAddr,
    state: &Arc<State>,
    routes: Router,
) -> Result<HttpServer, HttpError> {
    let registry = Arc::new(state.metrics.register(state.store.clone()));
    let store = state.store.clone();
    // The node can work as long as its index answers.
    let health = Arc::new(move || {
        store
            .contents(None, 1)
            .map(drop)
            .map_err(|error| error.to_string())
    });
    HttpServer::start(address, registry, health, routes).await
}

/// Tells the given nodes about this one and learns the others from them, until each has answered once.
async fn join(
    client: Client,
    mut nodes: Vec<NodeAddress>,
    state: Arc<State>,
    stop: CancellationToken,
) {
    while !nodes.is_empty() {
        let mut silent = Vec::new();
        for node in nodes {
            let asked = tokio::select! {
                asked = client.join(&node, Some(state.me.address.clone())) => asked,
                () = stop.cancelled() => return,
            };
            match asked {
                Ok(others) => {
                    let others = others
                        .into_iter()
                        .filter(|other| other.public_key != state.me.public_key);
                    others.for_each(|other| state.peers.learn(other));
                    tracing::info!(node = %node.address, "joined");
                }
                Err(error) => {
                    tracing::warn!(%error, again_s = JOIN_AGAIN.as_secs(), "not joined yet");
                    silent.push(node);
                }
            }
        }
        nodes = silent;
        if nodes.is_empty() {
            return;
        }
        tokio::select! {
            () = tokio::time::sleep(JOIN_AGAIN) => {}
            () = stop.cancelled() => return,
        }
    }
}
