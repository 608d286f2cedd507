//! What must hold after every call.

use super::calls::Target;
use super::model::{ACTORS, FULL, HOLDERS, Model, OPEN, QUEUE};
use super::snapshot::Snapshot;
use super::steps::{SaleStep, Step};
use super::world::{PURSE, SUPPLY, World};
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
    Trust "nobody but the contracts moves SOUL of others or of the pool, or makes any";
    Register "a content is registered once while it is paid for, and for as many periods as were paid";
    Gate "no gate is passed without its payment";
    Chest "a box has what was paid into it less what was taken out";
    Sale "only who is on the whitelist buys, while the sale is open, and with what his tier takes";
    Admin "only the administrator runs the sale, and nobody after its end";
    Locked "what is locked stays locked until its day, under one lock-up, on the account of the sale";
    Reserve "no more is allotted than a lock-up's reserve";
    MaxSupply "there is never more SOUL than there may be";
    Goes "a call that keeps the rules goes through";
    Fault "a refused call changes nothing";
    // What is there afterwards.
    Supply "the balances of all, the three contracts among them, add up to the supply";
    Unsold "SOUL is made by sales and allotments only, and what is not sold is never made";
    Caps "no cap is passed: that of an account, or that of the sale";
    Refund "what a contribution does not buy comes back at once, and what it buys is what the quote says";
    Raised "money is the buyers', the sale's or the treasury's, and goes that way only";
    Forward "what was sold, bought, locked, unlocked and allotted only grows";
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

/// Whether a call did what it is for: it neither faulted nor answered false.
pub fn went_through(step: &Step, outcome: &Outcome) -> bool {
    outcome.is_halt() && !(step.answers() && outcome.result() == Item::Boolean(false))
}

