//! Queues and rounds of rewards.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::tree::Content;
use kit::*;
use neo_framework::chain::{Item, Outcome};

/// Eight nodes, of which 0 to 3 have proved 4 to 7.
fn ready() -> (World, Content) {
    let world = World::new(8);
    let content = Content::new(1 << 30);
    world.content(&content);
    for v in 0..4 {
        world.start(v, v + 4, &content, -1).result();
    }
    world.chain.advance(1000);
    for v in 0..4 {
        world.show(v, v + 4, &content).result();
        world
            .by(&world.nodes[0], "acceptProof", world.pair(v, v + 4))
            .result();
    }
    (world, content)
}

fn obtain(world: &World, node: usize) -> Outcome {
    world.by(
        &world.nodes[node],
        "obtainRewards",
        vec![account(&world.nodes[node])],
    )
}

fn numbers(item: &Item) -> Vec<i64> {
    fields(item).iter().map(as_int).collect()
}

#[test]
fn a_round_is_closed_drawn_by_a_later_block_and_paid() {
    let (world, _) = ready();
    let rounds = world.rounds();
    assert_eq!(numbers(&rounds[2]), [1, 2, 3, 4]);
    assert_eq!(numbers(&rounds[3]), [5, 6, 7, 8]);
    let who = account(&world.nodes[2]);
    world.refused(
        &world.nodes[2],
        "obtainRewards",
        vec![who.clone()],
        "obtainRewards: the wait is not over",
    );
    world.refused(
        &world.nodes[1],
        "obtainRewards",
        vec![who.clone()],
        "obtainRewards: no witness of the invoker",
    );
    world.chain.advance(WAIT);
    let pool = world.pool();
    let closed = obtain(&world, 2);
    assert_eq!(closed.result(), Item::Boolean(false));
    let draw = as_int(&closed.events_named("RoundClosed")[0].args[3]);
    let pot = pool / 10 / 2 * 2;
    assert_eq!(world.rounds()[4], int(pot));
    world.chain.set_block_index(draw - 1);
    world.refused(
        &world.nodes[1],
        "obtainRewards",
        vec![account(&world.nodes[1])],
        "obtainRewards: the winners are not drawn yet",
    );
    // Whoever calls, the winners are the same: they hang on who closed.
    world.chain.set_block_index(draw);
    let try_by = |node: usize| {
        let node = &world.nodes[node];
        world
            .chain
            .test_invoke(
                &[node.signer()],
                &world.hash,
                "obtainRewards",
                vec![account(node)],
            )
            .events_named("RewardsPaid")[0]
            .clone()
    };
    assert_eq!(try_by(1), try_by(7));
    let before: Vec<i64> = world.nodes.iter().map(|n| world.balance(n)).collect();
    let paid = obtain(&world, 1);
    assert_eq!(paid.result(), Item::Boolean(true));
    let event = paid.events_named("RewardsPaid")[0].clone();
    let won = |n: usize| {
        event.args[1] == account(&world.nodes[n]) || event.args[2] == account(&world.nodes[n])
    };
    assert!((0..4).any(|n| event.args[1] == account(&world.nodes[n])));
    assert!((4..8).any(|n| event.args[2] == account(&world.nodes[n])));
    for (n, before) in before.iter().enumerate() {
        assert_eq!(
            world.balance(&world.nodes[n]) - before,
            if won(n) { pot / 2 } else { 0 }
        );
    }
    assert_eq!(world.pool(), pool - pot);
    let rounds = world.rounds();
    assert_eq!(rounds[0], int(1));
    assert!(numbers(&rounds[2]).is_empty() && numbers(&rounds[6]).is_empty());
    world.refused(
        &world.nodes[2],
        "obtainRewards",
        vec![who],
        "obtainRewards: too few validators or provers wait",
    );
}

