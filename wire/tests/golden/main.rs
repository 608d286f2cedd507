//! The bytes of every frame, written down. A change here is a change of the protocol: raise the version.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod links;
mod storage;

use std::fmt::Debug;

use bytes::Bytes;
use phantasma_wire::batch::{Batch, Group};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::{Class, Message, Unsigned};
use phantasma_wire::relay::{
    Anchor, AnchorProof, ClientFrame, Outcome, RelayError, RelayFrame, Since,
};

/// `annotated`: hex in lines, each with what it is after a `|`.
fn check<T: Frame + Debug + PartialEq>(value: T, annotated: &str) {
    let lines = annotated
        .lines()
        .map(|line| line.split('|').next().unwrap());
    let expected: String = lines
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
        .collect();
    assert_eq!(hex::encode(value.encode()), expected, "{value:?}");
    let bytes = Bytes::from(hex::decode(expected).unwrap());
    assert!(bytes.len() <= T::MAX_LEN);
    assert_eq!(T::decode(bytes).unwrap(), value);
}

fn message() -> Message {
    let body = Unsigned {
        network: 0x4f45_4e01,
        contract: [0xcc; 20],
        author: [0x02; 33],
        box_id: 7,
        sequence: 0x0102,
        time_ms: 1_795_000_000_000,
        class: Class::OnChain,
        payload: Bytes::from_static(&[0x0c, 0x02, 0x68, 0x69]),
    };
    Message {
        body,
        signature: [0x5a; 64],
        batch: None,
    }
}

/// Three short messages of one author; the "signature" tells which bytes it was asked for.
fn batch() -> Batch {
    let bodies = (1..=3).map(|sequence| Unsigned {
        sequence,
        class: Class::Durable,
        ..message().body
    });
    Batch::sign(bodies.collect(), |signed| {
        let mut signature = [0x5a; 64];
        signature[..38].copy_from_slice(signed);
        signature
    })
    .unwrap()
}

const MESSAGE: &str = "
    9a000000 | length 154
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature r
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature s
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0201000000000000 | sequence
    005e56eea1010000 | time
    02 | class: on the chain
    0c026869 | payload
";

#[test]
fn a_message() {
    check(message(), MESSAGE);
}

#[test]
fn what_the_author_signs_is_the_message_without_length_and_signature() {
    let encoded = message().encode();
    assert_eq!(message().body.signing_bytes(), encoded.slice(4 + 64..));
    assert_eq!(
        hex::encode(message().id()),
        "c58c5fd10a911dfaf9547ba99cafe06d1a568caad940e216e86128609a686f27"
    );
}

#[test]
fn the_id_does_not_depend_on_the_signature() {
    let twin = Message {
        signature: [1; 64],
        ..message()
    };
    assert_eq!(twin.id(), message().id());
}

const BATCH: &str = "
    504842310300 | signature: in this test what was signed: PHB1, count 3
    604922c6880a46a240e107de2e88473326c1d7c2bf2bb70c497bf5ed3aef66e9 | root
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | and filling
    0300 | three messages
    5a000000 | length 90
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0100000000000000 | sequence
    005e56eea1010000 | time
    01 | class: durable
    0c026869 | payload
    5a000000 | length 90
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0200000000000000 | sequence
    005e56eea1010000 | time
    01 | class: durable
    0c026869 | payload
    5a000000 | length 90
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0300000000000000 | sequence
    005e56eea1010000 | time
    01 | class: durable
    0c026869 | payload
";

