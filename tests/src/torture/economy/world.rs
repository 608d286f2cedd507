//! The contracts on a native chain, and how a step becomes a call.

use neo_framework::chain::{Account, Chain, Entries, Item, Outcome};
use neo_framework::{Array, Hash160, Int, contracts};
use phantasma_proofs::methods;

use super::bank;
use super::model::{ACTORS, Model, Settings, contents};
use super::steps::{How, Step};
use super::trees::{Content, Hash};

/// What all sequences of a thread share, because it takes long to make.
pub struct Cast {
    owner: Account,
    /// Who acts.
    pub actors: Vec<Account>,
    /// What is stored.
    pub contents: [Content; super::model::CONTENTS],
    /// Their roots.
    pub roots: [Hash; super::model::CONTENTS],
    /// The hash that the contract of proofs will have.
    proofs: Hash160,
}

impl Cast {
    /// Keys and trees.
    pub fn new() -> Cast {
        let chain = Chain::new();
        let owner = chain.account("owner");
        let proofs = chain.deploy(&[owner.signer()], methods::CONTRACT, Item::Null);
        let contents = contents();
        Cast {
            owner,
            actors: (0..ACTORS)
                .map(|n| chain.account(&format!("actor{n}")))
                .collect(),
            roots: contents.each_ref().map(Content::root),
            contents,
            proofs: proofs.hash,
        }
    }
}

impl Default for Cast {
    fn default() -> Self {
        Cast::new()
    }
}

/// A chain with both contracts.
pub struct World<'a> {
    pub cast: &'a Cast,
    pub chain: Chain,
    pub proofs: Hash160,
    pub bank: Hash160,
}

impl<'a> World<'a> {
    /// Both contracts deployed, and what there should be then.
    pub fn new(cast: &'a Cast, seed: u64, settings: Settings) -> (World<'a>, Model) {
        let chain = Chain::new();
        let signers = [cast.owner.signer()];
        let data = Item::ByteString(cast.proofs.as_bytes());
        let bank = chain.deploy(&signers, bank::methods::CONTRACT, data);
        let mut data = vec![Item::ByteString(bank.hash.as_bytes())];
        data.extend(settings.list().map(Item::integer));
        let proofs = chain.deploy(&signers, methods::CONTRACT, Item::array(data));
        assert!(proofs.outcome.is_halt(), "{:?}", proofs.outcome.exception);
        let accounts = cast
            .actors
            .iter()
            .map(|actor| actor.hash.to_array())
            .collect();
        let (time, height) = (chain.time().to_i64(), chain.block_index().to_i64());
        let (time, height) = (time.expect("a time"), height.expect("a height"));
        let model = Model::new(seed, settings, accounts, time, height);
        let world = World {
            cast,
            chain,
            proofs: proofs.hash,
            bank: bank.hash,
        };
        (world, model)
    }

    /// The storage of both contracts.
    pub fn storage(&self) -> [Entries; 2] {
        [
            self.chain.storage(&self.proofs),
            self.chain.storage(&self.bank),
        ]
    }

    /// Does a step; `model` says what time it is and what is drawn.
    pub fn perform(&self, step: &Step, model: &Model) -> Option<Outcome> {
        // The block that a step of now may wait for.
        let draw = model.height + 2;
        self.chain
            .set_block_nonce(draw, Int::from_u64(model.nonce(draw)));
        let outcome = match *step {
            Step::Wait { ms, blocks } => {
                self.chain.set_time(model.time + ms);
                self.chain.set_block_index(model.height + blocks);
                return None;
            }
            Step::Register {
                actor,
                signer,
                endpoints,
            } => {
                let key = Item::ByteString(self.cast.actors[actor].public_key.as_bytes());
                self.call(
                    signer,
                    "registerNode",
                    vec![key, Item::text(&"e".repeat(endpoints))],
                )
            }
            Step::Leave { actor, signer } => self.call(signer, "leave", vec![self.who(actor)]),
            Step::Offer {
                actor,
                signer,
                content,
            } => self.call(
                signer,
                "offerContent",
                vec![self.who(actor), self.root(content)],
            ),
            Step::Retract {
                actor,
                signer,
                content,
            } => self.call(
                signer,
                "retractContent",
                vec![self.who(actor), self.root(content)],
            ),
            Step::Start {
                v,
                p,
                signer,
                content,
                block,
            } => {
                let args = vec![
                    self.who(v),
                    self.who(p),
                    self.root(content),
                    Item::integer(block),
                ];
                self.call(signer, "startProof", args)
            }
            Step::Show { v, p, signer, how } => {
                self.call(signer, "showProof", self.show(v, p, how, model))
            }
            Step::Accept { v, p, signer } => {
                self.call(signer, "acceptProof", vec![self.who(v), self.who(p)])
            }
            Step::Fail { v, p, signer } => {
                self.call(signer, "failProof", vec![self.who(v), self.who(p)])
            }
            Step::Obtain { invoker, signer } => {
                self.call(signer, "obtainRewards", vec![self.who(invoker)])
            }
            Step::Steal { thief, collect } => self.steal(thief, collect),
            Step::Abort { v, p, content } => self.abort(v, p, content),
            Step::Content { content, ms } => {
                let size = Item::integer(super::model::CONTENT_SIZES[content] as i64);
                let args = vec![self.root(content), size, Item::integer(model.time + ms)];
                self.chain.invoke(&[], &self.bank, "register", args)
            }
            Step::Give { actor, amount } => {
                let args = vec![self.who(actor), Item::integer(amount)];
                self.chain.invoke(&[], &self.bank, "give", args)
            }
            Step::Fill { amount } => {
                self.chain
                    .invoke(&[], &self.bank, "fill", vec![Item::integer(amount)])
            }
        };
        Some(outcome)
    }

