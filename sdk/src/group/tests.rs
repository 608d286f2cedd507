#![allow(clippy::unwrap_used, clippy::panic)]

use std::time::{Duration, Instant};

use phantasma_wire::broadcast::{Subset, cover};
use phantasma_wire::codec::Frame as _;
use proptest::prelude::*;

use super::labels::Label;
use super::roster::{Roster, RosterError};
use super::*;

fn owner() -> PrivateKey {
    PrivateKey::from_bytes(&[9; 32]).unwrap()
}

fn group(height: u8) -> Group {
    Group::new([1; 32], 3, height, GroupKeys::from_bytes([2; 32])).unwrap()
}

fn content_key() -> ContentKey {
    ContentKey::from_bytes([5; 32])
}

/// Numbers of 64 bits that look random, from a seed.
fn mixed(seed: u64) -> u64 {
    let z = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (seed >> 7);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z ^ (z >> 31)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Of a whole small group: every member that is not revoked opens the header, every revoked one is refused.
    #[test]
    fn every_member_opens_and_no_revoked_one_does(
        height in 1_u8..=6,
        chosen: u64,
        dense: bool,
    ) {
        let group = group(height);
        let chosen = if dense { chosen | chosen.rotate_left(9) } else { chosen & chosen.rotate_left(9) };
        let revoked: Vec<u32> = (0..group.places()).filter(|m| chosen >> m & 1 == 1).collect();
        let header = group.wrap(&owner(), [7; 32], &content_key(), &revoked).unwrap();
        prop_assert!(header.entries().len() <= (2 * revoked.len()).saturating_sub(1).max(1));
        let header = Header::decode(header.encode()).unwrap();
        for place in 0..group.places() {
            let opened = group.member_key(&owner(), place).unwrap().unwrap(&header);
            let expected = if revoked.contains(&place) {
                Err(GroupError::Revoked { place })
            } else {
                Ok(content_key())
            };
            prop_assert_eq!(opened, expected);
        }
    }

    /// Of a million: those asked are the revoked, their neighbours, and some far away.
    #[test]
    fn members_of_a_million_open_unless_revoked(seed: u64, count in 1_usize..150) {
        let group = group(20);
        let place = |n: usize| (mixed(seed.wrapping_add(n as u64)) >> 44) as u32;
        let revoked: Vec<u32> = (0..count).map(place).collect();
        let header = group.wrap(&owner(), [7; 32], &content_key(), &revoked).unwrap();
        prop_assert!(header.entries().len() < 2 * count);
        let near = revoked.iter().take(4).flat_map(|&m| [m, m ^ 1, m ^ 2, m ^ 1024]);
        for place in near.chain((count..count + 4).map(place)) {
            let opened = group.member_key(&owner(), place).unwrap().unwrap(&header);
            prop_assert_eq!(opened.is_ok(), !revoked.contains(&place));
        }
    }
}

/// All that the revoked have together: for no subset of the cover does any of them have the label, or one above it from
/// which it follows.
#[test]
fn the_revoked_together_have_no_key_of_a_header() {
    let group = group(5);
    for seed in 0..40_u64 {
        let revoked: Vec<u32> = (0..32).filter(|m| mixed(seed) >> m & 1 == 1).collect();
        let subsets = cover(5, &revoked).unwrap();
        for &place in &revoked {
            let bytes = group.member_key(&owner(), place).unwrap().to_bytes();
            let has = |label: &Label| bytes.windows(32).any(|part| part == label.as_bytes());
            for subset in subsets.iter().filter(|s| **s != Subset::EVERYONE) {
                let (top, excluded, up) = (subset.top(), subset.excluded(), subset.up());
                for levels in 0..=up {
                    let node = excluded >> (up - levels);
                    assert!(!has(&group.keys.top(top).below(node, levels)));
                }
            }
        }
    }
    // The check sees a label when it is there: member 0 has that of (root, right child).
    let bytes = group.member_key(&owner(), 0).unwrap().to_bytes();
    let label = group.keys.top(1).child(true);
    assert!(bytes.windows(32).any(|part| part == label.as_bytes()));
}

