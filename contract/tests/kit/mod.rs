//! A deployed contract and wallets, for tests.
#![allow(dead_code, clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeMap;

use neo_framework::chain::{Account, Chain, Item, Outcome, Signer};
use neo_framework::{Hash160, Int};
use phantasma_contract::methods;

/// The whole supply: a hundred million SOUL.
pub(crate) const SUPPLY: i64 = 10_000_000_000_000_000;
/// What `createBox` costs: ten SOUL.
pub(crate) const BOX_FEE: i64 = 10_0000_0000;
/// What a block costs a period: a hundredth of a SOUL.
pub(crate) const BLOCK_FEE: i64 = 100_0000;

/// The most SOUL there may be: a fifth more.
pub(crate) const MAX_SUPPLY: i64 = SUPPLY / 5 * 6;

/// A chain with the contract, and the accounts that the tests use.
pub(crate) struct World {
    pub(crate) chain: Chain,
    pub(crate) hash: Hash160,
    /// Owns the supply at first.
    pub(crate) owner: Account,
    pub(crate) alice: Account,
    pub(crate) bob: Account,
}

/// The arguments of `_deploy`.
pub(crate) fn deploy_data(owner: &Account) -> Item {
    deploy_data_with(owner, &Hash160::zero(), &Hash160::zero())
}

/// The same with the hashes of the contracts of sale and proofs.
pub(crate) fn deploy_data_with(owner: &Account, sale: &Hash160, proofs: &Hash160) -> Item {
    let numbers = [SUPPLY, BOX_FEE, BLOCK_FEE, 20, MAX_SUPPLY].map(Item::integer);
    let contracts = [sale, proofs].map(|hash| bytes(hash.as_bytes().as_slice()));
    Item::array([vec![account(owner)], numbers.to_vec(), contracts.to_vec()].concat())
}

pub(crate) fn account(account: &Account) -> Item {
    Item::bytes(account.hash.as_bytes().as_slice())
}

pub(crate) fn key(account: &Account) -> Item {
    Item::bytes(account.public_key.as_bytes().as_slice())
}

pub(crate) fn int(value: i64) -> Item {
    Item::integer(value)
}

pub(crate) fn bytes(value: &[u8]) -> Item {
    Item::bytes(value)
}

/// The script of a text.
pub(crate) fn script(text: &str) -> Item {
    Item::bytes(&phantasma_vm::assemble(text).unwrap())
}

/// The fields of an Array or Struct.
pub(crate) fn fields(item: &Item) -> Vec<Item> {
    match item {
        Item::Array(cells) | Item::Struct(cells) => cells.borrow().clone(),
        other => panic!("not an array: {other:?}"),
    }
}

pub(crate) fn as_int(item: &Item) -> i64 {
    item.to_integer().ok().and_then(Int::to_i64).unwrap()
}

impl World {
    /// The contract deployed, and a thousand SOUL each for Alice and Bob.
    pub(crate) fn new() -> World {
        Self::with(&Hash160::zero(), &Hash160::zero())
    }

    /// The same with the hashes of the contracts of sale and proofs.
    pub(crate) fn with(sale: &Hash160, proofs: &Hash160) -> World {
        let chain = Chain::new();
        let [owner, alice, bob] = ["owner", "alice", "bob"].map(|name| chain.account(name));
        let data = deploy_data_with(&owner, sale, proofs);
        let deployed = chain.deploy(&[owner.signer()], methods::CONTRACT, data);
        assert!(
            deployed.outcome.is_halt(),
            "{:?}",
            deployed.outcome.exception
        );
        let world = World {
            chain,
            hash: deployed.hash,
            owner,
            alice,
            bob,
        };
        for to in [&world.alice, &world.bob] {
            let args = vec![
                account(&world.owner),
                account(to),
                int(1000_0000_0000),
                Item::Null,
            ];
            assert_eq!(
                world.by(&world.owner, "transfer", args).result(),
                Item::Boolean(true)
            );
        }
        world
    }

    /// Calls a method as a transaction signed by one account.
    pub(crate) fn by(&self, signer: &Account, method: &str, args: Vec<Item>) -> Outcome {
        self.signed(&[signer.signer()], method, args)
    }

    pub(crate) fn signed(&self, signers: &[Signer], method: &str, args: Vec<Item>) -> Outcome {
        self.chain.invoke(signers, &self.hash, method, args)
    }

