//! The same sequences on a real node, beside the native chain: each call must end alike, give the same result and the same
//! events, and after each block the storage of the three contracts must be the same, byte by byte.
//!
//! The blocks are our own, so each has the time and the nonce that the sequence wants, and all calls between two waits are
//! in one block, as they are natively. Every sequence has contracts of its own on the one chain.

#[cfg(test)]
mod tests;

use std::time::{Duration, Instant};

use neo_client::rpc::Execution;
use neo_client::{
    Account, ContractParam, GAS as GAS_TOKEN, Hash160, NEO, Notification, Op, StackItem,
    Transaction, VmState,
};
use neo_framework::chain::{Item, Outcome};
use phantasma_sdk::emulator::to_stack_item;

use super::calls::{Act, Call, Target};
use super::model::{ACTORS, Settings};
use super::steps::{SaleStep, Step};
use super::world::{Cast, GAS, Place};
use super::{Run, Tally};
use crate::quiet::{QuietNet, account_named, call_script};
use crate::three::Three;
use crate::torture::random::Random;

/// A wait of more blocks than this would take too long: a sequence ends before it.
const MOST_BLOCKS: i64 = 100;
/// After so many failures there is nothing more to learn.
const ENOUGH: usize = 2;
/// NEO that each actor has on the node: more than all sequences spend.
const NEO_EACH: i64 = 5_000_000;
/// The same in datoshi.
const GAS_EACH: i64 = 100_000 * GAS;

/// What was done, and in what time.
#[derive(Debug)]
pub struct Replayed {
    pub tally: Tally,
    pub blocks: usize,
    /// Sequences that were cut short before a wait for too many blocks.
    pub cut_short: usize,
    pub elapsed: Duration,
}

impl Replayed {
    /// In words.
    pub fn report(&self) -> String {
        let calls = self.tally.halts + self.tally.faults;
        format!(
            "{calls} calls in {} blocks on the node, {:.0} a second; {} sequences cut short before too long a wait",
            self.blocks,
            calls as f64 / self.elapsed.as_secs_f64(),
            self.cut_short
        )
    }
}

/// Runs the first sequences of a seed, so many of them.
pub async fn run(seed: u64, count: usize) -> Replayed {
    let cast = Cast::new();
    let mut both = Both::start(&cast).await;
    let start = Instant::now();
    let (mut tally, mut cut_short) = (Tally::default(), 0);
    for case in 0..count {
        if tally.failures.len() > ENOUGH {
            break;
        }
        let case_seed = Random::of_case(seed, case).next_u64();
        let told = |error| format!("sequence {case} of seed {seed}: {error}");
        let steps = match super::steps_of(&cast, case_seed) {
            Ok(steps) => steps,
            Err(error) => {
                tally.failures.push(told(error));
                continue;
            }
        };
        let too_long =
            |step: &Step| matches!(step, Step::Wait { blocks, .. } if *blocks > MOST_BLOCKS);
        let end = steps.iter().position(too_long);
        cut_short += usize::from(end.is_some());
        let steps = &steps[..end.unwrap_or(steps.len())];
        match both.sequence(case, case_seed, steps).await {
            Ok(()) => tally.passed += 1,
            Err(error) => tally.failures.push(told(error)),
        }
    }
    tally.halts = both.halts;
    tally.faults = both.faults;
    Replayed {
        tally,
        blocks: both.blocks,
        cut_short,
        elapsed: start.elapsed(),
    }
}

/// A call that waits for its block.
struct Sent {
    step: Step,
    transaction: Transaction,
    native: Outcome,
}

/// The node and what belongs to it; the native side is each sequence's own.
struct Both<'a> {
    net: QuietNet,
    cast: &'a Cast,
    /// The people's keys.
    people: Vec<Account>,
    treasury: Hash160,
    blocks: usize,
    halts: usize,
    faults: usize,
}

/// One sequence under way.
struct Sequence<'a> {
    run: Run<'a>,
    three: Three,
    waiting: Vec<Sent>,
    /// What deploys everything: it goes into the first block.
    first: Vec<Transaction>,
    /// NEO of the treasury before.
    treasury: i64,
}

