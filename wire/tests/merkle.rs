//! The Merkle tree against RFC 6962 written down as it stands there, and against flipped bits.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use phantasma_wire::Hash;
use phantasma_wire::merkle::{
    self, BLOCK_SIZE, BlockTree, CHUNK_SIZE, ContentTree, MAX_CONTENT_SIZE, MerkleError, Shape,
    TreeBuilder,
};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

/// MTH of RFC 6962, section 2.1: recursive, over all chunks.
fn naive_root(leaves: &[&[u8]]) -> Hash {
    match leaves {
        [leaf] => Sha256::digest([&[0], *leaf].concat()).into(),
        _ => {
            let k = split(leaves.len());
            let (left, right) = (naive_root(&leaves[..k]), naive_root(&leaves[k..]));
            Sha256::digest([&[1][..], &left, &right].concat()).into()
        }
    }
}

/// PATH of RFC 6962, section 2.1.1.
fn naive_path(index: usize, leaves: &[&[u8]]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return vec![];
    }
    let k = split(leaves.len());
    let (mut path, sibling) = if index < k {
        (naive_path(index, &leaves[..k]), naive_root(&leaves[k..]))
    } else {
        (
            naive_path(index - k, &leaves[k..]),
            naive_root(&leaves[..k]),
        )
    };
    path.push(sibling);
    path
}

/// The largest power of two smaller than `n`.
fn split(n: usize) -> usize {
    let mut k = 1;
    while k * 2 < n {
        k *= 2;
    }
    k
}

fn content(size: usize) -> Vec<u8> {
    (0..size)
        .map(|i| (i * 31 + i / 251 + i / 65_521) as u8)
        .collect()
}

fn tree_of(data: &[u8]) -> ContentTree {
    let mut builder = TreeBuilder::new();
    builder.push(data).unwrap();
    builder.finish().unwrap()
}

/// Sizes around every border of chunks, blocks and powers of two.
fn sizes() -> Vec<usize> {
    let mut sizes = vec![
        1,
        2,
        1023,
        1024,
        1025,
        2048,
        2049,
        3 * 1024,
        5 * 1024 + 1,
        255 * 1024,
        255 * 1024 + 1,
    ];
    for blocks in 1..=9 {
        sizes.extend([
            blocks * BLOCK_SIZE - 1,
            blocks * BLOCK_SIZE,
            blocks * BLOCK_SIZE + 1,
        ]);
        sizes.extend([
            blocks * BLOCK_SIZE + CHUNK_SIZE,
            blocks * BLOCK_SIZE + 77 * CHUNK_SIZE + 5,
        ]);
    }
    sizes
}

#[test]
fn the_root_is_that_of_rfc_6962_for_every_shape() {
    for size in sizes() {
        let data = content(size);
        let chunks: Vec<&[u8]> = data.chunks(CHUNK_SIZE).collect();
        assert_eq!(tree_of(&data).root(), naive_root(&chunks), "size {size}");
    }
}

#[test]
fn the_root_of_known_chunks_is_the_published_one() {
    // Test vectors of the Certificate Transparency log implementations: leaves "" and 00.
    assert_eq!(
        hex::encode(merkle::chunk_hash(b"")),
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    );
    assert_eq!(
        hex::encode(tree_of(&[0]).root()),
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7"
    );
}

#[test]
fn every_block_has_a_path_and_its_id_is_the_subtrees_root() {
    for size in sizes() {
        let data = content(size);
        let tree = tree_of(&data);
        for (index, block) in data.chunks(BLOCK_SIZE).enumerate() {
            let index = index as u64;
            let chunks: Vec<&[u8]> = block.chunks(CHUNK_SIZE).collect();
            assert_eq!(merkle::block_id(block).unwrap(), naive_root(&chunks));
            let path = tree.block_path(index).unwrap();
            merkle::verify_block_data(&tree.root(), size as u64, index, block, &path)
                .unwrap_or_else(|error| panic!("size {size}, block {index}: {error}"));
        }
    }
}

