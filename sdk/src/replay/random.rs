//! The random numbers that `System.Runtime.GetRandom` gives in one transaction (neo-go `interop.Context.InitNonceData`,
//! `runtime.GetRandom` since Aspidochelone): MurmurHash3 over the transaction's hash and the block's nonce, seeded with
//! the network's magic number plus how often it was asked before.

use neo_client::Hash256;

/// The numbers in the order in which the transaction gets them, of 128 bits each.
pub(super) fn numbers(
    txid: &Hash256,
    block_nonce: u64,
    network: u32,
) -> impl Iterator<Item = u128> + use<> {
    let mut low = [0; 8];
    let mut high = [0; 8];
    let (first, rest) = txid.0.split_at(8);
    low.copy_from_slice(first);
    high.copy_from_slice(rest.get(..8).unwrap_or_default());
    let low = u64::from_le_bytes(low) ^ block_nonce;
    let high = u64::from_le_bytes(high);
    (0..).map(move |asked: u32| murmur128(low, high, network.wrapping_add(asked)))
}

/// MurmurHash3 x64 128 of 16 bytes, given as two little-endian words.
fn murmur128(low: u64, high: u64, seed: u32) -> u128 {
    const C1: u64 = 0x87C3_7B91_1142_53D5;
    const C2: u64 = 0x4CF5_AD43_2745_937F;
    let seed = u64::from(seed);
    let (mut h1, mut h2) = (seed, seed);
    h1 ^= low.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    h1 = h1.rotate_left(27).wrapping_add(h2);
    h1 = h1.wrapping_mul(5).wrapping_add(0x52DC_E729);
    h2 ^= high.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    h2 = h2.rotate_left(31).wrapping_add(h1);
    h2 = h2.wrapping_mul(5).wrapping_add(0x3849_5AB5);
    // No tail: the input is one block of 16 bytes.
    h1 ^= 16;
    h2 ^= 16;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = mix(h1);
    h2 = mix(h2);
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    u128::from(h1) | u128::from(h2) << 64
}

fn mix(mut k: u64) -> u64 {
    k = (k ^ k >> 33).wrapping_mul(0xFF51_AFD7_ED55_8CCD);
    k = (k ^ k >> 33).wrapping_mul(0xC4CE_B9FE_1A85_EC53);
    k ^ k >> 33
}
