//! One UDP socket that opens and accepts authenticated QUIC connections.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use phantasma_wire::PublicKey;
use phantasma_wire::codec::Frame;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{AckFrequencyConfig, IdleTimeout, MtuDiscoveryConfig, SendDatagramError, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::tls;
use crate::window::BoundedCubic;
use crate::{FrameReceiver, FrameSender, Identity, NetError};

/// Closing code of an orderly end.
const CLOSE_OK: u32 = 0;

/// Closing code after the handshake when the peer is somebody else.
const CLOSE_WRONG_PEER: u32 = 1;

/// What an endpoint lets its peers take.
///
/// Worst case of memory: `max_connections × (connection_window + 2 × datagram_buffer)` bytes received and not yet read, or
/// not yet sent.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections at once; more are refused before the handshake.
    pub max_connections: usize,
    /// Streams that one peer may have open at once.
    pub max_streams: u32,
    /// Bytes that a peer may send on one stream before they are read.
    pub stream_window: u32,
    /// Bytes that a peer may send on all streams before they are read.
    pub connection_window: u32,
    /// A handshake that takes longer is given up.
    pub handshake_timeout: Duration,
    /// A connection on which nothing arrives for so long is gone.
    pub idle_timeout: Duration,
    /// The side that connected says so often that it is there: a third of the idle timeout survives two lost packets.
    pub keep_alive: Duration,
    /// An answer to [`Connection::request`] that takes longer is given up.
    pub answer_timeout: Duration,
    /// Bytes of datagrams that wait to be sent, and as many that wait to be received, on each connection. New ones push
    /// out the oldest.
    pub datagram_buffer: usize,
    /// Largest UDP payload that is tried on a path; what the path takes is found out by probing (RFC 8899).
    pub max_packet: u16,
    /// Handshakes at once with peers whose address is not proven. While there are more, a new peer first has to send
    /// back a token (RFC 9000, section 8.1.2), which a spoofed address cannot.
    pub unproven_handshakes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            max_streams: 64,
            // Four blocks of 256 KiB: 1 MiB in flight is 80 Mbit/s at 100 ms.
            stream_window: 1 << 20,
            connection_window: 8 << 20,
            handshake_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            datagram_buffer: 256 << 10,
            max_packet: ETHERNET,
            // A handshake takes half a millisecond of work: 64 of them are what a core does in 30 ms.
            unproven_handshakes: 64,
        }
    }
}

/// What Ethernet carries of UDP over IPv4.
const ETHERNET: u16 = 1472;

/// For paths that carry more, such as loopback and jumbo frames: ten packets, which is what one call sends, stay below the
/// 65,507 bytes that a call can send.
const TEN_IN_ONE_CALL: u16 = 6500;

/// Packets after which a peer should acknowledge, and how long it may wait with fewer: an acknowledgement costs both sides
/// about as much as a packet.
const ACKNOWLEDGE_AFTER: u32 = 10;
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(5);

/// Bytes that the system is at least asked to hold for a socket while the program is busy, each way: at 1 GB/s two
/// milliseconds. It may give less; Linux gives at most `net.core.rmem_max` and `wmem_max`.
const SOCKET_BUFFER: usize = 2 << 20;

/// Packets that the system keeps back for peers whose handshake has not been taken up: of one, and of all.
const INCOMING_BYTES: u64 = 64 << 10;
const INCOMING_BYTES_IN_ALL: u64 = 16 << 20;

/// What is spoken on an endpoint: the TLS protocol name, which both sides must share, and the limits.
#[derive(Debug, Clone)]
pub struct Protocol {
    pub alpn: &'static [u8],
    pub limits: Limits,
}

impl Protocol {
    /// Messages: one long stream a client, so little memory each.
    pub fn relay() -> Self {
        let limits = Limits {
            max_streams: 4,
            connection_window: 1 << 20,
            max_packet: TEN_IN_ONE_CALL,
            ..Limits::default()
        };
        Self {
            alpn: phantasma_wire::relay::ALPN,
            limits,
        }
    }

    /// Relays among themselves: one long stream each, few of them, and each may bring a whole log.
    pub fn relay_link() -> Self {
        let limits = Limits {
            max_connections: 64,
            max_streams: 1,
            stream_window: 4 << 20,
            connection_window: 4 << 20,
            max_packet: TEN_IN_ONE_CALL,
            ..Limits::default()
        };
        Self {
            alpn: phantasma_wire::relay::LINK_ALPN,
            limits,
        }
    }

