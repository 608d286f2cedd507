//! The private net itself: what every other test stands on.

use std::time::Instant;

use neo_client::{Account, ContractParam, Hash160, NEO, Receipt, ScriptBuilder};
use num_bigint::BigInt;
use phantasma::net::process::exists;
use phantasma_tests::{NETWORK_MAGIC, OwnBlock, PrivateNet, PrivateNetConfig, TestNet, free_port};
use serde_json::{Value, json};

#[tokio::test]
async fn a_net_has_all_hardforks_and_our_magic_and_makes_blocks() {
    let started = Instant::now();
    let net = TestNet::start().await;
    eprintln!("started in {:?}", started.elapsed());
    let version: Value = net.rpc().call("getversion", json!([])).await.unwrap();
    assert_eq!(version["protocol"]["network"], json!(NETWORK_MAGIC));
    let hardforks = version["protocol"]["hardforks"].as_array().unwrap();
    assert_eq!(hardforks.len(), 7);
    assert!(
        hardforks.iter().all(|fork| fork["blockheight"] == 0),
        "{hardforks:?}"
    );
    assert!(version["rpc"]["sessionenabled"].as_bool().unwrap());
}

#[tokio::test]
async fn funded_accounts_have_what_they_were_given_and_can_spend_it() {
    let net = TestNet::start().await;
    let account = net.funded_account(12).await;
    net.fund_neo(&account.address, 7).await.unwrap();
    let receiver = Hash160([7; 20]);
    net.actor(&account)
        .transfer(&NEO, &receiver, 3)
        .await
        .unwrap();
    assert_eq!(
        net.rpc()
            .balance_of(&NEO, &account.script_hash)
            .await
            .unwrap(),
        BigInt::from(4)
    );
    assert_eq!(
        net.rpc().balance_of(&NEO, &receiver).await.unwrap(),
        BigInt::from(3)
    );
}

#[tokio::test]
async fn a_test_run_ends_at_fifteen_gas_as_on_public_nodes() {
    let net = TestNet::start().await;
    let account = net.funded_account(100).await;
    let burn = async |datoshi: i64| {
        let mut script = neo_client::ScriptBuilder::new();
        script
            .push(&ContractParam::from(datoshi))
            .syscall("System.Runtime.BurnGas");
        net.actor(&account)
            .run_script(script.build().unwrap())
            .await
    };
    assert!(burn(14_0000_0000).await.unwrap().gas_consumed > 14_0000_0000);
    let error = burn(15_0000_0000)
        .await
        .unwrap_err()
        .to_string()
        .to_lowercase();
    assert!(error.contains("gas"), "{error}");
}

#[tokio::test]
async fn a_dropped_net_leaves_no_process_and_no_folder() {
    let net = TestNet::start().await;
    let (pid, dir) = (net.pid(), net.dir().to_path_buf());
    assert!(exists(pid) && dir.is_dir());
    drop(net);
    assert!(!exists(pid));
    assert!(!dir.exists());
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let port = free_port().unwrap();
    let _holder = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let config = PrivateNetConfig {
        rpc_port: Some(port),
        ..PrivateNetConfig::default()
    };
    let error = PrivateNet::start(config).await.unwrap_err().to_string();
    assert!(
        error.contains(&format!("port {port} on 127.0.0.1 is taken")),
        "{error}"
    );
}

const DAY_MS: u64 = 86_400_000;

/// The time that a script sees in a block.
async fn time_on_chain(net: &TestNet, account: &Account) -> (u64, Receipt) {
    let mut script = ScriptBuilder::new();
    script.syscall("System.Runtime.GetTime");
    let script = script.build().unwrap();
    let receipt = net.actor(account).run_script(script).await.unwrap();
    (receipt.result().as_u64().unwrap(), receipt)
}

#[tokio::test]
async fn a_net_travels_through_time_and_goes_on_from_there() {
    let net = TestNet::start().await;
    let account = net.funded_account(10).await;
    let (start, _) = time_on_chain(&net, &account).await;
    let mut last = start;
    for days in [1, 30, 31, 900] {
        let later = start + days * DAY_MS;
        net.travel_to(later).await;
        let (seen, receipt) = time_on_chain(&net, &account).await;
        assert!((later..later + DAY_MS / 24).contains(&seen), "{seen}");
        let block = net.rpc().get_block_header(receipt.block_index).await;
        assert_eq!(block.unwrap().time_ms, seen);
        // The clock does not run back to the machine's.
        let (next, _) = time_on_chain(&net, &account).await;
        assert!(next > seen && seen > last, "{next} after {seen}");
        last = next;
    }
    // The committee's gifts come in blocks of the later time too; and there is no way back.
    net.fund_gas(&account.address, 1).await.unwrap();
    let before = net.last_block().await;
    net.travel_to(start).await;
    assert!(net.last_block().await.time_ms >= before.time_ms);
}

#[tokio::test]
async fn a_block_of_ones_own_must_follow_the_last_and_be_later() {
    let net = TestNet::start().await;
    let first = net.rpc().get_block_header(0).await.unwrap();
    let late = |time_ms| OwnBlock {
        time_ms,
        ..OwnBlock::default()
    };
    let far = first.time_ms + 4000 * DAY_MS;
    assert!(net.add_block_after(&first, &late(far)).await.is_err());
    net.travel_to(far).await;
    let last = net.last_block().await;
    assert!(net.add_block_after(&last, &late(far)).await.is_err());
    assert!(net.last_block().await.time_ms < far + DAY_MS);
}
