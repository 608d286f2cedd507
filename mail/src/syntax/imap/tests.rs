#![allow(clippy::unwrap_used, clippy::panic)]
use super::super::imap_items::{Section, SectionText};
use super::*;

fn command(text: &str) -> Command {
    parse(text.as_bytes())
        .unwrap_or_else(|wrong| panic!("{text}: {wrong}"))
        .1
}

#[test]
fn strings_come_in_three_forms() {
    let login = Command::Login {
        user: b"ada".to_vec(),
        password: b"p\"w".to_vec(),
    };
    for text in [
        r#"a1 LOGIN ada "p\"w""#,
        "a1 login {3}\r\nada {3}\r\np\"w",
        "a1 LOGIN \"ada\" {3+}\r\np\"w",
    ] {
        assert_eq!(command(text), login, "{text}");
    }
}

#[test]
fn sections_and_parts_of_them_are_read() {
    let Command::Fetch { uid, set, items } = command(
        "x UID FETCH 1:3,7,9:* (FLAGS BODY.PEEK[1.2.HEADER.FIELDS (To \"From\")]<10.20> RFC822.SIZE BODY[])",
    ) else {
        panic!("no FETCH");
    };
    assert!(uid && !set.contains(8, 9) && set.contains(7, 9) && set.contains(9, 9));
    assert_eq!(items.len(), 5);
    let FetchItem::Section {
        peek,
        section,
        partial,
        ..
    } = &items[2]
    else {
        panic!("{items:?}");
    };
    assert_eq!((*peek, *partial), (true, Some((10, 20))));
    assert_eq!(
        *section,
        Section {
            path: vec![1, 2],
            text: SectionText::Fields(vec![b"To".to_vec(), b"From".to_vec()], false),
        }
    );
    assert!(matches!(&command("a FETCH 1 ALL"), Command::Fetch { items, .. } if items.len() == 4));
}

#[test]
fn searches_nest_and_end() {
    let Command::Search { key, .. } =
        command("a SEARCH CHARSET UTF-8 OR (FROM ada UNSEEN) NOT SUBJECT \"x y\" SINCE 1-Nov-2026")
    else {
        panic!("no SEARCH");
    };
    let SearchKey::All(keys) = key else {
        panic!("{key:?}");
    };
    assert!(matches!(keys[0], SearchKey::Either(..)) && keys.len() == 2);
    let deep = format!("a SEARCH {}", "NOT ".repeat(10_000));
    assert!(parse(deep.as_bytes()).is_err());
    let deep = format!("a SEARCH {}", "(".repeat(10_000));
    assert!(parse(deep.as_bytes()).is_err());
}

#[test]
fn an_append_is_read_up_to_its_text() {
    let text = b"a APPEND Sent (\\Seen) \"25-Nov-2026 18:30:00 +0000\" {310}";
    assert!(is_append(text));
    let (open, len, waits) = literal_at_end(text).unwrap();
    assert_eq!((len, waits), (310, true));
    let found = append(&text[..open]).unwrap();
    assert_eq!(found.mailbox, "Sent");
    assert_eq!(found.flags, [b"\\Seen".to_vec()]);
    assert_eq!(found.date, Some(1_795_631_400));
    assert_eq!(append(b"a APPEND inbox ").unwrap().mailbox, "INBOX");
    assert!(append(b"a APPEND Sent x ").is_err());
}

#[test]
fn what_is_wrong_is_said() {
    for text in [
        "",
        "a",
        "a ",
        "a FOO",
        "a FETCH",
        "a FETCH 0 FLAGS",
        "a FETCH 1 (FLAGS",
        "a FETCH 1 BODY[x]",
        "a STORE 1 FLAGS",
        "a STORE 1 FOO (\\Seen)",
        "a LOGIN \"x",
        "a LOGIN {9}\r\nx y",
        "a NOOP x",
        "+ NOOP",
        "a STATUS INBOX (FOO)",
        "a FETCH 99999999999 FLAGS",
    ] {
        assert!(parse(text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn flags_stand_alone_or_in_a_list() {
    for text in [
        "a STORE 1 +FLAGS \\Seen \\Deleted",
        "a STORE 1 +FLAGS (\\Seen \\Deleted)",
    ] {
        let Command::Store { flags, mode, .. } = command(text) else {
            panic!("no STORE");
        };
        assert_eq!((flags.len(), mode), (2, StoreMode::Add), "{text}");
    }
    assert!(
        matches!(command("a STORE 1 FLAGS ()"), Command::Store { flags, .. } if flags.is_empty())
    );
}
