//! From the relay and the box on the chain to the folders: take over, judge, fetch, deliver.
//!
//! A letter that arrives is first written into `incoming`, then the position at the relay or in the box is moved on, then
//! the letter is judged. What cannot be judged now (a node or storage node that is away) stays there and is tried again; it holds up
//! no other.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use phantasma_sdk::boxes::{self, BoxError, Entry};
use phantasma_sdk::content::{self, Source};
use phantasma_sdk::contract::ContractError;
use phantasma_sdk::neo::PublicKey;
use phantasma_sdk::relay::Since;
use phantasma_wire::Hash;
use phantasma_wire::codec::Frame;
use tokio::sync::Notify;

use crate::address::Mailbox;
use crate::files::{self, FileError, failed};
use crate::letter::{self, Carried, Contents, Letter};
use crate::metrics::Metrics;
use crate::outbox::{Job, Outbox, OutboxError, Recipient};
use crate::post::{Post, PostError, box_of, now_ms, now_s};
use crate::postage::{self, Postage};
use crate::received::{Received, id_of, next_content, next_position, save_content, save_position};
use crate::responder::{Responder, may_answer};
use crate::store::{Flags, INBOX, NewMessage, Store, StoreError};
use crate::syntax::{address, date, header};

/// Letters that wait to be judged. With more nothing is taken over from the relay, which keeps it.
const MAX_INCOMING: usize = 10_000;

/// What could not be judged is tried again after so long.
const AGAIN: Duration = Duration::from_secs(15);

/// Pauses between two tries to reach the relay: from the first to the second, doubling.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(20));

/// How often the box on the chain is looked at: some blocks.
const LOOK: Duration = Duration::from_secs(2);

/// Contents that are read at once.
const AT_ONCE: u64 = 50;

/// First byte of a file in `incoming`: which way the letter came.
const BY_RELAY: u8 = 0;
const BY_CHAIN: u8 = 1;

/// Bytes before the letter: that one, and its author's key.
const HEAD_LEN: usize = 34;

/// What becomes of a letter.
#[derive(Debug)]
enum Verdict {
    /// The mail, in a file of its own, and whose it is.
    Deliver(PathBuf, Mailbox),
    Refuse(String),
}

