//! Every construct that the compiler accepts, run: fixture contracts say in comments what their methods give, and a real
//! node and the native chain must both give it.
//!
//! `// expect: method(args) = value` and `// fault: method(args) = "message"`; values are `5`, `true`, `null`, `"text"`,
//! `0x0102`, `[a, b]` and `struct[a, b]`.

use std::collections::BTreeMap;

use neo_client::{ContractParam, StackItem, VmState};
use neo_framework::ContractInfo;
use neo_framework::chain::{Chain, Item};
use num_bigint::BigInt;
use phantasma_tests::TestNet;

macro_rules! fixtures {
    ($($name:ident $path:literal;)+) => {
        $(
            #[allow(clippy::all, unused, unreachable_pub, while_true)]
            #[path = $path]
            mod $name;
        )+

        fn fixtures() -> Vec<(&'static str, &'static str, ContractInfo)> {
            vec![$((stringify!($name), include_str!($path), $name::methods::CONTRACT),)+]
        }
    };
}

fixtures! {
    bytes "fixtures/compiler/bytes.rs";
    chain "fixtures/compiler/chain.rs";
    collections "fixtures/compiler/collections.rs";
    control "fixtures/compiler/control.rs";
    data "fixtures/compiler/data.rs";
    integers "fixtures/compiler/integers.rs";
    loops "fixtures/compiler/loops.rs";
    matching "fixtures/compiler/matching.rs";
    nasty "fixtures/compiler/nasty.rs";
    nasty_scopes "fixtures/compiler/nasty_scopes.rs";
    stack "fixtures/compiler/stack.rs";
}

/// A value as the comments write it.
#[derive(Clone, Debug, PartialEq)]
enum Value {
    Null,
    Bool(bool),
    Int(BigInt),
    Bytes(Vec<u8>),
    Array(Vec<Value>),
    Struct(Vec<Value>),
    Other(String),
}

/// A line of a fixture that says what a call gives.
struct Case {
    line: String,
    method: String,
    args: Vec<Value>,
    expected: Expected,
}

enum Expected {
    Value(Value),
    Fault(Option<String>),
}

fn cases(source: &str) -> Vec<Case> {
    let found: Vec<Case> = source.lines().filter_map(case).collect();
    assert!(!found.is_empty());
    found
}

fn case(line: &str) -> Option<Case> {
    let line = line.trim();
    let (call, fault) = match line.strip_prefix("// expect: ") {
        Some(rest) => (rest, false),
        None => (line.strip_prefix("// fault: ")?, true),
    };
    let (name, rest) = call.split_once('(').expect(line);
    let (args, given) = match rest.rsplit_once(") = ") {
        Some((args, given)) => (args, Some(given)),
        None => (rest.strip_suffix(')').expect(line), None),
    };
    let Value::Array(args) = value(&format!("[{args}]")) else {
        panic!("{line}")
    };
    let expected = if fault {
        Expected::Fault(given.map(|text| text.trim_matches('"').to_owned()))
    } else {
        Expected::Value(value(given.expect(line)))
    };
    Some(Case {
        line: line.to_owned(),
        method: exported(name),
        args,
        expected,
    })
}

/// The exported name of a function without a name of its own.
fn exported(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        all + &word[..1].to_uppercase() + &word[1..]
    })
}

fn value(text: &str) -> Value {
    let mut rest = text;
    let value = parse(&mut rest);
    assert!(rest.trim().is_empty(), "{text}");
    value
}

fn parse(rest: &mut &str) -> Value {
    *rest = rest.trim_start();
    if let Some(text) = rest.strip_prefix('"') {
        let (inner, after) = text.split_once('"').expect("a closing quote");
        *rest = after;
        return Value::Bytes(inner.as_bytes().to_vec());
    }
    if let Some(after) = rest.strip_prefix("struct[") {
        *rest = after;
        return Value::Struct(list(rest));
    }
    if let Some(after) = rest.strip_prefix('[') {
        *rest = after;
        return Value::Array(list(rest));
    }
    let end = rest.find([',', ']', ' ']).unwrap_or(rest.len());
    let (word, after) = rest.split_at(end);
    *rest = after;
    match word {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => match word.strip_prefix("0x") {
            Some(digits) => Value::Bytes(hex::decode(digits).expect(word)),
            None => Value::Int(word.parse().expect(word)),
        },
    }
}

