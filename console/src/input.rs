//! What requests bring: JSON that is read strictly, scripts, amounts, addresses.

use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::{Json, body::Bytes};
use phantasma_sdk::amount;
use phantasma_sdk::neo::Hash160;
use phantasma_vm::{assemble, validate};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::ApiError;

/// A JSON body. Without the content type `application/json` it is refused: a form of another page cannot send that.
pub(crate) struct Input<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Input<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Self(value)),
            Err(error) => Err(ApiError::new(
                error.status(),
                "bad_request",
                error.body_text(),
            )),
        }
    }
}

/// The query of a URL.
pub(crate) struct Asked<T>(pub(crate) T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Asked<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(error) => Err(ApiError::new(
                StatusCode::BAD_REQUEST,
                "bad_request",
                error.body_text(),
            )),
        }
    }
}

/// No body at all.
pub(crate) struct Nothing;

impl<S: Send + Sync> FromRequest<S> for Nothing {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        match Bytes::from_request(request, state).await {
            Ok(bytes) if bytes.is_empty() => Ok(Self),
            Ok(_) => Err(ApiError::bad("this request has no body")),
            Err(error) => Err(ApiError::bad(error.body_text())),
        }
    }
}

/// A script: assembler text, or hex.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    pub(crate) text: Option<String>,
    pub(crate) hex: Option<String>,
}

impl Script {
    /// The bytes, whatever the contract thinks of them.
    pub(crate) fn bytes(&self) -> Result<Vec<u8>, ApiError> {
        match (&self.text, &self.hex) {
            (Some(text), None) => Ok(assemble(text)?),
            (None, Some(hex)) => {
                let digits = hex.strip_prefix("0x").unwrap_or(hex);
                let bytes = hex::decode(digits).ok().filter(|bytes| !bytes.is_empty());
                bytes.ok_or_else(|| ApiError::bad("`hex` is not a script in hex"))
            }
            (Some(_), Some(_)) | (None, None) => Err(ApiError::bad(
                "a script is either `text`, in assembler, or `hex`",
            )),
        }
    }

    /// Bytes that the contract takes.
    pub(crate) fn checked(&self) -> Result<Vec<u8>, ApiError> {
        let bytes = self.bytes()?;
        validate(&bytes)?;
        Ok(bytes)
    }
}

/// An amount of SOUL in smallest units.
pub(crate) fn soul(text: &str) -> Result<u64, ApiError> {
    let units = amount::parse(text, amount::DECIMALS).map_err(|e| ApiError::bad(e.to_string()))?;
    u64::try_from(&units)
        .map_err(|_| ApiError::bad(format!("{text} SOUL is more than there can be")))
}

pub(crate) fn address(text: &str) -> Result<Hash160, ApiError> {
    Hash160::from_address(text).map_err(|error| ApiError::bad(format!("\"{text}\": {error}")))
}

/// A content's root.
pub(crate) fn root(text: &str) -> Result<[u8; 32], ApiError> {
    let mut root = [0; 32];
    hex::decode_to_slice(text, &mut root)
        .map_err(|_| ApiError::bad(format!("\"{text}\" is not a content's root: 64 hex digits")))?;
    Ok(root)
}
