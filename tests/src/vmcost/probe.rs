//! A contract that says what a script costs in the interpreter, without what happens around it.

#[neo_framework::contract(name = "VmCost")]
pub mod methods {
    use neo_framework::prelude::*;
    use neo_framework::{eval, runtime};
    use phantasma_vm::core::{Context, first_word, ops, run, take_result};

    /// Datoshi that the interpreter takes from a script's start to its end or to the contract's first instruction.
    #[method(safe)]
    pub fn cost(script: Bytes) -> Int {
        let context = Context {
            verb: int(ops::STATE_READ),
            this: int(7),
            entry: int(7),
            record: Hash160::zero().as_bytes(),
            caller: Hash160::zero(),
        };
        let base = eval::depth();
        let word = first_word(&script);
        let before = runtime::gas_left();
        let stop = run(&script, word, int(0), base, &context);
        let after = runtime::gas_left();
        if stop != 0 {
            eval::drop();
            eval::drop();
        }
        take_result(base);
        before - after
    }
}