#[test]
fn chunk_paths_are_those_of_rfc_6962() {
    for size in [
        1,
        1025,
        200 * 1024 + 3,
        BLOCK_SIZE + 1,
        2 * BLOCK_SIZE + 9 * 1024,
        3 * BLOCK_SIZE,
    ] {
        let data = content(size);
        let tree = tree_of(&data);
        let chunks: Vec<&[u8]> = data.chunks(CHUNK_SIZE).collect();
        for index in (0..chunks.len()).filter(|i| i % 37 == 0 || i + 3 > chunks.len()) {
            let block = index / 256;
            let block_tree = BlockTree::new(data.chunks(BLOCK_SIZE).nth(block).unwrap()).unwrap();
            let path = tree
                .chunk_path(block as u64, &block_tree, index % 256)
                .unwrap();
            assert_eq!(
                path,
                naive_path(index, &chunks),
                "size {size}, chunk {index}"
            );
            merkle::verify_chunk(
                &tree.root(),
                size as u64,
                index as u64,
                chunks[index],
                &path,
            )
            .unwrap();
        }
    }
}

#[test]
fn a_flipped_bit_is_refused_everywhere() {
    let size = 2 * BLOCK_SIZE + 3 * CHUNK_SIZE + 5;
    let data = content(size);
    let tree = tree_of(&data);
    let (root, size) = (tree.root(), size as u64);
    let block_tree = BlockTree::new(&data[2 * BLOCK_SIZE..]).unwrap();
    let path = tree.chunk_path(2, &block_tree, 3).unwrap();
    let chunk = &data[data.len() - 5..];
    let index = 2 * 256 + 3;
    merkle::verify_chunk(&root, size, index, chunk, &path).unwrap();

    let refused = MerkleError::Mismatch {
        what: "chunk",
        index,
    };
    for bit in 0..chunk.len() * 8 {
        let mut bad = chunk.to_vec();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            merkle::verify_chunk(&root, size, index, &bad, &path),
            Err(refused.clone())
        );
    }
    for (step, bit) in (0..path.len()).flat_map(|step| (0..256).map(move |bit| (step, bit))) {
        let mut bad = path.clone();
        bad[step][bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            merkle::verify_chunk(&root, size, index, chunk, &bad),
            Err(refused.clone())
        );
    }
    for bit in 0..256 {
        let mut bad = root;
        bad[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            merkle::verify_chunk(&bad, size, index, chunk, &path),
            Err(refused.clone())
        );
    }
    let block_path = tree.block_path(0).unwrap();
    for byte in (0..BLOCK_SIZE).step_by(4099) {
        let mut bad = data[..BLOCK_SIZE].to_vec();
        bad[byte] ^= 0x80;
        let refused = MerkleError::Mismatch {
            what: "block",
            index: 0,
        };
        assert_eq!(
            merkle::verify_block_data(&root, size, 0, &bad, &block_path),
            Err(refused)
        );
    }
}

#[test]
fn the_path_of_another_place_is_refused() {
    let data = content(5 * BLOCK_SIZE);
    let tree = tree_of(&data);
    let (root, size) = (tree.root(), data.len() as u64);
    let ids = tree.block_ids();
    for (real, claimed) in (0..5u64)
        .flat_map(|a| (0..5u64).map(move |b| (a, b)))
        .filter(|(a, b)| a != b)
    {
        let path = tree.block_path(real).unwrap();
        let result = merkle::verify_block(&root, size, claimed, &ids[real as usize], &path);
        assert!(result.is_err(), "block {real} passed for {claimed}");
    }
}

