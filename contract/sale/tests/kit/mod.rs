//! Both contracts deployed on one chain, and accounts, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use neo_framework::chain::{Account, Chain, Deployment, Item, Outcome, Signer};
use neo_framework::{Hash160, Int, gas_token, neo_token};
use phantasma_sale::methods;

/// Smallest units of one SOUL, and of one GAS.
pub(crate) const ONE: i64 = 1_0000_0000;
pub(crate) const SUPPLY: i64 = 50_000_000 * ONE;
pub(crate) const MAX_SUPPLY: i64 = 100_000_000 * ONE;
pub(crate) const HARD_CAP: i64 = 30_000 * ONE;
pub(crate) const DAY: i64 = 86_400_000;
/// When the chain of a test begins: a sale opens a day later, lasts for 30 and can be put off by 60.
pub(crate) const SALE_DAYS: i64 = 30;
pub(crate) const LATEST_DAYS: i64 = 60;
pub(crate) const OPENING_DAYS: i64 = 1;

pub(crate) const PUBLIC: i64 = 1;
pub(crate) const PRESALE: i64 = 2;
pub(crate) const ADVISOR: i64 = 3;
pub(crate) const TEAM: i64 = 4;
pub(crate) const GAS_ONLY: i64 = 5;

/// rateNeo, rateGas, bonus, cap, lockup, locks.
pub(crate) const TIERS: [[i64; 6]; 5] = [
    [273 * ONE, 80 * ONE, 0, 10_000 * ONE, 0, 0],
    [300 * ONE, 90 * ONE, 20, 12_000 * ONE, 1, 1],
    [300 * ONE, 90 * ONE, 0, 12_000 * ONE, 2, 2],
    [300 * ONE, 90 * ONE, 7, 12_000 * ONE, 3, 2],
    [0, 77_777_777, 3, 1_000 * ONE + 7, 0, 0],
];

pub(crate) const PRESALE_LOCKUP: i64 = 1;
pub(crate) const ADVISOR_LOCKUP: i64 = 2;
pub(crate) const TEAM_LOCKUP: i64 = 3;

/// cliff, step, steps, reserve.
pub(crate) const LOCKUPS: [[i64; 4]; 3] = [
    [0, 30, 3, 0],
    [90, 30, 12, 5_000_000 * ONE],
    [180, 180, 4, 15_000_000 * ONE],
];

pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) sale: Hash160,
    pub(crate) soul: Hash160,
    pub(crate) start: i64,
    pub(crate) owner: Account,
    pub(crate) admin: Account,
    pub(crate) treasury: Account,
    pub(crate) alice: Account,
    pub(crate) bob: Account,
}

pub(crate) fn int(value: i64) -> Item {
    Item::integer(value)
}

pub(crate) fn hash(hash: &Hash160) -> Item {
    Item::ByteString(hash.as_bytes())
}

pub(crate) fn account(account: &Account) -> Item {
    hash(&account.hash)
}

pub(crate) fn as_int(item: &Item) -> i64 {
    item.to_integer().ok().and_then(Int::to_i64).unwrap()
}

pub(crate) fn fields(item: &Item) -> Vec<Item> {
    match item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().clone(),
        other => panic!("not an array: {other:?}"),
    }
}

/// The fields of an answer that are all Integers.
pub(crate) fn numbers(item: &Item) -> Vec<i64> {
    fields(item).iter().map(as_int).collect()
}

fn rows<const N: usize>(rows: &[[i64; N]]) -> Item {
    Item::array(
        rows.iter()
            .map(|row| Item::array(row.map(int).to_vec()))
            .collect(),
    )
}

/// What the sale is deployed with; a test may put something else in a place.
pub(crate) fn sale_data(
    soul: &Hash160,
    admin: &Account,
    treasury: &Hash160,
    start: i64,
) -> Vec<Item> {
    vec![
        hash(soul),
        account(admin),
        hash(treasury),
        int(HARD_CAP),
        int(start + OPENING_DAYS * DAY),
        int(start + (OPENING_DAYS + SALE_DAYS) * DAY),
        int(start + (OPENING_DAYS + LATEST_DAYS) * DAY),
        rows(&TIERS),
        rows(&LOCKUPS),
    ]
}

