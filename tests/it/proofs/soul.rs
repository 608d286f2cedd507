//! The contract that has the SOUL and the register of content, as the scenario needs it. It is the small stand-in of the
//! native tests; to have the scenario over another contract, this file alone changes.

use neo_client::{Account, ContractParam, Hash160, Nef, contract_hash};
use phantasma_tests::TestNet;

use super::world::{deploy, whole_number};

const SOURCE: &str = include_str!("../../../contract/proofs/tests/kit/bank.rs");

/// The deployed contract, and who may hand out its SOUL.
pub(super) struct Soul {
    pub(super) hash: Hash160,
    pub(super) treasurer: Account,
}

impl Soul {
    /// The hash that the contract will have, which the other contract's `_deploy` needs before it is there.
    pub(super) fn hash_before(treasurer: &Account) -> Hash160 {
        let nef = Nef::from_bytes(&compiled().nef).unwrap();
        contract_hash(&treasurer.script_hash, nef.checksum(), "Phantasma")
    }

    /// Deploys it; it trusts one contract with fees and rewards.
    pub(super) async fn deploy(net: &TestNet, treasurer: Account, trusted: &Hash160) -> Soul {
        let data = ContractParam::bytes(trusted.0);
        let hash = deploy(net, &treasurer, &compiled(), data).await;
        assert_eq!(hash, Soul::hash_before(&treasurer));
        Soul { hash, treasurer }
    }

    /// Gives an account SOUL.
    pub(super) async fn give(&self, net: &TestNet, to: &Account, amount: i64) {
        self.invoke(net, "give", &[to.script_hash.into(), amount.into()])
            .await;
    }

    /// Gives the storage pool SOUL.
    pub(super) async fn fill(&self, net: &TestNet, amount: i64) {
        self.invoke(net, "fill", &[amount.into()]).await;
    }

    /// Registers a content until a time in ms since 1970.
    pub(super) async fn register(&self, net: &TestNet, root: [u8; 32], size: u64, expiry: i64) {
        let params = [
            ContractParam::bytes(root.to_vec()),
            size.into(),
            expiry.into(),
        ];
        self.invoke(net, "register", &params).await;
    }

    pub(super) async fn balance(&self, net: &TestNet, of: &Account) -> i64 {
        whole_number(net, &self.hash, "balanceOf", &[of.script_hash.into()]).await
    }

    pub(super) async fn pool(&self, net: &TestNet) -> i64 {
        whole_number(net, &self.hash, "poolBalance", &[]).await
    }

    async fn invoke(&self, net: &TestNet, method: &str, params: &[ContractParam]) {
        let actor = net.actor(&self.treasurer);
        actor
            .invoke(&self.hash, method, params)
            .await
            .unwrap_or_else(|e| panic!("{method}: {e}"));
    }
}

fn compiled() -> neoc::Contract {
    let files = std::collections::BTreeMap::from([("lib.rs".to_owned(), SOURCE.to_owned())]);
    neoc::compile(&files, "lib.rs", &[]).unwrap_or_else(|e| panic!("{e}"))
}
