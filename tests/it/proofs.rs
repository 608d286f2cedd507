//! Nodes, proofs and rewards on a real node: both contracts compiled and deployed, ten nodes' keys, a content of 1 GiB and
//! one of 1 TiB.

mod soul;
mod world;

use std::time::{Duration, Instant};

use neo_client::{ContractParam, Hash160, Receipt, ScriptBuilder, Signer, VmState, flags};
use neo_opcode::Op;
use phantasma_tests::TestNet;
use phantasma_tests::scenario::Pattern;
use phantasma_tests::torture::economy::trees::Ones;
use world::{
    DEADLINE_MS, GIVEN, MIN_AGE_MS, NODE_FEE, PATIENCE, POOL, POT_SHARE, QUIET_MS, VALIDATION_FEE,
    World, whole_number,
};

const NODES: usize = 10;
/// LedgerContract, in script order.
const LEDGER: Hash160 = Hash160([
    0xbe, 0xf2, 0x04, 0x31, 0x40, 0x36, 0x2a, 0x77, 0xc1, 0x50, 0x99, 0xc7, 0xe6, 0x4c, 0x12, 0xf7,
    0x00, 0xb6, 0x65, 0xda,
]);
const NONCE: usize = 5;
const YEAR_MS: i64 = 365 * 24 * 3_600_000;

#[tokio::test(flavor = "multi_thread")]
async fn ten_nodes_prove_a_gibibyte_and_share_a_round() {
    let content = tokio::task::spawn_blocking(|| Pattern::new(1 << 30));
    let mut world = World::start(NODES).await;
    let content = content.await.unwrap();
    let now = world.time_is(0).await;
    let (root, expiry) = (content.root(), now + YEAR_MS);
    world.soul.register(&world.net, root, 1 << 30, expiry).await;
    world.offer(&root).await;
    world.time_is(now + MIN_AGE_MS + QUIET_MS).await;

    // The last node says that it has the content, and has not.
    let liar = NODES - 1;
    let params = world.start_params(0, liar, &root);
    let asked = world.by(0, "startProof", &params).await;
    let (nonce, chunk) = world.drawn(0, liar).await;
    let mut lie = content.proof(chunk);
    lie.0 = vec![0; 1024];
    let params = world.show_params(0, liar, nonce, &lie);
    let said = world.refusal(liar, "showProof", &params).await;
    assert!(said.contains("the chunk does not belong"), "{said}");
    let said = world.refusal(1, "failProof", &world.pair(0, liar)).await;
    assert!(said.contains("there is still time"), "{said}");

    let mut proofs = 0;
    let mut validations = [0; NODES];
    validations[0] = 1;
    while proofs < 30 {
        let now = world.time_is(0).await;
        world.time_is(now + QUIET_MS).await;
        let mut order = Vec::new();
        for n in 0..liar {
            order.push((world.reputation(n).await, n));
        }
        order.sort_by_key(|(reputation, n)| (-reputation, *n));
        let pairs: Vec<(usize, usize)> = (0..4).map(|i| (order[i].1, order[8 - i].1)).collect();
        let pairs = &pairs[..pairs.len().min(30 - proofs)];
        world.prove(pairs, &content).await;
        proofs += pairs.len();
        pairs.iter().for_each(|(v, _)| validations[*v] += 1);
    }

    fail_the_liar(&mut world, liar, &asked).await;
    let tally = world
        .get("contentProofs", &[ContractParam::bytes(root.to_vec())])
        .await;
    let tally: Vec<i64> = tally
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_i64().unwrap())
        .collect();
    eprintln!("challenges, shown, failures, confidence: {tally:?}");
    assert_eq!(tally[..3], [31, 30, 1]);
    // 31 draws with one missing: 1 - 0.99^31 - 31 * 0.01 * 0.99^30.
    let sure = 1.0 - 0.99f64.powi(31) - 31.0 * 0.01 * 0.99f64.powi(30);
    assert!((tally[3] as f64 / 1e6 - sure).abs() < 2e-6, "{sure}");

    let (winners, half) = round(&mut world).await;
    world.print_gas();
    ledger(&world, &validations, &winners, half).await;
}

