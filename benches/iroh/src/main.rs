//! One blob between two processes by iroh-blobs, for `phantasma bench pdfs` to stand beside.
//!
//! `iroh-peer serve FILE FOLDER|memory` prints `ready ID ADDRESS HASH` and serves until killed;
//! `iroh-peer get ID ADDRESS HASH FOLDER|memory` fetches the blob and prints `SECONDS PEAK_KIB`. Relays and look-ups are
//! off: both ends are on this machine and know each other's address.

use std::{net::SocketAddr, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use iroh::{Endpoint, EndpointAddr, EndpointId, RelayMode, endpoint::presets, protocol::Router};
use iroh_blobs::{
    ALPN, BlobsProtocol, Hash,
    api::Store,
    store::{fs::FsStore, mem::MemStore},
};

#[tokio::main]
async fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["serve", file, store] => serve(file, store).await,
        ["get", id, address, hash, store] => get(id, address, hash, store).await,
        _ => bail!("usage: iroh-peer serve FILE STORE | get ID ADDRESS HASH STORE"),
    }
}

async fn open(store: &str) -> Result<Store> {
    Ok(match store {
        "memory" => (*MemStore::new()).clone(),
        folder => (*FsStore::load(folder).await?).clone(),
    })
}

async fn endpoint() -> Result<Endpoint> {
    let builder = Endpoint::builder(presets::Minimal).relay_mode(RelayMode::Disabled);
    Ok(builder.bind().await?)
}

async fn serve(file: &str, store: &str) -> Result<()> {
    let store = open(store).await?;
    let tag = store.blobs().add_path(std::path::absolute(Path::new(file))?).await?;
    let endpoint = endpoint().await?;
    let sockets = endpoint.bound_sockets();
    let port = sockets.iter().find(|address| address.is_ipv4()).context("an IPv4 socket")?.port();
    let id = endpoint.id();
    let _router = Router::builder(endpoint).accept(ALPN, BlobsProtocol::new(&store, None)).spawn();
    println!("ready {id} 127.0.0.1:{port} {}", tag.hash);
    std::future::pending().await
}

async fn get(id: &str, address: &str, hash: &str, store: &str) -> Result<()> {
    let store = open(store).await?;
    let (id, address): (EndpointId, SocketAddr) = (id.parse()?, address.parse()?);
    let hash: Hash = hash.parse()?;
    let endpoint = endpoint().await?;
    let started = Instant::now();
    let connection = endpoint.connect(EndpointAddr::new(id).with_ip_addr(address), ALPN).await?;
    store.remote().fetch(connection, hash).await?;
    let seconds = started.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0 kB");
    println!("{seconds} {}", peak.trim().trim_end_matches(" kB"));
    Ok(())
}
