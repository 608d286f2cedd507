//! Neo N3 from outside: keys and wallets, scripts and transactions, JSON-RPC and subscriptions.
//!
//! It keeps no chain, compiles nothing and knows no contract in particular.
//!
//! ```no_run
//! use neo_client::{Actor, RpcClient, Wallet};
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let wallet = Wallet::open("wallet.json")?;
//! let account = wallet.decrypt("NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx", "password")?;
//! let actor = Actor::new(RpcClient::new("http://127.0.0.1:10332"), account);
//! let gas = neo_client::GAS;
//! let to = neo_client::Hash160::from_address("NPL5muDmtyEtk7MPReDiStQxc6CzwQzwUU")?;
//! let receipt = actor.transfer(&gas, &to, 5_0000_0000).await?;
//! println!("in block {}", receipt.block_index);
//! # Ok(()) }
//! ```
//!
//! * [`hash`], [`key`], [`nep2`], [`wallet`], [`account`]: who one is.
//! * [`script`], [`param`], [`stackitem`], [`nef`], [`manifest`]: what contracts take and give.
//! * [`calls`]: what a script asks of contracts.
//! * [`tx`], [`signer`], [`actor`]: how things are changed.
//! * [`rpc`], [`ws`]: how a node is asked and listened to.

pub mod account;
pub mod actor;
pub mod calls;
pub mod codec;
pub mod hash;
pub mod key;
pub mod manifest;
pub mod nef;
pub mod nep2;
pub mod param;
pub mod rpc;
pub mod script;
pub mod signer;
pub mod stackitem;
pub mod tx;
pub mod wallet;
pub mod ws;

pub use account::{Account, SignError};
pub use actor::{Actor, ActorError, PendingTransaction, Receipt, TransactionBuilder};
pub use calls::{CallsError, ContractCall, Then, contract_calls};
pub use codec::DecodeError;
pub use hash::{Hash160, Hash256, HashError};
pub use key::{KeyError, PrivateKey, PublicKey};
pub use manifest::Manifest;
pub use nef::{MethodToken, Nef, NefError};
pub use neo_opcode::Op;
pub use nep2::{Nep2Error, ScryptParams};
pub use param::ContractParam;
pub use rpc::{InvokeError, InvokeResult, Notification, RpcClient, RpcError, VmState};
pub use script::{ScriptBuilder, ScriptError, contract_hash, flags};
pub use signer::{Scopes, Signer};
pub use stackitem::{Interop, ItemError, StackItem};
pub use tx::{Attribute, Transaction, Witness};
pub use wallet::{Wallet, WalletError};
pub use ws::{Event, Filter, Subscription, SubscriptionError};

/// The native token that pays for everything, 8 decimals.
pub const GAS: Hash160 = Hash160([
    0xCF, 0x76, 0xE2, 0x8B, 0xD0, 0x06, 0x2C, 0x4A, 0x47, 0x8E, 0xE3, 0x55, 0x61, 0x01, 0x13, 0x19,
    0xF3, 0xCF, 0xA4, 0xD2,
]);

/// The native token that votes, no decimals.
pub const NEO: Hash160 = Hash160([
    0xF5, 0x63, 0xEA, 0x40, 0xBC, 0x28, 0x3D, 0x4D, 0x0E, 0x05, 0xC4, 0x8E, 0xA3, 0x05, 0xB3, 0xF2,
    0xA0, 0x73, 0x40, 0xEF,
]);

/// The native contract that deploys contracts.
pub const CONTRACT_MANAGEMENT: Hash160 = Hash160([
    0xFD, 0xA3, 0xFA, 0x43, 0x46, 0xEA, 0x53, 0x2A, 0x25, 0x8F, 0xC4, 0x97, 0xDD, 0xAD, 0xDB, 0x64,
    0x37, 0xC9, 0xFD, 0xFF,
]);
/// PolicyContract.
pub const POLICY: Hash160 = Hash160([
    0x7b, 0xc6, 0x81, 0xc0, 0xa1, 0xf7, 0x1d, 0x54, 0x34, 0x57, 0xb6, 0x8b, 0xba, 0x8d, 0x5f, 0x9f,
    0xdd, 0x4e, 0x5e, 0xcc,
]);
