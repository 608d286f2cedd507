//! Generated tests that can run for as long as one likes: `torture compiler`, `torture vm`, `torture bounds`,
//! `torture economy`, `torture relay`, `torture pdfs`.
//!
//! The oracle of the first three is a real neo-go node, that of the others a model and its invariants. A run is repeated
//! by its seed.

pub mod bounds;
pub mod compiler;
pub mod economy;
pub mod items;
pub mod pdfs;
mod phrases;
pub mod random;
pub mod relay;
pub mod scripts;
pub mod vm;
pub mod vm_contract;

use crate::TestNet;

/// How many calls a node gets at once: enough to keep both it and us busy.
pub(crate) const PARALLEL: usize = 12;

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    /// Cases in which all sides agreed.
    pub passed: usize,
    /// Of the compared executions, those that returned.
    pub halts: usize,
    /// And those that faulted, on all sides.
    pub faults: usize,
    /// Each case in which they did not, with everything needed to repeat it.
    pub failures: Vec<String>,
}

impl Tally {
    /// Takes over what a part of the run found.
    pub fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.halts += other.halts;
        self.faults += other.faults;
        self.failures.extend(other.failures);
    }
}

/// A net, and a contract of the given sources on it.
pub(crate) async fn deployed(
    net: &TestNet,
    deployer: &neo_client::Account,
    contract: &neoc::Contract,
) -> neo_client::Hash160 {
    let nothing = neo_client::ContractParam::Any;
    let (hash, _) = net
        .deploy_contract(deployer, &contract.nef, &contract.manifest, nothing)
        .await;
    hash
}
