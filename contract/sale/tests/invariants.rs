//! What holds after every call of any sequence. Each law has a name, which a broken one prints.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::collections::{BTreeMap, BTreeSet};

use kit::*;
use neo_framework::chain::{Account, Item, Outcome};
use neo_framework::{Bytes, Hash160, int as number};
use phantasma_sale::keys;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

/// One call; numbers choose among a few accounts, tiers and lock-ups, good and bad ones.
#[derive(Clone, Debug)]
enum Call {
    Neo {
        who: usize,
        amount: i64,
    },
    Gas {
        who: usize,
        amount: i64,
    },
    Whitelist {
        by_admin: bool,
        who: usize,
        tier: i64,
    },
    Allot {
        by_admin: bool,
        who: usize,
        amount: i64,
        lockup: i64,
    },
    Unlock {
        who: usize,
    },
    Withdraw,
    Pause {
        by_admin: bool,
    },
    Resume,
    Postpone {
        days: i64,
    },
    End,
    Move {
        from: usize,
        to: usize,
        amount: i64,
    },
    Wait {
        hours: i64,
    },
}

fn call() -> impl Strategy<Value = Call> {
    let who = 0..5usize;
    let amount = prop_oneof![0..3i64, 1..200 * ONE];
    prop_oneof![
        4 => (who.clone(), prop_oneof![0..60i64, Just(900)]).prop_map(|(who, amount)| Call::Neo { who, amount }),
        4 => (who.clone(), amount.clone()).prop_map(|(who, amount)| Call::Gas { who, amount }),
        4 => (prop::bool::weighted(0.9), who.clone(), 0..7i64)
            .prop_map(|(by_admin, who, tier)| Call::Whitelist { by_admin, who, tier }),
        2 => (prop::bool::weighted(0.9), who.clone(), amount.clone(), 0..5i64)
            .prop_map(|(by_admin, who, amount, lockup)| Call::Allot { by_admin, who, amount, lockup }),
        3 => who.clone().prop_map(|who| Call::Unlock { who }),
        1 => Just(Call::Withdraw),
        1 => any::<bool>().prop_map(|by_admin| Call::Pause { by_admin }),
        1 => Just(Call::Resume),
        1 => (-1..20i64).prop_map(|days| Call::Postpone { days }),
        1 => prop::bool::weighted(0.2).prop_map(|end| if end { Call::End } else { Call::Withdraw }),
        2 => (who.clone(), who, amount).prop_map(|(from, to, amount)| Call::Move { from, to, amount }),
        4 => prop_oneof![6 => 0..48i64, 1 => 600..1500i64].prop_map(|hours| Call::Wait { hours }),
    ]
}

fn perform(world: &World, people: &[Account], call: &Call) -> Option<Outcome> {
    let signer = |by_admin: bool| if by_admin { &world.admin } else { &people[0] };
    let list = |who: usize| Item::array(vec![account(&people[who])]);
    Some(match call {
        Call::Neo { who, amount } => world.send_neo(&people[*who], *amount),
        Call::Gas { who, amount } => world.send_gas(&people[*who], *amount),
        Call::Whitelist {
            by_admin,
            who,
            tier,
        } => world.by(signer(*by_admin), "whitelist", vec![list(*who), int(*tier)]),
        Call::Allot {
            by_admin,
            who,
            amount,
            lockup,
        } => {
            let amounts = Item::array(vec![int(*amount)]);
            let args = vec![list(*who), amounts, int(*lockup)];
            world.by(signer(*by_admin), "allot", args)
        }
        Call::Unlock { who } => world.call(&[], "unlockTokens", vec![account(&people[*who])]),
        Call::Withdraw => world.call(&[], "withdraw", vec![]),
        Call::Pause { by_admin } => world.by(signer(*by_admin), "pause", vec![]),
        Call::Resume => world.by_admin("resume", vec![]),
        Call::Postpone { days } => world.by_admin("postpone", vec![int(days * DAY)]),
        Call::End => world.by_admin("end", vec![]),
        Call::Move { from, to, amount } => {
            let (from, to) = (&people[*from], &people[*to]);
            let args = vec![account(from), account(to), int(*amount), Item::Null];
            world
                .chain
                .invoke(&[from.signer()], &world.soul, "transfer", args)
        }
        Call::Wait { hours } => {
            world.chain.advance(hours * 3_600_000);
            return None;
        }
    })
}

