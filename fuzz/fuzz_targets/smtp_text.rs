//! Any bytes as a command of SMTP, and as a mail behind DATA.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &[u8]| phantasma_fuzz::mail_fuzzing::smtp_text(text));
