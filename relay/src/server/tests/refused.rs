//! What a relay refuses, and in which words.

use super::*;
use crate::chain::Change;

#[tokio::test]
async fn a_forged_signature_is_refused_and_nobody_gets_the_message() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    let mut forged = message(&author, 1, Class::Durable, 1);
    forged.body.payload = Bytes::from_static(b"\x0c\x05jello");
    assert_eq!(
        refusal(client.publish(forged).await).0,
        RelayError::BadSignature
    );
    let mut stolen = message(&author, 1, Class::Ephemeral, 1);
    stolen.body.author = Identity::random().unwrap().public_key();
    assert_eq!(
        refusal(client.publish(stolen).await).0,
        RelayError::BadSignature
    );
    nothing_more(&mut messages).await;
    assert!(
        fixture
            .metrics()
            .await
            .contains("phantasma_relay_refused_total{error=\"bad_signature\"} 2")
    );
}

#[tokio::test]
async fn a_box_that_does_not_exist_is_refused() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    for class in [Class::Ephemeral, Class::Durable, Class::OnChain] {
        let (error, text) = refusal(client.publish(message(&author, 9, class, 1)).await);
        assert_eq!(
            (error, text.as_str()),
            (RelayError::UnknownBox, "there is no box 9 on the chain")
        );
    }
    let error = client.subscribe(9, Since::Now).await.unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::UnknownBox,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn another_network_or_contract_is_refused_in_hello_and_in_messages() {
    let fixture = Fixture::start().await;
    let error = fixture
        .connect(Served {
            network: 1,
            ..SERVED
        })
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            RelayClientError::Refused {
                error: RelayError::WrongChain,
                ..
            }
        ),
        "{error}"
    );
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let network = Unsigned {
        network: 1,
        ..unsigned(&author, 1, Class::Ephemeral, 1)
    };
    let contract = Unsigned {
        contract: [8; 20],
        ..unsigned(&author, 1, Class::Ephemeral, 1)
    };
    for wrong in [network, contract] {
        assert_eq!(
            refusal(client.publish(sign(&author, wrong)).await).0,
            RelayError::WrongChain
        );
    }
}

#[tokio::test]
async fn an_old_message_is_refused_by_its_time() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let now = system_clock()();
    for time_ms in [now - 301_000, now + 310_000, 0, u64::MAX] {
        let old = Unsigned {
            time_ms,
            ..unsigned(&author, 1, Class::Ephemeral, 1)
        };
        assert_eq!(
            refusal(client.publish(sign(&author, old)).await).0,
            RelayError::WrongTime
        );
    }
}

#[tokio::test]
async fn a_relay_with_another_key_than_expected_gets_nothing() {
    let fixture = Fixture::start().await;
    let (me, address) = (
        Identity::random().unwrap(),
        fixture.relay.as_ref().unwrap().local_addr(),
    );
    let error = RelayClient::connect(address, &me, Some(me.public_key()), SERVED)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expected"), "{error}");
}

#[tokio::test]
async fn the_contracts_fault_reaches_the_publisher_and_a_retry_is_not_delivered_again() {
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let mut messages = client.subscribe(1, Since::Now).await.unwrap();
    client
        .publish(message(&author, 1, Class::OnChain, 5))
        .await
        .unwrap();
    let bad = message(&author, 1, Class::OnChain, 4);
    for _ in 0..2 {
        let (error, text) = refusal(client.publish(bad.clone()).await);
        assert_eq!(
            (error, text.as_str()),
            (RelayError::Fault, "sequence 4 is not above 5")
        );
    }
    assert_eq!(next(&mut messages).await.message.body.sequence, 5);
    assert_eq!(next(&mut messages).await.message.body.sequence, 4);
    nothing_more(&mut messages).await;
}

#[tokio::test]
async fn a_full_chain_queue_refuses_and_takes_the_same_message_later() {
    let fixture = Fixture::with(Limits {
        chain_queue: 1,
        ..Limits::default()
    })
    .await;
    fixture.chain.write_ms.store(300, Ordering::Relaxed);
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let sent: Vec<_> = (1..=4)
        .map(|n| message(&author, 1, Class::OnChain, n))
        .collect();
    let outcomes = futures(sent.iter().map(|one| client.publish(one.clone()))).await;
    let refused: Vec<_> = outcomes
        .into_iter()
        .zip(sent)
        .filter(|(outcome, _)| outcome.is_err())
        .collect();
    assert!((1..=3).contains(&refused.len()), "{}", refused.len());
    for (outcome, message) in refused {
        assert_eq!(refusal(outcome).0, RelayError::Limit);
        assert!(matches!(
            client.publish(message).await.unwrap(),
            Outcome::OnChain { .. }
        ));
    }
}

