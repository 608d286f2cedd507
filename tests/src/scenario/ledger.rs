//! Who has how much SOUL, by the `Transfer` events alone; and whether the contract says the same.

use std::collections::BTreeMap;

use neo_client::{Hash160, Receipt};
use phantasma::amount::soul;
use phantasma_sdk::contract::{ContractEvent, Phantasma};

/// What came and went.
#[derive(Clone, Copy, Debug, Default)]
struct Line {
    minted: u64,
    received: u64,
    paid: u64,
}

impl Line {
    fn has(self) -> u64 {
        self.minted + self.received - self.paid
    }
}

/// The book of all accounts.
#[derive(Debug)]
pub struct Ledger {
    phantasma: Phantasma,
    /// In the order in which they became known.
    names: Vec<(String, Hash160)>,
    lines: BTreeMap<Hash160, Line>,
    boxes: Vec<u64>,
    sale: Hash160,
}

impl Ledger {
    /// An empty book of a contract and its sale.
    pub fn new(phantasma: Phantasma, sale: Hash160) -> Self {
        let names = vec![
            ("Phantasma".to_owned(), phantasma.hash()),
            ("PhantasmaSale".to_owned(), sale),
        ];
        Self {
            phantasma,
            names,
            lines: BTreeMap::new(),
            boxes: Vec::new(),
            sale,
        }
    }

    /// Gives an account a name; SOUL may go to no other.
    pub fn know(&mut self, name: &str, account: Hash160) {
        self.names.push((name.to_owned(), account));
    }

    /// Counts what a box holds.
    pub fn know_box(&mut self, id: u64) {
        self.boxes.push(id);
    }

    /// Writes down each movement of SOUL of a transaction.
    pub fn record(&mut self, receipt: &Receipt) {
        for event in self.phantasma.events(receipt) {
            let ContractEvent::Transfer { from, to, amount } = event else {
                continue;
            };
            for account in [from, to].into_iter().flatten() {
                let known = self.names.iter().any(|(_, known)| *known == account);
                assert!(known, "SOUL of {}, whom nobody knows", account.to_address());
            }
            if let Some(to) = to {
                let line = self.lines.entry(to).or_default();
                match from {
                    Some(_) => line.received += amount,
                    None => line.minted += amount,
                }
            }
            if let Some(from) = from {
                self.lines.entry(from).or_default().paid += amount;
            }
        }
    }

    fn line(&self, account: &Hash160) -> Line {
        self.lines.get(account).copied().unwrap_or_default()
    }

    /// Prints the book, and panics unless each account has what it says, and all together what there is.
    pub async fn check(&self, when: &str) {
        println!("\n    SOUL {when}");
        println!(
            "    account                   minted         received             paid              has"
        );
        let mut sum = 0;
        for (name, account) in &self.names {
            let line = self.line(account);
            let balance = self.phantasma.balance_of(account).await;
            let balance = balance.unwrap_or_else(|e| panic!("{e}"));
            println!(
                "    {name:14} {:>17} {:>16} {:>16} {:>16}",
                soul(line.minted),
                soul(line.received),
                soul(line.paid),
                soul(balance)
            );
            assert_eq!(balance, line.has(), "{name} has not what the events say");
            sum += balance;
        }
        let supply = self.phantasma.total_supply().await;
        let supply = supply.unwrap_or_else(|e| panic!("{e}"));
        println!("    all {:>76}", soul(sum));
        assert_eq!(sum, supply, "the balances are not all there is");
        self.check_parts().await;
        println!("    total supply {:>67}", soul(supply));
    }

    /// What the contract's own account has is the pool's and the boxes'; what the sale's has is locked up.
    async fn check_parts(&self) {
        let pool = self.phantasma.pool_balance().await;
        let pool = pool.unwrap_or_else(|e| panic!("{e}"));
        let mut boxes = 0;
        for id in &self.boxes {
            let held = self.phantasma.box_balance(*id).await;
            boxes += held.unwrap_or_else(|e| panic!("{e}"));
        }
        let locked = self.line(&self.sale).has();
        println!(
            "    of which pool {}, in boxes {}, locked up {}",
            soul(pool),
            soul(boxes),
            soul(locked)
        );
        assert_eq!(pool + boxes, self.line(&self.phantasma.hash()).has());
    }
}
