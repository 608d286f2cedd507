//! The SDK's typed calls beside the manifests that the compiler writes.

use std::collections::BTreeSet;

use neo_client::Manifest;
use phantasma_sdk::method::Method;
use phantasma_sdk::{proofs, sale};
use phantasma_tests::all_artifacts;

/// Called by the chain and by tokens, not by people.
const NOT_FOR_PEOPLE: [&str; 2] = ["_deploy", "onNEP17Payment"];

/// Name, parameter kinds, return kind, safe.
type Row = (String, Vec<String>, String, bool);

fn exported(manifest: &Manifest) -> BTreeSet<Row> {
    let methods = manifest.abi.methods.iter();
    methods
        .filter(|method| !NOT_FOR_PEOPLE.contains(&method.name.as_str()))
        .map(|method| {
            let kinds = method.parameters.iter().map(|p| p.kind.clone()).collect();
            let result = method.return_type.clone();
            (method.name.clone(), kinds, result, method.safe)
        })
        .collect()
}

fn bound(methods: &[Method]) -> BTreeSet<Row> {
    let rows: BTreeSet<Row> = methods
        .iter()
        .map(|method| {
            let kinds = method.parameters.iter().map(|kind| (*kind).to_owned());
            let (name, result) = (method.name.to_owned(), method.result.to_owned());
            (name, kinds.collect(), result, method.safe)
        })
        .collect();
    assert_eq!(rows.len(), methods.len(), "a row stands twice");
    rows
}

/// Each row is what a function calls: its constant is named outside the table. `source` is the text of the module.
fn assert_called(methods: &[Method], source: &str) {
    for method in methods {
        let mut constant = String::from("methods::");
        for letter in method.name.chars() {
            if letter.is_uppercase() {
                constant.push('_');
            }
            constant.push(letter.to_ascii_uppercase());
        }
        let calls = source.match_indices(&constant).filter(|(at, _)| {
            let next = source[at + constant.len()..].chars().next();
            next.is_none_or(|c| !c.is_alphanumeric() && c != '_')
        });
        assert_eq!(calls.count(), 1, "{constant}");
    }
}

#[test]
fn every_method_of_the_sale_has_a_binding_as_its_manifest_says() {
    let manifest = all_artifacts().sale.parse_manifest().unwrap();
    assert_eq!(bound(&sale::methods::ALL), exported(&manifest));
    assert_called(&sale::methods::ALL, include_str!("../../sdk/src/sale.rs"));
}

#[test]
fn every_method_of_the_proofs_has_a_binding_as_its_manifest_says() {
    let manifest = all_artifacts().proofs.parse_manifest().unwrap();
    assert_eq!(bound(&proofs::methods::ALL), exported(&manifest));
    assert_called(
        &proofs::methods::ALL,
        include_str!("../../sdk/src/proofs.rs"),
    );
}
