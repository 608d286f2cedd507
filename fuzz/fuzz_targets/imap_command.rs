//! Any bytes as a command of IMAP.
#![no_main]

libfuzzer_sys::fuzz_target!(|command: &[u8]| phantasma_fuzz::mail_fuzzing::imap_command(command));