fn deploy_soul(chain: &Chain, owner: &Account, sale: &Hash160, most: i64) -> Deployment {
    let numbers = [SUPPLY, ONE, ONE, 20, most].map(int);
    let contracts = vec![hash(sale), hash(&Hash160::zero())];
    let data = [vec![account(owner)], numbers.to_vec(), contracts].concat();
    chain.deploy(
        &[owner.signer()],
        phantasma_contract::methods::CONTRACT,
        Item::array(data),
    )
}

/// The hash that the sale will have: it follows from who deploys and from the name.
pub(crate) fn sale_hash(owner: &Account) -> Hash160 {
    Chain::new()
        .deploy(&[owner.signer()], methods::CONTRACT, Item::Null)
        .hash
}

impl World {
    /// Before the opening.
    pub(crate) fn new() -> World {
        let treasury = Account::named("treasury").hash;
        World::with(&treasury, MAX_SUPPLY)
    }

    /// With another treasury and another most of SOUL.
    pub(crate) fn with(to: &Hash160, most: i64) -> World {
        let chain = Chain::new();
        let [owner, admin, treasury, alice, bob] =
            ["owner", "admin", "treasury", "alice", "bob"].map(|name| chain.account(name));
        let start = chain.time().to_i64().unwrap();
        let soul = deploy_soul(&chain, &owner, &sale_hash(&owner), most);
        assert!(soul.outcome.is_halt(), "{:?}", soul.outcome.exception);
        let data = Item::array(sale_data(&soul.hash, &admin, to, start));
        let sale = chain.deploy(&[owner.signer()], methods::CONTRACT, data);
        assert!(sale.outcome.is_halt(), "{:?}", sale.outcome.exception);
        for rich in [&alice, &bob] {
            chain.set_neo(&rich.hash, 1000);
            chain.set_gas(&rich.hash, 1000 * ONE);
        }
        World {
            chain,
            sale: sale.hash,
            soul: soul.hash,
            start,
            owner,
            admin,
            treasury,
            alice,
            bob,
        }
    }

    /// Open, with Alice and Bob in the public tier.
    pub(crate) fn open() -> World {
        let world = World::new();
        world
            .whitelist(&[&world.alice, &world.bob], PUBLIC)
            .result();
        world.at_day(OPENING_DAYS);
        world
    }

    pub(crate) fn at_day(&self, day: i64) {
        self.at(self.start + day * DAY);
    }

    pub(crate) fn at(&self, time: i64) {
        self.chain.set_time(time);
    }

    pub(crate) fn now(&self) -> i64 {
        self.chain.time().to_i64().unwrap()
    }

    pub(crate) fn call(&self, signers: &[Signer], method: &str, args: Vec<Item>) -> Outcome {
        let outcome = self.chain.invoke(signers, &self.sale, method, args);
        self.check_supply(method);
        outcome
    }

    pub(crate) fn by(&self, signer: &Account, method: &str, args: Vec<Item>) -> Outcome {
        self.call(&[signer.signer()], method, args)
    }

    pub(crate) fn by_admin(&self, method: &str, args: Vec<Item>) -> Outcome {
        self.by(&self.admin, method, args)
    }

    pub(crate) fn get(&self, method: &str, args: Vec<Item>) -> Item {
        self.chain
            .test_invoke(&[], &self.sale, method, args)
            .result()
    }

    #[track_caller]
    pub(crate) fn refused(&self, signer: &Account, method: &str, args: Vec<Item>, message: &str) {
        let before = self.storage();
        let outcome = self.by(signer, method, args);
        assert_eq!(outcome.exception.as_deref(), Some(message), "{method}");
        assert_eq!(self.storage(), before);
    }

    pub(crate) fn storage(&self) -> [BTreeMap<Vec<u8>, Vec<u8>>; 2] {
        [&self.sale, &self.soul].map(|contract| self.chain.storage(contract))
    }

    pub(crate) fn whitelist(&self, accounts: &[&Account], tier: i64) -> Outcome {
        let list = accounts.iter().map(|a| account(a)).collect();
        self.by_admin("whitelist", vec![Item::array(list), int(tier)])
    }

