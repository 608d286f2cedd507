//! How a step becomes a call, the same on every chain.

use neo_framework::Int;
use neo_framework::chain::Item;

use super::model::{ACTORS, Model};
use super::steps::{How, SaleStep, SoulStep, Step, Theft, batch};
use super::trees::Hash;
use super::world::{BOX, Cast, Place};

/// What is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    Soul,
    Sale,
    Proofs,
    Neo,
    Gas,
}

/// A call in a transaction of its own.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose witness there is, in the called contract.
    pub signer: usize,
    pub target: Target,
    pub method: &'static str,
    pub args: Vec<Item>,
}

/// What a step does on a chain.
#[derive(Clone, Debug)]
pub enum Act {
    Wait {
        ms: i64,
        blocks: i64,
    },
    Call(Call),
    /// A script that calls, and aborts then.
    Abort(Call),
}

impl Cast {
    /// A step as a call; `model` says what is drawn.
    pub fn act(&self, step: &Step, model: &Model, place: &Place) -> Act {
        let of_proofs = |signer, method, args| {
            Act::Call(Call {
                signer,
                target: Target::Proofs,
                method,
                args,
            })
        };
        match *step {
            Step::Wait { ms, blocks } => Act::Wait { ms, blocks },
            Step::Register {
                actor,
                signer,
                endpoints,
            } => {
                let key = Item::ByteString(self.people[actor].public_key.as_bytes());
                let args = vec![key, Item::text(&"e".repeat(endpoints))];
                of_proofs(signer, "registerNode", args)
            }
            Step::Leave { actor, signer } => of_proofs(signer, "leave", vec![self.who(actor)]),
            Step::Offer {
                actor,
                signer,
                content,
            } => of_proofs(signer, "offerContent", self.content_of(actor, content)),
            Step::Retract {
                actor,
                signer,
                content,
            } => of_proofs(signer, "retractContent", self.content_of(actor, content)),
            Step::Start {
                v,
                p,
                signer,
                content,
                block,
            } => Act::Call(self.start(v, p, signer, content, block)),
            Step::Abort { v, p, content } => Act::Abort(self.start(v, p, v, content, -1)),
            Step::Show { v, p, signer, how } => {
                of_proofs(signer, "showProof", self.show(v, p, how, model))
            }
            Step::Accept { v, p, signer } => of_proofs(signer, "acceptProof", self.pair(v, p)),
            Step::Fail { v, p, signer } => of_proofs(signer, "failProof", self.pair(v, p)),
            Step::Obtain { invoker, signer } => {
                of_proofs(signer, "obtainRewards", vec![self.who(invoker)])
            }
            Step::Steal { thief, what } => Act::Call(self.steal(thief, what)),
            Step::Soul { signer, ref step } => Act::Call(self.soul(signer, step)),
            Step::Sale { signer, ref step } => Act::Call(self.sale(signer, step, place)),
        }
    }

    /// Somebody as an argument.
    pub fn who(&self, who: usize) -> Item {
        Item::ByteString(self.people[who].hash.as_bytes())
    }

    /// A content as an argument.
    pub fn root(&self, content: usize) -> Item {
        Item::bytes(&self.roots[content])
    }

    fn content_of(&self, actor: usize, content: usize) -> Vec<Item> {
        vec![self.who(actor), self.root(content)]
    }

    fn pair(&self, v: usize, p: usize) -> Vec<Item> {
        vec![self.who(v), self.who(p)]
    }

    fn start(&self, v: usize, p: usize, signer: usize, content: usize, block: i64) -> Call {
        let mut args = self.pair(v, p);
        args.extend([self.root(content), Item::integer(block)]);
        Call {
            signer,
            target: Target::Proofs,
            method: "startProof",
            args,
        }
    }

    fn steal(&self, thief: usize, what: Theft) -> Call {
        let victim = self.who((thief + 1) % ACTORS);
        let one = Item::integer(1);
        let (target, method, args) = match what {
            Theft::Collect => (Target::Soul, "collect", vec![victim, Item::Null, one]),
            Theft::Reward => (Target::Soul, "reward", vec![self.who(thief), one]),
            Theft::Mint => (Target::Soul, "mint", vec![self.who(thief), one]),
            Theft::Payment => {
                let args = vec![self.who(thief), Item::integer(1000), Item::Null];
                (Target::Sale, "onNEP17Payment", args)
            }
        };
        Call {
            signer: thief,
            target,
            method,
            args,
        }
    }

    fn soul(&self, signer: usize, step: &SoulStep) -> Call {
        let most = || Item::integer(i64::MAX);
        let (method, args) = match *step {
            SoulStep::Transfer { from, to, amount } => {
                let (from, to) = (self.who(from), self.who(to));
                (
                    "transfer",
                    vec![from, to, Item::integer(amount), Item::Null],
                )
            }
            SoulStep::Swap { actor, amount } => {
                let target = Item::bytes(b"elsewhere");
                (
                    "swapOut",
                    vec![self.who(actor), Item::integer(amount), target],
                )
            }
            SoulStep::Create {
                actor,
                content,
                periods,
            } => {
                let size = super::model::CONTENT_SIZES[content] as i64;
                let mut args = self.content_of(actor, content);
                args.extend([size, 0, 0, periods].map(Item::integer));
                args.push(most());
                ("createContent", args)
            }
            SoulStep::Renew {
                actor,
                content,
                periods,
            } => {
                let mut args = self.content_of(actor, content);
                args.extend([Item::integer(periods), most()]);
                ("renewContent", args)
            }
            SoulStep::Write { actor, most } => {
                let (text, most) = (Item::bytes(&self.text), Item::integer(most));
                (
                    "writeContent",
                    vec![self.who(actor), Item::integer(BOX), text, most],
                )
            }
            SoulStep::Take { amount } => ("withdraw", [BOX, amount].map(Item::integer).to_vec()),
        };
        Call {
            signer,
            target: Target::Soul,
            method,
            args,
        }
    }

    fn sale(&self, signer: usize, step: &SaleStep, place: &Place) -> Call {
        let list = |first, count| Item::array(batch(first, count).map(|n| self.who(n)).collect());
        let mut target = Target::Sale;
        let (method, args) = match *step {
            SaleStep::Buy { actor, neo, amount } => {
                target = if neo { Target::Neo } else { Target::Gas };
                let sale = Item::ByteString(place.sale.as_bytes());
                let args = vec![self.who(actor), sale, Item::integer(amount), Item::Null];
                ("transfer", args)
            }
            SaleStep::Whitelist { first, count, tier } => {
                ("whitelist", vec![list(first, count), Item::integer(tier)])
            }
            SaleStep::Allot {
                first,
                count,
                amount,
                lockup,
            } => {
                let amounts = Item::array(vec![Item::integer(amount); count]);
                (
                    "allot",
                    vec![list(first, count), amounts, Item::integer(lockup)],
                )
            }
            SaleStep::Unlock { actor } => ("unlockTokens", vec![self.who(actor)]),
            SaleStep::Raise => ("withdraw", Vec::new()),
            SaleStep::Pause { on: true } => ("pause", Vec::new()),
            SaleStep::Pause { on: false } => ("resume", Vec::new()),
            SaleStep::Postpone { ms } => ("postpone", vec![Item::integer(ms)]),
            SaleStep::End => ("end", Vec::new()),
        };
        Call {
            signer,
            target,
            method,
            args,
        }
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
        let content = &self.contents[open.content];
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
