//! What two relays say to each other. A frame is a version byte, a kind byte and a body, as everywhere.
//!
//! Two things travel on a link. *Live* messages (ephemeral, and on-chain ones on their way to listeners) go as
//! [`Mesh`](super::Mesh) says: whole, or as an id that may be grafted. *Kept* messages are the other relay's log, in its
//! order and without gaps from a position on: whole, or as ids when the reader gets them from elsewhere. A reader who
//! misses one asks for the log again from there.

use bytes::Bytes;
use sha2::{Digest as _, Sha256};

use super::VERSION;
use crate::Hash;
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::Message;

/// TLS protocol name of a link between relays.
pub const LINK_ALPN: &[u8] = b"phantasma-relay-link/1";

/// Boxes that a relay names at most; with more of them it serves all.
pub const MAX_LINK_BOXES: usize = 1024;

/// From a relay to another; both sides may send all of them, Hello first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LinkFrame {
    /// Who I am and what I want to hear of. `boxes` is empty for all; `run` is drawn anew at each start of a relay, so
    /// that a link to an earlier run is known to be dead.
    Hello {
        network: u32,
        contract: [u8; 20],
        run: u64,
        boxes: Vec<u64>,
    },
    /// A live message.
    Push { message: Message },
    /// I have this live message.
    Have { box_id: u64, id: Hash },
    /// Send me this live message if you can, and from now on whole ones of this box.
    Graft { box_id: u64, id: Hash },
    /// From now on only ids of this box.
    Prune { box_id: u64 },
    /// Send me what you keep from this position on. `last` is the id of the message before, zeros for none: when another
    /// one stands there, your log is not the one that I knew, and you begin at its start. With `whole` you send whole
    /// messages at least up to your newest one, whatever was pruned.
    Follow {
        number: u32,
        from: u64,
        last: Hash,
        whole: bool,
    },
    /// What follows answers the Follow of this number; up to position `whole` it comes whole.
    Restart { number: u32, whole: u64 },
    /// A kept message at its position in the sender's log.
    Kept { position: u64, message: Message },
    /// The same without the message.
    KeptId {
        position: u64,
        box_id: u64,
        id: Hash,
    },
}

/// Under which key of the distributed hash table the relays of a box say that they are there; without a box, those that
/// serve all boxes of the contract. `contract` is in script order.
pub fn relay_key(network: u32, contract: &[u8; 20], box_id: Option<u64>) -> Hash {
    let mut hash = Sha256::new();
    hash.update(b"phantasma relay 1");
    hash.update(network.to_le_bytes());
    hash.update(contract);
    if let Some(box_id) = box_id {
        hash.update(box_id.to_le_bytes());
    }
    hash.finalize().into()
}

impl LinkFrame {
    /// The bytes of a [`LinkFrame::Kept`] before its message, which a log holds in the encoding of [`Message`].
    pub fn kept_head(position: u64) -> Bytes {
        let mut head = Writer::with_capacity(10);
        head.u8(VERSION).u8(KEPT).u64(position);
        head.finish()
    }

    /// The encoding of a [`LinkFrame::Push`] without a copy of the message.
    pub fn encode_push(message: &Message) -> Bytes {
        let mut writer = Writer::with_capacity(2 + 4 + message.encoded_len());
        message.write(writer.u8(VERSION).u8(2));
        writer.finish()
    }
}

const KEPT: u8 = 8;

impl Frame for LinkFrame {
    /// The longest is a kept message, unless a Hello names many boxes.
    const MAX_LEN: usize = 2 + 8 + <Message as Frame>::MAX_LEN;

    fn write(&self, to: &mut Writer) {
        to.u8(VERSION);
        match self {
            LinkFrame::Hello {
                network,
                contract,
                run,
                boxes,
            } => {
                to.u8(1).u32(*network).raw(contract).u64(*run);
                to.list(boxes, MAX_LINK_BOXES, |to, box_id| {
                    to.u64(*box_id);
                });
            }
            LinkFrame::Push { message } => message.write(to.u8(2)),
            LinkFrame::Have { box_id, id } => {
                to.u8(3).u64(*box_id).raw(id);
            }
            LinkFrame::Graft { box_id, id } => {
                to.u8(4).u64(*box_id).raw(id);
            }
            LinkFrame::Prune { box_id } => {
                to.u8(5).u64(*box_id);
            }
            LinkFrame::Follow {
                number,
                from,
                last,
                whole,
            } => {
                to.u8(6).u32(*number).u64(*from).raw(last).bool(*whole);
            }
            LinkFrame::Restart { number, whole } => {
                to.u8(7).u32(*number).u64(*whole);
            }
            LinkFrame::Kept { position, message } => message.write(to.u8(KEPT).u64(*position)),
            LinkFrame::KeptId {
                position,
                box_id,
                id,
            } => {
                to.u8(9).u64(*position).u64(*box_id).raw(id);
            }
        }
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        from.version(VERSION)?;
        Ok(match from.u8("link frame")? {
            1 => LinkFrame::Hello {
                network: from.u32("network")?,
                contract: from.array("contract")?,
                run: from.u64("run")?,
                boxes: from.list("boxes", MAX_LINK_BOXES, |from| from.u64("box"))?,
            },
            2 => LinkFrame::Push {
                message: Message::read(from)?,
            },
            3 => LinkFrame::Have {
                box_id: from.u64("box")?,
                id: from.array("id")?,
            },
            4 => LinkFrame::Graft {
                box_id: from.u64("box")?,
                id: from.array("id")?,
            },
            5 => LinkFrame::Prune {
                box_id: from.u64("box")?,
            },
            6 => LinkFrame::Follow {
                number: from.u32("number")?,
                from: from.u64("position")?,
                last: from.array("id")?,
                whole: from.bool("whole")?,
            },
            7 => LinkFrame::Restart {
                number: from.u32("number")?,
                whole: from.u64("position")?,
            },
            KEPT => LinkFrame::Kept {
                position: from.u64("position")?,
                message: Message::read(from)?,
            },
            9 => LinkFrame::KeptId {
                position: from.u64("position")?,
                box_id: from.u64("box")?,
                id: from.array("id")?,
            },
            value => {
                return Err(DecodeError::UnknownKind {
                    what: "link frame",
                    value,
                });
            }
        })
    }
}
