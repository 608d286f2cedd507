//! A contract that does nothing but run sub-VM scripts: compiled by `neoc` for the node, by rustc for the native side.

/// The contract.
#[neo_framework::contract(name = "Interpreter")]
pub mod methods {
    use neo_framework::prelude::*;
    use phantasma_vm::core::item::AUTHOR;
    use phantasma_vm::core::{Visit, first_word, ops, run};

    /// Everything that a gate as the contract keeps it (the owner, then the script) leaves, the top item first.
    #[method(safe)]
    pub fn stack_after(gate: Bytes) -> Any {
        let (read, nobody) = (int(ops::STATE_READ), Hash160::zero());
        let visit = Visit::from_outside(&nobody, int(1), &gate, read, &bytes(b""), int(0));
        let base = eval::depth();
        let word = first_word(&gate);
        let stop = run(&gate, word, int(AUTHOR), base, &visit);
        assert!(stop == 0, "only the contract knows this instruction");
        let depth = eval::depth();
        eval::push(depth - base);
        eval::pack();
        eval::pop()
    }
}
