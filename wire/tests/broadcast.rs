//! Covers are what they must be, and the frames that carry keys keep their bytes and the laws of frames.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod laws;

use std::fmt::Debug;
use std::ops::Range;

use bytes::Bytes;
use phantasma_wire::broadcast::{
    CONTEXT_LEN, Context, CoverError, ENTRY_LEN, Entry, Header, MAX_ENTRIES, MAX_HEIGHT,
    MAX_REVOKED, Subset, cover, depth,
};
use phantasma_wire::codec::{DecodeError, Frame, Writer};
use phantasma_wire::sealed::{MAX_CIPHERTEXT, Sealed, SealedKind};
use proptest::prelude::*;

use laws::laws;

/// The places of a subset: what is below the top, before and after what is below the excluded node.
fn places(height: u8, subset: Subset) -> Vec<Range<u64>> {
    let below = |node: u32| {
        let levels = height - depth(node).unwrap();
        let first = (u64::from(node) << levels) - (1 << height);
        first..first + (1 << levels)
    };
    let (all, none) = (below(subset.top()), below(subset.excluded()));
    if subset == Subset::EVERYONE {
        return vec![all];
    }
    vec![all.start..none.start, none.end..all.end]
}

/// Cover and revoked together hold each place exactly once.
fn is_partition(height: u8, revoked: &[u32]) -> Result<(), TestCaseError> {
    let subsets = cover(height, revoked).unwrap();
    let mut distinct = revoked.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let most = (2 * distinct.len()).saturating_sub(1).max(1);
    prop_assert!(
        subsets.len() <= most,
        "{} subsets for {} revoked",
        subsets.len(),
        distinct.len()
    );
    let mut ranges: Vec<_> = subsets.iter().flat_map(|s| places(height, *s)).collect();
    ranges.extend(distinct.iter().map(|&m| u64::from(m)..u64::from(m) + 1));
    ranges.retain(|range| !range.is_empty());
    ranges.sort_by_key(|range| range.start);
    let mut next = 0;
    for range in ranges {
        prop_assert_eq!(range.start, next);
        next = range.end;
    }
    prop_assert_eq!(next, 1 << height);
    Ok(())
}

fn some_revoked(heights: std::ops::RangeInclusive<u8>) -> impl Strategy<Value = (u8, Vec<u32>)> {
    heights.prop_flat_map(|height| {
        let members = 1_u32 << height;
        // Scattered, and in one corner of the tree.
        let anywhere = prop::collection::vec(0..members, 0..200);
        let together = (0..members, prop::collection::vec(0..64_u32, 0..64))
            .prop_map(move |(at, near)| near.iter().map(|n| (at + n) % members).collect());
        (Just(height), prop_oneof![anywhere, together])
    })
}

fn member_in_tree() -> impl Strategy<Value = (u8, Vec<u32>, u32)> {
    some_revoked(1..=MAX_HEIGHT)
        .prop_flat_map(|(height, revoked)| (Just(height), Just(revoked), 0..1_u32 << height))
}

fn context(height: u8) -> Context {
    Context {
        owner: [3; 33],
        group: [0x11; 32],
        epoch: 5,
        height,
        content: [0x22; 32],
        salt: [0x33; 32],
    }
}

fn header_of(height: u8, revoked: &[u32]) -> Header {
    let entry = |subset: Subset| Entry {
        subset,
        wrapped: [subset.excluded() as u8; 40],
    };
    let entries = cover(height, revoked).unwrap().into_iter().map(entry);
    Header::sign(context(height), entries.collect(), |_| [0x5a; 64]).unwrap()
}

proptest! {
    #[test]
    fn a_cover_and_the_revoked_are_a_partition((height, revoked) in some_revoked(1..=MAX_HEIGHT)) {
        is_partition(height, &revoked)?;
    }

    #[test]
    fn a_member_is_in_one_subset_and_a_revoked_one_in_none((height, revoked, member) in member_in_tree()) {
        let subsets = cover(height, &revoked).unwrap();
        for member in revoked.iter().copied().chain([member]) {
            let holding = subsets.iter().filter(|s| s.contains(height, member)).count();
            prop_assert_eq!(holding, usize::from(!revoked.contains(&member)));
        }
    }

    #[test]
    fn headers_keep_the_laws((height, revoked) in some_revoked(1..=MAX_HEIGHT), flip: usize, cut: usize) {
        laws(&header_of(height, &revoked), flip, cut)?;
    }

    #[test]
    fn sealed_secrets_keep_the_laws(
        member: bool,
        sender in prop::array::uniform(any::<u8>()),
        reader in prop::array::uniform(any::<u8>()),
        encapsulated in prop::array::uniform(any::<u8>()),
        ciphertext in prop::collection::vec(any::<u8>(), 0..200),
        signature in prop::array::uniform(any::<u8>()),
        flip: usize,
        cut: usize,
    ) {
        let kind = if member { SealedKind::MemberKey } else { SealedKind::ContentKey };
        let ciphertext = ciphertext.into();
        laws(&Sealed { kind, sender, reader, encapsulated, ciphertext, signature }, flip, cut)?;
    }

    #[test]
    fn noise_never_panics(noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let magic = |magic: &[u8]| Bytes::from([magic, &noise].concat());
        let _ = Header::decode(magic(b"PHG1"));
        let _ = Header::decode([&context(20).encode()[..], &noise].concat().into());
        let _ = Sealed::decode(magic(b"PHS1"));
    }
}

#[test]
fn every_choice_of_revoked_in_a_small_tree_is_covered() {
    for height in 1..=4 {
        for chosen in 0_u32..1 << (1_u32 << height) {
            let revoked: Vec<u32> = (0..1 << height).filter(|m| chosen >> m & 1 == 1).collect();
            is_partition(height, &revoked).unwrap();
        }
    }
}

