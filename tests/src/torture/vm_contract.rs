//! A contract that does nothing but run sub-VM scripts: compiled by `neoc` for the node, by rustc for the native side.

/// The contract.
#[neo_framework::contract(name = "Interpreter")]
pub mod methods {
    use neo_framework::prelude::*;
    use phantasma_vm::core::{Context, first_word, ops, run};

    /// Everything that the script leaves, the top item first.
    #[method(safe)]
    pub fn stack_after(script: Bytes) -> Any {
        let context = Context {
            verb: int(ops::STATE_READ),
            this: int(1),
            entry: int(1),
            record: Hash160::zero().as_bytes(),
            caller: Hash160::zero(),
        };
        let base = eval::depth();
        let word = first_word(&script);
        let stop = run(&script, word, int(0), base, &context);
        assert!(stop == 0, "only the contract knows this instruction");
        let depth = eval::depth();
        eval::push(depth - base);
        eval::pack();
        eval::pop()
    }
}
