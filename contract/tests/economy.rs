//! What the contracts of sale and proofs may do with SOUL, what anybody may, and what longer storage costs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::Hash160;
use neo_framework::chain::{Item, Outcome, Signer};

/// Calls what it is told to, so that it can stand for the other contracts.
#[neo_framework::contract(name = "Puppet", permissions = "*")]
pub mod puppet {
    use neo_framework::prelude::*;

    #[method]
    pub fn forward(token: Hash160, method: Text, args: Array<Any>) -> Any {
        contracts::call(&token, &method, contracts::ALL, args)
    }
}

/// A contract with puppets as its sale and its proofs.
fn world() -> (World, Hash160, Hash160) {
    let [sale, proofs] = [[0xA1; 20], [0xA2; 20]]
        .map(|b| Hash160::from_bytes(neo_framework::Bytes::from(b.to_vec())).unwrap());
    let world = World::with(&sale, &proofs);
    for hash in [&sale, &proofs] {
        world.chain.register(hash, puppet::CONTRACT);
    }
    (world, sale, proofs)
}

fn hash(hash: &Hash160) -> Item {
    bytes(hash.as_bytes().as_slice())
}

/// A call that comes from a puppet, signed by nobody.
fn through(world: &World, puppet: &Hash160, method: &str, args: Vec<Item>) -> Outcome {
    let none: [Signer; 0] = [];
    let args = vec![hash(&world.hash), Item::text(method), Item::array(args)];
    let outcome = world.chain.invoke(&none, puppet, "forward", args);
    let supply = as_int(&world.get("totalSupply", vec![]));
    assert_eq!(world.sum_of_balances(), supply, "{method}");
    outcome
}

#[test]
fn only_the_sale_mints_and_never_above_the_most() {
    let (world, sale, proofs) = world();
    let args = |amount| vec![account(&world.bob), int(amount)];
    for caller in [&proofs, &world.alice.hash] {
        if *caller == world.alice.hash {
            world.refused(&world.alice, "mint", args(1), "not for you");
        } else {
            assert_eq!(
                through(&world, caller, "mint", args(1)).fault(),
                "not for you"
            );
        }
    }
    let before = world.balance(&world.bob.hash);
    let outcome = through(&world, &sale, "mint", args(MAX_SUPPLY - SUPPLY));
    let names: Vec<_> = outcome.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Transfer", "transfer"]);
    assert_eq!(world.balance(&world.bob.hash), before + MAX_SUPPLY - SUPPLY);
    for amount in [1, -1] {
        assert_eq!(
            through(&world, &sale, "mint", args(amount)).fault(),
            "mint: above maxSupply"
        );
    }
}

#[test]
fn swapping_out_burns_with_the_holders_witness() {
    let (world, ..) = world();
    let args = |amount| vec![account(&world.alice), int(amount), bytes(b"phantasma:P2K")];
    world.refused(&world.bob, "swapOut", args(1), "no witness of the account");
    for (amount, message) in [
        (0, "swapOut: amount must be positive"),
        (-1, "swapOut: amount must be positive"),
        (1000_0000_0001, "not enough SOUL to pay the fee"),
    ] {
        world.refused(&world.alice, "swapOut", args(amount), message);
    }
    let outcome = world.by(&world.alice, "swapOut", args(400));
    assert_eq!(
        outcome.events[0].args,
        [account(&world.alice), Item::Null, int(400)]
    );
    assert_eq!(
        (outcome.events[2].name.as_str(), &outcome.events[2].args),
        ("SwapOut", &args(400))
    );
    assert_eq!(world.get("totalSupply", vec![]), int(SUPPLY - 400));
    assert_eq!(world.sum_of_balances(), SUPPLY - 400);
}

#[test]
fn the_proofs_collect_for_target_and_pool_and_reward_from_the_pool_alone() {
    let (world, sale, proofs) = world();
    let fee = |target: Item, amount| vec![account(&world.alice), target, int(amount)];
    assert_eq!(
        through(&world, &sale, "collect", fee(Item::Null, 1)).fault(),
        "not for you"
    );
    world.refused(
        &world.alice,
        "reward",
        vec![account(&world.alice), int(1)],
        "not for you",
    );
    assert!(through(&world, &proofs, "collect", fee(account(&world.bob), 101)).is_halt());
    // A fifth of 101, rounded down, is the pool's.
    assert_eq!(world.balance(&world.bob.hash), 1000_0000_0000 + 81);
    assert_eq!(world.get("poolBalance", vec![]), int(20));
    assert!(through(&world, &proofs, "collect", fee(Item::Null, 10)).is_halt());
    assert_eq!(world.get("poolBalance", vec![]), int(30));
    assert_eq!(
        through(&world, &proofs, "collect", fee(Item::Null, -10))
            .events
            .len(),
        0
    );
    let too_much = through(&world, &proofs, "collect", fee(Item::Null, 1000_0000_0000));
    assert_eq!(too_much.fault(), "not enough SOUL to pay the fee");

    // What a box holds is not the pool's.
    let id = world.new_box(
        &world.bob,
        "toll",
        "STATE write\nNOT\nJMPIFNOT ok\nPUSH 1000\nPAY\nok: PUSHT",
    );
    assert!(world.write(&world.bob, id, "PUSH1").is_halt());
    let read = vec![account(&world.alice), int(id), int(0), int(1000)];
    assert!(world.by(&world.alice, "readContentAt", read).is_halt());
    let pool = as_int(&world.get("poolBalance", vec![]));
    assert_eq!(pool, 30 + BOX_FEE + 200);
    let to_bob = |amount| vec![account(&world.bob), int(amount)];
    assert_eq!(
        through(&world, &proofs, "reward", to_bob(pool + 1)).fault(),
        "reward: above the pool"
    );
    assert!(through(&world, &proofs, "reward", to_bob(pool)).is_halt());
    assert_eq!(world.get("poolBalance", vec![]), int(0));
    assert_eq!(world.box_balance(id), 800);
}