    pub(crate) fn allot(&self, entries: &[(&Account, i64)], lockup: i64) -> Outcome {
        let accounts = entries.iter().map(|(a, _)| account(a)).collect();
        let amounts = entries.iter().map(|(_, amount)| int(*amount)).collect();
        let args = vec![Item::array(accounts), Item::array(amounts), int(lockup)];
        self.by_admin("allot", args)
    }

    /// An ordinary NEP-17 transfer to the sale.
    pub(crate) fn send(&self, from: &Account, token: &Hash160, amount: i64) -> Outcome {
        let args = vec![account(from), hash(&self.sale), int(amount), Item::Null];
        let outcome = self.chain.invoke(&[from.signer()], token, "transfer", args);
        self.check_supply("a contribution");
        outcome
    }

    pub(crate) fn send_neo(&self, from: &Account, amount: i64) -> Outcome {
        self.send(from, &neo_token::HASH, amount)
    }

    pub(crate) fn send_gas(&self, from: &Account, amount: i64) -> Outcome {
        self.send(from, &gas_token::HASH, amount)
    }

    /// A contribution that is refused and moves nothing.
    #[track_caller]
    pub(crate) fn no_sale(&self, from: &Account, token: &Hash160, amount: i64, message: &str) {
        let before = (self.storage(), self.neo(&from.hash), self.gas(&from.hash));
        let outcome = self.send(from, token, amount);
        assert_eq!(outcome.exception.as_deref(), Some(message));
        let after = (self.storage(), self.neo(&from.hash), self.gas(&from.hash));
        assert_eq!(after, before);
    }

    pub(crate) fn neo(&self, of: &Hash160) -> i64 {
        self.chain.neo_of(of).to_i64().unwrap()
    }

    pub(crate) fn gas(&self, of: &Hash160) -> i64 {
        self.chain.gas_of(of).to_i64().unwrap()
    }

    pub(crate) fn soul_of(&self, of: &Hash160) -> i64 {
        let outcome = self
            .chain
            .test_invoke(&[], &self.soul, "balanceOf", vec![hash(of)]);
        as_int(&outcome.result())
    }

    pub(crate) fn total_supply(&self) -> i64 {
        let outcome = self
            .chain
            .test_invoke(&[], &self.soul, "totalSupply", vec![]);
        as_int(&outcome.result())
    }

    pub(crate) fn sum_of_balances(&self) -> i64 {
        let storage = self.chain.storage(&self.soul);
        let balances = storage.iter().filter(|(key, _)| key.first() == Some(&0x10));
        balances.map(|(_, value)| as_int(&Item::bytes(value))).sum()
    }

    /// amount, next, due.
    pub(crate) fn locked(&self, of: &Account) -> [i64; 3] {
        numbers(&self.get("lockedOf", vec![account(of)]))
            .try_into()
            .unwrap()
    }

    /// phase, opening, end, hard cap, sold.
    pub(crate) fn info(&self) -> Vec<i64> {
        numbers(&self.get("saleInfo", vec![]))
    }

    pub(crate) fn sold(&self) -> i64 {
        self.info()[4]
    }

    /// accepted, refund, base, bonus, locked.
    pub(crate) fn quote(&self, of: &Account, token: &Hash160, amount: i64) -> Vec<i64> {
        let args = vec![account(of), hash(token), int(amount)];
        numbers(&self.get("quote", args))
    }

    /// After every call: all balances add up, and the sale's own is what it keeps for others.
    #[track_caller]
    pub(crate) fn check_supply(&self, after: &str) {
        assert_eq!(self.sum_of_balances(), self.total_supply(), "{after}");
        let kept: i64 = self.records().map(|record| record[3] - record[4]).sum();
        assert_eq!(self.soul_of(&self.sale), kept, "{after}");
    }

    /// tier, bought, lockup, locked, unlocked of every account that the sale knows.
    pub(crate) fn records(&self) -> impl Iterator<Item = Vec<i64>> + '_ {
        let storage = self.chain.storage(&self.sale);
        let accounts = storage.into_keys().filter(|key| key.first() == Some(&0x20));
        accounts.map(|key| numbers(&self.get("accountInfo", vec![Item::bytes(&key[1..])])))
    }
}
