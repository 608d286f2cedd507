//! The contract on a real node, through the SDK: what it costs, and that Neo sees SOUL as a token.

use neo_client::{
    Account, Actor, ContractParam, Hash160, Receipt, Scopes, ScriptBuilder, Signer, VmState, flags,
};
use phantasma::contract::Artifacts;
use phantasma_sdk::contract::{
    ContentMode, ContentOrder, ContractEvent, DeployParams, Phantasma, Priority,
};
use phantasma_tests::TestNet;
use phantasma_vm::{data_script, owner_writes_gate};

/// NEF and manifest together: a deployment costs 0.001 GAS a byte, and a block has 20 GAS.
const MAX_BYTES: usize = 19_000;

fn params(owner: &Account) -> DeployParams {
    DeployParams {
        owner: owner.script_hash,
        initial_supply: 10_000_000_000_000_000,
        box_fee: 10_0000_0000,
        content_base_fee: 100_0000,
        pool_share: 20,
        max_supply: 10_000_000_000_000_000,
        sale: Hash160::ZERO,
        proofs: Hash160::ZERO,
    }
}

async fn deployed(net: &TestNet, owner: &Account) -> (Phantasma, Receipt) {
    let artifacts = Artifacts::compile(None).unwrap();
    let bytes = artifacts.nef.len() + artifacts.manifest.len();
    eprintln!(
        "nef {} + manifest {} bytes",
        artifacts.nef.len(),
        artifacts.manifest.len()
    );
    assert!(bytes <= MAX_BYTES, "{bytes} bytes");
    let (nef, manifest) = (
        artifacts.parse_nef().unwrap(),
        artifacts.parse_manifest().unwrap(),
    );
    Phantasma::deploy(net.rpc(), owner, &nef, &manifest, &params(owner))
        .await
        .unwrap()
}

/// Prints what a call took and holds it to a bound, both in GAS.
#[track_caller]
fn costs(what: &str, receipt: &Receipt, at_most: f64) {
    let gas = receipt.gas_consumed as f64 / 1e8;
    eprintln!("{what:40} {gas:.4} GAS");
    assert!(gas <= at_most, "{what} took {gas} GAS, more than {at_most}");
}