    /// Blocks: one short stream a request.
    pub fn pdfs() -> Self {
        let limits = Limits {
            max_packet: TEN_IN_ONE_CALL,
            ..Limits::default()
        };
        Self {
            alpn: phantasma_wire::pdfs::ALPN,
            limits,
        }
    }
}

/// A UDP socket for one protocol under one key. Clones share it.
#[derive(Debug, Clone)]
pub struct Endpoint {
    inner: quinn::Endpoint,
    limits: Arc<Limits>,
    max_connections: Arc<AtomicUsize>,
    /// One permit for each handshake that may run with an unproven address.
    unproven: Arc<Semaphore>,
}

impl Endpoint {
    /// Takes the UDP port (0: any free one). Must be called inside a tokio runtime.
    pub fn bind(
        address: SocketAddr,
        identity: &Identity,
        protocol: Protocol,
    ) -> Result<Self, NetError> {
        let tls_error =
            |error: quinn::crypto::rustls::NoInitialCipherSuite| NetError::Tls(error.to_string());
        let transport = Arc::new(transport(&protocol.limits));

        let server = tls::server_config(identity, protocol.alpn)?;
        let server = QuicServerConfig::try_from(server).map_err(tls_error)?;
        let mut server = quinn::ServerConfig::with_crypto(Arc::new(server));
        server
            .transport_config(Arc::clone(&transport))
            .max_incoming(protocol.limits.max_connections)
            .incoming_buffer_size(INCOMING_BYTES)
            .incoming_buffer_size_total(INCOMING_BYTES_IN_ALL);

        let client = tls::client_config(identity, protocol.alpn)?;
        let client = QuicClientConfig::try_from(client).map_err(tls_error)?;
        let mut client = quinn::ClientConfig::new(Arc::new(client));
        client.transport_config(transport);

        let socket = std::net::UdpSocket::bind(address).map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => NetError::PortTaken(address),
            _ => NetError::Bind { address, error },
        })?;
        enlarge_buffers(&socket, &protocol.limits);
        let mut config = quinn::EndpointConfig::default();
        config
            .max_udp_payload_size(protocol.limits.max_packet)
            .map_err(|error| NetError::Tls(error.to_string()))?;
        let runtime = Arc::new(quinn::TokioRuntime);
        let inner = quinn::Endpoint::new(config, Some(server), socket, runtime);
        let mut inner = inner.map_err(|error| NetError::Bind { address, error })?;
        inner.set_default_client_config(client);
        Ok(Self {
            inner,
            max_connections: Arc::new(AtomicUsize::new(protocol.limits.max_connections)),
            unproven: Arc::new(Semaphore::new(protocol.limits.unproven_handshakes)),
            limits: Arc::new(protocol.limits),
        })
    }

    /// The address that was really taken.
    pub fn local_addr(&self) -> Result<SocketAddr, NetError> {
        let unknown = SocketAddr::from(([0, 0, 0, 0], 0));
        self.inner.local_addr().map_err(|error| NetError::Bind {
            address: unknown,
            error,
        })
    }

    /// Opens a connection. When `expected` is given and the peer proves another key, nothing is sent to it.
    pub async fn connect(
        &self,
        address: SocketAddr,
        expected: Option<PublicKey>,
    ) -> Result<Connection, NetError> {
        // The name is not sent (no SNI) and not checked: the key is the name.
        let connecting = self.inner.connect(address, "phantasma");
        let connecting = connecting.map_err(|error| NetError::Connect {
            address,
            reason: error.to_string(),
        })?;
        let connection = self.handshake(address, connecting).await?;
        match expected {
            Some(expected) if expected != connection.peer => {
                connection
                    .inner
                    .close(VarInt::from_u32(CLOSE_WRONG_PEER), b"not the expected key");
                Err(NetError::WrongPeer {
                    address,
                    got: connection.peer,
                    expected,
                })
            }
            _ => Ok(connection),
        }
    }

    /// Waits for the next peer. Finish its handshake in a task of its own, or one slow peer holds up all others.
    /// `None` after [`Endpoint::close`].
    pub async fn accept(&self) -> Option<Incoming> {
        loop {
            let incoming = self.inner.accept().await?;
            let max = self.max_connections.load(Ordering::Relaxed);
            if self.inner.open_connections() >= max {
                tracing::warn!(peer = %incoming.remote_address(), max, "too many connections");
                incoming.refuse();
                continue;
            }
            let unproven = match incoming.remote_address_validated() {
                true => None,
                false => match Arc::clone(&self.unproven).try_acquire_owned() {
                    Ok(permit) => Some(permit),
                    Err(_) => {
                        // The only error is that this peer has answered a retry, and then its address is proven.
                        let _ = incoming.retry();
                        continue;
                    }
                },
            };
            return Some(Incoming {
                incoming,
                endpoint: self.clone(),
                _unproven: unproven,
            });
        }
    }

    /// From now on [`Limits::max_connections`] is another; open ones stay.
    pub fn set_max_connections(&self, max: usize) {
        self.max_connections.store(max, Ordering::Relaxed);
    }

    /// Connections that are open now.
    pub fn open_connections(&self) -> usize {
        self.inner.open_connections()
    }

    /// Ends all connections and waits, at most `grace`, until the peers know.
    pub async fn close(&self, reason: &str, grace: Duration) {
        self.inner
            .close(VarInt::from_u32(CLOSE_OK), reason.as_bytes());
        if tokio::time::timeout(grace, self.inner.wait_idle())
            .await
            .is_err()
        {
            tracing::debug!("some peers did not confirm the end of their connection");
        }
    }

    async fn handshake(
        &self,
        address: SocketAddr,
        connecting: impl Future<Output = Result<quinn::Connection, quinn::ConnectionError>>,
    ) -> Result<Connection, NetError> {
        let limit = self.limits.handshake_timeout;
        let inner = tokio::time::timeout(limit, connecting)
            .await
            .map_err(|_| NetError::HandshakeTimeout {
                address,
                seconds: limit.as_secs(),
            })?
            .map_err(|error| NetError::Connect {
                address,
                reason: error.to_string(),
            })?;
        let peer = peer_key(&inner).ok_or(NetError::NoPeerKey)?;
        Ok(Connection {
            inner,
            peer,
            answer_timeout: self.limits.answer_timeout,
        })
    }
}