#[test]
fn a_header_of_another_group_owner_epoch_or_hand_is_refused() {
    let (mine, other) = (owner(), PrivateKey::from_bytes(&[8; 32]).unwrap());
    let member = group(4).member_key(&mine, 3).unwrap();
    let wrap = |group: &Group, owner: &PrivateKey| {
        let header = group.wrap(owner, [7; 32], &content_key(), &[1]);
        header.unwrap()
    };
    let secret = || GroupKeys::from_bytes([2; 32]);
    let elsewhere = Group::new([2; 32], 3, 4, secret()).unwrap();
    let later = Group::new([1; 32], 4, 4, secret()).unwrap();
    let taller = Group::new([1; 32], 3, 5, secret()).unwrap();
    let strange = Group::new([1; 32], 3, 4, GroupKeys::random()).unwrap();
    let refused = |header: &Header| member.unwrap(header).unwrap_err();
    assert_eq!(refused(&wrap(&elsewhere, &mine)), GroupError::OtherGroup);
    assert_eq!(refused(&wrap(&group(4), &other)), GroupError::OtherGroup);
    assert_eq!(
        refused(&wrap(&later, &mine)),
        GroupError::OtherEpoch { header: 4, keys: 3 }
    );
    assert!(matches!(
        refused(&wrap(&taller, &mine)),
        GroupError::OtherEpoch { .. }
    ));
    assert_eq!(
        refused(&wrap(&strange, &mine)),
        GroupError::WrongKeys { place: 3 }
    );
    // Every flipped bit is seen: by the decoder, the signature, or before.
    let good = wrap(&group(4), &mine).encode();
    for bit in 0..good.len() * 8 {
        let mut bytes = good.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        if let Ok(header) = Header::decode(bytes.into()) {
            refused(&header);
        }
    }
}

#[test]
fn a_members_keys_survive_their_bytes_and_nothing_else_passes() {
    for height in [1, 2, 20, 24] {
        let key = group(height).member_key(&owner(), 1).unwrap();
        let bytes = key.to_bytes();
        assert!(bytes.len() <= MAX_MEMBER_KEY);
        assert_eq!(MemberKey::from_bytes(&bytes).unwrap(), key);
        for cut in [0, 3, 40, 109, bytes.len() - 32, bytes.len() - 1] {
            assert!(MemberKey::from_bytes(&bytes[..cut]).is_err(), "{cut}");
        }
        let longer = [&bytes[..], &[0; 32]].concat();
        assert!(MemberKey::from_bytes(&longer).is_err());
    }
    assert_eq!(MAX_MEMBER_KEY, 9_710);
    let none = group(4).member_key(&owner(), 16).unwrap_err();
    assert!(none.to_string().contains("member 16"), "{none}");
}

/// The derivation is part of the format: another one would lock every member out.
#[test]
fn the_keys_of_known_secrets_stay_what_they_are() {
    let group = group(3);
    let header = group
        .wrap_with(&owner(), [7; 32], &content_key(), &[2], [6; 32])
        .unwrap();
    let wrapped: Vec<_> = header
        .entries()
        .iter()
        .map(|e| hex::encode(e.wrapped))
        .collect();
    assert_eq!(wrapped, GOLDEN_WRAPPED);
    let key = group.member_key(&owner(), 5).unwrap().to_bytes();
    assert_eq!(hex::encode(Sha256::digest(&*key)), GOLDEN_MEMBER);
}

#[test]
fn secrets_are_not_shown() {
    let group = group(4);
    let member = group.member_key(&owner(), 3).unwrap();
    let shown = format!(
        "{group:?} {member:?} {:?}",
        GroupKeys::from_bytes([0xab; 32])
    );
    assert!(
        !shown.contains("0202") && !shown.contains("abab"),
        "{shown}"
    );
    assert!(shown.contains("hidden"));
}

