//! What actors do, and how the next thing is chosen.

use super::model::{ACTORS, CONTENTS, Model};
use crate::torture::random::Random;

/// One call, or time that passes. Everybody is a number; a step means the same whatever was before it, so that a sequence
/// can be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Time and blocks pass.
    Wait { ms: i64, blocks: i64 },
    /// `registerNode` with endpoints of so many bytes.
    Register {
        actor: usize,
        signer: usize,
        endpoints: usize,
    },
    /// `leave`.
    Leave { actor: usize, signer: usize },
    /// `offerContent`.
    Offer {
        actor: usize,
        signer: usize,
        content: usize,
    },
    /// `retractContent`.
    Retract {
        actor: usize,
        signer: usize,
        content: usize,
    },
    /// `startProof`.
    Start {
        v: usize,
        p: usize,
        signer: usize,
        content: usize,
        block: i64,
    },
    /// `showProof`.
    Show {
        v: usize,
        p: usize,
        signer: usize,
        how: How,
    },
    /// `acceptProof`.
    Accept { v: usize, p: usize, signer: usize },
    /// `failProof`.
    Fail { v: usize, p: usize, signer: usize },
    /// `obtainRewards`.
    Obtain { invoker: usize, signer: usize },
    /// `reward` or `collect` of the SOUL side by somebody who is not the contract.
    Steal { thief: usize, collect: bool },
    /// A script that asks for a proof and then aborts.
    Abort { v: usize, p: usize, content: usize },
    /// A content is registered, or its time changed, by the SOUL side's own rules.
    Content { content: usize, ms: i64 },
    /// Somebody gets SOUL.
    Give { actor: usize, amount: i64 },
    /// The pool gets SOUL.
    Fill { amount: i64 },
}

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// The chunk that was drawn.
    Right,
    /// With another block's nonce.
    WrongNonce,
    /// One bit of the chunk is another.
    FlippedChunk,
    /// One bit of the path is another, or there is one hash too many.
    FlippedPath,
    /// Another chunk of the content with its own path.
    OtherChunk,
}

impl Step {
    /// For statistics.
    pub fn name(&self) -> &'static str {
        match self {
            Step::Wait { .. } => "wait",
            Step::Register { .. } => "registerNode",
            Step::Leave { .. } => "leave",
            Step::Offer { .. } => "offerContent",
            Step::Retract { .. } => "retractContent",
            Step::Start { .. } => "startProof",
            Step::Show { .. } => "showProof",
            Step::Accept { .. } => "acceptProof",
            Step::Fail { .. } => "failProof",
            Step::Obtain { .. } => "obtainRewards",
            Step::Steal { .. } => "steal",
            Step::Abort { .. } => "start and abort",
            Step::Content { .. } => "register a content",
            Step::Give { .. } => "give",
            Step::Fill { .. } => "fill",
        }
    }
}

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
    let weights = [20, 3, 1, 4, 1, 24, 22, 14, 5, 8, 1, 1, 1, 1, 1];
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
            collect: random.one_in(2),
        },
        11 => {
            let (v, p) = pair(random);
            Step::Abort {
                v,
                p,
                content: random.below(CONTENTS),
            }
        }
        12 => {
            let ms = random.pick(&[0, 1000, 3_600_000, 30 * DAY, 400 * DAY]);
            Step::Content {
                content: random.below(CONTENTS),
                ms,
            }
        }
        13 => Step::Give {
            actor: random.below(ACTORS),
            amount: random.below(1000) as i64,
        },
        _ => Step::Fill {
            amount: random.below(100_000) as i64,
        },
    }
}

const DAY: i64 = 24 * 3_600_000;

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
    if random.one_in(300) {
        // Further than the chain knows its blocks.
        return Step::Wait {
            ms: 400 * DAY,
            blocks: 2_200_000,
        };
    }
    let ms = random.pick(&usual);
    Step::Wait {
        ms,
        blocks: 1 + random.below(3) as i64,
    }
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
