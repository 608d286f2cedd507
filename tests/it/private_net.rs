//! The private net itself: what every other test stands on.

use std::time::Instant;

use neo_client::{ContractParam, Hash160, NEO};
use num_bigint::BigInt;
use phantasma::net::process::exists;
use phantasma_tests::{NETWORK_MAGIC, PrivateNet, PrivateNetConfig, TestNet, free_port};
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
