//! Where the servers of this machine keep their data and which ports they want: what they would be told themselves, from
//! their environment, their TOML file and their defaults.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use phantasma_relay::config::{DEFAULT_DATA, DEFAULT_LISTEN, DEFAULT_OPS};

use super::held::Protocol;

/// A port that a server wants.
#[derive(Debug)]
pub struct PortSetting {
    /// As the file calls it; the environment says the same in capitals.
    pub key: &'static str,
    pub protocol: Protocol,
    pub default: &'static str,
}

/// One of the two servers.
#[derive(Debug)]
pub struct ServerKind {
    pub program: &'static str,
    /// Of its environment variables.
    prefix: &'static str,
    data: &'static str,
    /// File in the data folder that a running server holds locked.
    pub lock: &'static str,
    pub ports: &'static [PortSetting],
}

pub const RELAY: ServerKind = ServerKind {
    program: "phantasma-relay",
    prefix: "PHANTASMA_RELAY_",
    data: DEFAULT_DATA,
    lock: "lock",
    ports: &[
        PortSetting {
            key: "listen",
            protocol: Protocol::Udp,
            default: DEFAULT_LISTEN,
        },
        PortSetting {
            key: "ops",
            protocol: Protocol::Tcp,
            default: DEFAULT_OPS,
        },
    ],
};

/// The storage node's crate is not linked, for RocksDB's sake; a test compares its defaults with its own help text.
pub const NODE: ServerKind = ServerKind {
    program: "phantasma-pdfs",
    prefix: "PHANTASMA_PDFS_",
    data: "pdfs-data",
    lock: "LOCK",
    ports: &[
        PortSetting {
            key: "listen",
            protocol: Protocol::Udp,
            default: "0.0.0.0:4200",
        },
        PortSetting {
            key: "control",
            protocol: Protocol::Udp,
            default: "0.0.0.0:4201",
        },
        PortSetting {
            key: "http",
            protocol: Protocol::Tcp,
            default: "127.0.0.1:4202",
        },
    ],
};

impl ServerKind {
    /// Setting and default of each value that a server and this module both know.
    pub fn defaults(&self) -> Vec<(&'static str, &'static str)> {
        let ports = self.ports.iter().map(|port| (port.key, port.default));
        std::iter::once(("data", self.data)).chain(ports).collect()
    }
}

/// What the command line says of a server.
#[derive(Clone, Debug, Default)]
pub struct Place {
    pub config: Option<PathBuf>,
    pub data: Option<PathBuf>,
}

/// A server as it is set up on this machine.
#[derive(Debug)]
pub struct Server {
    pub kind: &'static ServerKind,
    pub data: PathBuf,
    /// In the order of the kind's ports.
    pub ports: Vec<SocketAddr>,
    /// Why its file or environment cannot be understood.
    pub error: Option<String>,
    /// Somebody named it, or its data folder is there.
    pub set_up: bool,
}

impl Server {
    /// Finds a server's settings. `variable` reads the environment.
    pub fn find(
        kind: &'static ServerKind,
        place: Place,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Self {
        let variable = |key: &str| variable(&format!("{}{}", kind.prefix, key.to_uppercase()));
        let config = place
            .config
            .or_else(|| variable("config").map(PathBuf::from));
        let (table, mut error) = match config.as_deref().map(read) {
            None => (toml::Table::new(), None),
            Some(Ok(table)) => (table, None),
            Some(Err(error)) => (toml::Table::new(), Some(format!("{error:#}"))),
        };
        let setting = |key: &str| {
            let in_file = || Some(table.get(key)?.as_str()?.to_owned());
            variable(key).or_else(in_file)
        };
        let named = place.data.or_else(|| setting("data").map(PathBuf::from));
        let set_up = config.is_some() || named.is_some() || Path::new(kind.data).is_dir();
        let mut ports = Vec::new();
        for port in kind.ports {
            let text = setting(port.key).unwrap_or_else(|| port.default.to_owned());
            match text.parse() {
                Ok(address) => ports.push(address),
                Err(_) => {
                    error = Some(format!("{} = \"{text}\" is no IP:PORT", port.key));
                }
            }
        }
        Self {
            kind,
            data: named.unwrap_or_else(|| kind.data.into()),
            ports,
            error,
            set_up,
        }
    }
}

fn read(path: &Path) -> Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("{} is no TOML", path.display()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_environment_goes_over_the_file_and_that_over_defaults() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("relay.toml");
        std::fs::write(&file, "listen = \"1.2.3.4:5\"\nops = \"127.0.0.1:6\"\n").unwrap();
        let place = Place {
            config: Some(file),
            data: None,
        };
        let relay = Server::find(&RELAY, place, |name| {
            (name == "PHANTASMA_RELAY_LISTEN").then(|| "127.0.0.1:7".to_owned())
        });
        assert_eq!(relay.ports[0], "127.0.0.1:7".parse().unwrap());
        assert_eq!(relay.ports[1], "127.0.0.1:6".parse().unwrap());
        assert_eq!(relay.data, Path::new("relay-data"));
        assert!(relay.set_up && relay.error.is_none());
    }

    #[test]
    fn what_cannot_be_understood_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("node.toml");
        std::fs::write(&file, "listen = \"everywhere\"\n").unwrap();
        let place = Place {
            config: Some(file),
            data: None,
        };
        let node = Server::find(&NODE, place, |_| None);
        assert!(node.error.unwrap().contains("everywhere"));
    }
}