#[test]
fn nobody_everybody_and_too_many_revoked() {
    assert_eq!(cover(20, &[]).unwrap(), [Subset::EVERYONE]);
    assert_eq!(cover(2, &[0, 1, 2, 3]).unwrap(), []);
    assert_eq!(cover(0, &[]), Err(CoverError::Height { height: 0 }));
    assert_eq!(cover(25, &[]), Err(CoverError::Height { height: 25 }));
    let error = CoverError::NoSuchMember {
        member: 8,
        members: 8,
    };
    assert_eq!(cover(3, &[1, 8]), Err(error));
    let many: Vec<u32> = (0..=MAX_REVOKED as u32).collect();
    let error = CoverError::TooManyRevoked {
        revoked: MAX_REVOKED + 1,
    };
    assert_eq!(cover(20, &many), Err(error));
}

/// Every second member revoked is the worst for one half of the tree; the most entries still fit a header.
#[test]
fn the_most_revoked_fit_a_header() {
    let revoked: Vec<u32> = (0..MAX_REVOKED as u32).map(|n| n * 16).collect();
    let header = header_of(20, &revoked);
    assert!(header.entries().len() <= MAX_ENTRIES);
    assert_eq!(
        Header::MAX_LEN,
        CONTEXT_LEN + 4 + MAX_ENTRIES * ENTRY_LEN + 64
    );
    assert_eq!(Header::decode(header.encode()).unwrap(), header);
}

#[test]
fn what_is_no_cover_is_refused() {
    let header = |entries: &[(u32, u8)]| {
        let mut writer = Writer::default();
        writer.raw(&context(3).encode()).u32(entries.len() as u32);
        for &(excluded, up) in entries {
            writer.u32(excluded).u8(up).raw(&[0; 40]);
        }
        writer.raw(&[0; 64]);
        Header::decode(writer.finish())
    };
    assert!(header(&[]).is_ok() && header(&[(1, 0)]).is_ok() && header(&[(4, 1), (8, 3)]).is_ok());
    let wrong: [&[(u32, u8)]; 7] = [
        &[(0, 1)],         // no node
        &[(16, 1)],        // below the leaves
        &[(8, 4)],         // above the root
        &[(8, 0)],         // nothing in it
        &[(8, 1), (4, 1)], // falling order
        &[(8, 1), (8, 2)], // the same node twice
        &[(1, 0), (8, 1)], // everyone and others
    ];
    for entries in wrong {
        let error = header(entries).unwrap_err();
        assert!(matches!(error, DecodeError::Invalid { .. }), "{entries:?}");
    }
}

#[test]
fn counts_and_lengths_are_checked_before_memory_is_taken() {
    let mut writer = Writer::default();
    writer.raw(&context(20).encode()).u32(u32::MAX);
    let error = DecodeError::TooLong {
        what: "entries",
        len: u32::MAX as usize,
        max: MAX_ENTRIES,
    };
    assert_eq!(Header::decode(writer.finish()), Err(error));
    let mut writer = Writer::default();
    writer.raw(b"PHS1\x01").raw(&[0; 131]).u32(u32::MAX);
    let error = DecodeError::TooLong {
        what: "ciphertext",
        len: u32::MAX as usize,
        max: MAX_CIPHERTEXT,
    };
    assert_eq!(Sealed::decode(writer.finish()), Err(error));
}

#[test]
fn another_version_is_refused() {
    let mut bytes = header_of(3, &[1]).encode().to_vec();
    bytes[3] = b'2';
    let error = Header::decode(bytes.into()).unwrap_err();
    assert!(error.to_string().contains("PHG1"), "{error}");
}

/// Hex in lines, each with what it is after a `|`.
fn golden<T: Frame + Debug + PartialEq>(value: &T, annotated: &str) {
    let lines = annotated
        .lines()
        .map(|line| line.split('|').next().unwrap());
    let digits = lines.flat_map(str::chars).filter(|c| !c.is_whitespace());
    let expected: String = digits.collect();
    assert_eq!(hex::encode(value.encode()), expected);
    assert_eq!(
        &T::decode(hex::decode(expected).unwrap().into()).unwrap(),
        value
    );
}

/// A change here is a change of the format: raise the version.
#[test]
fn the_bytes_of_a_header() {
    golden(
        &header_of(3, &[1, 6]),
        "50484731 | PHG1
         030303030303030303030303030303030303030303030303030303030303030303 | owner
         1111111111111111111111111111111111111111111111111111111111111111 | group
         05000000 | epoch
         03 | height
         2222222222222222222222222222222222222222222222222222222222222222 | content
         3333333333333333333333333333333333333333333333333333333333333333 | salt
         02000000 | entries
         09000000 | without the second leaf
         02 | below node 2
         09090909090909090909090909090909090909090909090909090909090909090909090909090909 | wrapped
         0e000000 | without the seventh leaf
         02 | below node 3
         0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e0e | wrapped
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature r
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature s",
    );
}

#[test]
fn the_bytes_of_a_sealed_secret() {
    let sealed = Sealed {
        kind: SealedKind::MemberKey,
        sender: [2; 33],
        reader: [3; 33],
        encapsulated: [4; 65],
        ciphertext: Bytes::from_static(&[7, 8, 9]),
        signature: [0x5a; 64],
    };
    golden(
        &sealed,
        "50485331 | PHS1
         02 | kind: a member's keys
         020202020202020202020202020202020202020202020202020202020202020202 | sender
         030303030303030303030303030303030303030303030303030303030303030303 | reader
         0404040404040404040404040404040404040404040404040404040404040404
         040404040404040404040404040404040404040404040404040404040404040404 | encapsulated key
         03000000 | length
         070809 | ciphertext
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature r
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature s",
    );
}
