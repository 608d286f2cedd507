//! How the next step is chosen.

use super::model::{ACTORS, CONTENTS, HOLDERS, Model, OPEN, OWNER};
use super::steps::{How, SaleStep, SoulStep, Step, Theft};
use super::world::{DAY, GAS};
use crate::torture::random::Random;

/// The next step: often one that the rules allow now, sometimes any.
pub fn next(random: &mut Random, model: &Model) -> Step {
    // Most sequences have a full house soon.
    let young = model.nodes.iter().flatten().count() < 5;
    if young && random.one_in(2) {
        return register(random);
    }
    if !young && model.offers.len() < 8 && random.one_in(2) {
        return offer(random);
    }
    if !model.open.is_empty() && random.one_in(3) {
        return onward(random, model);
    }
    // Sometimes whatever comes, else mostly what goes through.
    let tries = if random.one_in(4) { 0 } else { 4 };
    for _ in 0..tries {
        let step = any(random, model);
        if model.refusal(&step).is_none() {
            return step;
        }
    }
    any(random, model)
}

/// What brings an open challenge on, as honest nodes do it.
fn onward(random: &mut Random, model: &Model) -> Step {
    let (v, p) = open_pair(random, model);
    match model.open.get(&(v, p)) {
        Some(open) if open.shown => Step::Accept {
            v,
            p,
            signer: random.below(ACTORS),
        },
        Some(open) if open.draw > model.height => Step::Wait {
            ms: 1000,
            blocks: 1,
        },
        Some(open) if model.time < open.started + model.settings.deadline => Step::Show {
            v,
            p,
            signer: p,
            how: How::Right,
        },
        Some(_) | None => Step::Fail {
            v,
            p,
            signer: random.below(ACTORS),
        },
    }
}

fn any(random: &mut Random, model: &Model) -> Step {
    let weights = [20, 3, 1, 4, 1, 24, 22, 14, 5, 8, 1, 1, 10, 24];
    match random.weighted(&weights) {
        0 => wait(random, model),
        1 => register(random),
        2 => {
            let actor = random.below(ACTORS);
            Step::Leave {
                actor,
                signer: signer(random, actor),
            }
        }
        3 => offer(random),
        4 => {
            let actor = random.below(ACTORS);
            Step::Retract {
                actor,
                signer: signer(random, actor),
                content: random.below(CONTENTS),
            }
        }
        5 => start(random, model),
        6 => {
            let (v, p) = open_pair(random, model);
            Step::Show {
                v,
                p,
                signer: signer(random, p),
                how: how(random),
            }
        }
        7 => {
            let (v, p) = open_pair(random, model);
            Step::Accept {
                v,
                p,
                signer: random.below(ACTORS),
            }
        }
        8 => {
            let (v, p) = open_pair(random, model);
            Step::Fail {
                v,
                p,
                signer: random.below(ACTORS),
            }
        }
        9 => {
            let invoker = random.below(ACTORS);
            Step::Obtain {
                invoker,
                signer: signer(random, invoker),
            }
        }
        10 => Step::Steal {
            thief: random.below(ACTORS),
            what: random.pick(&[Theft::Collect, Theft::Reward, Theft::Mint, Theft::Payment]),
        },
        11 => {
            let (v, p) = pair(random);
            Step::Abort {
                v,
                p,
                content: random.below(CONTENTS),
            }
        }
        12 => soul(random, model),
        _ => sale(random, model),
    }
}

fn soul(random: &mut Random, model: &Model) -> Step {
    let actor = random.below(ACTORS);
    let all = random.one_in(25);
    let amount = random.pick(&[0, 1, 7, 250, 2000]);
    let amount = if all { model.balances[actor] } else { amount };
    let content = random.below(CONTENTS);
    let periods = random.pick(&[1, 1, 2, 1200, 0, 1201]);
    let (right, step) = match random.weighted(&[4, 1, 4, 3, 5, 2]) {
        0 => {
            let from = random.below(HOLDERS);
            let to = random.below(HOLDERS);
            (from, SoulStep::Transfer { from, to, amount })
        }
        1 => (actor, SoulStep::Swap { actor, amount }),
        2 | 3 => {
            // Whoever has enough for a large content is often the owner.
            let actor = random.pick(&[actor, OWNER]);
            let step = match model.register[content] {
                Some(entry) if entry.expiry > model.time || random.one_in(3) => SoulStep::Renew {
                    actor,
                    content,
                    periods,
                },
                _ => SoulStep::Create {
                    actor,
                    content,
                    periods,
                },
            };
            (actor, step)
        }
        4 => {
            let price = model.settings.soul.price;
            let most = random.pick(&[price, price, i64::from(u32::MAX), price - 1]);
            (actor, SoulStep::Write { actor, most })
        }
        _ => {
            let amount = random.pick(&[model.chest, 1, model.chest + 1, 0]);
            (OWNER, SoulStep::Take { amount })
        }
    };
    let signer = signer(random, right);
    Step::Soul { signer, step }
}

