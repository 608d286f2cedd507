//! A private net with what tests need on it.

use std::ops::Deref;
use std::path::Path;

use neo_client::{Account, Actor, ContractParam, Hash160, Manifest, Nef, Receipt, RpcClient};
use phantasma::contract::{self, Artifacts, Params, Trio};
use phantasma::net::{PrivateNet, PrivateNetConfig};

/// The Phantasma contract on a [`TestNet`].
#[derive(Clone, Debug)]
pub struct DeployedPhantasma {
    pub hash: Hash160,
    /// Deployed it and holds the whole supply; has some 950 GAS.
    pub owner: Account,
    pub params: Params,
    pub artifacts: Artifacts,
    pub receipt: Receipt,
    /// The contract of the sale, whose administrator and treasury is the owner.
    pub sale: Hash160,
    /// The contract of nodes, proofs and rewards.
    pub proofs: Hash160,
}

impl DeployedPhantasma {
    /// A fault's message with its place in the contract's source, for a test that fails.
    pub fn explain(&self, message: &str) -> String {
        phantasma::refusal::place(message, &self.artifacts).map_or_else(
            || message.to_owned(),
            |place| format!("{message}\n  {place}"),
        )
    }
}

/// Deployment, and a thousand transactions.
const OWNER_GAS: u64 = 1000;

/// Contract artefacts of a folder are used instead of compiling, when this names one.
const ARTIFACTS_ENV: &str = "PHANTASMA_TEST_ARTIFACTS";

/// The Phantasma contract, compiled or from the folder that the environment names.
pub fn phantasma_artifacts() -> Artifacts {
    all_artifacts().phantasma
}

/// The three contracts, compiled or from the folder that the environment names.
pub fn all_artifacts() -> Trio<Artifacts> {
    let artifacts = match std::env::var_os(ARTIFACTS_ENV) {
        Some(folder) => Artifacts::load_all(Path::new(&folder)),
        None => Artifacts::compile_all(None),
    };
    artifacts.unwrap_or_else(|e| panic!("{e:#}"))
}

/// A private net of one test. Derefs to [`PrivateNet`].
#[derive(Debug)]
pub struct TestNet {
    net: PrivateNet,
    rpc: RpcClient,
}

impl TestNet {
    /// A fresh chain with 200 ms blocks on free ports.
    pub async fn start() -> Self {
        Self::with(PrivateNetConfig::default()).await
    }

    pub async fn with(config: PrivateNetConfig) -> Self {
        let net = PrivateNet::start(config)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let rpc = RpcClient::new(net.rpc_url());
        Self { net, rpc }
    }

    pub fn rpc(&self) -> RpcClient {
        self.rpc.clone()
    }

    /// A new account with so many whole GAS.
    pub async fn funded_account(&self, gas: u64) -> Account {
        let account = Account::random().expect("random numbers");
        self.fund_gas(&account.address, gas * 1_0000_0000)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        account
    }

    /// Who acts on this net with an account.
    pub fn actor(&self, account: &Account) -> Actor {
        Actor::new(self.rpc(), account.clone())
    }

    /// Deploys any contract from its two files' contents; `data` is what its `_deploy` receives.
    pub async fn deploy_contract(
        &self,
        deployer: &Account,
        nef: &[u8],
        manifest: &str,
        data: ContractParam,
    ) -> (Hash160, Receipt) {
        let nef = Nef::from_bytes(nef).unwrap_or_else(|e| panic!("{e}"));
        let manifest = Manifest::from_json(manifest).unwrap_or_else(|e| panic!("{e}"));
        self.actor(deployer)
            .deploy(&nef, &manifest, data)
            .await
            .unwrap_or_else(|e| panic!("{e}"))
    }

    /// Compiles the three contracts (a fifth of a second) and deploys them with the project's own parameters.
    pub async fn deploy_phantasma(&self) -> DeployedPhantasma {
        self.deploy_phantasma_with(Params::load(None).expect("the built-in parameters"))
            .await
    }

    /// The same with other parameters.
    pub async fn deploy_phantasma_with(&self, params: Params) -> DeployedPhantasma {
        let artifacts = all_artifacts();
        let owner = self.funded_account(OWNER_GAS).await;
        let deployed =
            contract::deploy(&self.actor(&owner), &artifacts, &owner.script_hash, &params).await;
        let contract::Deployed { hashes, receipts } = deployed.unwrap_or_else(|e| panic!("{e:#}"));
        DeployedPhantasma {
            hash: hashes.phantasma,
            owner,
            params,
            artifacts: artifacts.phantasma,
            receipt: receipts.phantasma.expect("a new chain has no contract"),
            sale: hashes.sale,
            proofs: hashes.proofs,
        }
    }
}

impl Deref for TestNet {
    type Target = PrivateNet;

    fn deref(&self) -> &PrivateNet {
        &self.net
    }
}
