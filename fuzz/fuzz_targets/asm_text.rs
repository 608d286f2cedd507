//! Any text through the assembler.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| phantasma_fuzz::fuzzing::asm_text(text));
