//! A wallet that is not ours works: neo-go's own command line, with wallet files of its own making, and ours in it.

use std::path::{Path, PathBuf};
use std::process::Command;

use neo_client::{Account, Hash160, Hash256, PrivateKey, StackItem, Wallet};
use num_bigint::BigInt;
use phantasma_tests::{DeployedPhantasma, TestNet};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";
const SOUL: u64 = 1_0000_0000;

/// neo-go's command line with one wallet file.
pub(crate) struct Neogo<'a> {
    net: &'a TestNet,
    dir: TempDir,
}

impl<'a> Neogo<'a> {
    /// With a wallet file that neo-go makes itself, holding one account.
    pub(crate) fn with_own_wallet(net: &'a TestNet) -> Self {
        let neogo = Self::with_wallet(net, None);
        neogo
            .run(&[
                "wallet",
                "init",
                "--account",
                "--wallet-config",
                &neogo.access(),
            ])
            .unwrap();
        neogo
    }

    /// With a copy of a wallet file, or at first none.
    fn with_wallet(net: &'a TestNet, wallet: Option<&Path>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let neogo = Self { net, dir };
        if let Some(wallet) = wallet {
            std::fs::copy(wallet, neogo.wallet()).unwrap();
        }
        let text = format!(
            "Path: {:?}\nPassword: {PASSWORD:?}\n",
            neogo.wallet().display().to_string()
        );
        std::fs::write(neogo.access(), text).unwrap();
        neogo
    }

    fn wallet(&self) -> PathBuf {
        self.dir.path().join("wallet.json")
    }

    /// The file that gives neo-go the wallet's path and password.
    fn access(&self) -> String {
        self.dir.path().join("access.yml").display().to_string()
    }

