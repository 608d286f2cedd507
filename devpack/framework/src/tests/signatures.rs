//! Hashes, accounts, signatures.

use crate::chain::{Account, Chain};
use crate::item::Item;
use crate::prelude::*;

fn hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn hashes_have_their_published_values() {
    let sha = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(crypto::sha256(&bytes(b"abc")).as_slice(), sha);
    let ripemd = hex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    assert_eq!(crypto::ripemd160(&bytes(b"abc")).as_slice(), ripemd);
    assert_eq!(
        crypto::hash160(&bytes(b"abc")).as_bytes(),
        crypto::ripemd160(&crypto::sha256(&bytes(b"abc")))
    );
}

#[test]
fn a_key_has_the_account_that_wallets_show() {
    // As `neo-go util convert` of 0.120 shows them.
    let key = hex("02b3622bf4017bdfe317c58aed5f4c753f206b7db896046fa7d774bbc4bf7f8dc2");
    let key = PublicKey::from_bytes(Bytes::from(key)).unwrap();
    let account = hex("ee9ea22c27e34bd0148fc4108e08f74e8f5048b2");
    assert_eq!(
        crypto::standard_account(&key).as_bytes().as_slice(),
        account
    );
}

#[test]
fn a_key_that_is_no_point_of_the_curve_has_no_account() {
    let chain = Chain::new();
    // The prefixes 02 and 03 with an x that no point has, and a wrong prefix.
    for first in [2, 3, 0x78] {
        let outcome = chain.run_as(&[], &Hash160::zero(), || {
            let key = [&[first], [0xFF; 32].as_slice()].concat();
            crypto::standard_account(&Any::of(Item::bytes(&key)).as_public_key())
        });
        assert_eq!(outcome.fault(), "invalid public key");
    }
}

#[test]
fn a_signature_is_good_for_its_message_and_key_only() {
    let (alice, bob) = (Account::named("alice"), Account::named("bob"));
    let signature = alice.sign(b"message");
    let verify = |message: &'static [u8], key: &PublicKey| {
        crypto::verify_with_ecdsa(&bytes(message), key, &signature, crypto::SECP256R1_SHA256)
    };
    assert!(verify(b"message", &alice.public_key));
    assert!(!verify(b"other", &alice.public_key));
    assert!(!verify(b"message", &bob.public_key));
    let zeros = Signature::from_bytes(Bytes::from([0; 64])).unwrap();
    assert!(!crypto::verify_with_ecdsa(
        &bytes(b"message"),
        &alice.public_key,
        &zeros,
        23
    ));
}

#[test]
fn a_key_off_the_curve_is_a_fault() {
    let chain = Chain::new();
    let outcome = chain.run_as(&[], &Hash160::zero(), || {
        // This x is above the prime of the field.
        let key = PublicKey::from_bytes(Bytes::from([&[2][..], &[0xff; 32]].concat())).unwrap();
        let signature = Signature::from_bytes(Bytes::from([1; 64])).unwrap();
        crypto::verify_with_ecdsa(&bytes(b""), &key, &signature, crypto::SECP256R1_SHA256)
    });
    assert_eq!(outcome.fault(), "invalid public key");
}

#[test]
fn check_sig_is_about_the_running_transaction() {
    let chain = Chain::new();
    let alice = chain.account("alice");
    let signature = alice.sign(&chain.next_sign_data());
    let check = || {
        chain
            .run_as(&[], &Hash160::zero(), || {
                crypto::check_sig(&alice.public_key, &signature)
            })
            .result()
    };
    assert_eq!(check(), Item::Boolean(true));
    // The next transaction has another hash.
    assert_eq!(check(), Item::Boolean(false));
}
