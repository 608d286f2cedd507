//! Batches: which messages a signature covers, and what does not pass.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::Bytes;
use phantasma_wire::batch::{Batch, BatchError, Group, MAX_BATCH, SIGNED_LEN, VerifiedRoots};
use phantasma_wire::codec::{DecodeError, Frame, Writer};
use phantasma_wire::message::{Class, MAX_PAYLOAD, Message, Unsigned};
use phantasma_wire::{Hash, PublicKey};
use proptest::prelude::*;
use sha2::{Digest, Sha256};

const AUTHOR: PublicKey = [2; 33];

fn body(sequence: u64, payload: usize) -> Unsigned {
    Unsigned {
        network: 1,
        contract: [7; 20],
        author: AUTHOR,
        box_id: 3,
        sequence,
        time_ms: 1_795_000_000_000,
        class: Class::Ephemeral,
        payload: Bytes::from(vec![9; payload]),
    }
}

fn bodies(count: usize) -> Vec<Unsigned> {
    (0..count as u64).map(|number| body(number, 10)).collect()
}

/// Stands for a signature: what was signed, then the author's key.
fn seal(author: &PublicKey, signed: &[u8]) -> [u8; 64] {
    let hash: Hash = Sha256::new()
        .chain_update(author)
        .chain_update(signed)
        .finalize()
        .into();
    [hash, hash].concat().try_into().unwrap()
}

fn opens(author: &PublicKey, signed: &[u8], signature: &[u8; 64]) -> bool {
    seal(author, signed) == *signature
}

fn signed(bodies: Vec<Unsigned>) -> Batch {
    Batch::sign(bodies, |bytes| seal(&AUTHOR, bytes)).unwrap()
}

fn messages(count: usize) -> Vec<Message> {
    let messages = signed(bodies(count)).into_messages(opens).unwrap();
    messages.into_iter().map(|(_, message)| message).collect()
}

/// RFC 6962, section 2.1, word for word.
fn tree_hash(leaves: &[Hash]) -> Hash {
    let hash = |parts: &[&[u8]]| -> Hash { Sha256::digest(parts.concat()).into() };
    match leaves {
        [] => Sha256::digest([]).into(),
        [leaf] => hash(&[&[0], leaf]),
        _ => {
            let left = leaves.len().next_power_of_two() / 2;
            let (left, right) = leaves.split_at(left);
            hash(&[&[1], &tree_hash(left), &tree_hash(right)])
        }
    }
}

#[test]
fn what_is_signed_is_the_rfcs_root_over_the_ids() {
    for count in [1, 2, 3, 7, 8, 100, MAX_BATCH] {
        let ids: Vec<Hash> = bodies(count).iter().map(Unsigned::id).collect();
        let count_bytes = (count as u16).to_le_bytes();
        let expected = [&b"PHB1"[..], &count_bytes, &tree_hash(&ids)].concat();
        let mut asked = Vec::new();
        Batch::sign(bodies(count), |bytes| {
            asked = bytes.to_vec();
            [0; 64]
        })
        .unwrap();
        assert_eq!((asked.len(), asked), (SIGNED_LEN, expected));
    }
}

#[test]
fn every_message_of_every_size_of_batch_can_be_checked_alone() {
    for count in 1..=MAX_BATCH {
        for message in messages(count) {
            assert!(message.is_signed(opens));
            let decoded = Message::decode(message.encode()).unwrap();
            assert_eq!(decoded, message);
        }
    }
}

#[test]
fn a_message_has_the_same_id_alone_and_in_a_batch() {
    let alone = body(0, 10).sign(|_| [0; 64]).unwrap();
    let [together, ..] = &messages(5)[..] else {
        panic!("five messages")
    };
    assert_eq!(alone.id(), together.id());
}

