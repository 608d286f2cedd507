//! What actors do.

use super::model::ACTORS;

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
    /// What only a contract may do, by somebody who is none.
    Steal { thief: usize, what: Theft },
    /// A script that asks for a proof and then aborts.
    Abort { v: usize, p: usize, content: usize },
    /// A call of the contract that has the SOUL, or a step of its own kind.
    Soul { signer: usize, step: SoulStep },
    /// A call of the sale, or a transfer to it.
    Sale { signer: usize, step: SaleStep },
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

/// What a thief calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theft {
    /// `collect`: takes a fee from somebody else.
    Collect,
    /// `reward`: pays himself out of the pool.
    Reward,
    /// `mint`: makes SOUL for himself.
    Mint,
    /// `onNEP17Payment` of the sale, without a payment.
    Payment,
}

/// What is done with SOUL, the register of content and the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SoulStep {
    /// `transfer`.
    Transfer { from: usize, to: usize, amount: i64 },
    /// `swapOut`.
    Swap { actor: usize, amount: i64 },
    /// `createContent`.
    Create {
        actor: usize,
        content: usize,
        periods: i64,
    },
    /// `renewContent`.
    Renew {
        actor: usize,
        content: usize,
        periods: i64,
    },
    /// `writeContent` into the box, whose gate takes SOUL; at most so much.
    Write { actor: usize, most: i64 },
    /// `withdraw` from the box.
    Take { amount: i64 },
}

/// What is done with the sale. A batch is of so many, from the first on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SaleStep {
    /// A transfer of NEO, or of GAS.
    Buy {
        actor: usize,
        neo: bool,
        amount: i64,
    },
    /// `whitelist`.
    Whitelist {
        first: usize,
        count: usize,
        tier: i64,
    },
    /// `allot`, to each as much.
    Allot {
        first: usize,
        count: usize,
        amount: i64,
        lockup: i64,
    },
    /// `unlockTokens`.
    Unlock { actor: usize },
    /// `withdraw` of the sale.
    Raise,
    /// `pause`, or `resume`.
    Pause { on: bool },
    /// `postpone`.
    Postpone { ms: i64 },
    /// `end`.
    End,
}

/// Who is in a batch.
pub fn batch(first: usize, count: usize) -> impl Iterator<Item = usize> {
    (first..first + count).map(|who| who % ACTORS)
}

impl Step {
    /// Whether a call says by false, and not by a fault, that it did nothing.
    pub fn answers(&self) -> bool {
        matches!(
            self,
            Step::Soul {
                step: SoulStep::Transfer { .. },
                ..
            } | Step::Sale {
                step: SaleStep::Buy { .. },
                ..
            }
        )
    }

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
            Step::Soul { step, .. } => step.name(),
            Step::Sale { step, .. } => step.name(),
        }
    }
}

impl SoulStep {
    fn name(&self) -> &'static str {
        match self {
            SoulStep::Transfer { .. } => "transfer",
            SoulStep::Swap { .. } => "swapOut",
            SoulStep::Create { .. } => "createContent",
            SoulStep::Renew { .. } => "renewContent",
            SoulStep::Write { .. } => "writeContent",
            SoulStep::Take { .. } => "withdraw from a box",
        }
    }
}

impl SaleStep {
    fn name(&self) -> &'static str {
        match self {
            SaleStep::Buy { neo: true, .. } => "buy for NEO",
            SaleStep::Buy { neo: false, .. } => "buy for GAS",
            SaleStep::Whitelist { .. } => "whitelist",
            SaleStep::Allot { .. } => "allot",
            SaleStep::Unlock { .. } => "unlockTokens",
            SaleStep::Raise => "withdraw",
            SaleStep::Pause { on: true } => "pause",
            SaleStep::Pause { on: false } => "resume",
            SaleStep::Postpone { .. } => "postpone",
            SaleStep::End => "end",
        }
    }
}
