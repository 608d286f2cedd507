//! The private net itself: what every other test stands on.

use std::process::Command;
use std::time::Instant;

use phantasma::net::process::exists;
use phantasma_tests::{NETWORK_MAGIC, PrivateNet, PrivateNetConfig, TestNet, free_port};
use serde_json::{Value, json};

/// One JSON-RPC call by hand, so that these tests do not rest on the client they help to test.
fn rpc(url: &str, method: &str, params: Value) -> Value {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
    let output = Command::new("curl").args(["-s", "--noproxy", "*", "-d", &body, url]).output().unwrap();
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    answer["result"].clone()
}

#[tokio::test]
async fn a_net_has_all_hardforks_and_our_magic_and_makes_blocks() {
    let started = Instant::now();
    let net = TestNet::start().await;
    eprintln!("started in {:?}", started.elapsed());
    let version = rpc(net.rpc_url(), "getversion", json!([]));
    assert_eq!(version["protocol"]["network"], json!(NETWORK_MAGIC));
    let hardforks = version["protocol"]["hardforks"].as_array().unwrap();
    assert_eq!(hardforks.len(), 7);
    assert!(hardforks.iter().all(|fork| fork["blockheight"] == 0), "{hardforks:?}");
    assert!(version["rpc"]["sessionenabled"].as_bool().unwrap());
}

#[tokio::test]
async fn funding_an_address_arrives_in_a_block() {
    let net = TestNet::start().await;
    let address = "NLUvZoejBgEN23eVkjne1RVo5MEXAWjrQU";
    net.fund_gas(address, 12_3456_7890).await.unwrap();
    net.fund_neo(address, 7).await.unwrap();
    let balances = rpc(net.rpc_url(), "getnep17balances", json!([address]));
    let amount = |symbol: &str| {
        let all = balances["balance"].as_array().unwrap();
        all.iter().find(|b| b["symbol"] == symbol).map(|b| b["amount"].as_str().unwrap().to_owned())
    };
    assert_eq!(amount("GAS").as_deref(), Some("1234567890"));
    assert_eq!(amount("NEO").as_deref(), Some("7"));
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
    let config = PrivateNetConfig { rpc_port: Some(port), ..PrivateNetConfig::default() };
    let error = PrivateNet::start(config).await.unwrap_err().to_string();
    assert!(error.contains(&format!("port {port} on 127.0.0.1 is taken")), "{error}");
}