fn sale(random: &mut Random, model: &Model) -> Step {
    let upcoming = model.phase() < OPEN;
    let listed = model.sale.records.iter().filter(|r| r.tier > 0).count();
    // Before somebody can buy he must be on the whitelist.
    let whitelist = if listed < 5 { 12 } else { 2 };
    let unlock = if model.phase() > 2 { 20 } else { 2 };
    let weights = [20, whitelist, 4, unlock, 2, 2, 1];
    let actor = random.below(ACTORS);
    let (right, step) = match random.weighted(&weights) {
        0 if upcoming && !random.one_in(4) => {
            let ms = (model.sale.opening - model.time).max(1);
            return Step::Wait { ms, blocks: 1 };
        }
        0 => {
            let on_the_list = |who: &usize| model.sale.records[*who].tier > 0;
            let known: Vec<usize> = (0..ACTORS).filter(on_the_list).collect();
            let stranger = known.is_empty() || random.one_in(6);
            let actor = if stranger { actor } else { random.pick(&known) };
            buy(random, actor)
        }
        1 => {
            let (first, count) = (actor, 1 + random.below(3));
            let tier = random.pick(&[1, 1, 2, 2, 3, 4, 0, 5, -1]);
            (OWNER, SaleStep::Whitelist { first, count, tier })
        }
        2 => {
            let step = SaleStep::Allot {
                first: actor,
                count: 1 + random.below(2),
                amount: random.pick(&[1, 10, 333, 1000, 20_000, 0, i64::MAX]),
                lockup: random.pick(&[2, 3, 2, 3, 1, 0, 4]),
            };
            (OWNER, step)
        }
        3 => {
            // Anybody may ask.
            let signer = random.below(ACTORS);
            let step = SaleStep::Unlock { actor };
            return Step::Sale { signer, step };
        }
        4 => (random.below(ACTORS), SaleStep::Raise),
        5 => {
            let on = !model.sale.paused || random.one_in(3);
            (OWNER, SaleStep::Pause { on })
        }
        _ if random.one_in(2) => (OWNER, SaleStep::End),
        _ => {
            let ms = random.pick(&[1, 3_600_000, DAY, 40 * DAY, 0]);
            (OWNER, SaleStep::Postpone { ms })
        }
    };
    let signer = signer(random, right);
    Step::Sale { signer, step }
}

fn buy(random: &mut Random, actor: usize) -> (usize, SaleStep) {
    let neo = random.one_in(2);
    let amount = if neo {
        random.pick(&[1, 2, 5, 19, 100, 0])
    } else {
        let whole = random.pick(&[0, 1, 3, 20, 200]) * GAS;
        whole + random.pick(&[0, 1, 300_301, GAS / 2, GAS - 1])
    };
    (actor, SaleStep::Buy { actor, neo, amount })
}

fn wait(random: &mut Random, model: &Model) -> Step {
    let s = &model.settings;
    let usual = [
        0,
        1,
        1000,
        15_000,
        s.deadline - 1,
        s.deadline,
        s.min_age,
        s.quiet,
        s.wait,
        s.wait_cap,
        DAY,
    ];
    if random.one_in(60) {
        return Step::Wait {
            ms: 20 * DAY,
            blocks: 1,
        };
    }
    if random.one_in(300) {
        // Further than the chain knows its blocks.
        return Step::Wait {
            ms: 400 * DAY,
            blocks: 2_200_000,
        };
    }
    let blocks = 1 + random.below(3) as i64;
    // A block is at least a ms later than the one before.
    let ms = random.pick(&usual).max(blocks);
    Step::Wait { ms, blocks }
}

fn register(random: &mut Random) -> Step {
    let actor = random.below(ACTORS);
    let endpoints = if random.one_in(20) {
        random.pick(&[0, 257])
    } else {
        1 + random.below(256)
    };
    Step::Register {
        actor,
        signer: signer(random, actor),
        endpoints,
    }
}

fn offer(random: &mut Random) -> Step {
    let actor = random.below(ACTORS);
    Step::Offer {
        actor,
        signer: signer(random, actor),
        content: random.below(CONTENTS),
    }
}

fn start(random: &mut Random, model: &Model) -> Step {
    let (mut v, mut p) = pair(random);
    let mut content = random.below(CONTENTS);
    if random.one_in(6) {
        // Once more what is open.
        (v, p) = open_pair(random, model);
        content = model.open.get(&(v, p)).map_or(content, |open| open.content);
    }
    let block = if random.one_in(6) {
        random.below(4) as i64 - 2
    } else {
        -1
    };
    let signer = signer(random, v);
    Step::Start {
        v,
        p,
        signer,
        content,
        block,
    }
}

fn pair(random: &mut Random) -> (usize, usize) {
    (random.below(ACTORS), random.below(ACTORS))
}

fn open_pair(random: &mut Random, model: &Model) -> (usize, usize) {
    if model.open.is_empty() || random.one_in(12) {
        return pair(random);
    }
    let at = random.below(model.open.len());
    model.open.keys().nth(at).copied().unwrap_or((0, 1))
}

/// The right one, or now and then anybody.
fn signer(random: &mut Random, right: usize) -> usize {
    if random.one_in(25) {
        random.below(ACTORS)
    } else {
        right
    }
}

fn how(random: &mut Random) -> How {
    let wrong = [
        How::WrongNonce,
        How::FlippedChunk,
        How::FlippedPath,
        How::OtherChunk,
    ];
    if random.one_in(8) {
        random.pick(&wrong)
    } else {
        How::Right
    }
}
