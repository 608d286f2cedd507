//! A subscription that outlives its connection.

use std::net::SocketAddr;
use std::time::Duration;

use phantasma_net::Identity;
use phantasma_wire::PublicKey;

use super::{ChainId, Messages, Received, RelayClient, RelayClientError, RelayError, Since};

/// Pauses between attempts to reach the relay: the first is short, as a restart takes less than a second; each next one is
/// twice as long, up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// Where a relay is, and as whom it is used.
#[derive(Clone, Debug)]
pub struct RelayAddress {
    pub address: SocketAddr,
    pub identity: Identity,
    /// A relay that proves another key gets nothing.
    pub expected: Option<PublicKey>,
    pub chain: ChainId,
}

/// Messages of one box for as long as somebody asks for them. When the connection is lost it is made again, and goes on
/// behind the last kept message: of those nothing is missed and nothing comes twice. Live ones of the meantime are lost.
#[derive(Debug)]
pub struct Lasting {
    relay: RelayAddress,
    box_id: u64,
    next: Since,
    open: Option<(RelayClient, Messages)>,
    pause: Duration,
    reconnects: u64,
}

impl Lasting {
    /// Connects with the first [`Lasting::next`].
    #[must_use]
    pub fn new(relay: RelayAddress, box_id: u64, since: Since) -> Self {
        Self {
            relay,
            box_id,
            next: since,
            open: None,
            pause: FIRST_PAUSE,
            reconnects: 0,
        }
    }

    /// The next message; waits for the relay as long as it takes. May be given up and called again at any time.
    ///
    /// # Errors
    /// What another attempt would not change: the relay refuses the subscription, proves another key, or lies.
    pub async fn next(&mut self) -> Result<Received, RelayClientError> {
        loop {
            let error = match self.try_next().await {
                Ok(received) => {
                    if received.position > 0 {
                        self.next = Since::Position(received.position + 1);
                    }
                    self.pause = FIRST_PAUSE;
                    return Ok(received);
                }
                Err(error) => error,
            };
            self.open = None;
            if !may_pass(&error) {
                return Err(error);
            }
            tracing::debug!(%error, pause = ?self.pause, "the relay is reached again soon");
            tokio::time::sleep(self.pause).await;
            self.pause = LAST_PAUSE.min(2 * self.pause);
            self.reconnects += 1;
        }
    }

    /// From where the next connection goes on.
    #[must_use]
    pub fn since(&self) -> Since {
        self.next
    }

    /// Connections that were lost or did not come about.
    #[must_use]
    pub fn reconnects(&self) -> u64 {
        self.reconnects
    }

    async fn try_next(&mut self) -> Result<Received, RelayClientError> {
        let (_, messages) = match &mut self.open {
            Some(open) => open,
            closed @ None => {
                let relay = &self.relay;
                let client = RelayClient::connect(
                    relay.address,
                    &relay.identity,
                    relay.expected,
                    relay.chain,
                )
                .await?;
                let messages = client.subscribe(self.box_id, self.next).await?;
                closed.insert((client, messages))
            }
        };
        let next = messages.next().await?;
        next.ok_or_else(|| RelayClientError::Disconnected("the subscription ended".into()))
    }
}

/// Whether another attempt may have another end.
fn may_pass(error: &RelayClientError) -> bool {
    match error {
        RelayClientError::Refused { error, .. } => match error {
            RelayError::Limit
            | RelayError::TooSlow
            | RelayError::Internal
            | RelayError::Closing => true,
            RelayError::Protocol
            | RelayError::WrongChain
            | RelayError::BadSignature
            | RelayError::UnknownBox
            | RelayError::Duplicate
            | RelayError::WrongTime
            | RelayError::Fault
            | RelayError::NotAllowed
            | RelayError::Payment => false,
        },
        RelayClientError::Disconnected(_) | RelayClientError::NoAnswer => true,
        RelayClientError::Net(error) => !matches!(
            **error,
            phantasma_net::NetError::WrongPeer { .. } | phantasma_net::NetError::Decode(_)
        ),
        RelayClientError::Misbehaved(_) | RelayClientError::AlreadySubscribed(_) => false,
    }
}