#[test]
fn the_winners_follow_from_the_nonce_and_who_closed() {
    use sha2::{Digest, Sha256};
    for nonce in [0u64, 1, u64::MAX, 0x1234_5678_9ABC_DEF0] {
        let (world, _) = ready();
        world.chain.advance(WAIT);
        let closed = obtain(&world, 3);
        let draw = as_int(&closed.events_named("RoundClosed")[0].args[3]);
        world
            .chain
            .set_block_nonce(draw, neo_framework::Int::from_u64(nonce));
        world.chain.advance(1000);
        let event = obtain(&world, 0).events_named("RewardsPaid")[0].clone();
        let digest = Sha256::new()
            .chain_update(nonce.to_le_bytes())
            .chain_update(world.nodes[3].hash.to_array())
            .finalize();
        let seed = u32::from_le_bytes(digest[..4].try_into().unwrap());
        let (first, second) = phantasma_proofs::twister::pair(
            neo_framework::int(i64::from(seed)),
            neo_framework::int(0),
        );
        let pick = |x: neo_framework::Int| x.to_i64().unwrap() as usize % 4;
        assert_eq!(event.args[1], account(&world.nodes[pick(first)]));
        assert_eq!(event.args[2], account(&world.nodes[4 + pick(second)]));
    }
}

#[test]
fn a_round_that_nobody_fetched_for_a_year_is_drawn_again() {
    let (world, _) = ready();
    world.chain.advance(WAIT);
    let draw = as_int(&obtain(&world, 0).events_named("RoundClosed")[0].args[3]);
    let much_later = draw + 3_000_000;
    world.chain.set_block_index(much_later);
    let again = obtain(&world, 5);
    assert_eq!(again.result(), Item::Boolean(false));
    let event = again.events_named("RoundClosed")[0].clone();
    assert_eq!(
        event.args[1],
        account(&world.nodes[0]),
        "who closed it stays"
    );
    assert_eq!(event.args[3], int(much_later + 2));
    world.chain.advance(1000);
    assert_eq!(obtain(&world, 5).result(), Item::Boolean(true));
}

#[test]
fn the_wait_grows_up_to_its_cap() {
    let (world, content) = ready();
    let mut wait = WAIT;
    for _ in 0..4 {
        world.chain.advance(WAIT_CAP);
        obtain(&world, 0).result();
        world.chain.advance(1000);
        let time = as_int(&Item::Integer(world.chain.time()));
        assert_eq!(obtain(&world, 0).result(), Item::Boolean(true));
        wait = (wait + wait / 8).min(WAIT_CAP);
        assert_eq!(world.rounds()[1], int(time + wait));
        // Every pair whose order allows it proves again, in a quiet time.
        world.chain.advance(QUIET);
        let pairs: Vec<(usize, usize)> = (0..4).map(|v| (v, v + 4)).collect();
        for (v, p) in &pairs {
            assert!(world.reputation(*v) >= world.reputation(*p) - 1);
            let (v, p) = order(&world, *v, *p);
            world.start(v, p, &content, -1).result();
            world.chain.advance(1000);
            world.show(v, p, &content).result();
        }
        for (v, p) in pairs {
            let (v, p) = order(&world, v, p);
            let _ = world.by(&world.nodes[0], "acceptProof", world.pair(v, p));
        }
    }
}

fn order(world: &World, a: usize, b: usize) -> (usize, usize) {
    if world.reputation(a) >= world.reputation(b) {
        (a, b)
    } else {
        (b, a)
    }
}

#[test]
fn a_young_node_is_in_no_queue() {
    let world = World::new(2);
    let content = Content::new(1 << 20);
    world.content(&content);
    let puppet = world.chain.account("puppet");
    world
        .bank("give", vec![account(&puppet), int(GIVEN)])
        .result();
    let mut world = world;
    world.nodes.push(puppet);
    world.register(&world.nodes[2]).result();
    world
        .by(
            &world.nodes[2],
            "offerContent",
            vec![account(&world.nodes[2]), Item::bytes(&content.root())],
        )
        .result();
    world.prove(0, 2, &content);
    let rounds = world.rounds();
    assert_eq!(numbers(&rounds[2]), [1]);
    assert!(numbers(&rounds[3]).is_empty());
    assert!(world.reputation(2) > 500_000_000);
}

#[test]
fn nobody_else_moves_the_pool() {
    let (world, _) = ready();
    let thief = &world.nodes[0];
    for (method, args) in [
        ("reward", vec![account(thief), int(1)]),
        (
            "collect",
            vec![account(&world.nodes[1]), Item::Null, int(1)],
        ),
    ] {
        let outcome = world
            .chain
            .invoke(&[thief.signer()], &world.bank, method, args);
        assert_eq!(outcome.fault(), "only for the contract of proofs");
    }
}
