//! Who may buy, when, how much, and for what.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Account, Item};
use neo_framework::{gas_token, neo_token};

const NEO: neo_framework::Hash160 = neo_token::HASH;
const GAS: neo_framework::Hash160 = gas_token::HASH;

#[test]
fn neo_and_gas_buy_at_the_rates_of_the_tier() {
    let world = World::open();
    let bought = world.send_neo(&world.alice, 2);
    assert_eq!(bought.result(), Item::Boolean(true));
    assert_eq!(world.soul_of(&world.alice.hash), 546 * ONE);
    assert_eq!(world.neo(&world.alice.hash), 998);
    assert_eq!(world.neo(&world.sale), 2);
    // 80 SOUL a GAS, and a part of a unit is nobody's: 1.00000001 GAS are 80.0000008 SOUL.
    world.send_gas(&world.bob, ONE + 1).result();
    assert_eq!(world.soul_of(&world.bob.hash), 80 * ONE + 80);
    assert_eq!(world.sold(), 626 * ONE + 80);
    assert_eq!(world.total_supply(), SUPPLY + 626 * ONE + 80);
    let sold = world.send_neo(&world.alice, 1);
    let events = sold.events_named("Sold");
    let numbers: Vec<i64> = events[0].args[2..].iter().map(as_int).collect();
    assert_eq!(numbers, [1, 0, 273 * ONE, 0]);
    assert_eq!(events[0].args[..2], [account(&world.alice), hash(&NEO)]);
}

#[test]
fn only_the_whitelist_buys_and_a_tier_can_be_taken_back() {
    let world = World::open();
    let carol = world.chain.account("carol");
    world.chain.set_neo(&carol.hash, 5);
    world.no_sale(&carol, &NEO, 1, "not on the whitelist");
    world.whitelist(&[&world.alice], 0).result();
    world.no_sale(&world.alice, &NEO, 1, "not on the whitelist");
    world.send_neo(&world.bob, 1).result();
    // Neither the whole list nor a tier forgets what was bought.
    world.whitelist(&[&world.bob], 0).result();
    world
        .whitelist(&[&world.bob, &world.alice], GAS_ONLY)
        .result();
    let info = numbers(&world.get("accountInfo", vec![account(&world.bob)]));
    assert_eq!(info, [GAS_ONLY, 273 * ONE, 0, 0, 0]);
    assert_eq!(
        world.get("tierOf", vec![account(&world.alice)]),
        int(GAS_ONLY)
    );
    world.no_sale(&world.alice, &NEO, 1, "this tier does not take this token");
}

#[test]
fn what_is_over_the_own_cap_goes_back_at_once() {
    let world = World::open();
    // 36 NEO are 9828 SOUL; the cap of 10000 leaves room for 0 more NEO, but for 2.15 GAS.
    let outcome = world.send_neo(&world.alice, 100);
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(world.neo(&world.alice.hash), 1000 - 36);
    assert_eq!(world.soul_of(&world.alice.hash), 9828 * ONE);
    world.no_sale(
        &world.alice,
        &NEO,
        1,
        "nothing to buy: a cap is reached, or too little was sent",
    );
    world.send_gas(&world.alice, 10 * ONE).result();
    assert_eq!(world.gas(&world.alice.hash), 1000 * ONE - 2_1500_0000);
    assert_eq!(world.soul_of(&world.alice.hash), 10_000 * ONE);
    assert_eq!(
        world.get("remainingOf", vec![account(&world.alice)]),
        int(0)
    );
    world.no_sale(
        &world.alice,
        &GAS,
        ONE,
        "nothing to buy: a cap is reached, or too little was sent",
    );
}

#[test]
fn the_hard_cap_counts_the_bonus_and_is_never_passed() {
    let world = World::open();
    let many: Vec<_> = (0..4)
        .map(|n| world.chain.account(&format!("b{n}")))
        .collect();
    for buyer in &many {
        world.chain.set_neo(&buyer.hash, 100);
        world.chain.set_gas(&buyer.hash, 200 * ONE);
        world.whitelist(&[buyer], PRESALE).result();
        let expected = world.quote(buyer, &NEO, 100);
        let outcome = world.send_neo(buyer, 100);
        assert_eq!(outcome.is_halt(), expected[2] > 0);
        if outcome.is_halt() {
            assert_eq!(world.neo(&buyer.hash), expected[1]);
        }
    }
    // 40 NEO of the first two are 14400 SOUL each with the bonus; of 1200 SOUL left one takes 3 NEO.
    assert_eq!(world.sold(), 2 * 14_400 * ONE + 3 * 360 * ONE);
    world.send_gas(&many[3], 200 * ONE).result();
    assert!(world.sold() <= HARD_CAP && world.sold() > HARD_CAP - 300);
    world.no_sale(
        &world.alice,
        &NEO,
        1,
        "nothing to buy: a cap is reached, or too little was sent",
    );
}

