//! The events of nodes, proofs and rewards, as receipts and subscriptions bring them.

use neo_client::{Hash160, ItemError, Notification};

use crate::contract::fields;

/// Something that happened among the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProofsEvent {
    /// Also when a node has other endpoints.
    NodeRegistered {
        account: Hash160,
        number: u64,
        endpoints: String,
    },
    NodeLeft {
        account: Hash160,
        number: u64,
    },
    /// Millionths of a point.
    Reputation {
        account: Hash160,
        reputation: u64,
        average: u64,
    },
    ContentOffered {
        prover: Hash160,
        content: [u8; 32],
        offered: bool,
    },
    /// `draw` is the block of the chain that draws the chunk.
    ProofStarted {
        validator: Hash160,
        prover: Hash160,
        content: [u8; 32],
        draw: u64,
    },
    ProofShown {
        validator: Hash160,
        prover: Hash160,
        content: [u8; 32],
        chunk: u64,
    },
    ProofAccepted {
        validator: Hash160,
        prover: Hash160,
        content: [u8; 32],
    },
    ProofFailed {
        validator: Hash160,
        prover: Hash160,
        content: [u8; 32],
    },
    /// `draw` is the block of the chain that draws the winners.
    RoundClosed {
        round: u64,
        invoker: Hash160,
        pot: u64,
        draw: u64,
    },
    /// Each winner got `amount`.
    RewardsPaid {
        round: u64,
        validator: Hash160,
        prover: Hash160,
        amount: u64,
    },
}

impl ProofsEvent {
    /// None for events of other contracts, and unknown ones.
    pub fn parse(contract: &Hash160, event: &Notification) -> Option<Self> {
        if event.contract != *contract {
            return None;
        }
        Self::read(event).ok().flatten()
    }

    fn read(event: &Notification) -> Result<Option<Self>, ItemError> {
        let state = &event.state;
        Ok(Some(match event.name.as_str() {
            "NodeRegistered" => {
                let [account, number, endpoints] = fields(state)?;
                Self::NodeRegistered {
                    account: account.as_hash160()?,
                    number: number.as_u64()?,
                    endpoints: endpoints.as_text()?,
                }
            }
            "NodeLeft" => {
                let [account, number] = fields(state)?;
                Self::NodeLeft {
                    account: account.as_hash160()?,
                    number: number.as_u64()?,
                }
            }
            "Reputation" => {
                let [account, reputation, average] = fields(state)?;
                Self::Reputation {
                    account: account.as_hash160()?,
                    reputation: reputation.as_u64()?,
                    average: average.as_u64()?,
                }
            }
            "ContentOffered" => {
                let [prover, content, offered] = fields(state)?;
                Self::ContentOffered {
                    prover: prover.as_hash160()?,
                    content: content.as_hash256()?.0,
                    offered: offered.as_bool()?,
                }
            }
            "RoundClosed" => {
                let [round, invoker, pot, draw] = fields(state)?;
                Self::RoundClosed {
                    round: round.as_u64()?,
                    invoker: invoker.as_hash160()?,
                    pot: pot.as_u64()?,
                    draw: draw.as_u64()?,
                }
            }
            "RewardsPaid" => {
                let [round, validator, prover, amount] = fields(state)?;
                Self::RewardsPaid {
                    round: round.as_u64()?,
                    validator: validator.as_hash160()?,
                    prover: prover.as_hash160()?,
                    amount: amount.as_u64()?,
                }
            }
            _ => return Self::read_proof(event),
        }))
    }

    fn read_proof(event: &Notification) -> Result<Option<Self>, ItemError> {
        let state = &event.state;
        Ok(Some(match event.name.as_str() {
            "ProofStarted" => {
                let [validator, prover, content, _block, draw] = fields(state)?;
                Self::ProofStarted {
                    validator: validator.as_hash160()?,
                    prover: prover.as_hash160()?,
                    content: content.as_hash256()?.0,
                    draw: draw.as_u64()?,
                }
            }
            "ProofShown" => {
                let [validator, prover, content, chunk] = fields(state)?;
                Self::ProofShown {
                    validator: validator.as_hash160()?,
                    prover: prover.as_hash160()?,
                    content: content.as_hash256()?.0,
                    chunk: chunk.as_u64()?,
                }
            }
            "ProofAccepted" => {
                let [validator, prover, content] = fields(state)?;
                Self::ProofAccepted {
                    validator: validator.as_hash160()?,
                    prover: prover.as_hash160()?,
                    content: content.as_hash256()?.0,
                }
            }
            "ProofFailed" => {
                let [validator, prover, content] = fields(state)?;
                Self::ProofFailed {
                    validator: validator.as_hash160()?,
                    prover: prover.as_hash160()?,
                    content: content.as_hash256()?.0,
                }
            }
            _ => return Ok(None),
        }))
    }
}
