//! What a client and a relay say to each other. A frame is a version byte, a kind byte and a body.

use bytes::Bytes;

use super::{AnchorProof, MAX_ERROR_TEXT, VERSION};
use crate::Hash;
use crate::batch::{Batch, Group};
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::Message;

/// From which message of a box on a subscriber wants to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// Only messages that arrive after the subscription.
    Now,
    /// First the kept messages from this position on (the oldest has position 1, so 0 and 1 mean all).
    Position(u64),
}

/// From a client to its relay. `request` is the client's number for it, not 0, and comes back in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// First frame. A relay of another chain or contract refuses.
    Hello {
        network: u32,
        contract: [u8; 20],
    },
    Publish {
        request: u32,
        message: Message,
    },
    Subscribe {
        request: u32,
        box_id: u64,
        from: Since,
    },
    Unsubscribe {
        request: u32,
        box_id: u64,
    },
    Ping {
        nonce: u64,
    },
    /// Messages under one signature. Each is answered like a publish of its own: the first has the number `request`,
    /// the next ones count up from it.
    PublishBatch {
        request: u32,
        batch: Batch,
    },
    /// An ephemeral message that gets no answer. May come in a QUIC datagram.
    Cast {
        message: Message,
    },
    /// How does the kept message at this position lead to an anchor on the chain?
    Prove {
        request: u32,
        position: u64,
    },
}

/// From a relay to its client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayFrame {
    /// Answers Hello: the relay takes payloads of up to `max_payload` bytes.
    Welcome {
        max_payload: u32,
    },
    /// The request was done.
    Ack {
        request: u32,
        outcome: Outcome,
    },
    /// So many requests, numbered from `request` on, were done with the same outcome; positions count up with them.
    AckMany {
        request: u32,
        count: u16,
        outcome: Outcome,
    },
    /// The request was not done; request 0 means that the relay ends the session.
    Error {
        request: u32,
        error: RelayError,
        text: String,
    },
    /// A message to a box that the client subscribed to. `position` is 0 for messages that the relay does not keep;
    /// ephemeral ones come in QUIC datagrams if they fit.
    Deliver {
        position: u64,
        message: Message,
    },
    Pong {
        nonce: u64,
    },
    /// Ephemeral messages of one batch and box, in a datagram.
    DeliverGroup {
        group: Group,
    },
    /// Answers Prove.
    Proof {
        request: u32,
        proof: AnchorProof,
    },
}

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Handed to this many subscribers.
    Delivered {
        subscribers: u32,
    },
    /// On the relay's disk, at this position of the box.
    Stored {
        position: u64,
    },
    /// In a block: transaction id (script order) and the content's index in the box.
    OnChain {
        txid: Hash,
        index: u64,
    },
    /// Subscribed; kept messages up to `position` have been sent.
    Subscribed {
        position: u64,
    },
    Unsubscribed,
}

impl Outcome {
    /// The outcome of the `number`th request of an [`RelayFrame::AckMany`], counted from 0.
    pub fn nth(self, number: u16) -> Self {
        match self {
            Outcome::Stored { position } => Outcome::Stored {
                position: position.saturating_add(u64::from(number)),
            },
            Outcome::Delivered { .. }
            | Outcome::OnChain { .. }
            | Outcome::Subscribed { .. }
            | Outcome::Unsubscribed => self,
        }
    }
}

/// Why a relay refuses, for programs; the text beside it is for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelayError {
    /// The frame is not understood or comes at the wrong time.
    Protocol,
    /// Another network or contract than the relay's.
    WrongChain,
    /// The author did not sign this.
    BadSignature,
    /// No such box on the chain.
    UnknownBox,
    /// This message has been here.
    Duplicate,
    /// The message's time is too far from the relay's.
    WrongTime,
    /// The contract refused; the text is its reason.
    Fault,
    /// A limit of the relay: log full, too many subscriptions or requests.
    Limit,
    /// The reader is too slow for messages that may not be dropped; subscribe again from the last position.
    TooSlow,
    /// The relay failed, or cannot reach the chain.
    Internal,
    /// The relay is stopping.
    Closing,
    /// The box's gate lets this author not write this; the text is its reason.
    NotAllowed,
    /// The box's gate asks for a payment, which a message cannot make; the text says how much, and how to pay.
    Payment,
}

