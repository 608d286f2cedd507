//! What the contract exports, one row a method.

use crate::method::Method;

/// All but `_deploy`, which runs at deployment with [`DeployParams`](super::DeployParams), and `mint`, `collect` and
/// `reward`, which only the two other contracts may call.
pub const ALL: [Method; 37] = [
    // NEP-17, for which any token's client is good, and NEP-5.
    Method::view("name", &[], "String"),
    Method::view("symbol", &[], "String"),
    Method::view("decimals", &[], "Integer"),
    Method::view("totalSupply", &[], "Integer"),
    Method::view("balanceOf", &["Hash160"], "Integer"),
    Method::action(
        "transfer",
        &["Hash160", "Hash160", "Integer", "Any"],
        "Boolean",
    ),
    Method::action("transfer", &["Hash160", "Hash160", "Integer"], "Boolean"),
    // SOUL.
    Method::action("swapOut", &["Hash160", "Integer", "ByteArray"], "Void"),
    Method::view("poolBalance", &[], "Integer"),
    Method::view("settings", &[], "Array"),
    // Boxes.
    Method::action(
        "createBox",
        &["Hash160", "String", "PublicKey", "ByteArray"],
        "Integer",
    ),
    Method::view("boxInfo", &["Integer"], "Array"),
    Method::view("findBox", &["String"], "Integer"),
    Method::view("boxesOf", &["Hash160"], "InteropInterface"),
    Method::view("boxCount", &[], "Integer"),
    Method::action(
        "writeContent",
        &["Hash160", "Integer", "ByteArray", "Integer"],
        "Integer",
    ),
    Method::action(
        "writeSigned",
        &[
            "PublicKey",
            "Integer",
            "Integer",
            "Integer",
            "Integer",
            "ByteArray",
            "Signature",
        ],
        "Integer",
    ),
    Method::view("lastSequence", &["Integer", "PublicKey"], "Integer"),
    Method::action(
        "readContentAt",
        &["Hash160", "Integer", "Integer", "Integer"],
        "Any",
    ),
    Method::view("contentAt", &["Integer", "Integer"], "ByteArray"),
    Method::view("contentCount", &["Integer"], "Integer"),
    Method::action("replaceGate", &["Integer", "ByteArray"], "Void"),
    Method::action("readContent", &["Hash160", "Integer", "Integer"], "Any"),
    Method::view("inspectContent", &["Hash160", "Integer"], "Integer"),
    Method::action("deleteContent", &["Hash160", "Integer"], "Void"),
    Method::action(
        "replaceContent",
        &["Hash160", "Integer", "ByteArray", "Integer"],
        "Void",
    ),
    Method::action(
        "callContent",
        &["Hash160", "Integer", "Integer", "Array", "Integer"],
        "Any",
    ),
    Method::action("include", &["Integer", "Hash160"], "Void"),
    Method::action("exclude", &["Integer", "Hash160"], "Void"),
    Method::view("isMember", &["Integer", "Hash160"], "Boolean"),
    Method::view("boxBalance", &["Integer"], "Integer"),
    Method::action("withdraw", &["Integer", "Integer"], "Void"),
    // Stored content.
    Method::action(
        "createContent",
        &[
            "Hash160",
            "ByteArray",
            "Integer",
            "Integer",
            "Integer",
            "Integer",
            "Integer",
        ],
        "ByteArray",
    ),
    Method::action(
        "renewContent",
        &["Hash160", "ByteArray", "Integer", "Integer"],
        "Void",
    ),
    Method::action(
        "updateContent",
        &["Hash160", "ByteArray", "ByteArray", "Integer", "Integer"],
        "Void",
    ),
    Method::view(
        "contentQuote",
        &["Integer", "Integer", "Integer", "Integer"],
        "Integer",
    ),
    Method::view("contentInfo", &["ByteArray"], "Array"),
];

/// Whether arguments fit the method of this name.
pub(super) fn fits(name: &str, params: &[neo_client::ContractParam]) -> bool {
    ALL.iter()
        .any(|method| method.name == name && method.takes(params))
}
