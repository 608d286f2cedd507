//! The contract of the sale on a real node, beside the contract that has the SOUL: ordinary transfers by neo-go's command
//! line buy.

mod vesting;

use std::time::{SystemTime, UNIX_EPOCH};

use neo_client::{
    Account, Actor, ContractParam, GAS, Hash160, Manifest, NEO, Nef, StackItem, contract_hash,
};
use num_bigint::BigInt;
use phantasma_sdk::contract::{DeployParams, Phantasma};
use phantasma_tests::{TestNet, all_artifacts, phantasma_artifacts};

use crate::foreign_wallet::Neogo;

const ONE: u64 = 1_0000_0000;
const DAY: u64 = 86_400_000;
const SUPPLY: u64 = 1_000_000 * ONE;

/// rateNeo, rateGas, bonus, cap, lockup, locks: public, presale, team.
const TIERS: [[u64; 6]; 3] = [
    [273 * ONE, 80 * ONE, 0, 1000 * ONE, 0, 0],
    [273 * ONE, 80 * ONE, 20, 5000 * ONE, 1, 1],
    [273 * ONE, 80 * ONE, 0, 5000 * ONE, 2, 2],
];
/// cliff, step, steps, reserve: presale, team, advisors.
const LOCKUPS: [[u64; 4]; 3] = [
    [0, 30, 3, 0],
    [180, 180, 4, 1000 * ONE],
    [90, 30, 12, 1000 * ONE],
];

/// The sale's NEF and manifest, compiled from its sources.
fn compiled_sale() -> (Nef, Manifest) {
    let sale = all_artifacts().sale;
    (sale.parse_nef().unwrap(), sale.parse_manifest().unwrap())
}

fn number(value: u64) -> ContractParam {
    ContractParam::Integer(BigInt::from(value))
}

fn rows<const N: usize>(rows: &[[u64; N]]) -> ContractParam {
    let row = |row: &[u64; N]| ContractParam::Array(row.map(number).to_vec());
    ContractParam::Array(rows.iter().map(row).collect())
}

/// Both contracts, an administrator, and a sale that has opened and ends in a day.
struct Market<'a> {
    net: &'a TestNet,
    soul: Hash160,
    sale: Hash160,
    admin: Actor,
    treasury: Hash160,
}

impl<'a> Market<'a> {
    async fn open(net: &'a TestNet) -> Self {
        let owner = net.funded_account(1000).await;
        let treasury = Account::random().unwrap().script_hash;
        let (nef, manifest) = compiled_sale();
        // Known before anything is deployed: from who deploys, the NEF's checksum and the name.
        let sale = contract_hash(&owner.script_hash, nef.checksum(), &manifest.name);
        let artifacts = phantasma_artifacts();
        let params = DeployParams {
            owner: owner.script_hash,
            initial_supply: SUPPLY,
            box_fee: ONE,
            content_base_fee: ONE,
            pool_share: 20,
            max_supply: 2 * SUPPLY,
            sale,
            proofs: Hash160::ZERO,
        };
        let (soul_nef, soul_manifest) = (
            artifacts.parse_nef().unwrap(),
            artifacts.parse_manifest().unwrap(),
        );
        let (soul, _) = Phantasma::deploy(net.rpc(), &owner, &soul_nef, &soul_manifest, &params)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        let data = ContractParam::Array(vec![
            soul.hash().into(),
            owner.script_hash.into(),
            treasury.into(),
            number(100_000 * ONE),
            number(now - DAY),
            number(now + DAY),
            number(now + 10 * DAY),
            rows(&TIERS),
            rows(&LOCKUPS),
        ]);
        let admin = net.actor(&owner);
        let (deployed, _) = admin
            .deploy(&nef, &manifest, data)
            .await
            .unwrap_or_else(|e| panic!("{e}"));
        assert_eq!(deployed, sale);
        Self {
            net,
            soul: soul.hash(),
            sale,
            admin,
            treasury,
        }
    }

    async fn whitelist(&self, address: &str, tier: u64) {
        let account = Hash160::from_address(address).unwrap();
        let list = ContractParam::Array(vec![account.into()]);
        let params = [list, number(tier)];
        self.admin
            .invoke(&self.sale, "whitelist", &params)
            .await
            .unwrap();
    }

    /// neo-go with a wallet of its own that has NEO and GAS and is in a tier.
    async fn buyer(&self, tier: u64) -> Neogo<'a> {
        let neogo = Neogo::with_own_wallet(self.net);
        let address = neogo.address();
        self.net.fund_neo(&address, 100).await.unwrap();
        self.net.fund_gas(&address, 50 * ONE).await.unwrap();
        self.whitelist(&address, tier).await;
        neogo
    }

    async fn balance(&self, token: &Hash160, of: &Hash160) -> u64 {
        let balance = self.net.rpc().balance_of(token, of).await.unwrap();
        u64::try_from(balance).unwrap()
    }

    async fn held(&self, token: &Hash160, by: &Neogo<'_>) -> u64 {
        let account = Hash160::from_address(&by.address()).unwrap();
        self.balance(token, &account).await
    }

    async fn numbers(&self, method: &str, params: &[ContractParam]) -> Vec<u64> {
        let result = self.admin.test(&self.sale, method, params).await.unwrap();
        assert_eq!(result.exception, None, "{method}");
        let fields = result.stack[0].as_array().unwrap();
        fields.iter().map(|f| f.as_u64().unwrap()).collect()
    }

    async fn locked(&self, of: &Neogo<'_>) -> Vec<u64> {
        let account = Hash160::from_address(&of.address()).unwrap();
        self.numbers("lockedOf", &[account.into()]).await
    }

    /// Balances that this test knows of add up to what there is.
    async fn check_supply(&self, buyers: &[&Neogo<'_>]) {
        let mut sum = self.balance(&self.soul, &self.sale).await;
        sum += self
            .balance(&self.soul, &self.admin.account().script_hash)
            .await;
        for buyer in buyers {
            sum += self.held(&self.soul, buyer).await;
        }
        let supply = self.admin.test(&self.soul, "totalSupply", &[]).await;
        assert_eq!(supply.unwrap().stack[0].as_u64().unwrap(), sum);
    }
}

