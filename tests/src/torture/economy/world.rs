//! The three contracts on a native chain.

use std::collections::BTreeMap;

use neo_framework::chain::{Account, Chain, Entries, Item, Outcome, Signer};
use neo_framework::{Array, Hash160, Int, contracts, gas_token, neo_token};
use phantasma_vm::{Gate, data_script};

use super::calls::{Act, Call, Target};
use super::model::{ACTORS, CONTENTS, Model, Money, OWNER, Settings, contents};
use super::steps::Step;
use super::trees::{Content, Hash};

/// SOUL at first.
pub const SUPPLY: i64 = 1_000_000_000_000;
/// Datoshi of a GAS.
pub const GAS: i64 = 100_000_000;
/// NEO and GAS that every actor has at first: more than a sequence spends.
pub const PURSE: Money = [1_000_000, 100_000 * GAS];
pub const DAY: i64 = 86_400_000;
/// What a content is paid for, in ms.
pub const PERIOD: i64 = 30 * DAY;
/// The only box.
pub const BOX: i64 = 1;
const BOX_NAME: &str = "box";

/// What all sequences of a thread share, because it takes long to make.
pub struct Cast {
    /// Who acts, and the owner behind them.
    pub people: Vec<Account>,
    /// Gets what the sale raises.
    pub treasury: Account,
    /// What is stored.
    pub contents: [Content; CONTENTS],
    /// Their roots.
    pub roots: [Hash; CONTENTS],
    /// What somebody writes into the box.
    pub text: Vec<u8>,
}

impl Cast {
    /// Keys and trees.
    pub fn new() -> Cast {
        let contents = contents();
        let mut people: Vec<Account> = (0..ACTORS)
            .map(|n| Account::named(&format!("actor{n}")))
            .collect();
        people.push(Account::named("owner"));
        Cast {
            people,
            treasury: Account::named("treasury"),
            roots: contents.each_ref().map(Content::root),
            contents,
            text: data_script(b"text").expect("a short text"),
        }
    }
}

impl Default for Cast {
    fn default() -> Self {
        Cast::new()
    }
}

/// Where on a chain everything is: a sequence does the same everywhere.
#[derive(Clone, Debug)]
pub struct Place {
    pub soul: Hash160,
    pub sale: Hash160,
    pub proofs: Hash160,
    /// When everything is deployed, ms since 1970.
    pub time: i64,
    /// The last block then.
    pub height: i64,
}

impl Place {
    /// Some place, when nobody else has to be there.
    pub fn somewhere() -> Place {
        let chain = Chain::new();
        let number = |int: Int| int.to_i64().expect("a small number");
        let hash = |name: &str| Account::named(name).hash;
        Place {
            soul: hash("contract of SOUL"),
            sale: hash("contract of the sale"),
            proofs: hash("contract of proofs"),
            time: number(chain.time()),
            height: number(chain.block_index()),
        }
    }

    /// The hash that a call goes to.
    pub fn of(&self, target: Target) -> Hash160 {
        match target {
            Target::Soul => self.soul.clone(),
            Target::Sale => self.sale.clone(),
            Target::Proofs => self.proofs.clone(),
            Target::Neo => neo_token::HASH,
            Target::Gas => gas_token::HASH,
        }
    }

    /// What the three `_deploy` receive: of SOUL, sale and proofs.
    pub fn data(&self, cast: &Cast, settings: &Settings) -> [Item; 3] {
        let hash = |hash: &Hash160| Item::ByteString(hash.as_bytes());
        let numbers =
            |list: &[i64]| -> Vec<Item> { list.iter().copied().map(Item::integer).collect() };
        let owner = hash(&cast.people[OWNER].hash);
        let s = &settings.soul;
        let mut soul = vec![owner.clone()];
        soul.extend(numbers(&[
            SUPPLY,
            s.box_fee,
            s.content_base_fee,
            s.pool_share,
            s.max_supply,
        ]));
        soul.extend([hash(&self.sale), hash(&self.proofs)]);
        let s = &settings.sale;
        let opening = self.time + s.opens_in;
        let end = opening + s.length;
        let mut sale = vec![hash(&self.soul), owner, hash(&cast.treasury.hash)];
        sale.extend(numbers(&[s.hard_cap, opening, end, end + s.slack]));
        let tiers = s.tiers.iter().map(|row| Item::array(numbers(row)));
        let lockups = s.lockups.iter().map(|row| Item::array(numbers(row)));
        sale.extend([Item::array(tiers.collect()), Item::array(lockups.collect())]);
        let mut proofs = vec![hash(&self.soul)];
        proofs.extend(numbers(&settings.list()));
        [soul, sale, proofs].map(Item::array)
    }

    /// The box that the owner makes before anything else.
    pub fn box_call(&self, cast: &Cast, settings: &Settings) -> Call {
        let owner = &cast.people[OWNER];
        let gate = Gate::Pay(settings.soul.price as u64).script();
        Call {
            signer: OWNER,
            target: Target::Soul,
            method: "createBox",
            args: vec![
                Item::ByteString(owner.hash.as_bytes()),
                Item::text(BOX_NAME),
                Item::ByteString(owner.public_key.as_bytes()),
                Item::bytes(&gate.expect("a gate")),
            ],
        }
    }
}