/// Each error, its byte and its name in logs and metrics.
const ERRORS: [(RelayError, u8, &str); 13] = [
    (RelayError::Protocol, 1, "protocol"),
    (RelayError::WrongChain, 2, "wrong_chain"),
    (RelayError::BadSignature, 3, "bad_signature"),
    (RelayError::UnknownBox, 4, "unknown_box"),
    (RelayError::Duplicate, 5, "duplicate"),
    (RelayError::WrongTime, 6, "wrong_time"),
    (RelayError::Fault, 7, "fault"),
    (RelayError::Limit, 8, "limit"),
    (RelayError::TooSlow, 9, "too_slow"),
    (RelayError::Internal, 10, "internal"),
    (RelayError::Closing, 11, "closing"),
    (RelayError::NotAllowed, 12, "not_allowed"),
    (RelayError::Payment, 13, "payment"),
];

impl RelayError {
    pub fn to_byte(self) -> u8 {
        ERRORS
            .iter()
            .find(|row| row.0 == self)
            .map_or(0, |row| row.1)
    }

    pub fn from_byte(value: u8) -> Result<Self, DecodeError> {
        let found = ERRORS.iter().find(|row| row.1 == value);
        found.map(|row| row.0).ok_or(DecodeError::UnknownKind {
            what: "error",
            value,
        })
    }

    pub fn name(self) -> &'static str {
        ERRORS
            .iter()
            .find(|row| row.0 == self)
            .map_or("", |row| row.2)
    }
}

impl Frame for ClientFrame {
    /// A publish: version, kind, request, message.
    const MAX_LEN: usize = 2 + 4 + <Message as Frame>::MAX_LEN;

    fn write(&self, to: &mut Writer) {
        to.u8(VERSION);
        match self {
            ClientFrame::Hello { network, contract } => {
                to.u8(1).u32(*network).raw(contract);
            }
            ClientFrame::Publish { request, message } => message.write(to.u8(2).u32(*request)),
            ClientFrame::Subscribe {
                request,
                box_id,
                from,
            } => {
                to.u8(3).u32(*request).u64(*box_id);
                match from {
                    Since::Now => to.u8(0),
                    Since::Position(position) => to.u8(1).u64(*position),
                };
            }
            ClientFrame::Unsubscribe { request, box_id } => {
                to.u8(4).u32(*request).u64(*box_id);
            }
            ClientFrame::Ping { nonce } => {
                to.u8(5).u64(*nonce);
            }
            ClientFrame::PublishBatch { request, batch } => batch.write(to.u8(6).u32(*request)),
            ClientFrame::Cast { message } => message.write(to.u8(7)),
            ClientFrame::Prove { request, position } => {
                to.u8(8).u32(*request).u64(*position);
            }
        }
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        from.version(VERSION)?;
        Ok(match from.u8("client frame")? {
            1 => ClientFrame::Hello {
                network: from.u32("network")?,
                contract: from.array("contract")?,
            },
            2 => ClientFrame::Publish {
                request: read_request(from)?,
                message: Message::read(from)?,
            },
            3 => ClientFrame::Subscribe {
                request: read_request(from)?,
                box_id: from.u64("box")?,
                from: match from.u8("history")? {
                    0 => Since::Now,
                    1 => Since::Position(from.u64("position")?),
                    value => {
                        return Err(DecodeError::UnknownKind {
                            what: "history",
                            value,
                        });
                    }
                },
            },
            4 => ClientFrame::Unsubscribe {
                request: read_request(from)?,
                box_id: from.u64("box")?,
            },
            5 => ClientFrame::Ping {
                nonce: from.u64("nonce")?,
            },
            6 => read_batch(from)?,
            7 => ClientFrame::Cast {
                message: Message::read(from)?,
            },
            8 => ClientFrame::Prove {
                request: read_request(from)?,
                position: from.u64("position")?,
            },
            value => {
                return Err(DecodeError::UnknownKind {
                    what: "client frame",
                    value,
                });
            }
        })
    }
}

/// Kind of [`RelayFrame::Deliver`].
const DELIVER: u8 = 4;

impl RelayFrame {
    /// What stands in front of the message in a delivery: for messages whose encoding is already there.
    pub fn delivery_head(position: u64) -> Bytes {
        let mut writer = Writer::default();
        write_delivery_head(&mut writer, position);
        writer.finish()
    }

    /// As [`RelayFrame::Deliver`] is encoded, without taking the message.
    pub fn encode_delivery(position: u64, message: &Message) -> Bytes {
        let mut writer = Writer::with_capacity(2 + 8 + 4 + message.encoded_len());
        write_delivery_head(&mut writer, position);
        message.write(&mut writer);
        writer.finish()
    }
}

