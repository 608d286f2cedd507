//! Who takes part: accounts in NEP-6 wallets, with GAS from the committee.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result};
use neo_client::{Account, Wallet};
use zeroize::Zeroizing;

use super::chain::Chain;
use super::report::Report;
use super::{say, step};

/// The three deployments take some 42 GAS, each call well under one.
const GAS: u64 = 100;

/// An account and the wallet file it lives in.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) account: Account,
    pub(super) wallet: PathBuf,
}

/// Everybody in the demo.
#[derive(Debug)]
pub(super) struct People {
    /// Deploys the contracts and receives the supply.
    pub(super) owner: Person,
    /// Writes.
    pub(super) alice: Person,
    /// Reads.
    pub(super) bob: Person,
    pub(super) relay: Person,
    pub(super) nodes: Vec<Person>,
    /// Of all wallets; made up for this run, given to the servers through the environment.
    pub(super) password: Zeroizing<String>,
}

pub(super) async fn make(dir: &Path, chain: &Chain, report: &mut Report) -> Result<People> {
    step("making wallets (NEP-6) for the owner, Alice, Bob, a relay and three storage nodes");
    let started = Instant::now();
    let folder = dir.join("wallets");
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    let password = Zeroizing::new(hex::encode(rand::random::<[u8; 16]>()));
    let person = |name: &str| -> Result<Person> {
        let path = folder.join(format!("{name}.json"));
        let account = Account::random()?;
        Wallet::create(&path)?.add_account(&account.key, &password, name)?;
        say(&format!("{name:8} {}", account.address));
        Ok(Person {
            account,
            wallet: path,
        })
    };
    let people = People {
        owner: person("owner")?,
        alice: person("alice")?,
        bob: person("bob")?,
        relay: person("relay")?,
        nodes: (1..=3)
            .map(|n| person(&format!("node{n}")))
            .collect::<Result<_>>()?,
        password: password.clone(),
    };
    report.time("7 wallets (scrypt)", started);
    for person in [&people.owner, &people.alice, &people.relay] {
        chain
            .net
            .fund_gas(&person.account.address, GAS * 1_0000_0000)
            .await?;
    }
    say(&format!(
        "{GAS} GAS each for the owner, Alice and the relay"
    ));
    Ok(people)
}
