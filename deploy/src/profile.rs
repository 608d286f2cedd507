//! `phantasma.toml`: what the commands of one folder need to know. The command line and the environment come first.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, bail};
use neo_client::{Hash160, PublicKey};
use serde::{Deserialize, Serialize};

use crate::net::NETWORK_MAGIC;

/// The file's name in the folder (`--dir`, by default `.phantasma`).
pub const FILE: &str = "phantasma.toml";

/// Everything is optional: a fresh folder has no file at all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// JSON-RPC of a Neo node, such as `http://127.0.0.1:30333`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rpc_url: Option<String>,
    /// The network magic that this node must have: that of the chain where the contract is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<u32>,
    /// The deployed contract, `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contract: Option<String>,
    /// The contract of the sale that belongs to it, `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale: Option<String>,
    /// The contract of nodes, proofs and rewards that belongs to it, `0x…`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proofs: Option<String>,
    /// NEP-6 wallet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wallet: Option<PathBuf>,
    /// The relay to publish to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub relay: Option<Peer>,
    /// Storage nodes, `<public key>@<address>:<port>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nodes: Vec<Peer>,
    /// Others by their name, for `--profile`; [`BUILT_IN`] holds those that need no entry.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub profiles: BTreeMap<String, Profile>,
}

/// Networks that everybody knows: name, a public JSON-RPC endpoint, network magic. An entry of the same name in the file
/// goes before.
pub const BUILT_IN: [(&str, &str, u32); 3] = [
    ("mainnet", "http://seed1.neo.org:10332", 860_833_102),
    ("testnet", "http://seed1t5.neo.org:20332", 894_710_606),
    ("private", "http://127.0.0.1:30333", NETWORK_MAGIC),
];

impl Profile {
    /// Reads the folder's profile; an absent file is an empty profile.
    pub fn load(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => toml::from_str(&text)
                .with_context(|| format!("{} is not a valid profile", path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
        }
    }

    /// Writes the whole file; a reader never sees half of it.
    pub fn save(&self, dir: &Path) -> Result<()> {
        fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        let path = dir.join(FILE);
        let scratch = dir.join(format!("{FILE}.{}", std::process::id()));
        fs::write(&scratch, toml::to_string(self)?)
            .with_context(|| format!("writing {}", scratch.display()))?;
        fs::rename(&scratch, &path).with_context(|| format!("writing {}", path.display()))
    }

    /// The profile of a name, or the file's own without one. A named one has nothing of the file's own but the wallet:
    /// contracts and servers belong to a network, a wallet to a person.
    ///
    /// # Errors
    /// Nothing has this name.
    pub fn named(mut self, name: Option<&str>) -> Result<Self> {
        let wallet = self.wallet.clone();
        let mut profile = match name {
            None => return Ok(self),
            Some(name) => std::mem::take(self.entry(name)?),
        };
        profile.wallet = profile.wallet.or(wallet);
        Ok(profile)
    }

    /// Where that profile is, to be changed; one that is built in becomes an entry.
    ///
    /// # Errors
    /// Nothing has this name.
    pub fn entry(&mut self, name: &str) -> Result<&mut Self> {
        if !self.profiles.contains_key(name) {
            let Some((_, rpc_url, network)) = BUILT_IN.iter().find(|known| known.0 == name) else {
                let own = self.profiles.keys().map(String::as_str);
                let known: Vec<&str> = own.chain(BUILT_IN.iter().map(|known| known.0)).collect();
                bail!(
                    "there is no profile \"{name}\", only {}; add a table [profiles.{name}] to {FILE}",
                    known.join(", ")
                );
            };
            let made = Self {
                rpc_url: Some((*rpc_url).to_owned()),
                network: Some(*network),
                ..Self::default()
            };
            self.profiles.insert(name.to_owned(), made);
        }
        Ok(self.profiles.entry(name.to_owned()).or_default())
    }

    /// Makes a wallet the default one if there is none yet. The wallet of a relay or a friend, made or filled in
    /// passing, must not become the one that pays from now on.
    pub fn adopt_wallet(&mut self, made: PathBuf) {
        if self.wallet.as_ref().is_none_or(|known| !known.exists()) {
            self.wallet = Some(made);
        }
    }

    /// The contract's hash, if one is recorded.
    pub fn contract_hash(&self) -> Result<Option<Hash160>> {
        hash("contract", &self.contract)
    }

    /// The hash of the sale's contract, if one is recorded.
    pub fn sale_hash(&self) -> Result<Option<Hash160>> {
        hash("sale", &self.sale)
    }

    /// The hash of the proofs' contract, if one is recorded.
    pub fn proofs_hash(&self) -> Result<Option<Hash160>> {
        hash("proofs", &self.proofs)
    }
}

fn hash(name: &str, text: &Option<String>) -> Result<Option<Hash160>> {
    let Some(text) = text else {
        return Ok(None);
    };
    match text.parse() {
        Ok(hash) => Ok(Some(hash)),
        Err(error) => bail!("{name} = \"{text}\" in {FILE}: {error}"),
    }
}

/// A relay or storage node: the key it proves on connection, and where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    pub key: PublicKey,
    /// `host:port`, looked up when it is used.
    pub address: String,
}

