//! The manifest: what the contract is called, what it has, what it may call.

use serde_json::{Value, json};

use crate::types::Ty;

/// An exported method, as the manifest shows it.
pub(crate) struct Method {
    pub name: String,
    pub params: Vec<(String, Ty)>,
    pub result: Ty,
    pub offset: usize,
    pub safe: bool,
}

/// An event.
pub(crate) struct Event {
    pub name: String,
    pub params: Vec<(String, Ty)>,
}

/// Name, standards, permissions of the contract.
#[derive(Default)]
pub(crate) struct Header {
    pub name: String,
    pub standards: Vec<String>,
    pub permissions: bool,
    pub source: String,
}

/// The manifest's JSON, without spaces: every byte costs GAS.
pub(crate) fn manifest(header: &Header, methods: &[Method], events: &[Event]) -> String {
    let methods: Vec<Value> = methods
        .iter()
        .map(|m| {
            json!({
                "name": m.name, "parameters": params(&m.params), "returntype": type_name(&m.result),
                "offset": m.offset, "safe": m.safe,
            })
        })
        .collect();
    let events: Vec<Value> = events
        .iter()
        .map(|e| json!({ "name": e.name, "parameters": params(&e.params) }))
        .collect();
    let permissions = if header.permissions {
        json!([{ "contract": "*", "methods": "*" }])
    } else {
        json!([])
    };
    json!({
        "name": header.name, "groups": [], "features": {}, "supportedstandards": header.standards,
        "abi": { "methods": methods, "events": events },
        "permissions": permissions, "trusts": [], "extra": null,
    })
    .to_string()
}

fn params(list: &[(String, Ty)]) -> Value {
    list.iter()
        .map(|(name, ty)| json!({ "name": name, "type": type_name(ty) }))
        .collect()
}

/// The manifest's name of a type.
pub(crate) fn type_name(ty: &Ty) -> &'static str {
    match ty {
        Ty::Int | Ty::Lit | Ty::Small | Ty::Enum(..) => "Integer",
        Ty::Bool => "Boolean",
        Ty::Bytes | Ty::Slice => "ByteArray",
        Ty::Text => "String",
        Ty::Hash160 => "Hash160",
        Ty::Hash256 => "Hash256",
        Ty::PublicKey => "PublicKey",
        Ty::Signature => "Signature",
        Ty::Array(_) | Ty::Tuple(_) | Ty::Struct(..) | Ty::Data(..) => "Array",
        Ty::Map(_) => "Map",
        Ty::Iterator => "InteropInterface",
        Ty::Unit | Ty::Never => "Void",
        Ty::Option(inner) => type_name(inner),
        Ty::Any | Ty::Result(_) | Ty::Var(_) | Ty::Param(_) | Ty::Err => "Any",
    }
}

/// `snake_case` to `camelCase`; a leading `_` stays.
pub(crate) fn camel_case(name: &str) -> String {
    let mut out = String::new();
    let mut upper = false;
    for c in name.chars() {
        if c == '_' && !out.is_empty() {
            upper = true;
        } else if upper {
            out.extend(c.to_uppercase());
            upper = false;
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::camel_case;

    #[test]
    fn names_become_camel_case() {
        for (from, to) in [
            ("balance_of", "balanceOf"),
            ("name", "name"),
            ("_deploy", "_deploy"),
            ("a_b_c", "aBC"),
        ] {
            assert_eq!(camel_case(from), to);
        }
    }
}
