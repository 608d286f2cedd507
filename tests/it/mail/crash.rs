//! kill -9, again and again: nothing is lost, nothing comes twice.

use std::collections::BTreeMap;

use super::*;

const MAILS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_daemon_loses_nothing_and_doubles_nothing() {
    let world = World::new(0).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let mut at_ada = ada.serve(&[]);
    let mut at_bob = bob.serve(&[]);
    for n in 0..MAILS {
        let subject = format!("mail {n}");
        assert_eq!(ada.send(&at_ada, &bob.mail(), &subject, &[])["sent"], true);
        // The reader's daemon dies in the middle of what comes in, the writer's of what goes out.
        match n % 6 {
            2 => {
                at_bob.guard.kill();
                at_bob = bob.serve(&[]);
            }
            5 => {
                at_ada.guard.kill();
                at_ada = ada.serve(&[]);
            }
            _ => {}
        }
    }
    bob.inbox(&at_bob, MAILS);
    at_bob.guard.kill();
    let at_bob = bob.serve(&[]);
    // Time for what would come twice.
    std::thread::sleep(Duration::from_secs(5));
    let mut seen = BTreeMap::new();
    for mail in bob.inbox(&at_bob, MAILS) {
        let subject = mail["header"]["Subject"].as_str().unwrap().to_owned();
        *seen.entry(subject).or_insert(0) += 1;
    }
    let expected: BTreeMap<String, i32> = (0..MAILS).map(|n| (format!("mail {n}"), 1)).collect();
    assert_eq!(seen, expected);
    drop(at_ada);
}
