//! What holds after any sequence of calls.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use std::collections::BTreeSet;

use kit::*;
use neo_framework::chain::{Account, Item};
use phantasma_contract::keys;
use proptest::prelude::*;

/// One call; numbers choose among a few accounts, boxes and scripts, good and bad ones.
#[derive(Clone, Debug)]
enum Call {
    Transfer {
        from: usize,
        to: usize,
        amount: i64,
    },
    Box {
        owner: usize,
        name: u8,
        gate: usize,
    },
    Write {
        caller: usize,
        id: i64,
        content: usize,
    },
    Read {
        caller: usize,
        id: i64,
        index: i64,
    },
    Content {
        owner: usize,
        root: u8,
        size: i64,
        periods: i64,
    },
    Wait {
        days: i64,
    },
    /// Reads the latest content, or calls one with an input.
    Pull {
        caller: usize,
        id: i64,
        max: i64,
        call: bool,
    },
    /// Deletes the latest content, or puts another one in its place.
    Revise {
        caller: usize,
        id: i64,
        content: Option<usize>,
    },
    Gate {
        owner: usize,
        id: i64,
        gate: usize,
    },
    Withdraw {
        owner: usize,
        id: i64,
        amount: i64,
    },
}

const SCRIPTS: [&str; 17] = [
    "PUSHT",
    "STATE own",
    "STATE read",
    "PUSH 1\nPUSH 0\nDIV",
    "PUSH \"data\"",
    "JMP +0",
    "PUSH 2",
    "PUSH 1003\nPAY\nPUSH 2",
    "STATE write\nJMPIFNOT ok\nPUSH 77\nPAY\nok: OK",
    "PUSH 1\nPULL\nDROP\nOK",
    "PUSH 2\nPULL",
    "PUSH 0x11\nPUSH 1\nPUSH",
    "PUSH 2\nDELETE\nDROP\nOK",
    "PUSH 0x11\nPUSH 3\nREPLACE",
    "PUSH 1\nINCLUDE\nDROP\nOK",
    "PUSH 9\nPUSH 1\nPUSH 0\nPUSH 1\nCALL",
    "PUSH \"v\"\nPUSH \"k\"\nWRITE\nPUSH \"k\"\nREAD",
];

fn call() -> impl Strategy<Value = Call> {
    let who = 0..4usize;
    prop_oneof![
        (
            who.clone(),
            who.clone(),
            prop_oneof![-2..3i64, Just(1000_0000_0000), Just(SUPPLY)]
        )
            .prop_map(|(from, to, amount)| Call::Transfer { from, to, amount }),
        (who.clone(), 0..6u8, 0..SCRIPTS.len()).prop_map(|(owner, name, gate)| Call::Box {
            owner,
            name,
            gate
        }),
        (who.clone(), 0..5i64, 0..SCRIPTS.len()).prop_map(|(caller, id, content)| Call::Write {
            caller,
            id,
            content
        }),
        (who.clone(), 0..5i64, 0..4i64).prop_map(|(caller, id, index)| Call::Read {
            caller,
            id,
            index
        }),
        (
            who,
            0..3u8,
            prop_oneof![0..3i64, Just(1 << 30), Just(1 << 40)],
            0..3i64
        )
            .prop_map(|(owner, root, size, periods)| Call::Content {
                owner,
                root,
                size,
                periods
            }),
        (1..60i64).prop_map(|days| Call::Wait { days }),
        (0..4usize, 0..5i64, 0..5000i64, any::<bool>()).prop_map(|(caller, id, max, call)| {
            Call::Pull {
                caller,
                id,
                max,
                call,
            }
        }),
        (0..4usize, 0..5i64, prop::option::of(0..SCRIPTS.len())).prop_map(
            |(caller, id, content)| Call::Revise {
                caller,
                id,
                content
            }
        ),
        (0..4usize, 1..5i64, 0..SCRIPTS.len()).prop_map(|(owner, id, gate)| Call::Gate {
            owner,
            id,
            gate
        }),
        (0..4usize, 1..5i64, 0..900i64).prop_map(|(owner, id, amount)| Call::Withdraw {
            owner,
            id,
            amount
        }),
    ]
}

