//! What a relay delivers, keeps and writes, also over restarts, stops and failures.

use super::*;

#[tokio::test]
async fn a_published_message_reaches_the_subscribers_of_its_box_only() {
    let fixture = Fixture::start().await;
    let (author, one, two) = (
        Identity::random().unwrap(),
        fixture.client().await,
        fixture.client().await,
    );
    let mut first = one.subscribe(1, Since::Now).await.unwrap();
    let mut second = two.subscribe(1, Since::Now).await.unwrap();
    let mut other = two.subscribe(2, Since::Now).await.unwrap();
    let sent = message(&author, 1, Class::Ephemeral, 1);
    assert_eq!(
        one.publish(sent.clone()).await.unwrap(),
        Outcome::Delivered { subscribers: 2 }
    );
    for messages in [&mut first, &mut second] {
        assert_eq!(
            next(messages).await,
            Received {
                position: 0,
                message: sent.clone()
            }
        );
    }
    nothing_more(&mut other).await;
    assert!(fixture.chain.messages().is_empty());
}

#[tokio::test]
async fn a_message_that_comes_twice_is_delivered_once_and_acknowledged_alike() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    for (class, sequence) in [
        (Class::Ephemeral, 1),
        (Class::Durable, 2),
        (Class::OnChain, 3),
    ] {
        let sent = message(&author, 1, class, sequence);
        let (one, two) = tokio::join!(client.publish(sent.clone()), client.publish(sent.clone()));
        let outcome = one.unwrap();
        assert_eq!(two.unwrap(), outcome);
        assert_eq!(client.publish(sent.clone()).await.unwrap(), outcome);
        assert_eq!(next(&mut messages).await.message, sent);
    }
    nothing_more(&mut messages).await;
    assert_eq!(fixture.chain.messages().len(), 1);
}

#[tokio::test]
async fn a_restart_keeps_durable_messages_and_knows_them() {
    let mut fixture = Fixture::start().await;
    let author = Identity::random().unwrap();
    let sent: Vec<_> = (1..=3)
        .map(|n| message(&author, 1, Class::Durable, n))
        .collect();
    let client = fixture.client().await;
    for (position, one) in (1..).zip(&sent) {
        assert_eq!(
            client.publish(one.clone()).await.unwrap(),
            Outcome::Stored { position }
        );
    }
    fixture.restart().await;
    let client = fixture.client().await;
    let mut messages = client.subscribe(1, Since::Position(2)).await.unwrap();
    assert_eq!(
        client.publish(sent[0].clone()).await.unwrap(),
        Outcome::Stored { position: 1 }
    );
    let new = message(&author, 1, Class::Durable, 4);
    assert_eq!(
        client.publish(new.clone()).await.unwrap(),
        Outcome::Stored { position: 4 }
    );
    for (position, expected) in [(2, &sent[1]), (3, &sent[2]), (4, &new)] {
        assert_eq!(
            next(&mut messages).await,
            Received {
                position,
                message: expected.clone()
            }
        );
    }
    nothing_more(&mut messages).await;
}

#[tokio::test]
async fn history_and_live_messages_of_a_busy_box_come_without_gap_or_repetition() {
    let fixture = Fixture::start().await;
    let (author, writer, reader) = (
        Identity::random().unwrap(),
        fixture.client().await,
        fixture.client().await,
    );
    let publish = async {
        for n in 1..=300 {
            writer
                .publish(message(&author, 1, Class::Durable, n))
                .await
                .unwrap();
        }
    };
    let read = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        let mut messages = reader.subscribe(1, Since::Position(1)).await.unwrap();
        for n in 1..=300 {
            let received = next(&mut messages).await;
            assert_eq!((received.position, received.message.body.sequence), (n, n));
        }
    };
    tokio::join!(publish, read);
}

