//! The grammars of mail: messages (RFC 5322, MIME), SMTP commands, IMAP commands, dates. Pure functions over bytes that
//! never panic, whatever the bytes; each loop and nesting has a bound.
//!
//! Not here: sockets, files, clocks.

pub mod address;
pub mod date;
pub mod encoded;
pub mod header;
pub mod imap;
pub mod imap_items;
pub mod mime;
pub mod smtp;
pub mod structure;
