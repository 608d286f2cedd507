//! What is locked and for how long, beside tables that are written out here.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Account, Item};

const SALE_END: i64 = OPENING_DAYS + SALE_DAYS;

/// Days after the end of the sale on which a part becomes free; all parts are equal.
const TEAM_DAYS: [i64; 4] = [360, 540, 720, 900];
const ADVISOR_DAYS: [i64; 12] = [120, 150, 180, 210, 240, 270, 300, 330, 360, 390, 420, 450];
const PRESALE_DAYS: [i64; 3] = [30, 60, 90];

/// What is free of a total on a day, and the next day, 0 if there is none: counted along the table.
fn free(days: &[i64], total: i64, day: i64) -> (i64, i64) {
    let mut left = total;
    let mut next = 0;
    for (n, &part_day) in days.iter().enumerate().rev() {
        if part_day <= day {
            break;
        }
        // Parts are rounded down together: after n of them the n-th share of the whole is out.
        left = (i128::from(total) * n as i128 / days.len() as i128) as i64;
        next = part_day;
    }
    (left, next)
}

/// Unlocks on every day from the end on and compares each with the table, to the last unit.
fn follow(world: &World, who: &Account, days: &[i64], total: i64) {
    let at_first = world.soul_of(&who.hash);
    let mut paid = 0;
    let mut payments = 0;
    for day in 0..days.last().unwrap() + 40 {
        // Not in the first ms of a day only.
        world.at(world.start + (SALE_END + day) * DAY + day % 2 * (DAY - 1));
        let (free, next) = free(days, total, day);
        let next = if next == 0 {
            0
        } else {
            world.start + (SALE_END + next) * DAY
        };
        assert_eq!(
            world.locked(who),
            [total - paid, next, free - paid],
            "day {day}"
        );
        if free == paid {
            if day % 7 == 0 {
                let args = vec![account(who)];
                let message = "unlockTokens: nothing is free yet";
                world.refused(who, "unlockTokens", args, message);
            }
            continue;
        }
        let outcome = world.call(&[], "unlockTokens", vec![account(who)]);
        assert_eq!(
            as_int(&outcome.events_named("Unlocked")[0].args[1]),
            free - paid
        );
        assert_eq!(as_int(&outcome.result()), free - paid);
        paid = free;
        payments += 1;
        assert_eq!(world.soul_of(&who.hash), at_first + paid, "day {day}");
    }
    assert_eq!((paid, payments), (total, days.len()));
    assert_eq!(world.soul_of(&world.sale), 0);
}

#[test]
fn the_teams_allotment_is_freed_in_quarters_after_a_cliff_of_half_a_year() {
    let world = World::new();
    let team = world.chain.account("team");
    let total = 1_000_000 * ONE + 3;
    world.allot(&[(&team, total)], TEAM_LOCKUP).result();
    world.at_day(SALE_END);
    follow(&world, &team, &TEAM_DAYS, total);
}

#[test]
fn the_advisors_allotment_is_freed_monthly_after_a_cliff_of_three_months() {
    let world = World::new();
    let advisor = world.chain.account("advisor");
    let total = 700_000 * ONE + 7;
    world
        .allot(&[(&advisor, total - 5)], ADVISOR_LOCKUP)
        .result();
    world.allot(&[(&advisor, 5)], ADVISOR_LOCKUP).result();
    world.at_day(SALE_END);
    follow(&world, &advisor, &ADVISOR_DAYS, total);
}

#[test]
fn the_presale_has_its_base_at_once_and_its_bonus_in_thirds() {
    let world = World::open();
    world.whitelist(&[&world.alice], PRESALE).result();
    let sold = world.send_gas(&world.alice, 10_0000_0007);
    assert_eq!(sold.events_named("Locked").len(), 1);
    // 10.00000007 GAS are 900.0000063 SOUL and 180.00000126 on top.
    assert_eq!(world.soul_of(&world.alice.hash), 900_0000_0630);
    assert_eq!(world.locked(&world.alice)[0], 180_0000_0126);
    world.at_day(SALE_END);
    follow(&world, &world.alice, &PRESALE_DAYS, 180_0000_0126);
}

#[test]
fn tiers_of_team_and_advisors_lock_all_that_they_buy() {
    let world = World::open();
    world.whitelist(&[&world.alice], ADVISOR).result();
    world.whitelist(&[&world.bob], TEAM).result();
    world.send_neo(&world.alice, 2).result();
    world.send_neo(&world.bob, 2).result();
    assert_eq!(world.soul_of(&world.alice.hash), 0);
    assert_eq!(world.soul_of(&world.bob.hash), 0);
    assert_eq!(world.locked(&world.alice)[0], 600 * ONE);
    assert_eq!(world.locked(&world.bob)[0], 642 * ONE);
    world.at_day(SALE_END + 361);
    world
        .call(&[], "unlockTokens", vec![account(&world.alice)])
        .result();
    world
        .call(&[], "unlockTokens", vec![account(&world.bob)])
        .result();
    assert_eq!(world.soul_of(&world.alice.hash), 450 * ONE);
    assert_eq!(world.soul_of(&world.bob.hash), 160 * ONE + 5000_0000);
}

