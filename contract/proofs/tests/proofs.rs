//! Nodes, proofs and reputation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod kit;

use kit::tree::Content;
use kit::*;
use neo_framework::chain::{Item, Scope, Signer};
use proptest::prelude::*;

const KIB: u64 = 1024;
const TIB: u64 = 1 << 40;

#[test]
fn a_node_registers_pays_once_and_leaves() {
    let world = World::new(1);
    let node = world.nodes[0].clone();
    assert_eq!(world.balance(&node), GIVEN - NODE_FEE);
    assert_eq!(world.pool(), POOL + NODE_FEE);
    let info = fields(&world.get("nodeInfo", vec![account(&node)]));
    assert_eq!(
        info[2..5],
        [Item::text("10.0.0.1:4000"), int(1), int(500_000_000)]
    );
    assert_eq!(world.get("roleOf", vec![account(&node)]), int(1));
    assert_eq!(world.register(&node).result(), int(1));
    assert_eq!(
        world.balance(&node),
        GIVEN - NODE_FEE,
        "new endpoints cost nothing"
    );
    world.by(&node, "leave", vec![account(&node)]).result();
    assert_eq!(world.get("nodeInfo", vec![account(&node)]), Item::Null);
    assert_eq!(world.get("roleOf", vec![account(&node)]), int(0));
    assert_eq!(world.register(&node).result(), int(2), "numbers only grow");
    world.refused(
        &node,
        "leave",
        vec![account(&world.chain.account("other"))],
        "leave: no witness of the node",
    );
    let args = vec![Item::ByteString(node.public_key.as_bytes()), Item::text("")];
    world.refused(
        &node,
        "registerNode",
        args,
        "registerNode: endpoints must be 1-256 bytes",
    );
}

#[test]
fn a_poor_account_cannot_register() {
    let world = World::new(1);
    let poor = world.chain.account("poor");
    let args = vec![
        Item::ByteString(poor.public_key.as_bytes()),
        Item::text("x"),
    ];
    world.refused(
        &poor,
        "registerNode",
        args,
        "not enough SOUL to pay the fee",
    );
}

#[test]
fn a_proof_raises_both_and_moves_the_average() {
    let world = World::new(2);
    let content = Content::new(5 * KIB + 3);
    world.content(&content);
    world.prove(0, 1, &content);
    // An independent calculation: the prover first, then the validator, n = 2.
    let raised = 500_000_000 + 500_000_000 / 16;
    let after_prover = 500_000_000 + (raised - 500_000_000) / 2;
    let average = after_prover + (raised - after_prover) / 2;
    assert_eq!([world.reputation(0), world.reputation(1)], [raised; 2]);
    assert_eq!(world.average(), average);
    assert_eq!(
        world.balance(&world.nodes[0]),
        GIVEN - NODE_FEE - VALIDATION_FEE
    );
    let tally = fields(&world.get("contentProofs", vec![Item::bytes(&content.root())]));
    assert_eq!(tally, [int(1), int(1), int(0), int(9_999)]);
    assert_eq!(world.get("openProof", world.pair(0, 1)), Item::Null);
}

#[test]
fn a_proof_that_is_not_shown_costs_a_quarter() {
    let world = World::new(3);
    let content = Content::new(MIB);
    world.content(&content);
    world.start(0, 1, &content, -1).result();
    world.refused(
        &world.nodes[2],
        "failProof",
        world.pair(0, 1),
        "failProof: there is still time to show it",
    );
    world.refused(
        &world.nodes[2],
        "acceptProof",
        world.pair(0, 1),
        "acceptProof: it was not shown",
    );
    world.chain.advance(DEADLINE);
    let args = world.show_args(0, 1, &content);
    world.refused(
        &world.nodes[1],
        "showProof",
        args,
        "showProof: the time for it is over",
    );
    // Anybody may say so.
    world
        .by(&world.nodes[2], "failProof", world.pair(0, 1))
        .result();
    assert_eq!(world.reputation(1), 375_000_000);
    assert_eq!(world.average(), 500_000_000 - 125_000_000 / 3);
    let tally = fields(&world.get("contentProofs", vec![Item::bytes(&content.root())]));
    assert_eq!(tally, [int(1), int(0), int(1), int(0)]);
}

