//! The Neo client and the SDK's bindings against a real neo-go.

use std::time::Duration;

use neo_client::{
    Account, ActorError, ContractParam, Event, Filter, GAS, Hash160, Hash256, Manifest, Nef, Op,
    PrivateKey, Scopes, ScriptBuilder, Signer, StackItem, Subscription, SubscriptionError,
    TransactionBuilder, VmState, Wallet, flags,
};
use num_bigint::BigInt;
use phantasma_sdk::{
    boxes,
    contract::{ContentMode, ContentOrder, ContractEvent, Phantasma, Priority},
};
use phantasma_tests::{DeployedPhantasma, TestNet};
use phantasma_vm::{data_script, free_gate, owner_gate, owner_writes_gate};
use phantasma_wire::message::Class;

const ONE_GAS: i64 = 1_0000_0000;
/// Far above a block's 200 ms, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn net_with_contract() -> (TestNet, DeployedPhantasma, Phantasma) {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let contract = Phantasma::new(net.rpc(), deployed.hash);
    (net, deployed, contract)
}

async fn gas_of(net: &TestNet, account: &Hash160) -> BigInt {
    net.rpc().balance_of(&GAS, account).await.unwrap()
}

/// `main(n)`: gives n + 1; `fail()`: throws "no luck".
fn small_contract() -> (Nef, Manifest) {
    let mut script = ScriptBuilder::new();
    script
        .op(Op::INC)
        .op(Op::RET)
        .push_bytes(b"no luck")
        .op(Op::THROW);
    let nef = Nef {
        compiler: "by hand".into(),
        script: script.build().unwrap(),
        ..Nef::default()
    };
    let manifest = r#"{"name":"Small","groups":[],"features":{},"supportedstandards":[],"abi":{"methods":[
        {"name":"main","offset":0,"parameters":[{"name":"n","type":"Integer"}],"returntype":"Integer","safe":false},
        {"name":"fail","offset":2,"parameters":[],"returntype":"Void","safe":false}],"events":[]},
        "permissions":[],"trusts":[],"extra":null}"#;
    (nef, Manifest::from_json(manifest).unwrap())
}

#[tokio::test]
async fn a_contract_is_deployed_found_called_and_its_exception_arrives() {
    let net = TestNet::start().await;
    let actor = net.actor(&net.funded_account(20).await);
    let (nef, manifest) = small_contract();
    let (hash, receipt) = actor
        .deploy(&nef, &manifest, ContractParam::Any)
        .await
        .unwrap();
    assert_eq!(receipt.vm_state, VmState::Halt);
    assert!(receipt.gas_consumed <= receipt.system_fee && receipt.network_fee > 0);

    let state = net.rpc().get_contract_state(&hash).await.unwrap().unwrap();
    assert_eq!(
        (state.hash, &state.nef, &state.manifest),
        (hash, &nef, &manifest)
    );

    let largest: BigInt = (BigInt::from(1) << 255) - 2;
    let receipt = actor
        .invoke(&hash, "main", &[(&largest).into()])
        .await
        .unwrap();
    assert_eq!(receipt.result(), &StackItem::Integer(largest + 1));

    let error = actor.invoke(&hash, "fail", &[]).await.unwrap_err();
    assert!(matches!(error, ActorError::TestFault { .. }), "{error:?}");
    assert!(
        error.exception().unwrap().contains("no luck") && error.to_string().contains("fail of"),
        "{error}"
    );
}

