//! What `#[contract]` says about a contract: the native side of its manifest.

use crate::item::Item;

/// A contract as the chain registers it.
#[derive(Clone, Copy, Debug)]
pub struct ContractInfo {
    /// Name in the manifest.
    pub name: &'static str,
    /// Supported standards, e.g. `NEP-17`.
    pub standards: &'static [&'static str],
    /// Source URL in the NEF.
    pub source: &'static str,
    /// Whether the manifest allows calls of all methods of all contracts
    /// (`"*"`); without that only safe methods can be called.
    pub may_call_all: bool,
    /// The exported methods.
    pub methods: &'static [MethodInfo],
    /// Finds a method by exported name and argument count, coerces the
    /// arguments, runs it.
    pub dispatch: fn(&str, Vec<Item>) -> Item,
}

/// An exported method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodInfo {
    /// Exported name.
    pub name: &'static str,
    /// Exported names and manifest types of the parameters.
    pub parameters: &'static [(&'static str, &'static str)],
    /// Manifest type of the result.
    pub return_type: &'static str,
    /// Safe methods can neither write nor notify.
    pub safe: bool,
}

impl ContractInfo {
    /// The method of that name and argument count.
    #[must_use]
    pub fn method(&self, name: &str, arguments: usize) -> Option<&'static MethodInfo> {
        self.methods
            .iter()
            .find(|method| method.name == name && method.parameters.len() == arguments)
    }
}
