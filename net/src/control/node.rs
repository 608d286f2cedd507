//! The task that drives the swarm.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use libp2p::core::transport::ListenerId;
use libp2p::kad::store::RecordStore;
use libp2p::kad::{
    self, GetProvidersOk, GetRecordOk, InboundRequest, QueryId, QueryResult, Quorum, Record,
    RecordKey,
};
use libp2p::swarm::SwarmEvent;
use libp2p::{PeerId, Swarm, TransportError, identify};
use phantasma_wire::PublicKey;
use phantasma_wire::codec::Frame;
use phantasma_wire::endpoint::EndpointRecord;
use tokio::sync::{mpsc, oneshot};

use super::swarm::{self, Behaviour, BehaviourEvent, check_endpoint, endpoint_key, to_multiaddr};
use super::{Bootstrap, Command, ControlConfig, ControlError, ENOUGH};
use crate::Identity;

/// Lookups at once; each costs Kademlia some kilobytes.
const MAX_QUERIES: usize = 1024;

/// How often the node looks after itself.
const TICK: Duration = Duration::from_millis(250);

/// While no node is known, the bootstrap peers are tried this often.
const REDIAL: Duration = Duration::from_secs(5);

/// As long as so few nodes are known, each new one may be among the closest to our keys, and is told of them.
const SMALL_NETWORK: usize = 20;

/// Keys told again in one tick; the rest follows in the next ones.
const RETELL: usize = 100;

/// The node may take this long to get its socket.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);

/// What is done when a query ends.
enum Pending {
    Provide(oneshot::Sender<Result<(), ControlError>>),
    Providers {
        found: HashSet<PeerId>,
        since: Instant,
        reply: oneshot::Sender<Result<Vec<PeerId>, ControlError>>,
    },
    Endpoint(oneshot::Sender<Result<Option<EndpointRecord>, ControlError>>),
}

pub(super) struct Node {
    swarm: Swarm<Behaviour>,
    inbox: mpsc::Receiver<Command>,
    pending: HashMap<QueryId, Pending>,
    bootstrap: Vec<Bootstrap>,
    keys: HashMap<PeerId, PublicKey>,
    own_record: Option<Record>,
    /// Own keys that new nodes have not been told of.
    untold: Vec<RecordKey>,
    last_dial: Instant,
}

impl Node {
    pub(super) async fn start(
        config: ControlConfig,
        identity: &Identity,
        inbox: mpsc::Receiver<Command>,
    ) -> Result<(Self, SocketAddr), ControlError> {
        let mut swarm = swarm::build(identity).map_err(ControlError::Start)?;
        let listen = listen(&mut swarm, config.listen).await?;
        let own_record = match config.data_addr {
            Some(address) => Some(own_record(&swarm, identity, address, config.time_ms)?),
            None => None,
        };
        let mut node = Self {
            swarm,
            inbox,
            pending: HashMap::new(),
            bootstrap: config.bootstrap,
            keys: HashMap::new(),
            own_record,
            untold: Vec::new(),
            last_dial: Instant::now(),
        };
        node.publish_endpoint();
        node.dial_bootstrap();
        Ok((node, listen))
    }

