//! What a client notices of its relay: a death within seconds, a restart as a pause, other limits not at all.

use phantasma_sdk::relay::{Lasting, RelayAddress};

use super::*;

impl World {
    fn config(&self, text: &str) -> PathBuf {
        let path = self.folder.path().join("relay.toml");
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A relay on a port that its next run takes, too.
    fn relay_at(&self, listen: &str, config: &Path) -> RelayProcess {
        let mut command = self.command(listen);
        command.arg("--config").arg(config);
        self.start(command)
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("relay.err")).unwrap()
    }

    /// Asks a relay to read its file again, and waits until it says this.
    async fn reload(&self, relay: &RelayProcess, says: &str) {
        let pid = relay.guard.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status();
        assert!(sent.unwrap().success());
        let started = Instant::now();
        while !self.log().contains(says) {
            assert!(started.elapsed() < PATIENCE, "{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test]
async fn a_killed_relay_is_missed_within_seconds_and_a_lasting_subscription_goes_on_behind_the_last_message()
 {
    let world = World::new().await;
    let config = world.config("");
    let relay = world.relay_at("127.0.0.1:0", &config);
    let (listen, author) = (relay.address.to_string(), PrivateKey::random().unwrap());
    let client = world.client(&relay).await;
    let mut letters = client.subscribe(world.box_id, Since::Now).await.unwrap();
    let address = RelayAddress {
        address: relay.address,
        identity: Identity::random().unwrap(),
        expected: Some(relay.key),
        chain: ChainId {
            network: NETWORK_MAGIC,
            contract: world.deployed.hash.0,
        },
    };
    let mut lasting = Lasting::new(address, world.box_id, Since::Position(1));
    for sequence in 1..=3 {
        let message = world.message(&author, Class::Durable, sequence, b"before");
        client.publish(message).await.unwrap();
        let received = tokio::time::timeout(PATIENCE, lasting.next()).await;
        assert_eq!(received.unwrap().unwrap().position, sequence);
        letters.next().await.unwrap();
    }
    relay.guard.kill();
    let killed = Instant::now();
    let error = tokio::time::timeout(PATIENCE, letters.next()).await;
    assert!(matches!(
        error.unwrap(),
        Err(RelayClientError::Disconnected(_))
    ));
    assert!(
        killed.elapsed() < Duration::from_secs(8),
        "{:?}",
        killed.elapsed()
    );

    // It is asked for the next message while there is no relay.
    let next = tokio::spawn(async move {
        let received = lasting.next().await.unwrap();
        (received, lasting)
    });
    tokio::time::sleep(Duration::from_millis(500)).await;
    let relay = world.relay_at(&listen, &config);
    let client = world.client(&relay).await;
    let message = world.message(&author, Class::Durable, 4, b"after");
    client.publish(message.clone()).await.unwrap();
    let (received, lasting) = tokio::time::timeout(PATIENCE, next).await.unwrap().unwrap();
    assert_eq!((received.position, received.message), (4, message));
    assert_eq!(lasting.since(), Since::Position(5));
    assert!(lasting.reconnects() > 0);
}

#[tokio::test]
async fn other_limits_count_without_a_restart_and_a_bad_file_changes_nothing() {
    let world = World::new().await;
    let config = world.config("[limits]\nsessions = 2\nmax_payload = 5000\n");
    let relay = world.relay_at("127.0.0.1:0", &config);
    let (first, reader) = (world.client(&relay).await, world.client(&relay).await);
    let mut letters = reader.subscribe(world.box_id, Since::Now).await.unwrap();
    let served = ChainId {
        network: NETWORK_MAGIC,
        contract: world.deployed.hash.0,
    };
    let me = Identity::random().unwrap();
    let third = || RelayClient::connect(relay.address, &me, Some(relay.key), served);
    assert!(third().await.is_err());
    let author = PrivateKey::random().unwrap();
    let long = |sequence| world.message(&author, Class::Durable, sequence, &[1; 2000]);
    first.publish(long(1)).await.unwrap();

    world.config("[limits]\nsessions = 3\nmax_payload = 1000\nchain_queue = 7\n");
    world
        .reload(&relay, "the limits are those of the file now")
        .await;
    assert!(world.log().contains("chain_queue"), "{}", world.log());
    let error = first.publish(long(2)).await.unwrap_err();
    assert!(
        error.to_string().contains("this relay takes 1000"),
        "{error}"
    );
    let third = third().await.unwrap();

    world.config("[limits]\nsessions = 3\nmax_payload = 5000\nsesions = 9\n");
    world.reload(&relay, "the limits stay as they were").await;
    assert!(world.log().contains("sesions"), "{}", world.log());
    assert!(first.publish(long(2)).await.is_err());
    // The sessions from before are all still there.
    let short = world.message(&author, Class::Durable, 3, b"short");
    third.publish(short.clone()).await.unwrap();
    for expected in [1, 3] {
        let received = tokio::time::timeout(PATIENCE, letters.next()).await;
        let received = received.unwrap().unwrap().unwrap();
        assert_eq!(received.message.body.sequence, expected);
    }
}
