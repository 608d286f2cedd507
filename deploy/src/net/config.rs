//! The node's configuration file.

use std::path::PathBuf;

use super::validator;

/// "PHM1" read as a big-endian number: a network of our own, so that no transaction of it is valid elsewhere.
pub const NETWORK_MAGIC: u32 = 0x5048_4D31;

/// Every hardfork neo-go 0.120.0 knows. A section that lists only some leaves the later ones off.
pub const HARDFORKS: [&str; 7] = [
    "Aspidochelone",
    "Basilisk",
    "Cockatrice",
    "Domovoi",
    "Echidna",
    "Faun",
    "Gorgon",
];

/// MainNet's limit of system fees in one block, and so of one transaction, in datoshi (20 GAS).
pub const MAX_BLOCK_SYSTEM_FEE: u64 = 20_0000_0000;

/// MainNet's public limit for a test invocation, in GAS.
pub const MAX_GAS_INVOKE: u32 = 15;

/// Where a node keeps its chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory: gone when the node stops. For tests.
    Memory,
    /// BoltDB in the net's folder.
    Disk,
}

/// What varies between our private nets.
#[derive(Clone, Debug)]
pub struct NodeConfig {
    /// Folder of the chain; must be absolute, the node is not started from it.
    pub dir: PathBuf,
    pub rpc_port: u16,
    pub block_time_ms: u32,
    pub store: Store,
    /// Limit of a test invocation, in GAS.
    pub max_gas_invoke: u32,
}

impl NodeConfig {
    /// The text of the YAML file. Written by hand: a fixed text with a few holes needs no serialiser.
    pub fn to_yaml(&self) -> String {
        let hardforks: String = HARDFORKS
            .iter()
            .map(|name| format!("    {name}: 0\n"))
            .collect();
        let store = match self.store {
            Store::Memory => "inmemory",
            Store::Disk => "boltdb",
        };
        format!(
            r#"ProtocolConfiguration:
  Magic: {NETWORK_MAGIC}
  MaxTraceableBlocks: 200000
  MaxBlockSystemFee: {MAX_BLOCK_SYSTEM_FEE}
  InitialGASSupply: 52000000
  TimePerBlock: {block_time_ms}ms
  MemPoolSize: 50000
  MaxBlockSize: 2097152
  MaxTransactionsPerBlock: 512
  StandbyCommittee:
    - {public_key}
  ValidatorsCount: 1
  SeedList: []
  VerifyTransactions: true
  P2PSigExtensions: false
  StateRootInHeader: false
  Hardforks:
{hardforks}ApplicationConfiguration:
  LogLevel: info
  SkipBlockVerification: false
  DBConfiguration:
    Type: {store}
    BoltDBOptions:
      FilePath: {chain:?}
  P2P:
    Addresses: ["127.0.0.1:0"]
    DialTimeout: 3s
    ProtoTickInterval: 2s
    PingInterval: 30s
    PingTimeout: 90s
    MinPeers: 0
    MaxPeers: 4
  Relay: true
  Consensus:
    Enabled: true
    UnlockWallet:
      Path: {wallet:?}
      Password: {password:?}
  RPC:
    Enabled: true
    Addresses: ["127.0.0.1:{rpc_port}"]
    MaxGasInvoke: {max_gas_invoke}
    MaxWebSocketClients: 256
    SessionEnabled: true
    SessionLifetime: 60s
    SessionPoolSize: 256
  Prometheus:
    Enabled: false
  Pprof:
    Enabled: false
"#,
            block_time_ms = self.block_time_ms,
            max_gas_invoke = self.max_gas_invoke,
            public_key = validator::PUBLIC_KEY,
            chain = self.dir.join("chain.bolt").display().to_string(),
            wallet = self.dir.join(validator::WALLET_FILE).display().to_string(),
            password = validator::PASSWORD,
            rpc_port = self.rpc_port,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn yaml() -> String {
        NodeConfig {
            dir: "/net".into(),
            rpc_port: 30333,
            block_time_ms: 200,
            store: Store::Disk,
            max_gas_invoke: MAX_GAS_INVOKE,
        }
        .to_yaml()
    }

    #[test]
    fn every_hardfork_is_on_from_the_first_block() {
        for name in HARDFORKS {
            assert!(yaml().contains(&format!("    {name}: 0\n")), "{name}");
        }
    }

    #[test]
    fn the_limits_are_those_of_the_main_net() {
        assert!(yaml().contains("MaxBlockSystemFee: 2000000000\n"));
        assert!(yaml().contains("MaxGasInvoke: 15\n"));
    }

    #[test]
    fn nothing_listens_beyond_this_machine() {
        let text = yaml();
        let addresses: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("Addresses:"))
            .collect();
        assert_eq!(
            addresses,
            [
                "    Addresses: [\"127.0.0.1:0\"]",
                "    Addresses: [\"127.0.0.1:30333\"]"
            ]
        );
    }
}
