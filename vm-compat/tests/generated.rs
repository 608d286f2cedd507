//! `core/ops.rs` and `docs/sub-vm.md` say what the table says.

// A test may write what the crate itself may not.
#![allow(clippy::disallowed_methods)]
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

#[test]
fn the_tables_in_the_documentation_are_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/sub-vm.md");
    let page = std::fs::read_to_string(&path).expect("docs/sub-vm.md is readable");
    let (before, rest) = page
        .split_once("generated -->\n")
        .expect("a place for the tables");
    let (found, after) = rest
        .split_once("<!-- end -->")
        .expect("an end of the tables");
    let expected = format!("\n{}\n", phantasma_vm::codegen::tables_markdown());
    if std::env::var_os("UPDATE").is_some() {
        let page = format!("{before}generated -->\n{expected}<!-- end -->{after}");
        std::fs::write(&path, page).expect("docs/sub-vm.md is writable");
    } else {
        assert_eq!(
            found, expected,
            "run UPDATE=1 cargo test -p phantasma-vm --test generated"
        );
    }
}
