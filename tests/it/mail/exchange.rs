//! Python's and mutt's users write to each other.

use std::process::Command;
use std::time::Instant;

use sha2::{Digest as _, Sha256};

use super::*;

/// Bytes that repeat nowhere near.
fn film(len: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let bytes = (0..len).map(|_| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 56) as u8
    });
    bytes.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_write_with_python() {
    let world = World::new(0).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (at_ada, at_bob) = (ada.serve(&[]), bob.serve(&[]));

    let sent = ada.send(
        &at_ada,
        "Bob <Bob@phantasma.alt>",
        "Grüße",
        &["text=Schöne Grüße\n.\n..x\n"],
    );
    assert_eq!(sent["sent"], true);
    let got = &bob.inbox(&at_bob, 1)[0];
    assert_eq!(got["text"], "Schöne Grüße\n.\n..x\n");
    let header = &got["header"];
    assert_eq!(header["Subject"], "Grüße");
    assert_eq!(header["From"], "Ada <ada@phantasma.alt>");
    assert_eq!(header["Return-Path"], "<ada@phantasma.alt>");
    let checked = header["Authentication-Results"].as_str().unwrap();
    assert!(
        checked.contains("phantasma=pass header.from=ada@phantasma.alt"),
        "{checked}"
    );
    assert!(header["Date"].is_string() && header["Message-ID"].is_string());

    // What a mail program does in a folder, and what it is told while it waits.
    bob.python(&["tour", &at_bob.imap, "bob", &bob.password]);
    let ready = bob.path("idle");
    let waiting = std::thread::scope(|scope| {
        let idle = scope.spawn(|| {
            bob.python(&[
                "idle",
                &at_bob.imap,
                &bob.mail(),
                &bob.password,
                ready.to_str().unwrap(),
            ])
        });
        let begun = Instant::now();
        while !ready.exists() && begun.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(50));
        }
        ada.send(&at_ada, &bob.mail(), "while you wait", &[]);
        idle.join().unwrap()
    });
    assert!(waiting["done"].as_str().unwrap().starts_with("i1 OK"));

    // Without a mail program.
    let subject = "kurz & gut: ä";
    let to = bob.mail();
    ada.json(&[
        "mail",
        "send",
        "--to",
        &to,
        "--subject",
        subject,
        "--text",
        "one line",
    ]);
    let own = bob.inbox(&at_bob, 3);
    assert_eq!(own[2]["header"]["Subject"], subject);
    let kept = ada.python(&["inbox", &at_ada.imap, "ada", &ada.password, "1", "Sent"]);
    assert_eq!(kept[0]["header"]["Subject"], subject);
    let listed = bob.json(&["mail", "list"]);
    assert_eq!(listed["mails"].as_array().unwrap().len(), 3);
    let text = bob.json(&["mail", "read", "1"]);
    assert_eq!(text["text"], "Schöne Grüße\r\n.\r\n..x\r\n");

    // Nothing of it can be read on the way.
    sealed(
        &world.folder.path().join("relay"),
        "Grüße\\|while you wait\\|one line",
    );
}

