//! A bridge to a mail server outside, which is a small sink here: out, back, and who may not.

use std::time::Instant;

use super::*;

/// Waits until there is something.
fn wait_for<T>(what: &str, look: impl Fn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Mail brought from outside, as a mail server would; the answer of SMTP.
fn bring(port: &str, from: &str, to: &str, mail: &str) -> String {
    let script = "import smtplib, sys\nport, sender, to, mail = sys.argv[1:]\n\
        try:\n    smtplib.SMTP('127.0.0.1', int(port)).sendmail(sender, [to], mail.encode())\n    print('taken')\n\
        except smtplib.SMTPResponseException as e: print(e.smtp_code)\n\
        except smtplib.SMTPRecipientsRefused as e: print(list(e.recipients.values())[0][0])\n";
    let output = Command::new("python3")
        .args(["-c", script, port, from, to, mail])
        .output();
    let output = output.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_carries_mail_out_and_back_for_its_users_and_providers() {
    let world = World::new(0).await;
    let (ada, eve, bridge) = (
        world.user("ada").await,
        world.user("eve").await,
        world.user("bridge").await,
    );
    let (port_file, kept) = (bridge.path("port"), bridge.path("kept"));
    fs::create_dir(&kept).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("it/mail/sink.py");
    let _sink = ProcessGuard::spawn(
        Command::new("python3")
            .arg(script)
            .arg(&port_file)
            .arg(&kept),
    );
    let port = wait_for("the sink starts", || fs::read_to_string(&port_file).ok());
    let config = bridge.path("mail.toml");
    let text = format!(
        "[bridge]\ndomain = \"mail.example.net\"\nsmarthost = \"127.0.0.1:{port}\"\nlisten = \"127.0.0.1:0\"\n\
         providers = [\"example.org\"]\n"
    );
    fs::write(&config, text).unwrap();
    // Its users are those whom its gate lets in.
    bridge.json(&["mail", "price", "--closed"]);
    bridge.json(&["mail", "allow", &ada.mail()]);
    let at_bridge = bridge.serve(&["--config", config.to_str().unwrap()]);
    let (at_ada, at_eve) = (ada.serve(&[]), eve.serve(&[]));

    let bob = "bridge+bob=example.org@phantasma.alt";
    assert_eq!(
        ada.send(&at_ada, bob, "to the outside", &["text=.dots\nhello\n"])["sent"],
        true
    );
    let got = wait_for("the mail goes out", || {
        let text = fs::read_to_string(kept.join("0")).ok()?;
        serde_json::from_str::<Value>(&text).ok()
    });
    assert_eq!(got["from"], "<ada@mail.example.net>");
    assert_eq!(got["to"][0], "<bob@example.org>");
    let mail = got["mail"].as_str().unwrap();
    assert!(
        mail.contains("From: Ada <ada@mail.example.net>\r\n"),
        "{mail}"
    );
    assert!(
        mail.contains("To: bob@example.org\r\n") && mail.ends_with("\r\n\r\n.dots\r\nhello\r\n"),
        "{mail}"
    );
    assert!(!mail.contains("phantasma=pass"), "{mail}");
    // It keeps nothing of it.
    wait_for("it is gone from the bridge", || {
        bridge.inbox(&at_bridge, 0).is_empty().then_some(())
    });

    // The answer comes back, and can be answered.
    let outside = &at_bridge.outside;
    let answer = "From: Bob <bob@example.org>\r\nTo: ada@mail.example.net\r\nSubject: Re: to the outside\r\n\r\nhello you\r\n";
    assert_eq!(
        bring(outside, "bob@example.org", "ada@mail.example.net", answer),
        "taken"
    );
    let got = &ada.inbox(&at_ada, 1)[0];
    assert_eq!(
        got["header"]["From"],
        "Bob <bridge+bob=example.org@phantasma.alt>"
    );
    assert_eq!(
        (&got["text"], &got["header"]["To"]),
        (&"hello you\n".into(), &ada.mail().into())
    );

    // Other providers, forged authors, and addresses that are not there.
    assert_eq!(
        bring(
            outside,
            "x@spam.example",
            "ada@mail.example.net",
            "From: x@spam.example\r\n\r\nx"
        ),
        "550"
    );
    let forged = "From: boss@phantasma.alt\r\n\r\nx";
    assert_eq!(
        bring(outside, "bob@example.org", "ada@mail.example.net", forged),
        "550"
    );
    assert_eq!(
        bring(outside, "bob@example.org", "ada@elsewhere.example", answer),
        "550"
    );
    assert_eq!(
        bring(
            outside,
            "bob@example.org",
            "nobody_here@mail.example.net",
            answer
        ),
        "550"
    );

    // Eve is no user of the bridge; and what the outside refuses comes back as a report.
    let answer = eve.send(&at_eve, bob, "no", &[]);
    assert_eq!(answer["refused"][bob][0], 550, "{answer}");
    let others =
        "bridge+nobody=example.org@phantasma.alt, bridge+x=elsewhere.example@phantasma.alt";
    assert_eq!(ada.send(&at_ada, others, "to nobody", &[])["sent"], true);
    let got = &ada.inbox(&at_ada, 2)[1];
    assert_eq!(
        got["header"]["From"],
        "Mail Delivery <bridge@phantasma.alt>"
    );
    let text = got["text"].as_str().unwrap();
    assert!(
        text.contains("nobody@example.org") && text.contains("550 5.1.1 nobody here"),
        "{text}"
    );
    assert!(
        text.contains("x@elsewhere.example") && text.contains("not served"),
        "{text}"
    );
}
