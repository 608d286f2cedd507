#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const ME: Account = [1; 20];
const OTHER: Account = [2; 20];
const CONTENT: Hash = [7; 32];
/// A price that nothing forbids.
const PRICE: u64 = 1000_0000;

fn policy() -> Policy {
    Policy::default()
}

fn agent() -> Agent {
    Agent::new(ME, policy(), Memory::default(), [])
}

fn view(now_ms: u64) -> View {
    View {
        now_ms,
        standing: Some(Standing {
            number: 3,
            reputation: 500,
            average: 500,
        }),
        open: Vec::new(),
        contents: Vec::new(),
        round: Round::default(),
        random: 0,
    }
}

fn held() -> Held {
    Held {
        content: CONTENT,
        whole: true,
        expiry_ms: u64::MAX,
        offered: true,
        provers: Vec::new(),
    }
}

fn challenge(validator: Account, prover: Account) -> Challenge {
    Challenge {
        validator,
        prover,
        started_ms: 1_000_000,
        shown: false,
        drawn: true,
    }
}

fn with(now_ms: u64, open: Challenge) -> View {
    View {
        open: vec![open],
        ..view(now_ms)
    }
}

#[test]
fn a_drawn_challenge_is_shown_once_and_given_up_shortly_before_its_end() {
    let mut agent = agent();
    let asked = challenge(OTHER, ME);
    let undrawn = Challenge {
        drawn: false,
        ..asked
    };
    assert_eq!(agent.decide(&with(1_000_100, undrawn)), []);
    let show = Call::Show { validator: OTHER };
    assert_eq!(agent.decide(&with(1_000_200, asked)), [show]);
    agent.sending(show, PRICE, 1_000_200);
    assert_eq!(agent.decide(&with(1_000_300, asked)), []);
    agent.failed(&show, 1_000_400);
    assert_eq!(agent.decide(&with(1_000_500, asked)), [], "not at once");
    assert_eq!(agent.decide(&with(1_015_400, asked)), [show]);
    let policy = policy();
    let end = 1_000_000 + policy.deadline_ms - policy.margin_ms;
    assert_eq!(agent.decide(&with(end - 1, asked)), [show]);
    assert_eq!(agent.decide(&with(end, asked)), []);
}

#[test]
fn what_was_shown_is_accepted_by_the_validator_and_later_by_the_prover() {
    let shown = Challenge {
        shown: true,
        ..challenge(OTHER, ME)
    };
    let accept = Call::Accept {
        validator: OTHER,
        prover: ME,
    };
    let mut agent = agent();
    assert_eq!(agent.decide(&with(5_000, shown)), []);
    assert_eq!(agent.decide(&with(64_999, shown)), []);
    assert_eq!(agent.decide(&with(65_000, shown)), [accept]);
    let mine = Challenge {
        shown: true,
        ..challenge(ME, OTHER)
    };
    let accept = Call::Accept {
        validator: ME,
        prover: OTHER,
    };
    assert_eq!(agent.decide(&with(70_000, mine)), [accept]);
}

#[test]
fn only_the_one_who_asked_fails_a_challenge_and_only_when_its_time_is_over() {
    let mut agent = agent();
    let end = 1_000_000 + policy().deadline_ms;
    assert_eq!(agent.decide(&with(end - 1, challenge(ME, OTHER))), []);
    let fail = Call::Fail { prover: OTHER };
    assert_eq!(agent.decide(&with(end, challenge(ME, OTHER))), [fail]);
    assert_eq!(agent.decide(&with(end, challenge(OTHER, ME))), []);
}

#[test]
fn a_content_is_offered_while_it_is_whole_and_paid_for() {
    let check = |whole, offered, expiry_ms, expected: &[Call]| {
        let contents = vec![Held {
            whole,
            offered,
            expiry_ms,
            ..held()
        }];
        let view = View {
            contents,
            ..view(1_000)
        };
        assert_eq!(agent().decide(&view), expected);
    };
    let (offer, retract) = (
        Call::Offer { content: CONTENT },
        Call::Retract { content: CONTENT },
    );
    check(true, false, 1_001, &[offer]);
    check(true, false, 1_000, &[]);
    check(true, true, 1_000, &[]);
    check(true, true, 9_000, &[]);
    check(false, true, 9_000, &[retract]);
    check(false, false, 9_000, &[]);
}

