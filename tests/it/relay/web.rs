//! A browser's way to a relay process: HTTP and WebSocket.

use futures_util::{SinkExt, StreamExt};
use phantasma_wire::codec::Frame;
use phantasma_wire::relay::{ClientFrame, RelayFrame};
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message as Packet;

use super::*;

/// A relay with HTTP, and where that is.
fn start(world: &World) -> (RelayProcess, SocketAddr) {
    let mut command = world.command("127.0.0.1:0");
    command.args(["--web", "127.0.0.1:0"]);
    let relay = world.start(command);
    let line = std::fs::read_to_string(world.folder.path().join("relay.out")).unwrap();
    let address = line.trim().rsplit_once(" web ").unwrap().1;
    (relay, address.parse().unwrap())
}

#[tokio::test]
async fn a_socket_hears_what_http_publishes_and_a_killed_relay_still_has_it() {
    let world = World::new().await;
    let (relay, web) = start(&world);
    let (mut socket, _) = connect_async(format!("ws://{web}/v1/ws")).await.unwrap();
    let frames = [
        ClientFrame::Hello {
            network: NETWORK_MAGIC,
            contract: world.deployed.hash.0,
        },
        ClientFrame::Subscribe {
            request: 1,
            box_id: world.box_id,
            from: Since::Position(1),
        },
    ];
    for frame in frames {
        socket.send(Packet::Binary(frame.encode())).await.unwrap();
    }
    let mut next = async || loop {
        let packet = tokio::time::timeout(PATIENCE, socket.next()).await;
        if let Packet::Binary(bytes) = packet.unwrap().unwrap().unwrap() {
            return RelayFrame::decode(bytes).unwrap();
        }
    };
    assert!(matches!(next().await, RelayFrame::Welcome { .. }));
    let outcome = Outcome::Subscribed { position: 0 };
    assert_eq!(
        next().await,
        RelayFrame::Ack {
            request: 1,
            outcome
        }
    );

    let author = PrivateKey::random().unwrap();
    let url = format!("http://{web}/v1/boxes/{}/messages", world.box_id);
    let http = reqwest::Client::new();
    let post = async |message: &Message| {
        let bytes = message.encode().slice(4..);
        let sent = http.post(&url).body(bytes).send().await.unwrap();
        (sent.status().as_u16(), sent.text().await.unwrap())
    };
    let kept = world.message(&author, Class::Durable, 1, b"from a page");
    let (status, receipt) = post(&kept).await;
    assert_eq!(
        (status, receipt.as_str()),
        (200, r#"{"outcome":"stored","position":1}"#)
    );
    let position = 1;
    let message = kept.clone();
    assert_eq!(next().await, RelayFrame::Deliver { position, message });
    let on_chain = world.message(&author, Class::OnChain, 2, b"for ever");
    let (status, receipt) = post(&on_chain).await;
    assert!(status == 200 && receipt.contains("on_chain"), "{receipt}");
    assert_eq!(world.contract.content_count(world.box_id).await.unwrap(), 1);
    let mut forged = world.message(&author, Class::Durable, 3, b"forged");
    forged.signature[0] ^= 1;
    let (status, refusal) = post(&forged).await;
    assert!(
        status == 403 && refusal.contains("bad_signature"),
        "{refusal}"
    );

    relay.guard.kill();
    let (_relay, web) = start(&world);
    let url = format!("http://{web}/v1/boxes/{}/messages?from=1", world.box_id);
    let page: serde_json::Value =
        serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    assert_eq!(page["messages"].as_array().unwrap().len(), 1, "{page}");
    assert_eq!(
        (&page["messages"][0]["position"], &page["next"]),
        (&1.into(), &2.into())
    );
}
