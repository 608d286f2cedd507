//! Browsers: HTTP and WebSocket, with whole requests over TCP.

use std::pin::Pin;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{SinkExt, StreamExt};
use phantasma_wire::codec::Frame;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{self, Message as Packet};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);
const PAGE: &str = "https://chat.example";

fn settings() -> WebSettings {
    WebSettings {
        listen: "127.0.0.1:0".parse().unwrap(),
        origins: vec![PAGE.to_owned()],
        connections: 100,
        per_address: 50,
        requests_per_s: 1000,
        proxy: false,
    }
}

async fn start(settings: WebSettings) -> Fixture {
    let mut fixture = Fixture::start().await;
    fixture.relay.take().unwrap().shutdown().await;
    fixture.web = Some(settings);
    fixture.relay = Some(Relay::start(fixture.setup()).await.unwrap());
    fixture
}

/// Status, head and body of an answer.
type Answer = (u16, String, String);

impl Fixture {
    fn web_addr(&self) -> SocketAddr {
        self.relay.as_ref().unwrap().web_addr().unwrap()
    }

    async fn ask(&self, head: &str, body: &[u8]) -> Answer {
        let mut stream = TcpStream::connect(self.web_addr()).await.unwrap();
        let length = body.len();
        let head = format!(
            "{head}\r\nhost: relay\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).await.unwrap();
        // A server that refuses early may close before all is sent.
        let _ = stream.write_all(body).await;
        let mut answer = String::new();
        let read = tokio::time::timeout(PATIENCE, stream.read_to_string(&mut answer));
        // Reset instead of closed, when a part of the request was never read.
        let _ = read.await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).unwrap_or("0").parse().unwrap();
        (status, head.to_lowercase(), body.to_owned())
    }

    async fn post(&self, box_id: u64, message: &Message) -> Answer {
        let head = format!("POST /v1/boxes/{box_id}/messages HTTP/1.1");
        self.ask(&head, &bytes_of(message)).await
    }

    async fn socket(&self) -> Socket {
        let url = format!("ws://{}/v1/ws", self.web_addr());
        let (stream, _) = connect_async(url).await.unwrap();
        Socket { stream }
    }

    /// A socket that has said hello.
    async fn greeted(&self) -> Socket {
        let mut socket = self.socket().await;
        let hello = ClientFrame::Hello {
            network: SERVED.network,
            contract: SERVED.contract,
        };
        socket.send(hello).await;
        assert!(matches!(socket.next().await, RelayFrame::Welcome { .. }));
        socket
    }
}

/// As the protocol has it, without the length in front.
fn bytes_of(message: &Message) -> Vec<u8> {
    message.encode()[4..].to_vec()
}

