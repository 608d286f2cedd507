//! SELECT, LIST, STATUS: the folders.

use super::selected::Selected;
use super::{Done, Session, no, ok};
use crate::store::{FOLDERS, Flags};
use crate::syntax::imap::StatusItem;
use crate::syntax::structure;

/// Flags that can be set.
const ALL_FLAGS: &str = "\\Answered \\Flagged \\Deleted \\Seen \\Draft";

impl Session {
    pub(super) async fn select(&mut self, name: &str, read_only: bool) -> Done {
        self.selected = None;
        let store = self.daemon.store.clone();
        if let Err(error) = store.refresh(name) {
            return no(&format!("[NONEXISTENT] {error}"));
        }
        let looked = store.with(name, |folder| {
            let seen = |flags: Flags| flags.has(Flags::SEEN);
            let unseen = folder
                .messages
                .iter()
                .position(|message| !seen(message.flags));
            let selected = Selected {
                name: name.to_owned(),
                read_only,
                messages: folder.messages.iter().map(|m| (m.uid, m.flags)).collect(),
                recent_from: folder.recent_from,
            };
            if !read_only {
                // The first session that looks is told of them, and no other.
                folder.recent_from = folder.uid_next;
            }
            (selected, unseen, folder.uid_next, folder.uid_validity)
        });
        let (selected, unseen, next, validity) = match looked {
            Ok(looked) => looked,
            Err(error) => return no(&format!("[NONEXISTENT] {error}")),
        };
        self.say(&format!("* FLAGS ({ALL_FLAGS})")).await?;
        self.say(&format!("* {} EXISTS", selected.messages.len()))
            .await?;
        self.say(&format!("* {} RECENT", selected.recent())).await?;
        if let Some(at) = unseen {
            self.say(&format!("* OK [UNSEEN {}] The first unseen one", at + 1))
                .await?;
        }
        let flags = if read_only { "" } else { ALL_FLAGS };
        self.say(&format!("* OK [PERMANENTFLAGS ({flags})] Kept"))
            .await?;
        self.say(&format!("* OK [UIDNEXT {next}] The next number"))
            .await?;
        self.say(&format!("* OK [UIDVALIDITY {validity}] Numbers hold"))
            .await?;
        self.selected = Some(selected);
        ok(match read_only {
            true => "[READ-ONLY] Open",
            false => "[READ-WRITE] Open",
        })
    }

    pub(super) async fn list(&mut self, pattern: &str, subscribed: bool) -> Done {
        let verb = if subscribed { "LSUB" } else { "LIST" };
        if pattern.is_empty() {
            self.say(&format!("* {verb} (\\Noselect) \"/\" \"\""))
                .await?;
            return ok("Done");
        }
        for name in self.daemon.store.names() {
            let special = FOLDERS.iter().find(|(known, _)| *known == name);
            let use_ = special.map_or("", |(_, special)| special);
            if matches(pattern.as_bytes(), name.as_bytes()) {
                let mut line =
                    format!("* {verb} (\\HasNoChildren{}{use_}) \"/\" ", space(use_)).into_bytes();
                structure::string(&mut line, name.as_bytes());
                line.extend_from_slice(b"\r\n");
                self.lines.write(&line).await?;
            }
        }
        ok("Done")
    }

    pub(super) async fn status(&mut self, name: &str, items: &[StatusItem]) -> Done {
        let store = self.daemon.store.clone();
        if let Err(error) = store.refresh(name) {
            return no(&format!("[NONEXISTENT] {error}"));
        }
        let looked = store.with(name, |folder| {
            let told = items.iter().map(|item| match item {
                StatusItem::Messages => format!("MESSAGES {}", folder.messages.len()),
                StatusItem::Recent => {
                    let recent = folder
                        .messages
                        .iter()
                        .filter(|m| m.uid >= folder.recent_from);
                    format!("RECENT {}", recent.count())
                }
                StatusItem::UidNext => format!("UIDNEXT {}", folder.uid_next),
                StatusItem::UidValidity => format!("UIDVALIDITY {}", folder.uid_validity),
                StatusItem::Unseen => {
                    let unseen = folder.messages.iter().filter(|m| !m.flags.has(Flags::SEEN));
                    format!("UNSEEN {}", unseen.count())
                }
            });
            told.collect::<Vec<_>>().join(" ")
        });
        match looked {
            Ok(told) => {
                let mut line = b"* STATUS ".to_vec();
                structure::string(&mut line, name.as_bytes());
                line.extend_from_slice(format!(" ({told})\r\n").as_bytes());
                self.lines.write(&line).await?;
                ok("Done")
            }
            Err(error) => no(&format!("[NONEXISTENT] {error}")),
        }
    }
}

fn space(text: &str) -> &'static str {
    if text.is_empty() { "" } else { " " }
}

/// Whether a name fits a pattern with `*` and `%`. There is one level of folders, so both mean the same.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    // The last star and where it may still begin to match: linear but for what lies between two stars.
    let (mut at, mut here) = (0, 0);
    let mut star = None;
    while here < name.len() {
        match pattern.get(at) {
            Some(b'*' | b'%') => {
                star = Some((at, here));
                at += 1;
            }
            Some(byte) if name.get(here) == Some(byte) => {
                at += 1;
                here += 1;
            }
            _ => match star {
                Some((star_at, from)) => {
                    star = Some((star_at, from + 1));
                    at = star_at + 1;
                    here = from + 1;
                }
                None => return false,
            },
        }
    }
    let rest = pattern.get(at..).unwrap_or_default();
    rest.iter().all(|byte| matches!(byte, b'*' | b'%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fits) in [
            ("*", "INBOX", true),
            ("%", "Sent", true),
            ("S%t", "Sent", true),
            ("S*n", "Sent", false),
            ("INBOX", "INBOX", true),
            ("INBOX", "INBOX2", false),
            ("*a*b", "xaxbxb", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }
}
