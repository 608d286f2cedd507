//! Where blocks go and how they stay on enough nodes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::collections::BTreeSet;

use phantasma_wire::PublicKey;
use phantasma_wire::replicas::{
    Action, Answer, BlockKey, Candidate, Load, LoadPolicy, Policy, Watch, place, rank, zone,
};
use proptest::prelude::*;

const KEY: BlockKey = BlockKey {
    root: [7; 32],
    block: 3,
};
const TICK_MS: u64 = 15_000;

fn node(n: u32, address: &str) -> Candidate {
    let mut public_key = [2; 33];
    public_key[1..5].copy_from_slice(&n.to_be_bytes());
    Candidate {
        public_key,
        zone: zone(address),
    }
}

fn apart(count: u32) -> Vec<Candidate> {
    let address = |n: u32| format!("10.{}.{}.1:4000", n / 256, n % 256);
    (0..count).map(|n| node(n, &address(n))).collect()
}

#[test]
fn a_zone_is_what_falls_together() {
    for (one, other) in [
        ("10.1.2.3:4100", "10.1.2.200:1"),
        ("[2001:db8:1::5]:4100", "[2001:db8:1:9::7]:9"),
        ("Node.Example:1", "node.example:2"),
    ] {
        assert_eq!(zone(one), zone(other));
    }
    for (one, other) in [
        ("10.1.2.3:4100", "10.1.3.3:4100"),
        ("[2001:db8:1::5]:1", "[2001:db8:2::5]:1"),
        ("a.example:1", "b.example:1"),
    ] {
        assert_ne!(zone(one), zone(other));
    }
}

#[test]
fn replicas_next_door_only_when_there_is_no_other_door() {
    let mut nodes = apart(3);
    nodes.push(node(10, "10.0.0.77:4000"));
    let chosen = place(&KEY, &nodes, &[], 3);
    let zones: BTreeSet<_> = chosen.iter().map(|c| &c.zone).collect();
    assert_eq!(zones.len(), 3);
    assert_eq!(place(&KEY, &nodes, &[], 4).len(), 4);
    // Beside one that holds already: not in its zone.
    let next = place(&KEY, &nodes, &[nodes[0].clone()], 2);
    assert!(next.iter().all(|c| c.zone != nodes[0].zone));
    assert_eq!(place(&KEY, &nodes, &nodes, 2), Vec::<&Candidate>::new());
}

proptest! {
    #[test]
    fn placement_is_the_same_for_all_and_stays_when_others_go(gone in 0_usize..40, block: u32) {
        let key = BlockKey { block, ..KEY };
        let nodes = apart(40);
        let chosen: Vec<PublicKey> = place(&key, &nodes, &[], 3).iter().map(|c| c.public_key).collect();
        let mut fewer: Vec<Candidate> = nodes.iter().rev().cloned().collect();
        fewer.retain(|c| c.public_key != nodes[gone].public_key);
        let again: Vec<PublicKey> = place(&key, &fewer, &[], 3).iter().map(|c| c.public_key).collect();
        let stay: Vec<_> = chosen.iter().filter(|k| **k != nodes[gone].public_key).collect();
        prop_assert!(stay.iter().all(|k| again.contains(k)));
    }
}

#[test]
fn blocks_are_spread_evenly() {
    let nodes = apart(20);
    let mut held = [0_u32; 20];
    for block in 0..2_000 {
        for chosen in place(&BlockKey { block, ..KEY }, &nodes, &[], 3) {
            held[chosen.public_key[4] as usize] += 1;
        }
    }
    assert!(held.iter().all(|n| (225..375).contains(n)), "{held:?}");
}

/// Nodes by rank for the block, and a watch of each of the first three, who hold it.
struct Holders {
    ranked: Vec<Candidate>,
    watches: Vec<Watch>,
    now_ms: u64,
}

impl Holders {
    fn new(policy: &Policy) -> Self {
        let mut ranked = apart(12);
        ranked.sort_by_key(|c| rank(&KEY, &c.public_key));
        let watch = |n: usize| {
            let mut watch = Watch::new(ranked[n].clone(), policy.clone());
            watch.hold(KEY, 3, ranked[..3].to_vec(), 0);
            watch
        };
        Self {
            watches: (0..3).map(watch).collect(),
            ranked,
            now_ms: 0,
        }
    }

    /// One round: the living tick, ask each other, and answer. Gives what else they want done.
    fn round(&mut self, living: &[usize]) -> Vec<(usize, Action)> {
        self.now_ms += TICK_MS;
        let mut wanted = Vec::new();
        for &n in living {
            for action in self.watches[n].tick(self.now_ms, &self.ranked) {
                let Action::Ask { node } = action else {
                    wanted.push((n, action));
                    continue;
                };
                let asked = self
                    .ranked
                    .iter()
                    .position(|c| c.public_key == node)
                    .unwrap();
                if living.contains(&asked) {
                    let mine = self.ranked[n].public_key;
                    let holds = self.watches[asked].blocks().copied().collect();
                    self.watches[asked].heard(&mine, self.now_ms);
                    self.watches[n].answered(&node, &holds, self.now_ms);
                }
            }
        }
        wanted
    }
}

