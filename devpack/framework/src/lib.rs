//! What a Neo contract written in Rust imports.
//!
//! The same source has two lives. `neoc` compiles it for NeoVM; `rustc` builds
//! it natively, where this crate is an in-memory [`chain`], so that contracts
//! are tested like any Rust code. Native behaviour is the node's: ranges,
//! conversions, limits, faults and rollback. What it is not: a meter of gas.
//!
//! ```
//! use neo_framework::chain::{Chain, Item};
//!
//! #[neo_framework::contract(name = "Counter")]
//! pub mod methods {
//!     use neo_framework::prelude::*;
//!     use neo_framework::storage;
//!
//!     const COUNT: Bytes = bytes(b"\x01");
//!
//!     #[event(name = "Counted")]
//!     fn emit_counted(count: Int) {}
//!
//!     #[method(safe)]
//!     pub fn count() -> Int {
//!         storage::get_int(&COUNT)
//!     }
//!
//!     #[method]
//!     pub fn add(step: Int) -> Int {
//!         assert!(step > 0, "step must be positive");
//!         let count = storage::get_int(&COUNT) + step;
//!         storage::put_int(&COUNT, count);
//!         emit_counted(count);
//!         count
//!     }
//! }
//!
//! let chain = Chain::new();
//! let alice = chain.account("alice");
//! let counter = chain.deploy(&[alice.signer()], methods::CONTRACT, Item::Null).hash;
//!
//! let added = chain.invoke(&[alice.signer()], &counter, "add", vec![Item::integer(5)]);
//! assert_eq!(added.result(), Item::integer(5));
//! assert_eq!(added.events[0].name, "Counted");
//!
//! let refused = chain.invoke(&[alice.signer()], &counter, "add", vec![Item::integer(0)]);
//! assert_eq!(refused.fault(), "step must be positive");
//! assert_eq!(chain.invoke(&[], &counter, "count", vec![]).result(), Item::integer(5));
//! ```

// The attributes name this crate by its public name, also in its own tests.
#[allow(unused_extern_crates)]
extern crate self as neo_framework;

mod any;
mod array;
mod bytes;
pub mod chain;
pub mod contracts;
pub mod convert;
pub mod crypto;
pub mod eval;
mod fault;
pub mod gas_token;
mod hash;
mod info;
mod int;
pub mod item;
mod iterator;
pub mod ledger;
pub mod management;
mod map;
pub mod neo_token;
mod nep17;
mod range;
pub mod runtime;
pub mod serialize;
pub mod std_lib;
pub mod storage;
#[cfg(test)]
mod tests;

pub use any::Any;
pub use array::Array;
pub use bytes::{Bytes, Text, bytes, text};
pub use fault::fault;
pub use hash::{Hash160, Hash256, PublicKey, Signature, hash160, hash256};
pub use info::{ContractInfo, MethodInfo};
pub use int::{Int, MAX_INT_BYTES, MAX_SHIFT, int};
pub use item::Item;
pub use iterator::Iterator;
pub use map::{Map, MapKey};
pub use neo_framework_macros::{Item, contract, event, method};
pub use range::{Range, range, range_inclusive};

/// What contract sources import with one line.
pub mod prelude {
    pub use crate::array;
    pub use crate::convert::IntoAny;
    pub use crate::{
        Any, Array, Bytes, Hash160, Hash256, Int, Iterator, Map, PublicKey, Signature, Text, bytes,
        hash160, hash256, int, range, range_inclusive, text,
    };
    pub use crate::{
        contracts, crypto, eval, gas_token, ledger, management, neo_token, runtime, std_lib,
        storage,
    };
    pub use neo_framework_macros::{Item, contract, event, method};
}
