//! `phantasma contract deploy`: three contracts that name each other, and a deployment that was broken off.

use neo_client::{Account, Hash160, Wallet};
use phantasma::contract::{self, Params, Program};
use phantasma_sdk::contract::Phantasma;
use phantasma_tests::{TestNet, all_artifacts};
use serde_json::Value;

use crate::cli::{Cli, PASSWORD};

/// A command whose account has GAS for a deployment.
async fn deployer(net: &TestNet) -> (Cli, Account) {
    let cli = Cli::new(net.rpc_url());
    let address = cli.new_wallet();
    net.fund_gas(&address, 100_0000_0000).await.unwrap();
    let wallet = Wallet::open(cli.path("phantasma/wallet.json")).unwrap();
    let account = wallet.decrypt(&address, PASSWORD).unwrap();
    (cli, account)
}

fn kept(deployed: &Value) -> [bool; 3] {
    [deployed, &deployed["sale"], &deployed["proofs"]].map(|one| one["kept"].as_bool().unwrap())
}

fn profile(cli: &Cli) -> String {
    std::fs::read_to_string(cli.path("phantasma/phantasma.toml")).unwrap()
}

#[tokio::test]
async fn three_contracts_are_deployed_at_the_hashes_that_they_were_told() {
    let net = TestNet::start().await;
    let (cli, account) = deployer(&net).await;
    let hashes = contract::hashes(&all_artifacts(), &account.script_hash).unwrap();
    let deployed = cli.json(&["contract", "deploy"]);
    assert_eq!(kept(&deployed), [false; 3]);
    assert_eq!(deployed["contract"], hashes.phantasma.to_string());
    assert_eq!(deployed["sale"]["contract"], hashes.sale.to_string());
    assert_eq!(deployed["proofs"]["contract"], hashes.proofs.to_string());
    let text = profile(&cli);
    for (name, hash) in [
        ("contract", hashes.phantasma),
        ("sale", hashes.sale),
        ("proofs", hashes.proofs),
    ] {
        assert!(text.contains(&format!("{name} = \"{hash}\"")), "{text}");
    }
    let info = cli.json(&["contract", "info"]);
    assert_eq!(info["linked"], true);
    assert_eq!(info["name"], "Phantasma");
    assert_eq!(info["sale"]["name"], "PhantasmaSale");
    assert_eq!(info["proofs"]["name"], "PhantasmaProofs");

    let again = cli.json(&["contract", "deploy"]);
    assert_eq!(kept(&again), [true; 3]);
    assert_eq!(again["contract"], deployed["contract"]);
    // Without the profile the two others are found through the first.
    let elsewhere = Cli::new(net.rpc_url());
    let hash = hashes.phantasma.to_string();
    let info = elsewhere.json(&["contract", "info", "--contract", &hash]);
    assert_eq!(info["linked"], true);
    assert_eq!(info["proofs"]["contract"], hashes.proofs.to_string());
}

#[tokio::test]
async fn a_deployment_that_was_broken_off_goes_on() {
    let net = TestNet::start().await;
    let (cli, account) = deployer(&net).await;
    let artifacts = all_artifacts();
    let hashes = contract::hashes(&artifacts, &account.script_hash).unwrap();
    let params = Params::load(None).unwrap();
    let none = Hash160::ZERO;
    let sale = params
        .sale
        .deploy_params(&hashes.phantasma, &none, &none, 1);
    let (nef, manifest) = (
        artifacts.sale.parse_nef().unwrap(),
        artifacts.sale.parse_manifest().unwrap(),
    );
    let actor = net.actor(&account);
    let (hash, _) = actor
        .deploy(&nef, &manifest, &sale.unwrap())
        .await
        .unwrap_or_else(|e| panic!("{e}"));
    assert_eq!(hash, hashes.sale);

    let deployed = cli.json(&["contract", "deploy"]);
    assert_eq!(kept(&deployed), [false, true, false]);
    assert_eq!(cli.json(&["contract", "info"])["linked"], true);
}

#[tokio::test]
async fn a_contract_that_names_others_is_no_part_of_a_deployment() {
    let net = TestNet::start().await;
    let (cli, account) = deployer(&net).await;
    let artifacts = all_artifacts();
    let alone = Params::load(None)
        .unwrap()
        .for_owner(&account.script_hash)
        .unwrap();
    let (nef, manifest) = (
        artifacts.phantasma.parse_nef().unwrap(),
        artifacts.phantasma.parse_manifest().unwrap(),
    );
    let (phantasma, _) = Phantasma::deploy(net.rpc(), &account, &nef, &manifest, &alone)
        .await
        .unwrap();
    cli.refusal(&["contract", "deploy"]).says(&[
        &phantasma.hash().to_string(),
        "names 0x0000000000000000000000000000000000000000 as PhantasmaSale",
        "deploy with another account",
    ]);
    let hashes = contract::hashes(&artifacts, &account.script_hash).unwrap();
    for program in [Program::Sale, Program::Proofs] {
        let state = net.rpc().get_contract_state(hashes.get(program)).await;
        assert!(state.unwrap().is_none(), "{program} was deployed");
    }
    assert!(!profile(&cli).contains("contract"));
    let hash = phantasma.hash().to_string();
    let info = cli.json(&["contract", "info", "--contract", &hash]);
    assert_eq!(info["linked"], false);
}