impl<'a> Both<'a> {
    async fn start(cast: &'a Cast) -> Both<'a> {
        let mut net = QuietNet::start().await;
        let mut people: Vec<Account> = (0..ACTORS)
            .map(|n| account_named(&format!("actor{n}")))
            .collect();
        people.push(account_named("owner"));
        let committee = net.net().committee();
        let gift = |token: &Hash160, to: &Account, amount: i64| {
            let params = [
                committee.script_hash.into(),
                to.script_hash.into(),
                amount.into(),
                ContractParam::Any,
            ];
            call_script(token, "transfer", &params)
        };
        let gifts = people[..ACTORS].iter().map(|actor| {
            let both = [
                gift(&NEO, actor, NEO_EACH),
                gift(&GAS_TOKEN, actor, GAS_EACH),
            ];
            net.transaction(both.concat(), &[&committee], false)
        });
        let gifts = gifts.collect();
        let time = net.last().time_ms + 1000;
        let runs = net.block(time, 0, gifts).await;
        assert!(runs.iter().all(|run| run.state == VmState::Halt));
        Both {
            net,
            cast,
            people,
            treasury: account_named("treasury").script_hash,
            blocks: 0,
            halts: 0,
            faults: 0,
        }
    }

    async fn sequence(&mut self, case: usize, seed: u64, steps: &[Step]) -> Result<(), String> {
        let mut sequence = self.begin(case, seed).await?;
        for (at, step) in steps.iter().enumerate() {
            let in_step = |error: String| format!("step {at}, {step:?}: {error}");
            if let Step::Wait { .. } = step {
                self.flush(&mut sequence).await.map_err(in_step)?;
            }
            let run = &mut sequence.run;
            let act = self.cast.act(step, &run.model, &run.world.place);
            let done = run.perform(step);
            let (_, native) = done.map_err(|violation| in_step(format!("{violation:?}")))?;
            if let (Some(transaction), Some(native)) =
                (self.transaction(&act, &sequence.three), native)
            {
                sequence.waiting.push(Sent {
                    step: *step,
                    transaction,
                    native,
                });
            }
        }
        self.flush(&mut sequence).await
    }

    /// Prepares the contracts, which are deployed in the block of the first calls.
    async fn begin(&mut self, case: usize, seed: u64) -> Result<Sequence<'a>, String> {
        let deployer = account_named(&format!("deployer {case}"));
        Three::fund(&mut self.net, &deployer).await;
        let three = Three::of(&deployer.script_hash);
        let last = self.net.last();
        let place = Place {
            soul: native_hash(&three.soul),
            sale: native_hash(&three.sale),
            proofs: native_hash(&three.proofs),
            time: last.time_ms as i64 + 1000,
            height: i64::from(last.index),
        };
        let settings = Settings::random(&mut Random::of_case(seed, 0));
        let data = place.data(self.cast, &settings);
        let data = data.map(|item| param(&item));
        let mut first = Three::transactions(&mut self.net, &deployer, data);
        let made = Act::Call(place.box_call(self.cast, &settings));
        first.extend(self.transaction(&made, &three));
        let run = Run::new(self.cast, seed, place);
        Ok(Sequence {
            run: run.map_err(|violation| format!("{violation:?}"))?,
            three,
            waiting: Vec::new(),
            first,
            treasury: self.neo(&self.treasury).await,
        })
    }

    /// A step's transaction; None of a wait.
    fn transaction(&mut self, act: &Act, three: &Three) -> Option<Transaction> {
        let script = |call: &Call| {
            let hash = match call.target {
                Target::Soul => three.soul,
                Target::Sale => three.sale,
                Target::Proofs => three.proofs,
                Target::Neo => NEO,
                Target::Gas => GAS_TOKEN,
            };
            let params: Vec<ContractParam> = call.args.iter().map(param).collect();
            call_script(&hash, call.method, &params)
        };
        let (script, signer) = match act {
            Act::Wait { .. } => return None,
            Act::Call(call) => (script(call), call.signer),
            Act::Abort(call) => {
                let mut script = script(call);
                script.push(Op::ABORT.byte());
                (script, call.signer)
            }
        };
        Some(self.net.transaction(script, &[&self.people[signer]], true))
    }

    /// Makes the block of all calls that wait, after those that only pass, and compares.
    async fn flush(&mut self, sequence: &mut Sequence<'a>) -> Result<(), String> {
        if sequence.waiting.is_empty() && sequence.first.is_empty() {
            return Ok(());
        }
        let model = &sequence.run.model;
        let nonce = |index: i64| model.nonce(index);
        while i64::from(self.net.last().index) < model.height {
            let (index, time) = (self.net.last().index + 1, self.net.last().time_ms + 1);
            self.net
                .block(time, nonce(i64::from(index)), Vec::new())
                .await;
            self.blocks += 1;
        }
        let made = sequence.first.len();
        let mut transactions = std::mem::take(&mut sequence.first);
        let sent = std::mem::take(&mut sequence.waiting);
        transactions.extend(sent.iter().map(|sent| sent.transaction.clone()));
        let nonce = nonce(model.height + 1);
        let runs = self.net.block(model.time as u64, nonce, transactions).await;
        self.blocks += 1;
        if let Some(bad) = runs[..made].iter().find(|run| run.state != VmState::Halt) {
            return Err(format!("deployment: {:?}", bad.exception));
        }
        for (sent, run) in sent.iter().zip(&runs[made..]) {
            same(sent, run, &sequence.three).map_err(|error| {
                format!("{:?} in block {}: {error}", sent.step, model.height + 1)
            })?;
            let counter = match run.state {
                VmState::Halt => &mut self.halts,
                VmState::Fault => &mut self.faults,
            };
            *counter += 1;
        }
        self.compare_state(sequence, &sent).await
    }

