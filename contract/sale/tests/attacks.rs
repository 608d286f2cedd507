//! What somebody would try who means harm, and what a clumsy one would do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Account, Chain, Item, Outcome};
use neo_framework::{Hash160, gas_token, neo_token};
use phantasma_sale::methods;

/// A buyer that is a contract, and does as it was told whenever something is paid to it.
#[neo_framework::contract(name = "Buyer", permissions = "*")]
pub mod buyer {
    use neo_framework::prelude::*;

    const PLAN: Bytes = bytes(b"\x01");
    const SALE: Bytes = bytes(b"\x02");
    const LEFT: Bytes = bytes(b"\x03");

    fn sale() -> Hash160 {
        Hash160::from_bytes(storage::get(&SALE).unwrap()).unwrap()
    }

    /// 0 keeps, 1 sends what it gets to the sale, 2 withdraws, 3 unlocks, 4 refuses, 5 sends one GAS; as often as `times`.
    #[method]
    pub fn plan(sale: Hash160, plan: Int, times: Int) {
        storage::put(&SALE, &sale.as_bytes());
        storage::put_int(&PLAN, plan);
        storage::put_int(&LEFT, times);
    }

    #[method(name = "onNEP17Payment")]
    pub fn on_payment(_from: Any, amount: Int, _data: Any) {
        let left = storage::get_int(&LEFT);
        if left == 0 {
            return;
        }
        storage::put_int(&LEFT, left - 1);
        let plan = storage::get_int(&PLAN);
        let own = runtime::executing_script_hash();
        if plan == 1 {
            buy(runtime::calling_script_hash(), amount);
        }
        if plan == 2 {
            contracts::call(&sale(), &text("withdraw"), contracts::ALL, array![]);
        }
        if plan == 3 {
            let args = array![Any::from(own)];
            contracts::call(&sale(), &text("unlockTokens"), contracts::ALL, args);
        }
        assert!(plan != 4, "buyer: no refund taken");
        if plan == 5 {
            buy(gas_token::HASH, int(100_000_000));
        }
    }

    #[method]
    pub fn buy(token: Hash160, amount: Int) -> bool {
        let args = array![
            Any::from(runtime::executing_script_hash()),
            Any::from(sale()),
            Any::from(amount),
            Any::null()
        ];
        contracts::call(&token, &text("transfer"), contracts::ALL, args).as_bool()
    }

    #[method]
    pub fn act(target: Hash160, method: Text, args: Array<Any>) -> Any {
        contracts::call(&target, &method, contracts::ALL, args)
    }
}

const NEO: Hash160 = neo_token::HASH;
const GAS: Hash160 = gas_token::HASH;

/// A contract with NEO and GAS, in a tier of a sale that is open.
fn contract_buyer(world: &World, tier: i64) -> Hash160 {
    let deployed = world
        .chain
        .deploy(&[world.bob.signer()], buyer::CONTRACT, Item::Null);
    let buyer = deployed.hash;
    world.chain.set_neo(&buyer, 500);
    world.chain.set_gas(&buyer, 500 * ONE);
    let args = vec![Item::array(vec![hash(&buyer)]), int(tier)];
    world.by_admin("whitelist", args).result();
    buyer
}

fn plan(world: &World, buyer: &Hash160, plan: i64, times: i64) {
    let args = vec![hash(&world.sale), int(plan), int(times)];
    world.chain.invoke(&[], buyer, "plan", args).result();
}

fn buy(world: &World, buyer: &Hash160, token: &Hash160, amount: i64) -> Outcome {
    let outcome = world
        .chain
        .invoke(&[], buyer, "buy", vec![hash(token), int(amount)]);
    world.check_supply("a contract's purchase");
    outcome
}

#[test]
fn a_buyer_that_sends_its_refund_again_finds_its_cap_reached() {
    let world = World::open();
    let buyer = contract_buyer(&world, PUBLIC);
    plan(&world, &buyer, 1, 5);
    // The 64 NEO that come back are sent once more: nothing is left to buy, and all is undone.
    let again = buy(&world, &buyer, &NEO, 100);
    assert_eq!(
        again.fault(),
        "nothing to buy: a cap is reached, or too little was sent"
    );
    assert_eq!((world.neo(&buyer), world.soul_of(&buyer)), (500, 0));
    // A GAS that it sends within the refund buys by what is left after the first purchase, and no more.
    plan(&world, &buyer, 5, 1);
    buy(&world, &buyer, &NEO, 100).result();
    assert_eq!((world.neo(&buyer), world.gas(&buyer)), (464, 499 * ONE));
    assert_eq!(world.soul_of(&buyer), 9828 * ONE + 80 * ONE);
    plan(&world, &buyer, 5, 9);
    assert!(!buy(&world, &buyer, &GAS, 3 * ONE).is_halt());
    assert_eq!(world.soul_of(&buyer), 9908 * ONE);
    plan(&world, &buyer, 0, 0);
    buy(&world, &buyer, &GAS, 3 * ONE).result();
    assert_eq!(world.soul_of(&buyer), 10_000 * ONE);
}

