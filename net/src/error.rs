//! What can go wrong on the data plane.

use std::net::SocketAddr;

use phantasma_wire::PublicKey;
use phantasma_wire::codec::DecodeError;

/// Why a network operation failed. Fields are the offending values.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("not a private key: a scalar of P-256 is 32 bytes, not 0 and below the curve's order")]
    BadKey,
    #[error("UDP port {} is taken on {}: stop the program that holds it, or listen on another port", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on UDP {address}: {error}")]
    Bind {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error("no address found for {address}: {reason}")]
    Resolve { address: String, reason: String },
    #[error("cannot connect to {address}: {reason}")]
    Connect { address: SocketAddr, reason: String },
    #[error(
        "{address} did not finish the handshake within {seconds} s; is a program listening there?"
    )]
    HandshakeTimeout { address: SocketAddr, seconds: u64 },
    #[error(
        "the peer at {address} has key {}, expected {}",
        hex::encode(got),
        hex::encode(expected)
    )]
    WrongPeer {
        address: SocketAddr,
        got: PublicKey,
        expected: PublicKey,
    },
    #[error("the peer showed no P-256 key")]
    NoPeerKey,
    #[error("the connection is gone: {0}")]
    ConnectionLost(String),
    #[error("the stream ended inside a frame")]
    UnexpectedEnd,
    #[error("no answer within {seconds} s")]
    AnswerTimeout { seconds: u64 },
    #[error("a frame of {len} bytes is over the limit of {max}")]
    FrameTooLong { len: usize, max: usize },
    #[error("a frame that is not understood: {0}")]
    Decode(#[from] DecodeError),
    #[error("TLS: {0}")]
    Tls(String),
}
