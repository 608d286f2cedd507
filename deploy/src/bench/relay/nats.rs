//! NATS beside ours: Debian's `nats-server`, and as much of a client of its text protocol as a fan-out needs. Its messages
//! are neither signed nor encrypted, and its readers check nothing; or, to promise its readers what ours are promised, each
//! carries its author's signature, which each reader checks.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use phantasma_net::verify_signature;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::{Class, Message};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::load::{Flow, Load, Measured, SUBSCRIBERS};
use super::ours::Author;

/// What to do when it is not there.
pub(super) const INSTALL: &str = "apt-get install nats-server";

/// Bytes that a reader takes at once.
const READ: usize = 256 << 10;

/// A running server, stopped when it is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    address: SocketAddr,
}

impl Server {
    /// `None` when it is not installed.
    pub(super) async fn start() -> Result<Option<Self>> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let port = address.port().to_string();
        // Debian puts it where only root looks.
        let found = ["nats-server", "/usr/sbin/nats-server"]
            .iter()
            .find_map(|path| {
                Command::new(path)
                    .args(["-a", "127.0.0.1", "-p", &port])
                    .stdout(Stdio::null())
                    .stderr(Stdio::null())
                    .spawn()
                    .ok()
            });
        let Some(child) = found else { return Ok(None) };
        let server = Self { child, address };
        for _ in 0..100 {
            if TcpStream::connect(address).await.is_ok() {
                return Ok(Some(server));
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        bail!("nats-server did not listen on {address} within 5 s")
    }

    /// Version as it prints it.
    pub(super) fn name() -> String {
        let output = ["nats-server", "/usr/sbin/nats-server"]
            .iter()
            .find_map(|path| Command::new(path).arg("--version").output().ok());
        let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let version = text.as_deref().and_then(|text| text.split('v').next_back());
        format!("NATS {}", version.unwrap_or_default().trim())
    }

    /// With `signed`, each message is one of ours with a signature of its own.
    pub(super) async fn run(&self, load: Load, signed: bool) -> Result<Measured> {
        let flow = Arc::new(Flow::new(load));
        let mut readers = Vec::new();
        for _ in 0..SUBSCRIBERS {
            let mut stream = self.connect("SUB box 1\r\n").await?;
            let flow = flow.clone();
            readers.push(tokio::spawn(async move {
                read(&mut stream, &flow, signed).await
            }));
        }
        let mut stream = self.connect("").await?;
        let publisher = {
            let flow = flow.clone();
            tokio::spawn(async move { publish(&mut stream, &flow, signed).await })
        };
        let seen = {
            let flow = flow.clone();
            tokio::task::spawn_blocking(move || flow.watch()).await?
        };
        publisher.await??;
        for reader in readers {
            reader.await??;
        }
        Ok(flow.measured(seen))
    }

    /// A connection whose first commands the server has taken.
    async fn connect(&self, commands: &str) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        let hello = format!(
            "CONNECT {{\"verbose\":false,\"pedantic\":false,\"tls_required\":false}}\r\n{commands}PING\r\n"
        );
        stream.write_all(hello.as_bytes()).await?;
        let mut answer = Vec::new();
        while !answer.ends_with(b"PONG\r\n") {
            if stream.read_buf(&mut answer).await? == 0 {
                bail!("nats-server: {}", String::from_utf8_lossy(&answer));
            }
        }
        Ok(stream)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

async fn publish(stream: &mut TcpStream, flow: &Flow, signed: bool) -> Result<()> {
    let author = Author::new(Class::Ephemeral)?;
    while let Some(count) = flow.take() {
        if count == 0 {
            tokio::time::sleep(Duration::from_micros(200)).await;
            continue;
        }
        let mut bytes = Vec::new();
        for _ in 0..count {
            let payload = match signed {
                true => author.single(flow.payload())?.encode(),
                false => flow.payload(),
            };
            bytes.extend_from_slice(format!("PUB box {}\r\n", payload.len()).as_bytes());
            bytes.extend_from_slice(&payload);
            bytes.extend_from_slice(b"\r\n");
        }
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

async fn read(stream: &mut TcpStream, flow: &Flow, signed: bool) -> Result<()> {
    let (mut notes, mut bytes) = (flow.notes(), Vec::with_capacity(READ));
    while !flow.stopped() {
        let read = tokio::time::timeout(Duration::from_millis(50), stream.read_buf(&mut bytes));
        match read.await {
            Ok(read) => {
                if read? == 0 {
                    bail!("nats-server ended the connection");
                }
            }
            Err(_) => continue,
        }
        let mut used = 0;
        while let Some((payload, len)) = message(bytes.get(used..).unwrap_or_default())? {
            match payload {
                Some(payload) if signed => notes.got(&checked(payload)?),
                Some(payload) => notes.got(payload),
                None => {}
            }
            used += len;
        }
        bytes.drain(..used);
        bytes.reserve(READ);
    }
    Ok(())
}

/// The payload of a message of ours, after a look at its signature.
fn checked(bytes: &[u8]) -> Result<Bytes> {
    let message = Message::decode(Bytes::copy_from_slice(bytes))?;
    ensure!(message.is_signed(verify_signature), "a signature is wrong");
    Ok(message.body.payload)
}

/// A message or command of the server: its payload, if it has one, and its length.
type Part<'a> = (Option<&'a [u8]>, usize);

/// The first message or command; `None` when it is not whole.
fn message(bytes: &[u8]) -> Result<Option<Part<'_>>> {
    let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else {
        return Ok(None);
    };
    let line = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
    if !line.starts_with("MSG ") {
        return Ok(Some((None, end + 2)));
    }
    let len: usize = line
        .rsplit(' ')
        .next()
        .and_then(|len| len.parse().ok())
        .with_context(|| format!("nats-server sent {line}"))?;
    let payload = bytes.get(end + 2..end + 2 + len);
    let whole = bytes.len() >= end + 2 + len + 2;
    Ok(payload
        .filter(|_| whole)
        .map(|payload| (Some(payload), end + 2 + len + 2)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_taken_only_when_they_are_whole() {
        let bytes = b"PING\r\nMSG box 1 3\r\nabc\r\nMSG box";
        let (none, len) = message(bytes).unwrap().unwrap();
        assert_eq!((none, len), (None, 6));
        let (payload, len) = message(&bytes[6..]).unwrap().unwrap();
        assert_eq!((payload, len), (Some(&b"abc"[..]), 18));
        assert_eq!(message(&bytes[24..]).unwrap(), None);
        assert_eq!(message(&bytes[6..22]).unwrap(), None);
        assert!(message(b"MSG box 1 many\r\n").is_err());
    }
}
