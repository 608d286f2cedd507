//! Rule 3: the devpack is for all of Neo.

use std::fs;

use crate::{files, none, root};

/// Crates that must make sense to somebody who has never heard of this project.
const DEVPACK: &[&str] = &[
    "devpack/opcode",
    "devpack/framework",
    "devpack/framework-macros",
    "devpack/compiler",
    "devpack/client",
];

/// Words of ours, in lower case.
const OUR_WORDS: &[&str] = &["phantasma", "soul", "pdfs"];

#[test]
fn the_devpack_knows_no_word_of_ours() {
    let mut findings = Vec::new();
    for path in DEVPACK
        .iter()
        .flat_map(|folder| files(&root().join(folder), "rs"))
    {
        let text = fs::read_to_string(&path).expect("a source file");
        for (line, code) in text.lines().enumerate() {
            let code = code.to_lowercase();
            let mut words = code.split(|c: char| !c.is_alphanumeric());
            if words.any(|word| OUR_WORDS.contains(&word)) {
                findings.push(format!(
                    "{}:{}",
                    path.strip_prefix(root()).unwrap_or(&path).display(),
                    line + 1
                ));
            }
        }
    }
    none("words of this project in the devpack", findings);
}
