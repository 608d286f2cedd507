//! Who signs a transaction and where that signature counts.

use std::{fmt, str::FromStr};

use serde_json::{Value, json};

use crate::{
    Hash160, PublicKey,
    codec::{DecodeError, Reader, put_count, unexpected},
};

/// Most contracts or groups in one signer (neo-go `transaction.maxSubitems`).
const MAX_SUBITEMS: usize = 16;

/// A set of places where a witness counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scopes(u8);

impl Scopes {
    /// Pays fees, counts nowhere.
    pub const NONE: Self = Self(0);
    /// In the script and in contracts it calls directly.
    pub const CALLED_BY_ENTRY: Self = Self(0x01);
    /// In the listed contracts.
    pub const CUSTOM_CONTRACTS: Self = Self(0x10);
    /// In contracts of the listed groups.
    pub const CUSTOM_GROUPS: Self = Self(0x20);
    /// Everywhere: any contract called may spend for the signer.
    pub const GLOBAL: Self = Self(0x80);

    const NAMES: [(Self, &'static str); 4] = [
        (Self::CALLED_BY_ENTRY, "CalledByEntry"),
        (Self::CUSTOM_CONTRACTS, "CustomContracts"),
        (Self::CUSTOM_GROUPS, "CustomGroups"),
        (Self::GLOBAL, "Global"),
    ];

    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Both together.
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub fn bits(self) -> u8 {
        self.0
    }

    /// None for bits that are no scope of ours, and for Global together with another.
    pub fn from_bits(bits: u8) -> Option<Self> {
        let known = Self::NAMES.iter().fold(0, |all, (scope, _)| all | scope.0);
        let global_alone = bits & Self::GLOBAL.0 == 0 || bits == Self::GLOBAL.0;
        (bits & !known == 0 && global_alone).then_some(Self(bits))
    }
}

impl fmt::Display for Scopes {
    /// As in JSON-RPC: names with a comma between.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = Self::NAMES
            .iter()
            .filter(|(scope, _)| self.contains(*scope))
            .map(|(_, n)| *n)
            .collect();
        f.write_str(
            if names.is_empty() {
                "None".into()
            } else {
                names.join(",")
            }
            .as_str(),
        )
    }
}

impl FromStr for Scopes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut all = 0;
        for name in text
            .split(',')
            .map(str::trim)
            .filter(|name| *name != "None")
        {
            let known = Self::NAMES.iter().find(|(_, known)| *known == name);
            all |= known
                .ok_or_else(|| format!("\"{name}\" is no witness scope known here"))?
                .0
                .0;
        }
        Self::from_bits(all).ok_or_else(|| format!("scopes \"{text}\" cannot stand together"))
    }
}

/// One signer of a transaction. The first one pays the fees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signer {
    pub account: Hash160,
    pub scopes: Scopes,
    /// For `CUSTOM_CONTRACTS`; at most 16.
    pub allowed_contracts: Vec<Hash160>,
    /// For `CUSTOM_GROUPS`; at most 16.
    pub allowed_groups: Vec<PublicKey>,
}

impl Signer {
    /// A signer whose witness counts in the called contract only: right for nearly every call.
    pub fn new(account: Hash160) -> Self {
        Self::with_scopes(account, Scopes::CALLED_BY_ENTRY)
    }

    pub fn with_scopes(account: Hash160, scopes: Scopes) -> Self {
        Self {
            account,
            scopes,
            allowed_contracts: Vec::new(),
            allowed_groups: Vec::new(),
        }
    }

    /// Counts everywhere.
    pub fn global(account: Hash160) -> Self {
        Self::with_scopes(account, Scopes::GLOBAL)
    }

    /// Counts in the called contract and in these.
    pub fn in_contracts(account: Hash160, contracts: Vec<Hash160>) -> Self {
        let scopes = Scopes::CALLED_BY_ENTRY.with(Scopes::CUSTOM_CONTRACTS);
        Self {
            allowed_contracts: contracts,
            ..Self::with_scopes(account, scopes)
        }
    }

    /// As the JSON-RPC methods take it.
    pub(crate) fn to_json(&self) -> Value {
        let mut json = json!({"account": self.account, "scopes": self.scopes.to_string()});
        if self.scopes.contains(Scopes::CUSTOM_CONTRACTS) {
            json["allowedcontracts"] = json!(self.allowed_contracts);
        }
        if self.scopes.contains(Scopes::CUSTOM_GROUPS) {
            json["allowedgroups"] = json!(self.allowed_groups);
        }
        json
    }

    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.account.0);
        out.push(self.scopes.0);
        if self.scopes.contains(Scopes::CUSTOM_CONTRACTS) {
            put_count(out, self.allowed_contracts.len());
            self.allowed_contracts
                .iter()
                .for_each(|hash| out.extend_from_slice(&hash.0));
        }
        if self.scopes.contains(Scopes::CUSTOM_GROUPS) {
            put_count(out, self.allowed_groups.len());
            self.allowed_groups
                .iter()
                .for_each(|key| out.extend_from_slice(&key.0));
        }
    }

    pub(crate) fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let account = Hash160(input.array("signer's account")?);
        let at = input.at();
        let bits = input.u8("scopes")?;
        let scopes = Scopes::from_bits(bits).ok_or_else(|| {
            unexpected(
                at,
                "scopes",
                &format!("{bits:#04x}"),
                "a sum of 01, 10, 20, or 80 alone",
            )
        })?;
        let mut signer = Self::with_scopes(account, scopes);
        if scopes.contains(Scopes::CUSTOM_CONTRACTS) {
            for _ in 0..input.count(MAX_SUBITEMS, "number of allowed contracts")? {
                signer
                    .allowed_contracts
                    .push(Hash160(input.array("allowed contract")?));
            }
        }
        if scopes.contains(Scopes::CUSTOM_GROUPS) {
            for _ in 0..input.count(MAX_SUBITEMS, "number of allowed groups")? {
                let at = input.at();
                let key = input.take(33, "allowed group")?;
                let parsed = PublicKey::from_slice(key);
                signer.allowed_groups.push(parsed.map_err(|_| {
                    unexpected(
                        at,
                        "allowed group",
                        &hex::encode(key),
                        "a compressed P-256 point",
                    )
                })?);
            }
        }
        Ok(signer)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_named_as_the_node_names_them() {
        assert_eq!(Scopes::NONE.to_string(), "None");
        let both = Scopes::CALLED_BY_ENTRY.with(Scopes::CUSTOM_CONTRACTS);
        assert_eq!(both.to_string(), "CalledByEntry,CustomContracts");
        assert_eq!("CalledByEntry, CustomContracts".parse(), Ok(both));
        assert!("Global,CalledByEntry".parse::<Scopes>().is_err());
        assert!("Everywhere".parse::<Scopes>().is_err());
    }
}
