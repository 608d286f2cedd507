//! The contract Phantasma, as the scenario needs it: it has the SOUL, the pool and the register of content.

use neo_client::{Account, Hash160};
use phantasma_sdk::contract::{ContentMode, ContentOrder, DeployParams, Phantasma, Priority};
use phantasma_tests::{TestNet, phantasma_artifacts};

use super::world::{POOL, whole_number};

const SUPPLY: u64 = 100_0000_0000_0000;
/// For content, in ms.
const PERIOD_MS: u64 = 30 * 86_400_000;

/// The deployed contract, and who has its SOUL.
pub(super) struct Soul {
    pub(super) hash: Hash160,
    pub(super) treasurer: Account,
}

impl Soul {
    /// The hash that the contract will have, which the other contract's `_deploy` needs before it is there.
    pub(super) fn hash_before(treasurer: &Account) -> Hash160 {
        let artifacts = phantasma_artifacts();
        artifacts.hash_by(&treasurer.script_hash).unwrap()
    }

    /// Deploys it; it trusts one contract with fees and rewards.
    pub(super) async fn deploy(net: &TestNet, treasurer: Account, trusted: &Hash160) -> Soul {
        let artifacts = phantasma_artifacts();
        let (nef, manifest) = (
            artifacts.parse_nef().unwrap(),
            artifacts.parse_manifest().unwrap(),
        );
        let params = DeployParams {
            owner: treasurer.script_hash,
            initial_supply: SUPPLY,
            // The fee of the one box that `fill` makes is the pool.
            box_fee: u64::try_from(POOL).unwrap(),
            // Contents cost nothing here, so that the pool has only what the ledger of the test knows.
            content_base_fee: 0,
            pool_share: 20,
            max_supply: SUPPLY,
            sale: Hash160::ZERO,
            proofs: *trusted,
        };
        let deployed = Phantasma::deploy(net.rpc(), &treasurer, &nef, &manifest, &params).await;
        let (phantasma, _) = deployed.unwrap_or_else(|e| panic!("{e}"));
        let hash = phantasma.hash();
        assert_eq!(hash, Soul::hash_before(&treasurer));
        Soul { hash, treasurer }
    }

    /// Gives an account SOUL.
    pub(super) async fn give(&self, net: &TestNet, to: &Account, amount: i64) {
        let amount = u64::try_from(amount).unwrap();
        self.phantasma(net)
            .transfer(&self.treasurer, &to.script_hash, amount)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
    }

    /// Gives the storage pool its SOUL: what a box costs.
    pub(super) async fn fill(&self, net: &TestNet, amount: i64) {
        assert_eq!(amount, POOL);
        let gate = phantasma_vm::free_gate();
        let made = self.phantasma(net);
        let made = made.create_box(&self.treasurer, "pool", &gate).await;
        made.unwrap_or_else(|e| panic!("{e}"));
    }

    /// Registers a content until a time in ms since 1970, or up to a period longer.
    pub(super) async fn register(&self, net: &TestNet, root: [u8; 32], size: u64, expiry: i64) {
        let last = net.last_block().await.time_ms;
        let lasts = u64::try_from(expiry).unwrap().saturating_sub(last);
        let order = ContentOrder {
            root,
            size,
            mode: ContentMode::ReadOnly,
            priority: Priority::Low,
            periods: u32::try_from(lasts.div_ceil(PERIOD_MS)).unwrap(),
            max_payment: 0,
        };
        let phantasma = self.phantasma(net);
        let created = phantasma.create_content(&self.treasurer, &order).await;
        created.unwrap_or_else(|e| panic!("{e}"));
    }

    pub(super) async fn balance(&self, net: &TestNet, of: &Account) -> i64 {
        whole_number(net, &self.hash, "balanceOf", &[of.script_hash.into()]).await
    }

    pub(super) async fn pool(&self, net: &TestNet) -> i64 {
        whole_number(net, &self.hash, "poolBalance", &[]).await
    }

    fn phantasma(&self, net: &TestNet) -> Phantasma {
        Phantasma::new(net.rpc(), self.hash)
    }
}
