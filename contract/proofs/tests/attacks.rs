//! What attackers gain, where it is more than nothing. `docs/security.md` refers to these tests.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::tree::Content;
use kit::*;
use neo_framework::chain::Item;
use neo_framework::contracts;

const ROLES: &str = "startProof: these two do not have the roles for it";

/// A puppet that always fails pulls the average below everybody else: then there are only validators and the puppet, until
/// no proof has ended for a while. Each step costs the attacker a fee and five minutes.
#[test]
fn a_puppet_that_fails_pulls_the_average_down_for_a_fee_each_time() {
    let world = World::new(6);
    let content = Content::new(1 << 20);
    world.content(&content);
    world.prove(0, 1, &content);
    assert!(
        world.start(0, 2, &content, -1).is_halt(),
        "an honest pair may"
    );
    let before = world.balance(&world.nodes[1]);
    let mut steps = 0;
    while world.average() >= world.reputation(3) {
        world.miss(1, 5, &content);
        steps += 1;
    }
    assert_eq!(steps, 1);
    assert_eq!(
        before - world.balance(&world.nodes[1]),
        steps * VALIDATION_FEE
    );
    assert_eq!(world.start(0, 3, &content, -1).fault(), ROLES);
    assert!(
        world.start(0, 5, &content, -1).is_halt(),
        "only the puppet is a prover"
    );
    // The loosened rule is the way out.
    world.chain.advance(QUIET);
    assert!(world.start(0, 3, &content, -1).is_halt());
}

#[test]
fn who_leaves_to_lose_a_bad_name_pays_again_and_is_young() {
    let world = World::new(3);
    let content = Content::new(1 << 20);
    world.content(&content);
    world.miss(0, 2, &content);
    assert_eq!(world.reputation(2), 375_000_000);
    for _ in 0..2 {
        world.chain.advance(QUIET);
        world.prove(0, 1, &content);
    }
    let before = world.balance(&world.nodes[2]);
    let me = account(&world.nodes[2]);
    world
        .by(&world.nodes[2], "leave", vec![me.clone()])
        .result();
    assert_eq!(world.register(&world.nodes[2]).result(), int(4));
    assert_eq!(world.reputation(2), 500_000_000);
    assert_eq!(before - world.balance(&world.nodes[2]), NODE_FEE);
    world.prove(0, 2, &content);
    // Too young to wait for a reward: number 2 has waited since before.
    assert_eq!(fields(&world.rounds()[3]), [int(2)]);
}

/// Who leaves before a challenge fails loses nothing but his place; who comes back at once does.
#[test]
fn an_open_challenge_waits_for_who_comes_back() {
    let world = World::new(3);
    let content = Content::new(1 << 20);
    world.content(&content);
    world.start(0, 2, &content, -1).result();
    let me = account(&world.nodes[2]);
    world.by(&world.nodes[2], "leave", vec![me]).result();
    world.register(&world.nodes[2]).result();
    world.chain.advance(DEADLINE);
    world
        .by(&world.nodes[1], "failProof", world.pair(0, 2))
        .result();
    assert_eq!(world.reputation(2), 375_000_000);
}

/// Two nodes of one owner prove each other a content of one chunk that the owner stored himself: it is a proof like any
/// other, for the fee of each.
#[test]
fn a_pair_earns_reputation_with_a_content_of_its_own_for_fees() {
    let world = World::new(2);
    let own = Content::new(1);
    world.content(&own);
    let before = world.balance(&world.nodes[0]);
    for _ in 0..3 {
        world.chain.advance(QUIET);
        world.prove(0, 1, &own);
    }
    assert!(world.reputation(0) > 580_000_000 && world.reputation(1) > 580_000_000);
    assert_eq!(before - world.balance(&world.nodes[0]), 3 * VALIDATION_FEE);
    // What it says of other contents is nothing.
    let other = Content::new(1 << 30);
    let tally = fields(&world.get("contentProofs", vec![Item::bytes(&other.root())]));
    assert_eq!(tally, [0, 0, 0, 0].map(int));
}

/// A calling script that asks, looks and aborts unless it likes what it sees has nothing to look at.
#[test]
fn a_calling_script_sees_no_chunk_before_its_challenge_is_final() {
    let world = World::new(2);
    let content = Content::new(1 << 30);
    world.content(&content);
    let args = [
        account(&world.nodes[0]),
        account(&world.nodes[1]),
        Item::bytes(&content.root()),
        int(-1),
    ];
    let list = |items: &[Item]| {
        let mut out = neo_framework::Array::<neo_framework::Any>::new();
        let all = items.iter().cloned();
        all.for_each(|item| out.push(neo_framework::convert::expect_item(item)));
        out
    };
    let seen = world.chain.run_script(&[world.nodes[0].signer()], || {
        let text = |name: &'static str| neo_framework::text(name);
        contracts::call(
            &world.hash,
            &text("startProof"),
            contracts::ALL,
            list(&args),
        );
        contracts::call(
            &world.hash,
            &text("openProof"),
            contracts::READ_ONLY,
            list(&args[..2]),
        )
    });
    let open = fields(&seen.result());
    assert_eq!(
        (&open[6], &open[7]),
        (&int(-1), &int(-1)),
        "no nonce, no chunk"
    );
}
