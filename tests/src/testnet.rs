//! A private net with what tests need on it.

use std::ops::Deref;

use neo_client::{Account, Actor, ContractParam, Hash160, Manifest, Nef, Receipt, RpcClient};
use phantasma::net::{PrivateNet, PrivateNetConfig};

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
}

impl Deref for TestNet {
    type Target = PrivateNet;

    fn deref(&self) -> &PrivateNet {
        &self.net
    }
}
