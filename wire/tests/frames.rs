//! Laws of every frame: round trip, length, and that bytes from outside never panic and never pass half-read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod laws;

use bytes::Bytes;
use phantasma_wire::batch::{Batch, Group};
use phantasma_wire::codec::{DecodeError, Frame, Writer};
use phantasma_wire::endpoint::EndpointRecord;
use phantasma_wire::merkle::{BLOCK_SIZE, MAX_BLOCK_PATH};
use phantasma_wire::message::{Class, MAX_PAYLOAD, Message, Unsigned};
use phantasma_wire::pdfs::{self, BlockRange, NodeAddress, Refusal, Request, Response};
use phantasma_wire::relay::{
    Anchor, AnchorProof, ClientFrame, LinkFrame, MAX_ANCHOR_PATH, MAX_ERROR_TEXT, Outcome,
    RelayError, RelayFrame, Since,
};
use proptest::prelude::*;

use laws::laws;

fn bytes(max: usize) -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..max).prop_map(Bytes::from)
}

fn message() -> impl Strategy<Value = Message> {
    let class = prop_oneof![
        Just(Class::Ephemeral),
        Just(Class::Durable),
        Just(Class::OnChain)
    ];
    let numbers = any::<(u32, u64, u64, u64)>();
    (
        numbers,
        any::<[u8; 20]>(),
        prop::array::uniform(any::<u8>()),
        class,
        bytes(200),
        prop::array::uniform(any::<u8>()),
    )
        .prop_map(
            |(
                (network, box_id, sequence, time_ms),
                contract,
                author,
                class,
                payload,
                signature,
            )| Message {
                body: Unsigned {
                    network,
                    contract,
                    author,
                    box_id,
                    sequence,
                    time_ms,
                    class,
                    payload,
                },
                signature,
                batch: None,
            },
        )
}

/// A batch of at most `max` messages, signed with nothing.
fn batch(max: usize) -> impl Strategy<Value = Batch> {
    let one = (
        message(),
        prop_oneof![Just(Class::Ephemeral), Just(Class::Durable)],
    );
    (
        prop::collection::vec(one, 1..=max),
        prop::array::uniform(any::<u8>()),
    )
        .prop_map(|(messages, signature)| {
            let author = messages[0].0.body.author;
            let bodies = messages.into_iter().map(|(message, class)| Unsigned {
                author,
                class,
                ..message.body
            });
            Batch::sign(bodies.collect(), |_| signature).unwrap()
        })
}

/// The first messages of a batch.
fn group() -> impl Strategy<Value = Group> {
    (batch(20), 1usize..30_000).prop_filter_map("no two messages fit", |(batch, max)| {
        let messages = batch.into_messages(|_, _, _| true)?;
        let messages: Vec<_> = messages.into_iter().map(|(_, message)| message).collect();
        Group::front(&messages, max)
    })
}

/// A message with its place in a batch.
fn batched() -> impl Strategy<Value = Message> {
    (batch(20), any::<prop::sample::Index>()).prop_map(|(batch, at)| {
        let messages = batch.into_messages(|_, _, _| true).unwrap();
        messages[at.index(messages.len())].1.clone()
    })
}

fn client_frame() -> impl Strategy<Value = ClientFrame> {
    let from = prop_oneof![Just(Since::Now), any::<u64>().prop_map(Since::Position)];
    prop_oneof![
        any::<(u32, [u8; 20])>()
            .prop_map(|(network, contract)| ClientFrame::Hello { network, contract }),
        (1u32.., message())
            .prop_map(|(request, message)| ClientFrame::Publish { request, message }),
        (1u32.., any::<u64>(), from).prop_map(|(request, box_id, from)| ClientFrame::Subscribe {
            request,
            box_id,
            from
        }),
        (1u32.., any::<u64>())
            .prop_map(|(request, box_id)| ClientFrame::Unsubscribe { request, box_id }),
        any::<u64>().prop_map(|nonce| ClientFrame::Ping { nonce }),
        (1u32..u32::MAX - 20, batch(20))
            .prop_map(|(request, batch)| ClientFrame::PublishBatch { request, batch }),
        batched().prop_map(|message| ClientFrame::Cast { message }),
        (1u32.., any::<u64>())
            .prop_map(|(request, position)| ClientFrame::Prove { request, position }),
    ]
}

