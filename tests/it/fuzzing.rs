//! The fuzz targets of `fuzz/` on a few thousand inputs each, from a fixed seed.

use std::sync::mpsc;
use std::time::Duration;

use phantasma_tests::torture::random::Random;
use phantasma_tests::{fuzzing, mail_fuzzing};

const SEED: u64 = 20_261_124;
/// For one input; the slowest takes milliseconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// Gives each input to the target on a thread of its own, so that a hang is a failure too.
fn each(inputs: usize, target: impl Fn(&mut Random) -> String + Send + 'static) {
    let (done, waiting) = mpsc::channel();
    let worker = std::thread::spawn(move || {
        for index in 0..inputs {
            let shown = target(&mut Random::of_case(SEED, index));
            if done.send(shown).is_err() {
                return;
            }
        }
    });
    let mut last = String::new();
    for _ in 0..inputs {
        match waiting.recv_timeout(PATIENCE) {
            Ok(shown) => last = shown,
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => panic!("hangs on the input after {last:?}"),
        }
    }
    if let Err(payload) = worker.join() {
        std::panic::resume_unwind(payload);
    }
}

#[test]
fn scripts_are_judged_alike_and_end() {
    each(4000, |random| {
        let script = if random.one_in(3) {
            let length = random.below(60);
            random.bytes(length)
        } else {
            fuzzing::near_script(random)
        };
        fuzzing::vm_script(&script);
        hex::encode(script)
    });
}

#[test]
fn the_assembler_takes_any_text() {
    each(4000, |random| {
        let text = if random.one_in(4) {
            let length = random.below(80);
            String::from_utf8_lossy(&random.bytes(length)).into_owned()
        } else {
            fuzzing::near_text(random)
        };
        fuzzing::asm_text(&text);
        text
    });
}

#[test]
fn the_compiler_takes_any_text() {
    each(3000, |random| {
        let length = random.below(40);
        let bytes = random.bytes(length);
        let source = match random.below(4) {
            0 => String::from_utf8_lossy(&bytes).into_owned(),
            _ => fuzzing::source_of(&bytes),
        };
        fuzzing::compiler_source(&source);
        source
    });
}

/// Good programs with a token taken out, doubled or exchanged: close to what people mistype.
#[test]
fn the_compiler_takes_damaged_programs() {
    each(1500, |random| {
        let seed = random.next_u64();
        let source = phantasma_tests::torture::compiler::source(seed, 1);
        let mut words: Vec<&str> = source.split_inclusive([' ', '(', '.', ';', '\n']).collect();
        for _ in 0..1 + random.below(3) {
            let (at, other) = (random.below(words.len()), random.below(words.len()));
            match random.below(3) {
                0 => drop(words.remove(at)),
                1 => words.insert(at, words[other]),
                _ => words.swap(at, other),
            }
        }
        let source = words.concat();
        fuzzing::compiler_source(&source);
        source
    });
}

/// Bytes, and words in any order: what strangers send to a mail daemon.
fn soup(random: &mut Random) -> Vec<u8> {
    let length = random.below(60);
    let bytes = random.bytes(length);
    match random.one_in(4) {
        true => bytes,
        false => mail_fuzzing::soup(&bytes).into_bytes(),
    }
}

#[test]
fn mails_of_any_bytes_come_apart() {
    each(20_000, |random| {
        let mail = soup(random);
        mail_fuzzing::message(&mail);
        hex::encode(mail)
    });
}

#[test]
fn commands_of_mail_programs_may_be_anything() {
    each(20_000, |random| {
        let text = soup(random);
        mail_fuzzing::imap_command(&text);
        mail_fuzzing::smtp_text(&text);
        hex::encode(text)
    });
}
