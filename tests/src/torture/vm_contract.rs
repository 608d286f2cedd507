//! A contract that does nothing but run sub-VM scripts: compiled by `neoc` for the node, by rustc for the native side.

/// The contract.
#[neo_framework::contract(name = "Interpreter")]
pub mod methods {
    use neo_framework::prelude::*;
    use phantasma_vm::core::{Context, ops, run};

    /// Everything that the script leaves, the top item first.
    #[method(safe)]
    pub fn stack_after(script: Bytes) -> Any {
        let context = Context {
            verb: int(ops::STATE_READ),
            this: int(1),
            entry: int(1),
            owner: Hash160::zero(),
            caller: Hash160::zero(),
        };
        run(&script, &context)
    }
}