fn list(rest: &mut &str) -> Vec<Value> {
    let mut out = Vec::new();
    loop {
        *rest = rest.trim_start_matches([' ', ',']);
        if let Some(after) = rest.strip_prefix(']') {
            *rest = after;
            return out;
        }
        out.push(parse(rest));
    }
}

fn param(value: &Value) -> ContractParam {
    match value {
        Value::Null => ContractParam::Any,
        Value::Bool(b) => ContractParam::Boolean(*b),
        Value::Int(n) => ContractParam::Integer(n.clone()),
        Value::Bytes(b) => ContractParam::ByteArray(b.clone()),
        Value::Array(list) | Value::Struct(list) => {
            ContractParam::Array(list.iter().map(param).collect())
        }
        Value::Other(text) => panic!("{text} is not an argument"),
    }
}

fn from_node(item: &StackItem) -> Value {
    match item {
        StackItem::Null => Value::Null,
        StackItem::Boolean(b) => Value::Bool(*b),
        StackItem::Integer(n) => Value::Int(n.clone()),
        StackItem::ByteString(b) => Value::Bytes(b.clone()),
        StackItem::Array(list) => Value::Array(list.iter().map(from_node).collect()),
        StackItem::Struct(list) => Value::Struct(list.iter().map(from_node).collect()),
        other => Value::Other(format!("{other:?}")),
    }
}

fn native(value: &Value) -> Item {
    match value {
        Value::Null => Item::Null,
        Value::Bool(b) => Item::Boolean(*b),
        Value::Int(n) => {
            let bytes = n.to_signed_bytes_le();
            Item::Integer(neo_framework::Int::from_le_bytes(&bytes).expect("a NeoVM integer"))
        }
        Value::Bytes(b) => Item::bytes(b),
        Value::Array(list) | Value::Struct(list) => Item::array(list.iter().map(native).collect()),
        Value::Other(text) => panic!("{text} is not an argument"),
    }
}

fn from_native(item: &Item) -> Value {
    match item {
        Item::Null => Value::Null,
        Item::Boolean(b) => Value::Bool(*b),
        Item::Integer(n) => Value::Int(BigInt::from_signed_bytes_le(&n.to_minimal_bytes())),
        Item::ByteString(b) => Value::Bytes(b.as_slice().to_vec()),
        Item::Array(list) => Value::Array(list.borrow().iter().map(from_native).collect()),
        Item::Struct(list) => Value::Struct(list.borrow().iter().map(from_native).collect()),
        other => Value::Other(format!("{other:?}")),
    }
}

/// What a call gave: a value, or the fault's message.
type Given = Result<Value, String>;

fn compare(fixture: &str, case: &Case, given: &Given, failures: &mut Vec<String>) {
    let good = match (&case.expected, given) {
        (Expected::Value(expected), Ok(given)) => expected == given,
        (Expected::Fault(None), Err(_)) => true,
        (Expected::Fault(Some(part)), Err(message)) => message.contains(part.as_str()),
        _ => false,
    };
    if !good {
        failures.push(format!("{fixture}: {} gave {given:?}", case.line));
    }
}