impl FromStr for Peer {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shape = || format!("\"{text}\" is not <33-byte public key in hex>@<host>:<port>");
        let (key, address) = text.split_once('@').ok_or_else(shape)?;
        let key = key.parse().map_err(|e| format!("{}: {e}", shape()))?;
        let port = address
            .rsplit_once(':')
            .and_then(|(host, port)| (!host.is_empty()).then_some(port));
        if port.is_none_or(|port| port.parse::<u16>().is_err()) {
            return Err(shape());
        }
        Ok(Self {
            key,
            address: address.to_owned(),
        })
    }
}

impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", hex::encode(self.key.0), self.address)
    }
}

impl Serialize for Peer {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Peer {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const PEER: &str =
        "03470f900f012dd16f2d79560b0af00b07295678c4092105f7f8bfbbcad170c8f5@127.0.0.1:4001";

    #[test]
    fn a_profile_comes_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Profile::load(dir.path()).unwrap(), Profile::default());
        let profile = Profile {
            rpc_url: Some("http://127.0.0.1:30333".into()),
            network: Some(860_833_102),
            contract: Some("0xd2a4cff31913016155e38e474a2c06d08be276cf".into()),
            sale: Some("0xd2a4cff31913016155e38e474a2c06d08be276c0".into()),
            proofs: Some("0xd2a4cff31913016155e38e474a2c06d08be276c1".into()),
            wallet: Some("wallet.json".into()),
            relay: Some(PEER.parse().unwrap()),
            nodes: vec![PEER.parse().unwrap()],
            profiles: BTreeMap::from([("mine".to_owned(), Profile::default())]),
        };
        profile.save(dir.path()).unwrap();
        assert_eq!(Profile::load(dir.path()).unwrap(), profile);
    }

    #[test]
    fn a_named_profile_has_its_own_network_and_the_common_wallet() {
        let text = "rpc_url = \"http://a\"\ncontract = \"0x1\"\nwallet = \"w.json\"\n\
                    [profiles.mine]\nrpc_url = \"http://b\"\nnetwork = 7\n";
        let file: Profile = toml::from_str(text).unwrap();
        let get = |name| file.clone().named(name);
        assert_eq!(get(None).unwrap(), file);
        let mine = get(Some("mine")).unwrap();
        assert_eq!(
            (mine.rpc_url.as_deref(), mine.network),
            (Some("http://b"), Some(7))
        );
        assert_eq!((mine.contract, mine.wallet), (None, Some("w.json".into())));
        assert_eq!(get(Some("testnet")).unwrap().network, Some(894_710_606));
        let error = get(Some("nets")).unwrap_err().to_string();
        assert!(error.contains("mine, mainnet, testnet, private"), "{error}");

        let mut changed = file.clone();
        changed.entry("testnet").unwrap().contract = Some("0x2".into());
        let back: Profile = toml::from_str(&toml::to_string(&changed).unwrap()).unwrap();
        assert_eq!(back, changed);
        assert_eq!(
            back.named(Some("testnet")).unwrap().contract.as_deref(),
            Some("0x2")
        );
    }

    #[test]
    fn only_the_first_wallet_becomes_the_default() {
        let dir = tempfile::tempdir().unwrap();
        let (mine, relays) = (dir.path().join("mine"), dir.path().join("relays"));
        fs::write(&mine, "").unwrap();
        let mut profile = Profile::default();
        profile.adopt_wallet(mine.clone());
        profile.adopt_wallet(relays.clone());
        assert_eq!(profile.wallet.as_ref(), Some(&mine));
        fs::remove_file(&mine).unwrap();
        profile.adopt_wallet(relays.clone());
        assert_eq!(profile.wallet, Some(relays));
    }

    #[test]
    fn a_damaged_profile_is_named_with_its_line() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(FILE), "rpc_url = \"x\"\nrcp = 1\n").unwrap();
        let error = format!("{:#}", Profile::load(dir.path()).unwrap_err());
        assert!(
            error.contains("phantasma.toml") && error.contains("rcp"),
            "{error}"
        );
    }

    #[test]
    fn a_peer_needs_key_host_and_port() {
        assert_eq!(PEER.parse::<Peer>().unwrap().to_string(), PEER);
        for text in [
            "",
            "127.0.0.1:4001",
            "03@127.0.0.1:1",
            &PEER[..66],
            &format!("{}@:1", &PEER[..66]),
            &PEER[..PEER.len() - 5],
        ] {
            assert!(text.parse::<Peer>().is_err(), "{text}");
        }
    }
}