#[tokio::test]
async fn a_reader_that_does_not_read_stalls_nobody_and_still_gets_what_is_kept() {
    let fixture = Fixture::start().await;
    let relay = fixture.relay.as_ref().unwrap();
    let author = Identity::random().unwrap();
    // A client of the bare protocol, so that really nothing is read from its connection.
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &author, Protocol::relay()).unwrap();
    let connection = endpoint.connect(relay.local_addr(), None).await.unwrap();
    let (mut sender, mut receiver) = connection.open().await.unwrap();
    sender
        .send(&ClientFrame::Hello {
            network: SERVED.network,
            contract: SERVED.contract,
        })
        .await
        .unwrap();
    assert!(matches!(
        receiver.receive().await.unwrap(),
        Some(RelayFrame::Welcome { .. })
    ));
    sender
        .send(&ClientFrame::Subscribe {
            request: 1,
            box_id: 1,
            from: Since::Now,
        })
        .await
        .unwrap();
    assert!(matches!(
        receiver.receive().await.unwrap(),
        Some(RelayFrame::Ack { request: 1, .. })
    ));

    let client = fixture.client().await;
    let mut quick = client.subscribe(1, Since::Now).await.unwrap();
    let payload = Bytes::from(vec![0x21; 50 << 10]);
    for n in 1..=200u64 {
        let class = if n % 20 == 0 {
            Class::Durable
        } else {
            Class::Ephemeral
        };
        let large = Unsigned {
            payload: payload.clone(),
            ..unsigned(&author, 1, class, n)
        };
        client.publish(sign(&author, large)).await.unwrap();
        assert_eq!(next(&mut quick).await.message.body.sequence, n);
    }
    let metrics = fixture.metrics().await;
    let dropped = metrics
        .lines()
        .find_map(|line| line.strip_prefix("phantasma_relay_dropped_total "))
        .unwrap();
    assert!(dropped.parse::<u64>().unwrap() > 50, "{dropped}");

    let mut kept = Vec::new();
    while kept.len() < 10 {
        let received = tokio::time::timeout(Duration::from_secs(10), receiver.receive())
            .await
            .unwrap()
            .unwrap();
        if let Some(RelayFrame::Deliver {
            position: 1..,
            message,
        }) = received
        {
            kept.push(message.body.sequence);
        }
    }
    assert_eq!(kept, (1..=10).map(|n| n * 20).collect::<Vec<_>>());
}

#[tokio::test]
async fn writes_to_the_chain_go_in_order_and_carry_their_outcome() {
    let fixture = Fixture::start().await;
    fixture.chain.write_ms.store(20, Ordering::Relaxed);
    let client = fixture.client().await;
    let authors: Vec<_> = (0..6).map(|_| Identity::random().unwrap()).collect();
    let sent: Vec<_> = authors
        .iter()
        .map(|author| message(author, 1, Class::OnChain, 5))
        .collect();
    let published = futures(sent.iter().map(|one| client.publish(one.clone()))).await;
    for (n, outcome) in (0..).zip(published) {
        assert!(matches!(outcome.unwrap(), Outcome::OnChain { index, .. } if index == n));
    }
    assert_eq!(fixture.chain.messages(), sent);
    assert_eq!(fixture.chain.most_at_once.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn without_its_node_a_relay_says_so_and_recovers() {
    let fixture = Fixture::with(Limits {
        chain_timeout: Duration::from_secs(1),
        ..Limits::default()
    })
    .await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    fixture.chain.fail(true);
    let sent = message(&author, 1, Class::OnChain, 1);
    let (error, text) = refusal(client.publish(sent.clone()).await);
    assert_eq!(
        (error, text.as_str()),
        (
            RelayError::Internal,
            "the relay cannot ask the chain: the node is down"
        )
    );
    fixture.chain.fail(false);
    client
        .publish(message(&author, 1, Class::Ephemeral, 1))
        .await
        .unwrap();
    fixture.chain.fail(true);
    assert_eq!(
        refusal(client.publish(sent.clone()).await).0,
        RelayError::Internal
    );
    fixture.chain.fail(false);
    assert!(matches!(
        client.publish(sent).await.unwrap(),
        Outcome::OnChain { index: 0, .. }
    ));
}

#[tokio::test]
async fn a_stop_answers_what_is_in_flight_and_tells_subscribers() {
    let mut fixture = Fixture::start().await;
    fixture.chain.write_ms.store(300, Ordering::Relaxed);
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(2, Since::Now).await.unwrap();
    let relay = fixture.relay.take().unwrap();
    let ops = relay.ops_addr();
    assert!(get(ops, "/healthz").await.starts_with("HTTP/1.1 200"));
    let publish = client.publish(message(&author, 1, Class::OnChain, 1));
    let stop = async {
        tokio::time::sleep(Duration::from_millis(100)).await;
        relay.shutdown().await;
    };
    let (outcome, ()) = tokio::join!(publish, stop);
    assert!(matches!(outcome.unwrap(), Outcome::OnChain { .. }));
    let ended = messages.next().await.unwrap_err();
    assert!(
        matches!(
            ended,
            RelayClientError::Refused {
                error: RelayError::Closing,
                ..
            }
        ),
        "{ended}"
    );
    let error = client
        .publish(message(&author, 1, Class::Ephemeral, 2))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::Closing,
                ..
            }
        ),
        "{error}"
    );
    assert!(tokio::net::TcpStream::connect(ops).await.is_err());
}
