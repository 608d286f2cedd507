//! What a bridge's daemon does with the mails in its inbox: those for somebody outside go to the mail server, and then are
//! gone from here.

use std::time::Duration;

use crate::address::Mailbox;
use crate::bridge::{Bridge, readers_outside, turn};
use crate::daemon::Daemon;
use crate::files;
use crate::notice;
use crate::outbox::{Job, Recipient};
use crate::post::{now_ms, now_s};
use crate::receive::{ReceiveError, author_of, read_head};
use crate::smtp_client::{Outcome, submit};
use crate::store::{Flags, INBOX, Message};

/// How often what the server did not take is tried again.
const AGAIN: Duration = Duration::from_secs(60);

/// Forwards what comes, for ever. A mail lies in the inbox, on the disk, until the server has it.
pub(crate) async fn all(daemon: &Daemon, bridge: &Bridge) {
    let mut changes = daemon.store.watch();
    loop {
        changes.mark_unchanged();
        let waiting = daemon.store.with(INBOX, |folder| {
            let new = folder
                .messages
                .iter()
                .filter(|mail| !mail.flags.has(Flags::SEEN));
            new.cloned().collect::<Vec<_>>()
        });
        for mail in waiting.unwrap_or_default() {
            if let Err(error) = one(daemon, bridge, &mail).await {
                tracing::warn!(%error, "a mail for the outside waits");
            }
        }
        tokio::select! {
            _ = changes.changed() => {}
            () = tokio::time::sleep(AGAIN) => {}
        }
    }
}

async fn one(daemon: &Daemon, bridge: &Bridge, mail: &Message) -> Result<(), ReceiveError> {
    let (store, own) = (&daemon.store, &daemon.post.own);
    let path = store.with(INBOX, |folder| folder.path_of(mail))?;
    let head = read_head(&path)?;
    let readers = readers_outside(own, &head);
    // What is for nobody outside is the bridge's own mail, as its keeper finds it.
    let author = match author_of(&head) {
        Ok(author) if !readers.is_empty() => author,
        Ok(_) | Err(_) => {
            let seen = mail.flags.with(Flags::SEEN);
            store.change(INBOX, |folder| folder.set_flags(mail.uid, seen))?;
            return Ok(());
        }
    };
    let (allowed, others): (Vec<String>, Vec<String>) = readers
        .into_iter()
        .partition(|reader| bridge.allows(reader));
    let mut refused: Vec<(String, String)> = others
        .into_iter()
        .map(|reader| {
            (
                reader,
                "5.7.1 this provider is not served by the bridge".to_owned(),
            )
        })
        .collect();
    if !allowed.is_empty() {
        let out = store.scratch();
        let handed = match turn(bridge, own, &path, &out, now_s()) {
            Ok(()) => hand_over(bridge, &author, &allowed, &out).await,
            Err(error) => Ok(nobody(&allowed, &error.to_string())),
        };
        files::remove(&out)?;
        let age_s = now_s().saturating_sub(mail.date);
        let too_old = u64::try_from(age_s).unwrap_or(0) > daemon.limits.give_up.as_secs();
        let outcome = match handed {
            Ok(outcome) => outcome,
            Err(reason) if too_old => nobody(&allowed, &format!("5.4.1 {reason}")),
            Err(reason) => {
                tracing::warn!(reason, "the mail server outside does not take a mail now");
                return Ok(());
            }
        };
        let failed = outcome
            .into_iter()
            .filter_map(|(reader, reason)| Some((reader, reason?)));
        refused.extend(failed);
    }
    if !refused.is_empty() {
        tell(daemon, &author, &path, &refused)?;
    }
    tracing::info!(%author, refused = refused.len(), "a mail went outside");
    store.change(INBOX, |folder| folder.remove(&[mail.uid]))?;
    Ok(())
}

/// Gives the mail to the server; an error is worth another try.
async fn hand_over(
    bridge: &Bridge,
    author: &Mailbox,
    readers: &[String],
    mail: &std::path::Path,
) -> Result<Outcome, String> {
    let from = format!("{}@{}", author.name(), bridge.domain);
    match submit(bridge.smarthost, &bridge.domain, &from, readers, mail).await {
        Ok(outcome) => Ok(outcome),
        Err(error) if error.is_transient() => Err(error.to_string()),
        Err(error) => Ok(nobody(readers, &format!("5.0.0 {error}"))),
    }
}

/// The same reason for all.
fn nobody(readers: &[String], reason: &str) -> Outcome {
    let each = |reader: &String| (reader.clone(), Some(reason.to_owned()));
    readers.iter().map(each).collect()
}

/// Tells the author who was not reached, and why.
fn tell(
    daemon: &Daemon,
    author: &Mailbox,
    mail: &std::path::Path,
    refused: &[(String, String)],
) -> Result<(), ReceiveError> {
    let own = &daemon.post.own;
    let report = notice::compose(&own.to_string(), author, mail, refused, now_s())?;
    let (id, file) = daemon.outbox.draft();
    notice::write(&file, &report)?;
    let mut job = Job::new(vec![Recipient::new(author.name().to_owned(), 0)], now_ms());
    job.quiet = true;
    daemon.outbox.save(&id, &job)?;
    daemon.work.notify_one();
    Ok(())
}
