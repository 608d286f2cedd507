//! Debug information after NEP-19: which bytes come from which source.

use std::collections::BTreeMap;
use std::sync::Arc;

use ripemd::Ripemd160;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::diagnostic::{Loc, SourceFile};
use crate::emit::Script;
use crate::ir::{Code, Site};
use crate::manifest::{Event, type_name};

/// The JSON text. `start` is taken off the documents' paths where they begin with it.
pub(crate) fn debug_info(
    script: &Script,
    codes: &[Code],
    events: &[Event],
    files: &[SourceFile],
) -> String {
    let hash: Vec<u8> = Ripemd160::digest(Sha256::digest(&script.bytes))
        .iter()
        .rev()
        .copied()
        .collect();
    let methods: Vec<Value> = codes
        .iter()
        .enumerate()
        .map(|(n, code)| method(script, n, code))
        .collect();
    let events: Vec<Value> = events
        .iter()
        .enumerate()
        .map(|(n, e)| {
            let params: Vec<String> = e
                .params
                .iter()
                .map(|(name, ty)| format!("{name},{}", type_name(ty)))
                .collect();
            json!({ "id": n.to_string(), "name": format!(",{}", e.name), "params": params })
        })
        .collect();
    let documents: Vec<&str> = files.iter().map(|f| f.path.as_str()).collect();
    json!({
        "hash": format!("0x{}", hex::encode(hash)),
        "documents": documents,
        "document-root": "",
        "static-variables": [],
        "methods": methods,
        "events": events,
    })
    .to_string()
}

fn place(loc: &Loc) -> String {
    format!(
        "[{}]{}:{}-{}:{}",
        loc.file,
        loc.line,
        loc.column + 1,
        loc.end_line,
        loc.end_column + 1
    )
}

fn method(script: &Script, n: usize, code: &Code) -> Value {
    let range = script.ranges.get(n).cloned().unwrap_or(0..0);
    // An instruction's last byte closes the range.
    let last = script
        .bytes
        .get(range.clone())
        .and_then(|bytes| {
            neo_opcode::decode(bytes)
                .map_while(Result::ok)
                .last()
                .map(|i| i.position)
        })
        .unwrap_or(0);
    let mut points = Vec::new();
    let inside = script.marks.iter().filter(|(at, ..)| range.contains(at));
    let mut marks: Vec<_> = inside.collect();
    // Of several marks at one position the innermost, the last, counts.
    marks.reverse();
    marks.dedup_by_key(|(at, ..)| *at);
    marks.reverse();
    let mut inlined = serde_json::Map::new();
    for (at, loc, site) in marks {
        points.push(format!("{at}{}", place(loc)));
        let calls = calls(site.as_ref());
        if !calls.is_empty() {
            inlined.insert(at.to_string(), Value::Array(calls));
        }
    }
    let mut shared: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (at, origin) in script.also.iter().filter(|(at, _)| range.contains(at)) {
        shared.entry(at.to_string()).or_default().push(json!({
            "function": origin.function,
            "place": place(&origin.loc),
            "calls": calls(origin.site.as_ref()),
        }));
    }
    let variable = |v: &crate::ir::Variable| format!("{},{},{}", v.name, type_name(&v.ty), v.slot);
    json!({
        "id": code.name,
        "name": format!(",{}", code.name),
        "range": format!("{}-{}", range.start, range.start + last),
        "params": code.params.iter().map(variable).collect::<Vec<_>>(),
        "return": type_name(&code.result),
        "variables": code.variables.iter().map(variable).collect::<Vec<_>>(),
        "sequence-points": points,
        // Beyond NEP-19: the calls in which a sequence point is, where functions are written out; innermost first.
        "inlined-calls": inlined,
        // Beyond NEP-19: where else an instruction comes from that is written once for several places.
        "shared": shared,
    })
}

/// The calls around a place, innermost first.
fn calls(site: Option<&Arc<Site>>) -> Vec<Value> {
    std::iter::successors(site, |site| site.outer.as_ref())
        .map(|site| json!([site.function, place(&site.call)]))
        .collect()
}