const MIB: u64 = 1 << 20;

#[test]
fn the_chunk_is_not_known_before_a_later_block_exists() {
    let world = World::new(2);
    let content = Content::new(MIB);
    world.content(&content);
    let before = as_int(&Item::Integer(world.chain.block_index()));
    let outcome = world.start(0, 1, &content, -1);
    let event = outcome.events_named("ProofStarted")[0].clone();
    // `before` is the last block; the call is in the next, and the one after draws.
    assert_eq!(event.args[4], int(before + 2));
    let open = fields(&world.get("openProof", world.pair(0, 1)));
    assert_eq!(open[5..8], [int(before + 2), int(-1), int(-1)]);
    let args = vec![
        account(&world.nodes[1]),
        account(&world.nodes[0]),
        int(0),
        Item::bytes(&[7; 1024]),
        Item::array(vec![]),
    ];
    world.chain.set_block_index(before + 1);
    world.refused(
        &world.nodes[1],
        "showProof",
        args,
        "showProof: the chunk is not drawn yet",
    );
    world.show(0, 1, &content).result();
}

#[test]
fn roles_offers_and_contents_are_checked_at_the_start() {
    let world = World::new(4);
    let content = Content::new(MIB);
    world.content(&content);
    let start = |v: usize, p: usize, root: &[u8], block: i64| {
        [world.pair(v, p), vec![Item::bytes(root), int(block)]].concat()
    };
    let root = content.root();
    let by = |v: usize| &world.nodes[v];
    world.refused(
        by(1),
        "startProof",
        start(0, 1, &root, -1),
        "startProof: no witness of the validator",
    );
    world.refused(
        by(0),
        "startProof",
        start(0, 0, &root, -1),
        "startProof: validator and prover are the same",
    );
    world.refused(
        by(0),
        "startProof",
        start(0, 1, &[1; 32], -1),
        "startProof: the prover does not offer this content",
    );
    world.refused(
        by(0),
        "startProof",
        start(0, 1, &root, 4),
        "startProof: the content has no such block",
    );
    world.refused(
        by(0),
        "startProof",
        start(0, 1, &root, -2),
        "startProof: the content has no such block",
    );
    world
        .by(
            by(3),
            "retractContent",
            vec![account(by(3)), Item::bytes(&root)],
        )
        .result();
    world.refused(
        by(0),
        "startProof",
        start(0, 3, &root, -1),
        "startProof: the prover does not offer this content",
    );
    world.start(0, 1, &content, -1).result();
    world.refused(
        by(0),
        "startProof",
        start(0, 1, &root, -1),
        "startProof: this pair has an open proof",
    );
    world.chain.advance(1000);
    world.show(0, 1, &content).result();
    world.by(by(2), "acceptProof", world.pair(0, 1)).result();
    // Now 0 and 1 are above the average, 2 and 3 below, and a proof has just ended.
    assert_eq!(
        [0, 1, 2].map(|n| as_int(&world.get("roleOf", vec![account(by(n))]))),
        [2, 2, 1]
    );
    let roles = "startProof: these two do not have the roles for it";
    world.refused(by(2), "startProof", start(2, 0, &root, -1), roles);
    world.refused(by(0), "startProof", start(0, 1, &root, -1), roles);
    world.refused(by(2), "startProof", start(2, 1, &root, -1), roles);
    world.start(0, 2, &content, -1).result();
    // After a quiet time the pair's own order is enough, but it is needed.
    world.chain.advance(QUIET);
    world.refused(by(2), "startProof", start(2, 0, &root, -1), roles);
    world.start(0, 1, &content, -1).result();
    world.chain.advance(365 * 24 * 3_600_000);
    world.refused(
        by(1),
        "startProof",
        start(1, 2, &root, -1),
        "startProof: this content is not registered, or has expired",
    );
}

