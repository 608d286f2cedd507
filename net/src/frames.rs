//! Frames on a stream: a `u32` length (little-endian), then that many bytes.

use bytes::{BufMut, Bytes, BytesMut};
use phantasma_wire::codec::Frame;
use quinn::{ReadError, ReadExactError, RecvStream, SendStream};
use tokio::io::AsyncReadExt;

use crate::NetError;

/// A part of a frame that is at least so long is shared, a shorter one copied beside its neighbours: each separate piece
/// costs the stream about as much as copying so many bytes.
const SHARED: usize = 256;

/// Sends frames, in order.
#[derive(Debug)]
pub struct FrameSender {
    stream: SendStream,
}

impl FrameSender {
    pub(crate) fn new(stream: SendStream) -> Self {
        Self { stream }
    }

    /// Sends one frame; waits while the peer does not read. Cancelled half-way it leaves a broken stream: drop it then.
    pub async fn send<F: Frame>(&mut self, frame: &F) -> Result<(), NetError> {
        let (head, tail) = frame.encode_parts();
        let len = head.len() + tail.len();
        let too_long = || NetError::FrameTooLong {
            len,
            max: F::MAX_LEN,
        };
        if len > F::MAX_LEN {
            return Err(too_long());
        }
        let length = u32::try_from(len).map_err(|_| too_long())?.to_le_bytes();
        let mut chunks = [Bytes::copy_from_slice(&length), head, tail];
        self.stream
            .write_all_chunks(&mut chunks)
            .await
            .map_err(|error| NetError::ConnectionLost(error.to_string()))
    }

    /// Sends frames that were encoded before, each made of parts that follow each other, without copying large
    /// ones and with few calls. The caller keeps the limit of the frame's type.
    pub async fn send_encoded(&mut self, frames: &[[Bytes; 2]]) -> Result<(), NetError> {
        let (mut chunks, mut small) = (Vec::new(), BytesMut::new());
        for [head, body] in frames {
            let len = head.len() + body.len();
            let length = u32::try_from(len).map_err(|_| NetError::FrameTooLong {
                len,
                max: u32::MAX as usize,
            })?;
            small.put_u32_le(length);
            small.put_slice(head);
            if body.len() < SHARED {
                small.put_slice(body);
            } else {
                chunks.extend([small.split().freeze(), body.clone()]);
            }
        }
        chunks.push(small.freeze());
        self.stream
            .write_all_chunks(&mut chunks)
            .await
            .map_err(|error| NetError::ConnectionLost(error.to_string()))
    }

    /// Says that no frame follows.
    pub fn finish(&mut self) -> Result<(), NetError> {
        self.stream
            .finish()
            .map_err(|error| NetError::ConnectionLost(error.to_string()))
    }

    /// Waits until the peer has received everything or no longer wants it.
    pub async fn flushed(&mut self) {
        let _ = self.stream.stopped().await;
    }
}

/// Receives frames, in order.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
}

impl FrameReceiver {
    pub(crate) fn new(stream: RecvStream) -> Self {
        Self { stream }
    }

    /// The next frame; `None` when the peer has finished. A longer frame than `F` allows is refused by its length,
    /// before any of it is read. Not to be cancelled half-way: a frame would be torn.
    pub async fn receive<F: Frame>(&mut self) -> Result<Option<F>, NetError> {
        let mut length = [0; 4];
        match self.stream.read_exact(&mut length).await {
            Ok(()) => {}
            Err(ReadExactError::FinishedEarly(0)) => return Ok(None),
            Err(error) => return Err(failed(error)),
        }
        let len = u32::from_le_bytes(length) as usize;
        if len > F::MAX_LEN {
            return Err(NetError::FrameTooLong {
                len,
                max: F::MAX_LEN,
            });
        }
        // Filled as it comes: a block is neither zeroed first nor gathered twice.
        let mut body = BytesMut::with_capacity(len).limit(len);
        while body.has_remaining_mut() {
            if self.stream.read_buf(&mut body).await.map_err(io_failed)? == 0 {
                return Err(NetError::UnexpectedEnd);
            }
        }
        Ok(Some(F::decode(body.into_inner().freeze())?))
    }
}

/// quinn's reason inside the error that tokio's traits ask for.
fn io_failed(error: std::io::Error) -> NetError {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    NetError::ConnectionLost(match inner {
        Some(ReadError::ConnectionLost(reason)) => reason.to_string(),
        _ => error.to_string(),
    })
}

fn failed(error: ReadExactError) -> NetError {
    match error {
        ReadExactError::FinishedEarly(_) => NetError::UnexpectedEnd,
        ReadExactError::ReadError(ReadError::ConnectionLost(error)) => {
            NetError::ConnectionLost(error.to_string())
        }
        ReadExactError::ReadError(error) => NetError::ConnectionLost(error.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use phantasma_wire::pdfs::Request;

    use super::*;
    use crate::{Endpoint, Identity, Protocol};

    /// What comes of bytes that are no whole frame, followed by the end of the stream.
    async fn receive(bytes: &[u8]) -> Result<Option<Request>, NetError> {
        let bind = |identity| {
            Endpoint::bind("127.0.0.1:0".parse().unwrap(), identity, Protocol::pdfs()).unwrap()
        };
        let (client, server) = (
            bind(&Identity::random().unwrap()),
            bind(&Identity::random().unwrap()),
        );
        let accept = async { server.accept().await.unwrap().finish().await.unwrap() };
        let (connected, accepted) =
            tokio::join!(client.connect(server.local_addr().unwrap(), None), accept);
        let (mut sender, _receiver) = connected.as_ref().unwrap().open().await.unwrap();
        sender.stream.write_all(bytes).await.unwrap();
        sender.finish().unwrap();
        accepted.accept().await.unwrap().1.receive().await
    }

    #[tokio::test]
    async fn a_stream_that_ends_inside_a_frame_is_an_error() {
        for torn in [&[2, 0][..], &[2, 0, 0, 0], &[2, 0, 0, 0, 1]] {
            let result = receive(torn).await;
            assert!(
                matches!(result, Err(NetError::UnexpectedEnd)),
                "{torn:?}: {result:?}"
            );
        }
    }

    #[tokio::test]
    async fn bytes_that_are_no_frame_are_an_error() {
        let error = receive(&[2, 0, 0, 0, 1, 99]).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "a frame that is not understood: request: no kind 99"
        );
    }

    #[tokio::test]
    async fn a_length_over_the_limit_takes_no_memory() {
        let result = receive(&[0xff; 4]).await;
        assert!(matches!(
            result,
            Err(NetError::FrameTooLong {
                len: 0xffff_ffff,
                max: Request::MAX_LEN
            })
        ));
    }
}
