//! Storage of all contracts, with an undo journal: a fault leaves no trace.

use std::collections::{BTreeMap, BTreeSet};

use crate::hash::Hash160;

/// One contract's storage, in byte order of the keys.
pub type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

/// Storage by contract, and what to write back on a fault.
#[derive(Default)]
pub(crate) struct Storage {
    contracts: BTreeMap<Hash160, Entries>,
    undo: Vec<Undo>,
    absent: BTreeSet<(Hash160, Vec<u8>)>,
}

struct Undo {
    contract: Hash160,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl Storage {
    pub(crate) fn get(&self, contract: &Hash160, key: &[u8]) -> Option<&[u8]> {
        self.contracts.get(contract)?.get(key).map(Vec::as_slice)
    }

    /// As [`Storage::get`], for contract code: notes what it looked for in vain.
    pub(crate) fn read(&mut self, contract: &Hash160, key: &[u8]) -> Option<&[u8]> {
        let found = self
            .contracts
            .get(contract)
            .is_some_and(|entries| entries.contains_key(key));
        if !found {
            self.absent.insert((contract.clone(), key.to_vec()));
        }
        self.get(contract, key)
    }

    /// Keys of a contract that its code looked for in vain.
    pub(crate) fn absent(&self, contract: &Hash160) -> Vec<Vec<u8>> {
        let of_contract = self.absent.iter().filter(|(of, _)| of == contract);
        of_contract.map(|(_, key)| key.clone()).collect()
    }

    /// Forgets what was looked for in vain.
    pub(crate) fn forget_absent(&mut self) {
        self.absent.clear();
    }

    /// Writes the value, or removes the key with `None`.
    pub(crate) fn set(&mut self, contract: &Hash160, key: &[u8], value: Option<Vec<u8>>) {
        let entries = self.contracts.entry(contract.clone()).or_default();
        let before = match value {
            Some(value) => entries.insert(key.to_vec(), value),
            None => entries.remove(key),
        };
        self.undo.push(Undo {
            contract: contract.clone(),
            key: key.to_vec(),
            before,
        });
    }

    pub(crate) fn with_prefix(&self, contract: &Hash160, prefix: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let Some(entries) = self.contracts.get(contract) else {
            return Vec::new();
        };
        let from_prefix_on = entries.range(prefix.to_vec()..);
        from_prefix_on
            .take_while(|(key, _)| key.starts_with(prefix))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }

    pub(crate) fn entries(&self, contract: &Hash160) -> Entries {
        self.contracts.get(contract).cloned().unwrap_or_default()
    }

    /// Keeps everything written since the last commit or rollback.
    pub(crate) fn commit(&mut self) {
        self.undo.clear();
    }

    /// Undoes everything written since the last commit or rollback.
    pub(crate) fn rollback(&mut self) {
        while let Some(undo) = self.undo.pop() {
            let entries = self.contracts.entry(undo.contract).or_default();
            match undo.before {
                Some(value) => entries.insert(undo.key, value),
                None => entries.remove(&undo.key),
            };
        }
    }
}
