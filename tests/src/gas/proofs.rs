//! Calls of the contract of nodes, proofs and rewards.

use neo_client::{Account, ContractParam};
use sha2::{Digest, Sha256};

use super::world::{Call, World, bytes};
use crate::quiet::account_named;
use crate::torture::economy::trees::Ones;

/// The nonce of the block that draws.
const NONCE: u64 = 0x0123_4567_89AB_CDEF;
/// Pairs that prove for real: they fill both queues.
const PAIRS: usize = 8;
/// Heights of the trees over the measured contents: 1 MiB and 1 TiB.
const MEBI: usize = 10;
const TEBI: usize = 30;

/// Two nodes and the tree of what one of them asks the other for.
#[derive(Clone, Copy)]
struct Pair<'a> {
    v: &'a Account,
    p: &'a Account,
    tree: &'a Ones,
}

pub(super) async fn measure(world: &mut World) {
    let names: Vec<String> = (0..2 * PAIRS + 6).map(|n| format!("measured{n}")).collect();
    let nodes = world.nodes(&names).await;
    let (mebi, tebi) = (Ones::new(MEBI), Ones::new(TEBI));
    let alice = world.alice.clone();
    let call = world.register(bytes(tebi.root()), 1 << 40);
    world.by(&alice, vec![call]).await;
    register(world, &nodes[0], &mebi).await;

    let mut pairs: Vec<Pair<'_>> = nodes
        .chunks(2)
        .map(|two| Pair {
            v: &two[0],
            p: &two[1],
            tree: &mebi,
        })
        .collect();
    pairs[1].tree = &tebi;
    let offers: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.p, offer(world, pair)))
        .collect();
    world.by_each(&offers).await;
    let call = start(world, &pairs[0]);
    world.measure("`startProof`", pairs[0].v, call).await;
    let starts: Vec<_> = pairs
        .iter()
        .map(|pair| (pair.v, start(world, pair)))
        .collect();
    world.by_each(&starts).await;
    draw(world).await;
    // Of a content that the crowd has no proofs of.
    views(world, &pairs[1]).await;
    prove(world, &pairs).await;
    reward(world, &nodes[0]).await;
}

/// The block that gives everything of the last one its chunk.
async fn draw(world: &mut World) {
    let time = world.net.last().time_ms + 1000;
    world.net.block(time, NONCE, vec![]).await;
}

async fn register(world: &mut World, node: &Account, tree: &Ones) {
    let proofs = world.three.proofs;
    let new = account_named("late node");
    world.give(&new, 100_0000_0000).await;
    let endpoints = ContractParam::from("203.0.113.8:4000");
    let of = |node: &Account| vec![node.key.public_key().into(), endpoints.clone()];
    let call = (proofs, "registerNode", of(&new));
    world.measure("`registerNode`, new", &new, call).await;
    let call = (proofs, "registerNode", of(node));
    world
        .measure("`registerNode`, other endpoints", node, call)
        .await;
    let call = (proofs, "leave", vec![node.script_hash.into()]);
    world.measure("`leave`", node, call).await;
    let params = vec![node.script_hash.into(), bytes(tree.root())];
    let call = (proofs, "offerContent", params.clone());
    world.measure("`offerContent`", node, call).await;
    let call: Call = (proofs, "offerContent", params.clone());
    world.by(node, vec![call]).await;
    let call = (proofs, "retractContent", params);
    world.measure("`retractContent`", node, call).await;
}

fn offer(world: &World, pair: &Pair<'_>) -> Call {
    let params = vec![pair.p.script_hash.into(), bytes(pair.tree.root())];
    (world.three.proofs, "offerContent", params)
}

fn start(world: &World, pair: &Pair<'_>) -> Call {
    world.start_proof(pair.v, pair.p, &bytes(pair.tree.root()))
}

