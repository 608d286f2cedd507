//! Hands a mail to a server outside: SMTP as a client (RFC 5321). The server is on this machine and does the rest: TLS,
//! signatures, queues.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::lines::{Line, Lines};

/// RFC 5321 lets a server take minutes for some answers.
const PATIENCE: Duration = Duration::from_secs(300);

/// Lines of one answer, and characters of a line.
const MAX_LINES: usize = 100;
const MAX_LINE: usize = 2048;

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    #[error("the server {address}: {error}")]
    Io {
        address: SocketAddr,
        error: io::Error,
    },
    /// An answer that says no; 4xx means not now.
    #[error("the server says {0}")]
    Refused(String),
}

impl ClientError {
    /// Whether the same may work later.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Io { .. } => true,
            Self::Refused(text) => !text.starts_with('5'),
        }
    }
}

/// What became of each reader: None when the server took the mail for them.
pub type Outcome = Vec<(String, Option<String>)>;

/// Gives a mail to the server.
///
/// # Errors
/// The server is away, or refuses for all.
pub async fn submit(
    address: SocketAddr,
    hello: &str,
    from: &str,
    to: &[String],
    mail: &Path,
) -> Result<Outcome, ClientError> {
    let failed = |error| ClientError::Io { address, error };
    let connecting = timeout(PATIENCE, TcpStream::connect(address)).await;
    let stream = connecting
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
        .map_err(failed)?;
    let mut client = Client {
        lines: Lines::new(stream, PATIENCE),
        address,
    };
    client.expect('2').await?;
    client.ask(&format!("EHLO {hello}"), '2').await?;
    client.ask(&format!("MAIL FROM:<{from}>"), '2').await?;
    let mut outcome = Vec::new();
    for reader in to {
        match client.ask(&format!("RCPT TO:<{reader}>"), '2').await {
            Ok(()) => outcome.push((reader.clone(), None)),
            Err(error) if error.is_transient() => return Err(error),
            Err(error) => outcome.push((reader.clone(), Some(error.to_string()))),
        }
    }
    if outcome.iter().any(|(_, refused)| refused.is_none()) {
        client.ask("DATA", '3').await?;
        client.text(mail).await.map_err(failed)?;
        client.expect('2').await?;
    }
    // The mail is taken whether or not the server hears the end.
    let _ = client.ask("QUIT", '2').await;
    client.lines.close().await;
    Ok(outcome)
}

struct Client {
    lines: Lines,
    address: SocketAddr,
}

impl Client {
    async fn ask(&mut self, command: &str, class: char) -> Result<(), ClientError> {
        let line = format!("{command}\r\n");
        let sent = self.lines.write(line.as_bytes()).await;
        sent.map_err(|error| ClientError::Io {
            address: self.address,
            error,
        })?;
        self.expect(class).await
    }

    /// Reads one answer, which must be of a class.
    async fn expect(&mut self, class: char) -> Result<(), ClientError> {
        let address = self.address;
        let failed = |error| ClientError::Io { address, error };
        let mut last = String::new();
        for _ in 0..MAX_LINES {
            let line = match self.lines.read(MAX_LINE).await.map_err(failed)? {
                Line::Text(line) => String::from_utf8_lossy(&line).into_owned(),
                Line::TooLong | Line::End => {
                    return Err(failed(io::ErrorKind::UnexpectedEof.into()));
                }
            };
            last.clone_from(&line);
            if line.get(3..4) != Some("-") {
                break;
            }
        }
        match last.starts_with(class) {
            true => Ok(()),
            false => Err(ClientError::Refused(last)),
        }
    }

    /// Sends the mail with dots doubled, and its end.
    async fn text(&mut self, mail: &Path) -> io::Result<()> {
        let mut file = tokio::fs::File::open(mail).await?;
        let mut buffer = vec![0; 64 << 10];
        let (mut before, mut out) = (*b"\r\n", Vec::new());
        loop {
            let len = file.read(&mut buffer).await?;
            if len == 0 {
                break;
            }
            out.clear();
            for byte in buffer.get(..len).unwrap_or_default() {
                if *byte == b'.' && before == *b"\r\n" {
                    out.push(b'.');
                }
                out.push(*byte);
                before = [before[1], *byte];
            }
            self.lines.write(&out).await?;
        }
        let end: &[u8] = if before == *b"\r\n" {
            b".\r\n"
        } else {
            b"\r\n.\r\n"
        };
        self.lines.write(end).await
    }
}
