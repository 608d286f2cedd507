#![allow(clippy::unwrap_used)]

use phantasma_vm::trace::Recording;

use super::*;
use crate::emulator::tests::{create_box, emulator};

fn on_chain(state: VmState, exception: Option<&str>, stack: Vec<StackItem>) -> Execution {
    Execution {
        trigger: "Application".to_owned(),
        state,
        exception: exception.map(str::to_owned),
        gas_consumed: 0,
        stack,
        notifications: Vec::new(),
        container: None,
    }
}

/// What the emulator does with a box that cannot be made.
fn refused() -> Outcome {
    let outcome = create_box(&emulator(), "Not A Name");
    assert_eq!(outcome.state, VmState::Fault);
    outcome
}

#[test]
fn the_same_refusal_in_the_nodes_wrapping_agrees() {
    let contract = emulator().contract();
    let words = "at instruction 9 (ASSERTMSG): ASSERTMSG is executed with false result. Reason: ";
    let same = format!("{words}{}", refused().exception.unwrap());
    let chain = on_chain(VmState::Fault, Some(&same), vec![]);
    assert_eq!(compare(&contract, &refused(), &chain), Vec::<String>::new());
    let other = format!("{words}something else");
    let chain = on_chain(VmState::Fault, Some(&other), vec![]);
    assert_eq!(compare(&contract, &refused(), &chain).len(), 1);
}

#[test]
fn another_end_result_or_event_is_a_difference() {
    let emulator = emulator();
    let contract = emulator.contract();
    let made = create_box(&emulator, "news");
    assert_eq!(made.state, VmState::Halt, "{:?}", made.exception);
    let chain = on_chain(VmState::Fault, Some("gas limit exceeded"), vec![]);
    let found = compare(&contract, &made, &chain);
    assert!(found[0].contains("gas limit exceeded"), "{found:?}");

    let mut same = on_chain(VmState::Halt, None, made.stack.clone());
    same.notifications = made.notifications.clone();
    assert_eq!(compare(&contract, &made, &same), Vec::<String>::new());
    let mut other = same.clone();
    other.stack = vec![StackItem::Integer(7.into())];
    assert!(compare(&contract, &made, &other)[0].contains("left"));
    let mut other = same.clone();
    other.notifications.pop();
    assert!(compare(&contract, &made, &other)[0].contains("events"));
    let mut other = same;
    other.notifications[0].name = "Else".to_owned();
    assert!(compare(&contract, &made, &other)[0].contains("event 0 was Else"));
}

#[test]
fn a_recording_without_scripts_has_no_step() {
    let Recording { runs, steps, .. } = create_box(&emulator(), "news").recording;
    assert!(runs.is_empty() && steps.is_empty());
}
