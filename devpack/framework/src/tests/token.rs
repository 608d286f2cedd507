//! A token, its payments into other contracts, and the native tokens.

use crate::chain::{Chain, Deployment, Signer};
use crate::gas_token;
use crate::hash::Hash160;
use crate::int::int;
use crate::item::Item;

#[neo_framework::contract(name = "Coin", standards = ["NEP-17"], permissions = "*")]
mod coin {
    use crate::prelude::*;

    const SUPPLY: Bytes = bytes(b"s");
    const BALANCE: Bytes = bytes(b"b");

    #[event(name = "Transfer")]
    fn emit_transfer(from: Option<Hash160>, to: Option<Hash160>, amount: Int) {}

    fn balance_key(account: &Hash160) -> Bytes {
        BALANCE.concat(&account.as_bytes())
    }

    fn add(account: &Hash160, amount: Int) {
        let balance = storage::get_int(&balance_key(account)) + amount;
        assert!(balance >= 0, "negative balance");
        storage::put_int(&balance_key(account), balance);
    }

    #[method(safe)]
    pub fn symbol() -> Text {
        text("COIN")
    }

    #[method(safe)]
    pub fn total_supply() -> Int {
        storage::get_int(&SUPPLY)
    }

    #[method(safe)]
    pub fn balance_of(account: Hash160) -> Int {
        storage::get_int(&balance_key(&account))
    }

    #[method]
    pub fn transfer(from: Hash160, to: Hash160, amount: Int, data: Any) -> bool {
        assert!(amount >= 0, "amount must not be negative");
        if !runtime::check_witness(&from) {
            return false;
        }
        if storage::get_int(&balance_key(&from)) < amount {
            return false;
        }
        add(&from, -amount);
        add(&to, amount);
        emit_transfer(Some(from.clone()), Some(to.clone()), amount);
        if management::is_contract(&to) {
            let args = array![from.into_any(), amount.into_any(), data];
            contracts::call(&to, &text("onNEP17Payment"), contracts::ALL, args);
        }
        true
    }

    #[method(name = "_deploy")]
    pub fn deploy(data: Any, update: bool) {
        assert!(!update, "no updates");
        let data = data.as_array();
        let owner = data.get(0).as_hash160();
        let supply = data.get(1).as_int();
        storage::put_int(&SUPPLY, supply);
        add(&owner, supply);
        emit_transfer(None, Some(owner), supply);
    }
}

#[neo_framework::contract(name = "Vault")]
mod vault {
    use crate::prelude::*;

    #[event]
    fn paid(token: Hash160, from: Option<Hash160>, amount: Int, data: Any) {}

    #[method(name = "onNEP17Payment")]
    pub fn on_payment(from: Option<Hash160>, amount: Int, data: Any) {
        assert!(amount != 13, "unlucky amount");
        storage::put_int(&bytes(b"last"), amount);
        paid(runtime::calling_script_hash(), from, amount, data);
    }
}

struct World {
    chain: Chain,
    coin: Hash160,
    vault: Hash160,
    alice: Hash160,
}

impl World {
    fn new() -> World {
        let chain = Chain::new();
        let alice = chain.account("alice").hash;
        let signer = [Signer::called_by_entry(&alice)];
        let data = Item::array(vec![account(&alice), Item::integer(1000)]);
        let coin = deployed(chain.deploy(&signer, coin::CONTRACT, data));
        let vault = deployed(chain.deploy(&signer, vault::CONTRACT, Item::Null));
        World {
            chain,
            coin,
            vault,
            alice,
        }
    }

    fn balance(&self, of: &Hash160) -> Item {
        self.chain
            .invoke(&[], &self.coin, "balanceOf", vec![account(of)])
            .result()
    }

    fn transfer(&self, signer: &Signer, to: &Hash160, amount: i64) -> crate::chain::Outcome {
        let args = vec![
            account(&self.alice),
            account(to),
            Item::integer(amount),
            Item::text("note"),
        ];
        self.chain
            .invoke(std::slice::from_ref(signer), &self.coin, "transfer", args)
    }
}

fn deployed(deployment: Deployment) -> Hash160 {
    assert!(deployment.outcome.is_halt(), "{:?}", deployment.outcome);
    deployment.hash
}

fn account(hash: &Hash160) -> Item {
    Item::ByteString(hash.as_bytes())
}

fn bob() -> Hash160 {
    Chain::new().account("bob").hash
}

#[test]
fn deploying_mints_the_supply_and_says_so() {
    let chain = Chain::new();
    let alice = chain.account("alice");
    let data = Item::array(vec![account(&alice.hash), Item::integer(5)]);
    let deployment = chain.deploy(&[alice.signer()], coin::CONTRACT, data);
    let event = &deployment.outcome.events[0];
    assert_eq!(
        (event.name.as_str(), &event.contract),
        ("Transfer", &deployment.hash)
    );
    assert_eq!(
        event.args,
        [Item::Null, account(&alice.hash), Item::integer(5)]
    );
    let again = chain.deploy(&[alice.signer()], coin::CONTRACT, Item::Null);
    assert_eq!(again.outcome.fault(), "contract already exists: Coin");
}

