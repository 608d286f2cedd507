//! Any text, and any soup of tokens, through the compiler.
#![no_main]

use phantasma_fuzz::fuzzing::{compiler_source, source_of};

libfuzzer_sys::fuzz_target!(|input: &[u8]| match input.split_first() {
    // The first byte chooses: text as it is, or each byte a token.
    Some((0, text)) => compiler_source(&String::from_utf8_lossy(text)),
    Some((_, choices)) => compiler_source(&source_of(choices)),
    None => {}
});
