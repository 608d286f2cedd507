//! Any bytes as a sub-VM script.
#![no_main]

libfuzzer_sys::fuzz_target!(|script: &[u8]| phantasma_fuzz::fuzzing::vm_script(script));
