//! Linked relays that come and go while messages are published.

use std::collections::BTreeMap;

use super::linked::linked;
use super::*;

const ROUNDS: usize = 6;

/// Messages that are published at each relay that is there, and at the one that comes back.
const MEANWHILE: u64 = 15;
const BACK: u64 = 5;

/// An author who stays with one relay.
struct Home {
    author: Identity,
    sequence: u64,
}

impl Home {
    async fn publish(&mut self, relay: &Fixture, count: u64) {
        let client = relay.client().await;
        for _ in 0..count {
            self.sequence += 1;
            let message = message(&self.author, 1, Class::Durable, self.sequence);
            let outcome = client.publish(message).await.unwrap();
            assert!(matches!(outcome, Outcome::Stored { .. }), "{outcome:?}");
        }
    }
}

/// Starts it again on its port, which the system may have lent to somebody else meanwhile.
async fn back(relay: &Fixture) -> Relay {
    for _ in 0..100 {
        match Relay::start(relay.setup()).await {
            Err(StartError::Net(NetError::PortTaken(_))) => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            other => return other.unwrap(),
        }
    }
    panic!("the port is taken for more than ten seconds");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_comes_and_goes_every_log_ends_with_all_messages_once_and_in_their_authors_order() {
    let mut relays = linked(3, &[(0, 1), (1, 2), (0, 2)]).await;
    let home = || Home {
        author: Identity::random().unwrap(),
        sequence: 0,
    };
    let mut homes = [home(), home(), home()];
    for round in 0..ROUNDS {
        let away = round % relays.len();
        relays[away].relay.take().unwrap().shutdown().await;
        for (number, home) in homes.iter_mut().enumerate() {
            if number != away {
                home.publish(&relays[number], MEANWHILE).await;
            }
        }
        relays[away].relay = Some(back(&relays[away]).await);
        homes[away].publish(&relays[away], BACK).await;
    }
    let all: u64 = homes.iter().map(|home| home.sequence).sum();
    for (number, relay) in relays.iter().enumerate() {
        let client = relay.client().await;
        let mut kept = client.subscribe(1, Since::Position(1)).await.unwrap();
        let mut last = BTreeMap::new();
        for position in 1..=all {
            let got = next(&mut kept).await;
            assert_eq!(got.position, position);
            let body = &got.message.body;
            let before = last.insert(body.author, body.sequence).unwrap_or(0);
            // All of them, so the next one each time.
            assert_eq!(body.sequence, before + 1, "relay {number} at {position}");
        }
        nothing_more(&mut kept).await;
    }
}