struct Socket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    async fn send(&mut self, frame: ClientFrame) {
        let packet = Packet::Binary(frame.encode());
        self.stream.send(packet).await.unwrap();
    }

    async fn packet(&mut self) -> Option<Result<Packet, tungstenite::Error>> {
        let next = tokio::time::timeout(PATIENCE, self.stream.next());
        next.await.unwrap()
    }

    async fn next(&mut self) -> RelayFrame {
        loop {
            match self.packet().await.unwrap().unwrap() {
                Packet::Binary(bytes) => return RelayFrame::decode(bytes).unwrap(),
                Packet::Ping(_) | Packet::Pong(_) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    /// Reads until the other side ends; the last frame before that.
    async fn last(&mut self) -> Option<RelayFrame> {
        let mut last = None;
        while let Some(Ok(packet)) = self.packet().await {
            if let Packet::Binary(bytes) = packet {
                last = Some(RelayFrame::decode(bytes).unwrap());
            }
        }
        last
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_hears_what_is_published_by_http_and_the_other_way_round() {
    let fixture = start(settings()).await;
    let author = Identity::random().unwrap();
    let kept = message(&author, 1, Class::Durable, 1);
    let (status, _, body) = fixture.post(1, &kept).await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"outcome":"stored","position":1}"#)
    );

    let mut socket = fixture.greeted().await;
    let (request, box_id, from) = (1, 1, Since::Position(1));
    socket
        .send(ClientFrame::Subscribe {
            request,
            box_id,
            from,
        })
        .await;
    let delivered = |position, message: &Message| RelayFrame::Deliver {
        position,
        message: message.clone(),
    };
    assert_eq!(socket.next().await, delivered(1, &kept));
    let outcome = Outcome::Subscribed { position: 1 };
    assert_eq!(socket.next().await, RelayFrame::Ack { request, outcome });

    // As JSON this time, and of another class.
    let live = message(&author, 1, Class::Ephemeral, 2);
    let json = serde_json::json!({"message": STANDARD.encode(bytes_of(&live))}).to_string();
    let head = "POST /v1/messages HTTP/1.1\r\ncontent-type: application/json; charset=utf-8";
    let (status, _, body) = fixture.ask(head, json.as_bytes()).await;
    assert_eq!(
        (status, body.as_str()),
        (200, r#"{"outcome":"delivered","subscribers":1}"#)
    );
    assert_eq!(socket.next().await, delivered(0, &live));

    // From the socket to a client over QUIC, with a receipt.
    let quic = fixture.client().await;
    let mut heard = quic.subscribe(1, Since::Now).await.unwrap();
    let sent = message(&author, 1, Class::Durable, 3);
    let publish = ClientFrame::Publish {
        request: 7,
        message: sent.clone(),
    };
    socket.send(publish).await;
    let mut got = [socket.next().await, socket.next().await];
    got.sort_by_key(|frame| matches!(frame, RelayFrame::Deliver { .. }));
    let outcome = Outcome::Stored { position: 2 };
    assert_eq!(
        got[0],
        RelayFrame::Ack {
            request: 7,
            outcome
        }
    );
    assert_eq!(got[1], delivered(2, &sent));
    assert_eq!(next(&mut heard).await.message, sent);

    let history = |from: u64| format!("GET /v1/boxes/1/messages?from={from} HTTP/1.1");
    let (status, _, body) = fixture.ask(&history(2), b"").await;
    let page: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &page["next"]), (200, &Value::from(3)));
    assert_eq!(page["messages"][0]["position"], 2);
    let text = page["messages"][0]["message"].as_str().unwrap();
    assert_eq!(STANDARD.decode(text).unwrap(), bytes_of(&sent));
    let (_, _, body) = fixture.ask(&history(3), b"").await;
    assert_eq!(body, r#"{"messages":[],"next":3}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_refused_with_its_reason() {
    let fixture = start(settings()).await;
    let author = Identity::random().unwrap();
    let mut forged = message(&author, 1, Class::Durable, 1);
    forged.signature[3] ^= 1;
    let right = message(&author, 1, Class::Durable, 2);
    let nowhere = message(&author, 9, Class::Durable, 3);
    for (box_id, message, status, word) in [
        (1, &forged, 403, "bad_signature"),
        (2, &right, 400, "for box 1, not 2"),
        (9, &nowhere, 404, "unknown_box"),
    ] {
        let (got, _, body) = fixture.post(box_id, message).await;
        assert!(got == status && body.contains(word), "{got} {body}");
    }
    let head = "POST /v1/boxes/1/messages HTTP/1.1";
    let (status, _, _) = fixture.ask(head, b"garbage").await;
    assert_eq!(status, 400);
    let (status, _, _) = fixture.ask(head, &vec![0; 200_000]).await;
    assert_eq!(status, 413);
    let json = format!("{head}\r\ncontent-type: application/json");
    for body in [
        "{",
        "{\"message\":\"%\"}",
        "{\"massage\":\"AA==\"}",
        "{\"message\":\"AA==\"}",
    ] {
        let (status, _, text) = fixture.ask(&json, body.as_bytes()).await;
        assert_eq!(status, 400, "{body}: {text}");
    }
    for (path, expected) in [
        ("/v1/boxes/9/messages", 404),
        ("/v1/boxes/x/messages", 400),
        ("/v1/boxes/1/messages?from=-1", 400),
        ("/v1/boxes/9/events", 404),
        ("/v1/ws", 426),
        ("/healthz", 404),
    ] {
        let (status, _, _) = fixture.ask(&format!("GET {path} HTTP/1.1"), b"").await;
        assert_eq!(status, expected, "{path}");
    }
    assert_eq!(fixture.relay.as_ref().unwrap().intake.log.head(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_breaks_the_protocol_is_told_and_closed() {
    let fixture = start(settings()).await;
    let text = Packet::text("hello");
    let garbage = Packet::binary(vec![9; 10]);
    let long = Packet::binary(vec![1; ClientFrame::MAX_LEN + 1]);
    let ping = Packet::Binary(ClientFrame::Ping { nonce: 1 }.encode());
    for packet in [text, garbage, long, ping] {
        let mut socket = fixture.socket().await;
        // The server may close before all of it is sent.
        let _ = socket.stream.send(packet.clone()).await;
        let last = socket.last().await;
        let told = matches!(
            last,
            Some(RelayFrame::Error {
                request: 0,
                error: RelayError::Protocol,
                ..
            })
        );
        // What is too long is not waited for; the goodbye may be lost with it.
        assert!(told || packet.len() > ClientFrame::MAX_LEN, "{last:?}");
    }
    // In the midst of a session as well.
    let mut socket = fixture.greeted().await;
    socket.stream.send(Packet::text("x")).await.unwrap();
    assert!(matches!(
        socket.last().await,
        Some(RelayFrame::Error { request: 0, .. })
    ));
    let began = Instant::now();
    while fixture.relay.as_ref().unwrap().intake.hub.counts().0 > 0 {
        assert!(began.elapsed() < PATIENCE, "sessions stay behind");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_pages_that_the_operator_named_may_use_it() {
    let fixture = start(settings()).await;
    let get = |origin: &str| format!("GET /v1/boxes/1/messages HTTP/1.1\r\norigin: {origin}");
    let (status, head, _) = fixture.ask(&get(PAGE), b"").await;
    assert!(
        status == 200 && head.contains(&format!("access-control-allow-origin: {PAGE}")),
        "{head}"
    );
    let (status, head, body) = fixture.ask(&get("https://other.example"), b"").await;
    assert!(
        status == 403 && !head.contains("access-control") && !body.contains("messages"),
        "{head}"
    );
    let (status, head, _) = fixture.ask(&get("http://relay"), b"").await;
    assert_eq!(status, 200, "its own page: {head}");
    let ask = format!("OPTIONS /v1/boxes/1/messages HTTP/1.1\r\norigin: {PAGE}");
    let (status, head, _) = fixture.ask(&ask, b"").await;
    assert!(
        status == 204 && head.contains("access-control-allow-headers: content-type"),
        "{head}"
    );
    let socket = "GET /v1/ws HTTP/1.1\r\norigin: https://other.example";
    assert_eq!(fixture.ask(socket, b"").await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_has_so_many_connections_and_requests() {
    let fixture = start(WebSettings {
        per_address: 3,
        requests_per_s: 2,
        ..settings()
    })
    .await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        answers.push(
            fixture
                .ask("GET /v1/boxes/1/messages HTTP/1.1", b"")
                .await
                .0,
        );
    }
    assert!(
        answers[..10].iter().all(|status| *status == 200),
        "{answers:?}"
    );
    assert!(answers[10..].contains(&429), "{answers:?}");
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    // Connections that ask nothing count as well, and give their places back.
    let idle = [fixture.web_addr(); 3].map(TcpStream::connect);
    let mut idle: Vec<_> = futures(idle)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let mut fourth = TcpStream::connect(fixture.web_addr()).await.unwrap();
    let mut byte = [0];
    let closed = tokio::time::timeout(PATIENCE, fourth.read(&mut byte))
        .await
        .unwrap();
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
    idle.clear();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (status, _, _) = fixture.ask("GET /v1/boxes/1/messages HTTP/1.1", b"").await;
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_does_not_read_delays_nobody_and_costs_a_bounded_amount() {
    let fixture = start(settings()).await;
    let mut slow = fixture.greeted().await;
    let (request, box_id, from) = (1, 1, Since::Now);
    let subscribe = ClientFrame::Subscribe {
        request,
        box_id,
        from,
    };
    slow.send(subscribe).await;
    assert!(matches!(slow.next().await, RelayFrame::Ack { .. }));
    let quick = fixture.client().await;
    let author = Identity::random().unwrap();
    let mut heard = quick.subscribe(1, Since::Now).await.unwrap();
    // More than all buffers between take, so that the slow one must lose some.
    for sequence in 1..=400 {
        let mut body = unsigned(&author, 1, Class::Ephemeral, sequence);
        body.payload = vec![0; 60_000].into();
        quick.publish(sign(&author, body)).await.unwrap();
        assert_eq!(next(&mut heard).await.message.body.sequence, sequence);
    }
    let dropped = fixture.metrics().await;
    let line = dropped
        .lines()
        .find(|line| line.starts_with("phantasma_relay_dropped_total "));
    assert!(line.is_some_and(|line| !line.ends_with(" 0")), "{line:?}");
}

/// The next event as its lines.
async fn event(lines: &mut tokio::io::Lines<BufReader<TcpStream>>) -> Vec<String> {
    let mut event = Vec::new();
    loop {
        let line = tokio::time::timeout(PATIENCE, lines.next_line()).await;
        let line = line.unwrap().unwrap().unwrap();
        let is_text =
            line.starts_with("id:") || line.starts_with("data:") || line.starts_with("event:");
        match line.is_empty() {
            true if !event.is_empty() => return event,
            _ if is_text => event.push(line),
            // Head, sizes of chunks, comments.
            _ => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_go_on_where_a_browser_was_and_end_with_the_relay() {
    let mut fixture = start(settings()).await;
    let author = Identity::random().unwrap();
    let client = fixture.client().await;
    for sequence in 1..=3 {
        client
            .publish(message(&author, 1, Class::Durable, sequence))
            .await
            .unwrap();
    }
    let mut stream = TcpStream::connect(fixture.web_addr()).await.unwrap();
    let head = "GET /v1/boxes/1/events?from=1 HTTP/1.1\r\nhost: relay\r\nlast-event-id: 1\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut lines = BufReader::new(stream).lines();
    for position in 2..=3 {
        let event = event(&mut lines).await;
        assert_eq!(event[0], format!("id: {position}"), "{event:?}");
        assert!(event[1].starts_with("data: {\"message\":"), "{event:?}");
    }
    assert_eq!(event(&mut lines).await[0], "event: live");
    client
        .publish(message(&author, 1, Class::Ephemeral, 4))
        .await
        .unwrap();
    let live = event(&mut lines).await;
    assert!(live.len() == 1 && live[0].starts_with("data: "), "{live:?}");

    let mut socket = fixture.greeted().await;
    let stopped: Pin<Box<dyn Future<Output = ()>>> =
        Box::pin(fixture.relay.take().unwrap().shutdown());
    let (last, ()) = tokio::join!(socket.last(), stopped);
    assert!(
        matches!(
            last,
            Some(RelayFrame::Error {
                error: RelayError::Closing,
                ..
            })
        ),
        "{last:?}"
    );
    while tokio::time::timeout(PATIENCE, lines.next_line())
        .await
        .unwrap()
        .is_ok_and(|line| line.is_some())
    {}
}
