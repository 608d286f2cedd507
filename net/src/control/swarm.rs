//! The libp2p swarm, and what a Neo key is in libp2p's terms.

use std::net::SocketAddr;
use std::time::Duration;

use libp2p::identity::{Keypair, ecdsa};
use libp2p::kad::store::{MemoryStore, MemoryStoreConfig};
use libp2p::kad::{self, RecordKey};
use libp2p::multiaddr::Protocol;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{Multiaddr, PeerId, StreamProtocol, Swarm, SwarmBuilder, identify, ping};
use phantasma_wire::PublicKey;
use phantasma_wire::codec::Frame;
use phantasma_wire::endpoint::EndpointRecord;

use crate::{Identity, NetError, identity::compress, verify_signature};

const KAD_PROTOCOL: StreamProtocol = StreamProtocol::new("/phantasma/kad/1");
const IDENTIFY_PROTOCOL: &str = "/phantasma/1";

/// In front of the peer id in the key of an endpoint record, so that no content's id is one.
const ENDPOINT_PREFIX: &[u8] = b"/phantasma/endpoint/";

/// Endpoint records and provider keys kept for others: 100,000 of at most 1 KiB are 100 MiB. libp2p's own limit of
/// 1,024 loses records silently.
const MAX_RECORDS: usize = 100_000;

/// Holders kept for one content: Kademlia's replication factor.
const MAX_PROVIDERS_PER_KEY: usize = super::MAX_PROVIDERS;

/// A query that takes longer ends with what it has.
const QUERY_TIMEOUT: Duration = Duration::from_secs(10);

/// Records live an hour and are told again three times in it, so a dead holder is forgotten within the hour.
const RECORD_LIFE: Duration = Duration::from_secs(3600);
const RECORD_REFRESH: Duration = Duration::from_secs(1200);

/// Connections without a stream are kept so long: a lookup often follows another.
const IDLE_CONNECTION: Duration = Duration::from_secs(60);

#[derive(NetworkBehaviour)]
pub(super) struct Behaviour {
    pub(super) kad: kad::Behaviour<MemoryStore>,
    pub(super) identify: identify::Behaviour,
    pub(super) ping: ping::Behaviour,
}

/// A swarm that does not listen yet.
pub(super) fn build(identity: &Identity) -> Result<Swarm<Behaviour>, String> {
    let swarm =
        SwarmBuilder::with_existing_identity(keypair(identity).map_err(|error| error.to_string())?)
            .with_tokio()
            .with_quic()
            .with_behaviour(|keypair| Behaviour {
                kad: kademlia(keypair.public().to_peer_id()),
                identify: identify::Behaviour::new(identify::Config::new(
                    IDENTIFY_PROTOCOL.into(),
                    keypair.public(),
                )),
                ping: ping::Behaviour::default(),
            })
            .map_err(|error| error.to_string())?
            .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE_CONNECTION))
            .build();
    Ok(swarm)
}

fn kademlia(peer: PeerId) -> kad::Behaviour<MemoryStore> {
    let store = MemoryStoreConfig {
        max_records: MAX_RECORDS,
        max_value_bytes: EndpointRecord::MAX_LEN,
        max_providers_per_key: MAX_PROVIDERS_PER_KEY,
        max_provided_keys: MAX_RECORDS,
    };
    let mut config = kad::Config::new(KAD_PROTOCOL);
    config
        .set_query_timeout(QUERY_TIMEOUT)
        .set_record_ttl(Some(RECORD_LIFE))
        .set_publication_interval(Some(RECORD_REFRESH))
        .set_provider_record_ttl(Some(RECORD_LIFE))
        .set_provider_publication_interval(Some(RECORD_REFRESH))
        // What others put here is checked first.
        .set_record_filtering(kad::StoreInserts::FilterBoth);
    let mut kad = kad::Behaviour::with_config(peer, MemoryStore::with_config(peer, store), config);
    // Without a confirmed public address a node would only ask and never answer.
    kad.set_mode(Some(kad::Mode::Server));
    kad
}

