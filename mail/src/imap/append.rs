//! APPEND: a mail that a client puts into a folder itself.

use std::io;
use std::path::Path;

use tokio::io::AsyncWriteExt as _;

use super::{Done, End, Session, no, ok};
use crate::files;
use crate::lines::Line;
use crate::post::now_s;
use crate::store::{Flags, NewMessage};
use crate::syntax::imap::{MAX_COMMAND, append, literal_at_end};

impl Session {
    pub(super) async fn append(&mut self, line: &[u8]) -> Done {
        let Some((open, len, waits)) = literal_at_end(line) else {
            return Ok(End::Bad("The message must be a literal".to_owned()));
        };
        let refused = match append(line.get(..open).unwrap_or_default()) {
            Err(wrong) => Err(End::Bad(wrong.to_string())),
            Ok(_) if len > self.daemon.limits.max_message => Err(End::No(format!(
                "[TOOBIG] At most {} bytes are taken",
                self.daemon.limits.max_message
            ))),
            Ok(found) => match self.daemon.store.with(&found.mailbox, |_| ()) {
                Ok(()) => Ok(found),
                Err(error) => Err(End::No(format!("[TRYCREATE] {error}"))),
            },
        };
        let found = match refused {
            Ok(found) => found,
            // Whoever waits sends nothing; what others have sent already is passed over.
            Err(end) if waits => return Ok(end),
            Err(end) => {
                self.take(len, None).await?;
                self.lines.read(MAX_COMMAND).await?;
                return Ok(end);
            }
        };
        if waits {
            self.say("+ Go on").await?;
        }
        self.lines.flush().await?;
        let file = self.daemon.store.scratch();
        self.take(len, Some(&file)).await?;
        match self.lines.read(MAX_COMMAND).await? {
            Line::Text(rest) if rest.is_empty() => {}
            Line::Text(_) | Line::TooLong => {
                return Ok(End::Bad("One message at a time".to_owned()));
            }
            Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
        }
        let message = NewMessage {
            file,
            date: found.date.unwrap_or_else(now_s),
            flags: Flags::from_imap(&found.flags),
            id: format!("{:016x}", rand::random::<u64>()),
        };
        let (store, mailbox) = (self.daemon.store.clone(), found.mailbox);
        let added = tokio::task::spawn_blocking(move || {
            let uid = store.add(&mailbox, &message)?;
            let validity = store.with(&mailbox, |folder| folder.uid_validity)?;
            Ok::<_, crate::store::StoreError>((validity, uid))
        });
        let added = added.await.map_err(io::Error::other)?;
        if let Some(mut selected) = self.selected.take() {
            self.sync(&mut selected, false).await?;
            self.selected = Some(selected);
        }
        match added {
            Ok((validity, uid)) => ok(&format!("[APPENDUID {validity} {uid}] Kept")),
            Err(error) => no(&error.to_string()),
        }
    }

    /// Takes so many bytes, into a file if one is named.
    async fn take(&mut self, len: u64, into: Option<&Path>) -> io::Result<()> {
        let mut file = match into {
            Some(path) => {
                let made = files::create(path);
                let made = made.map_err(|error| io::Error::other(error.to_string()))?;
                Some(tokio::fs::File::from_std(made))
            }
            None => None,
        };
        let mut left = len;
        while left > 0 {
            let bytes = self.lines.fill().await?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let used = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
            if let Some(file) = &mut file {
                file.write_all(bytes.get(..used).unwrap_or_default())
                    .await?;
            }
            self.lines.consume(used);
            left -= used as u64;
        }
        match &mut file {
            Some(file) => file.flush().await,
            None => Ok(()),
        }
    }
}
