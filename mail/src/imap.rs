//! An IMAP4rev1 server (RFC 3501) for one mailbox's folders, with IDLE, UIDPLUS, MOVE, UNSELECT, SPECIAL-USE.

mod append;
mod fetch;
mod folders;
mod search;
mod selected;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tokio::net::TcpStream;

use crate::daemon::Daemon;
use crate::lines::{Line, Lines};
use crate::login::{DELAY, MAX_TRIES};
use crate::store::StoreError;
use crate::syntax::imap::{Command, MAX_COMMAND, is_append, literal_at_end, parse, tag};
use selected::Selected;

/// What this server can.
const CAPABILITIES: &str = "IMAP4rev1 LITERAL+ SASL-IR AUTH=PLAIN AUTH=LOGIN IDLE UIDPLUS MOVE UNSELECT NAMESPACE ID \
                            SPECIAL-USE CHILDREN";

/// Wrong commands after which a connection ends.
const MAX_WRONG: usize = 100;

/// How often an idle client's folder is looked at for files of other programs.
const LOOK: Duration = Duration::from_secs(2);

/// How a command ended.
pub(crate) enum End {
    /// With this text behind `OK`.
    Ok(String),
    /// With this text behind `NO`.
    No(String),
    /// With this text behind `BAD`.
    Bad(String),
    /// The session is over, after `OK`.
    Logout,
    /// The session is over.
    Gone,
}

/// A session.
pub(crate) struct Session {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) lines: Lines,
    pub(crate) selected: Option<Selected>,
    authenticated: bool,
    tries: usize,
    wrong: usize,
}

/// The result of a command, or the end of the connection.
pub(crate) type Done = io::Result<End>;

/// Serves one client until it leaves.
pub async fn serve(daemon: Arc<Daemon>, stream: TcpStream) {
    daemon.metrics.imap_sessions.inc();
    let patience = daemon.limits.imap_patience;
    let mut session = Session {
        daemon: daemon.clone(),
        lines: Lines::new(stream, patience),
        selected: None,
        authenticated: false,
        tries: 0,
        wrong: 0,
    };
    if let Err(error) = session.run().await {
        tracing::debug!(%error, "an IMAP session ended");
    }
    session.lines.close().await;
    daemon.metrics.imap_sessions.dec();
}

impl Session {
    async fn run(&mut self) -> io::Result<()> {
        self.say(&format!("* OK [CAPABILITY {CAPABILITIES}] Phantasma mail"))
            .await?;
        loop {
            let line = tokio::select! {
                line = self.lines.read(MAX_COMMAND) => line?,
                () = self.daemon.stopping.cancelled() => {
                    return self.say("* BYE The mail server is stopping").await;
                }
            };
            let line = match line {
                Line::End => return Ok(()),
                Line::TooLong => {
                    self.say("* BAD The command is too long").await?;
                    continue;
                }
                Line::Text(line) => line,
            };
            if line.is_empty() {
                continue;
            }
            let tag = tag(&line).unwrap_or("*").to_owned();
            let end = match is_append(&line) && self.authenticated {
                true => self.append(&line).await?,
                false => match self.literals(line).await? {
                    Some(command) => self.parsed(&command).await?,
                    None => End::Bad("The command is too long".to_owned()),
                },
            };
            if !self.finish(&tag, end).await? {
                return Ok(());
            }
        }
    }

    /// Says how a command ended; whether the session goes on.
    async fn finish(&mut self, tag: &str, end: End) -> io::Result<bool> {
        match end {
            End::Ok(text) => self.say(&format!("{tag} OK {text}")).await?,
            End::No(text) => {
                let text = text.replace(['\r', '\n'], " ");
                self.say(&format!("{tag} NO {text}")).await?;
            }
            End::Bad(text) => {
                self.wrong += 1;
                self.say(&format!("{tag} BAD {text}")).await?;
                if self.wrong > MAX_WRONG {
                    self.say("* BYE Too many wrong commands").await?;
                    return Ok(false);
                }
            }
            End::Logout => {
                self.say(&format!("{tag} OK Good bye")).await?;
                return Ok(false);
            }
            End::Gone => return Ok(false),
        }
        Ok(true)
    }

    pub(crate) async fn say(&mut self, line: &str) -> io::Result<()> {
        self.lines.write(format!("{line}\r\n").as_bytes()).await
    }

