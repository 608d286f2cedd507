//! A sub-VM script of NeoVM's instructions is a NeoVM script: the node runs it as it is, the interpreter runs it
//! natively, and both must leave the same.

use neo_client::{Hash160, StackItem, VmState};
use neo_framework::chain::Chain;
use neo_framework::{Bytes, int};
use phantasma_tests::TestNet;
use phantasma_vm::core::{Visit, ops, run_alone};
use phantasma_vm::disassemble;

use super::calls::Generator;
use super::items::as_node_shows;
use super::seed;

/// Scripts to run on both sides.
const SCRIPTS: usize = 1000;

#[tokio::test]
async fn scripts_of_neovm_instructions_do_what_neovm_does() {
    let net = TestNet::start().await;
    let rpc = net.rpc();
    let mut generator = Generator::new(seed(), Hash160([0; 20]));
    let (mut halts, mut faults) = (0, 0);
    for _ in 0..SCRIPTS {
        let script = generator.neo_script();
        let node = rpc.invoke_script(&script, &[]).await.unwrap();
        let expected = match node.state {
            VmState::Halt => Some(top(node.stack)),
            VmState::Fault => None,
        };
        let text = disassemble(&script).unwrap();
        assert_eq!(
            interpreted(&script),
            expected,
            "{:?}\n{text}",
            node.exception
        );
        match expected {
            Some(_) => halts += 1,
            None => faults += 1,
        }
    }
    eprintln!("{halts} scripts returned, {faults} faulted");
    assert!(halts > SCRIPTS / 4 && faults > SCRIPTS / 20);
}

/// The node lists a stack from the bottom up.
fn top(mut stack: Vec<StackItem>) -> StackItem {
    stack.pop().unwrap_or(StackItem::Null)
}

/// The interpreter's result; None after a fault.
fn interpreted(script: &[u8]) -> Option<StackItem> {
    let chain = Chain::new();
    let somebody = chain.account("somebody").hash;
    let item = somebody.as_bytes().concat(&Bytes::from(script));
    let (read, none) = (int(ops::STATE_READ), Bytes::from([]));
    let visit = Visit::from_outside(&somebody, int(1), &item, read, &none, int(0));
    let zero = neo_framework::Hash160::zero();
    let outcome = chain.run_as(&[], &zero, || run_alone(&item, &visit));
    outcome.is_halt().then(|| as_node_shows(&outcome.result()))
}
