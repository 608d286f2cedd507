//! The contract on a real node, through the SDK: what it costs, and that Neo sees SOUL as a token.

use neo_client::{Account, ContractParam, Hash160, Receipt, VmState};
use phantasma::contract::Artifacts;
use phantasma_sdk::contract::{ContentMode, ContentOrder, DeployParams, Phantasma, Priority};
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