#[test]
fn a_quote_is_what_the_purchase_then_does() {
    let world = World::open();
    let (alice, bob) = (&world.alice, &world.bob);
    for (who, tier, token, amount) in [
        (bob, PUBLIC, NEO, 3),
        (bob, PRESALE, GAS, 5 * ONE + 1),
        (bob, PRESALE, NEO, 900),
        (bob, GAS_ONLY, GAS, 999 * ONE),
        (alice, ADVISOR, GAS, 77),
        (alice, ADVISOR, NEO, 7),
    ] {
        world.whitelist(&[who], tier).result();
        let state = || {
            let raised = world.neo(&world.sale) + world.gas(&world.sale);
            [world.soul_of(&who.hash), world.locked(who)[0], raised]
        };
        let before = state();
        let quote = world.quote(who, &token, amount);
        assert_eq!(quote[0] + quote[1], amount);
        if !world.send(who, &token, amount).is_halt() {
            assert_eq!(quote[2], 0);
            continue;
        }
        let after = state();
        assert_eq!(after[0] - before[0], quote[2] + quote[3] - quote[4]);
        assert_eq!(after[1] - before[1], quote[4]);
        assert_eq!(after[2] - before[2], quote[0]);
    }
    let args = |token, amount| vec![account(&world.alice), hash(&token), int(amount)];
    let soul = world.soul.clone();
    world.refused(
        &world.bob,
        "quote",
        args(soul, 1),
        "only NEO and GAS buy SOUL",
    );
    world.refused(
        &world.bob,
        "quote",
        args(GAS, -1),
        "quote: amount is negative",
    );
}

#[test]
fn dust_buys_nothing_and_is_kept_by_nobody() {
    let world = World::open();
    world.whitelist(&[&world.alice], GAS_ONLY).result();
    // 0.77777777 SOUL a GAS: one datoshi is less than a unit.
    for amount in [0, 1] {
        world.no_sale(
            &world.alice,
            &GAS,
            amount,
            "nothing to buy: a cap is reached, or too little was sent",
        );
    }
    world.send_gas(&world.alice, 2).result();
    assert_eq!(world.soul_of(&world.alice.hash), 1);
}

#[test]
fn before_the_opening_and_after_the_end_and_while_paused_nothing_is_sold() {
    let world = World::new();
    world.whitelist(&[&world.alice], PUBLIC).result();
    world.at(world.start + OPENING_DAYS * DAY - 1);
    assert_eq!(world.get("phase", vec![]), int(0));
    world.no_sale(&world.alice, &NEO, 1, "sale: not open yet");
    world.at_day(OPENING_DAYS);
    assert_eq!(world.get("phase", vec![]), int(1));
    world.send_neo(&world.alice, 1).result();
    world.by_admin("pause", vec![]).result();
    assert_eq!(world.get("phase", vec![]), int(2));
    world.no_sale(&world.alice, &NEO, 1, "sale: paused");
    world.refused(
        &world.admin,
        "pause",
        vec![],
        "sale: paused already, or not paused",
    );
    world.by_admin("resume", vec![]).result();
    world.refused(
        &world.admin,
        "resume",
        vec![],
        "sale: paused already, or not paused",
    );
    world.at(world.start + (OPENING_DAYS + SALE_DAYS) * DAY - 1);
    world.send_neo(&world.alice, 1).result();
    world.at_day(OPENING_DAYS + SALE_DAYS);
    assert_eq!(world.get("phase", vec![]), int(3));
    world.no_sale(&world.alice, &NEO, 1, "sale: has ended");
    // What was not sold was never minted.
    assert_eq!(world.total_supply(), SUPPLY + 546 * ONE);
}

#[test]
fn the_sale_can_be_put_off_but_not_for_ever() {
    let world = World::new();
    world.whitelist(&[&world.alice], PUBLIC).result();
    world.by_admin("postpone", vec![int(5 * DAY)]).result();
    let days = |day: i64| world.start + day * DAY;
    assert_eq!(world.info()[1..3], [days(6), days(36)]);
    world.at_day(5);
    world.no_sale(&world.alice, &NEO, 1, "sale: not open yet");
    world.at_day(6);
    world.send_neo(&world.alice, 1).result();
    // Once it is open only the end moves.
    world.by_admin("postpone", vec![int(25 * DAY)]).result();
    assert_eq!(world.info()[1..3], [days(6), days(61)]);
    for delay in [1, 0, -1, i64::MAX] {
        let message = "postpone: only later, and not past latestEnd";
        world.refused(&world.admin, "postpone", vec![int(delay)], message);
    }
}

