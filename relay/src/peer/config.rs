//! The operator's wishes about other relays: the table [peers] and its flags.

use std::net::SocketAddr;

use anyhow::{Context, bail};
use clap::Args;
use phantasma_net::control::Bootstrap;
use phantasma_sdk::pdfs::parse_node;
use phantasma_wire::relay::MAX_LINK_BOXES;
use serde::Deserialize;

use super::{FindSettings, PeerSettings};

/// One above `ops`, on all interfaces: others have to reach it.
const DEFAULT_LISTEN: &str = "0.0.0.0:20422";

/// One above that.
const DEFAULT_FIND: &str = "0.0.0.0:20423";

/// Each may hold 16 MiB of what waits and is on its way.
const DEFAULT_LINKS: usize = 16;

/// What the endpoint takes at most.
const MAX_LINKS: usize = 64;

/// Flags about other relays.
#[derive(Debug, Default, Args)]
pub struct PeerArgs {
    /// Another relay to link with, KEY@HOST:PORT of its links; several by repetition, or with commas
    #[arg(long = "peer", env = "PHANTASMA_RELAY_PEERS", value_delimiter = ',')]
    pub peers: Vec<String>,
    /// UDP address for links with other relays [default: 0.0.0.0:20422 when there are peers, else none]
    #[arg(long, env = "PHANTASMA_RELAY_PEERS_LISTEN")]
    pub peers_listen: Option<SocketAddr>,
}

/// The table [peers].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PeersTable {
    listen: Option<SocketAddr>,
    relays: Vec<String>,
    boxes: Vec<u64>,
    open: Option<bool>,
    links: Option<usize>,
    find: Option<FindTable>,
}

/// The table [peers.find].
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FindTable {
    listen: Option<SocketAddr>,
    public: String,
    #[serde(default)]
    bootstrap: Vec<String>,
}

impl PeersTable {
    /// `None` when nobody asked for links.
    pub fn resolve(self, args: PeerArgs) -> anyhow::Result<Option<PeerSettings>> {
        let relays = match args.peers.is_empty() {
            true => self.relays,
            false => args.peers,
        };
        let listen = args.peers_listen.or(self.listen);
        if listen.is_none() && relays.is_empty() && self.find.is_none() {
            if !self.boxes.is_empty() || self.open.is_some() || self.links.is_some() {
                bail!(
                    "[peers] asks for links, but there is nobody to link with: add listen, relays or [peers.find]"
                );
            }
            return Ok(None);
        }
        let max_links = self.links.unwrap_or(DEFAULT_LINKS);
        if !(1..=MAX_LINKS).contains(&max_links) {
            bail!("peers.links is {max_links}; it must be 1 to {MAX_LINKS}");
        }
        if self.boxes.len() > MAX_LINK_BOXES {
            bail!(
                "peers.boxes names {} boxes; leave it out to serve all, or name at most {MAX_LINK_BOXES}",
                self.boxes.len()
            );
        }
        let known = relays.iter().map(|relay| {
            let node = parse_node(relay).with_context(|| format!("peer {relay:?}"))?;
            Ok((node.public_key, node.address))
        });
        // Whom others find, they must be able to reach.
        let open = self.open.unwrap_or(self.find.is_some());
        Ok(Some(PeerSettings {
            listen: or_default(listen, DEFAULT_LISTEN)?,
            known: known.collect::<anyhow::Result<_>>()?,
            boxes: self.boxes.into_iter().collect(),
            open,
            max_links,
            find: self.find.map(FindTable::resolve).transpose()?,
        }))
    }
}

impl FindTable {
    fn resolve(self) -> anyhow::Result<FindSettings> {
        let bootstrap = self.bootstrap.iter().map(|text| {
            let node =
                parse_node(text).with_context(|| format!("peers.find.bootstrap {text:?}"))?;
            let address = node.address.parse().with_context(|| {
                format!("peers.find.bootstrap {text:?}: an IP address and port after @")
            })?;
            Ok(Bootstrap {
                address,
                public_key: Some(node.public_key),
            })
        });
        let bootstrap = bootstrap.collect::<anyhow::Result<_>>()?;
        Ok(FindSettings {
            listen: or_default(self.listen, DEFAULT_FIND)?,
            public: self.public,
            bootstrap,
        })
    }
}

fn or_default(given: Option<SocketAddr>, default: &str) -> anyhow::Result<SocketAddr> {
    match given {
        Some(address) => Ok(address),
        None => default
            .parse()
            .with_context(|| format!("default address {default}")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KEY: &str = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";

    fn resolve(text: &str, args: PeerArgs) -> anyhow::Result<Option<PeerSettings>> {
        let table: PeersTable = toml::from_str(text)?;
        table.resolve(args)
    }

    #[test]
    fn links_are_off_until_somebody_asks_and_flags_go_over_the_file() {
        assert_eq!(resolve("", PeerArgs::default()).unwrap(), None);
        let file = format!("relays = [\"{KEY}@a:1\"]\nboxes = [3, 1]");
        let settings = resolve(&file, PeerArgs::default()).unwrap().unwrap();
        assert_eq!(settings.listen.to_string(), DEFAULT_LISTEN);
        assert_eq!(settings.known[0].1, "a:1");
        assert!(!settings.open && settings.boxes.contains(&3));
        let args = PeerArgs {
            peers: vec![format!("{KEY}@b:2"), format!("{KEY}@c:3")],
            peers_listen: Some("127.0.0.1:9".parse().unwrap()),
        };
        let settings = resolve(&file, args).unwrap().unwrap();
        assert_eq!((settings.known.len(), settings.listen.port()), (2, 9));
        let find = format!("[find]\npublic = \"me:1\"\nbootstrap = [\"{KEY}@127.0.0.1:5\"]");
        let settings = resolve(&find, PeerArgs::default()).unwrap().unwrap();
        assert!(settings.open && settings.find.unwrap().bootstrap.len() == 1);
    }

    #[test]
    fn what_is_wrong_is_named() {
        let error = |text: &str| format!("{:#}", resolve(text, PeerArgs::default()).unwrap_err());
        assert!(error("relays = [\"nobody\"]").contains("nobody"));
        assert!(error("boxes = [1]").contains("nobody to link with"));
        assert!(error("listen = \"127.0.0.1:1\"\nlinks = 65").contains("1 to 64"));
        assert!(error("listn = \"127.0.0.1:1\"").contains("listn"));
    }
}
