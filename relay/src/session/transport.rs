//! What a session is carried by: a QUIC stream, a WebSocket, or one direction only.

use std::time::Duration;

use bytes::Bytes;
use phantasma_net::{FrameReceiver, FrameSender, NetError};
use phantasma_wire::relay::ClientFrame;

/// Where a client's frames come from.
pub(crate) trait Source: Send {
    /// The next frame; `None` at the end.
    fn receive(&mut self) -> impl Future<Output = Result<Option<ClientFrame>, NetError>> + Send;
}

/// Where frames go to a client.
pub(crate) trait Sink: Send + 'static {
    /// After so long without a frame [`Sink::keep_alive`] is called.
    const QUIET: Duration;

    /// Sends frames, each encoded and in two parts that follow each other. Waits while the client does not read.
    fn send(&mut self, frames: &[[Bytes; 2]]) -> impl Future<Output = Result<(), NetError>> + Send;

    /// Tells what lies between that somebody is there.
    fn keep_alive(&mut self) -> impl Future<Output = Result<(), NetError>> + Send;

    /// Says that nothing follows, and waits until the client knows.
    fn end(&mut self) -> impl Future<Output = ()> + Send;
}

impl Source for FrameReceiver {
    async fn receive(&mut self) -> Result<Option<ClientFrame>, NetError> {
        FrameReceiver::receive(self).await
    }
}

impl Sink for FrameSender {
    /// QUIC does that by itself.
    const QUIET: Duration = Duration::from_secs(3600);

    async fn send(&mut self, frames: &[[Bytes; 2]]) -> Result<(), NetError> {
        self.send_encoded(frames).await
    }

    async fn keep_alive(&mut self) -> Result<(), NetError> {
        Ok(())
    }

    async fn end(&mut self) {
        if self.finish().is_ok() {
            self.flushed().await;
        }
    }
}