#[test]
fn a_path_too_short_or_too_long_is_refused() {
    let data = content(5 * BLOCK_SIZE);
    let tree = tree_of(&data);
    for index in 0..5 {
        let id = tree.block_ids()[index as usize];
        let path = tree.block_path(index).unwrap();
        let check =
            |path: &[Hash]| merkle::verify_block(&tree.root(), data.len() as u64, index, &id, path);
        let got = path.len() - 1;
        assert_eq!(
            check(&path[..got]),
            Err(MerkleError::WrongPath {
                what: "block",
                index,
                count: 5,
                got
            })
        );
        let longer = [path.as_slice(), &[[0; 32]]].concat();
        let got = longer.len();
        assert_eq!(
            check(&longer),
            Err(MerkleError::WrongPath {
                what: "block",
                index,
                count: 5,
                got
            })
        );
    }
}

#[test]
fn a_tree_node_does_not_pass_as_a_chunk() {
    // Without the 00 and 01 in front, the 64 bytes of two hashes would be a chunk with the same hash as their node.
    let data = content(2 * CHUNK_SIZE);
    let leaves: Vec<Hash> = data.chunks(CHUNK_SIZE).map(merkle::chunk_hash).collect();
    let result = merkle::verify_chunk(&tree_of(&data).root(), 64, 0, &leaves.concat(), &[]);
    assert_eq!(
        result,
        Err(MerkleError::Mismatch {
            what: "chunk",
            index: 0
        })
    );
}

#[test]
fn sizes_without_a_tree_are_refused() {
    assert_eq!(TreeBuilder::new().finish(), Err(MerkleError::Empty));
    assert_eq!(merkle::block_id(&[]), Err(MerkleError::Empty));
    assert_eq!(Shape::new(0), Err(MerkleError::Empty));
    let size = MAX_CONTENT_SIZE + 1;
    assert_eq!(Shape::new(size), Err(MerkleError::TooLarge { size }));
    let len = BLOCK_SIZE + 1;
    assert_eq!(
        merkle::block_id(&content(len)),
        Err(MerkleError::BlockTooLarge { len })
    );
    assert_eq!(
        merkle::verify_block(&[0; 32], 0, 0, &[0; 32], &[]),
        Err(MerkleError::Empty)
    );
    let result = merkle::verify_block(&[0; 32], 1, 1, &[0; 32], &[]);
    assert_eq!(
        result,
        Err(MerkleError::OutOfRange {
            what: "block",
            index: 1,
            count: 1
        })
    );
    let result = ContentTree::from_block_ids(BLOCK_SIZE as u64 + 1, vec![[0; 32]]);
    assert_eq!(
        result,
        Err(MerkleError::OutOfRange {
            what: "block",
            index: 1,
            count: 2
        })
    );
}

#[test]
fn a_block_of_the_wrong_length_is_refused_before_it_is_hashed() {
    let data = content(BLOCK_SIZE + 10);
    let tree = tree_of(&data);
    let path = tree.block_path(1).unwrap();
    let result = merkle::verify_block_data(
        &tree.root(),
        data.len() as u64,
        1,
        &data[BLOCK_SIZE..BLOCK_SIZE + 9],
        &path,
    );
    assert_eq!(
        result,
        Err(MerkleError::WrongLength {
            what: "block",
            index: 1,
            got: 9,
            expected: 10
        })
    );
}

#[test]
fn the_largest_content_has_paths_within_the_limits() {
    let shape = Shape::new(MAX_CONTENT_SIZE).unwrap();
    assert_eq!(shape.block_count(), 1 << merkle::MAX_BLOCK_PATH);
    assert_eq!(shape.chunk_count(), 1 << merkle::MAX_CHUNK_PATH);
    assert_eq!(shape.block_len(shape.block_count() - 1), Ok(BLOCK_SIZE));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn pieces_of_any_length_give_the_same_tree(size in 1usize..700_000, cuts in prop::collection::vec(1usize..90_000, 1..40)) {
        let data = content(size);
        let mut builder = TreeBuilder::new();
        let (mut left, mut cut) = (data.as_slice(), cuts.iter().cycle());
        while !left.is_empty() {
            let (piece, rest) = left.split_at(left.len().min(*cut.next().unwrap()));
            builder.push(piece).unwrap();
            left = rest;
        }
        prop_assert_eq!(builder.finish().unwrap(), tree_of(&data));
    }
}
