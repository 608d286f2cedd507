//! The fuzz targets' code, which is the tests' own. Taken by path: the whole of the tests would bring networks and
//! databases along, which a fuzzer would have to build with its own flags.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../../tests/src/fuzzing.rs"]
pub mod fuzzing;

/// What `fuzzing` needs of the generated tests.
pub mod torture {
    #[path = "../../../tests/src/torture/random.rs"]
    pub mod random;
    #[path = "../../../tests/src/torture/scripts.rs"]
    pub mod scripts;
    #[path = "../../../tests/src/torture/vm_contract.rs"]
    pub mod vm_contract;
}
