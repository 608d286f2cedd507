//! What storage nodes say, and where they say they are.

use bytes::Bytes;
use phantasma_wire::endpoint::EndpointRecord;
use phantasma_wire::pdfs::{BlockRange, NodeAddress, Refusal, Request, Response};

use super::check;

const ROOT: [u8; 32] = [0x11; 32];

const ROOT_HEX: &str = "1111111111111111111111111111111111111111111111111111111111111111";

const NODES: &str = "
    0100 | one node
    030303030303030303030303030303030303030303030303030303030303030303 | public key
    0b000000 | length 11
    31302e302e302e313a3232 | 10.0.0.1:22
";

fn nodes() -> Vec<NodeAddress> {
    vec![NodeAddress {
        public_key: [3; 33],
        address: "10.0.0.1:22".into(),
    }]
}

#[test]
fn storage_requests() {
    check(
        Request::Query {
            root: ROOT,
            block: 5,
        },
        &format!("01|version\n01|query\n{ROOT_HEX}\n05000000|block"),
    );
    check(
        Request::Info {
            root: ROOT,
            from: 2,
        },
        &format!("01|version\n02|info\n{ROOT_HEX}\n02000000|from block"),
    );
    check(
        Request::Join {
            address: "a:1".into(),
        },
        "01|version\n03|join\n03000000|length\n613a31|address",
    );
    check(
        Request::Attach {
            address: "a:1".into(),
        },
        "01|version\n04|attach\n03000000|length\n613a31|address",
    );
    check(Request::Detach, "01|version\n05|detach");
    let upload = Request::Upload {
        root: ROOT,
        block: 1,
        path: vec![[0x22; 32]],
        data: Bytes::from_static(b"data"),
    };
    check(
        upload,
        &format!(
            "01 | version
             06 | upload
             {ROOT_HEX} | root
             01000000 | block
             0100 | one hash in the path
             2222222222222222222222222222222222222222222222222222222222222222
             04000000 | length
             64617461 | data"
        ),
    );
}

#[test]
fn storage_responses() {
    let block = Response::Block {
        path: vec![[0x22; 32]],
        data: Bytes::from_static(b"data"),
    };
    check(
        block,
        "01 | version
         01 | block
         0100 | one hash in the path
         2222222222222222222222222222222222222222222222222222222222222222
         04000000 | length
         64617461 | data",
    );
    check(
        Response::NotFound { holders: nodes() },
        &format!("01|version\n02|not found\n{NODES}"),
    );
    let ranges = vec![
        BlockRange { start: 0, count: 4 },
        BlockRange { start: 6, count: 1 },
    ];
    check(
        Response::Info {
            size: 1_000_000,
            ranges,
            more: true,
            holders: nodes(),
        },
        &format!(
            "01 | version
             03 | info
             40420f0000000000 | size
             01 | more ranges follow
             0200 | two ranges
             00000000 04000000 | blocks 0 to 3
             06000000 01000000 | block 6
             {NODES}"
        ),
    );
    check(
        Response::Map { nodes: nodes() },
        &format!("01|version\n04|map\n{NODES}"),
    );
    check(Response::Done, "01|version\n05|done");
}

#[test]
fn every_refusal() {
    let refusals = [
        (Refusal::BadRequest, "01"),
        (Refusal::NotOnChain, "02"),
        (Refusal::Expired, "03"),
        (Refusal::WrongHash, "04"),
        (Refusal::Full, "05"),
        (Refusal::Busy, "06"),
        (Refusal::NotAllowed, "07"),
        (Refusal::Internal, "08"),
    ];
    for (code, byte) in refusals {
        let hex = format!("01|version\n06|refused\n{byte}|code\n02000000|length\n6e6f|reason");
        check(
            Response::Refused {
                code,
                reason: "no".into(),
            },
            &hex,
        );
    }
}

#[test]
fn an_endpoint_record() {
    let record = EndpointRecord::sign([3; 33], 0x0102, "a:1".into(), |_| [0x5a; 64]).unwrap();
    check(
        record,
        "50484531 | PHE1
         030303030303030303030303030303030303030303030303030303030303030303 | public key
         0201000000000000 | time
         03000000 | length
         613a31 | address
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature r
         5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a | signature s",
    );
}
