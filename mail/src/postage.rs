//! May this account write to that box, and what does it cost? Asked of a node by a test run, which changes nothing.

use phantasma_sdk::boxes;
use phantasma_sdk::contract::{ContractError, ContractEvent, Phantasma};
use phantasma_sdk::estimate::{Access, EstimateError, Question, Subject};
use phantasma_sdk::neo::{ContractParam, Hash160, InvokeError, Signer, VmState};

/// What the contract says when a gate charges more than the caller allows.
const ABOVE: &str = "PAY: above maxPayment";

/// What the contract says when a gate says no.
const REFUSES: &str = "the gate refuses";

/// Some content: gates of mailboxes do not look at it.
const PROBE: [u8; 36] = [0; 36];

/// What a letter to a box costs its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Postage {
    Free,
    /// So much in smallest units of SOUL, with a write on the chain. The sender has it.
    Priced(u64),
    /// At most so much, and the sender has less.
    Beyond(u64),
    /// The gate refuses, whatever is paid.
    Refused(String),
}

/// Why it is not known.
#[derive(Debug, thiserror::Error)]
pub enum PostageError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error(transparent)]
    Estimate(#[from] EstimateError),
}

/// What `sender` pays for a content in the box.
///
/// # Errors
/// A node that does not answer; a box that is not there.
pub async fn quote(
    contract: &Phantasma,
    sender: &Hash160,
    box_id: u64,
) -> Result<Postage, PostageError> {
    let refusal = match try_write(contract, sender, box_id, 0).await? {
        Ok(_) => return Ok(Postage::Free),
        Err(refusal) => refusal,
    };
    if !refusal.contains(ABOVE) {
        let words = match refusal.contains(REFUSES) {
            true => REFUSES.to_owned(),
            false => refusal,
        };
        return Ok(Postage::Refused(words));
    }
    let balance = contract.balance_of(sender).await?;
    match try_write(contract, sender, box_id, balance).await? {
        Ok(price) => Ok(Postage::Priced(price)),
        Err(_) => Ok(Postage::Beyond(most(contract, sender, box_id).await?)),
    }
}

/// What a write charges `sender`, or the contract's words against it.
async fn try_write(
    contract: &Phantasma,
    sender: &Hash160,
    box_id: u64,
    max_payment: u64,
) -> Result<Result<u64, String>, PostageError> {
    let script = probe();
    let params: [ContractParam; 4] = [
        (*sender).into(),
        box_id.into(),
        script.as_slice().into(),
        max_payment.into(),
    ];
    let run = contract
        .rpc()
        .invoke_function(
            &contract.hash(),
            "writeContent",
            &params,
            &[Signer::new(*sender)],
        )
        .await?;
    if run.state == VmState::Fault {
        return Ok(Err(run.exception.unwrap_or_default()));
    }
    let charged =
        run.notifications.iter().map(
            |event| match ContractEvent::parse(&contract.hash(), event) {
                Some(ContractEvent::Transfer { from, amount, .. }) if from == Some(*sender) => {
                    amount
                }
                _ => 0,
            },
        );
    Ok(Ok(charged.sum()))
}

/// A bound of the price, for who cannot pay it.
async fn most(contract: &Phantasma, sender: &Hash160, box_id: u64) -> Result<u64, PostageError> {
    let question = Question {
        subject: Subject::Box(box_id),
        access: Access::Write(probe()),
        caller: Some(*sender),
        max_payment: u64::MAX,
        follow: true,
    };
    let soul = contract.estimate(&question).await?.bound.total.soul;
    Ok(u64::try_from(soul).unwrap_or(u64::MAX))
}

fn probe() -> Vec<u8> {
    // 36 bytes always fit into a script.
    boxes::data_content(&PROBE).unwrap_or_default()
}

/// Smallest units of SOUL as people write them.
pub fn soul(units: u64) -> String {
    let whole = units / 100_000_000;
    let part = format!("{:08}", units % 100_000_000);
    match part.trim_end_matches('0') {
        "" => format!("{whole} SOUL"),
        part => format!("{whole}.{part} SOUL"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_without_idle_zeros() {
        for (units, text) in [
            (0, "0 SOUL"),
            (50_000_000, "0.5 SOUL"),
            (200_000_001, "2.00000001 SOUL"),
        ] {
            assert_eq!(soul(units), text);
        }
    }
}