#[tokio::test]
async fn every_construct_gives_on_the_node_what_the_fixture_says() {
    let net = TestNet::start().await;
    let deployer = net.funded_account(200).await;
    let mut failures = Vec::new();
    for (name, source, info) in fixtures() {
        let files = BTreeMap::from([("lib.rs".to_owned(), source.to_owned())]);
        let contract =
            neoc::compile(&files, "lib.rs", &[]).unwrap_or_else(|e| panic!("{name}\n{e}"));
        assert_eq!(contract.name, info.name);
        let (hash, _) = net
            .deploy_contract(
                &deployer,
                &contract.nef,
                &contract.manifest,
                ContractParam::Any,
            )
            .await;
        for case in cases(source) {
            let args: Vec<_> = case.args.iter().map(param).collect();
            let result = net
                .rpc()
                .invoke_function(&hash, &case.method, &args, &[])
                .await
                .unwrap();
            let given = match result.state {
                VmState::Halt => Ok(result.stack.first().map_or(Value::Null, from_node)),
                _ => Err(result.exception.unwrap_or_default()),
            };
            compare(name, &case, &given, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What all calls of a fixture's comments give on the node.
async fn all_given(
    net: &TestNet,
    deployer: &neo_client::Account,
    source: &str,
    contract: &neoc::Contract,
) -> Vec<Given> {
    let (nef, manifest) = (&contract.nef, &contract.manifest);
    let (hash, _) = net
        .deploy_contract(deployer, nef, manifest, ContractParam::Any)
        .await;
    let mut out = Vec::new();
    for case in cases(source) {
        let args: Vec<_> = case.args.iter().map(param).collect();
        let result = net
            .rpc()
            .invoke_function(&hash, &case.method, &args, &[])
            .await
            .unwrap();
        out.push(match result.state {
            VmState::Halt => Ok(result.stack.first().map_or(Value::Null, from_node)),
            // Positions differ, and a comparison may be part of a jump; the words may not.
            _ => Err(words(&result.exception.unwrap_or_default())),
        });
    }
    out
}

/// The contract's own words of a fault; nothing of NeoVM's.
fn words(exception: &str) -> String {
    let reason = exception.split_once("Reason: ");
    reason.map_or_else(String::new, |(_, words)| words.to_owned())
}

#[tokio::test]
async fn no_pass_changes_what_a_construct_gives() {
    let net = TestNet::start().await;
    let deployer = net.funded_account(3000).await;
    let mut choices = vec![("none".to_owned(), neoc::Passes::none())];
    for pass in neoc::Pass::ALL {
        let passes = neoc::Passes::all().without(*pass);
        choices.push((format!("all but {}", pass.name()), passes));
    }
    for (name, source, _) in fixtures() {
        let files = BTreeMap::from([("lib.rs".to_owned(), source.to_owned())]);
        let compile = |passes| {
            let options = neoc::Options { passes };
            neoc::compile_with(&files, "lib.rs", &[], &options).unwrap_or_else(|e| panic!("{e}"))
        };
        let best = compile(neoc::Passes::all());
        let expected = all_given(&net, &deployer, source, &best).await;
        let mut known = vec![best.script.clone()];
        for (choice, passes) in &choices {
            let contract = compile(*passes);
            if known.contains(&contract.script) {
                continue;
            }
            let given = all_given(&net, &deployer, source, &contract).await;
            for ((case, a), b) in cases(source).iter().zip(&expected).zip(&given) {
                assert_eq!(a, b, "{name}, {choice}: {}", case.line);
            }
            known.push(contract.script);
        }
        assert!(known.len() > 2, "{name}: the passes change nothing");
    }
}

#[test]
fn every_construct_gives_natively_what_the_fixture_says() {
    let mut failures = Vec::new();
    for (name, source, info) in fixtures() {
        for case in cases(source) {
            // Each call sees the state after deployment, as a call to the node's RPC does.
            let chain = Chain::new();
            let deployer = chain.account("deployer");
            let hash = chain.deploy(&[deployer.signer()], info, Item::Null).hash;
            let args = case.args.iter().map(native).collect();
            let outcome = chain.invoke(&[], &hash, &case.method, args);
            let given = match &outcome.exception {
                None => Ok(outcome.stack.first().map_or(Value::Null, from_native)),
                Some(message) => Err(message.clone()),
            };
            compare(name, &case, &given, &mut failures);
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