/// Whether a call went through as the rules have it.
pub fn check_outcome(model: &Model, step: &Step, outcome: Option<&Outcome>) -> Checked {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    match (model.refusal(step), went_through(step, outcome)) {
        (Some(rule), true) => holds(rule, false, || "it went through".to_owned()),
        (None, false) => holds(Invariant::Goes, false, || {
            outcome
                .exception
                .clone()
                .unwrap_or_else(|| "it answered false".to_owned())
        }),
        (Some(_), false) | (None, true) => Ok(()),
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
                world.cast.who(*validator),
                world.cast.who(*prover),
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
    check_soul(now, model)?;
    check_sale(before, now, model)?;
    check_nodes(before, now, model)?;
    check_queues(now, model)?;
    same(Invariant::Challenges, &now.open, &model.open)?;
    same(Invariant::Challenges, &now.offers, &model.offers)?;
    check_counters(before, now, model)
}

fn check_soul(now: &Snapshot, model: &Model) -> Checked {
    let all = [
        &now.balances[..],
        &[now.own, now.kept, now.boxes, now.chest],
    ]
    .concat();
    let least = all.into_iter().min().unwrap_or(0);
    holds(Invariant::Balance, least >= 0, || format!("{least}"))?;
    let sum = now.balances.iter().sum::<i64>() + now.own + now.kept;
    same(Invariant::Supply, &sum, &now.supply)?;
    let pool = now.own - now.boxes;
    holds(Invariant::Pool, pool >= 0, || format!("{pool}"))?;
    same(Invariant::Pool, &pool, &model.pool)?;
    same(Invariant::Fees, &now.balances, &model.balances)?;
    same(Invariant::Chest, &now.chest, &model.chest)?;
    same(Invariant::Chest, &now.boxes, &now.chest)?;
    same(Invariant::Gate, &now.written, &model.written)?;
    same(Invariant::Register, &now.register, &model.register)
}

fn check_sale(before: &Snapshot, now: &Snapshot, model: &Model) -> Checked {
    let (old, new) = (&before.sale, &now.sale);
    let allotted: i64 = new.allotted.values().sum();
    let made = new.sold + allotted;
    same(
        Invariant::Unsold,
        &(now.supply + model.burned),
        &(SUPPLY + made),
    )?;
    let most = model.settings.soul.max_supply;
    holds(Invariant::MaxSupply, now.supply <= most, || {
        format!("{}", now.supply)
    })?;
    same(
        Invariant::Caps,
        &new.hard_cap,
        &model.settings.sale.hard_cap,
    )?;
    holds(Invariant::Caps, new.sold <= new.hard_cap, || {
        format!("{}", new.sold)
    })?;
    for (number, [_, _, _, reserve]) in (1..).zip(&model.settings.sale.lockups) {
        let used = new.allotted.get(&number).copied().unwrap_or(0);
        holds(Invariant::Reserve, used <= *reserve, || {
            format!("{used} of {number}")
        })?;
        same(
            Invariant::Reserve,
            &used,
            &model.sale.allotted[number as usize - 1],
        )?;
    }
    let kept: i64 = new.records.iter().map(|r| r.locked - r.unlocked).sum();
    same(Invariant::Locked, &now.kept, &kept)?;
    for (old, new) in old.records.iter().zip(&new.records) {
        let cap = model
            .settings
            .sale
            .tiers
            .get(new.tier as usize - usize::from(new.tier > 0));
        let over = new.bought > old.bought && cap.is_some_and(|tier| new.bought > tier[3]);
        holds(Invariant::Caps, !over, || format!("{new:?}"))?;
        let good = new.unlocked <= new.locked && (old.lockup == 0 || old.lockup == new.lockup);
        holds(Invariant::Locked, good, || format!("{new:?} after {old:?}"))?;
        let forward =
            new.bought >= old.bought && new.locked >= old.locked && new.unlocked >= old.unlocked;
        holds(Invariant::Forward, forward, || {
            format!("{new:?} after {old:?}")
        })?;
    }
    let forward = new.sold >= old.sold && new.opening >= old.opening;
    holds(Invariant::Forward, forward, || {
        format!("{new:?} after {old:?}")
    })?;
    same(Invariant::Sale, &new.records, &model.sale.records)?;
    same(Invariant::Sale, &new.sold, &model.sale.sold)?;
    let clock = (new.opening, new.end, new.paused);
    let expected = (model.sale.opening, model.sale.end, model.sale.paused);
    same(Invariant::Admin, &clock, &expected)
}

/// What a step on the sale told, and what it did with money. `quoted` is what the sale said before.
pub fn check_money(
    world: &World<'_>,
    model: &Model,
    step: &Step,
    outcome: &Outcome,
    quoted: Option<Vec<Item>>,
) -> Checked {
    let Step::Sale { step, .. } = step else {
        return Ok(());
    };
    if let (SaleStep::Buy { actor, .. }, Some(quote)) = (step, model.sale.last) {
        let numbers = [quote.accepted, quote.refund, quote.base, quote.bonus];
        let told = outcome.events_named("Sold");
        let told: Vec<&[Item]> = told.iter().map(|event| &event.args[2..]).collect();
        same(
            Invariant::Refund,
            &told,
            &vec![&numbers.map(Item::integer)[..]],
        )?;
        let all = [&numbers[..], &[quote.locked]].concat();
        let all: Vec<Item> = all.into_iter().map(Item::integer).collect();
        same(Invariant::Refund, &quoted, &Some(all))?;
        let purse = world.money(&world.cast.people[*actor].hash);
        same(Invariant::Refund, &purse, &model.sale.purses[*actor])?;
    }
    if let Some(due) = model.sale.unlocked {
        same(Invariant::Locked, &outcome.result(), &Item::integer(due))?;
    }
    same(
        Invariant::Raised,
        &world.money(&world.place.sale),
        &model.sale.raised,
    )?;
    let treasury = world.money(&world.cast.treasury.hash);
    same(Invariant::Raised, &treasury, &model.sale.treasury)?;
    for token in 0..2 {
        let sum: i64 = model.sale.purses.iter().map(|purse| purse[token]).sum();
        let raised = model.sale.raised[token] + model.sale.treasury[token];
        same(
            Invariant::Raised,
            &(sum + raised),
            &(PURSE[token] * ACTORS as i64),
        )?;
    }
    Ok(())
}

/// What the sale says of what it keeps for somebody.
pub fn check_locked(world: &World<'_>, model: &Model, who: usize) -> Checked {
    let found = world.get(Target::Sale, "lockedOf", vec![world.cast.who(who)]);
    let expected = model.locked(who).map(Item::integer).to_vec();
    same(Invariant::Locked, &fields(&found), &expected)
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
    let found = world.get(Target::Proofs, "roleOf", vec![world.cast.who(actor)]);
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
    let found = fields(&world.get(Target::Proofs, "rewardInfo", Vec::new()));
    same(Invariant::Views, &found, &rounds.to_vec())?;
    let average = world.get(Target::Proofs, "averageReputation", Vec::new());
    same(Invariant::Views, &average, &Item::integer(model.average))?;
    for (content, [challenges, shown, failures]) in model.tallies.iter().enumerate() {
        let found = fields(&world.get(
            Target::Proofs,
            "contentProofs",
            vec![world.cast.root(content)],
        ));
        let tally = [challenges, shown, failures].map(|n| Item::integer(*n));
        same(Invariant::Views, &found[..3].to_vec(), &tally.to_vec())?;
    }
    check_other_views(world, model)
}

fn check_other_views(world: &World<'_>, model: &Model) -> Checked {
    let soul = |method: &str| world.get(Target::Soul, method, Vec::new());
    same(
        Invariant::Views,
        &soul("totalSupply"),
        &Item::integer(model.issued),
    )?;
    same(
        Invariant::Views,
        &soul("poolBalance"),
        &Item::integer(model.pool),
    )?;
    let sale = [
        model.phase(),
        model.sale.opening,
        model.sale.end,
        model.settings.sale.hard_cap,
        model.sale.sold,
    ];
    let found = fields(&world.get(Target::Sale, "saleInfo", Vec::new()));
    same(Invariant::Views, &found, &sale.map(Item::integer).to_vec())?;
    for who in 0..HOLDERS {
        let found = world.get(Target::Sale, "remainingOf", vec![world.cast.who(who)]);
        same(
            Invariant::Views,
            &found,
            &Item::integer(model.remaining(who)),
        )?;
        check_locked(world, model, who)?;
    }
    Ok(())
}

/// What the sale says beforehand of a contribution; None of any other step, and of one without a quote.
pub fn quote(world: &World<'_>, model: &Model, step: &Step) -> Option<Vec<Item>> {
    let Step::Sale { step, .. } = step else {
        return None;
    };
    let SaleStep::Buy { actor, neo, amount } = *step else {
        return None;
    };
    model
        .quote(actor, neo, amount)
        .filter(|_| model.phase() == OPEN)?;
    let token = if neo { Target::Neo } else { Target::Gas };
    let token = Item::ByteString(world.place.of(token).as_bytes());
    let args = vec![world.cast.who(actor), token, Item::integer(amount)];
    Some(fields(&world.get(Target::Sale, "quote", args)))
}

fn fields(item: &Item) -> Vec<Item> {
    match item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().clone(),
        other => panic!("not an array: {other:?}"),
    }
}