#[test]
fn a_named_block_can_only_fail_somebody() {
    let world = World::new(2);
    let content = Content::new(MIB + 5 * KIB + 1);
    world.content(&content);
    world.start(0, 1, &content, 4).result();
    world.chain.advance(1000);
    let open = fields(&world.get("openProof", world.pair(0, 1)));
    assert_eq!(open[2], int(4));
    assert!((1024..1030).contains(&as_int(&open[7])));
    world.show(0, 1, &content).result();
    world
        .by(&world.nodes[0], "acceptProof", world.pair(0, 1))
        .result();
    assert_eq!([world.reputation(0), world.reputation(1)], [500_000_000; 2]);
    assert!(fields(&world.rounds()[2]).is_empty());
    let tally = fields(&world.get("contentProofs", vec![Item::bytes(&content.root())]));
    assert_eq!(tally[0], int(0));
    world.start(0, 1, &content, 0).result();
    world.chain.advance(DEADLINE);
    world
        .by(&world.nodes[0], "failProof", world.pair(0, 1))
        .result();
    assert_eq!(world.reputation(1), 375_000_000);
}

#[test]
fn a_proof_cannot_be_shown_or_accepted_twice_or_by_another() {
    let world = World::new(3);
    let content = Content::new(MIB);
    world.content(&content);
    world.start(0, 1, &content, -1).result();
    world.chain.advance(1000);
    let args = world.show_args(0, 1, &content);
    world.refused(
        &world.nodes[0],
        "showProof",
        args.clone(),
        "showProof: no witness of the prover",
    );
    let mut wrong = args.clone();
    wrong[2] = int(1);
    world.refused(
        &world.nodes[1],
        "showProof",
        wrong,
        "showProof: this is not the nonce of the block that draws",
    );
    world
        .by(&world.nodes[1], "showProof", args.clone())
        .result();
    world.refused(
        &world.nodes[1],
        "showProof",
        args.clone(),
        "showProof: it was shown already",
    );
    world.chain.advance(DEADLINE);
    world.refused(
        &world.nodes[1],
        "failProof",
        world.pair(0, 1),
        "failProof: it was shown",
    );
    world
        .by(&world.nodes[2], "acceptProof", world.pair(0, 1))
        .result();
    world.refused(
        &world.nodes[2],
        "acceptProof",
        world.pair(0, 1),
        "this pair has no open proof",
    );
    world.chain.advance(QUIET);
    world.start(0, 1, &content, -1).result();
    world.chain.advance(1000);
    // The old chunk does not answer the new draw.
    world.refused(
        &world.nodes[1],
        "showProof",
        args,
        "showProof: this is not the nonce of the block that draws",
    );
}

#[test]
fn a_witness_of_another_scope_does_not_count() {
    let world = World::new(2);
    let content = Content::new(MIB);
    world.content(&content);
    let root = Item::bytes(&content.root());
    let args = [world.pair(0, 1), vec![root, int(-1)]].concat();
    let node = &world.nodes[0];
    for scope in [
        Scope::None,
        Scope::CustomContracts(vec![world.bank.clone()]),
    ] {
        let signer = Signer {
            account: node.hash.clone(),
            scope,
        };
        let outcome = world.signed(&[signer], "startProof", args.clone());
        assert_eq!(outcome.fault(), "startProof: no witness of the validator");
    }
    let signer = Signer {
        account: node.hash.clone(),
        scope: Scope::CustomContracts(vec![world.hash.clone()]),
    };
    assert!(world.signed(&[signer], "startProof", args).is_halt());
}

