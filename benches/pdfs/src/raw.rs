//! One quinn stream with quinn's own settings and nothing on top: what the transport gives.

use std::{sync::Arc, time::Instant};

use anyhow::{Context, Result};
use bytes::Bytes;
use quinn::{ClientConfig, Endpoint, ServerConfig};
use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, PrivatePkcs8KeyDer},
};
use serde_json::{Value, json};

use crate::{disk::random, say};

const NAME: &str = "localhost";

/// Bytes given to quinn at once.
const PIECE: usize = 256 << 10;

/// Chunks taken from quinn at once.
const CHUNKS: usize = 64;

pub(crate) async fn serve(bytes: u64) -> Result<Value> {
    let made = rcgen::generate_simple_self_signed([NAME.to_owned()])?;
    let certificate = made.cert.der().clone();
    let key = PrivatePkcs8KeyDer::from(made.key_pair.serialize_der());
    let config = ServerConfig::with_single_cert(vec![certificate.clone()], key.into())?;
    let endpoint = Endpoint::server(config, ([127, 0, 0, 1], 0).into())?;
    say(&format!(
        "ready {} {}",
        endpoint.local_addr()?,
        hex::encode(&certificate)
    ))?;
    let piece = Bytes::from(random(PIECE));
    while let Some(incoming) = endpoint.accept().await {
        let connection = incoming.await?;
        let mut stream = connection.open_uni().await?;
        let mut left = bytes;
        while left > 0 {
            let take = left.min(PIECE as u64);
            stream
                .write_chunk(piece.slice(..usize::try_from(take)?))
                .await?;
            left -= take;
        }
        stream.finish()?;
        connection.closed().await;
    }
    Ok(crate::NOTHING)
}

pub(crate) async fn get(address: &str, certificate: &str) -> Result<Value> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(hex::decode(certificate)?))?;
    let mut endpoint = Endpoint::client(([127, 0, 0, 1], 0).into())?;
    endpoint.set_default_client_config(ClientConfig::with_root_certificates(Arc::new(roots))?);
    let started = Instant::now();
    let connection = endpoint.connect(address.parse()?, NAME)?.await?;
    let mut stream = connection.accept_uni().await?;
    let mut chunks = vec![Bytes::new(); CHUNKS];
    let mut read = 0_u64;
    while let Some(count) = stream.read_chunks(&mut chunks).await? {
        let got = chunks.get(..count).context("no more chunks than asked")?;
        read += got.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
    }
    let seconds = started.elapsed().as_secs_f64();
    connection.close(0_u32.into(), b"done");
    endpoint.wait_idle().await;
    Ok(json!({"seconds": seconds, "bytes": read}))
}
