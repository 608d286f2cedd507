//! The emulated chain's boxes, for cost bounds.

use neo_client::{ContractParam, StackItem, VmState};
use phantasma_vm::bound::{BoxFacts, Boxes, Lookup};

use super::Emulator;
use crate::contract::BoxInfo;

impl Emulator {
    /// What a method without signers gives; none if it refuses.
    fn ask(&self, method: &str, params: &[ContractParam]) -> Option<StackItem> {
        let outcome = self.call(&[], method, params).ok()?;
        (outcome.state == VmState::Halt).then(|| outcome.result())
    }
}

impl Boxes for Emulator {
    fn facts(&self, id: u64) -> Lookup<BoxFacts> {
        let info = self.ask("boxInfo", &[id.into()]);
        match info.and_then(|item| BoxInfo::from_item(&item).ok()) {
            Some(info) => Lookup::Found((&info).into()),
            None => Lookup::Absent,
        }
    }

    fn content(&self, id: u64, index: u64) -> Lookup<Vec<u8>> {
        let script = self.ask("contentAt", &[id.into(), index.into()]);
        match script.and_then(|item| item.as_bytes().ok()) {
            Some(script) => Lookup::Found(script),
            None => Lookup::Absent,
        }
    }
}
