//! What is encrypted: contents, their keys for one reader, their keys for a group.

use neo_client::Hash160;
use phantasma_sdk::content::{ContentKey, apply_cipher};
use phantasma_sdk::group::{Group, GroupKeys, MemberKey, id_of_box};
use phantasma_sdk::seal::{self, Opened};
use phantasma_wire::broadcast::Header;
use phantasma_wire::codec::Frame;
use phantasma_wire::sealed::Sealed;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{bytes_of, key, pattern};

const ROOT: [u8; 32] = [0x77; 32];
const CONTENT_KEY: [u8; 32] = [0x55; 32];

/// Offsets inside a cipher block, at its border, and far beyond 32 bits of counter.
pub(super) fn encryption() -> Value {
    let content_key = ContentKey::from_bytes(CONTENT_KEY);
    let derived = Sha256::new()
        .chain_update(b"phantasma content cipher 1")
        .chain_update(CONTENT_KEY)
        .finalize();
    let case = |(offset, len): (u64, usize)| {
        let plain = pattern(len);
        let mut cipher = plain.clone();
        apply_cipher(&content_key, offset, &mut cipher);
        json!({
            "offset": offset.to_string(),
            "plaintext": hex::encode(plain),
            "ciphertext": hex::encode(cipher),
        })
    };
    let cases = [
        (0, 40),
        (5, 20),
        (16, 16),
        (262_144, 33),
        ((1 << 40) - 17, 17),
    ];
    json!({
        "content_key": hex::encode(CONTENT_KEY),
        "aes_key": hex::encode(derived),
        "parts": cases.map(case),
    })
}

/// What the file has, if it still says what it should.
fn kept<T: Frame>(old: &Value, fits: impl FnOnce(&T) -> bool) -> Option<T> {
    let frame = T::decode(bytes_of(old)?.into()).ok()?;
    fits(&frame).then_some(frame)
}

fn group() -> Group {
    let id = id_of_box(&Hash160([0xC0; 20]), 12);
    Group::new(id, 3, 4, GroupKeys::from_bytes([2; 32])).expect("a tree of height 4")
}

fn member(place: u32) -> MemberKey {
    let member = group().member_key(&key(9), place);
    member.expect("a place of the group")
}

/// A content's key and a member's keys, each for one reader.
pub(super) fn sealed(old: &Value) -> Value {
    let (sender, reader) = (key(9), key(0x42));
    let content_key = ContentKey::from_bytes(CONTENT_KEY);
    let member = member(6);
    let first = seal::content_key(&sender, &reader.public_key(), &ROOT, &content_key);
    let second = seal::member_key(&sender, &reader.public_key(), &member);
    let content_secret = [ROOT, CONTENT_KEY].concat();
    let cases = [
        (
            first.expect("a content's key seals"),
            Opened::ContentKey {
                root: ROOT,
                key: content_key,
            },
            content_secret,
        ),
        (
            second.expect("a member's keys seal"),
            Opened::MemberKey(member.clone()),
            member.to_bytes().to_vec(),
        ),
    ];
    let told = |(at, (fresh, opened, secret)): (usize, (Sealed, Opened, Vec<u8>))| {
        let fits = |sealed: &Sealed| {
            sealed.kind == fresh.kind
                && sealed.sender == fresh.sender
                && seal::open(&reader, sealed).is_ok_and(|found| found == opened)
        };
        let sealed = kept(&old["secrets"][at]["encoded"], fits).unwrap_or(fresh);
        json!({
            "sender": hex::encode(sealed.sender),
            "reader": hex::encode(sealed.reader),
            "reader_private_key": hex::encode(reader.to_bytes().as_slice()),
            "info": hex::encode(sealed.kind.info(&sealed.sender, &sealed.reader)),
            "encapsulated": hex::encode(sealed.encapsulated),
            "ciphertext": hex::encode(&sealed.ciphertext),
            "signed_bytes": hex::encode(sealed.signing_bytes()),
            "signature": hex::encode(sealed.signature),
            "encoded": hex::encode(sealed.encode()),
            "secret": hex::encode(secret),
        })
    };
    let secrets: Vec<Value> = cases.into_iter().enumerate().map(told).collect();
    json!({ "secrets": secrets })
}

/// A group of 16 places: nobody revoked, one, several of which two are neighbours.
pub(super) fn groups(old: &Value) -> Value {
    let group = group();
    let revoked: [&[u32]; 3] = [&[], &[5], &[0, 1, 6, 13]];
    let headers: Vec<Value> = revoked
        .iter()
        .enumerate()
        .map(|(at, revoked)| header(&group, revoked, &old["headers"][at]["encoded"]))
        .collect();
    let members = [0, 6, 15].map(|place| {
        json!({ "place": place, "encoded": hex::encode(member(place).to_bytes().as_slice()) })
    });
    json!({
        "contract": hex::encode([0xC0; 20]),
        "box": "12",
        "group": hex::encode(group.id()),
        "epoch": group.epoch(),
        "height": group.height(),
        "owner": hex::encode(key(9).public_key().0),
        "group_keys": hex::encode([2; 32]),
        "members": members,
        "headers": headers,
    })
}

fn header(group: &Group, revoked: &[u32], old: &Value) -> Value {
    let content_key = ContentKey::from_bytes(CONTENT_KEY);
    let fresh = group
        .wrap(&key(9), ROOT, &content_key, revoked)
        .expect("a header");
    let subsets =
        |header: &Header| -> Vec<_> { header.entries().iter().map(|entry| entry.subset).collect() };
    let opens = |header: &Header, place: u32| {
        member(place).unwrap(header).ok().as_ref() == Some(&content_key)
    };
    let fits = |header: &Header| {
        subsets(header) == subsets(&fresh)
            && header.context().content == ROOT
            && (0..group.places()).all(|place| opens(header, place) != revoked.contains(&place))
    };
    let header = kept(old, fits).unwrap_or_else(|| fresh.clone());
    assert!(fits(&header));
    let entry = |entry: &phantasma_wire::broadcast::Entry| {
        json!({
            "excluded": entry.subset.excluded(),
            "up": entry.subset.up(),
            "wrapped": hex::encode(entry.wrapped),
        })
    };
    json!({
        "revoked": revoked,
        "content": hex::encode(ROOT),
        "content_key": hex::encode(CONTENT_KEY),
        "salt": hex::encode(header.context().salt),
        "context": hex::encode(header.context().encode()),
        "entries": header.entries().iter().map(entry).collect::<Vec<_>>(),
        "signed_bytes": hex::encode(header.signing_bytes()),
        "encoded": hex::encode(header.encode()),
    })
}
