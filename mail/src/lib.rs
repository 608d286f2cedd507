//! Mail on Phantasma: a box is a mailbox.
//!
//! * [`syntax`]: the grammars of messages, SMTP and IMAP; pure functions.

pub mod syntax;