/// Why a letter cannot be judged now.
#[derive(Debug, thiserror::Error)]
pub enum ReceiveError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Postage(#[from] postage::PostageError),
    #[error(transparent)]
    Post(#[from] PostError),
    #[error(transparent)]
    Content(#[from] content::ContentError),
    #[error(transparent)]
    Box(#[from] BoxError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
}

/// What receives for one mailbox.
#[derive(Debug)]
pub struct Receiver {
    pub post: Arc<Post>,
    pub store: Arc<Store>,
    pub received: Mutex<Received>,
    pub metrics: Metrics,
    /// The longest mail that is fetched, in bytes.
    pub max_message: u64,
    /// Where automatic answers go, and who is woken to send them.
    outbox: Outbox,
    work: Arc<Notify>,
    arrived: Notify,
}

impl Receiver {
    pub fn new(
        post: Arc<Post>,
        store: Arc<Store>,
        metrics: Metrics,
        max_message: u64,
        outbox: Outbox,
        work: Arc<Notify>,
    ) -> Result<Self, FileError> {
        files::private_folder(&post.incoming())?;
        Ok(Self {
            received: Mutex::new(Received::open(&post.folder)?),
            post,
            store,
            metrics,
            max_message,
            outbox,
            work,
            arrived: Notify::new(),
        })
    }

    /// Takes over what the relay has, for ever.
    pub async fn listen(&self) {
        let mut pause = BACKOFF.0;
        loop {
            match self.session().await {
                Ok(()) => pause = BACKOFF.0,
                Err(error) => tracing::warn!(%error, "no mail from the relay; trying again"),
            }
            self.metrics.relay_up.set(0);
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(BACKOFF.1);
        }
    }

    async fn session(&self) -> Result<(), ReceiveError> {
        let client = self.post.connect().await?;
        let relay = client.relay_key();
        let from = next_position(&self.post.folder, &relay)?;
        let mut messages = client
            .subscribe(self.post.box_id, Since::Position(from))
            .await
            .map_err(PostError::from)?;
        self.metrics.relay_up.set(1);
        tracing::info!(from, "listening at the relay");
        while let Some(message) = messages.next().await.map_err(PostError::from)? {
            // What the relay does not keep is no mail.
            if message.position > 0 {
                let body = &message.message.body;
                let entry = Entry {
                    index: 0,
                    script: body.payload.to_vec(),
                };
                self.take_over(BY_RELAY, message.position, Some(&body.author), &entry)?;
                save_position(&self.post.folder, &relay, message.position)?;
                self.arrived.notify_one();
            }
            while self.incoming()?.len() >= MAX_INCOMING {
                tokio::time::sleep(AGAIN).await;
            }
        }
        Ok(())
    }

    /// Takes over what is written into the box on the chain, for ever.
    pub async fn watch_chain(&self) {
        loop {
            if let Err(error) = self.new_contents().await {
                tracing::warn!(%error, "the box on the chain cannot be read; trying again");
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    async fn new_contents(&self) -> Result<(), ReceiveError> {
        let (contract, box_id) = (&self.post.contract, self.post.box_id);
        let from = next_content(&self.post.folder)?;
        let count = contract.content_count(box_id).await?;
        // Contents that were taken off count no more.
        let mut next = from.min(count);
        while next < count && self.incoming()?.len() < MAX_INCOMING {
            let entries = boxes::read_range(contract, box_id, next, AT_ONCE).await?;
            for entry in &entries {
                self.take_over(BY_CHAIN, entry.index, None, entry)?;
            }
            next = next.saturating_add(entries.len() as u64);
            save_content(&self.post.folder, next)?;
            self.arrived.notify_one();
            if entries.is_empty() {
                break;
            }
        }
        if next < from {
            save_content(&self.post.folder, next)?;
        }
        Ok(())
    }

    /// Writes a letter into `incoming`. What is no letter is passed over: a box may hold other things.
    fn take_over(
        &self,
        way: u8,
        place: u64,
        author: Option<&[u8; 33]>,
        entry: &Entry,
    ) -> Result<(), FileError> {
        let Some(data) = entry.data() else {
            return Ok(());
        };
        let Ok(letter) = Letter::decode(data.to_vec().into()) else {
            return Ok(());
        };
        // Who wrote on the chain need not be who sealed; the seal is signed.
        let author = author.unwrap_or(&letter.sealed.sender);
        let name = format!("{way}{place:020}-{}", hex::encode(letter.id()));
        let path = self.post.incoming().join(name);
        files::replace(&path, &[&[way], author.as_slice(), data].concat())
    }

    /// Files of letters that wait, oldest first.
    fn incoming(&self) -> Result<Vec<PathBuf>, FileError> {
        let folder = self.post.incoming();
        let entries = fs::read_dir(&folder).map_err(failed("read", &folder))?;
        let mut found = Vec::new();
        for entry in entries {
            let path = entry.map_err(failed("read", &folder))?.path();
            if path.extension().is_none() {
                found.push(path);
            }
        }
        found.sort();
        Ok(found)
    }

    /// Judges what waits, for ever.
    pub async fn judge_all(&self) {
        loop {
            match self.incoming() {
                Ok(waiting) => {
                    for path in waiting {
                        if let Err(error) = self.judge(&path).await {
                            tracing::warn!(%error, "a letter waits");
                        }
                    }
                }
                Err(error) => tracing::error!(%error, "incoming mail cannot be read"),
            }
            tokio::select! {
                () = self.arrived.notified() => {}
                () = tokio::time::sleep(AGAIN) => {}
            }
        }
    }

    async fn judge(&self, path: &Path) -> Result<(), ReceiveError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let id = name.split_once('-').and_then(|(_, id)| id_of(id));
        let Some(bytes) = files::read(path)? else {
            return Ok(());
        };
        let parts = bytes.split_at_checked(HEAD_LEN).and_then(|(head, data)| {
            let (way, author) = head.split_first()?;
            let author = PublicKey::from_slice(author).ok()?;
            Some((*way, author, Letter::decode(data.to_vec().into()).ok()?))
        });
        let (Some(id), Some((way, author, letter))) = (id, parts) else {
            // Written by nobody but us; a file that is neither is of no use.
            return Ok(files::remove(path)?);
        };
        if self.lock().has(&id) {
            return Ok(files::remove(path)?);
        }
        let hex_id = hex::encode(id);
        if self.store.has(&hex_id) {
            // Delivered, and killed before that was noted.
            self.lock().note(&id, "delivered")?;
            return Ok(files::remove(path)?);
        }
        match self.verdict(&id, way, &author, &letter).await? {
            Verdict::Deliver(file, from) => {
                let message = NewMessage {
                    file,
                    date: now_s(),
                    flags: Flags::NONE,
                    id: hex_id,
                };
                let uid = self.store.add(INBOX, &message)?;
                self.lock().note(&id, "delivered")?;
                self.metrics.received.inc();
                tracing::info!(uid, %from, "a mail has come");
                // The mail is there; an answer that cannot be given changes nothing of that.
                if let Err(error) = self.respond(uid, &from) {
                    tracing::warn!(%error, "no automatic answer");
                }
            }
            Verdict::Refuse(reason) => {
                tracing::info!(reason, author = %author.script_hash().to_address(), "a letter is refused");
                self.lock().note(&id, &format!("refused: {reason}"))?;
                self.metrics.refused.inc();
            }
        }
        Ok(files::remove(path)?)
    }

    async fn verdict(
        &self,
        id: &Hash,
        way: u8,
        author: &PublicKey,
        letter: &Letter,
    ) -> Result<Verdict, ReceiveError> {
        let refuse = |reason: String| Ok(Verdict::Refuse(reason));
        let contents = match letter.open(&self.post.account.key) {
            Ok(contents) => contents,
            Err(error) => return refuse(error.to_string()),
        };
        if contents.sender != *author {
            return refuse("sealed by somebody else than its author".to_owned());
        }
        // On the chain the gate has let it in, and who wrote it has paid what it asked for.
        if way != BY_CHAIN
            && let Some(reason) = self.unpaid(author).await?
        {
            return refuse(reason);
        }
        let file = match &letter.carried {
            Carried::Within(ciphertext) => match letter::decrypt(ciphertext, &contents) {
                Ok(mail) => {
                    let file = self.store.scratch();
                    fs::write(&file, mail).map_err(failed("write", &file))?;
                    file
                }
                Err(error) => return refuse(error.to_string()),
            },
            Carried::Stored { size } => match self.fetch(&contents, *size).await? {
                Ok(file) => file,
                Err(reason) => return refuse(reason),
            },
        };
        let traced = self.trace(id, author, &file).await;
        files::remove(&file)?;
        match traced? {
            Ok((file, from)) => Ok(Verdict::Deliver(file, from)),
            Err(reason) => refuse(reason),
        }
    }

    /// Answers a mail automatically, if its reader wants that.
    fn respond(&self, uid: u32, from: &Mailbox) -> Result<(), ReceiveError> {
        let post = &self.post;
        let Some(responder) = Responder::load(&post.folder)? else {
            return Ok(());
        };
        let path = self
            .store
            .with(INBOX, |folder| Some(folder.path_of(folder.find(uid)?)))?;
        let Some(path) = path else { return Ok(()) };
        let Some(answer) = responder.answer(&post.own, from, &read_head(&path)?, now_s()) else {
            return Ok(());
        };
        if !may_answer(&post.folder, from, now_ms())? {
            return Ok(());
        }
        let (id, file) = self.outbox.draft();
        crate::notice::write(&file, &answer)?;
        // An answer that nobody asked for is not worth any money.
        let recipient = Recipient::new(from.name().to_owned(), 0);
        self.outbox
            .save(&id, &Job::new(vec![recipient], now_ms()))?;
        self.work.notify_one();
        Ok(())
    }

    /// Why a letter may not come in by the relay, which takes no payment; None when it may.
    async fn unpaid(&self, author: &PublicKey) -> Result<Option<String>, ReceiveError> {
        let (contract, box_id) = (&self.post.contract, self.post.box_id);
        let postage = postage::quote(contract, &author.script_hash(), box_id).await?;
        Ok(match postage {
            Postage::Free => None,
            Postage::Priced(price) | Postage::Beyond(price) => {
                Some(format!("not paid; it costs {}", postage::soul(price)))
            }
            Postage::Refused(words) => Some(words),
        })
    }

    /// A long mail, fetched into a file; or why it never will be.
    async fn fetch(
        &self,
        contents: &Contents,
        size: u64,
    ) -> Result<Result<PathBuf, String>, ReceiveError> {
        if size > self.max_message {
            return Ok(Err(format!("{size} bytes are over {}", self.max_message)));
        }
        let Some(info) = self.post.contract.content_info(&contents.root).await? else {
            return Ok(Err("what it refers to is not stored".to_owned()));
        };
        if info.size != size {
            return Ok(Err("what it refers to has another size".to_owned()));
        }
        if info.expiry_ms < now_ms() {
            return Ok(Err("what it refers to is paid no longer".to_owned()));
        }
        let client = self.post.storage()?;
        let source = Source {
            root: contents.root,
            size,
            nodes: self.post.nodes.clone(),
        };
        let file = self.store.scratch();
        let fetched = content::download(&client, &source, &contents.key, &file, &|_| ()).await;
        client.close().await;
        fetched?;
        Ok(Ok(file))
    }

    /// Checks whose mail it is, and writes it anew with what is known of its way on top.
    async fn trace(
        &self,
        id: &Hash,
        author: &PublicKey,
        file: &Path,
    ) -> Result<Result<(PathBuf, Mailbox), String>, ReceiveError> {
        let head = read_head(file)?;
        let from = match author_of(&head) {
            Ok(from) => from,
            Err(reason) => return Ok(Err(reason)),
        };
        let owner = box_of(&self.post.contract, &from).await?;
        if owner.is_none_or(|info| info.public_key != *author) {
            return Ok(Err(format!("its author has no mailbox {from}")));
        }
        let key = hex::encode(author.0);
        let own = &self.post.own;
        let trace = format!(
            "Return-Path: <{from}>\r\nDelivered-To: {own}\r\nReceived: from {from} (Neo key {key})\r\n by {own} with \
             Phantasma id {};\r\n {}\r\nAuthentication-Results: {}; phantasma=pass header.from={from}\r\n",
            hex::encode(id),
            date::rfc5322(now_s()),
            crate::address::DOMAIN
        );
        let made = self.store.scratch();
        let mut out = files::create(&made)?;
        let mut mail = fs::File::open(file).map_err(failed("open", file))?;
        std::io::Write::write_all(&mut out, trace.as_bytes())
            .and_then(|()| std::io::copy(&mut mail, &mut out))
            .map_err(failed("write", &made))?;
        Ok(Ok((made, from)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Received> {
        self.received.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The beginning of a mail: its header, and some more.
pub fn read_head(file: &Path) -> Result<Vec<u8>, FileError> {
    use std::io::Read as _;
    let mut head = Vec::new();
    let limit = header::MAX_HEADER as u64;
    let opened = fs::File::open(file).map_err(failed("open", file))?;
    opened
        .take(limit)
        .read_to_end(&mut head)
        .map_err(failed("read", file))?;
    Ok(head)
}

/// The one author whom a header names; or what is wrong with it.
pub fn author_of(mail: &[u8]) -> Result<Mailbox, String> {
    let (end, _) = header::split(mail);
    let fields = header::fields(mail.get(..end).unwrap_or_default());
    let named: Vec<_> = fields.iter().filter(|field| field.is("From")).collect();
    let [from] = named[..] else {
        return Err(format!("it has {} From fields instead of one", named.len()));
    };
    let addresses = address::parse(&header::unfold(from.value));
    let [only] = &addresses[..] else {
        return Err(format!(
            "its From names {} authors instead of one",
            addresses.len()
        ));
    };
    let text = only.mailbox().ok_or("its From is no address")?;
    text.parse::<Mailbox>()
        .map_err(|error| format!("its From: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_has_one_author() {
        let check = |text: &str| author_of(text.as_bytes()).map(|from| from.to_string());
        assert_eq!(
            check("To: b@c\r\nFrom: Ada <ada@phantasma.alt>\r\n\r\n"),
            Ok("ada@phantasma.alt".to_owned())
        );
        for text in [
            "",
            "From: ada@phantasma.alt\r\nFrom: eve@phantasma.alt\r\n\r\n",
            "From: ada@phantasma.alt, eve@phantasma.alt\r\n\r\n",
            "From: ada@example.org\r\n\r\n",
            "To: x\r\n\r\nFrom: ada@phantasma.alt\r\n",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }
}
