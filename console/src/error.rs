//! What goes wrong, as the answer to a request: a status, a word for programs and a sentence for people.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use phantasma_sdk::boxes::BoxError;
use phantasma_sdk::contract::ContractError;
use phantasma_sdk::estimate::EstimateError;
use phantasma_sdk::neo::{RpcError, WalletError};
use phantasma_sdk::put::PutError;
use phantasma_sdk::scene::SceneError;
use phantasma_vm::{AsmError, ScriptError};
use serde_json::{Value, json};

/// A refusal or a failure.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    /// More fields for programs.
    more: Value,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            more: json!({}),
        }
    }

    pub(crate) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    pub(crate) fn absent(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The chain or the script says no.
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "refused", message)
    }

    /// A Neo node, relay or storage node is away.
    pub(crate) fn away(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_GATEWAY, "unreachable", message)
    }

    pub(crate) fn internal(message: impl std::fmt::Display) -> Self {
        tracing::error!(error = %message, "a request failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            message.to_string(),
        )
    }

    /// The sentence alone.
    pub(crate) fn into_message(self) -> String {
        self.message
    }

    /// The same, with the contract's own words alone where it was the contract that refused.
    pub(crate) fn plainly(mut self, plain: fn(&str) -> String) -> Self {
        self.message = plain(&self.message);
        self
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut error = json!({"code": self.code, "message": self.message});
        phantasma_sdk::view::extend(&mut error, self.more);
        (self.status, Json(json!({"error": error}))).into_response()
    }
}

impl From<AsmError> for ApiError {
    fn from(error: AsmError) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: "assembler",
            message: error.problem.to_string(),
            more: json!({
                "line": error.line,
                "column": error.column,
                "hint": error.problem.hint(),
            }),
        }
    }
}

impl From<ScriptError> for ApiError {
    fn from(error: ScriptError) -> Self {
        Self::refused(format!("the contract would refuse it: {error}"))
    }
}

impl From<ContractError> for ApiError {
    fn from(error: ContractError) -> Self {
        match &error {
            ContractError::Rpc(_) => Self::away(error.to_string()),
            _ if error.exception().is_some() => Self::refused(error.to_string()),
            ContractError::Invoke(_)
            | ContractError::Write(_)
            | ContractError::Fault { .. }
            | ContractError::Answer { .. } => Self::away(error.to_string()),
        }
    }
}

impl From<RpcError> for ApiError {
    fn from(error: RpcError) -> Self {
        Self::away(error.to_string())
    }
}

impl From<WalletError> for ApiError {
    fn from(error: WalletError) -> Self {
        Self::internal(error)
    }
}

impl From<BoxError> for ApiError {
    fn from(error: BoxError) -> Self {
        match error {
            BoxError::Contract(error) => error.into(),
            BoxError::Script(error) => error.into(),
            BoxError::Message(_) | BoxError::TooMany { .. } => Self::bad(error.to_string()),
            BoxError::NoSuchName { .. } => Self::absent(error.to_string()),
            BoxError::LooksTooFar { .. } => Self::refused(error.to_string()),
        }
    }
}

impl From<EstimateError> for ApiError {
    fn from(error: EstimateError) -> Self {
        match error {
            EstimateError::Contract(error) => error.into(),
            EstimateError::NoBox(_) | EstimateError::NoContent(_) => {
                Self::absent(error.to_string())
            }
            EstimateError::Bound(_) | EstimateError::Script(_) => Self::refused(error.to_string()),
        }
    }
}

impl From<SceneError> for ApiError {
    fn from(error: SceneError) -> Self {
        match &error {
            SceneError::NoGate => Self::bad(error.to_string()),
            SceneError::NoBox(_) | SceneError::NoContent(_) => Self::absent(error.to_string()),
            SceneError::Refused { .. }
            | SceneError::Script(_)
            | SceneError::Answer(_)
            | SceneError::NoName
            | SceneError::Emulator(_) => Self::refused(error.to_string()),
        }
    }
}

impl From<PutError> for ApiError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Contract(error) => error.into(),
            PutError::TooDear { .. } | PutError::Priceless => Self::refused(error.to_string()),
            PutError::Content(_) | PutError::Keystore(_) => Self::internal(error),
        }
    }
}