fn keypair(identity: &Identity) -> Result<Keypair, NetError> {
    let secret =
        ecdsa::SecretKey::try_from_bytes(identity.scalar()).map_err(|_| NetError::BadKey)?;
    Ok(ecdsa::Keypair::from(secret).into())
}

/// The peer id of a Neo key. It is a hash, so the way back does not exist.
pub(super) fn peer_id(key: &PublicKey) -> Result<PeerId, String> {
    let key = ecdsa::PublicKey::try_from_bytes(key).map_err(|error| error.to_string())?;
    Ok(libp2p::identity::PublicKey::from(key).to_peer_id())
}

/// The Neo key of a libp2p key, if it is one.
pub(super) fn neo_key(key: libp2p::identity::PublicKey) -> Option<PublicKey> {
    compress(&key.try_into_ecdsa().ok()?.to_bytes())
}

/// Where a peer's endpoint record is kept.
pub(super) fn endpoint_key(peer: &PeerId) -> RecordKey {
    RecordKey::from([ENDPOINT_PREFIX, &peer.to_bytes()].concat())
}

/// The record, if it is one, is signed, and stands at its signer's place.
pub(super) fn check_endpoint(
    key: &RecordKey,
    value: &[u8],
) -> Result<EndpointRecord, &'static str> {
    let record =
        EndpointRecord::decode(bytes::Bytes::copy_from_slice(value)).map_err(|_| "not a record")?;
    let peer = peer_id(&record.public_key).map_err(|_| "not a key")?;
    if endpoint_key(&peer) != *key {
        return Err("another peer's place");
    }
    if !record.is_signed(verify_signature) {
        return Err("not signed by its peer");
    }
    Ok(record)
}

/// `/ip4/1.2.3.4/udp/5/quic-v1`.
pub(super) fn to_multiaddr(address: SocketAddr) -> Multiaddr {
    Multiaddr::from(address.ip())
        .with(Protocol::Udp(address.port()))
        .with(Protocol::QuicV1)
}

/// The way back; `None` for anything but QUIC on an IP address.
pub(super) fn from_multiaddr(address: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match (parts.next()?, parts.next()?) {
        (Protocol::Udp(port), Protocol::QuicV1) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn signed(identity: &Identity) -> EndpointRecord {
        EndpointRecord::sign(identity.public_key(), 7, "1.2.3.4:5".into(), |bytes| {
            identity.sign(bytes).unwrap()
        })
        .unwrap()
    }

    #[test]
    fn an_endpoint_record_counts_at_its_signers_place_only() {
        let (identity, other) = (Identity::random().unwrap(), Identity::random().unwrap());
        let own = endpoint_key(&peer_id(&identity.public_key()).unwrap());
        let others = endpoint_key(&peer_id(&other.public_key()).unwrap());
        let record = signed(&identity);
        assert_eq!(check_endpoint(&own, &record.encode()), Ok(record.clone()));
        assert_eq!(
            check_endpoint(&others, &record.encode()),
            Err("another peer's place")
        );
        let moved = EndpointRecord {
            address: "6.6.6.6:5".into(),
            ..record
        };
        assert_eq!(
            check_endpoint(&own, &moved.encode()),
            Err("not signed by its peer")
        );
        assert_eq!(check_endpoint(&own, b"PHE1"), Err("not a record"));
    }

    #[test]
    fn the_peer_id_of_a_neo_key_is_that_of_its_swarm() {
        let identity = Identity::random().unwrap();
        let pair = keypair(&identity).unwrap();
        assert_eq!(
            pair.public().to_peer_id(),
            peer_id(&identity.public_key()).unwrap()
        );
        assert_eq!(neo_key(pair.public()), Some(identity.public_key()));
    }

    #[test]
    fn addresses_survive_the_way_there_and_back() {
        for text in ["1.2.3.4:5", "[::1]:65535"] {
            let address: SocketAddr = text.parse().unwrap();
            assert_eq!(from_multiaddr(&to_multiaddr(address)), Some(address));
        }
        assert_eq!(from_multiaddr(&"/ip4/1.2.3.4/tcp/5".parse().unwrap()), None);
    }
}