/// A peer that has not shown its key yet.
#[derive(Debug)]
pub struct Incoming {
    incoming: quinn::Incoming,
    endpoint: Endpoint,
    /// Given back when the handshake has ended.
    _unproven: Option<OwnedSemaphorePermit>,
}

impl Incoming {
    pub fn remote_address(&self) -> SocketAddr {
        self.incoming.remote_address()
    }

    /// Finishes the handshake; after it the peer's key is known.
    pub async fn finish(self) -> Result<Connection, NetError> {
        let address = self.incoming.remote_address();
        let connecting = self.incoming.accept();
        let connecting = connecting.map_err(|error| NetError::Connect {
            address,
            reason: error.to_string(),
        })?;
        self.endpoint.handshake(address, connecting).await
    }
}

/// A connection whose other end has proved its key. Clones share it.
#[derive(Debug, Clone)]
pub struct Connection {
    inner: quinn::Connection,
    peer: PublicKey,
    answer_timeout: Duration,
}

impl Connection {
    /// The peer's Neo key.
    pub fn peer(&self) -> PublicKey {
        self.peer
    }

    pub fn remote_address(&self) -> SocketAddr {
        self.inner.remote_address()
    }

    /// Opens a stream. The peer sees it with the first frame.
    pub async fn open(&self) -> Result<(FrameSender, FrameReceiver), NetError> {
        let (send, receive) = self.inner.open_bi().await.map_err(lost)?;
        Ok((FrameSender::new(send), FrameReceiver::new(receive)))
    }

    /// Waits for a stream that the peer opens.
    pub async fn accept(&self) -> Result<(FrameSender, FrameReceiver), NetError> {
        let (send, receive) = self.inner.accept_bi().await.map_err(lost)?;
        Ok((FrameSender::new(send), FrameReceiver::new(receive)))
    }

    /// One request and its answer on a stream of their own.
    pub async fn request<A: Frame>(&self, request: &impl Frame) -> Result<A, NetError> {
        let exchange = async {
            let (mut sender, mut receiver) = self.open().await?;
            sender.send(request).await?;
            sender.finish()?;
            receiver.receive().await?.ok_or(NetError::UnexpectedEnd)
        };
        let seconds = self.answer_timeout.as_secs();
        tokio::time::timeout(self.answer_timeout, exchange)
            .await
            .map_err(|_| NetError::AnswerTimeout { seconds })?
    }

    /// Sends bytes that may be lost. Fails when they do not fit a packet (about 1,200 bytes).
    pub fn send_datagram(&self, bytes: Bytes) -> Result<(), NetError> {
        self.inner
            .send_datagram(bytes)
            .map_err(|error| NetError::ConnectionLost(error.to_string()))
    }

    /// Bytes of the largest datagram that the path takes now; `None` when the peer takes none.
    pub fn max_datagram(&self) -> Option<usize> {
        self.inner.max_datagram_size()
    }

