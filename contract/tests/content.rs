//! The registry of stored content.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::Item;

const ROOT: [u8; 32] = [0xAB; 32];
const MONTH: i64 = 30 * 24 * 3600 * 1000;
const NOW: i64 = 1_767_225_600_000;

#[test]
fn content_is_registered_paid_and_known_by_its_root() {
    let world = World::new();
    let outcome = world.content(&world.alice, &ROOT, [262_145, 1, 2, 3, BLOCK_FEE * 36]);
    assert_eq!(outcome.result(), bytes(&ROOT));
    let event = outcome.events.last().unwrap();
    assert_eq!(event.name, "ContentCreated");
    assert_eq!(
        event.args,
        [
            bytes(&ROOT),
            account(&world.alice),
            int(262_145),
            int(NOW + 3 * MONTH)
        ]
    );
    let info = fields(&world.get("contentInfo", vec![bytes(&ROOT)]));
    let expected = [
        bytes(&ROOT),
        int(262_145),
        account(&world.alice),
        int(1),
        int(2),
        int(NOW + 3 * MONTH),
        int(NOW),
    ];
    assert_eq!(info, expected);
    // Two blocks, three periods, priority 2 is three times, writable twice.
    assert_eq!(world.balance(&world.hash), BLOCK_FEE * 36);
    assert_eq!(world.sum_of_balances(), SUPPLY);
    assert_eq!(world.get("contentInfo", vec![bytes(&[1; 32])]), Item::Null);
}

#[test]
fn the_fee_counts_started_blocks() {
    for (size, blocks) in [(1, 1), (262_144, 1), (262_145, 2), (1 << 30, 4096)] {
        let world = World::new();
        let fee = BLOCK_FEE * blocks;
        let args = content_args(&world.alice, &ROOT, [size, 0, 0, 1, fee - 1]);
        world.refused(
            &world.alice,
            "createContent",
            args,
            "the fee is above maxPayment",
        );
        assert!(
            world
                .content(&world.alice, &ROOT, [size, 0, 0, 1, fee])
                .is_halt()
        );
        assert_eq!(world.balance(&world.hash), fee);
    }
}

#[test]
fn numbers_out_of_range_are_refused() {
    let world = World::new();
    let most = i64::MAX;
    let cases = [
        ([0, 0, 0, 1, most], "size must be 1 byte to 1 TiB"),
        ([-1, 0, 0, 1, most], "size must be 1 byte to 1 TiB"),
        (
            [(1 << 40) + 1, 0, 0, 1, most],
            "size must be 1 byte to 1 TiB",
        ),
        (
            [1, 2, 0, 1, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        (
            [1, -1, 0, 1, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        (
            [1, 0, 3, 1, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        (
            [1, 0, -1, 1, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        (
            [1, 0, 0, 0, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        (
            [1, 0, 0, 1201, most],
            "content: mode is 0-1, priority 0-2, periods 1-1200",
        ),
        ([1, 0, 0, 1, -1], "the fee is above maxPayment"),
        (
            [1 << 40, 1, 2, 1200, most],
            "not enough SOUL to pay the fee",
        ),
    ];
    for (numbers, message) in cases {
        world.refused(
            &world.alice,
            "createContent",
            content_args(&world.alice, &ROOT, numbers),
            message,
        );
    }
    for length in [0, 31, 33] {
        let args = content_args(&world.alice, &vec![1; length], [1, 0, 0, 1, most]);
        world.refused(&world.alice, "createContent", args, "root must be 32 bytes");
    }
    world.refused(
        &world.alice,
        "contentInfo",
        vec![bytes(&[1; 65])],
        "root must be 32 bytes",
    );
    let args = content_args(&world.alice, &ROOT, [1, 0, 0, 1, most]);
    world.refused(
        &world.bob,
        "createContent",
        args,
        "no witness of the account",
    );
}

#[test]
fn a_root_is_registered_once_until_it_expires() {
    let world = World::new();
    let numbers = [1, 0, 0, 1, BLOCK_FEE];
    assert!(world.content(&world.alice, &ROOT, numbers).is_halt());
    let again = "content: registered already";
    world.refused(
        &world.alice,
        "createContent",
        content_args(&world.alice, &ROOT, numbers),
        again,
    );
    world.chain.set_time(NOW + MONTH - 1);
    world.refused(
        &world.bob,
        "createContent",
        content_args(&world.bob, &ROOT, numbers),
        again,
    );
    world.chain.set_time(NOW + MONTH);
    assert!(world.content(&world.bob, &ROOT, numbers).is_halt());
    let info = fields(&world.get("contentInfo", vec![bytes(&ROOT)]));
    assert_eq!(
        (&info[2], &info[5]),
        (&account(&world.bob), &int(NOW + 2 * MONTH))
    );
}
