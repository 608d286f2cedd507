//! The tree between the relays of a box.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use phantasma_wire::relay::{Mesh, MeshAction, MeshPolicy};

const ID: [u8; 32] = [7; 32];

fn mesh(links: u64) -> Mesh {
    let mut mesh = Mesh::new(MeshPolicy::default());
    assert!((1..=links).all(|link| mesh.link_up(link)));
    mesh
}

#[test]
fn a_message_is_delivered_once_and_passed_to_all_but_its_sender() {
    let mut mesh = mesh(3);
    let push = |link| MeshAction::Push { link, id: ID };
    let deliver = MeshAction::Deliver { id: ID };
    assert_eq!(mesh.pushed(2, ID), [deliver, push(1), push(3)]);
    // Again over another link: that one is not needed.
    assert_eq!(mesh.pushed(3, ID), [MeshAction::Prune { link: 3 }]);
    assert_eq!(mesh.pushed(3, ID), []);
    assert_eq!(mesh.publish(ID), []);
    let have = MeshAction::Have {
        link: 3,
        id: [8; 32],
    };
    let actions = mesh.publish([8; 32]);
    assert!(actions.contains(&have) && actions.len() == 4, "{actions:?}");
}

#[test]
fn a_message_that_does_not_come_is_asked_for_at_one_after_the_other() {
    let mut mesh = mesh(3);
    for link in 1..=3 {
        mesh.prune(link);
    }
    mesh.have(2, ID, 0);
    mesh.have(3, ID, 10);
    mesh.have(9, ID, 10);
    assert_eq!(mesh.due_ms(), Some(500));
    assert_eq!(mesh.tick(499), []);
    assert_eq!(mesh.tick(500), [MeshAction::Graft { link: 2, id: ID }]);
    assert_eq!(mesh.eager_links(), 1);
    assert_eq!(mesh.tick(1_000), [MeshAction::Graft { link: 3, id: ID }]);
    assert_eq!(mesh.tick(1_500), []);
    assert_eq!(mesh.due_ms(), None);
    // It comes at last.
    assert_eq!(mesh.pushed(3, ID)[0], MeshAction::Deliver { id: ID });
    mesh.have(1, ID, 2_000);
    assert_eq!(mesh.due_ms(), None);
}

#[test]
fn who_grafts_gets_the_message_as_long_as_it_is_kept() {
    let policy = MeshPolicy {
        max_kept: 2,
        ..MeshPolicy::default()
    };
    let mut mesh = Mesh::new(policy);
    mesh.link_up(1);
    mesh.prune(1);
    for n in 0..3 {
        mesh.publish([n; 32]);
    }
    let push = |n| MeshAction::Push {
        link: 1,
        id: [n; 32],
    };
    assert_eq!(mesh.graft(1, [0; 32]), None);
    assert_eq!(mesh.graft(1, [2; 32]), Some(push(2)));
    assert_eq!(mesh.eager_links(), 1);
    assert_eq!(mesh.graft(5, [2; 32]), None);
}

#[test]
fn a_link_that_brings_bad_messages_is_cut() {
    let mut mesh = mesh(2);
    assert_eq!(mesh.bad(1), None);
    assert_eq!(mesh.bad(1), None);
    assert_eq!(mesh.bad(1), Some(MeshAction::Cut { link: 1 }));
    assert_eq!((mesh.links(), mesh.bad(1)), (1, None));
    // Good ones make up for it.
    for n in 0..40 {
        mesh.pushed(2, [n; 32]);
    }
    let cut = (1..10).find(|_| mesh.bad(2).is_some());
    assert_eq!(cut, Some(5));
}

#[test]
fn links_and_memory_are_bounded() {
    let policy = MeshPolicy {
        max_links: 2,
        max_missing: 3,
        ..MeshPolicy::default()
    };
    let mut mesh = Mesh::new(policy);
    assert!(mesh.link_up(1) && mesh.link_up(2) && !mesh.link_up(3) && mesh.link_up(1));
    for n in 0..100 {
        mesh.have(1, [n; 32], 0);
    }
    assert_eq!(mesh.tick(500).len(), 3);
    mesh.link_down(1);
    assert_eq!(mesh.tick(1_000), []);
}
