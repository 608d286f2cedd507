//! Private Neo nets: one neo-go validator on 127.0.0.1, every hardfork on from block 0, MainNet's limits.
//!
//! * [`PrivateNet`] lives as long as its value: tests and the demo.
//! * [`detached`] is `phantasma net up|down|status`: a node that outlives the command, kept in a folder.
//! * [`neogo`] finds or fetches the binary; [`config`] writes its configuration.
//!
//! ```no_run
//! # async fn example() -> Result<(), phantasma::net::NetError> {
//! use phantasma::net::{PrivateNet, PrivateNetConfig};
//! let net = PrivateNet::start(PrivateNetConfig::default()).await?;
//! net.fund_gas("NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx", 100_0000_0000).await?;
//! println!("{}", net.rpc_url());
//! # Ok(()) }
//! ```

mod committee;
pub mod config;
pub mod detached;
mod error;
pub mod neogo;
mod private;
pub mod process;
mod ready;
pub mod validator;

pub use committee::Committee;
pub use config::{NETWORK_MAGIC, Store};
pub use error::NetError;
pub use private::{PrivateNet, PrivateNetConfig, TEST_BLOCK_TIME_MS, free_port};