    /// Until shutdown is asked for, or nobody is left to ask.
    pub(super) async fn run(mut self) {
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                command = self.inbox.recv() => match command {
                    None => return,
                    Some(Command::Shutdown { reply }) => {
                        drop(self);
                        let _ = reply.send(());
                        return;
                    }
                    Some(command) => self.command(command),
                },
                event = self.swarm.select_next_some() => self.event(event),
                _ = tick.tick() => self.tick(),
            }
        }
    }

    // What the handle asks. A reply that nobody waits for any more is dropped.

    fn command(&mut self, command: Command) {
        let full = self.pending.len() >= MAX_QUERIES;
        let busy = || ControlError::Busy { max: MAX_QUERIES };
        let kad = &mut self.swarm.behaviour_mut().kad;
        match command {
            Command::Provide { reply, .. } if full => drop(reply.send(Err(busy()))),
            Command::Providers { reply, .. } if full => drop(reply.send(Err(busy()))),
            Command::Endpoint { reply, .. } if full => drop(reply.send(Err(busy()))),
            Command::Provide { key, reply } => match kad.start_providing(RecordKey::new(&key)) {
                Ok(id) => drop(self.pending.insert(id, Pending::Provide(reply))),
                Err(error) => drop(reply.send(Err(ControlError::TableFull(error.to_string())))),
            },
            Command::StopProviding { key } => kad.stop_providing(&RecordKey::new(&key)),
            Command::Providers { key, reply } => {
                let id = kad.get_providers(RecordKey::new(&key));
                let pending = Pending::Providers {
                    found: HashSet::new(),
                    since: Instant::now(),
                    reply,
                };
                self.pending.insert(id, pending);
            }
            Command::Endpoint { peer, reply } => {
                let id = kad.get_record(endpoint_key(&peer));
                self.pending.insert(id, Pending::Endpoint(reply));
            }
            Command::Peers { reply } => {
                let connected = self
                    .swarm
                    .connected_peers()
                    .filter_map(|peer| self.keys.get(peer).copied());
                let _ = reply.send(connected.collect());
            }
            Command::Shutdown { reply } => drop(reply.send(())),
        }
    }

    // What happens outside.

    fn event(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::Behaviour(BehaviourEvent::Kad(event)) => self.kad_event(event),
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                peer_id,
                info,
                ..
            })) => {
                self.identified(peer_id, info);
            }
            SwarmEvent::ConnectionClosed {
                peer_id,
                num_established: 0,
                ..
            } => {
                self.keys.remove(&peer_id);
            }
            SwarmEvent::OutgoingConnectionError { peer_id, error, .. } => {
                tracing::debug!(?peer_id, %error, "control plane: no connection");
            }
            _ => {}
        }
    }

    /// Kademlia learns addresses only from us.
    fn identified(&mut self, peer: PeerId, info: identify::Info) {
        if let Some(key) = swarm::neo_key(info.public_key) {
            self.keys.insert(peer, key);
        }
        for address in info.listen_addrs {
            self.swarm.behaviour_mut().kad.add_address(&peer, address);
        }
    }

    fn kad_event(&mut self, event: kad::Event) {
        match event {
            kad::Event::InboundRequest { request } => self.inbound(request),
            kad::Event::OutboundQueryProgressed {
                id, result, step, ..
            } => self.progressed(id, result, step.last),
            kad::Event::RoutingUpdated {
                is_new_peer: true,
                peer,
                ..
            } => {
                tracing::debug!(%peer, "control plane: new node");
                self.met_new_node();
            }
            _ => {}
        }
    }

    /// Others may put provider records, and their own endpoint record in its place.
    fn inbound(&mut self, request: InboundRequest) {
        let store = self.swarm.behaviour_mut().kad.store_mut();
        let stored = match request {
            InboundRequest::AddProvider {
                record: Some(record),
            } => store.add_provider(record),
            InboundRequest::PutRecord {
                record: Some(record),
                source,
                ..
            } => {
                let new = match check_endpoint(&record.key, &record.value) {
                    Ok(new) => new,
                    Err(reason) => {
                        return tracing::debug!(%source, reason, "control plane: record refused");
                    }
                };
                let old = store
                    .get(&record.key)
                    .and_then(|old| check_endpoint(&old.key, &old.value).ok());
                match old.is_some_and(|old| old.time_ms > new.time_ms) {
                    true => Ok(()),
                    false => store.put(record),
                }
            }
            _ => Ok(()),
        };
        if let Err(error) = stored {
            tracing::warn!(%error, "control plane: record not kept");
        }
    }

    fn progressed(&mut self, id: QueryId, result: QueryResult, last: bool) {
        match result {
            QueryResult::GetProviders(Ok(GetProvidersOk::FoundProviders { providers, .. })) => {
                if let Some(Pending::Providers { found, .. }) = self.pending.get_mut(&id) {
                    found.extend(providers);
                }
            }
            QueryResult::GetRecord(Ok(GetRecordOk::FoundRecord(found))) => {
                if let Ok(record) = check_endpoint(&found.record.key, &found.record.value) {
                    self.finish_query(&id);
                    if let Some(Pending::Endpoint(reply)) = self.pending.remove(&id) {
                        let _ = reply.send(Ok(Some(record)));
                    }
                }
            }
            // A failed query has reached fewer nodes than it should; what it has found counts all the same.
            _ => {}
        }
        if last && let Some(pending) = self.pending.remove(&id) {
            answer(pending);
        }
    }

    // What the node does by itself.

    fn tick(&mut self) {
        let enough = |pending: &Pending| matches!(pending, Pending::Providers { found, since, .. } if !found.is_empty() && since.elapsed() > ENOUGH);
        let done: Vec<QueryId> = self
            .pending
            .iter()
            .filter(|(_, p)| enough(p))
            .map(|(id, _)| *id)
            .collect();
        for id in done {
            self.finish_query(&id);
            if let Some(pending) = self.pending.remove(&id) {
                answer(pending);
            }
        }
        for _ in 0..RETELL {
            let Some(key) = self.untold.pop() else { break };
            // The key is ours already, so it has room.
            let _ = self.swarm.behaviour_mut().kad.start_providing(key);
        }
        if self.swarm.connected_peers().next().is_none() && self.last_dial.elapsed() > REDIAL {
            self.dial_bootstrap();
        }
    }

    /// Kademlia tells keys again only every [`swarm`]'s refresh interval; the first nodes we meet must not wait for it.
    fn met_new_node(&mut self) {
        let kad = &mut self.swarm.behaviour_mut().kad;
        let known: usize = kad.kbuckets().map(|bucket| bucket.num_entries()).sum();
        if known > SMALL_NETWORK {
            return;
        }
        self.untold = kad
            .store_mut()
            .provided()
            .map(|record| record.key.clone())
            .collect();
        self.publish_endpoint();
    }

    fn publish_endpoint(&mut self) {
        let Some(record) = self.own_record.clone() else {
            return;
        };
        if let Err(error) = self
            .swarm
            .behaviour_mut()
            .kad
            .put_record(record, Quorum::One)
        {
            tracing::warn!(%error, "control plane: own endpoint record not kept");
        }
    }

    fn dial_bootstrap(&mut self) {
        self.last_dial = Instant::now();
        for peer in &self.bootstrap {
            let address = to_multiaddr(peer.address);
            let address = match peer
                .public_key
                .as_ref()
                .and_then(|key| swarm::peer_id(key).ok())
            {
                Some(id) => address.with(libp2p::multiaddr::Protocol::P2p(id)),
                None => address,
            };
            if let Err(error) = self.swarm.dial(address) {
                tracing::debug!(address = %peer.address, %error, "control plane: bootstrap peer not dialled");
            }
        }
    }

    fn finish_query(&mut self, id: &QueryId) {
        if let Some(mut query) = self.swarm.behaviour_mut().kad.query_mut(id) {
            query.finish();
        }
    }
}

