//! What a message on the chain costs: alone, merged with others, and under an anchor. Gas is counted, not timed.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use neo_client::{Account, PrivateKey, Receipt};
use phantasma_relay::config::DEFAULT_BATCH_GAS;
use phantasma_sdk::boxes::data_content;
use phantasma_sdk::contract::Phantasma;
use phantasma_vm::free_gate;
use phantasma_wire::message::{Class, Message, Unsigned};
use phantasma_wire::relay::{Anchor, AnchorTree};

use super::chain::Chain;
use super::report::{Line, Report, Verdict};
use crate::contract::{Artifacts, Params};

/// How many messages together.
const TOGETHER: [usize; 4] = [1, 10, 100, 1000];
/// People who write; each has written before, as most have.
const AUTHORS: usize = 10;
/// A line of text.
const BYTES: usize = 100;
/// An anchored message should cost at most so much of one that is written alone.
const ANCHORED: f64 = 1.0 / 500.0;

struct World {
    chain: Chain,
    contract: Phantasma,
    network: u32,
    /// Of the writers, and of the relay.
    boxes: [u64; 2],
    authors: Vec<PrivateKey>,
    sequence: u64,
}

/// Writes them all on a private net and adds up what their transactions paid.
pub async fn messages(say: &dyn Fn(&str)) -> Result<Report> {
    let mut world = World::start().await?;
    let mut report = Report::default();
    let warm: Vec<_> = (0..AUTHORS)
        .map(|_| world.message())
        .collect::<Result<_>>()?;
    world.write(&warm).await?;
    let mut alone = None;
    for count in TOGETHER {
        say(&format!("{count} messages"));
        let messages: Vec<_> = (0..count).map(|_| world.message()).collect::<Result<_>>()?;
        let merged = world.merged(&messages, alone).await? / count as f64;
        let single = *alone.get_or_insert(merged);
        let anchored = world.anchored(&messages).await? / count as f64;
        line(&mut report, count, "merged", merged, single);
        line(&mut report, count, "anchored", anchored, single);
        if count == TOGETHER[TOGETHER.len() - 1] {
            report.summary.push(Verdict {
                text: format!(
                    "anchored, {count} together: 1/{:.0} of a message written alone, at most 1/{:.0}",
                    single / anchored,
                    1.0 / ANCHORED
                ),
                met: anchored <= single * ANCHORED,
            });
        }
    }
    Ok(report)
}

impl World {
    async fn start() -> Result<Self> {
        let chain = Chain::start().await?;
        let (rpc, account) = (chain.rpc(), chain.account.clone());
        let artifacts = Artifacts::compile(None)?;
        let params = Params::load(None)?.for_owner(&account.script_hash)?;
        let (nef, manifest) = (artifacts.parse_nef()?, artifacts.parse_manifest()?);
        let deployed = Phantasma::deploy(rpc.clone(), &account, &nef, &manifest, &params).await;
        let (contract, _) = deployed.context("deploying the contract")?;
        let network = rpc.version().await?.network();
        let mut boxes = [0; 2];
        for (number, name) in boxes.iter_mut().zip(["letters", "anchors"]) {
            *number = contract.create_box(&account, name, &free_gate()).await?.0;
        }
        let authors = (0..AUTHORS).map(|_| PrivateKey::random());
        Ok(Self {
            chain,
            contract,
            network,
            boxes,
            authors: authors.collect::<Result<_, _>>()?,
            sequence: 0,
        })
    }

    fn message(&mut self) -> Result<Message> {
        self.sequence += 1;
        let number = usize::try_from(self.sequence)? % AUTHORS;
        let author = self.authors.get(number).context("there are authors")?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let unsigned = Unsigned {
            network: self.network,
            contract: self.contract.hash().0,
            author: author.public_key().0,
            box_id: self.boxes[0],
            sequence: self.sequence,
            time_ms: u64::try_from(now.as_millis())?,
            class: Class::OnChain,
            payload: data_content(&[b'm'; BYTES])?.into(),
        };
        Ok(unsigned.sign(|bytes| author.sign(bytes))?)
    }

    /// GAS that these messages cost in as few transactions as the relay's limit allows.
    async fn merged(&self, messages: &[Message], alone: Option<f64>) -> Result<f64> {
        let most = alone.map_or(1, |gas| (DEFAULT_BATCH_GAS / gas) as usize);
        let mut gas = 0.0;
        for together in messages.chunks(most.max(1)) {
            gas += self.write(together).await?;
        }
        Ok(gas)
    }

    async fn write(&self, messages: &[Message]) -> Result<f64> {
        let call = self.contract.write_many(self.payer(), messages)?;
        let receipt = call.run(&self.chain.rpc()).await?;
        ensure!(
            receipt.stack.len() == messages.len(),
            "not every message has an index"
        );
        Ok(paid(&receipt))
    }

    /// GAS that one anchor over these messages costs.
    async fn anchored(&self, messages: &[Message]) -> Result<f64> {
        let ids: Vec<_> = messages.iter().map(Message::id).collect();
        let anchor = Anchor {
            first: self.sequence,
            count: u32::try_from(ids.len())?,
            root: AnchorTree::new(&ids).root(),
        };
        let content = data_content(&anchor.to_bytes())?;
        let written = self
            .contract
            .write_content(self.payer(), self.boxes[1], &content, 0);
        Ok(paid(&written.await?.1))
    }

    fn payer(&self) -> &Account {
        &self.chain.account
    }
}

fn paid(receipt: &Receipt) -> f64 {
    (receipt.system_fee + receipt.network_fee) as f64 / 1e8
}

fn line(report: &mut Report, count: usize, metric: &'static str, ours: f64, alone: f64) {
    report.lines.push(Line {
        bench: "messages",
        case: format!("{count} together, each"),
        metric,
        unit: "GAS",
        ours,
        peer: Some(alone),
        peer_name: Some("written alone".to_owned()),
        ratio: Some(ours / alone),
        limit: None,
        least: None,
    });
}