#[tokio::test]
async fn a_taken_udp_port_is_named() {
    let fixture = Fixture::start().await;
    let taken = fixture.relay.as_ref().unwrap().local_addr();
    let folder = tempfile::tempdir().unwrap();
    let mut setup = fixture.setup();
    setup.listen = taken;
    setup.log.folder = folder.path().to_path_buf();
    let error = Relay::start(setup).await.err().unwrap().to_string();
    assert!(
        error.starts_with(&format!("UDP port {} is taken", taken.port())),
        "{error}"
    );
}

#[tokio::test]
async fn a_client_that_breaks_the_protocol_is_told_and_sent_away() {
    let fixture = Fixture::start().await;
    let identity = Identity::random().unwrap();
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &identity, Protocol::relay()).unwrap();
    let address = fixture.relay.as_ref().unwrap().local_addr();
    let connection = endpoint.connect(address, None).await.unwrap();
    let (mut sender, mut receiver) = connection.open().await.unwrap();
    sender.send(&ClientFrame::Ping { nonce: 1 }).await.unwrap();
    let answer = receiver.receive::<RelayFrame>().await.unwrap();
    assert!(
        matches!(
            answer,
            Some(RelayFrame::Error {
                request: 0,
                error: RelayError::Protocol,
                ..
            })
        ),
        "{answer:?}"
    );
    assert!(matches!(
        receiver.receive::<RelayFrame>().await,
        Ok(None) | Err(_)
    ));
}

#[tokio::test]
async fn more_sessions_than_allowed_are_sent_away() {
    let mut limits = Limits::default();
    limits.hub.max_sessions = 2;
    let fixture = Fixture::with(limits).await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        if let Ok(Ok(client)) =
            tokio::time::timeout(Duration::from_secs(5), fixture.connect(SERVED)).await
        {
            clients.push(client);
        }
    }
    assert_eq!(clients.len(), 2);
    clients.pop().unwrap().close().await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(fixture.connect(SERVED).await.is_ok());
}

#[tokio::test]
async fn a_gate_refuses_whatever_way_a_message_comes_and_what_was_taken_keeps_its_outcome() {
    // `STATE own`: nobody here owns a box.
    const OWNER: [u8; 2] = [0xEA, 3];
    let fixture = Fixture::start().await;
    let (author, client) = (Identity::random().unwrap(), fixture.client().await);
    let early = message(&author, 1, Class::Durable, 1);
    let stored = client.publish(early.clone()).await.unwrap();
    fixture.chain.set_gate(1, &OWNER);
    fixture.chain.tell(Change::Box(1));

    let started = std::time::Instant::now();
    let refused = loop {
        let now = message(&author, 1, Class::Durable, 2);
        match client.publish(now).await {
            Ok(_) => assert!(started.elapsed() < Duration::from_secs(5)),
            refused => break refusal(refused),
        }
    };
    assert_eq!(refused.0, RelayError::NotAllowed);
    assert_eq!(
        refused.1,
        "box 1: the gate refuses this author: the gate refuses"
    );
    let mut letters = client.subscribe(1, Since::Now).await.unwrap();
    for class in [Class::Ephemeral, Class::OnChain] {
        let sent = client.publish(message(&author, 1, class, 3)).await;
        assert_eq!(refusal(sent).0, RelayError::NotAllowed);
    }
    let bodies = [
        (1, Class::Ephemeral),
        (2, Class::Ephemeral),
        (1, Class::Durable),
    ];
    let bodies = bodies.map(|(box_id, class)| unsigned(&author, box_id, class, 4));
    let sign = |bytes: &[u8]| author.sign(bytes).unwrap();
    let batch = phantasma_wire::batch::Batch::sign(bodies.to_vec(), sign).unwrap();
    let outcomes = client.publish_batch(batch).await.unwrap();
    let taken: Vec<bool> = outcomes.iter().map(Result::is_ok).collect();
    assert_eq!(taken, [false, true, false]);
    client
        .cast(message(&author, 1, Class::Ephemeral, 5))
        .await
        .unwrap();
    nothing_more(&mut letters).await;
    // It was taken before the gate changed.
    assert_eq!(client.publish(early).await.unwrap(), stored);
}
