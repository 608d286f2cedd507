//! What must hold after every call.

use super::model::{FULL, Model, QUEUE};
use super::snapshot::Snapshot;
use super::steps::Step;
use super::world::World;
use neo_framework::chain::{Item, Outcome};

macro_rules! invariants {
    ($($name:ident $text:literal;)+) => {
        /// Something that always holds.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Invariant {
            $(#[doc = $text] $name,)+
        }

        impl Invariant {
            /// All of them.
            pub const ALL: &'static [Invariant] = &[$(Invariant::$name,)+];

            /// In words.
            pub fn text(self) -> &'static str {
                match self {
                    $(Invariant::$name => $text,)+
                }
            }
        }
    };
}

invariants! {
    // What a call may do.
    Witness "nobody acts in another's name";
    Form "no call goes through with arguments that its rules exclude";
    Balance "no balance is below 0, and nobody pays what he has not";
    OnePair "a pair has at most one open challenge";
    Roles "a challenge starts only between a validator and a prover";
    Shown "nothing is shown before it is drawn, after its time, or twice";
    Chunk "no other chunk, path or number passes for the drawn one";
    Accepted "only a proof that was shown is accepted, and once";
    Failed "a challenge fails only after its time, unshown, and once";
    Closed "nothing is paid without a closed round whose block is there";
    Rounds "a round closes only when enough wait, time has passed and there is a pot";
    Trust "nobody but the contract moves SOUL of others or of the pool";
    Goes "a call that keeps the rules goes through";
    Fault "a refused call changes nothing";
    // What is there afterwards.
    Supply "balances and pool add up to what was issued";
    Pool "the pool is never below 0 and has what fees brought and rewards took";
    Fees "fees and rewards move exactly, and nothing else does";
    Range "a reputation is 0 to 1000 points";
    Reputation "reputations are what an independent calculation gives";
    Average "the average is what an independent calculation gives";
    Exact "the average is near the one without rounding";
    Role "a role follows from reputation and average";
    Order "queues are ascending, distinct and bounded, and hold given numbers only";
    Waiting "queues hold who proved in a role and is old enough, the oldest first";
    Numbers "numbers of nodes only grow, and each stands for one account for ever";
    Count "the number of nodes is how many there are";
    Challenges "open challenges and offers are those that were made";
    Counters "counters of proofs and rounds only grow, and by what happened";
    Winners "a round pays half of its pot each to those whom the generator draws from its queues";
    Views "safe methods say what there is";
    Settings "what was fixed at deployment stays";
    Keys "every stored entry is of a known form";
}

/// Which invariant does not hold, and what there is instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub invariant: Invariant,
    pub detail: String,
}

type Checked = Result<(), Violation>;

fn holds(invariant: Invariant, good: bool, detail: impl FnOnce() -> String) -> Checked {
    if good {
        return Ok(());
    }
    Err(Violation {
        invariant,
        detail: detail(),
    })
}

fn same<T: PartialEq + std::fmt::Debug>(invariant: Invariant, found: &T, expected: &T) -> Checked {
    holds(invariant, found == expected, || {
        format!("{found:?} instead of {expected:?}")
    })
}

/// Whether a call went through as the rules have it.
pub fn check_outcome(model: &Model, step: &Step, outcome: Option<&Outcome>) -> Checked {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    match (model.refusal(step), &outcome.exception) {
        (Some(rule), None) => holds(rule, false, || "it went through".to_owned()),
        (None, Some(message)) => holds(Invariant::Goes, false, || message.clone()),
        (Some(_), Some(_)) | (None, None) => Ok(()),
    }
}

/// What the call itself told: the winners.
pub fn check_paid(world: &World<'_>, model: &Model, outcome: &Outcome) -> Checked {
    let events = outcome.events_named("RewardsPaid");
    let found: Vec<&[Item]> = events.iter().map(|event| &event.args[1..]).collect();
    let expected: Vec<Vec<Item>> = model
        .paid
        .iter()
        .map(|(validator, prover, half)| {
            vec![
                world.who(*validator),
                world.who(*prover),
                Item::integer(*half),
            ]
        })
        .collect();
    let good = found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| a == b);
    holds(Invariant::Winners, good, || {
        format!("{found:?} instead of {expected:?}")
    })
}

/// What is stored, beside what was and what should be.
pub fn check_stored(before: &Snapshot, now: &Snapshot, model: &Model) -> Checked {
    same(Invariant::Settings, &now.settings, &before.settings)?;
    let least = now.balances.iter().copied().min().unwrap_or(0);
    holds(Invariant::Balance, least >= 0, || format!("{least}"))?;
    let sum = now.balances.iter().sum::<i64>() + now.pool;
    same(Invariant::Supply, &sum, &model.issued)?;
    holds(Invariant::Pool, now.pool >= 0, || format!("{}", now.pool))?;
    same(Invariant::Pool, &now.pool, &model.pool)?;
    same(Invariant::Fees, &now.balances, &model.balances)?;
    check_nodes(before, now, model)?;
    check_queues(now, model)?;
    same(Invariant::Challenges, &now.open, &model.open)?;
    same(Invariant::Challenges, &now.offers, &model.offers)?;
    check_counters(before, now, model)
}