#[test]
fn another_message_author_place_or_signature_does_not_pass() {
    let all = messages(6);
    let check = |change: &dyn Fn(&mut Message)| {
        let mut message = all[3].clone();
        change(&mut message);
        assert!(!message.is_signed(opens), "{message:?}");
        let mut roots = VerifiedRoots::new(10);
        assert!(roots.is_signed(&all[0], opens));
        assert!(!roots.is_signed(&message, opens), "{message:?}");
    };
    check(&|m| m.body.sequence += 1);
    check(&|m| m.body.author = [3; 33]);
    check(&|m| m.body.payload = Bytes::from_static(b"other"));
    check(&|m| m.batch = all[4].batch.clone());
    check(&|m| m.batch = None);
    check(&|m| m.batch = messages(5)[3].batch.clone());
    check(&|m| m.signature[0] ^= 1);
    check(&|m| m.signature = messages(5)[3].signature);
}

#[test]
fn the_signature_of_a_batch_is_checked_once() {
    let mut roots = VerifiedRoots::new(10);
    let mut asked = 0;
    for message in messages(200) {
        assert!(roots.is_signed(&message, |author, signed, signature| {
            asked += 1;
            opens(author, signed, signature)
        }));
    }
    assert_eq!((asked, roots.len()), (1, 1));
}

#[test]
fn known_batches_are_bounded_and_refused_ones_are_not_kept() {
    let batch = |first: u64| {
        let bodies = vec![body(first, 1), body(first + 1, 1)];
        let messages = signed(bodies).into_messages(opens).unwrap();
        messages.into_iter().next().unwrap().1
    };
    let mut roots = VerifiedRoots::new(4);
    assert!(!roots.is_signed(&batch(9), |_, _, _| false));
    assert!(roots.is_empty());
    for first in 0..50 {
        assert!(roots.is_signed(&batch(first), opens));
    }
    assert_eq!(roots.len(), 4);
    let unasked = |_: &PublicKey, _: &[u8], _: &[u8; 64]| panic!("must not be asked");
    assert!(roots.is_signed(&batch(49), unasked) && roots.is_signed(&batch(46), unasked));
    assert!(!roots.is_signed(&batch(45), |_, _, _| false));
}

#[test]
fn what_cannot_be_signed_together_is_told() {
    let refused = |bodies| Batch::sign(bodies, |_| panic!("must not be asked")).unwrap_err();
    assert_eq!(refused(vec![]), BatchError::Count { count: 0 });
    assert_eq!(
        refused(bodies(MAX_BATCH + 1)),
        BatchError::Count {
            count: MAX_BATCH + 1
        }
    );
    let mut other = bodies(3);
    other[2].author = [3; 33];
    assert_eq!(refused(other), BatchError::OtherAuthor { index: 2 });
    let mut on_chain = bodies(3);
    on_chain[1].class = Class::OnChain;
    assert_eq!(refused(on_chain), BatchError::OnChain { index: 1 });
    let two = vec![body(0, MAX_PAYLOAD), body(1, 0)];
    assert_eq!(
        refused(two),
        BatchError::TooLong {
            len: Batch::MAX_BODIES + 90,
            max: Batch::MAX_BODIES
        }
    );
    assert!(matches!(
        refused(vec![body(0, MAX_PAYLOAD + 1)]),
        BatchError::Message(DecodeError::TooLong { .. })
    ));
}

#[test]
fn the_largest_batch_and_the_largest_message_of_one_fit_their_limits_exactly() {
    let largest = signed(vec![body(0, MAX_PAYLOAD)]);
    assert_eq!(largest.encode().len(), Batch::MAX_LEN);
    assert_eq!(Batch::decode(largest.encode()).unwrap(), largest);

    let mut message = messages(MAX_BATCH).remove(0);
    message.body.payload = Bytes::from(vec![0; MAX_PAYLOAD]);
    assert_eq!(message.encode().len(), <Message as Frame>::MAX_LEN);
    assert_eq!(Message::decode(message.encode()).unwrap(), message);
}

