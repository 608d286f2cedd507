//! How the bytes of `phantasma-wire` travel.
//!
//! * [`Identity`]: a Neo key (P-256) as the identity of a program.
//! * [`Endpoint`], [`Connection`]: the data plane, QUIC whose TLS 1.3 key on both sides *is* the Neo key, by raw public
//!   keys (RFC 7250). Who is connected is therefore known without any name, certificate or authority.
//! * [`FrameSender`], [`FrameReceiver`]: frames with a bounded length on the streams of a connection.
//! * [`control`]: the control plane, a libp2p Kademlia node under the same key.
//! * [`http`]: `/healthz` and `/metrics` of a service.
//!
//! Not here: what the frames mean (`phantasma-wire`), and any decision about who may do what (the services).
//!
//! ```no_run
//! use phantasma_net::{Endpoint, Identity, Protocol};
//! # async fn example() -> Result<(), phantasma_net::NetError> {
//! let identity = Identity::random()?;
//! let endpoint = Endpoint::bind("127.0.0.1:0".parse().unwrap(), &identity, Protocol::relay())?;
//! let connection = endpoint.connect("127.0.0.1:4100".parse().unwrap(), None).await?;
//! println!("connected to {}", hex::encode(connection.peer()));
//! # Ok(()) }
//! ```

pub mod control;
mod endpoint;
mod error;
mod frames;
pub mod http;
mod identity;
mod tls;
mod window;

pub use endpoint::{Connection, Endpoint, Incoming, Limits, Offered, Protocol, resolve};
pub use error::NetError;
pub use frames::{FrameReceiver, FrameSender};
pub use identity::{Identity, verify_signature};
