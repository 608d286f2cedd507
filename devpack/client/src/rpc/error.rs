//! What can go wrong between us and a node, and what to do about it.

use std::time::Duration;

use serde_json::Value;

/// Error codes of JSON-RPC on Neo N3 (proposal 156 of the Neo project; neo-go `pkg/neorpc/errors.go`).
pub mod codes {
    pub const METHOD_NOT_FOUND: i64 = -32601;
    pub const UNKNOWN_BLOCK: i64 = -101;
    pub const UNKNOWN_CONTRACT: i64 = -102;
    pub const UNKNOWN_TRANSACTION: i64 = -103;
    pub const UNKNOWN_STORAGE_ITEM: i64 = -104;
    pub const UNKNOWN_SCRIPT_CONTAINER: i64 = -105;
    pub const UNKNOWN_SESSION: i64 = -107;
    pub const UNKNOWN_ITERATOR: i64 = -108;
    pub const ALREADY_EXISTS: i64 = -501;
    pub const MEMORY_POOL_FULL: i64 = -502;
    pub const ALREADY_IN_POOL: i64 = -503;
    pub const NETWORK_FEE_TOO_SMALL: i64 = -504;
    pub const POLICY_FAILED: i64 = -505;
    pub const INVALID_SIGNATURE: i64 = -508;
    pub const EXPIRED: i64 = -510;
    pub const INSUFFICIENT_FUNDS: i64 = -511;
    pub const SESSIONS_DISABLED: i64 = -601;
}

/// A call that gave no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RpcError {
    #[error(
        "\"{url}\" is no address of a node ({reason}): expected something like http://127.0.0.1:10332"
    )]
    Url { url: String, reason: String },
    #[error(
        "cannot reach {url} for {method}: {reason}; is the node running and the address right?"
    )]
    Unreachable {
        url: String,
        method: String,
        reason: String,
    },
    #[error("{url} did not answer {method} within {after:?}; try again, or another node")]
    Timeout {
        url: String,
        method: String,
        after: Duration,
    },
    #[error(
        "{url} answered {method} with HTTP status {status}: {body}; is it a JSON-RPC endpoint of Neo N3?"
    )]
    Http {
        url: String,
        method: String,
        status: u16,
        body: String,
    },
    #[error("the answer of {url} to {method} is longer than {max} bytes; ask for less at a time")]
    TooLong {
        url: String,
        method: String,
        max: usize,
    },
    #[error("cannot understand the answer of {url} to {method}: {reason}; is it a Neo N3 node?")]
    Answer {
        url: String,
        method: String,
        reason: String,
    },
    #[error("the node refused {method}: {message} (code {code}){data}{hint}", hint = hint(*code))]
    Node {
        method: String,
        code: i64,
        message: String,
        /// Details, with a separator in front; may be empty.
        data: String,
    },
}

impl RpcError {
    /// The node's error code, see [`codes`].
    pub fn code(&self) -> Option<i64> {
        match self {
            Self::Node { code, .. } => Some(*code),
            Self::Url { .. }
            | Self::Unreachable { .. }
            | Self::Timeout { .. }
            | Self::Http { .. }
            | Self::TooLong { .. }
            | Self::Answer { .. } => None,
        }
    }

    /// Whether the same call may well succeed a moment later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Timeout { .. } => true,
            Self::Http { status, .. } => matches!(status, 429 | 500..=599),
            Self::Node { code, .. } => *code == codes::MEMORY_POOL_FULL,
            Self::Url { .. } | Self::TooLong { .. } | Self::Answer { .. } => false,
        }
    }

    pub(crate) fn of_node(method: &str, error: &Value) -> Self {
        let text = |name: &str| match error.get(name) {
            None | Some(Value::Null) => String::new(),
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let data = Some(text("data"))
            .filter(|data| !data.is_empty())
            .map(|data| format!(": {data}"));
        Self::Node {
            method: method.to_owned(),
            code: error
                .get("code")
                .and_then(Value::as_i64)
                .unwrap_or_default(),
            message: text("message"),
            data: data.unwrap_or_default(),
        }
    }
}

/// What to do about an error code.
fn hint(code: i64) -> &'static str {
    match code {
        codes::UNKNOWN_CONTRACT => "; no contract has this hash on this network",
        codes::UNKNOWN_SESSION | codes::UNKNOWN_ITERATOR => {
            "; the session ran out: call the method again"
        }
        codes::MEMORY_POOL_FULL => "; the node is busy: try again in a block's time",
        codes::NETWORK_FEE_TOO_SMALL | codes::POLICY_FAILED => {
            "; the network's fees may have risen: build it again"
        }
        codes::INVALID_SIGNATURE => {
            "; is the key right, and the node on the network the transaction was signed for?"
        }
        codes::EXPIRED => "; build it again",
        codes::INSUFFICIENT_FUNDS => "; the first signer needs more GAS",
        codes::SESSIONS_DISABLED => "; this node keeps no iterators: use one with sessions",
        _ => "",
    }
}