/// What the laws compare between one call and the next.
struct Look {
    phase: i64,
    end: i64,
    sold: i64,
    supply: i64,
    /// tier, bought, lockup, locked, unlocked of each person.
    records: Vec<Vec<i64>>,
    /// amount, next, due.
    locked: Vec<[i64; 3]>,
    /// NEO and GAS of all who may have any.
    money: (i64, i64),
    treasury: (i64, i64),
    raised: (i64, i64),
}

fn look(world: &World, people: &[Account]) -> Look {
    let info = world.info();
    let both = |of: &Hash160| (world.neo(of), world.gas(of));
    let mut holders: Vec<&Hash160> = people.iter().map(|a| &a.hash).collect();
    holders.extend([
        &world.sale,
        &world.treasury.hash,
        &world.soul,
        &world.admin.hash,
    ]);
    let money = holders
        .iter()
        .map(|of| both(of))
        .fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
    Look {
        phase: info[0],
        end: info[2],
        sold: info[4],
        supply: world.total_supply(),
        records: people
            .iter()
            .map(|a| numbers(&world.get("accountInfo", vec![account(a)])))
            .collect(),
        locked: people.iter().map(|a| world.locked(a)).collect(),
        money,
        treasury: both(&world.treasury.hash),
        raised: both(&world.sale),
    }
}

/// The laws; `outcome` is that of the call between the two looks.
fn check(world: &World, call: &Call, before: &Look, after: &Look, halted: bool) {
    let law = |holds: bool, name: &str| assert!(holds, "{name}, after {call:?}");
    let latest = world.start + (OPENING_DAYS + LATEST_DAYS) * DAY;
    let sum = |look: &Look, field: usize| look.records.iter().map(|r| r[field]).sum::<i64>();
    let allotted: i64 = (1..=3)
        .map(|n| numbers(&world.get("lockupInfo", vec![int(n)])))
        .inspect(|info| law(info[4] <= info[3], "no reserve is passed"))
        .map(|info| info[4])
        .sum();
    law(
        world.sum_of_balances() == after.supply,
        "balances add up to the supply",
    );
    law(
        world.soul_of(&world.sale) == sum(after, 3) - sum(after, 4),
        "the sale keeps what is locked and nothing else",
    );
    law(
        after.supply == SUPPLY + after.sold + allotted,
        "nothing is minted that was not sold or allotted",
    );
    law(after.sold <= HARD_CAP, "the hard cap is not passed");
    law(after.sold >= before.sold, "what was sold stays sold");
    law(
        after.money == before.money,
        "NEO and GAS are neither made nor lost",
    );
    law(
        after.treasury >= before.treasury,
        "the treasury gives nothing back",
    );
    let sells = matches!(call, Call::Neo { .. } | Call::Gas { .. });
    law(
        after.sold == before.sold || (sells && before.phase == 1),
        "only a contribution in the open phase buys",
    );
    law(
        (after.raised == before.raised) == (after.sold == before.sold)
            || matches!(call, Call::Withdraw),
        "money is kept exactly when SOUL is sold",
    );
    law(
        after.end <= latest,
        "the end is not put off past the latest",
    );
    law(before.phase != 3 || after.phase == 3, "an end is for good");
    law(
        before.phase != 3
            || (after.end, after.supply, sum(after, 0))
                == (before.end, before.supply, sum(before, 0)),
        "the administrator can do nothing after the end",
    );
    for ((old, new), locked) in before.records.iter().zip(&after.records).zip(&after.locked) {
        law(
            new[1] >= old[1] && new[3] >= old[3] && new[4] >= old[4],
            "no account's numbers fall",
        );
        let most = TIERS.iter().map(|tier| tier[3]).max().unwrap();
        law(new[1] <= most, "no cap of an account is passed");
        if new[1] > old[1] {
            law(
                new[1] <= TIERS[new[0] as usize - 1][3],
                "the cap is that of the tier",
            );
        }
        law(new[4] <= new[3], "no more is unlocked than was locked");
        law(
            new[4] == old[4] || before.phase == 3,
            "nothing unlocks before the end",
        );
        law(old[2] == 0 || new[2] == old[2], "a lock-up stays the same");
        law(locked[0] == new[3] - new[4], "lockedOf is what is left");
        law(
            locked[2] >= 0 && locked[2] <= locked[0],
            "what is due is there",
        );
    }
    law(
        halted
            || (after.sold, sum(after, 3), after.supply)
                == (before.sold, sum(before, 3), before.supply),
        "a fault changes nothing",
    );
}