/// Every bit of the path and of one byte in each 32 of the chunk; and every other index of the tree would need another
/// path.
fn no_flipped_bit_passes(size: u64) {
    let world = World::new(2);
    let content = Content::new(size);
    world.content(&content);
    world.start(0, 1, &content, -1).result();
    world.chain.advance(1000);
    let args = world.show_args(0, 1, &content);
    let try_with = |args: Vec<Item>| {
        let signers = [world.nodes[1].signer()];
        world
            .chain
            .test_invoke(&signers, &world.hash, "showProof", args)
    };
    assert!(try_with(args.clone()).is_halt());
    let chunk = args[3].to_byte_string().unwrap().as_slice().to_vec();
    for bit in (0..chunk.len() * 8).step_by(if size == TIB { 1 } else { 97 }) {
        let mut flipped = chunk.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let mut args = args.clone();
        args[3] = Item::bytes(&flipped);
        assert_eq!(
            try_with(args).fault(),
            "showProof: the chunk does not belong to the content"
        );
    }
    let path = fields(&args[4]);
    for bit in 0..path.len() * 256 {
        let mut flipped = path.clone();
        let mut hash = path[bit / 256]
            .to_byte_string()
            .unwrap()
            .as_slice()
            .to_vec();
        hash[bit % 256 / 8] ^= 1 << (bit % 8);
        flipped[bit / 256] = Item::bytes(&hash);
        let mut args = args.clone();
        args[4] = Item::array(flipped);
        assert_eq!(
            try_with(args).fault(),
            "showProof: the chunk does not belong to the content"
        );
    }
    for wrong in [
        path[..path.len() - 1].to_vec(),
        [path.clone(), vec![Item::bytes(&[0; 32])]].concat(),
    ] {
        let mut args = args.clone();
        args[4] = Item::array(wrong);
        assert_eq!(
            try_with(args).fault(),
            "showProof: the path does not fit the content"
        );
    }
}

#[test]
fn no_bit_of_a_proof_of_a_tebibyte_can_be_another() {
    assert_eq!(Content::new(TIB).path(12_345).len(), 30);
    no_flipped_bit_passes(TIB);
}

#[test]
fn no_bit_of_a_proof_of_an_uneven_content_can_be_another() {
    no_flipped_bit_passes(1_000_001 * KIB + 77);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn trees_of_any_size_agree_with_the_storage_network(chunks in 1..700usize, short in 0..1024usize, at in any::<prop::sample::Index>(), other in any::<prop::sample::Index>()) {
        use neo_framework::{Any, Array, Bytes};
        use phantasma_wire::merkle::{BlockTree, ContentTree};
        let size = chunks * 1024 - short;
        let data: Vec<u8> = (0..size).map(|i| ((i >> 10) >> (i % 4 * 8)) as u8).collect();
        let blocks: Vec<BlockTree> = data.chunks(262_144).map(|b| BlockTree::new(b).unwrap()).collect();
        let ids = blocks.iter().map(BlockTree::id).collect();
        let tree = ContentTree::from_block_ids(size as u64, ids).unwrap();
        let index = at.index(chunks);
        let mut path = blocks[index / 256].chunk_path(index % 256).unwrap();
        path.extend(tree.block_path((index / 256) as u64).unwrap());
        let chunk = Bytes::from(data.chunks(1024).nth(index).unwrap());
        let world = World::with_minimum(0, 1);
        let check = |index: usize| {
            world.chain.run_as(&[], &world.hash, || {
                let mut list = Array::<Any>::new();
                path.iter().for_each(|hash| list.push(Any::from(Bytes::from(*hash))));
                let root = Bytes::from(tree.root());
                phantasma_proofs::merkle::check(&root, neo_framework::int(size as i64), neo_framework::int(index as i64), &chunk, &list);
                true
            })
        };
        prop_assert!(check(index).is_halt());
        let other = other.index(chunks);
        prop_assert_eq!(check(other).is_halt(), other == index);
    }
}