/// Nothing on a server's disk has one of these words in it.
fn sealed(folder: &Path, words: &str) {
    let found = Command::new("grep")
        .args(["-r", "-l", "-a", words])
        .arg(folder)
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attachment_of_20_mib_arrives_byte_for_byte() {
    let world = World::new(2).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (at_ada, at_bob) = (ada.serve(&[]), bob.serve(&[]));
    // Too long for a message: it goes over the storage nodes.
    let plain = film(20 << 20);
    fs::write(bob.path("film"), &plain).unwrap();
    let file = format!("file={}", bob.path("film").display());
    let sent = bob.send(
        &at_bob,
        &ada.mail(),
        "a film",
        &["text=see there", &file, "bcc=bob@phantasma.alt"],
    );
    assert_eq!(sent["sent"], true);
    let got = &ada.inbox(&at_ada, 1)[0];
    assert_eq!(got["files"][0]["name"], "big.bin");
    assert_eq!(
        got["files"][0]["sha256"],
        hex::encode(Sha256::digest(&plain)),
        "byte for byte"
    );
    assert!(got["header"].get("Bcc").is_none(), "{}", got["header"]);
    // The hidden reader has it, too.
    let own = bob.inbox(&at_bob, 1);
    assert_eq!(own[0]["header"]["Subject"], "a film");
    let text = ada.json(&["mail", "read", "1"]);
    assert_eq!(
        (&text["text"], &text["attachments"][0]),
        (&"see there\r\n".into(), &"big.bin".into())
    );
    for server in ["relay", "node0", "node1"] {
        sealed(&world.folder.path().join(server), "see there");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn mutt_sends_and_reads() {
    let world = World::new(0).await;
    let (ada, bob) = (world.user("ada").await, world.user("bob").await);
    let (at_ada, at_bob) = (ada.serve(&[]), bob.serve(&[]));
    let muttrc = |user: &User, daemon: &Daemon| {
        let path = user.path("muttrc");
        let text = format!(
            "set from = {mail}\nset realname = {name}\nset smtp_url = smtp://{name}@127.0.0.1:{smtp}/\nset smtp_pass = {password}\n\
             set imap_user = {name}\nset imap_pass = {password}\nset ssl_starttls = no\nset ssl_force_tls = no\n\
             set smtp_authenticators = \"plain:login\"\nset copy = no\nset confirmappend = no\nset confirmcreate = no\nset folder = {folder}\nset header_cache = \"\"\n\
             set use_envelope_from = yes\nset envelope_from_address = {mail}\nset wait_key = no\nset delete = no\n",
            mail = user.mail(),
            name = user.name,
            smtp = daemon.smtp,
            password = user.password,
            folder = user.folder.path().display(),
        );
        fs::write(&path, text).unwrap();
        path
    };
    let (of_ada, of_bob) = (muttrc(&ada, &at_ada), muttrc(&bob, &at_bob));
    fs::write(ada.path("body"), "from mutt, with love\n").unwrap();
    let mut mutt = Command::new("mutt");
    mutt.args(["-n", "-F"])
        .arg(&of_ada)
        .args(["-s", "by mutt", "--", &bob.mail()]);
    mutt.stdin(File::open(ada.path("body")).unwrap())
        .env("HOME", ada.folder.path());
    let output = mutt.output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", ada.log());

    let got = bob.inbox(&at_bob, 1);
    assert_eq!(got[0]["header"]["Subject"], "by mutt");
    let out = bob.path("copied");
    let url = format!("imap://bob@127.0.0.1:{}/INBOX", at_bob.imap);
    let args = [of_bob.to_str().unwrap(), &url, out.to_str().unwrap()];
    let output = python("mutt.py", &args);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}\n{}", bob.log());
    let copied = fs::read_to_string(out).unwrap();
    assert!(
        copied.contains("from mutt, with love") && copied.contains("Subject: by mutt"),
        "{copied}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_lets_in_its_user_alone_and_tells_how_it_is() {
    let world = World::new(0).await;
    let ada = world.user("ada").await;
    let at_ada = ada.serve(&[]);
    let said = ada.python(&["wrong_password", &at_ada.smtp, &at_ada.imap, "ada"]);
    assert_eq!(
        (&said["smtp"], &said["without"]),
        (&535.into(), &530.into())
    );
    assert!(
        said["imap"]
            .as_str()
            .unwrap()
            .contains("AUTHENTICATIONFAILED"),
        "{said}"
    );
    let said = ada.python(&[
        "as_another",
        &at_ada.smtp,
        "ada",
        &ada.password,
        "bob@phantasma.alt",
    ]);
    assert_eq!(said.to_string(), "[550,550,552,550,550]");

    let ask = |path: &str| {
        let url = format!("http://127.0.0.1:{}{path}", at_ada.ops);
        let script =
            format!("import urllib.request as u; print(u.urlopen('{url}').read().decode())");
        let output = Command::new("python3")
            .args(["-c", &script])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let begun = Instant::now();
    while !ask("/healthz").contains("ok") && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(100));
    }
    assert!(ask("/healthz").contains("ok"), "{}", ada.log());
    assert!(
        ask("/metrics").contains("phantasma_mail_logins_refused_total 3"),
        "{}",
        ask("/metrics")
    );

    // Only this machine, one daemon a mailbox, and a port that is free.
    let text = ada.refusal(&["mail", "serve", "--smtp", "0.0.0.0:0"]);
    assert!(text.contains("127.0.0.1"), "{text}");
    let free = [
        "mail",
        "serve",
        "--smtp",
        "127.0.0.1:0",
        "--imap",
        "127.0.0.1:0",
        "--ops",
        "127.0.0.1:0",
    ];
    let text = ada.refusal(&free);
    assert!(text.contains("another process serves"), "{text}");
    let config = ada.path("mail.toml");
    fs::write(&config, "smtp = \"127.0.0.1:0\"\nmax_postag = 1\n").unwrap();
    let text = ada.refusal(&["mail", "serve", "--config", config.to_str().unwrap()]);
    assert!(text.contains("max_postag"), "{text}");

    // SIGTERM ends it in order.
    let pid = at_ada.guard.id().to_string();
    Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    let (mut guard, begun) = (at_ada.guard, Instant::now());
    while guard.exit_status().is_none() && begun.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
    }
    assert!(
        guard.exit_status().is_some_and(|status| status.success()),
        "{}",
        ada.log()
    );
}
