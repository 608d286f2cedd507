//! Anchors of a relay and the paths that lead to them.

use phantasma_wire::Hash;
use phantasma_wire::relay::{Anchor, AnchorProof, AnchorTree, path_nodes};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::hexes;

pub(super) fn made() -> Value {
    let anchors: Vec<Value> = [(1, 1), (2, 2), (100, 5), (u64::from(u32::MAX) + 7, 8)]
        .into_iter()
        .map(|(first, count)| anchor(first, count))
        .collect();
    json!({ "anchors": anchors })
}

fn anchor(first: u64, count: u32) -> Value {
    let ids: Vec<Hash> = (0..count)
        .map(|n| Sha256::digest(format!("message {n}")).into())
        .collect();
    let tree = AnchorTree::new(&ids);
    let anchor = Anchor {
        first,
        count,
        root: tree.root(),
    };
    let path = |index: u32| {
        let node = |(level, node): (u32, u32)| tree.levels()[level as usize][node as usize];
        let proof = AnchorProof {
            anchor,
            box_id: 1,
            index: 0,
            txid: [0; 32],
            position: first + u64::from(index),
            path: path_nodes(index, count).map(node).collect(),
        };
        proof
            .check(&ids[index as usize])
            .expect("a path that holds");
        json!({ "position": proof.position.to_string(), "path": hexes(&proof.path) })
    };
    json!({
        "first": first.to_string(),
        "count": count,
        "root": hex::encode(anchor.root),
        "bytes": hex::encode(anchor.to_bytes()),
        "ids": hexes(&ids),
        "paths": (0..count).map(path).collect::<Vec<_>>(),
    })
}