    fn call(&self, signer: usize, method: &str, args: Vec<Item>) -> Outcome {
        let signers = [self.cast.actors[signer].signer()];
        self.chain.invoke(&signers, &self.proofs, method, args)
    }

    /// The result of a method that changes nothing.
    pub fn get(&self, method: &str, args: Vec<Item>) -> Item {
        self.chain
            .test_invoke(&[], &self.proofs, method, args)
            .result()
    }

    /// An actor as an argument.
    pub fn who(&self, actor: usize) -> Item {
        Item::ByteString(self.cast.actors[actor].hash.as_bytes())
    }

    /// A content as an argument.
    pub fn root(&self, content: usize) -> Item {
        Item::bytes(&self.cast.contents[content].root())
    }

    fn steal(&self, thief: usize, collect: bool) -> Outcome {
        let signers = [self.cast.actors[thief].signer()];
        let victim = self.who((thief + 1) % ACTORS);
        let one = Item::integer(1);
        if collect {
            self.chain.invoke(
                &signers,
                &self.bank,
                "collect",
                vec![victim, Item::Null, one],
            )
        } else {
            self.chain
                .invoke(&signers, &self.bank, "reward", vec![self.who(thief), one])
        }
    }

    /// What a calling contract does that wants to see what it gets.
    fn abort(&self, v: usize, p: usize, content: usize) -> Outcome {
        let signers = [self.cast.actors[v].signer()];
        self.chain.run_script::<()>(&signers, || {
            let args = [
                self.who(v),
                self.who(p),
                self.root(content),
                Item::integer(-1),
            ];
            let mut list = Array::new();
            args.into_iter()
                .for_each(|item| list.push(neo_framework::convert::expect_item(item)));
            let method = neo_framework::text("startProof");
            contracts::call(&self.proofs, &method, contracts::ALL, list);
            panic!("not what I wanted");
        })
    }

    fn show(&self, v: usize, p: usize, how: How, model: &Model) -> Vec<Item> {
        let (nonce, (chunk, path)) = self.shown(v, p, how, model);
        let path = path.iter().map(|hash| Item::bytes(hash)).collect();
        vec![
            self.who(p),
            self.who(v),
            Item::Integer(Int::from_u64(nonce)),
            Item::bytes(&chunk),
            Item::array(path),
        ]
    }

    fn shown(&self, v: usize, p: usize, how: How, model: &Model) -> (u64, (Vec<u8>, Vec<Hash>)) {
        let Some(open) = model.open.get(&(v, p)) else {
            return (0, (vec![0; 1024], Vec::new()));
        };
        let content = &self.cast.contents[open.content];
        let index = model.chunk(v, p, open);
        let nonce = model.nonce(open.draw);
        let mut proof = content.proof(index);
        let bit = (nonce >> 7) as usize;
        match how {
            How::Right => {}
            How::WrongNonce => return (nonce ^ (1 << (bit % 64)), proof),
            How::FlippedPath if !proof.1.is_empty() => {
                let at = bit % (proof.1.len() * 256);
                proof.1[at / 256][at % 256 / 8] ^= 1 << (at % 8);
            }
            How::FlippedPath => proof.1.push([0; 32]),
            // The neighbour, where there is one.
            How::OtherChunk if (index ^ 1) * 1024 < content.size() => {
                proof = content.proof(index ^ 1)
            }
            How::OtherChunk | How::FlippedChunk => {
                let at = bit % (proof.0.len() * 8);
                proof.0[at / 8] ^= 1 << (at % 8);
            }
        }
        (nonce, proof)
    }
}
