//! A contract that says what a script costs in the interpreter, without what happens around it.

#[neo_framework::contract(name = "VmCost")]
pub mod methods {
    use neo_framework::prelude::*;
    use neo_framework::{eval, runtime};
    use phantasma_vm::core::item::{AUTHOR, is_author};
    use phantasma_vm::core::{Visit, first_word, ops, run, take_result};

    /// Datoshi that the interpreter takes, for a gate as the contract keeps it (the owner, then the script), from the
    /// script's start to its end or to the contract's first instruction. The owner asks.
    #[method(safe)]
    pub fn cost(gate: Bytes) -> Int {
        let (read, nobody) = (int(ops::STATE_READ), Hash160::zero());
        let visit = Visit::from_outside(&nobody, int(7), &gate, read, &bytes(b""), int(0));
        let base = eval::depth();
        let word = first_word(&gate);
        let before = runtime::gas_left();
        let stop = run(&gate, word, int(AUTHOR), base, &visit);
        let after = runtime::gas_left();
        if stop != 0 {
            eval::drop();
            eval::drop();
        }
        take_result(base);
        before - after
    }

    /// As in the contract, where others ask for an author too: so this is a call, and not written out in the interpreter.
    #[method(safe)]
    pub fn is_by(gate: Bytes, account: Hash160) -> bool {
        is_author(&gate, &account)
    }
}