fn perform(world: &World, accounts: &[Account], call: &Call) {
    let before = world.storage();
    let who = |n: usize| &accounts[n];
    let outcome = match call {
        Call::Transfer { from, to, amount } => {
            let args = vec![
                account(who(*from)),
                account(who(*to)),
                int(*amount),
                Item::Null,
            ];
            world.by(who(*from), "transfer", args)
        }
        Call::Box { owner, name, gate } => {
            let owner = who(*owner);
            let args = vec![
                account(owner),
                Item::text(&format!("n{name}")),
                key(owner),
                script(SCRIPTS[*gate]),
            ];
            world.by(owner, "createBox", args)
        }
        Call::Write {
            caller,
            id,
            content,
        } => world.write_for(who(*caller), *id, SCRIPTS[*content], 5000),
        Call::Pull {
            caller,
            id,
            max,
            call: false,
        } => world.pull(who(*caller), *id, *max),
        Call::Pull { caller, id, .. } => world.call(who(*caller), *id, 0, vec![int(5)]),
        Call::Revise {
            caller,
            id,
            content: Some(content),
        } => {
            let caller = who(*caller);
            let content = script(SCRIPTS[*content]);
            world.by(
                caller,
                "replaceContent",
                vec![account(caller), int(*id), content, int(5000)],
            )
        }
        Call::Revise { caller, id, .. } => {
            let caller = who(*caller);
            world.by(caller, "deleteContent", vec![account(caller), int(*id)])
        }
        Call::Gate { owner, id, gate } => world.by(
            who(*owner),
            "replaceGate",
            vec![int(*id), script(SCRIPTS[*gate])],
        ),
        Call::Withdraw { owner, id, amount } => {
            world.by(who(*owner), "withdraw", vec![int(*id), int(*amount)])
        }
        Call::Read { caller, id, index } => world.read(who(*caller), *id, *index),
        Call::Content {
            owner,
            root,
            size,
            periods,
        } => world.content(who(*owner), &[*root; 32], [*size, 0, 0, *periods, i64::MAX]),
        Call::Wait { days } => return world.chain.advance(days * 24 * 3600 * 1000),
    };
    if !outcome.is_halt() {
        assert_eq!(
            world.storage(),
            before,
            "a fault of {call:?} changed the state"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_sequence_of_calls_makes_or_loses_soul_or_loses_a_box(calls in prop::collection::vec(call(), 1..60)) {
        let world = World::new();
        let accounts = [world.owner.clone(), world.alice.clone(), world.bob.clone(), world.chain.account("poor")];
        for call in &calls {
            perform(&world, &accounts, call);
        }
        prop_assert_eq!(world.sum_of_balances(), SUPPLY);
        // Checks that the boxes' SOUL adds up, too.
        prop_assert!(world.pool() >= 0);
        prop_assert_eq!(as_int(&world.get("totalSupply", vec![])), SUPPLY);
        for id in 1..=as_int(&world.get("boxCount", vec![])) {
            let info = fields(&world.get("boxInfo", vec![int(id)]));
            prop_assert_eq!(world.get("findBox", vec![info[2].clone()]), int(id));
            for index in 0..as_int(&info[5]) {
                prop_assert!(world.signed(&[], "contentAt", vec![int(id), int(index)]).is_halt());
            }
        }
    }

    #[test]
    fn keys_of_different_things_differ(
        numbers in prop::collection::vec((1..1i64 << 32, 0..1i64 << 32), 1..8),
        accounts in prop::collection::vec(any::<[u8; 20]>(), 1..4),
        names in prop::collection::vec("[a-z0-9_]{1,32}", 1..4),
        roots in prop::collection::vec(any::<[u8; 32]>(), 1..4),
        kept in prop::collection::btree_set(prop::collection::vec(any::<u8>(), 0..39), 1..4),
    ) {
        use neo_framework::{Bytes, Hash160, Text, int};
        let mut all = vec![keys::SUPPLY, keys::BOX_FEE, keys::CONTENT_BASE_FEE, keys::POOL_SHARE, keys::BOX_COUNT, keys::BOX_TOTAL];
        let numbers: BTreeSet<_> = numbers.into_iter().collect();
        let ids: BTreeSet<_> = numbers.iter().map(|(id, _)| *id).collect();
        let accounts: Vec<_> = accounts.into_iter().collect::<BTreeSet<_>>().into_iter()
            .map(|a| Hash160::from_bytes(Bytes::from(a)).unwrap()).collect();
        for id in ids {
            all.extend([keys::box_record(int(id)), keys::content_count(int(id)), keys::box_balance(int(id))]);
            all.extend(accounts.iter().flat_map(|a| {
                let id = int(id);
                [keys::owned_box(a, id), keys::sequence(id, a), keys::paid(id, a), keys::member(id, a)]
            }));
            for (account, name) in accounts.iter().flat_map(|a| kept.iter().map(move |n| (a, n))) {
                all.push(keys::kept(int(id), &account.as_bytes(), &Bytes::from(&name[..])));
            }
        }
        all.extend(numbers.iter().map(|(id, index)| keys::entry(int(*id), int(*index))));
        all.extend(accounts.iter().map(keys::balance));
        all.extend(names.into_iter().collect::<BTreeSet<_>>().iter().map(|n| keys::box_name(&Text::from(n.as_str()))));
        all.extend(roots.into_iter().collect::<BTreeSet<_>>().into_iter().map(|r| keys::content(&Bytes::from(r))));
        prop_assert!(all.iter().all(|key| key.as_slice().len() <= 64));
        let distinct: BTreeSet<_> = all.iter().map(|key| key.as_slice().to_vec()).collect();
        prop_assert_eq!(distinct.len(), all.len());
    }
}
