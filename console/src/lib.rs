//! The daemon of a user, `phantasma serve`: HTTP and JSON for programs, and a web page for people, on this machine only.
//!
//! It acts for one account whose key it holds while it runs, so nobody gets in without a token ([`Tokens`]); a token has
//! scopes. It listens on loopback addresses alone, answers only requests that name such a host, and gives other web pages
//! nothing (no CORS unless an origin was named). The routes are one table, `routes::table`, which the OpenAPI document
//! `docs/openapi/console.yaml` follows.
//!
//! Not here: reading the command line and the wallet, which is the `phantasma` command's work.

mod app;
mod boxes;
mod contents;
mod error;
mod events;
mod gates;
mod health;
mod input;
mod media;
mod metrics;
mod nodes;
mod page;
mod relay;
mod routes;
mod server;
mod shelf;
mod tokens;
mod uploads;
mod wallet;

pub use server::{Config, RelayPlace, Server, StartError};
pub use tokens::{Scope, Token, TokenError, Tokens};