fn show(world: &World, pair: &Pair<'_>) -> Call {
    let digest = Sha256::new()
        .chain_update(NONCE.to_le_bytes())
        .chain_update(pair.v.script_hash.0)
        .chain_update(pair.p.script_hash.0)
        .finalize();
    let drawn = u64::from_le_bytes(digest[..8].try_into().expect("8 bytes"));
    let (chunk, path) = pair.tree.proof(drawn % (pair.tree.size() / 1024));
    let path: Vec<ContractParam> = path.iter().map(bytes).collect();
    let params = vec![
        pair.p.script_hash.into(),
        pair.v.script_hash.into(),
        NONCE.into(),
        bytes(chunk),
        path.into(),
    ];
    (world.three.proofs, "showProof", params)
}

fn end(world: &World, method: &'static str, pair: &Pair<'_>) -> Call {
    let params = vec![pair.v.script_hash.into(), pair.p.script_hash.into()];
    (world.three.proofs, method, params)
}

async fn prove(world: &mut World, pairs: &[Pair<'_>]) {
    let call = show(world, &pairs[0]);
    let case = "`showProof`, content of 1 MiB";
    world.measure(case, pairs[0].p, call).await;
    let call = show(world, &pairs[1]);
    let case = "`showProof`, content of 1 TiB";
    world.measure(case, pairs[1].p, call).await;
    // The third pair is left for a failure.
    let good: Vec<Pair<'_>> = [&pairs[..1], &pairs[3..]].concat();
    let shows: Vec<_> = good
        .iter()
        .map(|pair| (pair.p, show(world, pair)))
        .collect();
    world.by_each(&shows).await;
    let call = end(world, "acceptProof", &good[0]);
    let case = "`acceptProof`, queues empty";
    world.measure(case, good[0].v, call).await;
    let accepts: Vec<_> = good[1..]
        .iter()
        .map(|pair| (pair.v, end(world, "acceptProof", pair)))
        .collect();
    world.by_each(&accepts).await;
    let call = end(world, "acceptProof", &good[0]);
    let case = "`acceptProof`, queues full, into their front";
    world.measure(case, good[0].v, call).await;
}

async fn reward(world: &mut World, node: &Account) {
    let call: Call = (
        world.three.proofs,
        "obtainRewards",
        vec![node.script_hash.into()],
    );
    let case = "`obtainRewards`, closes a round of full queues";
    world.measure(case, node, call.clone()).await;
    world.by(node, vec![call.clone()]).await;
    draw(world).await;
    let case = "`obtainRewards`, pays it";
    world.measure(case, node, call).await;
}

async fn views(world: &mut World, pair: &Pair<'_>) {
    let who = ContractParam::from(pair.v.script_hash);
    let root = bytes(pair.tree.root());
    let both = vec![who.clone(), pair.p.script_hash.into()];
    let all: [(&'static str, &'static str, Vec<ContractParam>); 12] = [
        ("`settings` of the proofs", "settings", vec![]),
        ("`nodeInfo`", "nodeInfo", vec![who.clone()]),
        ("`nodes`, the iterator itself", "nodes", vec![]),
        ("`nodeCount`", "nodeCount", vec![]),
        ("`averageReputation`", "averageReputation", vec![]),
        ("`roleOf`", "roleOf", vec![who.clone()]),
        ("`quoteRegisterNode`", "quoteRegisterNode", vec![who]),
        ("`quoteStartProof`", "quoteStartProof", vec![]),
        (
            "`offersOf`, the iterator itself",
            "offersOf",
            vec![root.clone()],
        ),
        ("`openProof`", "openProof", both),
        ("`contentProofs`", "contentProofs", vec![root]),
        ("`rewardInfo`", "rewardInfo", vec![]),
    ];
    for (case, method, params) in all {
        let call = (world.three.proofs, method, params);
        world.measure(case, pair.v, call).await;
    }
}

/// When the time of the pair that was left out is over.
pub(super) async fn measure_after_the_deadline(world: &mut World) {
    let [v, p] = ["measured4", "measured5"].map(account_named);
    let params = vec![v.script_hash.into(), p.script_hash.into()];
    let call = (world.three.proofs, "failProof", params);
    world.measure("`failProof`", &v, call).await;
}