#[tokio::test]
async fn every_call_costs_what_it_did() {
    let net = TestNet::start().await;
    let owner = net.funded_account(100).await;
    let alice = net.funded_account(20).await;
    let (phantasma, receipt) = deployed(&net, &owner).await;
    costs("deploy", &receipt, 19.0);
    let receipt = phantasma
        .transfer(&owner, &alice.script_hash, 500_0000_0000)
        .await
        .unwrap();
    costs("transfer to a new account", &receipt, 0.15);
    let receipt = phantasma
        .transfer(&owner, &alice.script_hash, 1)
        .await
        .unwrap();
    costs("transfer to an account", &receipt, 0.12);
    let (id, receipt) = phantasma
        .create_box(&alice, "news", &owner_writes_gate())
        .await
        .unwrap();
    costs("createBox", &receipt, 0.5);
    let script = data_script(b"hello").unwrap();
    let (index, receipt) = phantasma
        .write_content(&alice, id, &script, 0)
        .await
        .unwrap();
    costs("writeContent of 5 bytes", &receipt, 0.2);
    let long = data_script(&[7; 1000]).unwrap();
    let (_, receipt) = phantasma.write_content(&alice, id, &long, 0).await.unwrap();
    costs("writeContent of 1000 bytes", &receipt, 1.2);
    let order = ContentOrder {
        root: [5; 32],
        size: 1 << 20,
        mode: ContentMode::ReadOnly,
        priority: Priority::Normal,
        periods: 1,
        max_payment: 100_0000_0000,
    };
    let (_, receipt) = phantasma.create_content(&alice, &order).await.unwrap();
    costs("createContent", &receipt, 0.3);

    let read = phantasma
        .read_content_at(&owner.script_hash, id, index, 0)
        .await
        .unwrap();
    assert_eq!(read.as_bytes().unwrap(), b"hello");
    let info = phantasma.content_info(&[5; 32]).await.unwrap().unwrap();
    assert_eq!((info.size, info.owner), (1 << 20, alice.script_hash));
    let refused = phantasma
        .write_content(&owner, id, &script, 0)
        .await
        .unwrap_err();
    assert!(
        refused.exception().unwrap().contains("the gate refuses"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_node_lists_soul_among_an_accounts_tokens() {
    let net = TestNet::start().await;
    let owner = net.funded_account(50).await;
    let (phantasma, _) = deployed(&net, &owner).await;
    let receiver = Hash160([9; 20]);
    phantasma.transfer(&owner, &receiver, 42).await.unwrap();
    let balances = net.rpc().get_nep17_balances(&receiver).await.unwrap();
    assert_eq!(balances.len(), 1);
    assert_eq!(phantasma.balance_of(&receiver).await.unwrap(), 42);
    assert_eq!(
        phantasma.total_supply().await.unwrap(),
        10_000_000_000_000_000
    );
}

#[tokio::test]
async fn scripts_meet_neos_limits_without_harm_to_the_contract() {
    let net = TestNet::start().await;
    let owner = net.funded_account(100).await;
    let (phantasma, _) = deployed(&net, &owner).await;
    let (id, _) = phantasma
        .create_box(&owner, "open", &phantasma_vm::free_gate())
        .await
        .unwrap();
    let doubled = format!("PUSH \"0123456789abcdef\"\n{}", "DUP\nCAT\n".repeat(13));
    let contents = [
        // As many items as a script can make, below NeoVM's 2048.
        ("PUSH1\n".repeat(1024), Some(1)),
        // Two bytes above NeoVM's longest item.
        (doubled, None),
        ("PUSH 5\nPUSH -1\nPICK".to_owned(), None),
        ("PUSH 5\nPUSH 2147483648\nROLL".to_owned(), None),
        ("PUSH 5\nPUSH 0x00\nPICK".to_owned(), Some(5)),
    ];
    for (text, result) in contents {
        let script = phantasma_vm::assemble(&text).unwrap();
        let (index, _) = phantasma
            .write_content(&owner, id, &script, 0)
            .await
            .unwrap();
        let read = phantasma
            .read_content_at(&owner.script_hash, id, index, 0)
            .await;
        match result {
            Some(number) => assert_eq!(read.unwrap().as_integer().unwrap(), number.into()),
            None => assert!(read.is_err(), "{text} is read"),
        }
    }
    // Nobody calls `_deploy` a second time.
    let again = net
        .rpc()
        .invoke_function(
            &phantasma.hash(),
            "_deploy",
            &[ContractParam::Any, ContractParam::Boolean(false)],
            &[],
        )
        .await
        .unwrap();
    assert_ne!(again.state, VmState::Halt);
}

/// A gate that takes 1000 from readers; a content that a reader takes off.
const TOLL: &str = "STATE write\nNOT\nJMPIFNOT ok\nPUSH 1000\nPAY\nok: PUSH 2";

#[tokio::test]
async fn a_box_is_paid_read_down_and_emptied() {
    let net = TestNet::start().await;
    let owner = net.funded_account(100).await;
    let bob = net.funded_account(20).await;
    let (phantasma, _) = deployed(&net, &owner).await;
    phantasma
        .transfer(&owner, &bob.script_hash, 5000)
        .await
        .unwrap();
    let gate = phantasma_vm::assemble(TOLL).unwrap();
    let (id, _) = phantasma.create_box(&owner, "toll", &gate).await.unwrap();
    for text in ["PUSH \"first\"", "PUSH \"second\""] {
        let content = phantasma_vm::assemble(text).unwrap();
        phantasma
            .write_content(&owner, id, &content, 0)
            .await
            .unwrap();
    }
    let price = phantasma
        .inspect_content(&bob.script_hash, id)
        .await
        .unwrap();
    assert_eq!(price, 1000);
    let refused = phantasma.read_content(&bob, id, 999).await.unwrap_err();
    assert!(
        refused
            .exception()
            .unwrap()
            .contains("PAY: above maxPayment"),
        "{refused}"
    );
    let (item, receipt) = phantasma.read_content(&bob, id, 1000).await.unwrap();
    costs("readContent that pays and takes off", &receipt, 0.45);
    assert_eq!(item.as_bytes().unwrap(), b"second");
    let events = phantasma.events(&receipt);
    let transfer = ContractEvent::Transfer {
        from: Some(bob.script_hash),
        to: Some(phantasma.hash()),
        amount: 1000,
    };
    let balance = ContractEvent::BoxBalance {
        box_id: id,
        balance: 800,
    };
    let removed = ContractEvent::ContentRemoved {
        box_id: id,
        index: 1,
    };
    assert_eq!(events, [transfer, balance, removed]);
    assert_eq!(phantasma.content_count(id).await.unwrap(), 1);
    assert_eq!(phantasma.balance_of(&bob.script_hash).await.unwrap(), 4000);
    assert_eq!(phantasma.box_balance(id).await.unwrap(), 800);
    let receipt = phantasma.withdraw(&owner, id, 800).await.unwrap();
    costs("withdraw", &receipt, 0.25);
    assert_eq!(phantasma.box_balance(id).await.unwrap(), 0);
    let others = phantasma.withdraw(&bob, id, 1).await.unwrap_err();
    assert!(
        others
            .exception()
            .unwrap()
            .contains("no witness of the owner")
    );

    let receipt = phantasma
        .include(&owner, id, &bob.script_hash)
        .await
        .unwrap();
    costs("include", &receipt, 0.12);
    assert!(phantasma.is_member(id, &bob.script_hash).await.unwrap());
    phantasma
        .exclude(&owner, id, &bob.script_hash)
        .await
        .unwrap();
    assert!(!phantasma.is_member(id, &bob.script_hash).await.unwrap());
    let script = phantasma_vm::assemble("PUSH 0\nPICK\nPUSH 2\nPICK\nADD").unwrap();
    phantasma
        .replace_content(&owner, id, &script, 0)
        .await
        .unwrap();
    let inputs = [ContractParam::from(20), ContractParam::from(22)];
    let called = phantasma.call_content(&bob, id, 0, &inputs, 1000).await;
    assert_eq!(called.unwrap().0.as_integer().unwrap(), 42.into());
    phantasma.delete_content(&owner, id).await.unwrap();
    let receipt = phantasma
        .replace_gate(&owner, id, &phantasma_vm::owner_gate())
        .await
        .unwrap();
    assert_eq!(
        phantasma.events(&receipt),
        [ContractEvent::GateReplaced { box_id: id }]
    );
    let info = phantasma.box_info(id).await.unwrap().unwrap();
    assert_eq!(
        (info.content_count, info.gate),
        (0, phantasma_vm::owner_gate())
    );
}

#[tokio::test]
async fn a_witness_counts_only_where_its_scope_reaches() {
    let net = TestNet::start().await;
    let owner = net.funded_account(100).await;
    let (phantasma, _) = deployed(&net, &owner).await;
    let (id, _) = phantasma
        .create_box(&owner, "own", &phantasma_vm::owner_gate())
        .await
        .unwrap();
    let script = data_script(b"mine").unwrap();
    phantasma
        .write_content(&owner, id, &script, 0)
        .await
        .unwrap();
    let account = owner.script_hash;
    let custom = |contract| {
        let mut signer = Signer::in_contracts(account, vec![contract]);
        signer.scopes = Scopes::CUSTOM_CONTRACTS;
        signer
    };
    // Who signs how; whether that counts when the entry script calls, and when a script in between does.
    let cases = [
        (Signer::new(account), true, false),
        (Signer::global(account), true, true),
        (custom(phantasma.hash()), true, true),
        (custom(Hash160([7; 20])), false, false),
        (Signer::with_scopes(account, Scopes::NONE), false, false),
        (Signer::global(Hash160([7; 20])), false, false),
    ];
    let params = [account.into(), id.into(), 0.into(), 0.into()];
    let mut direct = ScriptBuilder::new();
    direct.call(&phantasma.hash(), "readContentAt", flags::ALL, &params);
    let direct = direct.build().unwrap();
    let mut between = ScriptBuilder::new();
    between
        .push(&ContractParam::Array(vec![]))
        .push(&flags::ALL.into())
        .push_bytes(&direct)
        .syscall("System.Runtime.LoadScript");
    let between = between.build().unwrap();
    for (signer, at_once, through) in cases {
        for (script, counts) in [(&direct, at_once), (&between, through)] {
            let run = net
                .rpc()
                .invoke_script(script, std::slice::from_ref(&signer))
                .await
                .unwrap();
            if counts {
                assert_eq!(run.stack[0].as_bytes().unwrap(), b"mine", "{signer:?}");
            } else {
                let said = run.exception.unwrap_or_default();
                assert!(
                    said.contains("no witness of the caller"),
                    "{signer:?} {said}"
                );
            }
        }
    }
    // The same in a block: the sender pays the network and still has no say.
    let actor = Actor::new(net.rpc(), owner.clone())
        .with_signer(Signer::with_scopes(account, Scopes::NONE));
    let params = [id.into(), phantasma_vm::free_gate().into()];
    let refused = actor
        .build(&phantasma.hash(), "replaceGate", &params)
        .unwrap()
        .run(&net.rpc())
        .await
        .unwrap_err();
    assert!(
        refused
            .exception()
            .unwrap()
            .contains("no witness of the owner")
    );
    let info = phantasma.box_info(id).await.unwrap().unwrap();
    assert_eq!(info.gate, phantasma_vm::owner_gate());
}