#[test]
fn others_are_asked_at_intervals_and_never_one_with_more_reputation() {
    let start = Call::Start {
        prover: OTHER,
        content: CONTENT,
    };
    let offered = |now_ms, reputation| View {
        contents: vec![Held {
            provers: vec![Prover {
                account: OTHER,
                reputation,
            }],
            ..held()
        }],
        ..view(now_ms)
    };
    let mut agent = agent();
    assert_eq!(agent.decide(&offered(10, 501)), []);
    assert_eq!(agent.decide(&offered(10, 500)), [start]);
    agent.sending(start, PRICE, 10);
    agent.done(&start);
    let next = 10 + policy().start_every_ms;
    assert_eq!(agent.decide(&offered(next - 1, 500)), []);
    assert_eq!(agent.decide(&offered(next, 500)), [start]);
    // Not while that one is asked already.
    let busy = View {
        open: vec![challenge(ME, OTHER)],
        ..offered(next, 500)
    };
    assert!(!agent.decide(&busy).contains(&start));
    // A restart does not forget when it last asked.
    let mut again = Agent::new(ME, policy(), agent.memory(), []);
    assert_eq!(again.decide(&offered(next - 1, 500)), []);
    let mut again = Agent::new(ME, policy(), Memory::default(), [start]);
    assert_eq!(again.decide(&offered(next, 500)), [], "it is on its way");
}

#[test]
fn those_who_may_win_see_to_a_round_one_after_the_other() {
    let open = Round {
        next_ms: 100,
        minimum: 2,
        pot: 4,
        validators: vec![2, 3],
        provers: vec![2, 9],
        ..Round::default()
    };
    let at = |now_ms, round: &Round| View {
        round: round.clone(),
        ..view(now_ms)
    };
    let mut first = agent();
    assert_eq!(first.decide(&at(100, &open)), [], "number 2 is before 3");
    let grace = policy().grace_ms;
    assert_eq!(first.decide(&at(100 + grace, &open)), [Call::Obtain]);
    for nothing in [
        Round {
            pot: 0,
            ..open.clone()
        },
        Round {
            minimum: 3,
            ..open.clone()
        },
        Round {
            next_ms: 9_000_000,
            ..open.clone()
        },
        Round {
            closed: Some(false),
            ..open.clone()
        },
        Round {
            closed: Some(true),
            ..open.clone()
        },
    ] {
        let mut agent = agent();
        assert_eq!(agent.decide(&at(100, &nothing)), []);
        assert_eq!(agent.decide(&at(100 + 4 * grace, &nothing)), []);
    }
    let drawn = Round {
        closed: Some(true),
        closed_validators: vec![3],
        ..Round::default()
    };
    assert_eq!(agent().decide(&at(5, &drawn)), [Call::Obtain]);
}

#[test]
fn half_of_a_days_gas_is_kept_for_showing() {
    let mut agent = agent();
    let (show, start) = (
        Call::Show { validator: OTHER },
        Call::Start {
            prover: OTHER,
            content: CONTENT,
        },
    );
    let day = policy().gas_per_day;
    agent.sending(start, day / 2, 1_000);
    let left = agent.afford(&start, 1, 1_000);
    assert_eq!(left, Err(TooDear::Day { price: 1, left: 0 }));
    assert_eq!(agent.afford(&show, PRICE, 1_000), Ok(()));
    let limit = policy().gas_per_call;
    let dear = agent.afford(&show, limit + 1, 1_000);
    let price = limit + 1;
    assert_eq!(dear, Err(TooDear::Call { price, limit }));
    assert_eq!(agent.afford(&start, 1, 86_400_000), Ok(()), "the next day");
    agent.unsent(&start, day / 2, 1_000);
    assert_eq!(agent.memory().spent, 0);
}

#[test]
fn a_node_that_is_not_registered_does_nothing() {
    let view = View {
        standing: None,
        contents: vec![Held {
            offered: false,
            ..held()
        }],
        ..with(1_000_200, challenge(OTHER, ME))
    };
    assert_eq!(agent().decide(&view), []);
}

/// What a net of honest agents and one that has lost its content does on a chain of the simplest kind: every call of a
/// step is in the next block, save those that the chance takes away, and agents are started anew at random.
struct Net {
    agents: Vec<(Account, Agent)>,
    open: BTreeMap<(Account, Account), (Challenge, bool)>,
    offers: BTreeSet<Account>,
    now_ms: u64,
    accepted: usize,
    failed: usize,
}

impl Net {
    fn new(count: u8, policy: &Policy) -> Self {
        let agent = |n: u8| {
            (
                [n; 20],
                Agent::new([n; 20], policy.clone(), Memory::default(), []),
            )
        };
        Self {
            agents: (1..=count).map(agent).collect(),
            open: BTreeMap::new(),
            offers: BTreeSet::new(),
            now_ms: 1_700_000_000_000,
            accepted: 0,
            failed: 0,
        }
    }

