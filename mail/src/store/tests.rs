#![allow(clippy::unwrap_used)]
use super::*;

fn put(store: &Store, folder: &str, text: &str, id: &str) -> u32 {
    let file = store.scratch();
    std::fs::write(&file, text).unwrap();
    let message = NewMessage {
        file,
        date: 5,
        flags: Flags::NONE,
        id: id.to_owned(),
    };
    store.add(folder, &message).unwrap()
}

fn uids(store: &Store, folder: &str) -> Vec<u32> {
    let all = |folder: &mut Folder| folder.messages.iter().map(|m| m.uid).collect();
    store.with(folder, all).unwrap()
}

#[test]
fn numbers_are_never_given_twice() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    assert_eq!(
        (put(&store, INBOX, "a", "1"), put(&store, INBOX, "b", "2")),
        (1, 2)
    );
    assert!(matches!(
        Store::open(root.path()),
        Err(StoreError::Locked(_))
    ));
    store.change(INBOX, |folder| folder.remove(&[2])).unwrap();
    let validity = store.with(INBOX, |folder| folder.uid_validity).unwrap();
    drop(store);
    let store = Store::open(root.path()).unwrap();
    assert_eq!(put(&store, INBOX, "c", "3"), 3);
    assert_eq!(uids(&store, INBOX), [1, 3]);
    assert!(store.has("3") && !store.has("2"));
    assert_eq!(
        store.with(INBOX, |folder| folder.uid_validity).unwrap(),
        validity
    );
}

#[test]
fn copies_and_flags_leave_the_others_as_they_are() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    put(&store, INBOX, "text", "1");
    assert_eq!(store.copy(INBOX, &[1, 9], "Trash").unwrap(), [(1, 1)]);
    store
        .change("Trash", |folder| folder.set_flags(1, Flags::SEEN))
        .unwrap();
    store.change(INBOX, |folder| folder.remove(&[1])).unwrap();
    drop(store);
    let store = Store::open(root.path()).unwrap();
    let (flags, path) = store
        .with("Trash", |folder| {
            let found = folder.find(1).unwrap();
            (found.flags, folder.path_of(found))
        })
        .unwrap();
    assert_eq!(flags, Flags::SEEN);
    assert_eq!(std::fs::read(path).unwrap(), b"text");
    assert_eq!(uids(&store, INBOX), [0_u32; 0]);
}

#[test]
fn files_of_other_programs_get_numbers_and_torn_ones_go() {
    let root = tempfile::tempdir().unwrap();
    drop(Store::open(root.path()).unwrap());
    std::fs::write(root.path().join("new/1.foreign"), "x").unwrap();
    std::fs::write(root.path().join("tmp/torn"), "x").unwrap();
    let store = Store::open(root.path()).unwrap();
    assert_eq!(uids(&store, INBOX), [1]);
    assert!(!root.path().join("tmp/torn").exists());
    std::fs::write(root.path().join(".Sent/new/2.foreign:2,S"), "y").unwrap();
    store.refresh("Sent").unwrap();
    let flags = store
        .with("Sent", |folder| folder.find(1).unwrap().flags)
        .unwrap();
    assert_eq!(flags, Flags::SEEN);
}

#[test]
fn folders_are_made_and_removed_by_name() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    store.create("Work 1").unwrap();
    put(&store, "Work 1", "x", "1");
    for bad in ["", "../x", "a/b", "a.b", " a", "inbox"] {
        assert!(store.create(bad).is_err(), "{bad}");
    }
    assert!(matches!(store.delete("Sent"), Err(StoreError::Fixed(_))));
    drop(store);
    let store = Store::open(root.path()).unwrap();
    assert_eq!(store.names(), [INBOX, "Drafts", "Sent", "Trash", "Work 1"]);
    store.delete("Work 1").unwrap();
    assert!(matches!(
        store.delete("Work 1"),
        Err(StoreError::NoFolder(_))
    ));
}
