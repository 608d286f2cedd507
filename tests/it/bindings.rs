//! The SDK's typed calls beside the manifests that the compiler writes.

use std::collections::BTreeSet;

use neo_client::Manifest;
use phantasma_sdk::contract::{ContentMode, ContentOrder, Phantasma, Priority};
use phantasma_sdk::method::Method;
use phantasma_sdk::{contract, proofs, sale};
use phantasma_tests::{TestNet, all_artifacts};

/// Called by the chain, by tokens and by the two other contracts, not by people.
const NOT_FOR_PEOPLE: [&str; 5] = ["_deploy", "onNEP17Payment", "mint", "collect", "reward"];
/// What any token has: `neo_client` calls it.
const OF_TOKENS: [&str; 4] = ["name", "symbol", "decimals", "transfer"];

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

#[test]
fn every_method_of_phantasma_has_a_binding_as_its_manifest_says() {
    let manifest = all_artifacts().phantasma.parse_manifest().unwrap();
    assert_eq!(bound(&contract::methods::ALL), exported(&manifest));
    let source = [
        include_str!("../../sdk/src/contract.rs"),
        include_str!("../../sdk/src/contract/access.rs"),
        include_str!("../../sdk/src/contract/upkeep.rs"),
    ]
    .concat();
    for method in contract::methods::ALL {
        let called = source.contains(&format!("\"{}\"", method.name));
        assert!(called || OF_TOKENS.contains(&method.name), "{method:?}");
    }
}

#[tokio::test]
async fn a_content_is_quoted_renewed_and_replaced_and_soul_leaves_the_chain() {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let (phantasma, owner) = (Phantasma::new(net.rpc(), deployed.hash), deployed.owner);
    let (size, mode) = (5 << 18, ContentMode::Writable);
    let quote = phantasma.content_quote(size, mode, Priority::High, 2).await;
    let order = ContentOrder {
        root: [5; 32],
        size,
        mode,
        priority: Priority::High,
        periods: 2,
        max_payment: quote.unwrap(),
    };
    let settings = phantasma.settings().await.unwrap();
    assert_eq!(order.fee(&settings), Some(order.max_payment));
    phantasma.create_content(&owner, &order).await.unwrap();
    let before = phantasma.content_info(&[5; 32]).await.unwrap().unwrap();
    // Half of what two periods cost is a period's price.
    let most = order.max_payment / 2;
    let renewed = phantasma.renew_content(&owner, &[5; 32], 1, most).await;
    renewed.unwrap();
    let after = phantasma.content_info(&[5; 32]).await.unwrap().unwrap();
    assert_eq!(after.expiry_ms - before.expiry_ms, 30 * 86_400_000);
    let updated = phantasma.update_content(&owner, &[5; 32], &[6; 32], size, 0);
    updated.await.unwrap();
    assert_eq!(phantasma.content_info(&[5; 32]).await.unwrap(), None);
    let moved = phantasma.content_info(&[6; 32]).await.unwrap().unwrap();
    assert_eq!((moved.size, moved.expiry_ms), (size, after.expiry_ms));
    let pool = phantasma.pool_balance().await.unwrap();
    assert_eq!(pool, order.max_payment + most);

    let supply = phantasma.total_supply().await.unwrap();
    phantasma.swap_out(&owner, 700, b"elsewhere").await.unwrap();
    assert_eq!(phantasma.total_supply().await.unwrap(), supply - 700);
}
