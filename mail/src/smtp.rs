//! SMTP submission (RFC 6409) for one mailbox, and for a bridge the reception of mail from outside: a mail is accepted when
//! it lies in the outbox, on the disk.

use std::io;
use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::address::{AddressError, DOMAIN, Mailbox};
use crate::bridge::{self, Bridge};
use crate::daemon::Daemon;
use crate::lines::{Line, Lines};
use crate::login::{DELAY, MAX_TRIES};
use crate::outbox::{Job, Recipient};
use crate::post::{box_of, now_ms, now_s};
use crate::postage;
use crate::send::refusal;
use crate::submission::{self, SubmissionError};
use crate::syntax::smtp::{Command, DataReader, MAX_LINE, parse};

/// Readers of one mail.
const MAX_RECIPIENTS: usize = 100;

/// Wrong commands after which a connection ends.
const MAX_WRONG: usize = 50;

/// A session.
struct Session {
    daemon: Arc<Daemon>,
    lines: Lines,
    authenticated: bool,
    tries: usize,
    wrong: usize,
    mail: Option<Vec<Recipient>>,
    /// Set when the client is the mail server that brings mail from outside.
    outside: Option<Bridge>,
}

/// Whether the session goes on.
type Going = io::Result<bool>;

/// Serves one mail program until it leaves.
pub async fn serve(daemon: Arc<Daemon>, stream: TcpStream) {
    serve_as(daemon, stream, None).await;
}

/// Serves the mail server that brings mail from outside to a bridge.
pub async fn serve_outside(daemon: Arc<Daemon>, stream: TcpStream) {
    let bridge = daemon.bridge.clone();
    if bridge.is_some() {
        serve_as(daemon, stream, bridge).await;
    }
}

