//! What an invocation leaves behind.

use crate::hash::Hash160;
use crate::item::Item;

/// A notification.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Who emitted it.
    pub contract: Hash160,
    /// Its name in the manifest.
    pub name: String,
    /// Its arguments, as they were then.
    pub args: Vec<Item>,
}

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VmState {
    /// It returned.
    Halt,
    /// It faulted; nothing it did remains.
    Fault,
}

/// The result of an invocation.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// How it ended.
    pub state: VmState,
    /// The message of the fault.
    pub exception: Option<String>,
    /// The result (Null for a method without one); empty after a fault.
    pub stack: Vec<Item>,
    /// Notifications in order; empty after a fault.
    pub events: Vec<Event>,
    /// Log lines with who wrote them; kept after a fault, to find out why.
    pub logs: Vec<(Hash160, String)>,
}

impl Outcome {
    /// Whether it returned.
    #[must_use]
    pub fn is_halt(&self) -> bool {
        self.state == VmState::Halt
    }

    /// The result of a HALT.
    ///
    /// # Panics
    /// After a FAULT, with its message: this is for tests.
    #[track_caller]
    pub fn result(&self) -> Item {
        match (&self.exception, self.stack.first()) {
            (None, Some(item)) => item.clone(),
            (exception, _) => crate::fault::fault(format_args!(
                "the invocation faulted: {}",
                exception.as_deref().unwrap_or("without message")
            )),
        }
    }

    /// The message of a FAULT.
    ///
    /// # Panics
    /// After a HALT: this is for tests.
    #[must_use]
    #[track_caller]
    pub fn fault(&self) -> &str {
        match &self.exception {
            Some(message) => message,
            None => crate::fault::fault(format_args!("the invocation returned {:?}", self.stack)),
        }
    }

    /// The events of that name, whoever emitted them.
    #[must_use]
    pub fn events_named(&self, name: &str) -> Vec<&Event> {
        self.events
            .iter()
            .filter(|event| event.name == name)
            .collect()
    }
}