/// Every call that is the administrator's, where one names accounts with this one.
fn administration(of: &Account) -> [(&'static str, Vec<Item>); 6] {
    let list = || Item::array(vec![account(of)]);
    [
        ("end", vec![]),
        ("pause", vec![]),
        ("resume", vec![]),
        ("postpone", vec![int(1)]),
        ("whitelist", vec![list(), int(1)]),
        ("allot", vec![list(), Item::array(vec![int(1)]), int(2)]),
    ]
}

#[test]
fn the_administrator_ends_it_for_good() {
    let world = World::open();
    world.send_neo(&world.alice, 1).result();
    world.chain.advance(DAY);
    let ended = world.by_admin("end", vec![]);
    let args: Vec<i64> = ended.events_named("SaleChanged")[0]
        .args
        .iter()
        .map(as_int)
        .collect();
    assert_eq!(args, [3, world.start + DAY, world.start + 2 * DAY]);
    world.no_sale(&world.alice, &NEO, 1, "sale: has ended");
    for (method, args) in administration(&world.alice) {
        world.refused(&world.admin, method, args, "sale: has ended");
    }
    // Before the opening too.
    let early = World::new();
    early.by_admin("end", vec![]).result();
    early.at_day(OPENING_DAYS);
    early.no_sale(&early.alice, &NEO, 1, "sale: has ended");
}

#[test]
fn nobody_else_has_the_administrators_rights() {
    let world = World::open();
    for (method, args) in administration(&world.bob) {
        for who in [&world.bob, &world.owner, &world.treasury] {
            world.refused(who, method, args.clone(), "only for the administrator");
        }
    }
}

#[test]
fn raised_funds_go_to_the_treasury_and_nowhere_else() {
    let world = World::open();
    world.send_neo(&world.alice, 3).result();
    world.send_gas(&world.alice, 4 * ONE).result();
    world.call(&[], "withdraw", vec![]).result();
    assert_eq!(world.neo(&world.treasury.hash), 3);
    assert_eq!(world.gas(&world.treasury.hash), 4 * ONE);
    assert_eq!((world.neo(&world.sale), world.gas(&world.sale)), (0, 0));
    world.call(&[], "withdraw", vec![]).result();
    // The sale goes on, and so does withdrawing after it.
    world.send_neo(&world.bob, 1).result();
    world.at_day(400);
    world.call(&[], "withdraw", vec![]).result();
    assert_eq!(world.neo(&world.treasury.hash), 4);
}

#[test]
fn batches_of_the_whitelist_are_whole_or_nothing() {
    let world = World::new();
    let many: Vec<_> = (0..50)
        .map(|n| world.chain.account(&format!("b{n}")))
        .collect();
    let outcome = world.whitelist(&many.iter().collect::<Vec<_>>(), PRESALE);
    assert_eq!(outcome.events_named("Whitelisted").len(), 50);
    assert_eq!(world.records().count(), 50);
    for (tier, message) in [
        (6, "no such tier"),
        (-1, "no such tier"),
        (17, "no such tier"),
    ] {
        let list = Item::array(vec![account(&world.alice)]);
        world.refused(&world.admin, "whitelist", vec![list, int(tier)], message);
    }
    let bad = Item::array(vec![account(&world.alice), int(1)]);
    assert!(!world.by_admin("whitelist", vec![bad, int(1)]).is_halt());
    assert_eq!(world.get("tierOf", vec![account(&world.alice)]), int(0));
    world
        .whitelist(&many.iter().collect::<Vec<_>>(), 0)
        .result();
    assert_eq!(world.records().count(), 0);
}

#[test]
fn what_was_fixed_at_deployment_can_be_read() {
    let world = World::new();
    let settings = fields(&world.get("settings", vec![]));
    let hashes = [
        hash(&world.soul),
        account(&world.admin),
        account(&world.treasury),
    ];
    assert_eq!(settings[..3], hashes);
    let latest = world.start + (OPENING_DAYS + LATEST_DAYS) * DAY;
    assert_eq!(settings[3..], [latest, 5, 3].map(int));
    for (n, tier) in TIERS.iter().enumerate() {
        let info = numbers(&world.get("tierInfo", vec![int(n as i64 + 1)]));
        assert_eq!(info, tier);
    }
    for (n, lockup) in LOCKUPS.iter().enumerate() {
        let info = numbers(&world.get("lockupInfo", vec![int(n as i64 + 1)]));
        assert_eq!(info, [&lockup[..], &[0]].concat());
    }
    assert_eq!(
        world.info(),
        [0, world.start + DAY, world.start + 31 * DAY, HARD_CAP, 0]
    );
}
