//! The contract's interpreter of scripts, alone: the gate as it is stored, the owner and then the script, comes as an
//! argument and not from storage.

#[neo_framework::contract(name = "BenchInterpreter", permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;
    use phantasma_vm::core::{Visit, run_alone};

    #[method]
    pub fn run(gate: Bytes) -> Any {
        let nobody = Hash160::zero();
        let visit = Visit::from_outside(&nobody, int(1), &gate, int(0), &bytes(b""), int(0));
        run_alone(&gate, &visit)
    }
}