#[test]
fn places_that_do_not_exist_and_batches_that_break_the_rules_are_not_read() {
    let mut place = Writer::default();
    place.raw(&[0; 64]).raw(b"PHB1");
    let read = |index: u16, count: u16| {
        let mut writer = Writer::default();
        let mut inner = Writer::default();
        inner.raw(&[0; 64]).raw(b"PHB1").u16(index).u16(count);
        inner.raw(&[0; 300]);
        writer.bytes(&inner.finish());
        Message::decode(writer.finish()).unwrap_err()
    };
    assert!(matches!(
        read(0, 257),
        DecodeError::TooLong { what: "batch", .. }
    ));
    assert!(matches!(read(0, 0), DecodeError::Invalid { .. }));
    assert!(matches!(read(5, 5), DecodeError::Invalid { .. }));

    let encode = |bodies: &[Unsigned]| {
        let mut writer = Writer::default();
        writer.raw(&[0; 64]).list(bodies, 1000, |to, body| {
            to.bytes(&body.signing_bytes());
        });
        Batch::decode(writer.finish())
    };
    assert!(encode(&bodies(3)).is_ok());
    let mut mixed = bodies(3);
    mixed[1].author = [3; 33];
    for wrong in [vec![], bodies(MAX_BATCH + 1), mixed] {
        assert!(encode(&wrong).is_err(), "{} messages", wrong.len());
    }
}

#[test]
fn every_batch_can_be_cut_into_groups_which_give_the_same_messages() {
    for count in 2..=MAX_BATCH {
        for max in [400, 1_000, 6_000, 60_000] {
            let all = messages(count);
            let (mut roots, mut opened) = (VerifiedRoots::new(4), Vec::new());
            while opened.len() < count {
                match Group::front(&all[opened.len()..], max) {
                    Some(group) => {
                        let encoded = group.encode();
                        assert!(encoded.len() <= max && group.len() > 1);
                        let group = Group::decode(encoded).unwrap();
                        opened.extend(roots.open(group, opens).unwrap());
                    }
                    None => opened.push(all[opened.len()].clone()),
                }
            }
            assert_eq!(opened, all);
            assert!(opened.iter().all(|message| message.is_signed(opens)));
        }
    }
}

#[test]
fn messages_that_are_no_neighbours_are_no_group() {
    let mut all = messages(8);
    assert_eq!(Group::front(&all, 60_000).unwrap().len(), 8);
    assert_eq!(Group::front(&all[1..], 60_000), None);
    assert_eq!(Group::front(&all[2..], 60_000).unwrap().len(), 2);
    all.remove(3);
    assert_eq!(Group::front(&all, 60_000).unwrap().len(), 2);
    all[1] = body(1, 10).sign(|bytes| seal(&AUTHOR, bytes)).unwrap();
    assert_eq!(Group::front(&all, 60_000), None);
}

#[test]
fn a_group_that_was_not_signed_is_not_opened() {
    let all = messages(8);
    let group = Group::front(&all, 60_000).unwrap();
    let mut roots = VerifiedRoots::new(4);
    assert_eq!(roots.open(group.clone(), |_, _, _| false), None);
    assert!(roots.open(group, opens).is_some());
}

proptest! {
    #[test]
    fn a_flipped_bit_in_a_group_is_noticed(count in 2usize..40, skip in 0usize..40, max in 500usize..6000, flip: usize) {
        let all = messages(count);
        let Some(group) = Group::front(&all[skip.min(count - 1)..], max) else { return Ok(()) };
        let mut encoded = group.encode().to_vec();
        let bit = flip % (encoded.len() * 8);
        encoded[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Group::decode(encoded.into()) {
            prop_assert_eq!(VerifiedRoots::new(4).open(other, opens), None);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_batched_message_is_noticed(count in 1usize..40, at: prop::sample::Index, flip: usize) {
        let all = messages(count);
        let message = &all[at.index(count)];
        let mut encoded = message.encode().to_vec();
        let bit = flip % (encoded.len() * 8);
        encoded[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Message::decode(encoded.into()) {
            prop_assert!(!other.is_signed(opens), "{:?}", other);
        }
    }

    #[test]
    fn a_flipped_bit_in_a_batch_is_noticed(count in 1usize..40, flip: usize) {
        let mut encoded = signed(bodies(count)).encode().to_vec();
        let bit = flip % (encoded.len() * 8);
        encoded[bit / 8] ^= 1 << (bit % 8);
        if let Ok(other) = Batch::decode(encoded.into()) {
            prop_assert!(other.into_messages(opens).is_none());
        }
    }
}
