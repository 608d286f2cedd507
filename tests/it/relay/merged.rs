//! Many messages become few transactions, and each stands on the chain once, whatever happens to the relay.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::*;

/// Publishes all at once and waits for the outcomes, in order.
async fn publish_all(
    client: &Arc<RelayClient>,
    messages: &[Message],
) -> Vec<Result<Outcome, RelayClientError>> {
    let mut tasks = Vec::new();
    for message in messages {
        let (client, message) = (client.clone(), message.clone());
        tasks.push(tokio::spawn(async move { client.publish(message).await }));
    }
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

fn txids<'a>(outcomes: impl IntoIterator<Item = &'a Outcome>) -> BTreeSet<[u8; 32]> {
    let txid = |outcome: &Outcome| match outcome {
        Outcome::OnChain { txid, .. } => *txid,
        other => panic!("not on the chain: {other:?}"),
    };
    outcomes.into_iter().map(txid).collect()
}

#[tokio::test]
async fn messages_are_merged_and_one_that_the_contract_refuses_is_told_alone() {
    let world = World::new().await;
    let relay = world.relay();
    let client = Arc::new(world.client(&relay).await);
    let authors: Vec<_> = (0..20).map(|_| PrivateKey::random().unwrap()).collect();
    let first = world.message(&authors[7], Class::OnChain, 9, b"early");
    client.publish(first).await.unwrap();

    let messages: Vec<_> = authors
        .iter()
        .map(|author| world.message(author, Class::OnChain, 5, b"together"))
        .collect();
    let outcomes = publish_all(&client, &messages).await;
    let refused: Vec<_> = outcomes.iter().filter(|one| one.is_err()).collect();
    assert_eq!(refused.len(), 1, "{refused:?}");
    let text = outcomes[7].as_ref().unwrap_err().to_string();
    assert!(text.contains("sequence"), "{text}");
    let written: Vec<_> = outcomes.iter().flatten().collect();
    // A first transaction may leave before all have arrived.
    assert!(txids(written).len() <= 3, "{outcomes:?}");
    assert_eq!(
        world.contract.content_count(world.box_id).await.unwrap(),
        20
    );
}

#[tokio::test]
async fn messages_sent_again_to_a_killed_relay_stand_on_the_chain_once() {
    let world = World::new().await;
    let authors: Vec<_> = (0..8).map(|_| PrivateKey::random().unwrap()).collect();
    let messages: Vec<_> = (0..24)
        .map(|n| world.message(&authors[n % 8], Class::OnChain, n as u64 + 1, b"once"))
        .collect();
    let relay = world.relay();
    let client = Arc::new(world.client(&relay).await);
    let journal = world.folder.path().join("data/chain");
    let kill = async {
        let started = Instant::now();
        while std::fs::read_dir(&journal).unwrap().count() == 0 {
            assert!(started.elapsed() < PATIENCE, "nothing was sent");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        relay.guard.kill();
    };
    let (_, ()) = tokio::join!(publish_all(&client, &messages), kill);

    let relay = world.relay();
    let client = Arc::new(world.client(&relay).await);
    // One after the other: each author's sequence numbers have to arrive in order.
    let mut outcomes = Vec::new();
    for messages in messages.chunks(8) {
        for outcome in publish_all(&client, messages).await {
            outcomes.push(outcome.unwrap());
        }
    }
    let count = world.contract.content_count(world.box_id).await.unwrap();
    assert_eq!(count, messages.len() as u64);
    for (outcome, message) in outcomes.iter().zip(&messages) {
        let Outcome::OnChain { index, .. } = outcome else {
            panic!("{outcome:?}")
        };
        let stored = world.contract.content_at(world.box_id, *index).await;
        assert_eq!(stored.unwrap(), message.body.payload);
    }
}