#[test]
fn a_buyer_that_withdraws_within_its_refund_fills_the_treasury() {
    let world = World::open();
    let buyer = contract_buyer(&world, PUBLIC);
    world.send_neo(&world.alice, 7).result();
    plan(&world, &buyer, 2, 1);
    buy(&world, &buyer, &NEO, 100).result();
    assert_eq!(world.neo(&buyer), 464);
    assert_eq!(world.neo(&world.treasury.hash), 7 + 36);
    assert_eq!(world.neo(&world.sale), 0);
}

#[test]
fn a_buyer_that_unlocks_within_a_payment_gets_nothing_twice() {
    let world = World::open();
    let buyer = contract_buyer(&world, TEAM);
    plan(&world, &buyer, 0, 0);
    buy(&world, &buyer, &NEO, 10).result();
    let total = 3210 * ONE;
    world.at_day(OPENING_DAYS + SALE_DAYS + 360);
    plan(&world, &buyer, 3, 1);
    let twice = world.call(&[], "unlockTokens", vec![hash(&buyer)]);
    assert_eq!(twice.fault(), "unlockTokens: nothing is free yet");
    assert_eq!(world.soul_of(&buyer), 0);
    plan(&world, &buyer, 0, 0);
    world.call(&[], "unlockTokens", vec![hash(&buyer)]).result();
    assert_eq!(world.soul_of(&buyer), total / 4);
}

#[test]
fn a_buyer_that_refuses_its_refund_or_its_soul_harms_only_itself() {
    let world = World::open();
    let buyer = contract_buyer(&world, PUBLIC);
    plan(&world, &buyer, 4, 9);
    assert_eq!(
        buy(&world, &buyer, &NEO, 100).fault(),
        "buyer: no refund taken"
    );
    assert_eq!((world.sold(), world.neo(&buyer)), (0, 500));
    // Without a refund it is not called: minting calls nobody.
    buy(&world, &buyer, &NEO, 1).result();
    world.send_neo(&world.alice, 1).result();
    assert_eq!(world.sold(), 546 * ONE);
}

#[test]
fn no_other_token_buys_and_nobody_can_pretend_a_payment() {
    let world = World::open();
    world.whitelist(&[&world.owner], PUBLIC).result();
    // SOUL itself; it does not get stuck either.
    let outcome = world.send(&world.owner, &world.soul, 5);
    assert_eq!(outcome.fault(), "only NEO and GAS buy SOUL");
    assert_eq!(world.soul_of(&world.sale), 0);
    // Straight from a transaction, and by a contract that calls itself a token.
    let fake = |from: Item| vec![from, int(1000), Item::Null];
    let buyer = contract_buyer(&world, PUBLIC);
    for from in [account(&world.alice), Item::Null] {
        world.refused(
            &world.alice,
            "onNEP17Payment",
            fake(from.clone()),
            "only NEO and GAS buy SOUL",
        );
        let args = vec![
            hash(&world.sale),
            Item::text("onNEP17Payment"),
            Item::array(fake(from)),
        ];
        let outcome = world.chain.invoke(&[], &buyer, "act", args);
        assert_eq!(outcome.fault(), "only NEO and GAS buy SOUL");
    }
}

#[test]
fn gas_that_the_gas_token_mints_is_raised_like_the_rest() {
    let world = World::open();
    let before = world.storage();
    // A node calls so when NEO on the sale's account has earned GAS; in every phase.
    for day in [0, OPENING_DAYS, 500] {
        world.at_day(day);
        let args = neo_framework::array![
            neo_framework::Any::null(),
            neo_framework::Any::from(neo_framework::int(9)),
            neo_framework::Any::null()
        ];
        let outcome = world.chain.run_as(&[], &GAS, || {
            neo_framework::contracts::call(
                &world.sale,
                &neo_framework::text("onNEP17Payment"),
                neo_framework::contracts::ALL,
                args,
            )
        });
        assert!(outcome.is_halt(), "{:?}", outcome.exception);
    }
    assert_eq!(world.storage(), before);
    world.chain.set_gas(&world.sale, 9);
    world.call(&[], "withdraw", vec![]).result();
    assert_eq!(world.gas(&world.treasury.hash), 9);
}

