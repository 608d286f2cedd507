//! Does the chain know a message that a relay keeps?

use phantasma_vm::ScriptError;
use phantasma_wire::merkle::MerkleError;
use phantasma_wire::message::Message;
use phantasma_wire::relay::AnchorProof;

use crate::boxes::data_content;
use crate::contract::{ContractError, Phantasma};

/// Why a proof does not show what it should.
#[derive(Debug, thiserror::Error)]
pub enum AnchorCheckError {
    #[error("the path does not lead from the message to the anchor: {0}")]
    Path(#[from] MerkleError),
    #[error("content {index} of box {box_id} on the chain is not this anchor")]
    NotOnChain { box_id: u64, index: u64 },
    #[error("cannot write the anchor as a content: {0}")]
    Script(#[from] ScriptError),
    #[error(transparent)]
    Contract(#[from] ContractError),
}

/// Whether the chain has had this message since the anchor's block: the path leads from the message to the root, and the
/// anchor stands in the box that the proof names. Whose box that is, and so who vouches for the position, is for the
/// caller to look up.
pub async fn check_anchor(
    contract: &Phantasma,
    proof: &AnchorProof,
    message: &Message,
) -> Result<(), AnchorCheckError> {
    proof.check(&message.id())?;
    let expected = data_content(&proof.anchor.to_bytes())?;
    let stored = contract.content_at(proof.box_id, proof.index).await?;
    match stored == expected {
        true => Ok(()),
        false => Err(AnchorCheckError::NotOnChain {
            box_id: proof.box_id,
            index: proof.index,
        }),
    }
}