const MONTH: i64 = 30 * 24 * 3600 * 1000;
const NOW: i64 = 1_767_225_600_000;
const ROOT: [u8; 32] = [1; 32];

fn expiry(world: &World, root: &[u8]) -> i64 {
    as_int(&fields(&world.get("contentInfo", vec![bytes(root)]))[5])
}

#[test]
fn anybody_renews_a_live_content_at_the_quoted_price() {
    let (world, ..) = world();
    let quote = as_int(&world.get("contentQuote", [262_145, 1, 2, 3].map(int).to_vec()));
    assert_eq!(quote, BLOCK_FEE * 2 * 3 * 3 * 2);
    assert!(
        world
            .content(&world.alice, &ROOT, [262_145, 1, 2, 1, quote])
            .is_halt()
    );
    let renew = |periods, max| vec![account(&world.bob), bytes(&ROOT), int(periods), int(max)];
    world.refused(
        &world.bob,
        "renewContent",
        renew(3, quote - 1),
        "the fee is above maxPayment",
    );
    world.refused(
        &world.alice,
        "renewContent",
        renew(3, quote),
        "no witness of the account",
    );
    for (periods, message) in [
        (0, "content: mode is 0-1, priority 0-2, periods 1-1200"),
        (1200, "renewContent: over 1200 periods ahead"),
    ] {
        world.refused(
            &world.bob,
            "renewContent",
            renew(periods, i64::MAX),
            message,
        );
    }
    assert!(
        world
            .by(&world.bob, "renewContent", renew(3, quote))
            .is_halt()
    );
    assert_eq!(world.balance(&world.bob.hash), 1000_0000_0000 - quote);
    let info = fields(&world.get("contentInfo", vec![bytes(&ROOT)]));
    assert_eq!(
        (&info[2], &info[5]),
        (&account(&world.alice), &int(NOW + 4 * MONTH))
    );
    world.chain.set_time(NOW + 4 * MONTH);
    world.refused(
        &world.bob,
        "renewContent",
        renew(1, quote),
        "not registered, or expired",
    );
}

#[test]
fn an_owner_puts_other_bytes_in_place_until_the_same_time_and_pays_for_more_blocks() {
    let (world, ..) = world();
    let args = |by, root: u8, new: u8, size, max| {
        vec![
            account(by),
            bytes(&[root; 32]),
            bytes(&[new; 32]),
            int(size),
            int(max),
        ]
    };
    assert!(
        world
            .content(&world.alice, &ROOT, [1, 1, 1, 3, i64::MAX])
            .is_halt()
    );
    assert!(
        world
            .content(&world.alice, &[9; 32], [1, 0, 1, 3, i64::MAX])
            .is_halt()
    );
    // One ms into the second period: two started periods are left, for two more blocks.
    world.chain.set_time(NOW + MONTH + 1);
    let price = 2 * 2 * BLOCK_FEE * 2 * 2;
    let (alice, bob) = (&world.alice, &world.bob);
    let cases = [
        (
            bob,
            args(bob, 1, 2, 1, 0),
            "updateContent: read-only, or not yours",
        ),
        (bob, args(alice, 1, 2, 1, 0), "no witness of the account"),
        (
            alice,
            args(alice, 9, 2, 1, 0),
            "updateContent: read-only, or not yours",
        ),
        (alice, args(alice, 3, 2, 1, 0), "not registered, or expired"),
        (
            alice,
            args(alice, 1, 9, 1, 0),
            "content: registered already",
        ),
        (
            alice,
            args(alice, 1, 1, 1, 0),
            "content: registered already",
        ),
        (
            alice,
            args(alice, 1, 2, 0, 0),
            "size must be 1 byte to 1 TiB",
        ),
        (
            alice,
            args(alice, 1, 2, 600_000, price - 1),
            "the fee is above maxPayment",
        ),
    ];
    for (by, args, message) in cases {
        world.refused(by, "updateContent", args, message);
    }
    let before = world.balance(&alice.hash);
    assert!(
        world
            .by(alice, "updateContent", args(alice, 1, 2, 600_000, price))
            .is_halt()
    );
    assert_eq!(world.balance(&alice.hash), before - price);
    assert_eq!(expiry(&world, &[2; 32]), NOW + 3 * MONTH);
    assert_eq!(world.get("contentInfo", vec![bytes(&ROOT)]), Item::Null);
    // Fewer blocks give nothing back.
    assert!(
        world
            .by(alice, "updateContent", args(alice, 2, 3, 1, 0))
            .is_halt()
    );
    assert_eq!(world.balance(&alice.hash), before - price);
}