/// `wallet nep17 transfer` to the sale.
fn contribute(
    neogo: &Neogo<'_>,
    sale: &Hash160,
    token: &str,
    amount: &str,
) -> Result<String, String> {
    let (from, to) = (neogo.address(), sale.to_address());
    let args = [
        "--from", &from, "--to", &to, "--token", token, "--amount", amount, "--force", "--await",
    ];
    neogo.nep17("transfer", &args)
}

#[tokio::test]
async fn neo_go_buys_in_three_tiers_and_gets_back_what_is_over_its_cap() {
    let net = TestNet::start().await;
    let market = Market::open(&net).await;
    let public = market.buyer(1).await;
    let presale = market.buyer(2).await;
    let team = market.buyer(3).await;

    // The cap has room for 3 NEO: 7 come back in the same transaction.
    let bought = contribute(&public, &market.sale, "NEO", "10").unwrap();
    assert!(bought.contains("HALT"), "{bought}");
    assert_eq!(market.held(&market.soul, &public).await, 819 * ONE);
    assert_eq!(market.held(&NEO, &public).await, 97);

    let bought = contribute(&presale, &market.sale, "GAS", "2.5").unwrap();
    assert!(bought.contains("HALT"), "{bought}");
    assert_eq!(market.held(&market.soul, &presale).await, 200 * ONE);
    assert_eq!(market.locked(&presale).await[0], 40 * ONE);

    // NEO lies on the sale's account now: the next transfer of NEO makes the node mint GAS to it.
    contribute(&team, &market.sale, "NEO", "1").unwrap();
    assert_eq!(market.held(&market.soul, &team).await, 0);
    assert_eq!(market.locked(&team).await[0], 273 * ONE);
    market.check_supply(&[&public, &presale, &team]).await;

    let ended = market.admin.invoke(&market.sale, "end", &[]).await.unwrap();
    let end = ended.event(&market.sale, "SaleChanged").unwrap().args()[2]
        .as_u64()
        .unwrap();
    assert_eq!(market.locked(&presale).await, [40 * ONE, end + 30 * DAY, 0]);
    assert_eq!(market.locked(&team).await, [273 * ONE, end + 360 * DAY, 0]);
    let late = contribute(&presale, &market.sale, "NEO", "1").unwrap_err();
    assert!(late.contains("sale: has ended"), "{late}");

    market
        .admin
        .invoke(&market.sale, "withdraw", &[])
        .await
        .unwrap();
    assert_eq!(market.balance(&NEO, &market.treasury).await, 4);
    assert!(market.balance(&GAS, &market.treasury).await >= 5 * ONE / 2);
    assert_eq!(market.balance(&NEO, &market.sale).await, 0);
    market.check_supply(&[&public, &presale, &team]).await;
}

#[tokio::test]
async fn a_node_refuses_strangers_other_tokens_and_what_only_the_administrator_may() {
    let net = TestNet::start().await;
    let market = Market::open(&net).await;
    let buyer = market.buyer(1).await;
    market.whitelist(&buyer.address(), 0).await;
    let stranger = contribute(&buyer, &market.sale, "NEO", "1").unwrap_err();
    assert!(stranger.contains("not on the whitelist"), "{stranger}");
    assert_eq!(market.held(&NEO, &buyer).await, 100);

    let soul = market.admin.transfer(&market.soul, &market.sale, 5).await;
    let refused = soul.unwrap_err().to_string();
    assert!(refused.contains("only NEO and GAS buy SOUL"), "{refused}");

    let other = net.actor(&net.funded_account(10).await);
    for method in ["pause", "end"] {
        let refused = other.invoke(&market.sale, method, &[]).await.unwrap_err();
        let refused = refused.to_string();
        assert!(refused.contains("only for the administrator"), "{refused}");
    }
    market
        .admin
        .invoke(&market.sale, "pause", &[])
        .await
        .unwrap();
    let phase = market.admin.test(&market.sale, "phase", &[]).await.unwrap();
    assert_eq!(phase.stack[0], StackItem::Integer(BigInt::from(2)));
    assert_eq!(market.numbers("tierInfo", &[number(2)]).await, TIERS[1]);
    assert_eq!(
        market.numbers("lockupInfo", &[number(2)]).await,
        [180, 180, 4, 1000 * ONE, 0]
    );
}