    fn view(&self, me: &Account, random: u64) -> View {
        let prover = |account: &Account| Prover {
            account: *account,
            reputation: 500,
        };
        let open = self.open.values().map(|(challenge, _)| *challenge);
        View {
            open: open
                .filter(|c| c.validator == *me || c.prover == *me)
                .collect(),
            contents: vec![Held {
                offered: self.offers.contains(me),
                provers: self
                    .offers
                    .iter()
                    .filter(|o| *o != me)
                    .map(prover)
                    .collect(),
                ..held()
            }],
            random,
            ..view(self.now_ms)
        }
    }

    /// As the contract would; false is a fault.
    fn run(&mut self, me: &Account, call: Call, deadline_ms: u64) -> bool {
        match call {
            Call::Offer { .. } => self.offers.insert(*me),
            Call::Retract { .. } => self.offers.remove(me),
            Call::Start { prover, .. } => {
                let new = Challenge {
                    started_ms: self.now_ms,
                    ..challenge(*me, prover)
                };
                let before = self.open.insert((*me, prover), (new, false));
                before.is_none()
            }
            Call::Show { validator } => {
                let open = self.open.get_mut(&(validator, *me)).unwrap();
                assert!(!open.0.shown && self.now_ms < open.0.started_ms + deadline_ms);
                open.0.shown = true;
                true
            }
            Call::Accept { validator, prover } => {
                let ended = self.open.remove(&(validator, prover));
                let ended = ended.is_some_and(|(challenge, _)| challenge.shown);
                self.accepted += usize::from(ended);
                ended
            }
            Call::Fail { prover } => {
                let (ended, _) = self.open.remove(&(*me, prover)).unwrap();
                assert!(!ended.shown && self.now_ms >= ended.started_ms + deadline_ms);
                self.failed += 1;
                true
            }
            Call::Obtain => false,
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn honest_nodes_prove_everything_whatever_is_lost_and_whoever_restarts(
        chances in proptest::collection::vec(0..100_u32, 400),
        randoms in proptest::collection::vec(any::<u64>(), 400),
    ) {
        let policy = Policy { start_every_ms: 60_000, ..policy() };
        let mut net = Net::new(4, &policy);
        let mut spent: BTreeMap<(Account, u64), u64> = BTreeMap::new();
        let mut last: BTreeMap<Account, u64> = BTreeMap::new();
        for (chance, random) in chances.iter().zip(&randoms) {
            net.now_ms += 15_000;
            for at in 0..net.agents.len() {
                let (me, _) = net.agents[at];
                let view = net.view(&me, *random);
                let mut calls = net.agents[at].1.decide(&view);
                calls.retain(|call| net.agents[at].1.afford(call, PRICE, net.now_ms).is_ok());
                let twice: BTreeSet<_> = calls.iter().collect();
                prop_assert_eq!(twice.len(), calls.len());
                let mine = view.open.iter().filter(|c| c.validator == me).count();
                prop_assert!(mine <= policy.max_open);
                for (n, call) in calls.into_iter().enumerate() {
                    if let Call::Start { .. } = call {
                        let before = last.insert(me, net.now_ms).unwrap_or(0);
                        prop_assert!(net.now_ms >= before + policy.start_every_ms);
                    }
                    net.agents[at].1.sending(call, PRICE, net.now_ms);
                    let today = spent.entry((me, net.now_ms / 86_400_000)).or_insert(0);
                    *today += PRICE;
                    prop_assert!(*today <= policy.gas_per_day);
                    prop_assert!(!net.agents[at].1.decide(&view).contains(&call), "{call:?} twice");
                    // A few come into no block, some are begun by one that is then started anew.
                    let luck = (chance + 7 * n as u32 + 13 * at as u32) % 100;
                    if luck < 10 {
                        net.agents[at].1.failed(&call, net.now_ms);
                        continue;
                    }
                    let worked = net.run(&me, call, policy.deadline_ms);
                    if luck < 20 {
                        let memory = net.agents[at].1.memory();
                        net.agents[at].1 = Agent::new(me, policy.clone(), memory, [call]);
                    }
                    match worked {
                        true => net.agents[at].1.done(&call),
                        false => net.agents[at].1.failed(&call, net.now_ms),
                    }
                }
            }
        }
        prop_assert!(net.accepted > 50, "{} accepted", net.accepted);
        prop_assert_eq!(net.failed, 0);
    }
}
