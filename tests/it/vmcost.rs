//! What the sub-VM's interpreter costs on a real node.

use phantasma_tests::TestNet;
use phantasma_tests::vmcost::{instruction_costs, median};

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
