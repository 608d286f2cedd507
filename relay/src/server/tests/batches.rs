//! Messages under one signature, and messages in datagrams.

use phantasma_wire::batch::Batch;

use super::*;

fn batch(author: &Identity, class: Class, sequences: std::ops::RangeInclusive<u64>) -> Batch {
    let bodies = sequences.map(|sequence| unsigned(author, 1, class, sequence));
    Batch::sign(bodies.collect(), |bytes| author.sign(bytes).unwrap()).unwrap()
}

#[tokio::test]
async fn each_message_of_a_batch_is_delivered_with_its_path_and_answered_by_itself() {
    let fixture = Fixture::start().await;
    let (publisher, reader) = (fixture.client().await, fixture.client().await);
    let mut letters = reader.subscribe(1, Since::Now).await.unwrap();
    let author = Identity::random().unwrap();
    let outcomes = publisher
        .publish_batch(batch(&author, Class::Ephemeral, 1..=100))
        .await
        .unwrap();
    assert_eq!(outcomes.len(), 100);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), Outcome::Delivered { subscribers: 1 });
    }
    let mut sequences = Vec::new();
    for _ in 0..100 {
        let received = next(&mut letters).await;
        assert!(received.message.batch.is_some());
        assert_eq!(received.position, 0);
        sequences.push(received.message.body.sequence);
    }
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=100).collect::<Vec<_>>());
    let metrics = fixture.metrics().await;
    assert!(
        metrics.contains(r#"accepted_total{class="ephemeral"} 100"#),
        "{metrics}"
    );
}

#[tokio::test]
async fn a_durable_batch_is_kept_message_by_message_also_over_a_restart() {
    let mut fixture = Fixture::start().await;
    let author = Identity::random().unwrap();
    let stored = batch(&author, Class::Durable, 1..=256);
    for _ in 0..2 {
        let client = fixture.client().await;
        let outcomes = client.publish_batch(stored.clone()).await.unwrap();
        for (position, outcome) in (1..).zip(outcomes) {
            assert_eq!(outcome.unwrap(), Outcome::Stored { position });
        }
        fixture.restart().await;
    }
    let client = fixture.client().await;
    let mut letters = client.subscribe(1, Since::Position(1)).await.unwrap();
    for position in 1..=256 {
        let received = next(&mut letters).await;
        assert_eq!(
            (received.position, received.message.body.sequence),
            (position, position)
        );
    }
    nothing_more(&mut letters).await;
}

#[tokio::test]
async fn what_was_in_a_batch_and_comes_alone_is_the_same_message() {
    let fixture = Fixture::start().await;
    let client = fixture.client().await;
    let mut letters = client.subscribe(1, Since::Now).await.unwrap();
    let author = Identity::random().unwrap();
    let body = unsigned(&author, 1, Class::Ephemeral, 1);
    let sign = |bytes: &[u8]| author.sign(bytes).unwrap();
    // Twice in one batch, and once more alone.
    let twice = Batch::sign(vec![body.clone(), body.clone()], sign).unwrap();
    for outcome in client.publish_batch(twice).await.unwrap() {
        outcome.unwrap();
    }
    client.publish(body.sign(sign).unwrap()).await.unwrap();
    next(&mut letters).await;
    nothing_more(&mut letters).await;
}

#[tokio::test]
async fn a_batch_with_a_wrong_signature_or_an_old_message_is_refused_as_a_whole() {
    let fixture = Fixture::start().await;
    let client = fixture.client().await;
    let mut letters = client.subscribe(1, Since::Position(1)).await.unwrap();
    let author = Identity::random().unwrap();
    let bodies: Vec<_> = (1..=3)
        .map(|sequence| unsigned(&author, 1, Class::Durable, sequence))
        .collect();
    let forged = Batch::sign(bodies.clone(), |_| [7; 64]).unwrap();
    let mut old = bodies.clone();
    old[2].time_ms -= 3_600_000;
    let old = Batch::sign(old, |bytes| author.sign(bytes).unwrap()).unwrap();
    for (batch, expected) in [
        (forged, RelayError::BadSignature),
        (old, RelayError::WrongTime),
    ] {
        let outcomes = client.publish_batch(batch).await.unwrap();
        assert_eq!(outcomes.len(), 3);
        for outcome in outcomes {
            assert_eq!(refusal(outcome).0, expected);
        }
    }
    nothing_more(&mut letters).await;
}

#[tokio::test]
async fn a_message_of_a_batch_that_is_for_the_chain_is_refused() {
    let fixture = Fixture::start().await;
    let client = fixture.client().await;
    let author = Identity::random().unwrap();
    let messages = batch(&author, Class::Ephemeral, 1..=2).into_messages(|_, _, _| true);
    let mut message = messages.unwrap().remove(0).1;
    message.body.class = Class::OnChain;
    let (error, text) = refusal(client.publish(message).await);
    assert_eq!(error, RelayError::BadSignature);
    assert!(text.contains("alone"), "{text}");
}

#[tokio::test]
async fn a_cast_message_arrives_whether_it_fits_a_datagram_or_not() {
    let fixture = Fixture::start().await;
    let (publisher, reader) = (fixture.client().await, fixture.client().await);
    let mut letters = reader.subscribe(1, Since::Now).await.unwrap();
    let author = Identity::random().unwrap();
    for (sequence, len) in [(1, 10), (2, 60_000)] {
        let mut body = unsigned(&author, 1, Class::Ephemeral, sequence);
        body.payload = Bytes::from(vec![0; len]);
        publisher.cast(sign(&author, body)).await.unwrap();
        let received = next(&mut letters).await;
        assert_eq!(
            (
                received.message.body.sequence,
                received.message.body.payload.len()
            ),
            (sequence, len)
        );
    }
}

#[tokio::test]
async fn who_casts_forged_messages_is_sent_away_and_others_are_not() {
    let fixture = Fixture::start().await;
    let (forger, honest) = (fixture.client().await, fixture.client().await);
    let mut letters = honest.subscribe(1, Since::Now).await.unwrap();
    let author = Identity::random().unwrap();
    let mut ended = false;
    for sequence in 0..1000 {
        let mut forged = message(&author, 1, Class::Ephemeral, sequence);
        forged.signature = [9; 64];
        if forger.cast(forged).await.is_err() {
            ended = true;
            break;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert!(ended, "the forger could go on");
    honest
        .publish(message(&author, 1, Class::Ephemeral, 1))
        .await
        .unwrap();
    assert_eq!(next(&mut letters).await.message.body.sequence, 1);
    nothing_more(&mut letters).await;
}

#[tokio::test]
async fn datagrams_that_are_no_ephemeral_message_are_dropped() {
    let fixture = Fixture::start().await;
    let client = fixture.client().await;
    let mut letters = client.subscribe(1, Since::Position(1)).await.unwrap();
    let author = Identity::random().unwrap();
    client
        .cast(message(&author, 1, Class::Durable, 1))
        .await
        .unwrap();
    nothing_more(&mut letters).await;
    client
        .publish(message(&author, 1, Class::Durable, 2))
        .await
        .unwrap();
    assert_eq!(next(&mut letters).await.message.body.sequence, 2);
    let metrics = fixture.metrics().await;
    assert!(
        metrics.contains(r#"refused_total{error="protocol"} 1"#),
        "{metrics}"
    );
}
