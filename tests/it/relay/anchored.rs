//! Kept messages lead to an anchor on a real chain, also when the relay is killed on the way.

use phantasma_sdk::relay::{AnchorCheckError, check_anchor};

use super::*;

/// The same relay with a box of its own for anchors, one each second.
async fn with_anchors(world: &World) -> (PathBuf, u64) {
    let payer = Wallet::open(wallet_of(world.folder.path())).unwrap();
    let address = payer.default_account().unwrap().address.clone();
    let payer = payer.decrypt(&address, PASSWORD).unwrap();
    let fee = 10_0000_0000;
    let to = &payer.script_hash;
    let sent = world.contract.transfer(&world.deployed.owner, to, fee);
    sent.await.unwrap();
    let gate = free_gate();
    let made = world.contract.create_box(&payer, "anchors", &gate);
    let (box_id, _) = made.await.unwrap();
    let config = world.folder.path().join("relay.toml");
    let text = format!("[anchor]\nbox_id = {box_id}\nevery_s = 1\n");
    std::fs::write(&config, text).unwrap();
    (config, box_id)
}

async fn proof_of(client: &RelayClient, position: u64) -> phantasma_sdk::relay::AnchorProof {
    let started = Instant::now();
    loop {
        match client.prove(position).await {
            Ok(proof) => return proof,
            Err(error) => assert!(started.elapsed() < PATIENCE, "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn kept_messages_lead_to_an_anchor_on_the_chain_and_others_do_not() {
    let world = World::new().await;
    let (config, box_id) = with_anchors(&world).await;
    let relay = world.relay_with(&config);
    let client = world.client(&relay).await;
    let author = PrivateKey::random().unwrap();
    let messages: Vec<_> = (1..=20)
        .map(|n| world.message(&author, Class::Durable, n, b"keep me"))
        .collect();
    for message in &messages[..10] {
        client.publish(message.clone()).await.unwrap();
    }
    relay.guard.kill();

    let relay = world.relay_with(&config);
    let client = world.client(&relay).await;
    for message in &messages[10..] {
        client.publish(message.clone()).await.unwrap();
    }
    for (position, message) in (1..).zip(&messages) {
        let proof = proof_of(&client, position).await;
        assert_eq!(proof.box_id, box_id);
        let checked = check_anchor(&world.contract, &proof, message).await;
        checked.unwrap();
    }
    let proof = proof_of(&client, 3).await;
    let other = check_anchor(&world.contract, &proof, &messages[3]).await;
    assert!(matches!(other, Err(AnchorCheckError::Path(_))), "{other:?}");
    let mut elsewhere = proof.clone();
    elsewhere.anchor.first -= 1;
    elsewhere.position -= 1;
    let moved = check_anchor(&world.contract, &elsewhere, &messages[2]).await;
    assert!(
        matches!(moved, Err(AnchorCheckError::NotOnChain { .. })),
        "{moved:?}"
    );
    let refused = client.prove(21).await.unwrap_err().to_string();
    assert!(refused.contains("no anchor"), "{refused}");
    // Each position under one anchor only: they follow each other without a gap.
    let count = world.contract.content_count(box_id).await.unwrap();
    let last = proof_of(&client, 20).await;
    assert_eq!(last.index + 1, count);
}