/// The second message, and the third, which has no right neighbour.
const BATCHED: [&str; 2] = [
    "
    e2000000 | length 226
    504842310300 | signature: in this test what was signed: PHB1, count 3
    604922c6880a46a240e107de2e88473326c1d7c2bf2bb70c497bf5ed3aef66e9 | root
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | and filling
    50484231 | PHB1
    0100 | index in the batch
    0300 | messages of the batch
    ca3f1f8ea34f0a018abd46e340a8d9b07e02351564c75a2e39378e1e31c2fe9a | path: left neighbour
    ed0b411ccc04280e9c35f3e57bed08f54d7c2a4f7ece1d047ecf2bc096f7d642 | path: the third message
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0200000000000000 | sequence
    005e56eea1010000 | time
    01 | class: durable
    0c026869 | payload
",
    "
    c2000000 | length 194
    504842310300 | signature: in this test what was signed: PHB1, count 3
    604922c6880a46a240e107de2e88473326c1d7c2bf2bb70c497bf5ed3aef66e9 | root
    5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | and filling
    50484231 | PHB1
    0200 | index in the batch
    0300 | messages of the batch
    286c1858f56e038403e1fb2afdf0b0ce2528126e4259110b192a022a2c2d9b5d | path: the first two messages
    50484d31 | PHM1
    014e454f | network
    cccccccccccccccccccccccccccccccccccccccc | contract
    020202020202020202020202020202020202020202020202020202020202020202 | author
    0700000000000000 | box
    0300000000000000 | sequence
    005e56eea1010000 | time
    01 | class: durable
    0c026869 | payload
",
];

#[test]
fn a_batch() {
    check(batch(), BATCH);
    check(
        ClientFrame::PublishBatch {
            request: 9,
            batch: batch(),
        },
        &format!("01|version\n06|publish batch\n09000000|request of the first message\n{BATCH}"),
    );
}

#[test]
fn neighbours_of_a_batch() {
    let messages = batch().into_messages(|_, _, _| true).unwrap();
    let messages: Vec<_> = messages.into_iter().map(|(_, message)| message).collect();
    let group = Group::front(&messages, 300).unwrap();
    assert_eq!(group.len(), 2);
    // The signature, and the two bodies with their lengths, as they stand in the batch.
    let encoded = hex::encode(batch().encode());
    let (signature, bodies) = (&encoded[..128], &encoded[132..132 + 2 * 2 * 94]);
    let third = &BATCHED[0].lines().nth(9).unwrap()[4..68];
    check(
        RelayFrame::DeliverGroup { group },
        &format!(
            "01|version\n07|deliver group\n{signature}|signature\n0000|first\n0300|messages of the batch
             0200|messages\n{bodies}|messages with their lengths\n{third}|path: the third message"
        ),
    );
}

#[test]
fn messages_of_a_batch() {
    let messages = batch().into_messages(|_, _, _| true).unwrap();
    for ((_, message), bytes) in messages.into_iter().skip(1).zip(BATCHED) {
        check(message.clone(), bytes);
        check(
            ClientFrame::Cast { message },
            &format!("01|version\n07|cast\n{bytes}"),
        );
    }
}

#[test]
fn hello() {
    check(
        ClientFrame::Hello {
            network: 5,
            contract: [0xaa; 20],
        },
        "01 | version
         01 | hello
         05000000 | network
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | contract",
    );
}

#[test]
fn publish() {
    check(
        ClientFrame::Publish {
            request: 9,
            message: message(),
        },
        &format!("01|version\n02|publish\n09000000|request\n{MESSAGE}"),
    );
}

#[test]
fn subscribe() {
    check(
        ClientFrame::Subscribe {
            request: 1,
            box_id: 7,
            from: Since::Now,
        },
        "01 | version
         03 | subscribe
         01000000 | request
         0700000000000000 | box
         00 | from now on",
    );
    check(
        ClientFrame::Subscribe {
            request: 1,
            box_id: 7,
            from: Since::Position(3),
        },
        "01 | version
         03 | subscribe
         01000000 | request
         0700000000000000 | box
         01 | from a position
         0300000000000000 | position",
    );
}

#[test]
fn unsubscribe() {
    check(
        ClientFrame::Unsubscribe {
            request: 2,
            box_id: 7,
        },
        "01 | version
         04 | unsubscribe
         02000000 | request
         0700000000000000 | box",
    );
}