fn answer(pending: Pending) {
    match pending {
        Pending::Provide(reply) => drop(reply.send(Ok(()))),
        Pending::Providers { found, reply, .. } => {
            drop(reply.send(Ok(found.into_iter().collect())))
        }
        Pending::Endpoint(reply) => drop(reply.send(Ok(None))),
    }
}

fn own_record(
    swarm: &Swarm<Behaviour>,
    identity: &Identity,
    address: String,
    time_ms: u64,
) -> Result<Record, ControlError> {
    let mut record = EndpointRecord {
        public_key: identity.public_key(),
        time_ms,
        address,
        signature: [0; 64],
    };
    record.signature = identity.sign(&record.signing_bytes())?;
    Ok(Record::new(
        endpoint_key(swarm.local_peer_id()),
        record.encode().to_vec(),
    ))
}

/// Takes the socket and waits until libp2p says which one it is.
async fn listen(
    swarm: &mut Swarm<Behaviour>,
    address: SocketAddr,
) -> Result<SocketAddr, ControlError> {
    let failed = |reason: String| match reason.contains("in use") {
        true => ControlError::PortTaken(address),
        false => ControlError::Bind { address, reason },
    };
    let listener = swarm
        .listen_on(to_multiaddr(address))
        .map_err(|error| match error {
            TransportError::Other(error) => failed(chain(&error)),
            error => failed(error.to_string()),
        })?;
    let listening = tokio::time::timeout(LISTEN_TIMEOUT, listening(swarm, listener)).await;
    listening
        .unwrap_or_else(|_| Err("no address came up".into()))
        .map_err(failed)
}

async fn listening(
    swarm: &mut Swarm<Behaviour>,
    expected: ListenerId,
) -> Result<SocketAddr, String> {
    loop {
        match swarm.select_next_some().await {
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } if listener_id == expected => {
                return swarm::from_multiaddr(&address)
                    .ok_or_else(|| format!("{address} is no UDP address"));
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } if listener_id == expected => {
                return Err(format!("{reason:?}"));
            }
            SwarmEvent::ListenerError { listener_id, error } if listener_id == expected => {
                return Err(error.to_string());
            }
            _ => {}
        }
    }
}

/// The error and its causes: libp2p hides the system's reason behind its own.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}