    /// Puts a datagram into the sending queue, of which the oldest give way when it is full
    /// ([`Limits::datagram_buffer`]). Never waits and never copies.
    pub fn offer_datagram(&self, bytes: &Bytes) -> Offered {
        let full = self.inner.datagram_send_buffer_space() < bytes.len();
        match self.inner.send_datagram(bytes.clone()) {
            Ok(()) if full => Offered::QueuedForOlder,
            Ok(()) => Offered::Queued,
            Err(SendDatagramError::TooLarge | SendDatagramError::UnsupportedByPeer) => {
                Offered::DoesNotFit
            }
            Err(SendDatagramError::Disabled) => Offered::DoesNotFit,
            Err(SendDatagramError::ConnectionLost(_)) => Offered::Lost,
        }
    }

    /// Waits for a datagram.
    pub async fn receive_datagram(&self) -> Result<Bytes, NetError> {
        self.inner.read_datagram().await.map_err(lost)
    }

    /// Ends the connection at once; what is not yet sent is lost.
    pub fn close(&self, reason: &str) {
        self.inner
            .close(VarInt::from_u32(CLOSE_OK), reason.as_bytes());
    }

    /// Waits until the connection ends, and says why.
    pub async fn closed(&self) -> String {
        self.inner.closed().await.to_string()
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        self.inner.close_reason().is_some()
    }
}

/// What became of [`Connection::offer_datagram`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Offered {
    Queued,
    /// It waits, and at least one older one was dropped for it.
    QueuedForOlder,
    /// The path or the peer takes no datagram of this size: use a stream.
    DoesNotFit,
    /// The connection has ended.
    Lost,
}

/// The first address of `host:port`.
pub async fn resolve(address: &str) -> Result<SocketAddr, NetError> {
    let failed = |reason: String| NetError::Resolve {
        address: address.to_owned(),
        reason,
    };
    let mut found = tokio::net::lookup_host(address)
        .await
        .map_err(|error| failed(error.to_string()))?;
    found
        .next()
        .ok_or_else(|| failed("the name has no address".into()))
}

fn lost(error: quinn::ConnectionError) -> NetError {
    NetError::ConnectionLost(error.to_string())
}

fn peer_key(connection: &quinn::Connection) -> Option<PublicKey> {
    let shown = connection.peer_identity()?;
    let shown = shown
        .downcast::<Vec<rustls::pki_types::CertificateDer<'static>>>()
        .ok()?;
    tls::key_of_spki(shown.first()?)
}

/// Asks for room for what one peer may have on its way: a packet that finds none is lost whenever the program is busy for
/// a moment, and losses of large packets are taken for a path that carries only small ones. A system that gives no more
/// still works.
fn enlarge_buffers(socket: &std::net::UdpSocket, limits: &Limits) {
    let bytes = SOCKET_BUFFER.max(limits.connection_window as usize);
    let socket = socket2::SockRef::from(socket);
    let asked = socket
        .set_recv_buffer_size(bytes)
        .and_then(|()| socket.set_send_buffer_size(bytes));
    if let Err(error) = asked {
        tracing::debug!(%error, bytes, "the socket keeps the system's buffers");
    }
}

fn transport(limits: &Limits) -> quinn::TransportConfig {
    let mut transport = quinn::TransportConfig::default();
    let mut paths = MtuDiscoveryConfig::default();
    paths.upper_bound(limits.max_packet);
    let mut acknowledgements = AckFrequencyConfig::default();
    acknowledgements
        .ack_eliciting_threshold(VarInt::from_u32(ACKNOWLEDGE_AFTER))
        .max_ack_delay(Some(ACKNOWLEDGE_WITHIN));
    transport
        .mtu_discovery_config(Some(paths))
        .congestion_controller_factory(Arc::new(BoundedCubic))
        .ack_frequency_config(Some(acknowledgements))
        .max_concurrent_bidi_streams(VarInt::from_u32(limits.max_streams))
        .max_concurrent_uni_streams(VarInt::from_u32(0))
        .stream_receive_window(VarInt::from_u32(limits.stream_window))
        .receive_window(VarInt::from_u32(limits.connection_window))
        .send_window(u64::from(limits.connection_window))
        .keep_alive_interval(Some(limits.keep_alive))
        .datagram_receive_buffer_size(Some(limits.datagram_buffer))
        .datagram_send_buffer_size(limits.datagram_buffer)
        // A timeout too large for the protocol means none, which no caller asks for; the default then stays.
        .max_idle_timeout(IdleTimeout::try_from(limits.idle_timeout).ok());
    transport
}
