//! Random scripts of NeoVM's instructions are NeoVM scripts. Each is run by the node as it is, by the sub-VM's
//! interpreter compiled for the node, and by the same interpreter natively; all must leave the same stack, or fault at
//! the same instruction.

use std::collections::BTreeMap;
use std::path::Path;

use neo_client::rpc::InvokeResult;
use neo_client::{ContractParam, Hash160, RpcClient, StackItem, VmState};
use neo_framework::chain::{Chain, Item};
use phantasma_vm::disassemble;
use tokio::task::JoinSet;

use super::items::as_node_shows;
use super::random::Random;
use super::scripts::{neo_script, stored};
use super::vm_contract::methods;
use super::{PARALLEL, Tally, deployed};
use crate::TestNet;

/// Deploys the contract above.
const DEPLOYER_GAS: u64 = 50;
/// The interpreter has another way of fetching for scripts that are at least so long.
const LONG: usize = 13;

/// Runs `count` scripts of a seed.
pub async fn run(seed: u64, count: usize) -> Tally {
    let net = TestNet::start().await;
    let deployer = net.funded_account(DEPLOYER_GAS).await;
    let contract = deployed(&net, &deployer, &interpreter()).await;
    let mut workers = JoinSet::new();
    for worker in 0..PARALLEL {
        let rpc = net.rpc();
        workers.spawn(async move {
            let mut tally = Tally::default();
            for index in (worker..count).step_by(PARALLEL) {
                one(&rpc, &contract, seed, index, &mut tally).await;
            }
            tally
        });
    }
    let mut tally = Tally::default();
    while let Some(part) = workers.join_next().await {
        tally.add(part.expect("a worker ends"));
    }
    tally
}

/// The contract that runs scripts, compiled for the node.
fn interpreter() -> neoc::Contract {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let vm = root.join("vm-compat/src");
    let source = include_str!("vm_contract.rs").to_owned();
    let mut files = BTreeMap::from([("contract.rs".to_owned(), source)]);
    for folder in ["", "core"] {
        for entry in std::fs::read_dir(vm.join(folder)).expect("the sub-VM's sources") {
            let path = entry.expect("an entry of a folder").path();
            if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&vm).expect("in this folder");
                let text = std::fs::read_to_string(&path).expect("a source file");
                files.insert(format!("vm/{}", name.display()), text);
            }
        }
    }
    let externs = [("phantasma_vm".to_owned(), "vm/lib.rs".to_owned())];
    neoc::compile(&files, "contract.rs", &externs).unwrap_or_else(|e| panic!("{e}"))
}

async fn one(rpc: &RpcClient, contract: &Hash160, seed: u64, index: usize, tally: &mut Tally) {
    let script = neo_script(&mut Random::of_case(seed, index));
    let raw = rpc.invoke_script(&script, &[]).await.expect("an answer");
    let expected = End::of_script(raw);
    let mut differences = Vec::new();
    for (way, script) in [("as it is", script.clone()), ("made long", longer(&script))] {
        let argument = [ContractParam::ByteArray(stored(&script))];
        let result = rpc
            .invoke_function(contract, "stackAfter", &argument, &[])
            .await;
        let on_node = End::of_interpreter(result.expect("an answer"));
        if !on_node.is_the_interpreters(&expected) {
            differences.push(format!("interpreter on the node, {way}: {on_node:?}"));
        }
        let native = natively(&script);
        if !native.is_like(&expected) {
            differences.push(format!("interpreter natively, {way}: {native:?}"));
        }
    }
    match expected {
        End::Stack(_) => tally.halts += 1,
        End::Fault(_) => tally.faults += 1,
    }
    if differences.is_empty() {
        tally.passed += 1;
        return;
    }
    let text = disassemble(&script).unwrap_or_else(|e| e.to_string());
    tally.failures.push(format!(
        "script {index} of seed {seed}: {}\n{text}  the node itself: {expected:?}\n  {}",
        hex::encode(&script),
        differences.join("\n  ")
    ));
}

/// How a script ends.
#[derive(Clone, Debug, PartialEq)]
enum End {
    /// With these items, the top one first.
    Stack(Vec<StackItem>),
    /// With a fault; what kind.
    Fault(String),
}

impl End {
    fn of_script(result: InvokeResult) -> End {
        let mut stack = result.stack;
        match result.state {
            VmState::Halt => {
                stack.reverse();
                End::Stack(stack)
            }
            VmState::Fault => End::Fault(kind_of(&result.exception.unwrap_or_default())),
        }
    }

    fn of_interpreter(mut result: InvokeResult) -> End {
        match (result.state, result.stack.pop()) {
            (VmState::Halt, Some(StackItem::Array(items))) => End::Stack(items),
            (VmState::Halt, other) => End::Fault(format!("no list of items: {other:?}")),
            (VmState::Fault, _) => End::Fault(kind_of(&result.exception.unwrap_or_default())),
        }
    }

    /// The interpreter makes a number of the reach of `PICK` and `ROLL`, so one of over 32 bytes faults there.
    fn is_the_interpreters(&self, node: &End) -> bool {
        let no_number = |end: &End| matches!(end, End::Fault(why) if why == NO_NUMBER);
        self == node || (no_number(self) && *node == End::Fault(OUT_OF_REACH.to_owned()))
    }

    /// Natively the messages are other ones, but a fault is a fault, and what the script itself throws is known.
    fn is_like(&self, node: &End) -> bool {
        match (self, node) {
            (End::Fault(native), End::Fault(node)) => (native == THROWN) == (node == THROWN),
            _ => self == node,
        }
    }
}

const THROWN: &str = "thrown";
const OUT_OF_REACH: &str = "PICK or ROLL out of reach";
const NO_NUMBER: &str = "ADD: too big: integer";

/// The instruction that faulted and why, without the place, which differs between a script and its interpreter.
fn kind_of(exception: &str) -> String {
    if exception.contains("script: thrown") || exception.contains("unhandled exception") {
        return THROWN.to_owned();
    }
    let Some((_, rest)) = exception.split_once('(') else {
        return exception.to_owned();
    };
    let (op, why) = rest.split_once("): ").unwrap_or((rest, ""));
    // The interpreter makes a number of the reach before it picks.
    if why.contains("conversion") {
        return why.to_owned();
    }
    if exception.contains("script: stack underflow") || matches!(op, "PICK" | "ROLL") {
        return OUT_OF_REACH.to_owned();
    }
    format!("{op}: {why}")
}

fn natively(script: &[u8]) -> End {
    let chain = Chain::new();
    let contract = neo_framework::Hash160::zero();
    chain.register(&contract, methods::CONTRACT);
    let outcome = chain.invoke(
        &[],
        &contract,
        "stackAfter",
        vec![Item::bytes(&stored(script))],
    );
    match &outcome.exception {
        Some(message) => End::Fault(kind_of(message)),
        None => match as_node_shows(&outcome.result()) {
            StackItem::Array(items) => End::Stack(items),
            other => End::Fault(format!("no list of items: {other:?}")),
        },
    }
}

/// The same script with something behind it that never runs.
fn longer(script: &[u8]) -> Vec<u8> {
    let filler = vec![0x11; LONG.saturating_sub(script.len())];
    [script, &[0x40], &filler].concat()
}