#[test]
fn a_deployment_that_faults_leaves_no_contract() {
    let chain = Chain::new();
    let failed = chain.deploy(&[], coin::CONTRACT, Item::integer(1));
    assert!(!failed.outcome.is_halt());
    assert_eq!(chain.storage(&failed.hash).len(), 0);
    let called = chain.invoke(&[], &failed.hash, "symbol", vec![]);
    assert!(called.fault().contains("not found"), "{}", called.fault());
}

#[test]
fn the_owner_can_pay() {
    let world = World::new();
    let outcome = world.transfer(&Signer::called_by_entry(&world.alice), &bob(), 300);
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(
        (world.balance(&world.alice), world.balance(&bob())),
        (Item::integer(700), Item::integer(300))
    );
    assert_eq!(outcome.events_named("Transfer").len(), 1);
}

#[test]
fn nobody_else_can_pay_for_the_owner() {
    let world = World::new();
    for signer in [
        Signer::called_by_entry(&bob()),
        Signer::fee_only(&world.alice),
    ] {
        assert_eq!(
            world.transfer(&signer, &bob(), 1).result(),
            Item::Boolean(false)
        );
    }
    assert_eq!(world.balance(&world.alice), Item::integer(1000));
}

#[test]
fn a_receiving_contract_is_told_who_paid_in_which_token() {
    let world = World::new();
    let outcome = world.transfer(&Signer::called_by_entry(&world.alice), &world.vault, 12);
    let paid = outcome.events_named("paid")[0];
    assert_eq!(paid.contract, world.vault);
    assert_eq!(
        paid.args,
        [
            account(&world.coin),
            account(&world.alice),
            Item::integer(12),
            Item::text("note")
        ]
    );
}

#[test]
fn a_callback_that_faults_undoes_the_payment() {
    let world = World::new();
    let before = (
        world.chain.storage(&world.coin),
        world.chain.storage(&world.vault),
    );
    let outcome = world.transfer(&Signer::called_by_entry(&world.alice), &world.vault, 13);
    assert_eq!(outcome.fault(), "unlucky amount");
    assert!(outcome.events.is_empty() && outcome.stack.is_empty());
    assert_eq!(
        (
            world.chain.storage(&world.coin),
            world.chain.storage(&world.vault)
        ),
        before
    );
}

#[test]
fn a_contract_without_callback_cannot_be_paid() {
    let world = World::new();
    let outcome = world.transfer(&Signer::called_by_entry(&world.alice), &world.coin, 1);
    assert_eq!(outcome.fault(), "method not found: onNEP17Payment/3");
    assert_eq!(world.balance(&world.alice), Item::integer(1000));
}

#[test]
fn gas_moves_with_a_witness_and_tells_the_receiver() {
    let world = World::new();
    world.chain.set_gas(&world.alice, 100);
    let pay = |signer: Signer, to: &Hash160, amount: i64| {
        let args = vec![
            account(&world.alice),
            account(to),
            Item::integer(amount),
            Item::Null,
        ];
        world
            .chain
            .invoke(&[signer], &gas_token::HASH, "transfer", args)
    };
    let paid = pay(Signer::called_by_entry(&world.alice), &world.vault, 40);
    assert_eq!(paid.result(), Item::Boolean(true));
    let names: Vec<_> = paid
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!(names, ["Transfer", "paid"]);
    assert_eq!(paid.events[1].args[0], account(&gas_token::HASH));
    assert_eq!(
        (
            world.chain.gas_of(&world.alice),
            world.chain.gas_of(&world.vault)
        ),
        (int(60), int(40))
    );

    assert_eq!(
        pay(Signer::called_by_entry(&bob()), &bob(), 1).result(),
        Item::Boolean(false)
    );
    assert_eq!(
        pay(Signer::called_by_entry(&world.alice), &bob(), 61).result(),
        Item::Boolean(false)
    );
    assert_eq!(
        pay(Signer::called_by_entry(&world.alice), &bob(), -1).result(),
        Item::Boolean(false)
    );
    assert_eq!(
        pay(Signer::called_by_entry(&world.alice), &world.vault, 13).fault(),
        "unlucky amount"
    );
    assert_eq!(world.chain.gas_of(&world.alice), int(60));
}

#[test]
fn a_contract_pays_with_its_own_witness() {
    let world = World::new();
    world.chain.set_neo(&world.vault, 5);
    let outcome = world.chain.run_as(&[], &world.vault, || {
        crate::neo_token::transfer(&world.vault, &world.alice, 5, crate::Any::null())
    });
    // Vault's manifest permits no calls of others, but natives are called through tokens all the same.
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(world.chain.neo_of(&world.alice), int(5));
}