#[test]
fn a_treasury_that_is_a_contract_cannot_turn_the_sale_against_itself() {
    let buyer = Chain::new()
        .deploy(
            &[Account::named("bob").signer()],
            buyer::CONTRACT,
            Item::Null,
        )
        .hash;
    let world = World::with(&buyer, MAX_SUPPLY);
    world.whitelist(&[&world.alice], PUBLIC).result();
    assert_eq!(contract_buyer(&world, PUBLIC), buyer);
    world.at_day(OPENING_DAYS);
    world.send_neo(&world.alice, 5).result();
    // It asks again within the payment; what is gone does not come twice.
    plan(&world, &buyer, 2, 3);
    world.call(&[], "withdraw", vec![]).result();
    assert_eq!((world.neo(&buyer), world.neo(&world.sale)), (505, 0));
}

#[test]
fn nobody_mints_past_the_sale_or_takes_what_it_keeps() {
    let world = World::open();
    world.allot(&[(&world.alice, 1000)], TEAM_LOCKUP).result();
    for who in [&world.admin, &world.owner, &world.treasury, &world.alice] {
        let invoke = |method: &str, args: Vec<Item>| {
            world
                .chain
                .invoke(&[who.signer()], &world.soul, method, args)
        };
        let minted = invoke("mint", vec![account(who), int(1)]);
        assert_eq!(minted.fault(), "not for you");
        let args = vec![hash(&world.sale), account(who), int(1), Item::Null];
        assert_eq!(invoke("transfer", args).result(), Item::Boolean(false));
        let args = vec![hash(&world.sale), int(1), Item::bytes(b"elsewhere")];
        assert_eq!(invoke("swapOut", args).fault(), "no witness of the account");
    }
    world.check_supply("attempts to take");
}

#[test]
fn a_deployment_with_nonsense_is_refused() {
    let chain = Chain::new();
    let [admin, treasury] = ["admin", "treasury"].map(|name| chain.account(name));
    let good = || sale_data(&Hash160::zero(), &admin, &treasury.hash, 1000);
    let row = |numbers: &[i64]| {
        let row = numbers.iter().copied().map(int).collect();
        Item::array(vec![Item::array(row)])
    };
    let order = "_deploy: opening, end and latestEnd must come in this order";
    let range = "_deploy: number out of range";
    let both = "_deploy: a tier has a lockup and locks, or neither";
    let step = "_deploy: a lockup needs a step and steps";
    let tier = "_deploy: a tier must be [rateNeo, rateGas, bonus, cap, lockup, locks]";
    let lockup = "_deploy: a lockup must be [cliff, step, steps, reserve]";
    let many = "_deploy: over 16 tiers or lockups";
    let seventeen = Item::array(vec![int(0); 17]);
    for (place, value, message) in [
        (3, int(-1), range),
        (3, int(1 << 56), range),
        (4, int(i64::MAX), range),
        (5, int(0), order),
        (6, int(1), order),
        (7, row(&[1, 1, 1001, 1, 0, 0]), range),
        (7, row(&[1, 1, 0, 1, 4, 1]), range),
        (7, row(&[1, 1, 0, 1, 1, 3]), range),
        (7, row(&[1, 1, 0, 1, 1, 0]), both),
        (7, row(&[1, 1, 0, 1, 0, 2]), both),
        (7, row(&[1, 1, 0, 1, 0]), tier),
        (8, row(&[1, 1, 1]), lockup),
        (8, row(&[1, 0, 1, 1]), step),
        (8, row(&[1, 1, 0, 1]), step),
        (8, row(&[3651, 1, 1, 1]), range),
        (7, seventeen.clone(), many),
        (8, seventeen, many),
    ] {
        let mut data = good();
        data[place] = value;
        let deployed = chain.deploy(&[admin.signer()], methods::CONTRACT, Item::array(data));
        assert_eq!(
            deployed.outcome.exception.as_deref(),
            Some(message),
            "{place}"
        );
    }
    let short = Item::array(good()[..8].to_vec());
    let deployed = chain.deploy(&[admin.signer()], methods::CONTRACT, short);
    assert!(
        deployed
            .outcome
            .fault()
            .starts_with("_deploy: data must be [phantasma,")
    );
    let deployed = chain.deploy(&[admin.signer()], methods::CONTRACT, Item::array(good()));
    assert!(deployed.outcome.is_halt());
}
