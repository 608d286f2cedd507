//! The HTTP server of the services, asked by hand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::routing::get;
use phantasma_net::http::{HttpError, HttpServer};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

async fn ask(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn health_metrics_and_own_routes_are_served() {
    let healthy = Arc::new(AtomicBool::new(true));
    let mut registry = Registry::default();
    let counter: Counter = Counter::default();
    registry.register("messages", "Messages", counter.clone());
    counter.inc_by(3);
    let health = {
        let healthy = Arc::clone(&healthy);
        Arc::new(move || {
            if healthy.load(Ordering::Relaxed) {
                Ok(())
            } else {
                Err("no chain".to_owned())
            }
        })
    };
    let routes = Router::new().route("/own", get(|| async { "mine" }));
    let listen = "127.0.0.1:0".parse().unwrap();
    let server = HttpServer::start(listen, Arc::new(registry), health, routes)
        .await
        .unwrap();
    let address = server.local_addr();

    assert!(ask(address, "/healthz").await.starts_with("HTTP/1.1 200"));
    assert!(ask(address, "/metrics").await.contains("messages_total 3"));
    assert!(ask(address, "/own").await.ends_with("mine"));
    assert!(ask(address, "/other").await.starts_with("HTTP/1.1 404"));
    healthy.store(false, Ordering::Relaxed);
    let sick = ask(address, "/healthz").await;
    assert!(
        sick.starts_with("HTTP/1.1 503") && sick.contains("no chain"),
        "{sick}"
    );

    server.shutdown().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_taken_tcp_port_is_named() {
    let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let registry = Arc::new(Registry::default());
    let error = HttpServer::start(address, registry, Arc::new(|| Ok(())), Router::new())
        .await
        .unwrap_err();
    assert!(matches!(error, HttpError::PortTaken(taken) if taken == address));
    assert!(error.to_string().contains(&format!(
        "TCP port {} is taken on 127.0.0.1",
        address.port()
    )));
}
