//! What the sub-VM's interpreter costs on a real node.

use std::path::Path;

use phantasma_tests::TestNet;
use phantasma_tests::vmcost::{instruction_costs, measured_prices, median};
use phantasma_vm::bound::prices::table_source;

/// Price units above NeoVM's own, median over the instructions: scripts of up to 30 bytes, longer ones.
const MEDIANS: (i64, i64) = (75, 130);

#[tokio::test]
async fn an_instruction_costs_little_more_than_in_neovm() {
    let net = TestNet::start().await;
    let costs = instruction_costs(&net).await;
    eprintln!("{:12} {:>8} {:>8} {:>8}", "", "word", "byte", "NeoVM");
    for cost in &costs {
        let word = cost.word.map_or(String::new(), |units| units.to_string());
        eprintln!(
            "{:12} {word:>8} {:>8} {:>8}",
            cost.mnemonic, cost.byte, cost.native
        );
    }
    let word = median(
        costs
            .iter()
            .filter(|c| c.word.is_some())
            .map(|c| c.overhead())
            .collect(),
    );
    let byte = median(costs.iter().map(|c| c.overhead_in_bytes()).collect());
    eprintln!("median above NeoVM's price: {word} units in word mode, {byte} in byte mode");
    assert!(word <= MEDIANS.0 && byte <= MEDIANS.1, "{word} {byte}");
}

#[tokio::test]
async fn the_price_table_is_current() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vm-compat/src/bound/table.rs");
    let expected = table_source(&measured_prices().await);
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &expected).expect("table.rs is writable");
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    let lines = found.lines().zip(expected.lines());
    let changed: Vec<_> = lines.filter(|(old, new)| old != new).take(20).collect();
    assert_eq!(
        found, expected,
        "prices have changed, such as {changed:#?}; run UPDATE=1 cargo nextest run -p phantasma-tests the_price_table_is_current"
    );
}
