//! Any bytes as a mail.
#![no_main]

libfuzzer_sys::fuzz_target!(|mail: &[u8]| phantasma_fuzz::mail_fuzzing::message(mail));
