//! Real libp2p nodes on loopback.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::time::Duration;

use phantasma_net::Identity;
use phantasma_net::control::{
    self, Bootstrap, ControlConfig, ControlError, ControlHandle, ProviderInfo,
};

/// What must be true soon is asked for again until it is, at most this often.
const TRIES: u32 = 100;
const PAUSE: Duration = Duration::from_millis(100);

async fn start(identity: &Identity, bootstrap: Vec<Bootstrap>, data_addr: &str) -> ControlHandle {
    let config = ControlConfig {
        listen: "127.0.0.1:0".parse().unwrap(),
        bootstrap,
        data_addr: Some(data_addr.into()),
        time_ms: 1,
    };
    control::start(config, identity).await.unwrap().0
}

async fn providers(node: &ControlHandle, key: [u8; 32], count: usize) -> Vec<ProviderInfo> {
    for _ in 0..TRIES {
        let mut found = node.find_providers(key).await.unwrap();
        if found.len() >= count {
            found.sort_by(|a, b| a.data_addr.cmp(&b.data_addr));
            return found;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!(
        "fewer than {count} providers after {} s",
        (TRIES * PAUSE).as_secs()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_nodes_find_who_holds_what_and_where_it_listens() {
    let identities: Vec<Identity> = (0..3).map(|_| Identity::random().unwrap()).collect();
    let first = start(&identities[0], vec![], "10.0.0.1:1").await;
    // Told before any other node is known: it must still become known.
    first.provide([7; 32]).await.unwrap();
    let second = start(&identities[1], vec![first.as_bootstrap()], "10.0.0.2:2").await;
    let third = start(&identities[2], vec![first.as_bootstrap()], "10.0.0.3:3").await;
    second.provide([7; 32]).await.unwrap();

    let found = providers(&third, [7; 32], 2).await;
    let expected = [(0, "10.0.0.1:1"), (1, "10.0.0.2:2")].map(|(index, address): (usize, &str)| {
        ProviderInfo {
            public_key: identities[index].public_key(),
            data_addr: address.into(),
        }
    });
    assert_eq!(found, expected);
    assert_eq!(third.find_providers([8; 32]).await.unwrap(), []);
    let address = second
        .endpoint_of(&identities[2].public_key())
        .await
        .unwrap();
    assert_eq!(address.as_deref(), Some("10.0.0.3:3"));

    // The first holder is gone; who is left still finds the second.
    first.shutdown().await;
    assert!(matches!(
        first.find_providers([7; 32]).await,
        Err(ControlError::Stopped)
    ));
    let found = providers(&third, [7; 32], 1).await;
    assert!(found.contains(&expected[1]), "{found:?}");
}

#[tokio::test]
async fn a_bootstrap_peer_with_another_key_is_not_met() {
    let identities: Vec<Identity> = (0..3).map(|_| Identity::random().unwrap()).collect();
    let first = start(&identities[0], vec![], "10.0.0.1:1").await;
    let wrong = Bootstrap {
        public_key: Some(identities[2].public_key()),
        ..first.as_bootstrap()
    };
    let second = start(&identities[1], vec![wrong], "10.0.0.2:2").await;
    let third = start(&identities[2], vec![first.as_bootstrap()], "10.0.0.3:3").await;
    for _ in 0..TRIES {
        if third.peers().await.unwrap() == [identities[0].public_key()] {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    assert_eq!(third.peers().await.unwrap(), [identities[0].public_key()]);
    assert!(second.peers().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_taken_udp_port_is_named() {
    let holder = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let listen = holder.local_addr().unwrap();
    let config = ControlConfig {
        listen,
        bootstrap: vec![],
        data_addr: None,
        time_ms: 1,
    };
    let error = control::start(config, &Identity::random().unwrap())
        .await
        .unwrap_err();
    assert!(
        matches!(error, ControlError::PortTaken(address) if address == listen),
        "{error}"
    );
}