#[test]
fn nothing_is_done_while_all_are_there() {
    let mut holders = Holders::new(&Policy::default());
    for _ in 0..200 {
        assert_eq!(holders.round(&[0, 1, 2]), []);
    }
}

#[test]
fn the_first_in_rank_repairs_when_one_is_gone_and_others_learn_of_it() {
    let policy = Policy::default();
    let mut holders = Holders::new(&policy);
    let wanted = (0..10)
        .map(|_| holders.round(&[0, 2]))
        .find(|wanted| !wanted.is_empty())
        .unwrap();
    assert!(holders.now_ms <= policy.gone_after_ms + 2 * TICK_MS);
    // One copy, by the first, to the next in rank that is not a holder.
    let to = holders.ranked[3].public_key;
    assert_eq!(wanted, [(0, Action::Copy { key: KEY, to })]);

    let now = holders.now_ms;
    assert_eq!(
        holders.watches[0].copied(&KEY, &holders.ranked[9].public_key, now),
        []
    );
    let told = holders.watches[0].copied(&KEY, &to, now);
    let nodes: Vec<_> = told
        .iter()
        .map(|action| match action {
            Action::Tell {
                node, holds: true, ..
            } => *node,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(nodes.contains(&holders.ranked[2].public_key));
    let fourth = holders.ranked[3].clone();
    holders.watches[2].learn(&KEY, fourth.clone(), true, now);
    assert!(holders.watches[2].others(&KEY).contains(&fourth));
    // Enough again: the second, whose turn comes later, does nothing.
    let mut watch = Watch::new(fourth, policy);
    watch.hold(KEY, 3, holders.ranked[..3].to_vec(), now);
    holders.watches.push(watch);
    for _ in 0..10 {
        assert_eq!(holders.round(&[0, 2, 3]), []);
    }
}

#[test]
fn a_node_that_takes_no_copy_is_left_alone_and_the_next_one_asked() {
    let mut holders = Holders::new(&Policy::default());
    let mut asked = Vec::new();
    for _ in 0..12 {
        for (n, action) in holders.round(&[0, 2]) {
            if let Action::Copy { key, to } = action {
                asked.push((n, to));
                let now = holders.now_ms;
                holders.watches[n].copy_failed(&key, &to, now);
            }
        }
    }
    let distinct: BTreeSet<_> = asked.iter().collect();
    assert!(
        asked.len() >= 5 && distinct.len() == asked.len(),
        "{asked:?}"
    );
}

#[test]
fn the_second_acts_when_the_first_does_not() {
    let mut holders = Holders::new(&Policy::default());
    let mut who = BTreeSet::new();
    for _ in 0..12 {
        who.extend(holders.round(&[0, 2]).into_iter().map(|(n, _)| n));
    }
    assert_eq!(who, BTreeSet::from([0, 2]));
}

#[test]
fn the_last_holder_is_in_a_hurry() {
    let policy = Policy::default();
    let mut holders = Holders::new(&policy);
    let round = (1..20).find(|_| !holders.round(&[1]).is_empty()).unwrap();
    assert!(
        round * TICK_MS <= policy.urgent_after_ms + TICK_MS,
        "{round}"
    );
}

#[test]
fn after_an_own_absence_the_others_get_time_to_answer() {
    let mut holders = Holders::new(&Policy::default());
    holders.round(&[0, 1, 2]);
    holders.now_ms += 3_600_000;
    let now = holders.now_ms;
    holders.watches.iter_mut().for_each(|watch| watch.woke(now));
    for _ in 0..20 {
        assert_eq!(holders.round(&[0, 1, 2]), []);
    }
}

#[test]
fn one_too_many_is_dropped_by_the_last_in_rank_and_late() {
    let policy = Policy::default();
    let mut holders = Holders::new(&policy);
    let fourth = holders.ranked[3].clone();
    let mut watch = Watch::new(fourth.clone(), policy.clone());
    watch.hold(KEY, 3, holders.ranked[..3].to_vec(), 0);
    holders.watches.push(watch);
    for watch in &mut holders.watches {
        watch.learn(&KEY, fourth.clone(), true, 0);
    }
    let mut dropped = Vec::new();
    for round in 1..=100_u64 {
        for (n, action) in holders.round(&[0, 1, 2, 3]) {
            if let Action::Drop { .. } = action {
                dropped.push((n, round * TICK_MS));
            }
        }
    }
    let [(3, after)] = dropped[..] else {
        panic!("{dropped:?}")
    };
    assert!(after >= policy.surplus_after_ms);
    assert!(!holders.watches[3].holds(&KEY));
}

#[test]
fn who_joins_and_ranks_better_gets_a_copy() {
    let policy = Policy::default();
    let mut ranked = apart(12);
    ranked.sort_by_key(|c| rank(&KEY, &c.public_key));
    // Held by the second to fourth; the first one joins, and then one that ranks last.
    let mut watch = Watch::new(ranked[1].clone(), policy);
    watch.hold(KEY, 3, ranked[1..4].to_vec(), 0);
    watch.joined(&ranked[11]);
    assert!(
        !watch
            .tick(0, &ranked)
            .iter()
            .any(|a| matches!(a, Action::Copy { .. }))
    );
    watch.joined(&ranked[0]);
    let to = ranked[0].public_key;
    assert!(
        watch
            .tick(0, &ranked)
            .contains(&Action::Copy { key: KEY, to })
    );
}

#[test]
fn those_with_the_fewest_holders_come_first_and_no_more_than_allowed_at_once() {
    let policy = Policy::default();
    let nodes = apart(30);
    let mut watch = Watch::new(nodes[0].clone(), policy.clone());
    for block in 0..20 {
        let others = if block == 13 {
            vec![]
        } else {
            vec![nodes[1].clone()]
        };
        watch.hold(BlockKey { block, ..KEY }, 3, others, 0);
    }
    // The second in rank waits two rounds.
    let mut copies = Vec::new();
    for round in 0..4 {
        watch.heard(&nodes[1].public_key, round * TICK_MS);
        copies.extend(
            watch
                .tick(round * TICK_MS, &nodes)
                .into_iter()
                .filter_map(|a| match a {
                    Action::Copy { key, .. } => Some(key.block),
                    Action::Ask { .. } | Action::Tell { .. } | Action::Drop { .. } => None,
                }),
        );
        if round == 0 {
            assert_eq!((copies.len(), copies[0]), (policy.copies_at_once, 13));
        }
    }
}

#[test]
fn a_flood_is_redirected_spread_and_forgotten() {
    let policy = LoadPolicy::default();
    let mut load = Load::new(policy.clone());
    let other = BlockKey { block: 4, ..KEY };
    let served = (0..1_000)
        .filter(|_| load.asked(&KEY, 2, 5_000) == Answer::Serve)
        .count();
    assert_eq!(served, policy.hot as usize);
    // Others are served as before, and a block that nobody else has always is.
    assert_eq!(load.asked(&other, 2, 5_000), Answer::Serve);
    assert_eq!(load.asked(&KEY, 0, 5_000), Answer::Serve);
    assert_eq!(load.tick(6_000), [(KEY, 1)]);
    assert_eq!(load.tick(7_000), []);
    // Hot again in the next window: one more.
    for _ in 0..=policy.hot {
        let _ = load.asked(&KEY, 3, 15_000);
    }
    assert_eq!(load.tick(16_000), [(KEY, 2)]);
    let cooled = 10_000 * (1 + policy.cool_windows);
    assert_eq!(load.tick(cooled - 1), []);
    assert_eq!(load.tick(cooled), [(KEY, 0)]);
    assert_eq!(load.tick(cooled + 10_000), []);
}

#[test]
fn a_thousand_different_blocks_do_not_hide_the_hot_one() {
    let policy = LoadPolicy {
        max_tracked: 16,
        hot: 100,
        ..LoadPolicy::default()
    };
    let mut load = Load::new(policy);
    for n in 0..10_000_u32 {
        let _ = load.asked(
            &BlockKey {
                block: n,
                root: [1; 32],
            },
            2,
            0,
        );
        if n % 4 == 0 {
            let _ = load.asked(&KEY, 2, 0);
        }
    }
    assert_eq!(load.tick(1), [(KEY, 1)]);
}

#[test]
fn a_shed_block_gets_more_holders() {
    let nodes = apart(12);
    let first = nodes
        .iter()
        .min_by_key(|c| rank(&KEY, &c.public_key))
        .unwrap();
    let others: Vec<_> = nodes
        .iter()
        .filter(|c| *c != first)
        .take(2)
        .cloned()
        .collect();
    let mut watch = Watch::new(first.clone(), Policy::default());
    watch.hold(KEY, 3, others, 0);
    let copies = |actions: Vec<Action>| {
        actions
            .iter()
            .filter(|a| matches!(a, Action::Copy { .. }))
            .count()
    };
    assert_eq!(copies(watch.tick(0, &nodes)), 0);
    watch.shed(&KEY, 2);
    assert_eq!(copies(watch.tick(TICK_MS, &nodes)), 1);
}