/// A million places, ten thousand revoked: seconds would show that something grows with the group.
#[test]
fn time_and_size_are_bounded_by_the_revoked() {
    let group = group(20);
    let revoked: Vec<u32> = (0..10_000).map(|n| (mixed(n) >> 44) as u32).collect();
    let start = Instant::now();
    let header = group
        .wrap(&owner(), [7; 32], &content_key(), &revoked)
        .unwrap();
    assert!(header.entries().len() < 20_000);
    let member = (0..).find(|m| !revoked.contains(m)).unwrap();
    let key = group.member_key(&owner(), member).unwrap();
    assert_eq!(key.to_bytes().len(), 110 + 32 * 210);
    assert_eq!(key.unwrap(&header).unwrap(), content_key());
    assert!(
        start.elapsed() < Duration::from_secs(20),
        "{:?}",
        start.elapsed()
    );
}

fn member(seed: u8) -> neo_client::PublicKey {
    PrivateKey::from_bytes(&[seed; 32]).unwrap().public_key()
}

#[test]
fn a_roster_keeps_places_and_never_gives_one_twice() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.json");
    let mut roster = Roster::create(&path, &owner(), [1; 32], 7, 2).unwrap();
    let first = roster.admit(&owner(), &member(1)).unwrap();
    let second = roster.admit(&owner(), &member(2)).unwrap();
    assert_eq!(roster.admit(&owner(), &member(1)).unwrap(), first);
    roster.exclude(&member(1)).unwrap();
    assert!(matches!(
        roster.exclude(&member(1)),
        Err(RosterError::NotAMember(_))
    ));
    // Back again, in another place: the first one's keys are out in the world.
    let again = roster.admit(&owner(), &member(1)).unwrap();
    assert_eq!((first.place(), second.place(), again.place()), (0, 1, 2));

    let roster = Roster::open(&path, &owner()).unwrap();
    assert_eq!((roster.box_id(), roster.revoked()), (7, vec![0]));
    let header = roster.wrap(&owner(), [7; 32], &content_key()).unwrap();
    assert_eq!(first.unwrap(&header), Err(GroupError::Revoked { place: 0 }));
    for key in [second, again] {
        assert_eq!(key.unwrap(&header), Ok(content_key()));
    }
    assert!(Roster::open(&path, &PrivateKey::from_bytes(&[8; 32]).unwrap()).is_err());
    assert!(Roster::create(&path, &owner(), [1; 32], 7, 2).is_err());
}

#[test]
fn a_renewed_group_shuts_out_all_old_keys_and_has_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("roster.json");
    let mut roster = Roster::create(&path, &owner(), [1; 32], 7, 1).unwrap();
    let gone = roster.admit(&owner(), &member(1)).unwrap();
    let old = roster.admit(&owner(), &member(2)).unwrap();
    let full = roster.admit(&owner(), &member(3)).unwrap_err();
    assert!(matches!(full, RosterError::Full { places: 2 }), "{full}");
    roster.exclude(&member(1)).unwrap();
    roster.renew().unwrap();

    let mut roster = Roster::open(&path, &owner()).unwrap();
    assert_eq!(roster.members().collect::<Vec<_>>(), [&member(2)]);
    let new = roster.admit(&owner(), &member(2)).unwrap();
    let third = roster.admit(&owner(), &member(3)).unwrap();
    let header = roster.wrap(&owner(), [7; 32], &content_key()).unwrap();
    for key in [new, third] {
        assert_eq!(key.unwrap(&header), Ok(content_key()));
    }
    for key in [gone, old] {
        let error = GroupError::OtherEpoch { header: 1, keys: 0 };
        assert_eq!(key.unwrap(&header), Err(error));
    }
}

/// Computed by an independent program: HMAC-SHA256 of Python's standard library and RFC 3394 over OpenSSL's AES.
const GOLDEN_WRAPPED: [&str; 1] =
    ["730a9df9e0161dffb795644f86172a5031e35568a6886e63af09956ff33203bb9556ac5e4854470c"];
const GOLDEN_MEMBER: &str = "f39ae1bfa56a00538f504aa1e0425873b0a740ca47793e33a91e5e80e4484429";