fn relay_frame() -> impl Strategy<Value = RelayFrame> {
    let outcome = prop_oneof![
        any::<u32>().prop_map(|subscribers| Outcome::Delivered { subscribers }),
        any::<u64>().prop_map(|position| Outcome::Stored { position }),
        any::<([u8; 32], u64)>().prop_map(|(txid, index)| Outcome::OnChain { txid, index }),
        any::<u64>().prop_map(|position| Outcome::Subscribed { position }),
        Just(Outcome::Unsubscribed),
    ];
    let error = (1u8..=11).prop_map(|byte| RelayError::from_byte(byte).unwrap());
    prop_oneof![
        any::<u32>().prop_map(|max_payload| RelayFrame::Welcome { max_payload }),
        (1u32.., outcome).prop_map(|(request, outcome)| RelayFrame::Ack { request, outcome }),
        (1u32.., any::<u16>(), any::<u64>()).prop_map(|(request, count, position)| {
            RelayFrame::AckMany {
                request,
                count,
                outcome: Outcome::Stored { position },
            }
        }),
        (any::<u32>(), error, "[a-zé]{0,80}").prop_map(|(request, error, text)| {
            RelayFrame::Error {
                request,
                error,
                text,
            }
        }),
        (any::<u64>(), message())
            .prop_map(|(position, message)| RelayFrame::Deliver { position, message }),
        batched().prop_map(|message| RelayFrame::Deliver {
            position: 0,
            message
        }),
        group().prop_map(|group| RelayFrame::DeliverGroup { group }),
        (1u32.., proof()).prop_map(|(request, proof)| RelayFrame::Proof { request, proof }),
        any::<u64>().prop_map(|nonce| RelayFrame::Pong { nonce }),
    ]
}

fn link_frame() -> impl Strategy<Value = LinkFrame> {
    let id = any::<[u8; 32]>;
    let boxes = prop::collection::vec(any::<u64>(), 0..9);
    prop_oneof![
        (any::<(u32, [u8; 20], u64)>(), boxes).prop_map(|((network, contract, run), boxes)| {
            LinkFrame::Hello {
                network,
                contract,
                run,
                boxes,
            }
        }),
        batched().prop_map(|message| LinkFrame::Push { message }),
        (any::<u64>(), id()).prop_map(|(box_id, id)| LinkFrame::Have { box_id, id }),
        (any::<u64>(), id()).prop_map(|(box_id, id)| LinkFrame::Graft { box_id, id }),
        any::<u64>().prop_map(|box_id| LinkFrame::Prune { box_id }),
        any::<(u32, u64, [u8; 32], bool)>().prop_map(|(number, from, last, whole)| {
            LinkFrame::Follow {
                number,
                from,
                last,
                whole,
            }
        }),
        any::<(u32, u64)>().prop_map(|(number, whole)| LinkFrame::Restart { number, whole }),
        (any::<u64>(), message())
            .prop_map(|(position, message)| LinkFrame::Kept { position, message }),
        any::<(u64, u64, [u8; 32])>().prop_map(|(position, box_id, id)| LinkFrame::KeptId {
            position,
            box_id,
            id
        }),
    ]
}

fn proof() -> impl Strategy<Value = AnchorProof> {
    let path = prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_ANCHOR_PATH);
    let hashes = any::<([u8; 32], [u8; 32])>();
    (any::<(u64, u32, u64, u64, u64)>(), hashes, path).prop_map(
        |((first, count, box_id, index, position), (root, txid), path)| AnchorProof {
            anchor: Anchor { first, count, root },
            box_id,
            index,
            txid,
            position,
            path,
        },
    )
}

fn path() -> impl Strategy<Value = Vec<[u8; 32]>> {
    prop::collection::vec(any::<[u8; 32]>(), 0..=MAX_BLOCK_PATH)
}

fn nodes() -> impl Strategy<Value = Vec<NodeAddress>> {
    let node = (
        prop::array::uniform(any::<u8>()),
        "[a-z0-9.]{1,20}:[0-9]{1,5}",
    )
        .prop_map(|(public_key, address)| NodeAddress {
            public_key,
            address,
        });
    prop::collection::vec(node, 0..5)
}

fn request() -> impl Strategy<Value = Request> {
    let root = any::<[u8; 32]>;
    prop_oneof![
        (root(), any::<u32>()).prop_map(|(root, block)| Request::Query { root, block }),
        (root(), any::<u32>()).prop_map(|(root, from)| Request::Info { root, from }),
        "[a-z0-9.]{0,60}:[0-9]{1,5}".prop_map(|address| Request::Join { address }),
        "[a-z0-9.]{0,60}:[0-9]{1,5}".prop_map(|address| Request::Attach { address }),
        Just(Request::Detach),
        (root(), any::<u32>(), path(), bytes(300)).prop_map(|(root, block, path, data)| {
            Request::Upload {
                root,
                block,
                path,
                data,
            }
        }),
    ]
}

fn response() -> impl Strategy<Value = Response> {
    let range = any::<(u32, u32)>().prop_map(|(start, count)| BlockRange { start, count });
    let refusal = (1u8..=8).prop_map(|byte| Refusal::from_byte(byte).unwrap());
    prop_oneof![
        (path(), bytes(300)).prop_map(|(path, data)| Response::Block { path, data }),
        nodes().prop_map(|holders| Response::NotFound { holders }),
        (
            any::<u64>(),
            prop::collection::vec(range, 0..9),
            any::<bool>(),
            nodes()
        )
            .prop_map(|(size, ranges, more, holders)| Response::Info {
                size,
                ranges,
                more,
                holders
            }),
        nodes().prop_map(|nodes| Response::Map { nodes }),
        Just(Response::Done),
        (refusal, "[a-z ]{0,60}").prop_map(|(code, reason)| Response::Refused { code, reason }),
    ]
}