fn check_nodes(before: &Snapshot, now: &Snapshot, model: &Model) -> Checked {
    for node in now.nodes.iter().flatten() {
        let good = (0..=FULL).contains(&node.reputation);
        holds(Invariant::Range, good, || format!("{}", node.reputation))?;
    }
    same(
        Invariant::Count,
        &now.count,
        &(now.nodes.iter().flatten().count() as i64),
    )?;
    holds(
        Invariant::Numbers,
        now.last_number >= before.last_number,
        || format!("{} after {}", now.last_number, before.last_number),
    )?;
    let given = (1..).zip(model.numbers.iter().copied()).collect();
    same(Invariant::Numbers, &now.numbers, &given)?;
    same(Invariant::Numbers, &now.last_number, &(given.len() as i64))?;
    same(Invariant::Reputation, &now.nodes, &model.nodes)?;
    same(Invariant::Average, &now.average, &model.average)?;
    let off = (now.average as f64 - model.exact).abs();
    // Each step rounds away less than 1, and steps do not make old errors larger.
    holds(
        Invariant::Exact,
        off <= f64::from(model.moves) + 1.0,
        || format!("off by {off}"),
    )
}

fn check_queues(now: &Snapshot, model: &Model) -> Checked {
    let closed = now.closed.iter().flat_map(|closed| &closed.queues);
    for queue in now.queues.iter().chain(closed) {
        let sorted = queue.windows(2).all(|two| two[0] < two[1]);
        let given = queue.iter().all(|number| now.numbers.contains_key(number));
        let good = sorted && given && queue.len() <= QUEUE;
        holds(Invariant::Order, good, || format!("{queue:?}"))?;
    }
    same(Invariant::Waiting, &now.queues, &model.queues)?;
    same(Invariant::Closed, &now.closed, &model.closed)
}

fn check_counters(before: &Snapshot, now: &Snapshot, model: &Model) -> Checked {
    let counters = |s: &Snapshot| {
        let mut all: Vec<i64> = s.tallies.iter().flatten().copied().collect();
        all.extend([s.rounds, s.last_round, s.wait, s.changed]);
        all
    };
    let (old, new) = (counters(before), counters(now));
    let good = old.iter().zip(&new).all(|(old, new)| old <= new);
    holds(Invariant::Counters, good, || {
        format!("{new:?} after {old:?}")
    })?;
    for [challenges, shown, failures] in now.tallies {
        let good = shown + failures <= challenges;
        holds(Invariant::Counters, good, || {
            format!("{shown} + {failures} of {challenges}")
        })?;
    }
    same(Invariant::Counters, &now.tallies, &model.tallies)?;
    let clock = (now.rounds, now.last_round, now.wait, now.changed);
    let expected = (model.rounds, model.last_round, model.wait, model.changed);
    same(Invariant::Counters, &clock, &expected)
}

/// What the contract says of an actor.
pub fn check_role(world: &World<'_>, now: &Snapshot, actor: usize) -> Checked {
    let expected = now.nodes[actor].map_or(0, |node| 1 + i64::from(node.reputation > now.average));
    let found = world.get("roleOf", vec![world.who(actor)]);
    same(Invariant::Role, &found, &Item::integer(expected))
}

/// What the contract says of everything, once a sequence is over.
pub fn check_views(world: &World<'_>, model: &Model) -> Checked {
    let numbers = |queue: &[i64]| Item::array(queue.iter().map(|n| Item::integer(*n)).collect());
    let none = [Vec::new(), Vec::new()];
    let (pot, draw, closed) = match &model.closed {
        Some(closed) => (closed.pot, closed.draw, &closed.queues),
        None => (model.pot(), 0, &none),
    };
    let rounds = [
        Item::integer(model.rounds),
        Item::integer(model.last_round + model.wait),
        numbers(&model.queues[0]),
        numbers(&model.queues[1]),
        Item::integer(pot),
        Item::integer(draw),
        numbers(&closed[0]),
        numbers(&closed[1]),
    ];
    let found = fields(&world.get("rewardInfo", Vec::new()));
    same(Invariant::Views, &found, &rounds.to_vec())?;
    let average = world.get("averageReputation", Vec::new());
    same(Invariant::Views, &average, &Item::integer(model.average))?;
    for (content, [challenges, shown, failures]) in model.tallies.iter().enumerate() {
        let found = fields(&world.get("contentProofs", vec![world.root(content)]));
        let tally = [challenges, shown, failures].map(|n| Item::integer(*n));
        same(Invariant::Views, &found[..3].to_vec(), &tally.to_vec())?;
    }
    Ok(())
}

fn fields(item: &Item) -> Vec<Item> {
    match item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().clone(),
        other => panic!("not an array: {other:?}"),
    }
}
