//! Two real endpoints on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use phantasma_net::{Connection, Endpoint, Identity, Limits, NetError, Protocol, resolve};
use phantasma_wire::codec::{DecodeError, Frame, Reader, Writer};
use phantasma_wire::merkle::BLOCK_SIZE;
use phantasma_wire::pdfs::{Request, Response};

const SECOND: Duration = Duration::from_secs(1);

fn loopback() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn bind(identity: &Identity) -> Endpoint {
    Endpoint::bind(loopback(), identity, Protocol::pdfs()).unwrap()
}

/// Two endpoints with a connection between them: client's end, server's end.
async fn pair(client: &Endpoint, server: &Endpoint) -> (Connection, Connection) {
    let accept = async { server.accept().await.unwrap().finish().await.unwrap() };
    let (connected, accepted) =
        tokio::join!(client.connect(server.local_addr().unwrap(), None), accept);
    (connected.unwrap(), accepted)
}

#[tokio::test]
async fn both_sides_know_the_others_key() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, accepted) = pair(&client, &server).await;
    assert_eq!(connected.peer(), b.public_key());
    assert_eq!(accepted.peer(), a.public_key());
}

#[tokio::test]
async fn a_peer_with_another_key_than_expected_is_refused() {
    let (a, b, c) = (
        Identity::random().unwrap(),
        Identity::random().unwrap(),
        Identity::random().unwrap(),
    );
    let (client, server) = (bind(&a), bind(&b));
    let address = server.local_addr().unwrap();
    let accept = async { server.accept().await.unwrap().finish().await.unwrap() };
    let (connected, accepted) = tokio::join!(client.connect(address, Some(c.public_key())), accept);
    match connected.unwrap_err() {
        NetError::WrongPeer { got, expected, .. } => {
            assert_eq!((got, expected), (b.public_key(), c.public_key()))
        }
        other => panic!("{other}"),
    }
    let reason = accepted.closed().await;
    assert!(reason.contains("not the expected key"), "{reason}");
    let accept = async { server.accept().await.unwrap().finish().await.unwrap() };
    let (connected, _accepted) =
        tokio::join!(client.connect(address, Some(b.public_key())), accept);
    assert_eq!(connected.unwrap().peer(), b.public_key());
}

#[tokio::test]
async fn a_request_of_a_whole_block_is_answered() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, accepted) = pair(&client, &server).await;
    let data = Bytes::from(vec![7; BLOCK_SIZE]);
    let upload = Request::Upload {
        root: [1; 32],
        block: 3,
        path: vec![[2; 32]],
        data,
    };
    let serve = async {
        let (mut sender, mut receiver) = accepted.accept().await.unwrap();
        let request: Request = receiver.receive().await.unwrap().unwrap();
        assert_eq!(receiver.receive::<Request>().await.unwrap(), None);
        sender.send(&Response::Done).await.unwrap();
        sender.finish().unwrap();
        request
    };
    let (answer, request) = tokio::join!(connected.request::<Response>(&upload), serve);
    assert_eq!((answer.unwrap(), request), (Response::Done, upload));
}

/// A frame as large as one likes: what a peer sends that does not keep to the limits.
struct Oversized(usize);

impl Frame for Oversized {
    const MAX_LEN: usize = usize::MAX;

    fn write(&self, to: &mut Writer) {
        to.raw(&vec![0; self.0]);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        Ok(Oversized(from.rest().len()))
    }
}