async fn fail_the_liar(world: &mut World, liar: usize, asked: &Receipt) {
    let block = world.net.rpc().get_block_json(asked.block_index).await;
    let asked_at = block.unwrap()["time"].as_i64().unwrap();
    // The call's own block comes after the one that is late enough.
    world.time_is(asked_at + DEADLINE_MS).await;
    let before = world.reputation(liar).await;
    let params = world.pair(0, liar);
    world.by(3, "failProof", &params).await;
    let after = world.reputation(liar).await;
    eprintln!("the one who lied falls from {before} to {after}");
    assert_eq!((before, after), (500_000_000, 375_000_000));
    let average = whole_number(&world.net, &world.hash, "averageReputation", &[]).await;
    assert!(average > after);
    let who = [world.nodes[liar].script_hash.into()];
    let role = whole_number(&world.net, &world.hash, "roleOf", &who).await;
    assert_eq!(role, 1);
}

/// Closes a round, sees that it cannot be drawn before its block, and pays it: who won by number, and each one's part.
async fn round(world: &mut World) -> (Vec<usize>, i64) {
    let pool = world.soul.pool(&world.net).await;
    let invoker = ContractParam::from(world.nodes[2].script_hash);
    let rounds = world.rounds().await;
    world.time_is(rounds[1].as_i64().unwrap()).await;
    let closed = world
        .by(2, "obtainRewards", std::slice::from_ref(&invoker))
        .await;
    assert!(!closed.result().as_bool().unwrap());
    let gas = world.gas.remove("obtainRewards").unwrap();
    world.gas.insert("obtainRewards, closes".to_owned(), gas);
    let event = closed.event(&world.hash, "RoundClosed").unwrap();
    let draw = event.args()[3].as_u64().unwrap() as u32;
    assert_eq!(draw, closed.block_index + 1);
    let start = Instant::now();
    while world.net.rpc().get_block_count().await.unwrap() <= draw {
        assert!(start.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let caller = ContractParam::from(world.nodes[5].script_hash);
    let paid = world.by(5, "obtainRewards", &[caller]).await;
    assert!(paid.result().as_bool().unwrap());
    let event = paid.event(&world.hash, "RewardsPaid").unwrap();
    let half = event.args()[3].as_i64().unwrap();
    assert_eq!(half, pool * POT_SHARE / 200);
    let queues = [rounds[2].as_array().unwrap(), rounds[3].as_array().unwrap()];
    let mut winners = Vec::new();
    for (queue, who) in queues.iter().zip(&event.args()[1..3]) {
        let who = who.as_hash160().unwrap();
        let n = world.nodes.iter().position(|n| n.script_hash == who);
        let n = n.expect("the winner is a node");
        let waited: Vec<i64> = queue.iter().map(|n| n.as_i64().unwrap()).collect();
        assert!(waited.contains(&(n as i64 + 1)), "{n} of {waited:?}");
        winners.push(n);
    }
    (winners, half)
}

/// Prints who had, paid and got what, and holds the contract to it.
async fn ledger(world: &World, validations: &[i64; NODES], winners: &[usize], half: i64) {
    let mut sum = 0;
    eprintln!("node        given         fees       reward          has");
    for (n, node) in world.nodes.iter().enumerate() {
        let fees = NODE_FEE + validations[n] * VALIDATION_FEE;
        let reward = winners.iter().filter(|w| **w == n).count() as i64 * half;
        let has = world.soul.balance(&world.net, node).await;
        eprintln!("{n:4} {GIVEN:12} {fees:12} {reward:12} {has:12}");
        assert_eq!(has, GIVEN - fees + reward);
        sum += has;
    }
    let pool = world.soul.pool(&world.net).await;
    let fees = NODES as i64 * NODE_FEE + validations.iter().sum::<i64>() * VALIDATION_FEE;
    eprintln!("pool {POOL:12} {:12} {:12} {pool:12}", -fees, -2 * half);
    assert_eq!(pool, POOL + fees - 2 * half);
    eprintln!("all  {:12} {:38}", POOL + GIVEN * NODES as i64, sum + pool);
    assert_eq!(sum + pool, POOL + GIVEN * NODES as i64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proof_of_a_tebibyte_passes_and_none_with_a_flipped_bit() {
    let content = Ones::new(30);
    assert_eq!(content.size(), 1 << 40);
    let mut world = World::start(2).await;
    let now = world.time_is(0).await;
    let (root, expiry) = (content.root(), now + YEAR_MS);
    world
        .soul
        .register(&world.net, root, content.size(), expiry)
        .await;
    world.offer(&root).await;
    world.time_is(now + QUIET_MS).await;
    let params = world.start_params(0, 1, &root);
    world.by(0, "startProof", &params).await;
    let (nonce, index) = world.drawn(0, 1).await;
    let good = content.proof(index);
    assert_eq!(good.1.len(), 30);

    let mut tried = 0;
    let mut wrong = Vec::new();
    // Of the chunk one bit in every eight bytes, of the path one in each byte, of the index every one.
    for byte in (0..good.0.len()).step_by(8) {
        let mut proof = good.clone();
        proof.0[byte] ^= 1 << (byte / 8 % 8);
        wrong.push((nonce, proof));
    }
    for at in 0..good.1.len() * 32 {
        let mut proof = good.clone();
        proof.1[at / 32][at % 32] ^= 1 << (at % 8);
        wrong.push((nonce, proof));
    }
    for bit in 0..30 {
        wrong.push((nonce, content.proof(index ^ (1 << bit))));
        wrong.push((nonce, (content.proof(index ^ (1 << bit)).0, good.1.clone())));
    }
    for bit in 0..64 {
        wrong.push((nonce ^ (1 << bit), good.clone()));
    }
    for (nonce, proof) in &wrong {
        let params = world.show_params(0, 1, *nonce, proof);
        let said = world.refusal(1, "showProof", &params).await;
        assert!(
            said.contains("the chunk does not belong") || said.contains("not the nonce"),
            "{said}"
        );
        tried += 1;
    }
    eprintln!("{tried} proofs with a flipped bit refused");
    let params = world.show_params(0, 1, nonce, &good);
    world.by(1, "showProof", &params).await;
    let said = world.refusal(1, "showProof", &params).await;
    assert!(said.contains("it was shown already"), "{said}");
    world.print_gas();
}

/// In a transaction the last block is there and the one that holds the transaction is not; so nobody, not even a contract
/// that calls, sees the number that draws before the call is final.
#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_is_being_built_is_not_to_be_read() {
    let net = TestNet::start().await;
    let account = net.funded_account(10).await;
    for ahead in [0, 1, 2] {
        let mut script = ScriptBuilder::new();
        script.call(&LEDGER, "currentIndex", flags::ALL, &[]);
        script
            .push(&ahead.into())
            .op(Op::ADD)
            .push(&1.into())
            .op(Op::PACK)
            .push(&i32::from(flags::ALL).into())
            .push_bytes(b"getBlock")
            .push_bytes(&LEDGER.0)
            .syscall("System.Contract.Call");
        let receipt = net
            .actor(&account)
            .run_script(script.build().unwrap())
            .await;
        let receipt = receipt.unwrap();
        if ahead > 0 {
            assert!(receipt.result().is_null(), "{:?}", receipt.result());
            continue;
        }
        let block = receipt.result().as_array().unwrap();
        let last = receipt.block_index - 1;
        assert_eq!(block[6].as_u64().unwrap(), u64::from(last));
        let nonce = net.rpc().get_block_nonce(last).await.unwrap();
        assert_eq!(block[NONCE].as_u64().unwrap(), nonce);
    }
}

/// A script that asks for a proof and shows one in the same transaction is refused as a whole.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_can_be_shown_in_the_transaction_that_asks() {
    let content = Ones::new(10);
    let mut world = World::start(2).await;
    let now = world.time_is(0).await;
    let root = content.root();
    world
        .soul
        .register(&world.net, root, content.size(), now + YEAR_MS)
        .await;
    world.offer(&root).await;
    world.time_is(now + QUIET_MS).await;
    let mut script = ScriptBuilder::new();
    let start = world.start_params(0, 1, &root);
    script.call(&world.hash, "startProof", flags::ALL, &start);
    let show = world.show_params(0, 1, 0, &content.proof(0));
    script.call(&world.hash, "showProof", flags::ALL, &show);
    let signers = [0, 1].map(|n: usize| Signer::new(world.nodes[n].script_hash));
    let result = world
        .net
        .rpc()
        .invoke_script(&script.build().unwrap(), &signers)
        .await
        .unwrap();
    assert_eq!(result.state, VmState::Fault);
    let said = result.exception.unwrap();
    assert!(said.contains("the chunk is not drawn yet"), "{said}");
    assert!(world.get("openProof", &world.pair(0, 1)).await.is_null());
}
