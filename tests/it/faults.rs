//! Faults on a real node are shown with their place in the Rust source.

use std::collections::BTreeMap;

use neo_client::{ContractParam, VmState};
use neoc::fault::{DebugInfo, Place, describe};
use phantasma_tests::TestNet;

const SOURCE: &str = r#"#[neo_framework::contract(name = "Faults")]
pub mod methods {
    use neo_framework::prelude::*;

    #[method(safe)]
    pub fn divide(n: Int) -> Int {
        let by = n - 5;
        quotient(100, by)
    }

    #[method(safe)]
    pub fn twice(n: Int) -> Int {
        let first = small(n);
        first + small(n + 1)
    }

    #[method(safe)]
    pub fn nothing(list: Array<Any>) -> Any {
        let at = list.len();
        list.get(at + 1)
    }

    fn quotient(a: i64, by: Int) -> Int {
        let whole = int(7) / by;
        whole + a
    }

    fn small(n: Int) -> Int {
        assert!(n < 10, "not small");
        n * 2
    }
}"#;

/// The line, counted from 1, that has this text.
fn line(source: &str, text: &str) -> usize {
    source.lines().position(|l| l.contains(text)).unwrap() + 1
}

#[tokio::test]
async fn faults_lead_to_their_lines_and_the_calls_around_them() {
    let net = TestNet::start().await;
    let deployer = net.funded_account(100).await;
    let source = SOURCE
        .replace("a: i64", "a: Int")
        .replace("(100, by)", "(int(100), by)");
    let files = BTreeMap::from([("src/lib.rs".to_owned(), source.clone())]);
    let contract = neoc::compile(&files, "src/lib.rs", &[]).unwrap_or_else(|e| panic!("{e}"));
    let debug = DebugInfo::parse(&contract.debug).unwrap();
    let (hash, _) = net
        .deploy_contract(
            &deployer,
            &contract.nef,
            &contract.manifest,
            ContractParam::Any,
        )
        .await;
    let int = |n: i64| ContractParam::Integer(n.into());
    for (method, arg, text, function, called) in [
        (
            "divide",
            int(5),
            "int(7) / by",
            "methods::quotient",
            "quotient(int",
        ),
        ("twice", int(10), "n < 10", "methods::small", "small(n)"),
        // The first call is fine, the second is not.
        ("twice", int(9), "n < 10", "methods::small", "small(n + 1)"),
        (
            "nothing",
            ContractParam::Array(Vec::new()),
            "list.get(at + 1)",
            "nothing",
            "",
        ),
    ] {
        let result = net
            .rpc()
            .invoke_function(&hash, method, &[arg], &[])
            .await
            .unwrap();
        assert_eq!(result.state, VmState::Fault, "{method}");
        let exception = result.exception.unwrap_or_default();
        let ways = debug.fault(&exception, &contract.script);
        let told = format!("{exception}\n{}", describe(&ways));
        let place = |text, function: &str| Place {
            file: "src/lib.rs".to_owned(),
            line: line(&source, text),
            function: function.to_owned(),
        };
        let outer = (!called.is_empty()).then(|| place(called, method));
        let wanted: Vec<Place> = std::iter::once(place(text, function))
            .chain(outer)
            .collect();
        // The assertion is written once for both calls; its line is the same.
        assert!(
            ways.iter().all(|way| way.first() == wanted.first()),
            "{told}"
        );
        assert!(ways.contains(&wanted), "{told}");
        assert_eq!(ways.len(), if method == "twice" { 2 } else { 1 }, "{told}");
    }
}

#[tokio::test]
async fn a_refusal_of_our_contract_is_shown_with_file_and_line() {
    let net = TestNet::start().await;
    let phantasma = net.deploy_phantasma().await;
    let account = ContractParam::Hash160(phantasma.owner.script_hash);
    let amount = ContractParam::Integer((-1).into());
    let args = [account.clone(), account, amount, ContractParam::Any];
    let result = net
        .rpc()
        .invoke_function(&phantasma.hash, "transfer", &args, &[])
        .await
        .unwrap();
    let exception = result.exception.unwrap_or_default();
    let told = phantasma.explain(&exception);
    let file = "contract/src/token.rs";
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../");
    let source = std::fs::read_to_string(format!("{root}{file}")).unwrap();
    let line = line(&source, "transfer: negative amount");
    // A long assertion has its message on a line of its own.
    let wanted = [line, line - 1, line - 2].map(|n| format!("at {file}:{n} ("));
    assert!(wanted.iter().any(|w| told.contains(w)), "{told}");
}