#[tokio::test]
async fn a_frame_over_the_limit_is_refused_by_its_length() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, accepted) = pair(&client, &server).await;
    let (mut sender, _receiver) = connected.open().await.unwrap();
    sender.send(&Oversized(Request::MAX_LEN + 1)).await.unwrap();
    let (_sender, mut receiver) = accepted.accept().await.unwrap();
    match receiver.receive::<Request>().await.unwrap_err() {
        NetError::FrameTooLong { len, max } => {
            assert_eq!((len, max), (Request::MAX_LEN + 1, Request::MAX_LEN))
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_lost_connection_says_why() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, accepted) = pair(&client, &server).await;
    let (mut sender, _receiver) = connected.open().await.unwrap();
    sender.send(&Request::Detach).await.unwrap();
    let (_sender, mut receiver) = accepted.accept().await.unwrap();
    assert_eq!(
        receiver.receive::<Request>().await.unwrap(),
        Some(Request::Detach)
    );
    connected.close("gone");
    match receiver.receive::<Request>().await {
        Err(NetError::ConnectionLost(reason)) => assert!(reason.contains("gone"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn another_protocol_is_refused_in_the_handshake() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let client = Endpoint::bind(loopback(), &a, Protocol::relay()).unwrap();
    let server = bind(&b);
    let accept = async { server.accept().await.unwrap().finish().await };
    let (connected, accepted) =
        tokio::join!(client.connect(server.local_addr().unwrap(), None), accept);
    let error = connected.unwrap_err().to_string();
    assert!(error.contains("known protocol"), "{error}");
    assert!(accepted.is_err());
}

#[tokio::test]
async fn a_taken_udp_port_is_named() {
    let identity = Identity::random().unwrap();
    let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let error = Endpoint::bind(address, &identity, Protocol::relay()).unwrap_err();
    let expected = format!(
        "UDP port {} is taken on 127.0.0.1: stop the program that holds it, or listen on another port",
        address.port()
    );
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn nobody_listening_is_told_within_the_timeout() {
    let identity = Identity::random().unwrap();
    let mute = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let limits = Limits {
        handshake_timeout: SECOND,
        ..Limits::default()
    };
    let endpoint = Endpoint::bind(
        loopback(),
        &identity,
        Protocol {
            limits,
            ..Protocol::pdfs()
        },
    )
    .unwrap();
    let error = endpoint
        .connect(mute.local_addr().unwrap(), None)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("did not finish the handshake within 1 s"),
        "{error}"
    );
}

#[tokio::test]
async fn connections_over_the_limit_are_refused() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let limits = Limits {
        max_connections: 1,
        ..Limits::default()
    };
    let server = Endpoint::bind(
        loopback(),
        &b,
        Protocol {
            limits,
            ..Protocol::pdfs()
        },
    )
    .unwrap();
    let address = server.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let mut kept = Vec::new();
        while let Some(incoming) = server.accept().await {
            kept.push(incoming.finish().await);
        }
    });
    let client = bind(&a);
    let first = client.connect(address, None).await.unwrap();
    let refused = client.connect(address, None).await.unwrap_err().to_string();
    assert!(refused.contains("refused"), "{refused}");
    assert!(!first.is_closed());
    accepting.abort();
}

#[tokio::test]
async fn closing_tells_the_peer_why() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, _accepted) = pair(&client, &server).await;
    server.close("the relay is stopping", SECOND).await;
    assert!(connected.closed().await.contains("the relay is stopping"));
    assert!(connected.is_closed());
    assert!(server.accept().await.is_none());
}

#[tokio::test]
async fn a_datagram_arrives() {
    let (a, b) = (Identity::random().unwrap(), Identity::random().unwrap());
    let (client, server) = (bind(&a), bind(&b));
    let (connected, accepted) = pair(&client, &server).await;
    connected.send_datagram(Bytes::from_static(b"now")).unwrap();
    assert_eq!(
        accepted.receive_datagram().await.unwrap(),
        Bytes::from_static(b"now")
    );
    assert!(
        connected
            .send_datagram(Bytes::from(vec![0; 100_000]))
            .is_err()
    );
}

#[tokio::test]
async fn addresses_are_resolved_or_named_in_the_error() {
    assert_eq!(
        resolve("127.0.0.1:7").await.unwrap(),
        "127.0.0.1:7".parse().unwrap()
    );
    let error = resolve("no port").await.unwrap_err().to_string();
    assert!(error.starts_with("no address found for no port"), "{error}");
}

#[tokio::test]
async fn while_many_addresses_are_unproven_a_peer_first_sends_back_a_token() {
    let mut protocol = Protocol::relay();
    protocol.limits.unproven_handshakes = 0;
    let any = loopback();
    let server = Endpoint::bind(any, &Identity::random().unwrap(), protocol).unwrap();
    let address = server.local_addr().unwrap();
    let accepting = tokio::spawn(async move {
        let accepted = server.accept().await.unwrap().finish().await.unwrap();
        (server, accepted)
    });

    // A first packet whose sender never hears of the answer, because its address is not its own.
    let me = Identity::random().unwrap();
    let client = Endpoint::bind(any, &me, Protocol::relay()).unwrap();
    let trap = tokio::net::UdpSocket::bind(any).await.unwrap();
    let mut packet = vec![0; 2048];
    let first = tokio::select! {
        received = trap.recv_from(&mut packet) => received.unwrap().0,
        connected = client.connect(trap.local_addr().unwrap(), None) => panic!("{connected:?}"),
    };
    let victim = tokio::net::UdpSocket::bind(any).await.unwrap();
    victim.send_to(&packet[..first], address).await.unwrap();
    let mut answer = vec![0; 2048];
    let waiting = tokio::time::timeout(10 * SECOND, victim.recv_from(&mut answer));
    let (len, _) = waiting.await.unwrap().unwrap();
    // RFC 9000, section 17.2.5: a long header of type 3.
    assert_eq!(answer[0] & 0xf0, 0xf0, "no retry");
    assert!(len < first, "{len} bytes for {first}");

    // Who sends the token back gets in.
    let _connected = client.connect(address, None).await.unwrap();
    let (_server, accepted) = accepting.await.unwrap();
    assert_eq!(accepted.peer(), me.public_key());
}
