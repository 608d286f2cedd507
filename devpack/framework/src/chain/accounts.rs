//! Accounts with real keys, and the signers of a transaction.

use p256::ecdsa::{SigningKey, signature::Signer as _};
use sha2::{Digest, Sha256};

use crate::crypto;
use crate::hash::{Hash160, PublicKey, Signature};

/// An account whose P-256 key follows from its name, so that tests repeat.
#[derive(Clone)]
pub struct Account {
    key: SigningKey,
    /// The compressed public key.
    pub public_key: PublicKey,
    /// The script hash: the account as contracts know it.
    pub hash: Hash160,
}

impl Account {
    /// The account of that name.
    #[must_use]
    pub fn named(name: &str) -> Account {
        let mut seed = Sha256::digest(name.as_bytes());
        // One digest in 2^32 is no scalar; hashing on finds the next candidate.
        let key = loop {
            match SigningKey::from_slice(&seed) {
                Ok(key) => break key,
                Err(_) => seed = Sha256::digest(seed),
            }
        };
        let point = key.verifying_key().to_sec1_point(true);
        let mut compressed = [0; PublicKey::LENGTH];
        compressed.copy_from_slice(point.as_bytes());
        let public_key = PublicKey::unchecked(compressed);
        let hash = crypto::standard_account(&public_key);
        Account {
            key,
            public_key,
            hash,
        }
    }

    /// ECDSA over SHA-256 of the message, as `crypto::verify_with_ecdsa` with
    /// curve 23 checks it.
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> Signature {
        let signature: p256::ecdsa::Signature = self.key.sign(message);
        let mut bytes = [0; Signature::LENGTH];
        bytes.copy_from_slice(&signature.to_bytes());
        Signature::unchecked(bytes)
    }

    /// Signs a transaction with scope CalledByEntry.
    #[must_use]
    pub fn signer(&self) -> Signer {
        Signer::called_by_entry(&self.hash)
    }
}

/// A signer of a transaction; the first one is its sender.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    /// Who signs.
    pub account: Hash160,
    /// What the signature is good for.
    pub scope: Scope,
}

/// Where a signer's witness counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nowhere: it only pays.
    None,
    /// In the contracts that the entry script calls directly.
    CalledByEntry,
    /// In the listed contracts, however deep.
    CustomContracts(Vec<Hash160>),
    /// Both of the former.
    EntryAndContracts(Vec<Hash160>),
    /// Everywhere.
    Global,
}

impl Signer {
    /// With scope CalledByEntry.
    #[must_use]
    pub fn called_by_entry(account: &Hash160) -> Signer {
        Signer {
            account: account.clone(),
            scope: Scope::CalledByEntry,
        }
    }

    /// With scope Global.
    #[must_use]
    pub fn global(account: &Hash160) -> Signer {
        Signer {
            account: account.clone(),
            scope: Scope::Global,
        }
    }

    /// With scope None.
    #[must_use]
    pub fn fee_only(account: &Hash160) -> Signer {
        Signer {
            account: account.clone(),
            scope: Scope::None,
        }
    }

    /// With scope CustomContracts.
    #[must_use]
    pub fn for_contracts(account: &Hash160, contracts: &[Hash160]) -> Signer {
        Signer {
            account: account.clone(),
            scope: Scope::CustomContracts(contracts.to_vec()),
        }
    }

    pub(crate) fn reaches(&self, contract: &Hash160, is_called_by_entry: bool) -> bool {
        match &self.scope {
            Scope::None => false,
            Scope::CalledByEntry => is_called_by_entry,
            Scope::CustomContracts(contracts) => contracts.contains(contract),
            Scope::EntryAndContracts(contracts) => {
                is_called_by_entry || contracts.contains(contract)
            }
            Scope::Global => true,
        }
    }
}