async fn serve_as(daemon: Arc<Daemon>, stream: TcpStream, outside: Option<Bridge>) {
    daemon.metrics.smtp_sessions.inc();
    let patience = daemon.limits.smtp_patience;
    let mut session = Session {
        daemon: daemon.clone(),
        lines: Lines::new(stream, patience),
        authenticated: false,
        tries: 0,
        wrong: 0,
        mail: None,
        outside,
    };
    if let Err(error) = session.run().await {
        tracing::debug!(%error, "an SMTP session ended");
    }
    session.lines.close().await;
    daemon.metrics.smtp_sessions.dec();
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        self.say(&format!("220 {} ESMTP Phantasma mail", self.host()))
            .await?;
        loop {
            let line = tokio::select! {
                line = self.lines.read(MAX_LINE) => line?,
                () = self.daemon.stopping.cancelled() => {
                    return self.say("421 4.3.2 The mail server is stopping").await;
                }
            };
            let going = match line {
                Line::End => return Ok(()),
                Line::TooLong => self.wrong("500 5.5.2 The line is too long").await?,
                Line::Text(line) => match parse(&line) {
                    Ok(command) => self.command(command).await?,
                    Err(wrong) => self.wrong(&wrong.to_string()).await?,
                },
            };
            if !going {
                return Ok(());
            }
        }
    }

    /// What this server calls itself.
    fn host(&self) -> String {
        let outside = self.outside.as_ref().map(|bridge| bridge.domain.clone());
        outside.unwrap_or_else(|| DOMAIN.to_owned())
    }

    async fn say(&mut self, line: &str) -> io::Result<()> {
        self.lines.write(format!("{line}\r\n").as_bytes()).await
    }

    async fn reply(&mut self, line: &str) -> Going {
        self.say(line).await?;
        Ok(true)
    }

    async fn wrong(&mut self, line: &str) -> Going {
        self.wrong += 1;
        if self.wrong > MAX_WRONG {
            self.say("421 4.7.0 Too many wrong commands").await?;
            return Ok(false);
        }
        self.reply(line).await
    }

    async fn command(&mut self, command: Command) -> Going {
        match command {
            Command::Ehlo(_) => {
                self.mail = None;
                let host = self.host();
                let size = self.daemon.limits.max_message;
                let auth = match self.outside {
                    Some(_) => "",
                    None => "250-AUTH PLAIN LOGIN\r\n250-AUTH=PLAIN LOGIN\r\n",
                };
                self.reply(&format!(
                    "250-{host}\r\n250-PIPELINING\r\n250-SIZE {size}\r\n250-8BITMIME\r\n{auth}250 ENHANCEDSTATUSCODES"
                ))
                .await
            }
            Command::Helo(_) => {
                self.mail = None;
                self.reply(&format!("250 {}", self.host())).await
            }
            Command::Auth(mechanism, initial) => self.auth(&mechanism, initial).await,
            Command::Mail { from, size } => self.mail(&from, size).await,
            Command::Rcpt(to) => self.rcpt(&to).await,
            Command::Data => self.data().await,
            Command::Rset => {
                self.mail = None;
                self.reply("250 2.0.0 Forgotten").await
            }
            Command::Noop => self.reply("250 2.0.0 Here").await,
            Command::Verify => self.reply("252 2.5.0 Send a mail to find out").await,
            Command::Help => self.reply("214 2.0.0 See docs/mail.md").await,
            Command::Quit => {
                self.say("221 2.0.0 Good bye").await?;
                Ok(false)
            }
        }
    }

    async fn auth(&mut self, mechanism: &str, initial: Option<String>) -> Going {
        if self.authenticated || self.outside.is_some() {
            return self.wrong("503 5.5.1 You are in already").await;
        }
        let right = match mechanism {
            "PLAIN" => {
                let response = match initial {
                    Some(initial) => initial,
                    None => match self.ask("").await? {
                        Some(response) => response,
                        None => return self.wrong("501 5.7.0 Given up").await,
                    },
                };
                let plain = BASE64.decode(response).unwrap_or_default();
                self.daemon.login.is_right_plain(&plain)
            }
            "LOGIN" => {
                let user = match initial {
                    Some(user) => Some(user),
                    None => self.ask("VXNlcm5hbWU6").await?,
                };
                let Some(user) = user else {
                    return self.wrong("501 5.7.0 Given up").await;
                };
                let Some(password) = self.ask("UGFzc3dvcmQ6").await? else {
                    return self.wrong("501 5.7.0 Given up").await;
                };
                let user = BASE64.decode(user).unwrap_or_default();
                let password = BASE64.decode(password).unwrap_or_default();
                self.daemon.login.is_right(&user, &password)
            }
            _ => {
                return self
                    .wrong("504 5.5.4 Only PLAIN and LOGIN are offered")
                    .await;
            }
        };
        if right {
            self.authenticated = true;
            return self.reply("235 2.7.0 Welcome").await;
        }
        self.daemon.metrics.logins_refused.inc();
        self.tries += 1;
        tokio::time::sleep(DELAY).await;
        if self.tries >= MAX_TRIES {
            self.say("421 4.7.0 Too many wrong passwords").await?;
            return Ok(false);
        }
        self.reply("535 5.7.8 Wrong name or password; `phantasma mail password` shows it")
            .await
    }

    /// A question of AUTH; None when the client gives up.
    async fn ask(&mut self, challenge: &str) -> io::Result<Option<String>> {
        self.say(&format!("334 {challenge}")).await?;
        Ok(match self.lines.read(MAX_LINE).await? {
            Line::Text(line) if line != b"*" => {
                Some(String::from_utf8_lossy(&line).trim().to_owned())
            }
            Line::Text(_) | Line::TooLong | Line::End => None,
        })
    }

    async fn mail(&mut self, from: &str, size: Option<u64>) -> Going {
        if !self.authenticated && self.outside.is_none() {
            return self.wrong("530 5.7.0 Log in first").await;
        }
        if self.mail.is_some() {
            return self.wrong("503 5.5.1 One mail after the other").await;
        }
        let max = self.daemon.limits.max_message;
        if size.is_some_and(|size| size > max) {
            return self
                .reply(&format!("552 5.3.4 At most {max} bytes are taken"))
                .await;
        }
        let own = &self.daemon.post.own;
        let refusal = match &self.outside {
            None if from.parse() != Ok(own.clone()) => {
                format!("550 5.7.1 You are {own} and send under no other address")
            }
            // Reports come from nobody (RFC 5321, section 4.5.5).
            Some(bridge) if !from.is_empty() && !bridge.allows(from) => {
                format!("550 5.7.1 {from} is of no provider from which mail is taken")
            }
            None | Some(_) => String::new(),
        };
        if !refusal.is_empty() {
            return self.reply(&refusal).await;
        }
        self.mail = Some(Vec::new());
        self.reply("250 2.1.0 Go on").await
    }

    async fn rcpt(&mut self, to: &str) -> Going {
        let Some(recipients) = &self.mail else {
            return self.wrong("503 5.5.1 MAIL comes first").await;
        };
        if recipients.len() >= MAX_RECIPIENTS {
            let text = format!("452 4.5.3 At most {MAX_RECIPIENTS} readers a mail");
            return self.reply(&text).await;
        }
        match self.recipient(to).await {
            Ok(recipient) => {
                if let Some(recipients) = &mut self.mail
                    && !recipients.iter().any(|known| known.name == recipient.name)
                {
                    recipients.push(recipient);
                }
                self.reply("250 2.1.5 Can be reached").await
            }
            Err(text) => self.reply(&text).await,
        }
    }

    /// Whether somebody takes mail from us, asked of the chain; or what SMTP says.
    async fn recipient(&self, to: &str) -> Result<Recipient, String> {
        let mailbox: Mailbox = match &self.outside {
            Some(bridge) => bridge
                .inside(to)
                .ok_or_else(|| format!("550 5.1.1 There is no {to} here"))?,
            None => to.parse().map_err(|error| match error {
                AddressError::Outside(_) => format!("550 5.1.2 {error}"),
                AddressError::Shape(_) | AddressError::Name(_) => format!("553 5.1.3 {error}"),
            })?,
        };
        let post = &self.daemon.post;
        let away = |error: String| {
            let error = error.replace(['\r', '\n'], " ");
            format!("451 4.4.1 The chain cannot be asked now: {error}")
        };
        let found = box_of(&post.contract, &mailbox).await;
        let Some(info) = found.map_err(|error| away(error.to_string()))? else {
            return Err(format!("550 5.1.1 There is no mailbox {mailbox}"));
        };
        let quoted = postage::quote(&post.contract, &post.account.script_hash, info.id).await;
        let quoted = quoted.map_err(|error| away(error.to_string()))?;
        match refusal(&mailbox, &quoted, post.terms.max_postage) {
            Some(text) => Err(format!("550 {text}")),
            None => Ok(Recipient::new(info.name, post.terms.max_postage)),
        }
    }

    async fn data(&mut self) -> Going {
        match &self.mail {
            None => return self.wrong("503 5.5.1 MAIL comes first").await,
            Some(recipients) if recipients.is_empty() => {
                return self.wrong("554 5.5.1 No reader was accepted").await;
            }
            Some(_) => {}
        }
        self.say("354 The mail, and a dot").await?;
        self.lines.flush().await?;
        let (id, path) = self.daemon.outbox.draft();
        let raw = path.with_extension("raw");
        let taken = self.take(&raw).await;
        let answer = match taken {
            Ok(true) => self.accept(&id, &raw, &path).await,
            Ok(false) => {
                let max = self.daemon.limits.max_message;
                format!("552 5.3.4 At most {max} bytes are taken")
            }
            Err(error) => {
                let _ = tokio::fs::remove_file(&raw).await;
                return Err(error);
            }
        };
        let _ = tokio::fs::remove_file(&raw).await;
        self.mail = None;
        self.reply(&answer).await
    }

    /// Writes what comes into a file; false when it is too long.
    async fn take(&mut self, path: &Path) -> io::Result<bool> {
        let mut file = tokio::fs::File::from_std(
            crate::files::create(path).map_err(|error| io::Error::other(error.to_string()))?,
        );
        let (mut reader, mut size) = (DataReader::default(), 0_u64);
        let mut plain = Vec::new();
        loop {
            let bytes = self.lines.fill().await?;
            if bytes.is_empty() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let len = bytes.len();
            plain.clear();
            let end = reader.push(bytes, &mut plain);
            self.lines.consume(end.unwrap_or(len));
            size += plain.len() as u64;
            if size <= self.daemon.limits.max_message {
                file.write_all(&plain).await?;
            }
            if end.is_some() {
                file.flush().await?;
                return Ok(size <= self.daemon.limits.max_message);
            }
        }
    }

    /// Puts the mail into the outbox; what SMTP says of it.
    async fn accept(&mut self, id: &str, raw: &Path, path: &Path) -> String {
        let recipients = self.mail.take().unwrap_or_default();
        let (daemon, id) = (self.daemon.clone(), id.to_owned());
        let (raw, path) = (raw.to_owned(), path.to_owned());
        let outside = self.outside.clone();
        let work = move || -> Result<String, String> {
            let own = &daemon.post.own;
            let made = match &outside {
                None => submission::finish(own, &raw, &path, now_s()),
                Some(bridge) => bridge::turn_in(bridge, own, &raw, &path, now_s()),
            };
            made.map_err(|error| match error {
                SubmissionError::Refused(text) => format!("550 {text}"),
                SubmissionError::File(error) => format!("451 4.3.0 {error}"),
            })?;
            let job = Job::new(recipients, now_ms());
            let saved = daemon.outbox.save(&id, &job);
            saved.map_err(|error| format!("451 4.3.0 {error}"))?;
            daemon.metrics.accepted.inc();
            daemon.work.notify_one();
            Ok(format!("250 2.0.0 On its way as {id}"))
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(text) | Err(text)) => text,
            Err(error) => format!("451 4.3.0 {error}"),
        }
    }
}