    /// The whole command: its first line, and the literals and lines that follow. None when that is too long.
    async fn literals(&mut self, mut command: Vec<u8>) -> io::Result<Option<Vec<u8>>> {
        let mut from = 0;
        while let Some((_, len, waits)) = literal_at_end(command.get(from..).unwrap_or_default()) {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            if command.len().saturating_add(len) > MAX_COMMAND {
                // A client that has not waited sends what is no command; it is told so until it stops.
                return Ok(None);
            }
            if waits {
                self.say("+ Go on").await?;
            }
            command.extend_from_slice(b"\r\n");
            command.extend(self.lines.read_exact(len).await?);
            from = command.len();
            match self.lines.read(MAX_COMMAND).await? {
                Line::Text(line) if command.len() + line.len() <= MAX_COMMAND => {
                    command.extend(line)
                }
                Line::Text(_) | Line::TooLong => return Ok(None),
                Line::End => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        Ok(Some(command))
    }

    async fn parsed(&mut self, command: &[u8]) -> Done {
        let command = match parse(command) {
            Ok((_, command)) => command,
            Err(wrong) => return Ok(End::Bad(wrong.to_string())),
        };
        match command {
            Command::Capability => {
                self.say(&format!("* CAPABILITY {CAPABILITIES}")).await?;
                ok("Done")
            }
            Command::Noop if self.selected.is_none() => ok("Done"),
            Command::Id => {
                self.say("* ID (\"name\" \"Phantasma mail\")").await?;
                ok("Done")
            }
            Command::Logout => {
                self.say("* BYE Good bye").await?;
                Ok(End::Logout)
            }
            Command::Login { user, password } => {
                let right = self.daemon.login.is_right(&user, &password);
                self.logged_in(right).await
            }
            Command::Authenticate { mechanism, initial } => {
                self.authenticate(&mechanism, initial).await
            }
            _ if !self.authenticated => Ok(End::No("Log in first".to_owned())),
            command => self.inside(command).await,
        }
    }

    async fn logged_in(&mut self, right: bool) -> Done {
        if self.authenticated {
            return Ok(End::Bad("You are in already".to_owned()));
        }
        if right {
            self.authenticated = true;
            return ok(&format!("[CAPABILITY {CAPABILITIES}] Welcome"));
        }
        self.daemon.metrics.logins_refused.inc();
        self.tries += 1;
        tokio::time::sleep(DELAY).await;
        if self.tries >= MAX_TRIES {
            self.say("* BYE Too many wrong passwords").await?;
            return Ok(End::Gone);
        }
        no("[AUTHENTICATIONFAILED] Wrong name or password; `phantasma mail password` shows it")
    }

    async fn authenticate(&mut self, mechanism: &str, initial: Option<String>) -> Done {
        let right = match mechanism {
            "PLAIN" => {
                let response = match initial {
                    Some(initial) => Some(initial),
                    None => self.ask("").await?,
                };
                let Some(response) = response else {
                    return Ok(End::Bad("Given up".to_owned()));
                };
                let plain = BASE64.decode(response).unwrap_or_default();
                self.daemon.login.is_right_plain(&plain)
            }
            "LOGIN" => {
                let (Some(user), Some(password)) = (
                    self.ask("VXNlcm5hbWU6").await?,
                    self.ask("UGFzc3dvcmQ6").await?,
                ) else {
                    return Ok(End::Bad("Given up".to_owned()));
                };
                let user = BASE64.decode(user).unwrap_or_default();
                let password = BASE64.decode(password).unwrap_or_default();
                self.daemon.login.is_right(&user, &password)
            }
            _ => return no("Only PLAIN and LOGIN are offered"),
        };
        self.logged_in(right).await
    }

    async fn ask(&mut self, challenge: &str) -> io::Result<Option<String>> {
        self.say(&format!("+ {challenge}")).await?;
        Ok(match self.lines.read(MAX_COMMAND).await? {
            Line::Text(line) if line != b"*" => {
                Some(String::from_utf8_lossy(&line).trim().to_owned())
            }
            Line::Text(_) | Line::TooLong | Line::End => None,
        })
    }

    /// Commands of who is in.
    async fn inside(&mut self, command: Command) -> Done {
        match command {
            Command::Select(name) => self.select(&name, false).await,
            Command::Examine(name) => self.select(&name, true).await,
            Command::Create(name) => of(self.daemon.store.create(name.trim_end_matches('/'))),
            Command::Delete(name) => of(self.daemon.store.delete(&name)),
            Command::Rename => no("[CANNOT] Folders keep their names"),
            Command::Subscribe(_) | Command::Unsubscribe(_) => ok("All folders are subscribed to"),
            Command::List {
                pattern,
                subscribed,
                ..
            } => self.list(&pattern, subscribed).await,
            Command::Namespace => {
                self.say("* NAMESPACE ((\"\" \"/\")) NIL NIL").await?;
                ok("Done")
            }
            Command::Status { mailbox, items } => self.status(&mailbox, &items).await,
            Command::Idle => self.idle().await,
            Command::Capability
            | Command::Noop
            | Command::Logout
            | Command::Id
            | Command::Login { .. }
            | Command::Authenticate { .. }
            | Command::Check
            | Command::Close
            | Command::Unselect
            | Command::Expunge(_)
            | Command::Search { .. }
            | Command::Fetch { .. }
            | Command::Store { .. }
            | Command::Copy { .. } => match self.selected.take() {
                Some(mut selected) => {
                    let end = self.in_folder(&mut selected, command).await;
                    let left = matches!(end, Ok((_, true)));
                    self.selected = (!left).then_some(selected);
                    end.map(|(end, _)| end)
                }
                None => Ok(End::Bad("Select a folder first".to_owned())),
            },
        }
    }

    /// Commands in a folder; also gives whether the folder was left.
    async fn in_folder(
        &mut self,
        selected: &mut Selected,
        command: Command,
    ) -> io::Result<(End, bool)> {
        let end = match command {
            Command::Noop | Command::Check => {
                let _ = self.daemon.store.refresh(&selected.name);
                self.sync(selected, true).await?;
                ok("Done")
            }
            Command::Close => {
                if !selected.read_only {
                    let deleted = selected.deleted(&self.daemon.store, None);
                    let removed = self
                        .daemon
                        .store
                        .change(&selected.name, |folder| folder.remove(&deleted));
                    if let Err(error) = removed {
                        return Ok((End::No(error.to_string()), true));
                    }
                }
                return Ok((End::Ok("Closed".to_owned()), true));
            }
            Command::Unselect => return Ok((End::Ok("Left".to_owned()), true)),
            Command::Expunge(set) => self.expunge(selected, set.as_ref()).await,
            Command::Search { uid, key } => self.search(selected, uid, &key).await,
            Command::Fetch { uid, set, items } => self.fetch(selected, uid, &set, &items).await,
            Command::Store {
                uid,
                set,
                mode,
                silent,
                flags,
            } => self.store(selected, uid, &set, mode, silent, &flags).await,
            Command::Copy {
                uid,
                set,
                mailbox,
                moved,
            } => self.copy(selected, uid, &set, &mailbox, moved).await,
            // Those have been served before.
            Command::Capability
            | Command::Logout
            | Command::Id
            | Command::Login { .. }
            | Command::Authenticate { .. }
            | Command::Select(_)
            | Command::Examine(_)
            | Command::Create(_)
            | Command::Delete(_)
            | Command::Rename
            | Command::Subscribe(_)
            | Command::Unsubscribe(_)
            | Command::List { .. }
            | Command::Namespace
            | Command::Status { .. }
            | Command::Idle => Ok(End::Bad("Not in a folder".to_owned())),
        };
        Ok((end?, false))
    }

    async fn idle(&mut self) -> Done {
        self.say("+ Waiting").await?;
        self.lines.flush().await?;
        let mut changes = self.daemon.store.watch();
        let mut looks = tokio::time::interval(LOOK);
        let mut selected = self.selected.take();
        let end = loop {
            if let Some(selected) = &mut selected {
                let _ = self.daemon.store.refresh(&selected.name);
                changes.mark_unchanged();
                self.sync(selected, true).await?;
                self.lines.flush().await?;
            }
            tokio::select! {
                line = self.lines.read(MAX_COMMAND) => match line? {
                    Line::Text(line) if line.eq_ignore_ascii_case(b"DONE") => break ok("Done"),
                    Line::Text(_) | Line::TooLong => break Ok(End::Bad("Only DONE ends IDLE".to_owned())),
                    Line::End => break Ok(End::Gone),
                },
                _ = changes.changed() => {}
                _ = looks.tick() => {}
                () = self.daemon.stopping.cancelled() => {
                    self.say("* BYE The mail server is stopping").await?;
                    break Ok(End::Gone);
                }
            }
        };
        self.selected = selected;
        end
    }
}

pub(crate) fn ok(text: &str) -> Done {
    Ok(End::Ok(text.to_owned()))
}

pub(crate) fn no(text: &str) -> Done {
    Ok(End::No(text.to_owned()))
}

/// What a change of the store comes to.
pub(crate) fn of<T>(result: Result<T, StoreError>) -> Done {
    match result {
        Ok(_) => ok("Done"),
        Err(error @ StoreError::NoFolder(_)) => no(&format!("[NONEXISTENT] {error}")),
        Err(error) => no(&error.to_string()),
    }
}