#[test]
fn what_the_public_buys_is_free_at_once() {
    let world = World::open();
    world.send_neo(&world.alice, 2).result();
    assert_eq!(world.locked(&world.alice), [0, 0, 0]);
    let args = vec![
        account(&world.alice),
        account(&world.bob),
        int(546 * ONE),
        Item::Null,
    ];
    let moved = world
        .chain
        .invoke(&[world.alice.signer()], &world.soul, "transfer", args);
    assert_eq!(moved.result(), Item::Boolean(true));
    let args = vec![account(&world.alice)];
    world.refused(
        &world.alice,
        "unlockTokens",
        args,
        "unlockTokens: nothing is free yet",
    );
}

#[test]
fn lock_ups_run_from_the_end_as_it_came_and_the_end_has_a_latest_day() {
    let world = World::open();
    world.allot(&[(&world.alice, 300)], ADVISOR_LOCKUP).result();
    let next = |days: i64| world.start + days * DAY;
    assert_eq!(world.locked(&world.alice), [300, next(SALE_END + 120), 0]);
    world.by_admin("postpone", vec![int(30 * DAY)]).result();
    assert_eq!(
        world.locked(&world.alice),
        [300, next(OPENING_DAYS + LATEST_DAYS + 120), 0]
    );
    world.chain.advance(DAY);
    world.by_admin("end", vec![]).result();
    assert_eq!(
        world.locked(&world.alice),
        [300, next(OPENING_DAYS + 1 + 120), 0]
    );
    world.at_day(OPENING_DAYS + 1 + 120);
    assert_eq!(
        world.locked(&world.alice),
        [300, next(OPENING_DAYS + 1 + 150), 25]
    );
}

#[test]
fn allotments_stay_within_their_reserves_and_one_account_has_one_lock_up() {
    let world = World::open();
    let list = |who: &Account| Item::array(vec![account(who)]);
    let args = |amount: i64, lockup: i64| {
        vec![
            list(&world.alice),
            Item::array(vec![int(amount)]),
            int(lockup),
        ]
    };
    let team = LOCKUPS[2][3];
    world
        .allot(&[(&world.alice, 10), (&world.bob, team - 11)], TEAM_LOCKUP)
        .result();
    let over = "allot: above the lock-up's reserve";
    world.refused(&world.admin, "allot", args(2, TEAM_LOCKUP), over);
    world.allot(&[(&world.alice, 1)], TEAM_LOCKUP).result();
    world.refused(&world.admin, "allot", args(1, TEAM_LOCKUP), over);
    // The presale's lock-up has no reserve at all.
    let another = "this account has another lock-up already";
    world.refused(&world.admin, "allot", args(1, ADVISOR_LOCKUP), another);
    let other = world.chain.account("other");
    let presale = vec![list(&other), Item::array(vec![int(1)]), int(PRESALE_LOCKUP)];
    world.refused(&world.admin, "allot", presale, over);
    world.refused(
        &world.admin,
        "whitelist",
        vec![list(&world.alice), int(PRESALE)],
        another,
    );
    for lockup in [0, 4, 17, -1] {
        world.refused(&world.admin, "allot", args(1, lockup), "no such lock-up");
    }
    for amount in [0, -1, i64::MAX] {
        let message = "allot: amount out of range";
        world.refused(&world.admin, "allot", args(amount, TEAM_LOCKUP), message);
    }
    let uneven = vec![list(&world.alice), Item::array(vec![]), int(TEAM_LOCKUP)];
    let message = "allot: as many amounts as accounts";
    world.refused(&world.admin, "allot", uneven, message);
    assert_eq!(world.total_supply(), SUPPLY + team);
    assert_eq!(world.sold(), 0);
}

#[test]
fn the_token_has_the_last_word_on_how_much_soul_there_is() {
    let treasury = Account::named("treasury").hash;
    let world = World::with(&treasury, SUPPLY + 300 * ONE);
    world.whitelist(&[&world.alice], PUBLIC).result();
    world.at_day(OPENING_DAYS);
    world.send_neo(&world.alice, 1).result();
    let above = "mint: above maxSupply";
    world.no_sale(&world.alice, &neo_framework::neo_token::HASH, 1, above);
    let args = vec![
        Item::array(vec![account(&world.bob)]),
        Item::array(vec![int(27 * ONE + 1)]),
        int(TEAM_LOCKUP),
    ];
    world.refused(&world.admin, "allot", args, above);
    world.allot(&[(&world.bob, 27 * ONE)], TEAM_LOCKUP).result();
}
