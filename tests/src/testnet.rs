//! A private net with what tests need on it.

use std::ops::Deref;

use phantasma::net::{PrivateNet, PrivateNetConfig};

/// A private net of one test. Derefs to [`PrivateNet`].
#[derive(Debug)]
pub struct TestNet {
    net: PrivateNet,
}

impl TestNet {
    /// A fresh chain with 200 ms blocks on free ports.
    pub async fn start() -> Self {
        Self::with(PrivateNetConfig::default()).await
    }

    pub async fn with(config: PrivateNetConfig) -> Self {
        Self { net: PrivateNet::start(config).await.unwrap_or_else(|e| panic!("{e}")) }
    }
}

impl Deref for TestNet {
    type Target = PrivateNet;

    fn deref(&self) -> &PrivateNet {
        &self.net
    }
}