fn write_delivery_head(to: &mut Writer, position: u64) {
    to.u8(VERSION).u8(DELIVER).u64(position);
}

impl Frame for RelayFrame {
    /// A delivery: version, kind, position, message.
    const MAX_LEN: usize = 2 + 8 + <Message as Frame>::MAX_LEN;

    fn write(&self, to: &mut Writer) {
        to.u8(VERSION);
        match self {
            RelayFrame::Welcome { max_payload } => {
                to.u8(1).u32(*max_payload);
            }
            RelayFrame::Ack { request, outcome } => write_outcome(to.u8(2).u32(*request), outcome),
            RelayFrame::AckMany {
                request,
                count,
                outcome,
            } => write_outcome(to.u8(6).u32(*request).u16(*count), outcome),
            RelayFrame::Error {
                request,
                error,
                text,
            } => {
                to.u8(3)
                    .u32(*request)
                    .u8(error.to_byte())
                    .text(text, MAX_ERROR_TEXT);
            }
            RelayFrame::Deliver { position, message } => {
                message.write(to.u8(DELIVER).u64(*position));
            }
            RelayFrame::Pong { nonce } => {
                to.u8(5).u64(*nonce);
            }
            RelayFrame::DeliverGroup { group } => group.write(to.u8(7)),
            RelayFrame::Proof { request, proof } => proof.write(to.u8(8).u32(*request)),
        }
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        from.version(VERSION)?;
        Ok(match from.u8("relay frame")? {
            1 => RelayFrame::Welcome {
                max_payload: from.u32("largest payload")?,
            },
            2 => RelayFrame::Ack {
                request: read_request(from)?,
                outcome: read_outcome(from)?,
            },
            3 => RelayFrame::Error {
                request: from.u32("request")?,
                error: RelayError::from_byte(from.u8("error")?)?,
                text: from.text("error text", MAX_ERROR_TEXT)?,
            },
            DELIVER => RelayFrame::Deliver {
                position: from.u64("position")?,
                message: Message::read(from)?,
            },
            5 => RelayFrame::Pong {
                nonce: from.u64("nonce")?,
            },
            6 => RelayFrame::AckMany {
                request: read_request(from)?,
                count: from.u16("acknowledged requests")?,
                outcome: read_outcome(from)?,
            },
            7 => RelayFrame::DeliverGroup {
                group: Group::read(from)?,
            },
            8 => RelayFrame::Proof {
                request: read_request(from)?,
                proof: AnchorProof::read(from)?,
            },
            value => {
                return Err(DecodeError::UnknownKind {
                    what: "relay frame",
                    value,
                });
            }
        })
    }
}

fn read_request(from: &mut Reader) -> Result<u32, DecodeError> {
    match from.u32("request")? {
        0 => Err(DecodeError::Invalid {
            what: "request",
            reason: "number 0 is the session's",
        }),
        request => Ok(request),
    }
}

/// The numbers of all its messages must exist.
fn read_batch(from: &mut Reader) -> Result<ClientFrame, DecodeError> {
    let (request, batch) = (read_request(from)?, Batch::read(from)?);
    let numbers = u32::try_from(batch.len().saturating_sub(1)).unwrap_or(u32::MAX);
    match request.checked_add(numbers) {
        Some(_) => Ok(ClientFrame::PublishBatch { request, batch }),
        None => Err(DecodeError::Invalid {
            what: "request",
            reason: "too large to number the messages of the batch",
        }),
    }
}

fn write_outcome(to: &mut Writer, outcome: &Outcome) {
    match outcome {
        Outcome::Delivered { subscribers } => to.u8(0).u32(*subscribers),
        Outcome::Stored { position } => to.u8(1).u64(*position),
        Outcome::OnChain { txid, index } => to.u8(2).raw(txid).u64(*index),
        Outcome::Subscribed { position } => to.u8(3).u64(*position),
        Outcome::Unsubscribed => to.u8(4),
    };
}

fn read_outcome(from: &mut Reader) -> Result<Outcome, DecodeError> {
    Ok(match from.u8("outcome")? {
        0 => Outcome::Delivered {
            subscribers: from.u32("subscribers")?,
        },
        1 => Outcome::Stored {
            position: from.u64("position")?,
        },
        2 => Outcome::OnChain {
            txid: from.array("txid")?,
            index: from.u64("index")?,
        },
        3 => Outcome::Subscribed {
            position: from.u64("position")?,
        },
        4 => Outcome::Unsubscribed,
        value => {
            return Err(DecodeError::UnknownKind {
                what: "outcome",
                value,
            });
        }
    })
}