/// What the three contracts have stored: SOUL, sale, proofs.
pub type Stored = [Entries; 3];

/// A chain with the three contracts.
pub struct World<'a> {
    pub cast: &'a Cast,
    pub chain: Chain,
    pub place: Place,
}

impl<'a> World<'a> {
    /// All contracts deployed, and what there should be then.
    pub fn new(cast: &'a Cast, seed: u64, settings: Settings, place: Place) -> (World<'a>, Model) {
        let chain = Chain::new();
        chain.set_time(place.time);
        chain.set_block_index(place.height);
        let world = World { cast, chain, place };
        world.deploy(&settings);
        for actor in &cast.people[..ACTORS] {
            world.chain.set_neo(&actor.hash, PURSE[0]);
            world.chain.set_gas(&actor.hash, PURSE[1]);
        }
        let made = world.invoke(&world.place.box_call(cast, &settings));
        assert!(made.is_halt(), "{:?}", made.exception);
        let accounts = cast.people.iter().map(|who| who.hash.to_array()).collect();
        let (time, height) = (world.place.time, world.place.height);
        let model = Model::new(seed, settings, accounts, time, height);
        (world, model)
    }

    fn deploy(&self, settings: &Settings) {
        let signers = [self.signer(OWNER)];
        let place = &self.place;
        let contracts = [
            (&place.soul, phantasma_contract::methods::CONTRACT),
            (&place.sale, phantasma_sale::methods::CONTRACT),
            (&place.proofs, phantasma_proofs::methods::CONTRACT),
        ];
        for (hash, contract) in contracts {
            self.chain.register(hash, contract);
        }
        let [soul, sale, proofs] = place.data(self.cast, settings);
        let args = |data| vec![data, Item::Boolean(false)];
        let outcomes = [
            self.chain.run_as(&signers, &place.soul, || {
                phantasma_contract::methods::dispatch("_deploy", args(soul))
            }),
            self.chain.run_as(&signers, &place.sale, || {
                phantasma_sale::methods::dispatch("_deploy", args(sale))
            }),
            self.chain.run_as(&signers, &place.proofs, || {
                phantasma_proofs::methods::dispatch("_deploy", args(proofs))
            }),
        ];
        for outcome in outcomes {
            assert!(outcome.is_halt(), "{:?}", outcome.exception);
        }
    }

    fn signer(&self, who: usize) -> Signer {
        self.cast.people[who].signer()
    }

    /// The storage of all contracts.
    pub fn storage(&self) -> Stored {
        let place = &self.place;
        [&place.soul, &place.sale, &place.proofs].map(|hash| self.chain.storage(hash))
    }

    /// Does a step; `model` says what time it is and what is drawn. None when only time passes.
    pub fn perform(&self, step: &Step, model: &Model) -> Option<Outcome> {
        // The block that a step of now may wait for.
        let draw = model.height + 2;
        self.chain
            .set_block_nonce(draw, Int::from_u64(model.nonce(draw)));
        match self.cast.act(step, model, &self.place) {
            Act::Wait { ms, blocks } => {
                self.chain.set_time(model.time + ms);
                self.chain.set_block_index(model.height + blocks);
                None
            }
            Act::Call(call) => Some(self.invoke(&call)),
            Act::Abort(call) => Some(self.abort(call)),
        }
    }

    fn invoke(&self, call: &Call) -> Outcome {
        let signers = [self.signer(call.signer)];
        let hash = self.place.of(call.target);
        self.chain
            .invoke(&signers, &hash, call.method, call.args.clone())
    }

    /// What a calling contract does that wants to see what it gets.
    fn abort(&self, call: Call) -> Outcome {
        let signers = [self.signer(call.signer)];
        let hash = self.place.of(call.target);
        self.chain.run_script::<()>(&signers, || {
            let mut list = Array::new();
            call.args
                .into_iter()
                .for_each(|item| list.push(neo_framework::convert::expect_item(item)));
            let method = neo_framework::text(call.method);
            contracts::call(&hash, &method, contracts::ALL, list);
            panic!("not what I wanted");
        })
    }

    /// The result of a method that changes nothing.
    pub fn get(&self, target: Target, method: &str, args: Vec<Item>) -> Item {
        let hash = self.place.of(target);
        let outcome = self.chain.test_invoke(&[], &hash, method, args);
        outcome.result()
    }

    /// NEO and GAS of an account.
    pub fn money(&self, of: &Hash160) -> Money {
        let amounts = [self.chain.neo_of(of), self.chain.gas_of(of)];
        amounts.map(|amount| amount.to_i64().expect("an amount"))
    }
}

/// An account's hash to its place among the people.
pub fn index(cast: &Cast) -> BTreeMap<[u8; 20], usize> {
    let people = cast.people.iter().enumerate();
    people.map(|(n, who)| (who.hash.to_array(), n)).collect()
}
