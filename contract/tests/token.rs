//! SOUL: NEP-17 and NEP-5.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::*;
use neo_framework::chain::{Chain, Item, Signer};
use phantasma_contract::methods;

#[neo_framework::contract(name = "Receiver", permissions = "*")]
pub mod receiver {
    use neo_framework::prelude::*;

    #[event(name = "Got")]
    fn emit_got(from: Any, amount: Int, data: Any) {}

    #[method(name = "onNEP17Payment")]
    pub fn on_payment(from: Any, amount: Int, data: Any) {
        assert!(amount != 13, "receiver: not thirteen");
        emit_got(from, amount, data);
    }

    /// Sends what this contract has.
    #[method]
    pub fn pay(token: Hash160, to: Hash160, amount: Int) -> bool {
        let args = array![
            Any::from(runtime::executing_script_hash()),
            Any::from(to),
            Any::from(amount),
            Any::null()
        ];
        contracts::call(&token, &text("transfer"), contracts::ALL, args).as_bool()
    }
}

fn transfer(
    world: &World,
    from: &neo_framework::chain::Account,
    to: Item,
    amount: i64,
) -> neo_framework::chain::Outcome {
    world.by(
        from,
        "transfer",
        vec![account(from), to, int(amount), Item::Null],
    )
}

#[test]
fn the_token_describes_itself() {
    let world = World::new();
    assert_eq!(world.get("name", vec![]), Item::text("Phantasma"));
    assert_eq!(world.get("symbol", vec![]), Item::text("SOUL"));
    assert_eq!(world.get("decimals", vec![]), int(8));
    assert_eq!(world.get("totalSupply", vec![]), int(SUPPLY));
    let settings = fields(&world.get("settings", vec![]));
    assert_eq!(settings[..4], [BOX_FEE, BLOCK_FEE, 20, MAX_SUPPLY].map(int));
    assert_eq!(settings[4..], [bytes(&[0; 20]), bytes(&[0; 20])]);
}

#[test]
fn deployment_gives_the_supply_to_the_owner_with_both_events() {
    let chain = Chain::new();
    let owner = chain.account("owner");
    let deployed = chain.deploy(&[owner.signer()], methods::CONTRACT, deploy_data(&owner));
    let names: Vec<_> = deployed
        .outcome
        .events
        .iter()
        .map(|e| e.name.as_str())
        .collect();
    assert_eq!(names, ["Transfer", "transfer"]);
    for event in &deployed.outcome.events {
        assert_eq!(event.args, [Item::Null, account(&owner), int(SUPPLY)]);
    }
}

#[test]
fn wrong_deployment_data_is_refused() {
    let chain = Chain::new();
    let owner = chain.account("owner");
    let with = |at: usize, item: Item| {
        let mut list = fields(&deploy_data(&owner));
        list[at] = item;
        Item::array(list)
    };
    let cases = [
        (
            Item::array(vec![]),
            "_deploy: takes 8 values, and no update",
        ),
        (with(0, bytes(&[1; 19])), "20 bytes"),
        (with(1, int(-1)), "mint: above maxSupply"),
        (with(2, int(-1)), "_deploy: negative amount"),
        (with(3, int(-1)), "_deploy: negative amount"),
        (with(4, int(101)), "_deploy: poolShare must be 0-100"),
        (with(4, int(-1)), "_deploy: negative amount"),
        (with(5, int(SUPPLY - 1)), "mint: above maxSupply"),
        (with(6, Item::Null), "expected ByteString, got Null"),
        (with(7, bytes(&[1; 21])), "20 bytes"),
    ];
    for (data, message) in cases {
        let outcome = chain
            .deploy(&[owner.signer()], methods::CONTRACT, data)
            .outcome;
        assert!(outcome.fault().contains(message), "{}", outcome.fault());
    }
}

#[test]
fn a_transfer_moves_the_amount_and_emits_both_events() {
    let world = World::new();
    let outcome = transfer(&world, &world.alice, account(&world.bob), 300);
    assert_eq!(outcome.result(), Item::Boolean(true));
    let names: Vec<_> = outcome.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(names, ["Transfer", "transfer"]);
    for event in &outcome.events {
        assert_eq!(
            event.args,
            [account(&world.alice), account(&world.bob), int(300)]
        );
    }
    assert_eq!(world.balance(&world.alice.hash), 1000_0000_0000 - 300);
    assert_eq!(world.balance(&world.bob.hash), 1000_0000_0000 + 300);
}

#[test]
fn the_nep5_form_does_the_same_with_three_arguments() {
    let world = World::new();
    let args = vec![account(&world.alice), account(&world.bob), int(300)];
    let outcome = world.by(&world.alice, "transfer", args);
    assert_eq!(
        (outcome.result(), outcome.events.len()),
        (Item::Boolean(true), 2)
    );
    assert_eq!(world.balance(&world.bob.hash), 1000_0000_0000 + 300);
}

