//! The manifest: what a contract offers, and what it may call.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Longest manifest (neo-go `manifest.MaxManifestSize`).
pub const MAX_MANIFEST_SIZE: usize = 65_535;

/// Why a text is no manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error("not a contract manifest: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the manifest has {bytes} bytes, the network takes at most {MAX_MANIFEST_SIZE}")]
    TooLong { bytes: usize },
}

/// A contract's manifest (NEP-15), all eight fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub name: String,
    pub groups: Vec<Value>,
    /// Always empty.
    #[serde(default)]
    pub features: Map<String, Value>,
    #[serde(rename = "supportedstandards", default)]
    pub supported_standards: Vec<String>,
    pub abi: Abi,
    #[serde(default)]
    pub permissions: Vec<Permission>,
    /// Contracts and groups as an array, or "*".
    pub trusts: Value,
    #[serde(default)]
    pub extra: Value,
}

/// Methods and events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Abi {
    pub methods: Vec<Method>,
    pub events: Vec<Event>,
}

/// One method; several of one name differ in the number of parameters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Method {
    pub name: String,
    pub offset: u32,
    pub parameters: Vec<Parameter>,
    #[serde(rename = "returntype")]
    pub return_type: String,
    /// Changes nothing, needs no permission.
    pub safe: bool,
}

/// A notification the contract may send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub name: String,
    pub parameters: Vec<Parameter>,
}

/// Name and manifest type (Any, Boolean, Integer, ByteArray, String, Hash160...).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// Which methods of which contracts may be called.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// A hash, a group's key, or "*".
    pub contract: String,
    /// Names as an array, or "*".
    pub methods: Value,
}

impl Manifest {
    /// Reads the JSON of a `.manifest.json` file.
    pub fn from_json(text: &str) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST_SIZE {
            return Err(ManifestError::TooLong { bytes: text.len() });
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The JSON that is deployed, without white space: every byte costs.
    pub fn to_json(&self) -> Result<String, ManifestError> {
        let text = serde_json::to_string(self)?;
        if text.len() > MAX_MANIFEST_SIZE {
            Err(ManifestError::TooLong { bytes: text.len() })
        } else {
            Ok(text)
        }
    }

    /// The method of this name with so many parameters.
    pub fn method(&self, name: &str, parameters: usize) -> Option<&Method> {
        self.abi
            .methods
            .iter()
            .find(|method| method.name == name && method.parameters.len() == parameters)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"name":"Counter","groups":[],"features":{},"supportedstandards":["NEP-17"],"abi":{"methods":[{"name":"add","offset":3,"parameters":[{"name":"n","type":"Integer"}],"returntype":"Integer","safe":false}],"events":[{"name":"Added","parameters":[]}]},"permissions":[{"contract":"*","methods":"*"}],"trusts":[],"extra":null}"#;

    #[test]
    fn a_manifest_is_written_as_it_was_read() {
        let manifest = Manifest::from_json(TEXT).unwrap();
        assert_eq!(manifest.to_json().unwrap(), TEXT);
        assert_eq!(
            manifest.method("add", 1).map(|method| method.offset),
            Some(3)
        );
        assert_eq!(manifest.method("add", 2), None);
    }

    #[test]
    fn a_missing_field_is_named() {
        let error = Manifest::from_json(&TEXT.replace("\"trusts\":[],", ""))
            .unwrap_err()
            .to_string();
        assert!(error.contains("trusts"), "{error}");
    }
}
