//! The storage network's requests and responses, one of each on a stream of its own.
//!
//! A frame is a version byte, a kind byte and a body. `root` is a content's id, `block` the block's number in it. The
//! asking node is known by the key of its connection and so is never in a body.

use bytes::Bytes;

use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::merkle::{BLOCK_SIZE, MAX_BLOCK_PATH};
use crate::{Hash, PublicKey};

/// Version of every frame of this module.
pub const VERSION: u8 = 1;

/// TLS protocol name of the storage network.
pub const ALPN: &[u8] = b"phantasma-pdfs/1";

/// Longest `host:port` of a node: a DNS name has at most 253 characters.
pub const MAX_ADDRESS: usize = 260;

/// Most nodes in one answer: with [`MAX_ADDRESS`] under 80 KiB.
pub const MAX_NODES: usize = 256;

/// Most ranges in one answer; a holder of more is asked again from where it stopped.
pub const MAX_RANGES: usize = 4096;

/// Longest text of a refusal.
pub const MAX_REASON: usize = 512;

/// A node and where its data plane listens.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct NodeAddress {
    pub public_key: PublicKey,
    /// `host:port`, at most [`MAX_ADDRESS`] bytes.
    pub address: String,
}

/// `count` blocks from `start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockRange {
    pub start: u32,
    pub count: u32,
}

/// What a node asks of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// A block's bytes. Answer: [`Response::Block`] or [`Response::NotFound`].
    Query { root: Hash, block: u32 },
    /// Which blocks of a content, from `from` on, are held here, and who else holds some. Answer: [`Response::Info`].
    Info { root: Hash, from: u32 },
    /// The asking node listens at `address` and wants to know others. Answer: [`Response::Map`].
    Join { address: String },
    /// The asking node wants the answering one to answer for it. Answer: [`Response::Done`].
    Attach { address: String },
    /// Ends [`Request::Attach`]. Answer: [`Response::Done`].
    Detach,
    /// A block to store, with its path to the root. Answer: [`Response::Done`].
    Upload {
        root: Hash,
        block: u32,
        path: Vec<Hash>,
        data: Bytes,
    },
}

/// What a node answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Response {
    /// The block, and its path to the root, by which the reader checks it.
    Block { path: Vec<Hash>, data: Bytes },
    /// Not here; perhaps at `holders`.
    NotFound { holders: Vec<NodeAddress> },
    /// Held here: `ranges`, in order; `more` when they went on after the last. `size` is 0 when the content is unknown.
    Info {
        size: u64,
        ranges: Vec<BlockRange>,
        more: bool,
        holders: Vec<NodeAddress>,
    },
    /// Nodes of the network.
    Map { nodes: Vec<NodeAddress> },
    /// Done: stored durably, attached or detached.
    Done,
    /// Not done, and why.
    Refused { code: Refusal, reason: String },
}

/// Why a node does not do as asked, for programs; the reason beside it is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// The request makes no sense.
    BadRequest,
    /// No paid content with this root on the chain.
    NotOnChain,
    /// The content's time is over.
    Expired,
    /// The data does not belong to the root.
    WrongHash,
    /// No room.
    Full,
    /// Too many requests; ask again later.
    Busy,
    /// This key may not ask for this.
    NotAllowed,
    /// The node failed.
    Internal,
}

/// Each refusal and its byte.
const REFUSALS: [(Refusal, u8); 8] = [
    (Refusal::BadRequest, 1),
    (Refusal::NotOnChain, 2),
    (Refusal::Expired, 3),
    (Refusal::WrongHash, 4),
    (Refusal::Full, 5),
    (Refusal::Busy, 6),
    (Refusal::NotAllowed, 7),
    (Refusal::Internal, 8),
];

impl Refusal {
    pub fn to_byte(self) -> u8 {
        REFUSALS
            .iter()
            .find(|(refusal, _)| *refusal == self)
            .map_or(0, |(_, byte)| *byte)
    }

    pub fn from_byte(value: u8) -> Result<Self, DecodeError> {
        let found = REFUSALS.iter().find(|(_, byte)| *byte == value);
        found
            .map(|(refusal, _)| *refusal)
            .ok_or(DecodeError::UnknownKind {
                what: "refusal",
                value,
            })
    }
}

impl Request {
    /// The request's name, for logs and metrics.
    pub fn name(&self) -> &'static str {
        match self {
            Request::Query { .. } => "query",
            Request::Info { .. } => "info",
            Request::Join { .. } => "join",
            Request::Attach { .. } => "attach",
            Request::Detach => "detach",
            Request::Upload { .. } => "upload",
        }
    }
}

/// What a frame without data ends with.
static NO_DATA: Bytes = Bytes::new();

impl Request {
    /// Everything but a block's data, which ends the frame.
    fn write_head(&self, to: &mut Writer) {
        to.u8(VERSION);
        match self {
            Request::Query { root, block } => to.u8(1).raw(root).u32(*block),
            Request::Info { root, from } => to.u8(2).raw(root).u32(*from),
            Request::Join { address } => to.u8(3).text(address, MAX_ADDRESS),
            Request::Attach { address } => to.u8(4).text(address, MAX_ADDRESS),
            Request::Detach => to.u8(5),
            Request::Upload {
                root,
                block,
                path,
                data,
            } => {
                write_path(to.u8(6).raw(root).u32(*block), path);
                to.bytes_len(data)
            }
        };
    }

