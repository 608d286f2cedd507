//! Whether a chunk belongs to a content's root: RFC 6962 over chunks of 1 KiB, the last of which may be short. Leaves
//! are SHA-256(00 ‖ chunk), nodes SHA-256(01 ‖ left ‖ right).

use neo_framework::crypto;
use neo_framework::prelude::*;

/// Bytes of a chunk.
pub const CHUNK: i64 = 1024;
/// Chunks of a block of 256 KiB.
pub const CHUNKS_PER_BLOCK: i64 = 256;

/// Chunks of a content of so many bytes.
pub fn chunks(size: Int) -> Int {
    (size + CHUNK - 1) / CHUNK
}

/// Faults unless the chunk has the length of the one at `index` and its path leads to the root.
pub fn check(root: &Bytes, size: Int, index: Int, chunk: &Bytes, path: &Array<Any>) {
    let expected = (size - index * CHUNK).min(CHUNK);
    assert!(
        chunk.len() == expected,
        "showProof: the chunk has the wrong length"
    );
    let mut at = index;
    let mut last = chunks(size) - 1;
    let mut hash = crypto::sha256(&bytes(b"\x00").concat(chunk));
    for i in range(0, path.len()) {
        let other = path.get(i).as_bytes();
        assert!(
            other.len() == 32 && last > 0,
            "showProof: the path does not fit the content"
        );
        if at & 1 == 1 || at == last {
            hash = node(&other, &hash);
            // The last node of a level that has no sibling goes up as it is.
            while at & 1 == 0 && at > 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, &other);
        }
        at >>= 1;
        last >>= 1;
    }
    assert!(last == 0, "showProof: the path does not fit the content");
    assert!(
        hash == *root,
        "showProof: the chunk does not belong to the content"
    );
}

fn node(left: &Bytes, right: &Bytes) -> Bytes {
    crypto::sha256(&bytes(b"\x01").concat(left).concat(right))
}