#[test]
fn ping_and_pong() {
    check(
        ClientFrame::Ping { nonce: 0x0807 },
        "01|version\n05|ping\n0708000000000000|nonce",
    );
    check(
        RelayFrame::Pong { nonce: 0x0807 },
        "01|version\n05|pong\n0708000000000000|nonce",
    );
}

#[test]
fn welcome() {
    check(
        RelayFrame::Welcome {
            max_payload: 61_440,
        },
        "01|version\n01|welcome\n00f00000|largest payload",
    );
}

#[test]
fn every_outcome() {
    let check_outcome = |outcome, hex: &str| {
        check(
            RelayFrame::Ack {
                request: 4,
                outcome,
            },
            &format!("01|version\n02|ack\n04000000|request\n{hex}"),
        );
    };
    check_outcome(
        Outcome::Delivered { subscribers: 3 },
        "00|delivered\n03000000|subscribers",
    );
    check_outcome(
        Outcome::Stored { position: 6 },
        "01|stored\n0600000000000000|position",
    );
    check_outcome(
        Outcome::OnChain {
            txid: [0xee; 32],
            index: 1,
        },
        "02 | on the chain
         eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee | transaction
         0100000000000000 | index in the box",
    );
    check_outcome(
        Outcome::Subscribed { position: 6 },
        "03|subscribed\n0600000000000000|last kept position",
    );
    check_outcome(Outcome::Unsubscribed, "04|unsubscribed");
}

#[test]
fn many_acknowledged_at_once() {
    check(
        RelayFrame::AckMany {
            request: 9,
            count: 3,
            outcome: Outcome::Stored { position: 5 },
        },
        "01 | version
         06 | ack many
         09000000 | first request
         0300 | requests
         01 | stored
         0500000000000000 | position of the first",
    );
}

#[test]
fn a_proof_and_the_question() {
    check(
        ClientFrame::Prove {
            request: 3,
            position: 102,
        },
        "01 | version
         08 | prove
         03000000 | request
         6600000000000000 | position",
    );
    let proof = AnchorProof {
        anchor: Anchor {
            first: 100,
            count: 3,
            root: [0xAA; 32],
        },
        box_id: 7,
        index: 5,
        txid: [0xBB; 32],
        position: 102,
        path: vec![[0xCC; 32]],
    };
    check(
        RelayFrame::Proof { request: 3, proof },
        "01 | version
         08 | proof
         03000000 | request
         50484131 | PHA1
         6400000000000000 | first position
         03000000 | messages
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | root
         0700000000000000 | box
         0500000000000000 | index
         bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb | transaction
         6600000000000000 | position
         0100 | hashes
         cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc | hash",
    );
}

#[test]
fn every_error() {
    let errors = [
        (RelayError::Protocol, "01"),
        (RelayError::WrongChain, "02"),
        (RelayError::BadSignature, "03"),
        (RelayError::UnknownBox, "04"),
        (RelayError::Duplicate, "05"),
        (RelayError::WrongTime, "06"),
        (RelayError::Fault, "07"),
        (RelayError::Limit, "08"),
        (RelayError::TooSlow, "09"),
        (RelayError::Internal, "0a"),
        (RelayError::Closing, "0b"),
        (RelayError::NotAllowed, "0c"),
        (RelayError::Payment, "0d"),
    ];
    for (error, byte) in errors {
        check(
            RelayFrame::Error {
                request: 4,
                error,
                text: "no".into(),
            },
            &format!(
                "01|version\n03|error\n04000000|request\n{byte}|code\n02000000|length\n6e6f|text"
            ),
        );
    }
}

#[test]
fn deliver() {
    check(
        RelayFrame::Deliver {
            position: 2,
            message: message(),
        },
        &format!("01|version\n04|deliver\n0200000000000000|position\n{MESSAGE}"),
    );
}