    fn tail(&self) -> &Bytes {
        match self {
            Request::Upload { data, .. } => data,
            Request::Query { .. }
            | Request::Info { .. }
            | Request::Join { .. }
            | Request::Attach { .. }
            | Request::Detach => &NO_DATA,
        }
    }
}

impl Frame for Request {
    /// An upload: version, kind, root, block, path, data.
    const MAX_LEN: usize = 2 + 32 + 4 + PATH_LEN + 4 + BLOCK_SIZE;

    fn write(&self, to: &mut Writer) {
        self.write_head(to);
        to.raw(self.tail());
    }

    fn encode_parts(&self) -> (Bytes, Bytes) {
        let mut head = Writer::default();
        self.write_head(&mut head);
        (head.finish(), self.tail().clone())
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        from.version(VERSION)?;
        Ok(match from.u8("request")? {
            1 => Request::Query {
                root: from.array("root")?,
                block: from.u32("block")?,
            },
            2 => Request::Info {
                root: from.array("root")?,
                from: from.u32("block")?,
            },
            3 => Request::Join {
                address: from.text("address", MAX_ADDRESS)?,
            },
            4 => Request::Attach {
                address: from.text("address", MAX_ADDRESS)?,
            },
            5 => Request::Detach,
            6 => Request::Upload {
                root: from.array("root")?,
                block: from.u32("block")?,
                path: read_path(from)?,
                data: from.bytes("block data", BLOCK_SIZE)?,
            },
            value => {
                return Err(DecodeError::UnknownKind {
                    what: "request",
                    value,
                });
            }
        })
    }
}

impl Response {
    /// Everything but a block's data, which ends the frame.
    fn write_head(&self, to: &mut Writer) {
        to.u8(VERSION);
        match self {
            Response::Block { path, data } => {
                write_path(to.u8(1), path);
                to.bytes_len(data);
            }
            Response::NotFound { holders } => write_nodes(to.u8(2), holders),
            Response::Info {
                size,
                ranges,
                more,
                holders,
            } => {
                to.u8(3)
                    .u64(*size)
                    .bool(*more)
                    .list(ranges, MAX_RANGES, |to, range| {
                        to.u32(range.start).u32(range.count);
                    });
                write_nodes(to, holders);
            }
            Response::Map { nodes } => write_nodes(to.u8(4), nodes),
            Response::Done => {
                to.u8(5);
            }
            Response::Refused { code, reason } => {
                to.u8(6).u8(code.to_byte()).text(reason, MAX_REASON);
            }
        }
    }

    fn tail(&self) -> &Bytes {
        match self {
            Response::Block { data, .. } => data,
            Response::NotFound { .. }
            | Response::Info { .. }
            | Response::Map { .. }
            | Response::Done
            | Response::Refused { .. } => &NO_DATA,
        }
    }
}

impl Frame for Response {
    /// A block: version, kind, path, data. The lists are shorter.
    const MAX_LEN: usize = 2 + PATH_LEN + 4 + BLOCK_SIZE;

    fn write(&self, to: &mut Writer) {
        self.write_head(to);
        to.raw(self.tail());
    }

    fn encode_parts(&self) -> (Bytes, Bytes) {
        let mut head = Writer::default();
        self.write_head(&mut head);
        (head.finish(), self.tail().clone())
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        from.version(VERSION)?;
        Ok(match from.u8("response")? {
            1 => Response::Block {
                path: read_path(from)?,
                data: from.bytes("block data", BLOCK_SIZE)?,
            },
            2 => Response::NotFound {
                holders: read_nodes(from)?,
            },
            3 => Response::Info {
                size: from.u64("size")?,
                more: from.bool("more")?,
                ranges: from.list("ranges", MAX_RANGES, read_range)?,
                holders: read_nodes(from)?,
            },
            4 => Response::Map {
                nodes: read_nodes(from)?,
            },
            5 => Response::Done,
            6 => Response::Refused {
                code: Refusal::from_byte(from.u8("refusal")?)?,
                reason: from.text("reason", MAX_REASON)?,
            },
            value => {
                return Err(DecodeError::UnknownKind {
                    what: "response",
                    value,
                });
            }
        })
    }
}

/// Bytes of the longest path.
const PATH_LEN: usize = 2 + 32 * MAX_BLOCK_PATH;

fn write_path(to: &mut Writer, path: &[Hash]) {
    to.list(path, MAX_BLOCK_PATH, |to, hash| {
        to.raw(hash);
    });
}

fn read_path(from: &mut Reader) -> Result<Vec<Hash>, DecodeError> {
    from.list("path", MAX_BLOCK_PATH, |from| from.array("path"))
}

fn write_nodes(to: &mut Writer, nodes: &[NodeAddress]) {
    to.list(nodes, MAX_NODES, |to, node| {
        to.raw(&node.public_key).text(&node.address, MAX_ADDRESS);
    });
}

fn read_nodes(from: &mut Reader) -> Result<Vec<NodeAddress>, DecodeError> {
    from.list("nodes", MAX_NODES, |from| {
        Ok(NodeAddress {
            public_key: from.array("public key")?,
            address: from.text("address", MAX_ADDRESS)?,
        })
    })
}

fn read_range(from: &mut Reader) -> Result<BlockRange, DecodeError> {
    Ok(BlockRange {
        start: from.u32("range start")?,
        count: from.u32("range count")?,
    })
}
