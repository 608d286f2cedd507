//! An account that can sign: a key, and the script that its witness runs.

use crate::{
    Hash160, PrivateKey, PublicKey, Transaction, Witness,
    key::KeyError,
    script::{self, ScriptError},
};

/// A key and the account it signs for: its own, or a multisig account it is one of the keys of.
#[derive(Clone, Debug)]
pub struct Account {
    pub key: PrivateKey,
    pub script_hash: Hash160,
    pub address: String,
    verification: Vec<u8>,
}

/// Why a transaction cannot be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    #[error("no key for signer {address}: hand over its account too")]
    NoKey { address: String },
    #[error("account {address} needs {required} signatures, keys for {present} are here")]
    TooFewKeys {
        address: String,
        required: usize,
        present: usize,
    },
}

impl Account {
    /// The ordinary account of one key.
    pub fn new(key: PrivateKey) -> Self {
        let verification = key.public_key().verification_script();
        Self::with_script(key, verification)
    }

    /// A fresh key.
    pub fn random() -> Result<Self, KeyError> {
        PrivateKey::random().map(Self::new)
    }

    /// The account that `required` of `keys` sign for, seen from `key`'s side.
    pub fn multisig(
        key: PrivateKey,
        required: usize,
        keys: &[PublicKey],
    ) -> Result<Self, ScriptError> {
        Ok(Self::with_script(
            key,
            script::multisig_verification(required, keys)?,
        ))
    }

    pub(crate) fn with_script(key: PrivateKey, verification: Vec<u8>) -> Self {
        let script_hash = Hash160::of_script(&verification);
        Self {
            key,
            script_hash,
            address: script_hash.to_address(),
            verification,
        }
    }

    /// The script that a witness of this account runs.
    pub fn verification_script(&self) -> &[u8] {
        &self.verification
    }
}

impl From<PrivateKey> for Account {
    fn from(key: PrivateKey) -> Self {
        Self::new(key)
    }
}

/// Makes the witnesses of all signers of `tx`. Several accounts of one multisig address each add their signature.
pub fn sign(tx: &mut Transaction, network: u32, accounts: &[Account]) -> Result<(), SignError> {
    let data = tx.sign_data(network);
    let witnesses = tx
        .signers
        .iter()
        .map(|signer| witness(&signer.account, accounts, &data));
    tx.witnesses = witnesses.collect::<Result<_, _>>()?;
    Ok(())
}

/// Witnesses without signatures, from which a node can compute the network fee.
pub(crate) fn unsigned_witnesses(
    tx: &Transaction,
    accounts: &[Account],
) -> Result<Vec<Witness>, SignError> {
    let of_signer = |hash: &Hash160| {
        let account = accounts.iter().find(|account| account.script_hash == *hash);
        let account = account.ok_or_else(|| SignError::NoKey {
            address: hash.to_address(),
        })?;
        Ok(Witness {
            invocation: Vec::new(),
            verification: account.verification.clone(),
        })
    };
    tx.signers
        .iter()
        .map(|signer| of_signer(&signer.account))
        .collect()
}

fn witness(hash: &Hash160, accounts: &[Account], data: &[u8]) -> Result<Witness, SignError> {
    let ours: Vec<&Account> = accounts
        .iter()
        .filter(|account| account.script_hash == *hash)
        .collect();
    let first = ours.first().ok_or_else(|| SignError::NoKey {
        address: hash.to_address(),
    })?;
    let signatures: Vec<[u8; 64]> = match script::parse_multisig(&first.verification) {
        None => vec![first.key.sign(data)],
        Some((required, keys)) => {
            let holders = keys
                .iter()
                .filter_map(|key| ours.iter().find(|account| account.key.public_key() == *key));
            let holders: Vec<_> = holders.take(required).collect();
            if holders.len() < required {
                let (address, present) = (first.address.clone(), holders.len());
                return Err(SignError::TooFewKeys {
                    address,
                    required,
                    present,
                });
            }
            holders
                .into_iter()
                .map(|account| account.key.sign(data))
                .collect()
        }
    };
    Ok(Witness {
        invocation: script::push_signatures(&signatures),
        verification: first.verification.clone(),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::Signer;

    #[test]
    fn a_signature_is_over_network_and_hash() {
        let account = Account::random().unwrap();
        let mut tx = Transaction {
            signers: vec![Signer::new(account.script_hash)],
            ..Transaction::default()
        };
        sign(&mut tx, 7, std::slice::from_ref(&account)).unwrap();
        let signature: [u8; 64] = tx.witnesses[0].invocation[2..].try_into().unwrap();
        assert_eq!(tx.witnesses[0].invocation[..2], [0x0C, 64]);
        assert!(
            account
                .key
                .public_key()
                .verify(&tx.sign_data(7), &signature)
        );
        assert!(
            !account
                .key
                .public_key()
                .verify(&tx.sign_data(8), &signature)
        );
    }

    #[test]
    fn two_of_three_sign_in_the_order_of_the_keys() {
        let keys: Vec<_> = (0..3).map(|_| PrivateKey::random().unwrap()).collect();
        let public: Vec<_> = keys.iter().map(PrivateKey::public_key).collect();
        let of = |i: usize| Account::multisig(keys[i].clone(), 2, &public).unwrap();
        let mut tx = Transaction {
            signers: vec![Signer::new(of(0).script_hash)],
            ..Transaction::default()
        };
        let refused = sign(&mut tx, 7, &[of(1)]).unwrap_err();
        assert!(matches!(
            refused,
            SignError::TooFewKeys {
                required: 2,
                present: 1,
                ..
            }
        ));
        // The same key twice is one signature.
        assert!(sign(&mut tx, 7, &[of(1), of(1)]).is_err());
        sign(&mut tx, 7, &[of(2), of(0)]).unwrap();
        let (_, ordered) = script::parse_multisig(of(0).verification_script()).unwrap();
        let mut signers = ordered.iter().filter(|key| **key != public[1]);
        for push in tx.witnesses[0].invocation.chunks(66) {
            let signature: [u8; 64] = push[2..].try_into().unwrap();
            assert!(signers.next().unwrap().verify(&tx.sign_data(7), &signature));
        }
    }

    #[test]
    fn a_signer_without_key_is_named() {
        let stranger = Account::random().unwrap();
        let mut tx = Transaction {
            signers: vec![Signer::new(stranger.script_hash)],
            ..Transaction::default()
        };
        let error = sign(&mut tx, 7, &[Account::random().unwrap()]).unwrap_err();
        assert!(error.to_string().contains(&stranger.address), "{error}");
    }
}
