#![allow(clippy::unwrap_used, clippy::panic)]

use phantasma_wire::codec::Frame as _;
use proptest::prelude::*;

use super::*;
use crate::group::{Group, GroupKeys};

/// RFC 9180, appendix A.5.1: DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305, base mode.
mod rfc9180 {
    pub(super) const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
    pub(super) const PUBLIC: &str = "04a697bffde9405c992883c5c439d6cc358170b51af72812333b015621dc0f40bad9bb726f68a5c013806a790ec716ab8669f84f6b694596c2987cf35baba2a006";
    pub(super) const SECRET: &str =
        "a4d1c55836aa30f9b3fbb6ac98d338c877c2867dd3a77396d13f68d3ab150d3b";
    pub(super) const ENCAPSULATED: &str = "04c07836a0206e04e31d8ae99bfd549380b072a1b1b82e563c935c095827824fc1559eac6fb9e3c70cd3193968994e7fe9781aa103f5b50e934b5b2f387e381291";
    pub(super) const PLAIN: &str = "4265617574792069732074727574682c20747275746820626561757479";
    /// Additional data and ciphertext of the first two messages.
    pub(super) const SEALED: [(&str, &str); 2] = [
        (
            "436f756e742d30",
            "6469c41c5c81d3aa85432531ecf6460ec945bde1eb428cb2fedf7a29f5a685b4ccb0d057f03ea2952a27bb458b",
        ),
        (
            "436f756e742d31",
            "f1564199f7e0e110ec9c1bcdde332177fc35c1adf6e57f8d1df24022227ffa8716862dbda2b1dc546c9d114374",
        ),
    ];
}

fn bytes(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::from_bytes(&[seed; 32]).unwrap()
}

#[test]
fn the_rfcs_vectors_open() {
    let encapsulated = EncapsulatedSecret(bytes(rfc9180::ENCAPSULATED));
    let secret = HpkePrivateKey::from(bytes(rfc9180::SECRET));
    let mut opener = SUITE
        .setup_opener(&encapsulated, &bytes(rfc9180::INFO), &secret)
        .unwrap();
    for (aad, sealed) in rfc9180::SEALED {
        let plain = opener.open(&bytes(aad), &bytes(sealed)).unwrap();
        assert_eq!(plain, bytes(rfc9180::PLAIN));
    }
}

/// The RFC's reader as a Neo key: the same pair, and what we seal to it opens with the RFC's scalar.
#[test]
fn a_neo_key_is_an_hpke_key() {
    let scalar: [u8; 32] = bytes(rfc9180::SECRET).try_into().unwrap();
    let reader = PrivateKey::from_bytes(&scalar).unwrap();
    assert_eq!(point(&reader.public_key()).unwrap(), bytes(rfc9180::PUBLIC));
    let sealed = content_key(
        &key(1),
        &reader.public_key(),
        &[7; 32],
        &ContentKey::from_bytes([8; 32]),
    );
    let sealed = sealed.unwrap();
    let plain = SUITE
        .open(
            &EncapsulatedSecret(sealed.encapsulated.to_vec()),
            &sealed.kind.info(&sealed.sender, &sealed.reader),
            &[],
            &sealed.ciphertext,
            &HpkePrivateKey::from(scalar.to_vec()),
        )
        .unwrap();
    assert_eq!(plain, [[7; 32], [8; 32]].concat());
}

#[test]
fn only_the_reader_opens_it() {
    let (ada, bob, eve) = (key(1), key(2), key(3));
    let (root, content) = ([7; 32], ContentKey::random());
    let sealed = content_key(&ada, &bob.public_key(), &root, &content).unwrap();
    let opened = Opened::ContentKey { root, key: content };
    assert_eq!(open(&bob, &sealed), Ok(opened));
    for other in [&ada, &eve] {
        let error = open(other, &sealed).unwrap_err();
        assert!(matches!(error, SealError::OtherReader { .. }), "{error}");
        // Nor when the file is made to name the other.
        let mut renamed = sealed.clone();
        renamed.reader = other.public_key().0;
        assert_eq!(
            open(other, &renamed),
            Err(SealError::NotSigned(ada.public_key()))
        );
        renamed.signature = ada.sign(&renamed.signing_bytes());
        assert_eq!(open(other, &renamed), Err(SealError::Sealed));
    }
    // Nobody passes another's secret on as an own one.
    let mut taken = sealed;
    taken.sender = eve.public_key().0;
    taken.signature = eve.sign(&taken.signing_bytes());
    assert_eq!(open(&bob, &taken), Err(SealError::Sealed));
}

#[test]
fn a_members_keys_arrive_whole_and_only_from_their_owner() {
    let (ada, bob, eve) = (key(1), key(2), key(3));
    let group = Group::new([1; 32], 0, 24, GroupKeys::random()).unwrap();
    let member = group.member_key(&ada, 77).unwrap();
    let sealed = member_key(&ada, &bob.public_key(), &member).unwrap();
    let travelled = Sealed::decode(sealed.encode()).unwrap();
    assert_eq!(
        open(&bob, &travelled),
        Ok(Opened::MemberKey(member.clone()))
    );
    let forwarded = member_key(&eve, &bob.public_key(), &member).unwrap_err();
    assert_eq!(forwarded, SealError::Member(GroupError::OtherGroup));
    let forced = seal(
        &eve,
        &bob.public_key(),
        SealedKind::MemberKey,
        &member.to_bytes(),
    )
    .unwrap();
    assert_eq!(
        open(&bob, &forced),
        Err(SealError::Member(GroupError::OtherGroup))
    );
}

#[test]
fn a_secret_of_one_kind_is_not_taken_for_another() {
    let (ada, bob) = (key(1), key(2));
    let content = ContentKey::random();
    let mut sealed = content_key(&ada, &bob.public_key(), &[7; 32], &content).unwrap();
    sealed.kind = SealedKind::MemberKey;
    sealed.signature = ada.sign(&sealed.signing_bytes());
    assert_eq!(open(&bob, &sealed), Err(SealError::Sealed));
    let short = seal(&ada, &bob.public_key(), SealedKind::ContentKey, &[1; 63]).unwrap();
    assert_eq!(open(&bob, &short), Err(SealError::Length(63)));
}

#[test]
fn a_reader_that_is_no_point_is_refused() {
    let nobody = PublicKey([2; 33].map(|byte| if byte == 2 { 0xff } else { byte }));
    let error = content_key(&key(1), &nobody, &[7; 32], &ContentKey::random()).unwrap_err();
    assert_eq!(error, SealError::Reader(nobody));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_flipped_bit_is_noticed(flip: usize) {
        let (ada, bob) = (key(1), key(2));
        let sealed = content_key(&ada, &bob.public_key(), &[7; 32], &ContentKey::random()).unwrap();
        let mut encoded = sealed.encode().to_vec();
        let bit = flip % (encoded.len() * 8);
        encoded[bit / 8] ^= 1 << (bit % 8);
        if let Ok(changed) = Sealed::decode(encoded.into()) {
            prop_assert!(open(&bob, &changed).is_err());
        }
    }
}
