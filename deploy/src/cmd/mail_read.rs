//! `phantasma mail list` and `read`: the mails that are here, whether the daemon runs or not.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use phantasma_mail::post::maildir;
use phantasma_mail::store::{Flags, MessageName, folder_path};
use phantasma_mail::syntax::{encoded, header, mime};
use serde_json::{Value, json};

use super::context::Context;
use super::mail::{OfMailbox, folder};

#[derive(Debug, Args)]
pub struct ListMails {
    #[command(flatten)]
    of: OfMailbox,
    /// The folder: INBOX, Sent, Drafts, Trash.
    #[arg(long, default_value = "INBOX", value_name = "FOLDER")]
    folder: String,
}

#[derive(Debug, Args)]
pub struct ReadMail {
    #[command(flatten)]
    of: OfMailbox,
    /// The mail's number, as `list` shows it.
    number: u32,
    /// The folder: INBOX, Sent, Drafts, Trash.
    #[arg(long, default_value = "INBOX", value_name = "FOLDER")]
    folder: String,
    /// The whole mail as it came.
    #[arg(long)]
    raw: bool,
}

/// A mail's file and what its name says.
struct Found {
    name: MessageName,
    path: PathBuf,
}

fn find(context: &Context, of: &OfMailbox, name: &str) -> Result<Vec<Found>> {
    let own = of.find(context)?;
    if name.contains(['/', '.']) {
        bail!("there is no folder {name}");
    }
    let cur = folder_path(&maildir(&folder(context, &own)), name).join("cur");
    if !cur.is_dir() {
        bail!("there is no folder {name} of {own} yet; `phantasma mail serve` makes it");
    }
    let mut found = Vec::new();
    let entries = std::fs::read_dir(&cur).with_context(|| format!("reading {}", cur.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", cur.display()))?;
        if let Some(name) = MessageName::parse(&entry.file_name().to_string_lossy()) {
            found.push(Found {
                name,
                path: entry.path(),
            });
        }
    }
    found.sort_by_key(|found| found.name.uid);
    Ok(found)
}

pub(super) fn list(context: &Context, order: &ListMails) -> Result<()> {
    let (mut lines, mut data) = (Vec::new(), Vec::new());
    for found in find(context, &order.of, &order.folder)? {
        let mail = read_file(&found.path)?;
        let head = head(&mail);
        let seen = found.name.flags.has(Flags::SEEN);
        let (from, subject) = (field(&head, "From"), field(&head, "Subject"));
        lines.push(format!(
            "{:>5} {} {:32} {subject}",
            found.name.uid,
            if seen { ' ' } else { '*' },
            from
        ));
        data.push(json!({
            "number": found.name.uid,
            "seen": seen,
            "from": from,
            "to": field(&head, "To"),
            "subject": subject,
            "date": field(&head, "Date"),
            "size": found.name.size,
        }));
    }
    if lines.is_empty() {
        lines.push(format!("{} is empty", order.folder));
    }
    let data = json!({"folder": order.folder, "mails": Value::Array(data)});
    context.print(&data, &lines.join("\n"))
}

pub(super) fn read(context: &Context, order: &ReadMail) -> Result<()> {
    let all = find(context, &order.of, &order.folder)?;
    let Some(found) = all.iter().find(|found| found.name.uid == order.number) else {
        bail!("{} has no mail {}", order.folder, order.number);
    };
    let mail = read_file(&found.path)?;
    if order.raw {
        let text = String::from_utf8_lossy(&mail);
        return context.print(&json!({"raw": text}), &text);
    }
    let head = head(&mail);
    let part = mime::parse(&mail);
    let body = mime::texts(&mail, &part).join("\n");
    let attachments = attachments(&part);
    let mut text = String::new();
    for name in ["From", "To", "Cc", "Date", "Subject"] {
        let value = field(&head, name);
        if !value.is_empty() {
            text.push_str(&format!("{name}: {value}\n"));
        }
    }
    for name in &attachments {
        text.push_str(&format!("Attachment: {name}\n"));
    }
    text.push_str(&format!("\n{}", body.trim_end()));
    let data = json!({
        "number": order.number,
        "from": field(&head, "From"),
        "to": field(&head, "To"),
        "date": field(&head, "Date"),
        "subject": field(&head, "Subject"),
        "text": body,
        "attachments": attachments,
    });
    // A stranger's text must not steer the terminal.
    context.print(&data, &harmless(&text))
}

fn harmless(text: &str) -> String {
    let shown = text
        .chars()
        .filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
    shown.collect()
}

fn read_file(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn head(mail: &[u8]) -> Vec<u8> {
    let (end, _) = header::split(mail);
    mail.get(..end).unwrap_or_default().to_vec()
}

fn field(head: &[u8], name: &str) -> String {
    let value = header::first(&header::fields(head), name).unwrap_or_default();
    harmless(&encoded::words(&value))
}

/// Names of the files that came along.
fn attachments(part: &mime::Part) -> Vec<String> {
    let inner = part.parts.iter().flat_map(attachments);
    let own = part
        .disposition
        .as_ref()
        .and_then(|found| found.param("filename"));
    let named = own.or(part.content_type.param("name"));
    let shown = named.map(|name| harmless(&encoded::words(name)));
    shown.into_iter().chain(inner).collect()
}
