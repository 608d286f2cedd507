//! The contract's interpreter of scripts, alone: the script comes as an argument and not from storage.

#[neo_framework::contract(name = "BenchInterpreter", permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;
    use phantasma_vm::core::{Context, run_alone};

    #[method]
    pub fn run(script: Bytes) -> Any {
        let nobody = Hash160::zero();
        let context = Context {
            verb: int(0),
            this: int(1),
            entry: int(1),
            record: nobody.as_bytes(),
            caller: nobody,
        };
        run_alone(&script, &context)
    }
}
