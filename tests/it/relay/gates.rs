//! A relay lets in whom the box's gate lets in, tells the price where there is one, and hears of changes.

use neo_client::Account;
use phantasma_sdk::boxes;
use phantasma_sdk::emulator::admission::Admission;
use phantasma_vm::Gate;

use super::*;

impl World {
    /// A further box of the owner.
    async fn gated(&self, name: &str, gate: Gate) -> u64 {
        let gate = gate.script().unwrap();
        let owner = &self.deployed.owner;
        let created = self.contract.create_box(owner, name, &gate).await;
        created.unwrap().0
    }

    fn message_to(&self, box_id: u64, author: &PrivateKey, sequence: u64) -> Message {
        let plain = self
            .message(author, Class::Durable, sequence, b"let me in")
            .body;
        let body = Unsigned { box_id, ..plain };
        body.sign(|bytes| author.sign(bytes)).unwrap()
    }

    async fn allowed(&self, box_id: u64, author: &PrivateKey) -> Admission {
        let account = author.public_key().script_hash();
        let content = data_script(b"let me in").unwrap();
        let told = boxes::may_write(&self.contract, &account, box_id, &content).await;
        told.unwrap()
    }

    /// Runs a method of the contract as the owner.
    async fn as_owner(&self, method: &str, params: &[neo_client::ContractParam]) {
        let call = self.contract.call(&self.deployed.owner, method, params);
        call.unwrap().run(&self.net.rpc()).await.unwrap();
    }
}

/// What the relay says, when it says no.
async fn refused(client: &RelayClient, message: Message) -> (RelayError, String) {
    match client.publish(message).await {
        Err(RelayClientError::Refused { error, text }) => (error, text),
        other => panic!("{other:?}"),
    }
}

/// Sends the same until the relay takes it, which it must as soon as it has heard of the block.
async fn taken(client: &RelayClient, message: &Message) -> Duration {
    let started = Instant::now();
    loop {
        match client.publish(message.clone()).await {
            Ok(Outcome::Stored { .. }) => return started.elapsed(),
            Err(RelayClientError::Refused { .. }) if started.elapsed() < PATIENCE => {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn an_allow_list_decides_who_writes_and_a_changed_gate_counts_after_its_block() {
    let world = World::new().await;
    let relay = world.relay();
    let client = world.client(&relay).await;
    let (friend, stranger) = (PrivateKey::random().unwrap(), PrivateKey::random().unwrap());
    let account = |key: &PrivateKey| key.public_key().script_hash();
    let listed = Gate::allow_list(vec![account(&friend).0]);
    let box_id = world.gated("friends", listed).await;

    assert_eq!(world.allowed(box_id, &friend).await, Admission::Free);
    let stored = client.publish(world.message_to(box_id, &friend, 1)).await;
    assert!(matches!(stored.unwrap(), Outcome::Stored { .. }));
    let message = world.message_to(box_id, &stranger, 1);
    let (error, text) = refused(&client, message.clone()).await;
    assert_eq!(error, RelayError::NotAllowed);
    assert!(
        text.contains(&format!("box {box_id}")) && text.contains("gate"),
        "{text}"
    );

    let both = Gate::allow_list(vec![account(&friend).0, account(&stranger).0]);
    let params = [
        box_id.into(),
        neo_client::ContractParam::bytes(both.script().unwrap()),
    ];
    world.as_owner("replaceGate", &params).await;
    // Events come with the block. Without them the old answer would hold for a minute.
    let took = taken(&client, &message).await;
    assert!(took < Duration::from_secs(20), "{took:?}");

    let nobody = neo_client::ContractParam::bytes(Gate::Nobody.script().unwrap());
    world
        .as_owner("replaceGate", &[box_id.into(), nobody])
        .await;
    assert!(matches!(
        world.allowed(box_id, &friend).await,
        Admission::Refused { .. }
    ));
    let started = Instant::now();
    let mut sequence = 1;
    loop {
        sequence += 1;
        match client
            .publish(world.message_to(box_id, &friend, sequence))
            .await
        {
            Ok(_) => assert!(started.elapsed() < Duration::from_secs(20)),
            Err(_) => break,
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // What was taken before is still answered with its outcome.
    let again = client.publish(message).await;
    assert!(matches!(again.unwrap(), Outcome::Stored { .. }));
}

#[tokio::test]
async fn members_come_and_go_with_events() {
    let world = World::new().await;
    let relay = world.relay();
    let client = world.client(&relay).await;
    let guest = PrivateKey::random().unwrap();
    let box_id = world.gated("club", Gate::members()).await;
    let message = world.message_to(box_id, &guest, 1);
    assert_eq!(
        refused(&client, message.clone()).await.0,
        RelayError::NotAllowed
    );
    let account = guest.public_key().script_hash();
    world
        .as_owner("include", &[box_id.into(), account.into()])
        .await;
    let took = taken(&client, &message).await;
    assert!(took < Duration::from_secs(20), "{took:?}");
}

#[tokio::test]
async fn a_priced_inbox_tells_its_price_and_takes_messages_of_who_has_paid() {
    const PRICE: u64 = 2_5000_0000;
    let world = World::new().await;
    let relay = world.relay();
    let (client, reader) = (world.client(&relay).await, world.client(&relay).await);
    let box_id = world.gated("inbox", Gate::pay_once(PRICE)).await;
    let stranger = PrivateKey::random().unwrap();
    let priced = Admission::Priced {
        price: PRICE,
        lasting: true,
    };
    assert_eq!(world.allowed(box_id, &stranger).await, priced);
    let message = world.message_to(box_id, &stranger, 1);
    let (error, text) = refused(&client, message.clone()).await;
    assert_eq!(error, RelayError::Payment);
    assert!(
        text.contains("2.5 SOUL") && text.contains("maxPayment"),
        "{text}"
    );

    // The stranger pays with a first content of its own.
    let account = Account::new(stranger.clone());
    let address = account.script_hash.to_address();
    world.net.fund_gas(&address, 20_0000_0000).await.unwrap();
    let (owner, hash) = (&world.deployed.owner, &account.script_hash);
    world.contract.transfer(owner, hash, PRICE).await.unwrap();
    let content = data_script(b"here is what you ask for").unwrap();
    let written = world
        .contract
        .write_content(&account, box_id, &content, PRICE)
        .await;
    written.unwrap();
    assert_eq!(world.allowed(box_id, &stranger).await, Admission::Free);

    let mut letters = reader.subscribe(box_id, Since::Now).await.unwrap();
    taken(&client, &message).await;
    let received = tokio::time::timeout(PATIENCE, letters.next()).await;
    assert_eq!(received.unwrap().unwrap().unwrap().message, message);
}

#[tokio::test]
async fn where_each_write_costs_the_relay_says_that_it_needs_a_transaction() {
    let world = World::new().await;
    let relay = world.relay();
    let client = world.client(&relay).await;
    let box_id = world.gated("stamps", Gate::priced_write(1_0000_0000)).await;
    let stranger = PrivateKey::random().unwrap();
    for class in [Class::Durable, Class::Ephemeral, Class::OnChain] {
        let plain = world.message_to(box_id, &stranger, 1).body;
        let body = Unsigned { class, ..plain };
        let message = body.sign(|bytes| stranger.sign(bytes)).unwrap();
        let (error, text) = refused(&client, message).await;
        assert_eq!(error, RelayError::Payment);
        assert!(text.contains("1 SOUL for each content"), "{text}");
    }
}
