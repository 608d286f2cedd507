//! Mail on Phantasma: a box is a mailbox, and an ordinary mail program reads and writes it over SMTP and IMAP on the same
//! machine.
//!
//! * [`address`]: `box@phantasma.alt`; [`letter`]: a mail on its way, sealed for one reader.
//! * [`policy`]: who may write, as the box's gate; [`postage`]: what a letter costs.
//! * [`post`]: one mailbox's place in the world; [`outbox`] and [`send`]: out; [`receive`] and [`received`]: in.
//! * [`responder`]: automatic answers.
//! * [`store`]: the mails that are here, in Maildir folders; [`notice`]: what a sender is told.
//! * [`daemon`]: all of it running, with [`smtp`] and [`imap`] servers; [`login`], [`submission`], [`metrics`] serve it.
//! * [`bridge`]: to mail servers outside and back; [`smtp_client`] hands a mail to one.
//! * [`syntax`]: the grammars of messages, SMTP and IMAP; pure functions.
//!
//! Not here: the command line (`phantasma mail`).

pub mod address;
pub mod bridge;
pub mod daemon;
mod files;
mod forward;
pub mod imap;
pub mod letter;
mod lines;
pub mod login;
pub mod metrics;
pub mod notice;
pub mod outbox;
pub mod policy;
pub mod post;
pub mod postage;
pub mod receive;
pub mod received;
pub mod responder;
pub mod send;
pub mod smtp;
pub mod smtp_client;
pub mod store;
pub mod submission;
pub mod syntax;

pub use files::FileError;