/// Five people with NEO and GAS, before the opening.
fn world() -> (World, Vec<Account>) {
    let world = World::new();
    let mut people = vec![world.alice.clone(), world.bob.clone()];
    people.extend(["carol", "dave", "erin"].map(|name| world.chain.account(name)));
    for person in &people {
        world.chain.set_neo(&person.hash, 1000);
        world.chain.set_gas(&person.hash, 1000 * ONE);
    }
    (world, people)
}

/// Long after the end everything that was locked is out.
fn check_the_last_day(world: &World, people: &[Account]) {
    world.chain.advance(2000 * DAY);
    for person in people {
        let [amount, next, due] = world.locked(person);
        assert_eq!((amount, next), (due, 0));
        if amount > 0 {
            world
                .call(&[], "unlockTokens", vec![account(person)])
                .result();
        }
    }
    assert_eq!(world.soul_of(&world.sale), 0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_sequence_of_calls_breaks_a_law(calls in prop::collection::vec(call(), 1..80)) {
        let (world, people) = world();
        let mut before = look(&world, &people);
        for call in &calls {
            let storage = world.storage();
            let outcome = perform(&world, &people, call);
            let halted = outcome.as_ref().is_none_or(Outcome::is_halt);
            if !halted {
                assert_eq!(world.storage(), storage, "a fault of {call:?} changed the state");
            }
            let after = look(&world, &people);
            check(&world, call, &before, &after, halted);
            before = after;
        }
        check_the_last_day(&world, &people);
    }

    #[test]
    fn keys_of_different_things_differ(accounts in prop::collection::btree_set(any::<[u8; 20]>(), 1..6)) {
        let mut all = vec![
            keys::PHANTASMA,
            keys::ADMINISTRATOR,
            keys::TREASURY,
            keys::STATE,
            keys::BOUNDS,
        ];
        for n in 1..keys::NUMBER_LIMIT {
            all.extend([keys::tier(number(n)), keys::lockup(number(n)), keys::allotted(number(n))]);
        }
        let accounts = accounts.into_iter().map(|a| Hash160::from_bytes(Bytes::from(a)).unwrap());
        all.extend(accounts.map(|a| keys::account(&a)));
        let count = all.len();
        let distinct: BTreeSet<Vec<u8>> = all.iter().map(|key| key.as_slice().to_vec()).collect();
        prop_assert_eq!(distinct.len(), count);
        prop_assert!(distinct.iter().all(|key| key.len() <= 64));
    }
}

/// The laws would hold for nothing if the calls were all refused.
#[test]
fn the_sequences_reach_every_call_and_every_tier() {
    let mut runner = TestRunner::deterministic();
    let (mut done, mut tiers, mut refunds) = (BTreeMap::new(), BTreeSet::new(), 0);
    for _ in 0..60 {
        let (world, people) = world();
        let calls = prop::collection::vec(call(), 80);
        for call in calls.new_tree(&mut runner).unwrap().current() {
            let Some(outcome) = perform(&world, &people, &call) else {
                continue;
            };
            let name = format!("{call:?}");
            let name = name.split(' ').next().unwrap().to_owned();
            *done.entry((name, outcome.is_halt())).or_insert(0) += 1;
            for event in outcome.events_named("Sold") {
                tiers.insert(as_int(&world.get("tierOf", vec![event.args[0].clone()])));
                refunds += i64::from(as_int(&event.args[3]) > 0);
            }
        }
    }
    let halted = done.keys().filter(|(_, halted)| *halted).count();
    assert_eq!(halted, 11, "{done:?}");
    assert_eq!(tiers.len(), TIERS.len());
    assert!(refunds > 10, "{refunds}");
}
