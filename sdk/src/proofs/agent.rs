//! What a program needs that takes part in proofs by itself: the pairs with an open challenge, and calls that it sends when
//! it likes.

use neo_client::{Account, ContractParam, Hash160, TransactionBuilder};

use super::{Proofs, methods};
use crate::contract::ContractError;

/// The keys of open challenges: this byte, the validator's account, the prover's.
const OPEN_PREFIX: u8 = 0x20;

/// Pages of a thousand entries or so that are read at most.
const MAX_PAGES: usize = 256;

impl Proofs {
    /// The pairs with an open challenge that `account` has a part in: validator and prover. No method of the contract
    /// lists them, its storage does.
    pub async fn open_pairs(
        &self,
        account: &Hash160,
    ) -> Result<Vec<(Hash160, Hash160)>, ContractError> {
        let (mut pairs, mut start) = (Vec::new(), 0);
        for _ in 0..MAX_PAGES {
            let (rpc, hash) = (&self.remote.rpc, &self.remote.hash);
            let page = rpc.find_storage(hash, &[OPEN_PREFIX], start).await?;
            let found = page.entries.iter().filter_map(|entry| pair(&entry.key));
            pairs.extend(found.filter(|(v, p)| v == account || p == account));
            if !page.truncated {
                break;
            }
            start = page.next;
        }
        Ok(pairs)
    }

    /// The transaction of [`Self::offer_content`].
    pub fn offer_content_call(
        &self,
        prover: &Account,
        content: &[u8; 32],
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [prover.script_hash.into(), ContractParam::bytes(*content)];
        self.roomy(prover, &methods::OFFER_CONTENT, &params)
    }

    /// The transaction of [`Self::retract_content`].
    pub fn retract_content_call(
        &self,
        prover: &Account,
        content: &[u8; 32],
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [prover.script_hash.into(), ContractParam::bytes(*content)];
        self.roomy(prover, &methods::RETRACT_CONTENT, &params)
    }

    /// The transaction of [`Self::fail_proof`].
    pub fn fail_proof_call(
        &self,
        payer: &Account,
        validator: &Hash160,
        prover: &Hash160,
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [(*validator).into(), (*prover).into()];
        self.roomy(payer, &methods::FAIL_PROOF, &params)
    }

    /// The transaction of [`Self::obtain_rewards`].
    pub fn obtain_rewards_call(
        &self,
        invoker: &Account,
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [invoker.script_hash.into()];
        self.roomy(invoker, &methods::OBTAIN_REWARDS, &params)
    }
}

fn pair(key: &[u8]) -> Option<(Hash160, Hash160)> {
    let accounts = key.strip_prefix(&[OPEN_PREFIX])?;
    let (validator, prover) = accounts.split_at_checked(20)?;
    Some((
        Hash160::from_slice(validator)?,
        Hash160::from_slice(prover)?,
    ))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_storage_names_the_pair() {
        let key = [&[0x20][..], &[1; 20], &[2; 20]].concat();
        assert_eq!(pair(&key), Some((Hash160([1; 20]), Hash160([2; 20]))));
        assert_eq!(pair(&key[..40]), None);
        assert_eq!(pair(&[&[0x21][..], &key[1..]].concat()), None);
    }
}