    /// The result of a method that needs no witness.
    pub(crate) fn get(&self, method: &str, args: Vec<Item>) -> Item {
        self.signed(&[], method, args).result()
    }

    /// That a call faults with exactly this message and changes nothing.
    #[track_caller]
    pub(crate) fn refused(&self, signer: &Account, method: &str, args: Vec<Item>, message: &str) {
        let before = self.storage();
        let outcome = self.by(signer, method, args);
        assert_eq!(outcome.exception.as_deref(), Some(message), "{method}");
        assert!(outcome.events.is_empty());
        assert_eq!(self.storage(), before, "{method} changed the state");
    }

    pub(crate) fn storage(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        self.chain.storage(&self.hash)
    }

    pub(crate) fn balance(&self, of: &Hash160) -> i64 {
        as_int(&self.get("balanceOf", vec![bytes(of.as_bytes().as_slice())]))
    }

    /// A box of `owner` with that name and gate; its number.
    #[track_caller]
    pub(crate) fn new_box(&self, owner: &Account, name: &str, gate: &str) -> i64 {
        let args = vec![account(owner), Item::text(name), key(owner), script(gate)];
        as_int(&self.by(owner, "createBox", args).result())
    }

    /// Writes a content as `caller`.
    pub(crate) fn write(&self, caller: &Account, id: i64, content: &str) -> Outcome {
        self.by(
            caller,
            "writeContent",
            vec![account(caller), int(id), script(content), int(0)],
        )
    }

    /// Reads a content as `caller`.
    pub(crate) fn read(&self, caller: &Account, id: i64, index: i64) -> Outcome {
        self.by(
            caller,
            "readContentAt",
            vec![account(caller), int(id), int(index), int(0)],
        )
    }

    /// Writes a content as `caller`, who pays up to `max`.
    pub(crate) fn write_for(&self, caller: &Account, id: i64, content: &str, max: i64) -> Outcome {
        self.by(
            caller,
            "writeContent",
            vec![account(caller), int(id), script(content), int(max)],
        )
    }

    /// Reads the latest content as `caller`, who pays up to `max`.
    pub(crate) fn pull(&self, caller: &Account, id: i64, max: i64) -> Outcome {
        self.by(
            caller,
            "readContent",
            vec![account(caller), int(id), int(max)],
        )
    }

    /// Calls a content with inputs.
    pub(crate) fn call(&self, caller: &Account, id: i64, index: i64, inputs: Vec<Item>) -> Outcome {
        let args = vec![
            account(caller),
            int(id),
            int(index),
            Item::array(inputs),
            int(0),
        ];
        self.by(caller, "callContent", args)
    }

    pub(crate) fn box_balance(&self, id: i64) -> i64 {
        as_int(&self.get("boxBalance", vec![int(id)]))
    }

    pub(crate) fn count(&self, id: i64) -> i64 {
        as_int(&self.get("contentCount", vec![int(id)]))
    }

    /// SOUL that belongs to no account and no box.
    pub(crate) fn pool(&self) -> i64 {
        self.balance(&self.hash) - self.sum_of_boxes()
    }

    /// The sum of what all boxes hold, which is also kept as a number of its own.
    #[track_caller]
    pub(crate) fn sum_of_boxes(&self) -> i64 {
        let storage = self.storage();
        let held = storage
            .iter()
            .filter(|(key, _)| key.first() == Some(&0x18))
            .map(|(_, value)| as_int(&bytes(value)))
            .sum();
        let total = storage.get(&[6][..]).map_or(0, |v| as_int(&bytes(v)));
        assert_eq!(held, total, "the sum of the boxes is wrong");
        held
    }

    /// `createContent` with all that a test may want to vary.
    pub(crate) fn content(&self, by: &Account, root: &[u8], numbers: [i64; 5]) -> Outcome {
        self.by(by, "createContent", content_args(by, root, numbers))
    }

    /// The sum of all balances as storage has them.
    pub(crate) fn sum_of_balances(&self) -> i64 {
        let balances = self
            .storage()
            .into_iter()
            .filter(|(key, _)| key.first() == Some(&0x10));
        balances.map(|(_, value)| as_int(&bytes(&value))).sum()
    }
}

/// Arguments of `createContent`; the numbers are size, mode, priority, periods, maxPayment.
pub(crate) fn content_args(by: &Account, root: &[u8], numbers: [i64; 5]) -> Vec<Item> {
    [vec![account(by), bytes(root)], numbers.map(int).to_vec()].concat()
}
