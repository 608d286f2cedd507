//! What relays say to each other.

use phantasma_wire::relay::{LinkFrame, relay_key};

use super::{MESSAGE, check, message};

const ID: [u8; 32] = [0x1d; 32];
const ID_HEX: &str = "1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d1d";

#[test]
fn a_relays_hello() {
    check(
        LinkFrame::Hello {
            network: 5,
            contract: [0xaa; 20],
            run: 0x0102,
            boxes: vec![7, 9],
        },
        "01 | version
         01 | hello
         05000000 | network
         aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa | contract
         0201000000000000 | run
         0200 | boxes
         0700000000000000 | box
         0900000000000000 | box",
    );
}

#[test]
fn live_messages_between_relays() {
    check(
        LinkFrame::Push { message: message() },
        &format!("01|version\n02|push\n{MESSAGE}"),
    );
    let frames = [
        (3, LinkFrame::Have { box_id: 7, id: ID }),
        (4, LinkFrame::Graft { box_id: 7, id: ID }),
    ];
    for (kind, frame) in frames {
        let bytes = format!("01|version\n0{kind}|have, graft\n0700000000000000|box\n{ID_HEX}|id");
        check(frame, &bytes);
    }
    check(
        LinkFrame::Prune { box_id: 7 },
        "01|version\n05|prune\n0700000000000000|box",
    );
    assert_eq!(
        LinkFrame::encode_push(&message()),
        phantasma_wire::codec::Frame::encode(&LinkFrame::Push { message: message() })
    );
}

#[test]
fn a_log_between_relays() {
    check(
        LinkFrame::Follow {
            number: 3,
            from: 11,
            last: ID,
            whole: true,
        },
        &format!(
            "01|version\n06|follow\n03000000|number\n0b00000000000000|from\n{ID_HEX}|the id before\n01|whole"
        ),
    );
    check(
        LinkFrame::Restart {
            number: 3,
            whole: 20,
        },
        "01|version\n07|restart\n03000000|number\n1400000000000000|whole up to",
    );
    check(
        LinkFrame::Kept {
            position: 11,
            message: message(),
        },
        &format!("01|version\n08|kept\n0b00000000000000|position\n{MESSAGE}"),
    );
    assert_eq!(
        hex::encode(LinkFrame::kept_head(11)),
        "01080b00000000000000"
    );
    check(
        LinkFrame::KeptId {
            position: 11,
            box_id: 7,
            id: ID,
        },
        &format!(
            "01|version\n09|kept id\n0b00000000000000|position\n0700000000000000|box\n{ID_HEX}|id"
        ),
    );
}

#[test]
fn relays_are_found_under_these_keys() {
    let keys = [None, Some(7)].map(|box_id| hex::encode(relay_key(5, &[0xaa; 20], box_id)));
    assert_eq!(keys, [CONTRACT_KEY, BOX_KEY]);
}

const CONTRACT_KEY: &str = "8cc6483d60db7eedef237dd0642333a6503df81f435cd15a8ce9e8c2a63e7aec";
const BOX_KEY: &str = "5c4a0778d2ae8880f79d639c8f93d999b6299b962f05d2e6bc05be68c2ca7379";
