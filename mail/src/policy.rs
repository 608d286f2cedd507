//! Who may write to a mailbox, as the gate of its box.
//!
//! The allow-list is the box's include list on the chain. What else the owner decided lies in a small file beside the
//! mails, from which the gate is made anew at each change.

use std::path::Path;

use phantasma_sdk::neo::Hash160;
use phantasma_vm::{Gate, GateError};
use serde::{Deserialize, Serialize};

use crate::files::{self, FileError};

/// The file's name in the mailbox's folder.
const FILE: &str = "policy.json";

/// What a stranger, who is not on the allow-list, has to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strangers {
    /// Nothing.
    #[default]
    Free,
    /// Pays for each mail; smallest units of SOUL.
    Each(u64),
    /// Pays once, and is on the allow-list from then on.
    Once(u64),
    /// Cannot write.
    Refused,
}

/// The owner's decisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub strangers: Strangers,
    /// Addresses of Neo accounts that cannot write, whatever they pay.
    #[serde(default)]
    pub denied: Vec<String>,
}

/// Why a policy cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path} is damaged: {reason}; remove it and set the price again")]
    Damaged { path: String, reason: String },
    #[error(transparent)]
    Gate(#[from] GateError),
    #[error("{0} is no address of a Neo account")]
    Address(String),
}

impl Policy {
    /// Of a mailbox's folder; the default when there is none yet.
    pub fn load(folder: &Path) -> Result<Self, PolicyError> {
        let path = folder.join(FILE);
        let Some(bytes) = files::read(&path)? else {
            return Ok(Self::default());
        };
        serde_json::from_slice(&bytes).map_err(|error| PolicyError::Damaged {
            path: path.display().to_string(),
            reason: error.to_string(),
        })
    }

    pub fn save(&self, folder: &Path) -> Result<(), PolicyError> {
        let path = folder.join(FILE);
        let bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        Ok(files::replace(&path, &bytes)?)
    }

    /// The gate that says so. Reading stays free: what lies in the box is sealed.
    pub fn gate(&self) -> Result<Vec<u8>, PolicyError> {
        let strangers = match self.strangers {
            Strangers::Free => Gate::Free,
            Strangers::Each(price) => Gate::Pay(price),
            Strangers::Once(price) => Gate::PayOnce(price),
            Strangers::Refused => Gate::Nobody,
        };
        let known = vec![Gate::Owner, Gate::Reading, Gate::Members, strangers];
        let open = Gate::Any(known);
        if self.denied.is_empty() {
            return Ok(open.script()?);
        }
        let mut accounts = Vec::new();
        for address in &self.denied {
            let hash = Hash160::from_address(address)
                .map_err(|_| PolicyError::Address(address.clone()))?;
            accounts.push(hash.0);
        }
        let not_denied = Gate::Not(Box::new(Gate::Accounts(accounts)));
        Ok(Gate::All(vec![not_denied, open]).script()?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use phantasma_vm::explain_gate;

    use super::*;

    #[test]
    fn gates_say_what_was_decided() {
        let explain = |strangers, denied: &[Hash160]| {
            let policy = Policy {
                strangers,
                denied: denied.iter().map(Hash160::to_address).collect(),
            };
            explain_gate(&policy.gate().unwrap()).unwrap().to_string()
        };
        assert_eq!(
            explain(Strangers::Each(50_000_000), &[]),
            "The owner may read and write. Anybody else may read. Members may write. Otherwise, anybody pays 0.5 SOUL to the box for each write."
        );
        assert!(explain(Strangers::Free, &[]).contains("Anybody may read and write"));
    }

    #[test]
    fn a_policy_comes_back_as_it_was_saved() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Policy::load(folder.path()).unwrap(), Policy::default());
        let policy = Policy {
            strangers: Strangers::Once(7),
            denied: vec![Hash160([1; 20]).to_address()],
        };
        policy.save(folder.path()).unwrap();
        assert_eq!(Policy::load(folder.path()).unwrap(), policy);
    }
}