    /// The address of the first account, as neo-go wrote it.
    pub(crate) fn address(&self) -> String {
        let wallet: serde_json::Value =
            serde_json::from_slice(&std::fs::read(self.wallet()).unwrap()).unwrap();
        wallet["accounts"][0]["address"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Standard output, or everything when it fails.
    fn run(&self, args: &[&str]) -> Result<String, String> {
        let output = Command::new(self.net.neogo())
            .args(args)
            .current_dir(self.dir.path())
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(text(&output.stdout) + &text(&output.stderr))
    }

    /// `wallet nep17 <verb>` on this net with this wallet.
    pub(crate) fn nep17(&self, verb: &str, args: &[&str]) -> Result<String, String> {
        let access = self.access();
        let head = [
            "wallet",
            "nep17",
            verb,
            "--wallet-config",
            &access,
            "--rpc-endpoint",
            self.net.rpc_url(),
        ];
        self.run(&[&head[..], args].concat())
    }
}

/// neo-go names tokens by their hash without 0x.
fn bare(hash: &Hash160) -> String {
    hash.to_string().trim_start_matches("0x").to_owned()
}

/// Gives an address SOUL of the owner's, and GAS to spend it with.
async fn supply(net: &TestNet, phantasma: &DeployedPhantasma, address: &str, soul: u64) {
    let to = Hash160::from_address(address).unwrap();
    net.fund_gas(address, 20 * SOUL).await.unwrap();
    net.actor(&phantasma.owner)
        .transfer(&phantasma.hash, &to, soul * SOUL)
        .await
        .unwrap();
}

#[tokio::test]
async fn neo_go_imports_soul_shows_it_and_transfers_it() {
    let net = TestNet::start().await;
    let phantasma = net.deploy_phantasma().await;
    let token = bare(&phantasma.hash);
    let neogo = Neogo::with_own_wallet(&net);
    let from = neogo.address();
    supply(&net, &phantasma, &from, 100).await;

    let imported = neogo.nep17("import", &["--token", &token]).unwrap();
    for expected in ["Name:", "SOUL", "Decimals: 8", "NEP-17"] {
        assert!(imported.contains(expected), "{expected:?} in {imported}");
    }
    let balance = neogo.nep17("balance", &["--token", "SOUL"]).unwrap();
    assert!(balance.contains("Amount : 100\n"), "{balance}");

    let receiver = Account::random().unwrap();
    let sent = [
        "--from",
        &from,
        "--to",
        &receiver.address,
        "--token",
        "SOUL",
        "--amount",
        "12.5",
        "--force",
        "--await",
    ];
    let output = neogo.nep17("transfer", &sent).unwrap();
    assert!(output.contains("HALT"), "{output}");

    let balance = neogo.nep17("balance", &["--token", "SOUL"]).unwrap();
    assert!(balance.contains("Amount : 87.5\n"), "{balance}");
    let received = net
        .rpc()
        .balance_of(&phantasma.hash, &receiver.script_hash)
        .await
        .unwrap();
    assert_eq!(received, BigInt::from(12_5000_0000_u64));

    let txid: Hash256 = output.lines().next().unwrap().trim().parse().unwrap();
    let log = net.rpc().get_application_log(&txid).await.unwrap().unwrap();
    let events = &log.executions[0].notifications;
    let transfer = events
        .iter()
        .find(|e| e.contract == phantasma.hash && e.name == "Transfer")
        .unwrap();
    let sender = Hash160::from_address(&from).unwrap();
    let expected = [
        StackItem::ByteString(sender.0.to_vec()),
        StackItem::ByteString(receiver.script_hash.0.to_vec()),
        StackItem::Integer(BigInt::from(12_5000_0000_u64)),
    ];
    assert_eq!(transfer.args(), expected);
}

#[tokio::test]
async fn neo_go_cannot_send_more_soul_than_there_is() {
    let net = TestNet::start().await;
    let phantasma = net.deploy_phantasma().await;
    let token = bare(&phantasma.hash);
    let neogo = Neogo::with_own_wallet(&net);
    let from = neogo.address();
    supply(&net, &phantasma, &from, 3).await;
    neogo.nep17("import", &["--token", &token]).unwrap();
    let receiver = Account::random().unwrap();
    let sent = [
        "--from",
        &from,
        "--to",
        &receiver.address,
        "--token",
        "SOUL",
        "--amount",
        "3.00000001",
        "--force",
        "--await",
    ];
    let output = neogo.nep17("transfer", &sent).unwrap_err();
    assert!(!output.is_empty());
    let rpc = net.rpc();
    let held = rpc
        .balance_of(&phantasma.hash, &Hash160::from_address(&from).unwrap())
        .await
        .unwrap();
    assert_eq!(held, BigInt::from(3 * SOUL));
    assert_eq!(
        rpc.balance_of(&phantasma.hash, &receiver.script_hash)
            .await
            .unwrap(),
        BigInt::from(0)
    );
}

#[tokio::test]
async fn an_address_of_our_wallet_opens_in_neo_go_and_sends() {
    let net = TestNet::start().await;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ours.json");
    let key = PrivateKey::random().unwrap();
    let address = Wallet::create(&path)
        .unwrap()
        .add_account(&key, PASSWORD, "ours")
        .unwrap();
    net.fund_gas(&address, 5 * SOUL).await.unwrap();

    let neogo = Neogo::with_wallet(&net, Some(&path));
    let keys = neogo
        .run(&["wallet", "dump-keys", "--wallet-config", &neogo.access()])
        .unwrap();
    assert!(
        keys.contains(&address) && keys.contains(&hex::encode(key.public_key().0)),
        "{keys}"
    );
    let access = neogo.access();
    let wif = neogo
        .run(&[
            "wallet",
            "export",
            "--wallet-config",
            &access,
            "--format",
            "wif",
            &address,
        ])
        .unwrap();
    assert_eq!(wif.trim(), *key.to_wif());

    let receiver = Account::random().unwrap();
    let sent = [
        "--from",
        &address,
        "--to",
        &receiver.address,
        "--token",
        "GAS",
        "--amount",
        "1",
        "--force",
        "--await",
    ];
    assert!(neogo.nep17("transfer", &sent).unwrap().contains("HALT"));
    let received = net
        .rpc()
        .balance_of(&neo_client::GAS, &receiver.script_hash)
        .await
        .unwrap();
    assert_eq!(received, BigInt::from(SOUL));
}

#[tokio::test]
async fn an_address_of_neo_go_opens_in_our_wallet_and_sends() {
    let net = TestNet::start().await;
    let neogo = Neogo::with_own_wallet(&net);
    let address = neogo.address();
    net.fund_gas(&address, 5 * SOUL).await.unwrap();

    let wallet = Wallet::open(neogo.wallet()).unwrap();
    assert!(wallet.decrypt(&address, "another password").is_err());
    let account = wallet.decrypt(&address, PASSWORD).unwrap();
    assert_eq!(account.address, address);
    let receiver = Account::random().unwrap();
    net.actor(&account)
        .transfer(&neo_client::GAS, &receiver.script_hash, SOUL)
        .await
        .unwrap();
    let received = net
        .rpc()
        .balance_of(&neo_client::GAS, &receiver.script_hash)
        .await
        .unwrap();
    assert_eq!(received, BigInt::from(SOUL));
}
