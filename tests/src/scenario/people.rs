//! Who takes part: accounts in NEP-6 wallets, opened with their password.

use neo_client::{Account, Wallet};

use super::{ONE, say};
use crate::TestNet;

/// How many storage nodes there are.
pub(super) const NODES: usize = 10;
const PASSWORD: &str = "scenario";
/// NEO of each buyer.
pub(super) const NEO_GIVEN: u64 = 100;

/// Everybody.
#[derive(Debug)]
pub(super) struct People {
    /// Deploys, and runs the sale.
    pub(super) admin: Account,
    /// Gets the initial supply.
    pub(super) foundation: Account,
    /// Gets what is raised.
    pub(super) treasury: Account,
    /// Buys in the public tier.
    pub(super) alice: Account,
    /// Buys in the presale.
    pub(super) bob: Account,
    /// Is of the team.
    pub(super) carol: Account,
    /// Advises; a stranger to the whitelist.
    pub(super) dave: Account,
    pub(super) nodes: Vec<Account>,
}

impl People {
    /// Makes their wallets, and gives them NEO and GAS of the committee's.
    pub(super) async fn make(net: &TestNet) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let person = |name: &str| {
            let path = dir.path().join(format!("{name}.json"));
            let account = Account::random().expect("random numbers");
            let mut wallet = Wallet::create(&path).expect("a wallet");
            let address = wallet.add_account(&account.key, PASSWORD, name);
            let address = address.expect("an account");
            let wallet = Wallet::open(&path).expect("the wallet again");
            let account = wallet.decrypt(&address, PASSWORD).expect("the account");
            say(&format!("{name:10} {address}"));
            account
        };
        let people = Self {
            admin: person("admin"),
            foundation: person("foundation"),
            treasury: person("treasury"),
            alice: person("alice"),
            bob: person("bob"),
            carol: person("carol"),
            dave: person("dave"),
            nodes: (0..NODES).map(|n| person(&format!("node{n}"))).collect(),
        };
        for (account, gas) in people.gas() {
            let funded = net.fund_gas(&account.address, gas * ONE).await;
            funded.unwrap_or_else(|e| panic!("{e}"));
        }
        for account in [&people.alice, &people.bob, &people.dave] {
            let funded = net.fund_neo(&account.address, NEO_GIVEN).await;
            funded.unwrap_or_else(|e| panic!("{e}"));
        }
        people
    }

    /// GAS for what each will do: deployments take some 42, a buyer's contribution comes on top.
    fn gas(&self) -> Vec<(&Account, u64)> {
        let mut all = vec![
            (&self.admin, 80),
            (&self.foundation, 20),
            (&self.alice, 20),
            (&self.bob, 20),
            (&self.carol, 120),
            (&self.dave, 20),
        ];
        all.extend(self.nodes.iter().map(|node| (node, 30)));
        all
    }

    /// All with their names.
    pub(super) fn all(&self) -> Vec<(String, &Account)> {
        let mut all = vec![
            ("admin".to_owned(), &self.admin),
            ("foundation".to_owned(), &self.foundation),
            ("treasury".to_owned(), &self.treasury),
            ("alice".to_owned(), &self.alice),
            ("bob".to_owned(), &self.bob),
            ("carol".to_owned(), &self.carol),
            ("dave".to_owned(), &self.dave),
        ];
        let nodes = self.nodes.iter().enumerate();
        all.extend(nodes.map(|(n, node)| (format!("node{n}"), node)));
        all
    }
}
