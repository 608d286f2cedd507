//! `phantasma mail send`: one mail, without a mail program and without the daemon.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use phantasma_mail::address::Mailbox;
use phantasma_mail::outbox::{Delivery, Job, Outbox, Recipient};
use phantasma_mail::post::{maildir, now_ms, now_s};
use phantasma_mail::send::attempt;
use phantasma_mail::store::folder_path;
use phantasma_mail::submission;
use serde_json::json;

use super::box_::read_input;
use super::context::Context;
use super::mail::{OfMailbox, post};
use super::mail_serve::TermsFlags;
use crate::profile::Peer;

#[derive(Debug, Args)]
pub struct SendMail {
    #[command(flatten)]
    of: OfMailbox,
    /// A reader's address; may be given several times.
    #[arg(long, required = true, value_name = "ADDRESS")]
    to: Vec<String>,
    /// What it is about.
    #[arg(long, default_value = "", value_name = "TEXT")]
    subject: String,
    /// The text.
    #[arg(long, conflicts_with = "file", required_unless_present_any = ["file", "message"], value_name = "TEXT")]
    text: Option<String>,
    /// A file with the text; - is standard input.
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// A file to go with it; may be given several times.
    #[arg(long, value_name = "FILE", conflicts_with = "message")]
    attach: Vec<PathBuf>,
    /// A whole mail with its header (RFC 5322) instead.
    #[arg(long, conflicts_with_all = ["text", "file"], value_name = "FILE")]
    message: Option<PathBuf>,
    #[command(flatten)]
    terms: TermsFlags,
    /// The relay, <public key>@<host>:<port> [default: `relay` of phantasma.toml].
    #[arg(long, value_name = "RELAY")]
    relay: Option<Peer>,
    /// A storage node, <public key>@<host>:<port>; may be given several times [default: `nodes` of phantasma.toml].
    #[arg(long = "node", value_name = "NODE")]
    nodes: Vec<Peer>,
}

pub(super) async fn run(context: &Context, order: SendMail) -> Result<()> {
    let own = order.of.find(context)?;
    let terms = order.terms.terms(&TermsFlags::default())?;
    let mut recipients = Vec::new();
    for to in &order.to {
        let mailbox: Mailbox = to.parse()?;
        recipients.push(Recipient::new(mailbox.name().to_owned(), terms.max_postage));
    }
    let given = match &order.message {
        Some(path) => std::fs::read(path).with_context(|| format!("reading {}", path.display()))?,
        None => compose(&own, &order)?,
    };
    let account = context.account()?;
    let post = post(
        context,
        own,
        account,
        order.relay.as_ref(),
        &order.nodes,
        terms,
    )
    .await?;
    // A folder of its own: the daemon may be at work in the usual one.
    let scratch = tempfile::tempdir_in(&post.folder)?;
    let outbox = Outbox::open(&scratch.path().join("outbox"))?;
    let (id, mail) = outbox.draft();
    let raw = scratch.path().join("raw");
    std::fs::write(&raw, given).with_context(|| format!("writing {}", raw.display()))?;
    submission::finish(&post.own, &raw, &mail, now_s())?;
    let mut job = Job::new(recipients, now_ms());
    outbox.save(&id, &job)?;
    attempt(&post, &outbox, &id, &mut job).await?;
    let mut lines = Vec::new();
    let mut refused = Vec::new();
    for recipient in &job.recipients {
        match &recipient.state {
            Delivery::Sent => lines.push(format!("{}: on its way", recipient.name)),
            Delivery::Waiting => refused.push(format!("{}: not sent", recipient.name)),
            Delivery::Failed(reason) => refused.push(reason.clone()),
        }
    }
    if !refused.is_empty() {
        bail!("{}", refused.join("; "));
    }
    keep_copy(&post.folder, &mail)?;
    context.print(&json!({"sent": order.to}), &lines.join("\n"))
}

/// Puts the mail into the folder Sent as any program does; the daemon gives it its number.
fn keep_copy(folder: &Path, mail: &Path) -> Result<()> {
    let sent = folder_path(&maildir(folder), "Sent");
    let (tmp, new) = (sent.join("tmp"), sent.join("new"));
    for path in [&tmp, &new, &sent.join("cur")] {
        std::fs::create_dir_all(path).with_context(|| format!("creating {}", path.display()))?;
    }
    let name = format!("{}.{}.phantasma:2,S", now_s(), rand::random::<u64>());
    std::fs::copy(mail, tmp.join(&name))
        .with_context(|| format!("writing into {}", tmp.display()))?;
    std::fs::rename(tmp.join(&name), new.join(&name))
        .with_context(|| format!("writing into {}", new.display()))
}

fn compose(own: &Mailbox, order: &SendMail) -> Result<Vec<u8>> {
    let text = match (&order.text, &order.file) {
        (Some(text), _) => text.clone(),
        (None, Some(file)) => String::from_utf8(read_input(file)?)
            .with_context(|| format!("{} is not UTF-8", file.display()))?,
        // clap requires one of them.
        (None, None) => bail!("nothing to send; give --text, --file or --message"),
    };
    let line = |value: &str| match value.chars().any(char::is_control) {
        true => bail!("\"{}\" has more than one line", value.escape_debug()),
        false => Ok(value.to_owned()),
    };
    let text = text.replace("\r\n", "\n").replace('\n', "\r\n");
    let head = format!(
        "From: {own}\r\nTo: {}\r\nSubject: {}\r\nMIME-Version: 1.0\r\n",
        line(&order.to.join(", "))?,
        phantasma_mail::syntax::encoded::to_words(&line(&order.subject)?)
    );
    let plain =
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    if order.attach.is_empty() {
        return Ok(format!("{head}{plain}{text}\r\n").into_bytes());
    }
    let boundary = format!("{:032x}", rand::random::<u128>());
    let mut mail = format!(
        "{head}Content-Type: multipart/mixed; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n{plain}{text}\r\n"
    )
    .into_bytes();
    for path in &order.attach {
        let bytes = std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let name = name.replace(['"', '\\', '\r', '\n'], "_");
        mail.extend_from_slice(
            format!(
                "--{boundary}\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\
                 Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
            )
            .as_bytes(),
        );
        mail.extend_from_slice(phantasma_mail::syntax::encoded::to_base64(&bytes).as_bytes());
    }
    mail.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok(mail)
}
