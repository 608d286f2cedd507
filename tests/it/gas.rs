//! What each call costs, beside the page that says so.

use std::path::Path;

use phantasma_tests::gas;

#[tokio::test(flavor = "multi_thread")]
async fn no_call_is_dearer_than_the_page_says_or_grows_with_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/gas.md");
    let told = std::fs::read_to_string(&path).unwrap_or_default();
    let costs = gas::measure().await;
    assert_eq!(gas::growing(&costs), Vec::<String>::new());
    let dearer = gas::dearer(&costs, &told);
    assert!(
        dearer.is_empty(),
        "docs/gas.md is not what calls cost now; if that is meant, run `{}`:\n  {}",
        gas::COMMAND,
        dearer.join("\n  ")
    );
    for line in gas::json(&costs).lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap();
        let keys: Vec<_> = line.as_object().unwrap().keys().cloned().collect();
        let expected = "bench case metric ours peer peer_name ratio unit";
        assert_eq!(keys.join(" "), expected, "{line}");
    }
    // The comparison can fail: of a page on which all is cheaper by 3 percent, every line is found.
    let cheaper = |mut costs: gas::Costs| {
        for line in &mut costs.lines {
            line.few.gas = line.few.gas * 97 / 100;
        }
        gas::page(&costs)
    };
    let found = gas::dearer(&costs, &cheaper(costs.clone()));
    assert_eq!(found.len(), costs.lines.len());
    assert_eq!(
        gas::dearer(&costs, &gas::page(&costs)),
        Vec::<String>::new()
    );
    let mut one_more = costs.clone();
    one_more.lines[0].many += 30;
    assert_eq!(gas::growing(&one_more).len(), 1);
}
