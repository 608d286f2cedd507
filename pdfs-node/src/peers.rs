//! The nodes that this one has heard of, and those that hang on it.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use phantasma_wire::{
    PublicKey,
    pdfs::{MAX_ADDRESS, MAX_NODES, NodeAddress},
};

/// Nodes remembered. An answer names at most [`MAX_NODES`]; this node itself is one of them.
const MAX_KNOWN: usize = MAX_NODES - 1;

/// Nodes that may hang on this one: each appears in every answer about holders.
const MAX_ATTACHED: usize = 32;

/// Known nodes, by their proven keys.
#[derive(Debug, Default)]
pub(crate) struct Peers {
    known: Mutex<HashMap<PublicKey, String>>,
    attached: Mutex<HashMap<PublicKey, String>>,
}

impl Peers {
    /// Remembers where a node listens. When there is no room, the newcomer is not remembered.
    pub(crate) fn learn(&self, node: NodeAddress) {
        insert(&self.known, MAX_KNOWN, node);
    }

    /// Whether there was room.
    pub(crate) fn attach(&self, node: NodeAddress) -> bool {
        insert(&self.attached, MAX_ATTACHED, node)
    }

    pub(crate) fn detach(&self, key: &PublicKey) {
        lock(&self.attached).remove(key);
    }

    /// Whether this key is a node that was heard of.
    pub(crate) fn knows(&self, key: &PublicKey) -> bool {
        lock(&self.known).contains_key(key)
    }

    pub(crate) fn known(&self) -> Vec<NodeAddress> {
        list(&self.known)
    }

    pub(crate) fn attached(&self) -> Vec<NodeAddress> {
        list(&self.attached)
    }
}

/// `host:port` with a port that can be dialled.
pub(crate) fn is_dialable(address: &str) -> bool {
    let parts = address.rsplit_once(':');
    let dialable = parts.is_some_and(|(host, port)| {
        !host.is_empty() && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    dialable && address.len() <= MAX_ADDRESS && !address.contains(char::is_whitespace)
}

fn insert(map: &Mutex<HashMap<PublicKey, String>>, max: usize, node: NodeAddress) -> bool {
    let mut map = lock(map);
    if map.len() >= max && !map.contains_key(&node.public_key) {
        return false;
    }
    map.insert(node.public_key, node.address);
    true
}

fn list(map: &Mutex<HashMap<PublicKey, String>>) -> Vec<NodeAddress> {
    let node = |(key, address): (&PublicKey, &String)| NodeAddress {
        public_key: *key,
        address: address.clone(),
    };
    lock(map).iter().map(node).collect()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(n: u8) -> NodeAddress {
        NodeAddress {
            public_key: [n; 33],
            address: format!("host:{}", u16::from(n) + 1),
        }
    }

    #[test]
    fn a_full_list_takes_no_newcomer_but_lets_a_known_node_move() {
        let peers = Peers::default();
        assert!((0..MAX_ATTACHED as u8).all(|n| peers.attach(node(n))));
        assert!(!peers.attach(node(200)));
        let moved = NodeAddress {
            address: "moved:1".into(),
            ..node(3)
        };
        assert!(peers.attach(moved.clone()));
        assert!(peers.attached().contains(&moved));
        peers.detach(&moved.public_key);
        assert!(peers.attach(node(200)));
    }

    #[test]
    fn only_an_address_that_can_be_dialled_is_one() {
        assert!(is_dialable("example.org:4200") && is_dialable("[::1]:1"));
        for wrong in [
            "",
            "host",
            "host:",
            ":1",
            "host:0",
            "host:65536",
            "a b:1",
            &format!("{}:1", "h".repeat(300)),
        ] {
            assert!(!is_dialable(wrong), "{wrong}");
        }
    }
}