#[tokio::test]
async fn a_transaction_that_fails_only_on_the_chain_says_so_with_its_receipt() {
    let net = TestNet::start().await;
    let account = net.funded_account(20).await;
    // Faults from the block after the test run on: its height is then above.
    let height = net.rpc().get_block_count().await.unwrap();
    let ledger: Hash160 = "0xda65b600f7124ce6c79950c1772a36403104f2be"
        .parse()
        .unwrap();
    let mut script = ScriptBuilder::new();
    script.call(&ledger, "currentIndex", flags::READ_ONLY, &[]);
    script
        .push_int(&BigInt::from(height + 10))
        .op(Op::LT)
        .op(Op::ASSERT);
    let builder = TransactionBuilder::new(script.build().unwrap())
        .signer(Signer::new(account.script_hash), &account);
    let tx = builder.prepare(&net.rpc()).await.unwrap();
    while net.rpc().get_block_count().await.unwrap() < height + 12 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let pending = neo_client::PendingTransaction {
        txid: net.rpc().send_raw_transaction(&tx).await.unwrap(),
        valid_until_block: tx.valid_until_block,
        system_fee: tx.system_fee,
        network_fee: tx.network_fee,
        what: "the late script".into(),
    };
    match pending.wait(&net.rpc()).await.unwrap_err() {
        ActorError::Fault {
            exception, receipt, ..
        } => {
            assert!(exception.contains("ASSERT"), "{exception}");
            assert_eq!(receipt.vm_state, VmState::Fault);
        }
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn events_arrive_as_they_happen_and_a_stopped_node_is_an_error() {
    let net = TestNet::start().await;
    let account = net.funded_account(20).await;
    let filters = [
        Filter::Notifications {
            contract: Some(GAS),
            name: Some("Transfer".into()),
        },
        Filter::Executions {
            state: Some(VmState::Halt),
            txid: None,
        },
        Filter::Blocks,
    ];
    let mut events = Subscription::open(net.rpc_url(), &filters).await.unwrap();
    let receiver = Hash160([7; 20]);
    let receipt = net
        .actor(&account)
        .transfer(&GAS, &receiver, ONE_GAS)
        .await
        .unwrap();
    let (mut told, mut ran, mut closed) = (false, false, false);
    while !(told && ran && closed) {
        let event = tokio::time::timeout(PATIENCE, events.next())
            .await
            .expect("an event")
            .unwrap();
        match event {
            Event::Notification {
                notification,
                container,
            } if container == Some(receipt.txid) => {
                assert_eq!(notification.args()[1].as_hash160().unwrap(), receiver);
                assert_eq!(notification.args()[2].as_i64().unwrap(), ONE_GAS);
                told = true;
            }
            Event::Execution(run) => ran |= run.container == Some(receipt.txid),
            Event::Block(block) => closed |= block.index == receipt.block_index,
            Event::Notification { .. } | Event::Missed => {}
        }
    }
    drop(net);
    let end = tokio::time::timeout(PATIENCE, async {
        loop {
            if let Err(error) = events.next().await {
                return error;
            }
        }
    });
    let error = end.await.expect("an end");
    assert!(matches!(error, SubscriptionError::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn two_signers_move_their_own_money_in_one_transaction() {
    let net = TestNet::start().await;
    let (payer, other) = (net.funded_account(10).await, net.funded_account(10).await);
    let receiver = Hash160([9; 20]);
    let mut script = ScriptBuilder::new();
    for from in [&payer, &other] {
        let params = [
            from.script_hash.into(),
            receiver.into(),
            ONE_GAS.into(),
            ContractParam::Any,
        ];
        script
            .call(&GAS, "transfer", flags::ALL, &params)
            .op(Op::ASSERT);
    }
    let script = script.build().unwrap();
    let alone =
        TransactionBuilder::new(script.clone()).signer(Signer::new(payer.script_hash), &payer);
    assert!(matches!(
        alone.run(&net.rpc()).await,
        Err(ActorError::TestFault { .. })
    ));
    let nowhere = alone
        .clone()
        .signer(Signer::with_scopes(other.script_hash, Scopes::NONE), &other);
    assert!(matches!(
        nowhere.run(&net.rpc()).await,
        Err(ActorError::TestFault { .. })
    ));
    let both = alone.signer(Signer::in_contracts(other.script_hash, vec![GAS]), &other);
    both.run(&net.rpc()).await.unwrap();
    assert_eq!(gas_of(&net, &receiver).await, BigInt::from(2 * ONE_GAS));
    assert_eq!(
        gas_of(&net, &other.script_hash).await,
        BigInt::from(9 * ONE_GAS)
    );
}

#[tokio::test]
async fn two_of_three_keys_spend_what_their_account_holds() {
    let net = TestNet::start().await;
    let keys: Vec<PrivateKey> = (0..3).map(|_| PrivateKey::random().unwrap()).collect();
    let public: Vec<_> = keys.iter().map(PrivateKey::public_key).collect();
    let side = |i: usize| Account::multisig(keys[i].clone(), 2, &public).unwrap();
    net.fund_gas(&side(0).address, 5 * ONE_GAS as u64)
        .await
        .unwrap();
    let params = [
        side(0).script_hash.into(),
        Hash160([9; 20]).into(),
        ONE_GAS.into(),
        ContractParam::Any,
    ];
    let call = TransactionBuilder::call(&GAS, "transfer", &params).unwrap();
    let one = call.signer(Signer::new(side(0).script_hash), &side(2));
    assert!(matches!(
        one.run(&net.rpc()).await,
        Err(ActorError::Sign(_))
    ));
    one.co_signer(&side(0)).run(&net.rpc()).await.unwrap();
    assert_eq!(gas_of(&net, &Hash160([9; 20])).await, BigInt::from(ONE_GAS));
}

#[tokio::test]
async fn a_multisig_account_of_our_wallet_spends_in_neo_go() {
    let net = TestNet::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("joint.json");
    let key = PrivateKey::random().unwrap();
    let mut wallet = Wallet::create(&path).unwrap();
    let from = wallet
        .add_multisig(&key, 1, &[key.public_key()], "pass word", "joint")
        .unwrap();
    assert_eq!(
        Wallet::open(&path)
            .unwrap()
            .decrypt(&from, "pass word")
            .unwrap()
            .address,
        from
    );
    net.fund_gas(&from, 5 * ONE_GAS as u64).await.unwrap();
    let access = folder.path().join("access.yml");
    std::fs::write(
        &access,
        format!("Path: {path:?}\nPassword: \"pass word\"\n"),
    )
    .unwrap();
    let receiver = Hash160([9; 20]);
    let output = std::process::Command::new(net.neogo())
        .args([
            "wallet", "nep17", "transfer", "--token", "GAS", "--amount", "1", "--force", "--await",
        ])
        .args([
            "--from",
            &from,
            "--to",
            &receiver.to_address(),
            "--rpc-endpoint",
            net.rpc_url(),
            "--wallet-config",
        ])
        .arg(&access)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(gas_of(&net, &receiver).await, BigInt::from(ONE_GAS));
}

#[tokio::test]
async fn what_is_not_there_is_none_and_what_is_there_is_typed() {
    let net = TestNet::start().await;
    let account = net.funded_account(3).await;
    let rpc = net.rpc();
    assert_eq!(rpc.get_contract_state(&Hash160::ZERO).await.unwrap(), None);
    assert_eq!(rpc.get_application_log(&Hash256::ZERO).await.unwrap(), None);
    assert_eq!(rpc.get_transaction(&Hash256::ZERO).await.unwrap(), None);
    assert_eq!(rpc.get_storage(&GAS, b"nothing").await.unwrap(), None);
    // 0x14 is the prefix of NEP-17 accounts in the native tokens.
    let key = [&[0x14][..], &account.script_hash.0].concat();
    let found = rpc.find_storage(&GAS, &key, 0).await.unwrap();
    assert_eq!((found.entries.len(), found.truncated), (1, false));
    assert_eq!(
        rpc.get_storage(&GAS, &key).await.unwrap().as_ref(),
        Some(&found.entries[0].value)
    );
    let balances = rpc.get_nep17_balances(&account.script_hash).await.unwrap();
    assert_eq!(
        (balances[0].token, &balances[0].amount),
        (GAS, &BigInt::from(3 * ONE_GAS))
    );
    let transfers = rpc
        .get_nep17_transfers(&account.script_hash, 0, u64::from(u32::MAX) * 1000)
        .await
        .unwrap();
    assert_eq!((transfers.sent.len(), transfers.received.len()), (0, 1));
    let header = rpc
        .get_block_header(transfers.received[0].block_index)
        .await
        .unwrap();
    assert_eq!(
        rpc.get_block_header_by_hash(&header.hash).await.unwrap(),
        header
    );
}

#[tokio::test]
async fn soul_boxes_and_contents_are_reached_by_name_and_type() {
    let (net, deployed, contract) = net_with_contract().await;
    let owner = &deployed.owner;
    let settings = contract.settings().await.unwrap();
    let supply = contract.total_supply().await.unwrap();
    assert_eq!(
        contract.balance_of(&owner.script_hash).await.unwrap(),
        supply
    );

    let (id, receipt) = contract
        .create_box(owner, "news", &owner_writes_gate())
        .await
        .unwrap();
    let created = ContractEvent::BoxCreated {
        box_id: id,
        owner: owner.script_hash,
        name: "news".into(),
    };
    assert!(contract.events(&receipt).contains(&created), "{receipt:?}");
    assert_eq!(
        contract.balance_of(&owner.script_hash).await.unwrap(),
        supply - settings.box_fee
    );
    let info = contract.box_info(id).await.unwrap().unwrap();
    assert_eq!(
        (info.name.as_str(), info.owner, info.gate),
        ("news", owner.script_hash, owner_writes_gate())
    );
    assert_eq!(info.public_key, owner.key.public_key());
    assert_eq!(
        (
            contract.find_box("news").await.unwrap(),
            contract.find_box("old").await.unwrap()
        ),
        (Some(id), None)
    );
    assert_eq!(contract.box_info(id + 1).await.unwrap(), None);

    for text in ["one", "two", "three"] {
        boxes::post(&contract, owner, id, text.as_bytes())
            .await
            .unwrap();
    }
    let latest = boxes::read_latest(&contract, id, 2).await.unwrap();
    let texts: Vec<_> = latest
        .iter()
        .map(|entry| (entry.index, entry.data().unwrap()))
        .collect();
    assert_eq!(texts, [(1, &b"two"[..]), (2, &b"three"[..])]);

    let reader = net.funded_account(5).await;
    let read = boxes::read(&contract, &reader.script_hash, id, 0)
        .await
        .unwrap();
    assert_eq!(read.as_text().unwrap(), "one");
    let refused = contract
        .write_content(&reader, id, &data_script(b"spam").unwrap(), 0)
        .await
        .unwrap_err();
    assert!(
        refused.exception().unwrap().contains("gate refuses"),
        "{refused}"
    );
    let (closed, _) = contract
        .create_box(owner, "closed", &owner_gate())
        .await
        .unwrap();
    boxes::post(&contract, owner, closed, b"secret")
        .await
        .unwrap();
    assert!(
        boxes::read(&contract, &reader.script_hash, closed, 0)
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_signed_message_is_submitted_by_anybody_once() {
    let (net, deployed, contract) = net_with_contract().await;
    let (author, relay) = (net.funded_account(1).await, net.funded_account(5).await);
    let (id, _) = contract
        .create_box(&deployed.owner, "chat", &free_gate())
        .await
        .unwrap();
    let message = boxes::sign(
        &contract,
        &author,
        id,
        7,
        1_700_000_000_000,
        Class::OnChain,
        b"hi",
    )
    .await
    .unwrap();
    let (index, receipt) = contract.write_signed(&relay, &message).await.unwrap();
    let written = ContractEvent::ContentWritten {
        box_id: id,
        index,
        author: author.script_hash,
    };
    assert_eq!(contract.events(&receipt), [written]);
    assert_eq!(
        contract
            .last_sequence(id, &author.key.public_key())
            .await
            .unwrap(),
        7
    );
    assert_eq!(
        boxes::read_range(&contract, id, 0, 9).await.unwrap()[0].data(),
        Some(&b"hi"[..])
    );

    let again = contract.write_signed(&relay, &message).await.unwrap_err();
    assert!(again.exception().unwrap().contains("sequence"), "{again}");
    let mut forged = boxes::sign(&contract, &author, id, 8, 1, Class::OnChain, b"hi")
        .await
        .unwrap();
    forged.body.payload = data_script(b"ho").unwrap().into();
    let forged = contract.write_signed(&relay, &forged).await.unwrap_err();
    assert!(
        forged.exception().unwrap().contains("signature"),
        "{forged}"
    );
}

#[tokio::test]
async fn stored_content_costs_what_was_computed_and_no_more_than_allowed() {
    let (_net, deployed, contract) = net_with_contract().await;
    let owner = &deployed.owner;
    let settings = contract.settings().await.unwrap();
    let before = contract.balance_of(&owner.script_hash).await.unwrap();
    let mut order = ContentOrder {
        root: [5; 32],
        size: 262_145,
        mode: ContentMode::Writable,
        priority: Priority::High,
        periods: 2,
        max_payment: 0,
    };
    let fee = order.fee(&settings).unwrap();
    order.max_payment = fee - 1;
    let refused = contract.create_content(owner, &order).await.unwrap_err();
    assert!(
        refused.exception().unwrap().contains("above maxPayment"),
        "{refused}"
    );
    order.max_payment = fee;
    assert_eq!(contract.content_info(&order.root).await.unwrap(), None);
    let (root, _) = contract.create_content(owner, &order).await.unwrap();
    let info = contract.content_info(&root).await.unwrap().unwrap();
    assert_eq!(
        (info.size, info.mode, info.priority),
        (order.size, order.mode, order.priority)
    );
    assert_eq!(info.expiry_ms - info.created_ms, 2 * 30 * 24 * 3600 * 1000);
    assert_eq!((info.owner, info.root), (owner.script_hash, order.root));
    assert_eq!(
        contract.balance_of(&owner.script_hash).await.unwrap(),
        before - fee
    );
}

#[tokio::test]
async fn an_iterator_longer_than_a_page_is_read_whole() {
    let (net, deployed, contract) = net_with_contract().await;
    let owner = &deployed.owner;
    let count = 104u64;
    let mut sent = Vec::new();
    for i in 0..count {
        let key = owner.key.public_key();
        let params = [
            owner.script_hash.into(),
            format!("b{i}").into(),
            key.into(),
            free_gate().into(),
        ];
        let call = contract.call(owner, "createBox", &params).unwrap();
        sent.push(call.send(&net.rpc()).await.unwrap());
    }
    for pending in sent {
        pending.wait(&net.rpc()).await.unwrap();
    }
    let all: Vec<u64> = (1..=count).collect();
    assert_eq!(contract.boxes_of(&owner.script_hash).await.unwrap(), all);
    assert_eq!(contract.box_count().await.unwrap(), count);
    assert!(contract.boxes_of(&Hash160::ZERO).await.unwrap().is_empty());
}