proptest! {
    #[test]
    fn messages_keep_the_laws(value in message(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn batched_messages_keep_the_laws(value in batched(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn client_frames_keep_the_laws(value in client_frame(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn relay_frames_keep_the_laws(value in relay_frame(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn link_frames_keep_the_laws(value in link_frame(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn requests_keep_the_laws(value in request(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn responses_keep_the_laws(value in response(), flip: usize, cut: usize) { laws(&value, flip, cut)?; }

    #[test]
    fn endpoint_records_keep_the_laws(
        key in prop::array::uniform(any::<u8>()),
        time: u64,
        address in "[a-z0-9.]{0,60}:[0-9]{1,5}",
        signature in prop::array::uniform(any::<u8>()),
        flip: usize,
        cut: usize,
    ) {
        laws(&EndpointRecord::sign(key, time, address, |_| signature).unwrap(), flip, cut)?;
    }

    #[test]
    fn noise_never_panics(noise in bytes(400), kind in 0u8..9) {
        for bytes in [noise.clone(), Bytes::from([&[1, kind][..], &noise].concat())] {
            let _ = ClientFrame::decode(bytes.clone());
            let _ = RelayFrame::decode(bytes.clone());
            let _ = Request::decode(bytes.clone());
            let _ = Response::decode(bytes.clone());
            let _ = Batch::decode(bytes.clone());
            let _ = Message::decode(bytes);
        }
    }

    #[test]
    fn every_field_of_a_message_changes_its_id(value in message(), flip: usize) {
        let mut encoded = value.encode().to_vec();
        let bits = (encoded.len() - 68) * 8;
        encoded[68 + (flip % bits) / 8] ^= 1 << (flip % 8);
        if let Ok(other) = Message::decode(encoded.into()) {
            prop_assert_ne!(other.id(), value.id());
        }
    }
}

#[test]
fn the_largest_values_fit_the_limits_exactly() {
    let data = Bytes::from(vec![0; BLOCK_SIZE]);
    let path = vec![[0; 32]; MAX_BLOCK_PATH];
    let upload = Request::Upload {
        root: [0; 32],
        block: 0,
        path: path.clone(),
        data: data.clone(),
    };
    assert_eq!(upload.encode().len(), Request::MAX_LEN);
    assert_eq!(
        Response::Block { path, data }.encode().len(),
        Response::MAX_LEN
    );
    let nodes = vec![
        NodeAddress {
            public_key: [2; 33],
            address: "a".repeat(pdfs::MAX_ADDRESS)
        };
        pdfs::MAX_NODES
    ];
    let ranges = vec![BlockRange { start: 0, count: 1 }; pdfs::MAX_RANGES];
    let info = Response::Info {
        size: 0,
        ranges,
        more: false,
        holders: nodes,
    };
    assert_eq!(Response::decode(info.encode()).unwrap(), info);
}

#[test]
fn lengths_from_outside_are_checked_before_memory_is_taken() {
    let mut writer = Writer::default();
    writer
        .u8(pdfs::VERSION)
        .u8(6)
        .raw(&[0; 32])
        .u32(0)
        .u16(0)
        .u32(u32::MAX);
    let error = Request::decode(writer.finish()).unwrap_err();
    assert_eq!(
        error,
        DecodeError::TooLong {
            what: "block data",
            len: u32::MAX as usize,
            max: BLOCK_SIZE
        }
    );

    let mut writer = Writer::default();
    writer.u8(pdfs::VERSION).u8(4).u16(u16::MAX);
    let error = Response::decode(writer.finish()).unwrap_err();
    assert_eq!(
        error,
        DecodeError::TooLong {
            what: "nodes",
            len: 65_535,
            max: pdfs::MAX_NODES
        }
    );
}

#[test]
fn another_version_is_refused_by_its_number() {
    let mut bytes = Request::Detach.encode().to_vec();
    bytes[0] = 2;
    assert_eq!(
        Request::decode(bytes.into()),
        Err(DecodeError::Version {
            got: 2,
            expected: 1
        })
    );
}

#[test]
fn a_payload_over_the_limit_is_not_signed() {
    let body = Unsigned {
        network: 1,
        contract: [0; 20],
        author: [2; 33],
        box_id: 1,
        sequence: 1,
        time_ms: 1,
        class: Class::Ephemeral,
        payload: Bytes::from(vec![0; MAX_PAYLOAD + 1]),
    };
    let error = body.sign(|_| panic!("must not be asked")).unwrap_err();
    assert_eq!(
        error,
        DecodeError::TooLong {
            what: "payload",
            len: MAX_PAYLOAD + 1,
            max: MAX_PAYLOAD
        }
    );
}

#[test]
fn a_long_error_text_is_cut_at_a_character() {
    let text = "é".repeat(MAX_ERROR_TEXT);
    let encoded = RelayFrame::Error {
        request: 1,
        error: RelayError::Fault,
        text,
    }
    .encode();
    let RelayFrame::Error { text, .. } = RelayFrame::decode(encoded).unwrap() else {
        panic!("not an error")
    };
    assert_eq!(text, "é".repeat(MAX_ERROR_TEXT / 2));
}