    /// The storage of all three contracts, and NEO.
    async fn compare_state(&self, sequence: &Sequence<'a>, sent: &[Sent]) -> Result<(), String> {
        let names = ["SOUL", "the sale", "the proofs"];
        let all = sequence.three.all();
        for ((hash, native), name) in all.iter().zip(&sequence.run.stored).zip(names) {
            let node = self.storage(hash).await;
            if node != *native {
                let differs = |(key, value): &(&Vec<u8>, &Vec<u8>)| native.get(*key) != Some(value);
                let here = node.iter().find(differs);
                let gone = native.keys().find(|key| !node.contains_key(*key));
                return Err(format!(
                    "the storage of {name} differs: the node has {here:02x?}, and not {gone:02x?}"
                ));
            }
        }
        let on_sale = |sent: &Sent| {
            let step = &sent.step;
            matches!(
                step,
                Step::Sale {
                    step: SaleStep::Buy { .. } | SaleStep::Raise,
                    ..
                }
            )
        };
        if !sent.iter().any(on_sale) {
            return Ok(());
        }
        let sale = &sequence.run.model.sale;
        let treasury = self.neo(&self.treasury).await - sequence.treasury;
        let found = [self.neo(&sequence.three.sale).await, treasury];
        let expected = [sale.raised[0], sale.treasury[0]];
        if found != expected {
            return Err(format!(
                "NEO of sale and treasury: {found:?}, not {expected:?}"
            ));
        }
        Ok(())
    }

    async fn storage(&self, hash: &Hash160) -> neo_framework::chain::Entries {
        let mut found = neo_framework::chain::Entries::new();
        let mut start = 0;
        loop {
            let page = self.net.rpc().find_storage(hash, &[], start).await;
            let page = page.expect("a page of storage");
            let entries = page.entries.into_iter();
            found.extend(entries.map(|entry| (entry.key, entry.value)));
            if !page.truncated {
                return found;
            }
            start = page.next;
        }
    }

    async fn neo(&self, of: &Hash160) -> i64 {
        let balance = self.net.rpc().balance_of(&NEO, of).await;
        i64::try_from(balance.expect("a balance")).expect("NEO")
    }
}

/// A call on both sides.
fn same(sent: &Sent, node: &Execution, three: &Three) -> Result<(), String> {
    let native = &sent.native;
    let differ = |what: &str| {
        Err(format!(
            "{what}\n  node: {:?} {:?} {:?}\n  native: {:?} {:?} {:?}",
            node.state, node.exception, node.stack, native.state, native.exception, native.stack
        ))
    };
    let said = node.exception.as_deref().unwrap_or_default();
    if said.to_lowercase().contains("gas limit") {
        return differ("the call takes more than a block's fees");
    }
    if (node.state == VmState::Halt) != native.is_halt() {
        return differ("ends otherwise");
    }
    if let Some(message) = &native.exception {
        // A contract's own refusal has the same words on both sides; the abort of a script has none.
        let own = said.contains("ASSERTMSG") || said.contains("ABORTMSG");
        return match own && !said.contains(message.as_str()) {
            true => differ("says something else"),
            false => Ok(()),
        };
    }
    let stack: Vec<StackItem> = native.stack.iter().map(to_stack_item).collect();
    if stack != node.stack {
        return differ("gives something else");
    }
    let told: Vec<(Hash160, &str, StackItem)> = native
        .events
        .iter()
        .map(|event| {
            let args = event.args.iter().map(to_stack_item).collect();
            let hash = Hash160(event.contract.to_array());
            (hash, event.name.as_str(), StackItem::Array(args))
        })
        .filter(|(hash, _, _)| three.all().contains(hash))
        .collect();
    let ours = |n: &&Notification| three.all().contains(&n.contract);
    let notified: Vec<(Hash160, &str, StackItem)> = node
        .notifications
        .iter()
        .filter(ours)
        .map(|n| (n.contract, n.name.as_str(), n.state.clone()))
        .collect();
    if told != notified {
        return differ(&format!("events: {notified:?}, natively {told:?}"));
    }
    Ok(())
}

fn param(item: &Item) -> ContractParam {
    to_stack_item(item).into()
}

fn native_hash(hash: &Hash160) -> neo_framework::Hash160 {
    neo_framework::Hash160::from_bytes(neo_framework::Bytes::from(hash.0)).expect("20 bytes")
}
