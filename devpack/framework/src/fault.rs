//! The one way in which contract code stops: a fault.
//!
//! Natively a fault is a panic whose payload is the message; the chain catches
//! it, undoes the invocation and reports the message. `assert!` and `panic!`
//! in a contract end in the same place.

use std::fmt::Display;

/// Ends the invocation with `message`; everything it did is undone.
///
/// # Panics
/// Always: that is its purpose.
#[cold]
#[track_caller]
#[allow(clippy::panic)]
pub fn fault(message: impl Display) -> ! {
    panic!("{message}")
}

/// The value, or a fault with the error's text.
#[track_caller]
pub(crate) fn ok_or_fault<T, E: Display>(result: Result<T, E>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => fault(error),
    }
}
