//! The fuzz targets' code, which is the tests' own. Taken by path: the whole of the tests would bring networks and
//! databases along, which a fuzzer would have to build with its own flags.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/src/fuzzing.rs"]
pub mod fuzzing;

/// What `fuzzing` needs of the generated tests.
#[path = "../../tests/src/torture"]
pub mod torture {
    pub mod random;
    pub mod scripts;
    pub mod vm_contract;
}

#[path = "../../tests/src/mail_fuzzing.rs"]
pub mod mail_fuzzing;

/// The grammars of mail, without the servers around them.
#[path = "../../mail/src/syntax/mod.rs"]
pub mod syntax;
