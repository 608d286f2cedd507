//! `core/ops.rs` says what the table says.
#![allow(clippy::expect_used)]

use std::path::Path;

#[test]
fn the_generated_opcode_constants_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/ops.rs");
    let expected = phantasma_vm::codegen::ops_source();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).expect("ops.rs is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        found, expected,
        "run UPDATE=1 cargo test -p phantasma-vm --test generated"
    );
}
