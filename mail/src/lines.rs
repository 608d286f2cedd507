//! A TCP connection of lines, as SMTP and IMAP speak: bounded, with a limit on waiting, answers collected until the
//! client has been read to the end (pipelining).

use std::io;
use std::time::Duration;

use tokio::io::{
    AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter,
};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::time::timeout;

/// Both halves are buffered with this many bytes.
const BUFFER: usize = 64 << 10;

/// A client that does not take its answers for so long is gone.
const SEND: Duration = Duration::from_secs(300);

/// What was read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Without its line end.
    Text(Vec<u8>),
    /// It was longer than allowed, and is passed over up to its end.
    TooLong,
    /// The client is gone.
    End,
}

/// A connection.
#[derive(Debug)]
pub(crate) struct Lines {
    reader: BufReader<OwnedReadHalf>,
    writer: BufWriter<OwnedWriteHalf>,
    /// The beginning of a line whose end has not come yet: a wait for it may be given up.
    partial: Vec<u8>,
    too_long: bool,
    /// How long a client may be silent.
    pub(crate) patience: Duration,
}

impl Lines {
    pub(crate) fn new(stream: TcpStream, patience: Duration) -> Self {
        // Answers are collected here; waiting for more in the kernel only delays them.
        let _ = stream.set_nodelay(true);
        let (reader, writer) = stream.into_split();
        Self {
            reader: BufReader::with_capacity(BUFFER, reader),
            writer: BufWriter::with_capacity(BUFFER, writer),
            partial: Vec::new(),
            too_long: false,
            patience,
        }
    }

    /// The next line, of at most `max` bytes. What is to be said is sent before waiting. Giving up the wait loses nothing.
    pub(crate) async fn read(&mut self, max: usize) -> io::Result<Line> {
        if !self.reader.buffer().contains(&b'\n') {
            self.flush().await?;
        }
        loop {
            let bytes = self.fill().await?;
            if bytes.is_empty() {
                return Ok(Line::End);
            }
            let end = bytes.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(bytes.len(), |at| at + 1);
            let piece = bytes.get(..used).unwrap_or_default().to_vec();
            self.reader.consume(used);
            if self.partial.len() + used > max + 2 {
                self.too_long = true;
            } else {
                self.partial.extend_from_slice(&piece);
            }
            if end.is_some() {
                break;
            }
        }
        let mut line = std::mem::take(&mut self.partial);
        if std::mem::take(&mut self.too_long) {
            return Ok(Line::TooLong);
        }
        if line.ends_with(b"\n") {
            line.pop();
        }
        if line.ends_with(b"\r") {
            line.pop();
        }
        Ok(Line::Text(line))
    }

    /// Some bytes, as they come; none at the end. [`Lines::consume`] takes them out.
    pub(crate) async fn fill(&mut self) -> io::Result<&[u8]> {
        let waiting = timeout(self.patience, self.reader.fill_buf()).await;
        waiting.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    pub(crate) fn consume(&mut self, bytes: usize) {
        self.reader.consume(bytes);
    }

    /// So many bytes exactly.
    pub(crate) async fn read_exact(&mut self, count: usize) -> io::Result<Vec<u8>> {
        self.flush().await?;
        let mut bytes = vec![0; count];
        let reading = timeout(self.patience, self.reader.read_exact(&mut bytes)).await;
        reading.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(bytes)
    }

    /// Says something; it is sent before the next wait.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let writing = timeout(SEND, self.writer.write_all(bytes)).await;
        writing.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    pub(crate) async fn flush(&mut self) -> io::Result<()> {
        let writing = timeout(SEND, self.writer.flush()).await;
        writing.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Says the last things, and ends.
    pub(crate) async fn close(mut self) {
        // The client may be gone, which is as well.
        let _ = self.flush().await;
        let _ = self.writer.shutdown().await;
    }
}