#[test]
fn a_transfer_without_witness_or_balance_is_false_and_changes_nothing() {
    let world = World::new();
    let before = world.storage();
    let args = vec![
        account(&world.alice),
        account(&world.bob),
        int(1),
        Item::Null,
    ];
    for signers in [
        vec![],
        vec![world.bob.signer()],
        vec![Signer::fee_only(&world.alice.hash)],
    ] {
        let outcome = world.signed(&signers, "transfer", args.clone());
        assert_eq!(
            (outcome.result(), outcome.events.len()),
            (Item::Boolean(false), 0)
        );
    }
    let outcome = transfer(&world, &world.alice, account(&world.bob), 1000_0000_0001);
    assert_eq!(
        (outcome.result(), outcome.events.len()),
        (Item::Boolean(false), 0)
    );
    assert_eq!(world.storage(), before);
}

#[test]
fn a_negative_amount_or_a_wrong_address_faults() {
    let world = World::new();
    let args = |to: Item, amount: Item| vec![account(&world.alice), to, amount, Item::Null];
    let bob = account(&world.bob);
    world.refused(
        &world.alice,
        "transfer",
        args(bob.clone(), int(-1)),
        "transfer: negative amount",
    );
    for length in [0, 19, 21] {
        world.refused(
            &world.alice,
            "transfer",
            args(bytes(&vec![1; length]), int(1)),
            "to: 20 bytes",
        );
    }
    world.refused(
        &world.alice,
        "balanceOf",
        vec![bytes(&[1; 19])],
        "account: 20 bytes",
    );
    let before = world.storage();
    assert!(
        !world
            .by(&world.alice, "transfer", args(bob, bytes(&[1; 33])))
            .is_halt()
    );
    assert!(
        !world
            .by(&world.alice, "transfer", args(Item::Null, int(1)))
            .is_halt()
    );
    assert_eq!(world.storage(), before);
}

#[test]
fn a_transfer_of_nothing_or_to_oneself_emits_events_and_keeps_balances() {
    let world = World::new();
    let before = world.storage();
    for (to, amount) in [
        (&world.bob, 0),
        (&world.alice, 0),
        (&world.alice, 1000_0000_0000),
    ] {
        let outcome = transfer(&world, &world.alice, account(to), amount);
        assert_eq!(
            (outcome.result(), outcome.events.len()),
            (Item::Boolean(true), 2)
        );
    }
    let stranger = world.chain.account("stranger");
    assert_eq!(
        transfer(&world, &stranger, account(&world.bob), 0).result(),
        Item::Boolean(true)
    );
    assert_eq!(world.storage(), before);
    let outcome = transfer(&world, &world.alice, account(&world.alice), 1000_0000_0001);
    assert_eq!(outcome.result(), Item::Boolean(false));
}

#[test]
fn an_emptied_account_leaves_no_entry() {
    let world = World::new();
    let entries = world.storage().len();
    let outcome = transfer(&world, &world.alice, account(&world.bob), 1000_0000_0000);
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(
        (world.balance(&world.alice.hash), world.storage().len()),
        (0, entries - 1)
    );
}

#[test]
fn a_contract_is_told_of_a_payment_and_can_refuse_it() {
    let world = World::new();
    let receiver = world
        .chain
        .deploy(&[world.bob.signer()], receiver::CONTRACT, Item::Null)
        .hash;
    let to = bytes(receiver.as_bytes().as_slice());
    let args = |amount| {
        vec![
            account(&world.alice),
            to.clone(),
            int(amount),
            Item::text("for you"),
        ]
    };
    let outcome = world.by(&world.alice, "transfer", args(12));
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(outcome.events[2].name, "Got");
    assert_eq!(
        outcome.events[2].args,
        [account(&world.alice), int(12), Item::text("for you")]
    );
    world.refused(&world.alice, "transfer", args(13), "receiver: not thirteen");

    let token = bytes(world.hash.as_bytes().as_slice());
    let pay = vec![token, account(&world.bob), int(12)];
    let outcome = world.chain.invoke(&[], &receiver, "pay", pay);
    assert_eq!(outcome.result(), Item::Boolean(true));
    assert_eq!(world.balance(&receiver), 0);
}

#[test]
fn the_contract_itself_takes_no_transfer() {
    let world = World::new();
    let before = world.storage();
    let outcome = transfer(
        &world,
        &world.alice,
        bytes(world.hash.as_bytes().as_slice()),
        1,
    );
    assert!(!outcome.is_halt());
    assert_eq!(world.storage(), before);
}
