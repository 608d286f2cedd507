//! The relay's bounded memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use phantasma_wire::relay::{Outbox, Pushed, Seen, Subscriptions};
use proptest::prelude::*;

#[test]
fn a_full_outbox_drops_the_oldest_ephemeral_item_first() {
    let mut outbox = Outbox::new(3, 100);
    assert_eq!(
        outbox.push("durable 1", 1, false),
        Pushed::Queued { dropped: 0 }
    );
    assert_eq!(
        outbox.push("ephemeral 1", 1, true),
        Pushed::Queued { dropped: 0 }
    );
    assert_eq!(
        outbox.push("ephemeral 2", 1, true),
        Pushed::Queued { dropped: 0 }
    );
    assert_eq!(
        outbox.push("durable 2", 1, false),
        Pushed::Queued { dropped: 1 }
    );
    let left: Vec<_> = std::iter::from_fn(|| outbox.pop()).collect();
    assert_eq!(left, ["durable 1", "ephemeral 2", "durable 2"]);
}

#[test]
fn an_outbox_full_of_durable_items_drops_the_new_ephemeral_and_overflows_on_a_durable() {
    let mut outbox = Outbox::new(1, 100);
    assert_eq!(outbox.push(1, 1, false), Pushed::Queued { dropped: 0 });
    assert_eq!(outbox.push(2, 1, true), Pushed::Dropped);
    assert_eq!(outbox.push(3, 1, false), Pushed::Overflow);
    assert_eq!(outbox.len(), 1);
}

#[test]
fn one_item_over_the_bytes_of_the_outbox_never_enters() {
    let mut outbox = Outbox::new(10, 100);
    assert_eq!(outbox.push(1, 60, true), Pushed::Queued { dropped: 0 });
    assert_eq!(outbox.push(2, 101, true), Pushed::Dropped);
    assert_eq!(outbox.push(3, 60, true), Pushed::Queued { dropped: 1 });
    assert_eq!((outbox.len(), outbox.bytes()), (1, 60));
}

#[test]
fn a_session_listens_to_no_more_boxes_than_it_may() {
    let mut subscriptions = Subscriptions::new(2);
    assert!(subscriptions.add(1, 10) && subscriptions.add(1, 11) && subscriptions.add(1, 10));
    assert!(!subscriptions.add(1, 12));
    assert!(subscriptions.add(2, 10));
    assert_eq!(subscriptions.of_box(10).collect::<Vec<_>>(), [1, 2]);
    assert!(subscriptions.remove(1, 10) && !subscriptions.remove(1, 10));
    subscriptions.remove_session(1);
    assert_eq!(subscriptions.of_box(11).count(), 0);
    assert_eq!(subscriptions.len(), 1);
    subscriptions.remove_session(2);
    assert!(subscriptions.is_empty());
}

#[test]
fn the_oldest_id_is_forgotten_first() {
    let mut seen = Seen::new(2);
    assert!(seen.insert([1; 32]) && seen.insert([2; 32]) && !seen.insert([1; 32]));
    assert!(seen.insert([3; 32]));
    assert!(!seen.contains(&[1; 32]) && seen.contains(&[2; 32]) && seen.contains(&[3; 32]));
    seen.remove(&[2; 32]);
    assert!(seen.insert([2; 32]));
}

proptest! {
    #[test]
    fn an_outbox_keeps_its_bounds_its_order_and_every_durable_item(
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), 0usize..40), 0..200),
    ) {
        let mut outbox = Outbox::new(8, 100);
        let (mut expected_durable, mut taken) = (Vec::new(), Vec::new());
        for (number, (push, droppable, bytes)) in steps.into_iter().enumerate() {
            if push {
                let pushed = outbox.push((number, droppable), bytes, droppable);
                prop_assert_ne!(pushed, if droppable { Pushed::Overflow } else { Pushed::Dropped });
                if !droppable && pushed != Pushed::Overflow {
                    expected_durable.push(number);
                }
            } else {
                taken.extend(outbox.pop());
            }
            prop_assert!(outbox.len() <= 8 && outbox.bytes() <= 100);
        }
        taken.extend(std::iter::from_fn(|| outbox.pop()));
        prop_assert_eq!(outbox.bytes(), 0);
        prop_assert!(taken.is_sorted_by_key(|(number, _)| *number));
        let durable: Vec<usize> = taken.into_iter().filter(|(_, droppable)| !droppable).map(|(number, _)| number).collect();
        prop_assert_eq!(durable, expected_durable);
    }
}
